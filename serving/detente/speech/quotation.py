"""Who is said to say, think or want what: quotations and their sources, from the parse.

Rules over spaCy's dependency trees and the quotation marks, in the manner of Krestel, Bergler &
Witte (2008); what counts as an attribution follows PolNeAR (Newell, Margolin & Ruths 2018).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detente.speech.attribution import Attribution
from detente.speech.clause import attribute_verb
from detente.speech.cue import read_cues
from detente.speech.marks import NEAR, Marks, Stretch
from detente.speech.nominal import attribute_adjective, attribute_adjunct, attribute_noun
from detente.speech.tree import VERBAL, Tree
from detente.statements import TURN, Span

if TYPE_CHECKING:
    from detente.speech.parser import Paragraph

_RUBRICS = {"update", "exclusive", "analysis", "opinion", "video", "watch", "photos", "live"}


@dataclass(frozen=True)
class Quotation:
    """Something said, thought or wanted, and by whom.

    ``kind`` is direct (all of it in quotation marks), indirect (none of it) or mixed.
    ``contents`` is what is said, marks included; ``cue`` the words that attribute it; ``source``
    who says it, as printed. Without a cue it is attributed by its place. Offsets index the article.
    """

    kind: str
    contents: tuple[Span, ...]
    cue: Span | None
    source: Span | None
    speaker: str | None = None


def find_quotations(text: str, paragraphs: Sequence[Paragraph]) -> list[Quotation]:
    """Return the quotations of an article, ordered by where their contents begin.

    Args:
        text: the article.
        paragraphs: its paragraphs, see `detente.speech.parser.Parser.parse`.
    """
    marks = Marks(text, [paragraph.span for paragraph in paragraphs])
    placing = _Placing(text, paragraphs, marks)
    for paragraph in paragraphs:
        placing.add(paragraph)
    quotations = {
        (one.contents, one.source): one
        for one in (_quotation(attribution, marks) for attribution in placing.attributions)
        if one.contents
    }
    return sorted(quotations.values(), key=lambda one: one.contents)


def _quotation(attribution: Attribution, marks: Marks) -> Quotation:
    contents = tuple(_union(attribution.contents))
    kind = marks.kind(contents)
    if attribution.is_nested or attribution.is_turn:
        kind = "direct" if attribution.is_turn else "indirect"
    return Quotation(kind, contents, attribution.cue, attribution.source)


def _union(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _attributions(tree: Tree) -> Iterator[Attribution]:
    """Yield what a paragraph's verbs, nouns, adjectives and adjuncts attribute."""
    cues = read_cues()
    for token in tree.doc:
        lemma = token.lemma_.lower()
        if token.pos_ in VERBAL and token.dep_ != "amod":
            yield from attribute_verb(tree, token)
        elif token.pos_ in ("NOUN", "PROPN") and lemma in cues.nouns:
            yield from attribute_noun(tree, token)
        elif token.pos_ == "ADJ" and lemma in cues.adjectives:
            yield from attribute_adjective(tree, token)
        yield from attribute_adjunct(tree, token)


class _Placing:
    """Gives the quotations without a cue of their own to whoever spoke last."""

    def __init__(self, text: str, paragraphs: Sequence[Paragraph], marks: Marks) -> None:
        self._text = text
        self._marks = marks
        self.attributions: list[Attribution] = []
        self._previous: Attribution | None = None  # the last spoken outside marks
        self._waiting: Attribution | None = None  # "He added:" at a paragraph's end
        self._label: Span | None = None  # whose turn it is in a transcript
        self._paragraph: Paragraph
        turns = [_turn(text, *paragraph.span) for paragraph in paragraphs]
        labels = [turn.group("label") for turn in turns if turn is not None]
        self._top = paragraphs[0].start if paragraphs else 0
        self._is_transcript = len(labels) >= 3 and 4 * len(labels) >= len(paragraphs)
        # A single "NEW DELHI:" is a dateline.
        self._has_turns = sum(map(str.isupper, labels)) >= 2 or not {"Q", "A"}.isdisjoint(labels)

    def add(self, paragraph: Paragraph) -> None:
        start, end = paragraph.span
        self._paragraph = paragraph
        found = list(_attributions(Tree(paragraph, self._marks)))
        self.attributions.extend(found)
        if self._turn(start, end) or self._continues_turn(start, end):
            return
        outer = [one for one in found if not one.is_nested]
        outer.sort(key=lambda one: one.clause[::-1])
        owners = self._owners(outer)
        self._deliver(start, end, owners)
        self._trace_back(start, owners)
        for number in self._marks.between(start, end):
            if number not in owners:
                self._place(number, start, outer, owners)
            if number in owners:
                self._previous = owners[number]
        if next(self._marks.between(start, end), None) is None:
            self._previous = outer[-1] if outer else None
        self._waiting = next((one for one in outer if not one.contents), None)

    def _owners(self, outer: list[Attribution]) -> dict[int, Attribution]:
        """Return to whom each quotation that has a cue belongs."""
        owners: dict[int, Attribution] = {}
        done = -1
        spans = sorted((span, number) for number, one in enumerate(outer) for span in one.contents)
        for (start, end), number in spans:
            for stretch in self._marks.between(max(start, done), end):
                owners.setdefault(stretch, outer[number])
            done = max(done, end)
        return owners

    def _turn(self, start: int, end: int) -> bool:
        """Read "LEE: We will sign." and, at an article's top, "Minister Lee: Deal near"."""
        turn = _turn(self._text, start, end)
        if turn is None:
            return False
        name = turn.group("label")
        is_turn = self._is_transcript or (self._has_turns and name.isupper())
        if name.lower() in _RUBRICS or not (is_turn or (start == self._top and not name.isupper())):
            return False
        label = turn.start("label"), turn.end("role" if turn["role"] else "label")
        said = Attribution(None, label, [(turn.end(), end)], label, is_turn=is_turn)
        self.attributions.append(said)
        self._previous = None
        self._waiting = None
        self._label = label if is_turn else None
        return True

    def _continues_turn(self, start: int, end: int) -> bool:
        has_marks = next(self._marks.between(start, end), None) is not None
        if self._label is None or not self._is_transcript or has_marks:
            return False
        said = Attribution(None, self._label, [(start, end)], (start, start), is_turn=True)
        self.attributions.append(said)
        return True

    def _trace_back(self, start: int, owners: dict[int, Attribution]) -> None:
        """Give paragraphs of an open quotation to the speaker who is named only at its end."""
        number = self._marks.at(start)
        owner = owners.get(number) if number else None
        said = self._previous
        if not number or owner is None or said is None or said.source:
            return
        if self._marks.stretches[number - 1].is_open:
            owner.contents = [*said.contents, *owner.contents]
            said.contents = []

    def _deliver(self, start: int, end: int, owners: dict[int, Attribution]) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        number = next(iter(self._marks.between(start, start + 1)), None)
        if number is None:
            waiting.contents.append((start, end))
            return
        if number not in owners:
            stretch = self._marks.stretches[number]
            waiting.contents.append(stretch.span)
            owners[number] = waiting

    def _place(
        self, number: int, start: int, outer: list[Attribution], owners: dict[int, Attribution]
    ) -> None:
        """Give a quotation without a cue to whom it continues, or to whoever spoke last."""
        stretch = self._marks.stretches[number]
        span = stretch.span
        earlier = self._marks.stretches[number - 1] if number else None
        if stretch.start == start and earlier is not None and earlier.is_open and self._previous:
            self._previous.contents.append(span)
            owners[number] = self._previous
            return
        before = bisect_right(outer, stretch.start, key=lambda one: one.clause[1])
        last = outer[before - 1] if before else None
        adjoins = last is not None and not self._marks.letters(last.clause[1], stretch.start)
        if last is not None and adjoins and owners.get(number - 1) is last:
            last.contents.append(span)
            owners[number] = last
        elif self._reads_as_speech(stretch, start):
            speaker = last or self._previous
            source = self._teller(stretch.start, last) or (speaker.source if speaker else None)
            placed = Attribution(None, source, [span], (stretch.start, stretch.start))
            self.attributions.append(placed)
            owners[number] = placed

    def _teller(self, place: int, last: Attribution | None) -> Span | None:
        """Return whom a sentence that leads to a quotation is about, if that is who may speak.

        "Their envoy shook his head." and "Venn, who heads the league, was blunt:" do so; a
        sentence about "he" or "the hall" leads back to whoever spoke before.
        """
        paragraph = self._paragraph
        before = [s for s in paragraph.doc.sents if paragraph.start + s.start_char < place]
        if not before:
            return None
        sentence = before[-1]
        is_over = paragraph.start + sentence.end_char <= place
        leads = self._text[paragraph.start : place].rstrip().endswith(":")
        begins = paragraph.start + sentence.start_char
        if not (is_over or leads) or (last is not None and begins < last.clause[1]):
            return None
        for token in sentence:
            verb = token.head
            is_before = paragraph.start + verb.idx < place
            if token.dep_ == "nsubj" and is_before and verb.dep_ != "relcl":
                names = token.pos_ == "PROPN" or token.lemma_ in read_cues().persons
                start, end = token.left_edge.idx, token.idx + len(token)
                return (paragraph.start + start, paragraph.start + end) if names else None
        return None

    def _reads_as_speech(self, stretch: Stretch, start: int) -> bool:
        """Tell sentences in marks from titles and scare quotes."""
        before = self._text[max(start, stretch.start - NEAR) : stretch.start].rstrip()
        begins = stretch.start == start or before[-1:] in tuple(".!?:”\"'’")
        last = self._text[stretch.start + stretch.width : stretch.end].rstrip("\"'”’» ")[-1:]
        return begins and (stretch.is_open or last in tuple(".!?…,–—-"))


def _turn(text: str, start: int, end: int) -> re.Match[str] | None:
    turn = TURN.match(text, start, end)
    # "ALI ZARI, IRAN'S MINISTER:" and "ZARI (through translator):"; "Lee, in Rome:" is none.
    has_more = turn is not None and (turn["role"] or turn["aside"])
    return turn if turn is None or not has_more or turn["label"].isupper() else None


def by_span(quotations: Sequence[Quotation], spans: Sequence[Span]) -> Iterator[list[Quotation]]:
    """Yield the quotations that each of some spans has part in; spans are in reading order.

    What stands between a quotation's parts, such as a narrator's sentence, has no part in it.
    """
    # Of two with one extent the last found comes first.
    extents = sorted(map(_Extent, reversed(quotations)), key=lambda extent: extent.span)
    stretches = ((*span, rank) for rank, each in enumerate(extents) for span in each.stretches())
    coming = sorted(stretches, reverse=True)
    open_: list[tuple[int, int, int]] = []
    for start, end in spans:
        while coming and coming[-1][0] < end:
            open_.append(coming.pop())
        open_ = [stretch for stretch in open_ if stretch[1] > start]
        near = (extents[rank] for rank in sorted({rank for _, _, rank in open_}))
        yield [extent.quotation for extent in near if extent.touches(start, end)]


class _Extent:
    """Where the parts of a quotation stand: contents, cue and source."""

    def __init__(self, quotation: Quotation) -> None:
        self.quotation = quotation
        self._contents = sorted(quotation.contents)
        self._others = [part for part in (quotation.cue, quotation.source) if part]
        self.span = _around([*self._contents, *self._others])

    def stretches(self) -> list[Span]:
        """Return where it may have part in a span; the source may stand far above the rest."""
        source = self.quotation.source
        rest = [*self._contents, *(part for part in self._others if part != source)]
        return [_around(rest), *([source] if source else [])]

    def touches(self, start: int, end: int) -> bool:
        """Whether one of the parts overlaps a span."""
        # Contents of one quotation follow each other, so only the last to begin can reach in.
        before = bisect_left(self._contents, end, key=lambda content: content[0])
        near = [*self._contents[max(0, before - 1) : before], *self._others]
        return any(first < end and last > start for first, last in near)


def _around(parts: Sequence[Span]) -> Span:
    return min(start for start, _ in parts), max(end for _, end in parts)
