"""Bodies: parties whose names say what they are, as "the Tarsa Dock Workers' Union" does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from detente.parties.casing import Run, Word
from detente.parties.lexicon import CALENDAR, OFFICES, TITLES
from detente.parties.naming import Naming
from detente.parties.pattern import Patterns

# More words than any name has, so that no text makes the search slow.
_LONGEST = 8
_STATE_HEADS = frozenset({"Government", "Parliament", "Ministry"})
_NO_TAIL = CALENDAR | TITLES
_TAIL = re.compile(r" (?:of|for)(?: the)? ")
# "the Front for the Defence of the Plateau", "Metal Casters Local 318"
_FURTHER = re.compile(r" of (?:the )?[A-Z][\w-]+")
_NUMBER = re.compile(r"(?<=Local) (?:No\. )?\d+")
_JOINED = re.compile(r"\b[Tt]he ((?:[A-Z][\w-]+['’]? ){1,3})and $")


class Body(NamedTuple):
    """Where a body is named, its head ("Union"), and what stands behind it: "Bank of Tarsa"."""

    start: int
    end: int
    head: str
    tail: list[Word]


def read_body(run: Run, flat: str, patterns: Patterns, listed: Mapping[int, Naming]) -> Body | None:
    """Return the body that a run of capitalised words names.

    Args:
        run: the words.
        flat: the article on one line.
        patterns: the gazetteer's nouns.
        listed: the gazetteer's names by where they start. Those that stand in a body's name may
            be all there is to it ("the Tarsan Government"), and then it is no other party.
    """
    at = max((i for i, word in enumerate(run.words) if word.key in patterns.heads), default=-1)
    if at < 0:
        return None
    head, before = run.words[at], run.words[:at]
    last = at == len(run.words) - 1
    tail = _tail(head, run.following, flat, patterns, alone=at == 0) if last else []
    if not (before or tail) or at > _LONGEST or any(word.key == "News" for word in before):
        return None
    if head.key == "Resources" and before and before[-1].key in ("Human", "Natural", "Water"):
        return None
    field = all(word.key in OFFICES or word.key == "Affairs" for word in (*before, *tail))
    # "Foreign Ministry" is a body, "Tarsan Ministry" the state, "Deputy Energy" no body at all.
    if head.key in OFFICES and field != (head.key in _STATE_HEADS):
        return None
    start = _joined_start(before[0], flat, patterns, listed) if before else head.start
    end = (tail or [head])[-1].end
    further = (_FURTHER if tail else _NUMBER).match(flat, end)
    body = Body(start, further.end() if further else end, head.key, tail)
    return body if _is_its_own(body, [*before, head], patterns, listed) else None


def _tail(
    head: Word, following: list[Word], flat: str, patterns: Patterns, *, alone: bool
) -> list[Word]:
    match = _TAIL.match(flat, head.end)
    if match is None or head.possessive or head.key in patterns.companies - {"Bank"}:
        return []
    if not following or following[0].start != match.end() or following[0].key in _NO_TAIL:
        return []
    return following[:_LONGEST] if alone or match.group().startswith(" of") else []


def _joined_start(first: Word, flat: str, patterns: Patterns, listed: Mapping[int, Naming]) -> int:
    """Return where "Justice and Equality Movement" starts, given its second word."""
    match = _JOINED.search(flat, max(0, first.start - 60), first.start)
    if match is None or match.start(1) in listed:
        return first.start
    last = match.group(1).split()[-1]
    return first.start if last in patterns.heads or last in _STATE_HEADS else match.start(1)


def _is_its_own(
    body: Body, words: list[Word], patterns: Patterns, listed: Mapping[int, Naming]
) -> bool:
    """Whether the listed names within a body's name leave it to be a party of its own."""
    inside = [listed[word.start] for word in words if word.start in listed]
    if any(naming.end >= body.end for naming in inside):
        return False
    if not inside or inside[0].start != body.start:
        return True
    rest = [word.key for word in words if word.start >= inside[0].end]
    return inside[0].actor in patterns.states and not all(key in OFFICES for key in rest)
