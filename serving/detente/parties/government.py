"""Governments: whose "the government" and "the minister" are."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from detente.parties.naming import Naming
from detente.parties.place import find_datelines
from detente.typography import flatten, straighten

_ORGAN = (
    r"(?:government|cabinet|ministry|ministers?|president|presidency|prime minister|premier"
    r"|administration|regime|junta|authorities|parliament)"
)
_OWNED = re.compile(rf"(?:'s?)? (?:[\w-]+ ){{0,2}}?{_ORGAN}\b", re.IGNORECASE)
_OWNING = re.compile(rf"\b{_ORGAN} (?:of|(?:[a-z]+ )?in) (?:the )?$", re.IGNORECASE)
_HOUSING = re.compile(rf", (?:the |a )?(?:[\w-]+ ){{0,2}}?{_ORGAN}\b", re.IGNORECASE)
_BEHIND = re.compile(r"(?: [a-z]+)? in ")
_OPENING = re.compile(r"(?:^|[.!?\"] +)In $")
_APART = re.compile(r", (?:the |a )?")
_NEAR = 200  # characters
_CLAUSE = 40  # characters
_REMEMBERED = 100  # governments
# A state that is named less often than this is where the writer sits, and no party.
_FEWEST = 3


class Governments:
    """Finds the state that is meant where a government is named without one.

    It is that of which a government was named last ("the Honduran Government", "Zaire's
    Cabinet"); a dateline's own state comes before one whose government was named long before.

    Args:
        text: the article.
        states: where it names states by names of their own, in reading order.
    """

    def __init__(self, text: str, states: Sequence[Naming]) -> None:
        straight = straighten(text)
        flat = flatten(straight)
        self._flat = flat
        self._states = states
        self._places = [naming.start for naming in states]
        self._governing = [naming for naming in states if _governs(flat, naming)]
        self._starts = [naming.start for naming in self._governing]
        self._home = _home(find_datelines(straight), states)

    def meant(self, start: int, end: int) -> Naming | None:
        """Return a naming of the state whose "government" stands between two offsets, if told."""
        located = self._located(start, end)
        if located is not None:
            return located
        at = bisect_left(self._starts, start)
        told = self._governing[max(0, at - _REMEMBERED) : at]
        if told and start - told[-1].start <= _NEAR:
            return told[-1]
        if self._home is not None:
            return self._home
        counts = Counter(naming.party for naming in told)
        return max(reversed(told), key=lambda naming: counts[naming.party], default=None)

    def _located(self, start: int, end: int) -> Naming | None:
        """Return the state of "the ministry in Lisbon" and "In Lisbon, the ministry"."""
        first = bisect_left(self._places, start - _CLAUSE)
        for state in self._states[first : bisect_left(self._places, end + _CLAUSE)]:
            behind = _BEHIND.fullmatch(self._flat, end, max(end, state.start))
            opens = _opens(self._flat, state)
            between = self._flat[state.end : start] if state.end <= start else ""
            if behind or (opens and _APART.fullmatch(between)):
                return state
        return None


def _governs(flat: str, naming: Naming) -> bool:
    """Whether a name says whose government it is, in front of it or behind it."""
    before = flat[max(0, naming.start - 40) : naming.start]
    is_house = _opens(flat, naming) and _HOUSING.match(flat, naming.end)
    return bool(is_house or _OWNED.match(flat, naming.end) or _OWNING.search(before))


def _opens(flat: str, naming: Naming) -> bool:
    """Whether a name opens a sentence as a place: "In Lisbon"."""
    return bool(_OPENING.search(flat[max(0, naming.start - 9) : naming.start]))


def _home(datelines: Sequence[tuple[int, int]], states: Sequence[Naming]) -> Naming | None:
    """Return a naming of the state in whose city the article was written, if it acts there."""
    written = (
        naming
        for naming in states
        if any(start <= naming.start and naming.end <= end for start, end in datelines)
    )
    home = next(written, None)
    if home is None:
        return None
    own = [naming for naming in states if naming.party == home.party and not naming.is_place]
    return own[0] if len(own) >= _FEWEST else None
