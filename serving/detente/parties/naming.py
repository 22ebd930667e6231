"""A place in a text where a party is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Naming:
    """One place where a party is named: by a noun of its own, or by a demonym.

    ``party`` tells parties apart; ``actor`` is the gazetteer's id, None for a party that it does
    not know. ``is_place`` says that the name stands for a place: "in Vienna", "the Paris talks".
    """

    start: int
    end: int
    party: str
    actor: str | None
    is_noun: bool
    is_place: bool = False


class Cover:
    """Where names stand in a text, so that no two overlap.

    Args:
        length: of the text.
        namings: what stands there already.
    """

    def __init__(self, length: int, namings: Iterable[Naming] = ()) -> None:
        self._taken = bytearray(length)
        for naming in namings:
            self.take(naming.start, naming.end)

    def take(self, start: int, end: int) -> None:
        """Note that a name stands between two offsets."""
        self._taken[start:end] = b"\1" * (end - start)

    def is_free(self, start: int, end: int) -> bool:
        """Whether no name stands between two offsets."""
        return not any(self._taken[start:end])

    def covers(self, place: int) -> bool:
        """Whether a name stands at an offset."""
        return bool(self._taken[place])


def first_by_party(namings: Iterable[Naming]) -> dict[str, Naming]:
    """Return each party's first naming by a noun, or else its first by a demonym."""
    found: dict[str, Naming] = {}
    for naming in namings:
        earlier = found.get(naming.party)
        if earlier is None or (naming.is_noun and not earlier.is_noun):
            found[naming.party] = naming
    return found
