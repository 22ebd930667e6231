"""People: names that are nobody's but theirs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import pairwise

from detente.parties.casing import Run
from detente.parties.lexicon import DIRECTIONS, OFFICES, TITLES, word_set
from detente.typography import CAPITALS, SMALL

_HONORIFIC = re.compile(
    r"\b(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Dame|Lord|Lady|Sen|Rep|Judge|Justice|Senator"
    r"|Sister|Brother)\.?|(?:Gen|Gov|Col|Capt|Maj|Lt|Sgt|Adm|Rev|Amb)\.) $"
)
_INITIAL = re.compile(rf"(?<![\w.])[{CAPITALS}]\. $")
_SURNAME = re.compile(rf" ([{CAPITALS}][{SMALL}'’-]+)")
_FIRST_NAME = re.compile(rf"(?<![\w.'’-])([{CAPITALS}][{SMALL}]{{2,}}) $")
_ADJECTIVES = ("an", "ese", "ish", "ist", "iet", "ic", "ern", "ite", "al")
_NO_FIRST_NAMES = DIRECTIONS | word_set("Greater Inner Outer Old Downtown Team Nazi Mainland")
_UNTITLED = OFFICES | DIRECTIONS


def has_honorific(flat: str, start: int) -> bool:
    """Whether "Mr." or the like stands before a name."""
    return bool(_HONORIFIC.search(flat, max(0, start - 10), start))


def has_initial(flat: str, start: int) -> bool:
    """Whether a first name's initial stands before a name."""
    return bool(_INITIAL.search(flat, max(0, start - 4), start))


def first_name_before(flat: str, start: int) -> str | None:
    """Return what stands before a name as a first name does: neither "Soviet" nor "North"."""
    match = _FIRST_NAME.search(flat, max(0, start - 20), start)
    if match is None or match[1] in _NO_FIRST_NAMES or match[1].endswith(_ADJECTIVES):
        return None
    return match[1]


def surname_after(flat: str, end: int) -> str | None:
    """Return what stands after a name as a surname does."""
    match = _SURNAME.match(flat, end)
    return match.group(1) if match else None


def find_surnames(
    flat: str, runs: Iterable[Run], heads: Collection[str], listed: Collection[int]
) -> tuple[set[str], set[str]]:
    """Return words that stand behind a title or another name: they surely, or may, name people.

    Of names that open a sentence one cannot be sure: "Upstream Tarsa" is nobody.

    Args:
        flat: the article on one line.
        runs: its names.
        heads: last words of the names of bodies, which are nobody's.
        listed: where the gazetteer's names start.
    """
    sure: set[str] = set()
    unsure: set[str] = set()
    for row, words, _ in runs:
        if has_honorific(flat, row[0].start):
            sure.add(row[0].key)
        if any(word.key in heads for word in words):
            continue
        for before, word in pairwise(words):
            if before.key in TITLES:
                sure.add(word.key)
            elif before.key not in _UNTITLED and before.start not in listed:
                (unsure if before.initial else sure).add(word.key)
    return sure - OFFICES, (sure | unsure) - OFFICES
