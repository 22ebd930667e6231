"""A place in a text where a party is named."""

from __future__ import annotations

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
