"""Unlisted names: the proper names of a statement that the gazetteer does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, takewhile

from detente.parties.body import read_body
from detente.parties.casing import Page, Run, Word
from detente.parties.lexicon import COMMON, OFFICES, TITLES
from detente.parties.naming import Cover, Naming
from detente.parties.pattern import Patterns
from detente.parties.person import has_honorific


def find_unlisted(text: str, listed: Sequence[Naming], patterns: Patterns) -> Iterator[Naming]:
    """Yield the names of bodies, places and people that no title tells to be people.

    Words that only their place in the sentence gives a capital are none, nor are abbreviations:
    most of those stand for things.

    Args:
        text: a statement.
        listed: where it names listed parties; no name overlaps them.
        patterns: the gazetteer's nouns.
    """
    page = Page(text)
    by_start = {naming.start: naming for naming in listed}
    inside = Counter(word.key for run in page.runs for word in run.words if not word.initial)
    covered = Cover(len(text), listed)
    for run in page.runs:
        body = read_body(run, page.flat, patterns, by_start)
        spans = (
            [(body.start, body.end)]
            if body
            else _proper(run, page.flat, patterns, by_start, inside)
        )
        for start, end in spans:
            # A body's name may go on in the next run: "the Bank of Tarsa".
            if covered.is_free(start, end):
                covered.take(start, end)
                yield Naming(start, end, text[start:end], None, True)


def _proper(
    run: Run,
    flat: str,
    patterns: Patterns,
    listed: Mapping[int, Naming],
    inside: Counter[str],
) -> Iterator[tuple[int, int]]:
    """Yield where the words of a run that are no common nouns stand together.

    What follows a listed name in the run goes with it: "Tehran Research Reactor".
    """
    if has_honorific(flat, run.printed[0].start):
        return
    words = takewhile(lambda word: word.key not in TITLES and word.start not in listed, run.words)
    for proper, group in groupby(words, lambda word: _is_proper(word, patterns)):
        first, *more = group
        told = len(run.words) > 1 or not first.initial or first.possessive or inside[first.key]
        if proper and told:
            yield first.start, (more or [first])[-1].end


def _is_proper(word: Word, patterns: Patterns) -> bool:
    return not (
        word.key.partition("'")[0] in COMMON | OFFICES
        or word.key in patterns.heads
        or word.key.isupper()
        or word.key.lower() in patterns.generic
        or patterns.bare.fullmatch(word.key)
    )
