"""Evidence: the words that carry a label."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detente.reading import Reading

HIGHLIGHTED = 3

_WORD = re.compile(r"[^\W_](?:[\w\u0300-\u036f]|['’.,-](?=\w))*")
_LEAST = 0.01
_PASSAGE = 80

Span = tuple[int, int]
Classify = Callable[[Sequence[tuple[str, str | None]]], "list[Reading]"]


@dataclass(frozen=True)
class Evidence:
    """A word of a statement that speaks for a label.

    Attributes:
        text: the word, ``statement[start:end]`` of the statement as given.
        start: offset of its first character.
        end: offset behind its last one.
        weight: how far the label's probability drops, 0 to 1, when the word is left out.
    """

    text: str
    start: int
    end: int
    weight: float


def explain(reading: Reading, classify: Classify, *, is_long: bool = False) -> Reading:
    """Return the reading with evidence for each dimension that takes a position.

    A word's weight is how far its absence lowers the label's probability: occlusion (Zeiler and
    Fergus, 2014; for words Li, Monroe and Jurafsky, 2016). The holder's mentions stay, because
    they tell the model whose position is asked for.

    Args:
        reading: of a statement as given.
        classify: reads (statement, holder) pairs.
        is_long: whether the statement takes several windows. Its words are then weighed within
            the passage of 80 words that gives the label the highest probability; leaving them
            out of the whole statement would cost the square of its length.
    """
    labels = {name: p.label for name, p in reading if p.takes_position}
    if not labels:
        return reading
    passages = _choose_passages(reading, labels, classify) if is_long else {}
    whole = (0, len(reading.text))
    predictions = dict(reading.predictions)
    for passage in sorted({passages.get(name, whole) for name in labels}):
        words, readings = _leave_out(reading, passage, classify)
        for name, label in labels.items():
            if passages.get(name, whole) == passage:
                odds = [each.predictions[name].probabilities[label] for each in readings]
                weights = [odds[0] - left for left in odds[1:]]
                evidence = _rank(reading.text, words, weights)
                predictions[name] = replace(predictions[name], evidence=evidence)
    return replace(reading, predictions=predictions)


def find_words(statement: str, holder: str | None = None) -> list[Span]:
    """Return the words of a statement that are no part of a mention of the holder."""
    mentions = list(_find_mentions(statement, holder or ""))
    ends = [end for _, end in mentions]
    words = []
    for start, end in (match.span() for match in _WORD.finditer(statement)):
        behind = bisect_right(ends, start)
        if behind == len(mentions) or end <= mentions[behind][0]:
            words.append((start, end))
    return words


def _find_mentions(statement: str, holder: str) -> Iterator[Span]:
    name = r"\W+".join(re.findall(r"\w+", holder))
    if name:
        pattern = rf"(?<!\w){name}(?!\w)"
        for match in re.finditer(pattern, statement, re.IGNORECASE):
            yield match.span()


def _cut_passages(statement: str) -> list[Span]:
    """Cut at word starts into passages of 80 words, each sharing half with the next."""
    starts = [match.start() for match in _WORD.finditer(statement)]
    edges = [0, *starts[_PASSAGE // 2 :: _PASSAGE // 2], len(statement)]
    return list(zip(edges, edges[2:] or edges[-1:], strict=False))


def _choose_passages(
    reading: Reading, labels: dict[str, str], classify: Classify
) -> dict[str, Span]:
    passages = _cut_passages(reading.text)
    readings = classify([(reading.text[slice(*each)], reading.holder) for each in passages])
    chosen = {}
    for name, label in labels.items():
        odds = [each.predictions[name].probabilities[label] for each in readings]
        chosen[name] = passages[odds.index(max(odds))]
    return chosen


def _leave_out(
    reading: Reading, passage: Span, classify: Classify
) -> tuple[list[Span], list[Reading]]:
    """Return a passage's words and its readings: as it is, then without each of the words."""
    first, last = passage
    text = reading.text
    words = [
        (start, end)
        for start, end in find_words(text, reading.holder)
        if first <= start and end <= last
    ]
    copies = [text[first:last], *(text[first:start] + text[end:last] for start, end in words)]
    return words, classify([(copy, reading.holder) for copy in copies])


def _rank(statement: str, words: Sequence[Span], weights: Sequence[float]) -> tuple[Evidence, ...]:
    evidence = (
        Evidence(statement[start:end], start, end, weight)
        for (start, end), weight in zip(words, weights, strict=True)
        if weight >= _LEAST
    )
    return tuple(sorted(evidence, key=lambda each: (-each.weight, each.start)))
