"""Who is said to say, think or want what: quotations and their sources, from the parse.

Rules over spaCy's dependency trees and the quotation marks, in the manner of Krestel, Bergler &
Witte (2008); what counts as an attribution follows PolNeAR (Newell, Margolin & Ruths 2018).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from detente.document import read_document
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

    from detente.parser import Paragraph

CUES = Path(__file__).parent / "cues.yaml"

_SUBJECTS = {"nsubj", "nsubjpass", "csubj", "expl"}
_BESIDE = {"aux", "auxpass", "neg", "advmod", "npadvmod", "prep", "prt", "dobj", "dative", "mark"}
_LOOSE = {"parataxis", "ROOT", "ccomp", "conj", "advcl", "dep", "relcl"}
_VERBAL = {"VERB", "AUX"}
_HUNG = {"parataxis", "advcl", "dep", "ccomp"}
_FINITE = {"VBD", "VBZ", "VBP", "MD"}
_PAUSES = {",", "—", "–", "-", "--", ";"}
_RELATING = {"as", "for", "of", "over", "about", "to"}
_POINTS = set(".,;:!?-–—…")
_GLUE = re.compile(r"""[\s,:;.…–—-]*(?:that\s+)?""")
_NEAR = 8  # characters; punctuation and a "that" between a cue and a quotation
_RUBRICS = {"update", "exclusive", "analysis", "opinion", "video", "watch", "photos", "live"}
_TURN = re.compile(r"[“\"]?(?P<label>[A-Z][\w.'’-]*(?: [A-Z(][\w.'’)-]*){0,4}):\s+(?=\S)")
_VIEWS = {"view", "opinion", "judgment", "judgement", "estimation", "word", "eye", "mind"}
_GIVING = {
    "make",
    "give",
    "issue",
    "have",
    "express",
    "offer",
    "voice",
    "renew",
    "repeat",
    "reiterate",
}
_NAMING = {"call", "title", "entitle", "name", "dub", "brand", "label", "term", "know"}
_INHERITING = {"conj", "xcomp", "advcl", "pcomp", "prep", "ccomp", "acomp", "dep"}
_TOPICS = {"for", "on", "about", "to", "against", "of", "with", "in"}
_ADDING = {"add", "say", "note", "call", "cite", "describe", "insist", "argue", "warn", "claim"}


class Cues(BaseModel):
    """Lemmas that attribute, by what they take; see ``cues.yaml``."""

    model_config = ConfigDict(extra="forbid")

    say: frozenset[str]
    utter: frozenset[str]
    think: frozenset[str]
    intend: frozenset[str]
    urge: frozenset[str]
    judge: frozenset[str]
    particles: dict[str, frozenset[str]]
    nouns: frozenset[str]
    adjectives: frozenset[str]
    passive: frozenset[str]
    never: frozenset[str]
    persons: frozenset[str]
    male: frozenset[str]
    female: frozenset[str]
    titles: frozenset[str]
    bodies: frozenset[str]


@cache
def read_cues() -> Cues:
    """Return the word lists of ``cues.yaml``."""
    return read_document(CUES, Cues)


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
        paragraphs: its paragraphs, see `detente.parser.Parser.parse`.
    """
    marks = _Marks(text, [_extent(paragraph) for paragraph in paragraphs])
    placing = _Placing(text, paragraphs, marks)
    for paragraph in paragraphs:
        placing.add(paragraph)
    quotations = {
        (one.contents, one.source): one
        for one in (attribution.quotation(marks) for attribution in placing.attributions)
        if one.contents
    }
    return sorted(quotations.values(), key=lambda one: (one.contents, one.cue or (0, 0)))


def _extent(paragraph: Paragraph) -> Span:
    return paragraph.start, paragraph.start + len(paragraph.doc.text)


@dataclass
class _Attribution:
    """A quotation in the making; ``clause`` are the words that attribute, source and all."""

    cue: Span | None
    source: Span | None
    contents: list[Span]
    clause: Span
    nested: bool = False
    is_turn: bool = False

    def quotation(self, marks: _Marks) -> Quotation:
        contents = tuple(_union(self.contents))
        kind = marks.kind(contents)
        if self.nested or self.is_turn:
            kind = "direct" if self.is_turn else "indirect"
        return Quotation(kind, contents, self.cue, self.source)


def _union(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


# Quotation marks


@dataclass(frozen=True)
class _Stretch:
    """Words in quotation marks; ``is_open`` when its paragraph ends before its marks close."""

    start: int
    end: int
    width: int
    is_open: bool


_DOUBLE = re.compile(r"""[“”„‟«»"]|''|``""")
_SINGLE = re.compile(r"""(?<![\w.,!?])['‘](?=[^\s'’])|(?<=\S)['’](?!\w)""")
_ELIDED = re.compile(r"""['‘’](?:\d|(?:em|til|tis|twas|cause|n)\b)""", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")


class _Marks:
    """Finds the stretches of an article that stand in quotation marks; none overlap."""

    def __init__(self, text: str, paragraphs: Sequence[Span]) -> None:
        self.text = text
        doubles = len(_DOUBLE.findall(text))
        singles = len(_SINGLE.findall(text))
        opening = sum(1 for match in _SINGLE.finditer(text) if _opens(text, match))
        is_single = 2 * opening > doubles and singles > opening
        find = self._single if is_single else self._double
        self.stretches: list[_Stretch] = []
        for start, end in paragraphs:
            self.stretches.extend(find(start, end))
        self.starts = [stretch.start for stretch in self.stretches]
        self._letters = _running_count(map(str.isalnum, text))
        quoted = [0] * (len(text) + 1)
        for stretch in self.stretches:
            quoted[stretch.start : stretch.end] = [1] * (stretch.end - stretch.start)
        self._quoted = _running_count(
            bool(is_quoted) and one.isalnum() for is_quoted, one in zip(quoted, text, strict=False)
        )

    def at(self, position: int) -> int | None:
        """Return the number of the stretch that covers a character."""
        number = bisect_right(self.starts, position) - 1
        if number >= 0 and position < self.stretches[number].end:
            return number
        return None

    def between(self, start: int, end: int) -> Iterator[int]:
        """Yield the numbers of the stretches that overlap a span."""
        number = max(0, bisect_right(self.starts, start) - 1)
        while number < len(self.stretches) and self.stretches[number].start < end:
            if self.stretches[number].end > start:
                yield number
            number += 1

    def letters(self, start: int, end: int) -> int:
        """Count the letters and digits of a span, in no time."""
        return self._letters[max(start, end)] - self._letters[start]

    def kind(self, contents: Sequence[Span]) -> str:
        """Return whether contents are direct, indirect or mixed."""
        total = sum(self.letters(*span) for span in contents)
        quoted = sum(self._quoted[end] - self._quoted[start] for start, end in contents)
        return "indirect" if not quoted else "direct" if quoted == total else "mixed"

    def _double(self, start: int, end: int) -> Iterator[_Stretch]:
        opened: re.Match[str] | None = None
        for match in _DOUBLE.finditer(self.text, start, end):
            before = self.text[match.start() - 1 : match.start()]
            after = self.text[match.end() : match.end() + 1]
            at_start = match.start() == start or not before.strip() or before in "([—–-/"
            is_opening = match.group() not in "”»" and at_start and bool(after.strip())
            opens = match.group() in "“„«``" or is_opening
            if opens:
                opened = match
            elif opened is not None:
                yield _Stretch(opened.start(), match.end(), len(opened.group()), False)
                opened = None
        if opened is not None:
            yield self._unclosed(opened, start, end)

    def _single(self, start: int, end: int) -> Iterator[_Stretch]:
        matches = [
            match
            for match in _SINGLE.finditer(self.text, start, end)
            if not _ELIDED.match(self.text, match.start())
        ]
        opened: re.Match[str] | None = None
        for number, match in enumerate(matches):
            if _opens(self.text, match):
                opened = opened or match
            elif opened is not None and not self._is_apostrophe(matches, number):
                yield _Stretch(opened.start(), match.end(), 1, False)
                opened = None
        if opened is not None:
            yield self._unclosed(opened, start, end)

    def _is_apostrophe(self, matches: list[re.Match[str]], number: int) -> bool:
        """Tell "the dockers' pay" from a closing mark: another closing mark comes next."""
        place = matches[number].start()
        if self.text[place - 1 : place] not in ("s", "x", "z", "n"):
            return False
        following = matches[number + 1] if number + 1 < len(matches) else None
        return following is not None and not _opens(self.text, following)

    def _unclosed(self, opened: re.Match[str], start: int, end: int) -> _Stretch:
        """Return a stretch whose marks do not close: it goes on below or ends with its sentence."""
        width = len(opened.group())
        following = self.text[end : end + _NEAR].lstrip()[:1]
        before = self.text[start : opened.start()].rstrip()[-1:]
        if not before or (following and following in "“\"«‘'"):
            return _Stretch(opened.start(), end, width, True)
        if before in ".!?:”\"'’":
            return _Stretch(opened.start(), end, width, False)
        stop = _SENTENCE_END.search(self.text, opened.end(), end)
        return _Stretch(opened.start(), stop.end() if stop else end, width, False)


def _opens(text: str, match: re.Match[str]) -> bool:
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    if match.group() == "‘":
        return True
    return match.group() != "’" and (not before.strip() or before in '([—–-/“"')


def _running_count(flags: Iterable[bool]) -> list[int]:
    return [0, *accumulate(map(int, flags))]


# Attributions within a paragraph


class _Clauses:
    """Finds what a paragraph's verbs, nouns and adjectives attribute."""

    def __init__(self, paragraph: Paragraph, marks: _Marks) -> None:
        self._doc = paragraph.doc
        self._start = paragraph.start
        self._marks = marks
        self._cues = read_cues()
        self._children: list[list[Token]] = [[] for _ in self._doc]
        for token in self._doc:
            if token.head.i != token.i:
                self._children[token.head.i].append(token)
        self._inside = [marks.at(self._start + token.idx) for token in self._doc]
        self._finite = _running_count(token.tag_ in _FINITE for token in self._doc)
        self._ends = [token.i for token in self._doc if self._ends_content(token)]

    def attributions(self) -> Iterator[_Attribution]:
        for token in self._doc:
            if token.pos_ in _VERBAL and token.dep_ not in ("aux", "auxpass", "amod"):
                yield from self._verb(token)
            elif token.pos_ in ("NOUN", "PROPN") and token.lemma_.lower() in self._cues.nouns:
                yield from self._noun(token)
            elif token.pos_ in ("ADJ", "VERB") and token.lemma_.lower() in self._cues.adjectives:
                yield from self._adjective(token)
            if token.lower_ == "according":
                yield from self._according(token)
            elif token.lemma_.lower() in _VIEWS and token.dep_ == "pobj":
                yield from self._view(token)

    # Verbs

    def _verb(self, verb: Token) -> Iterator[_Attribution]:
        lemma = verb.lemma_.lower()
        cues = self._cues
        if verb.i and verb.nbor(-1).lower_ == "as" and verb.head.head.lemma_ == "quote":
            return  # "was quoted as saying" is one cue
        if lemma == "go" and verb.i + 1 < len(self._doc) and verb.nbor().lower_ == "on":
            lemma = "say"
        if lemma in cues.adjectives and verb.dep_ == "acomp":
            yield from self._adjective(verb)
            return
        if lemma in _NAMING and verb.tag_ == "VBN" and verb.dep_ == "acl":
            return  # "a film called “Harvest”"
        contents, cue_end = self._complements(self._quoting(verb), lemma)
        if not contents and lemma in cues.passive and self._child(verb, "nsubjpass"):
            contents = self._passive(verb)
        clause = self._clause(verb, contents)
        talks = lemma in cues.say or lemma in cues.think
        if talks and not contents:
            contents = (
                self._parenthetical(verb, clause)
                or self._amid(verb, clause)
                or self._stray(verb)
                or self._coordinated(verb)
            )
        elif talks:
            amid = self._amid(verb, clause) if clause[0] < contents[0][0] else []
            contents = amid or [*self._before(verb, clause), *contents]
        if talks or lemma in cues.utter or lemma in cues.judge:
            follows = bool(contents) and contents[0][0] >= clause[1]
            is_loose = follows and self._child(verb, "nsubj") is None  # ", adding that …"
            contents = [*contents, *self._beside(clause, after_only=is_loose)]
        if contents or (talks and self._ends_in_colon(clause)):
            yield self._attribution(verb, cue_end, self._source(verb), contents, clause)

    def _quoting(self, verb: Token) -> Token:
        """Return "saying" of "was quoted as saying", else the verb itself."""
        by = self._child(verb, "prep") if verb.lemma_ == "quote" else None
        saying = self._child(by, "pcomp") if by is not None else None
        return verb if saying is None else saying

    def _complements(self, verb: Token, lemma: str) -> tuple[list[Span], int]:
        """Return what stands to the right of a verb as its content, and where the cue ends."""
        first = last = -1
        cue_end = verb.i
        for child in self._children[verb.i]:
            if child.i < verb.i:
                continue
            if child.dep_ == "prt":
                if child.lower_ in self._cues.particles.get(lemma, ()):
                    cue_end = child.i
                elif lemma not in self._cues.say:
                    break  # "call off" is no "call"
            starts = self._content_start(verb, lemma, child)
            if child.dep_ == "prep" and first < 0 and starts >= 0:
                cue_end = child.i
            elif starts < 0 and first >= 0 and self._goes_on(lemma, child):
                starts = first
            if starts >= 0:
                first = starts if first < 0 else min(first, starts)
                last = max(last, child.right_edge.i)
        if first <= verb.i:
            return [], cue_end
        return [self._span(first, self._cut(first, last))], cue_end

    def _content_start(self, verb: Token, lemma: str, child: Token) -> int:
        """Return the token where a complement begins to be content, -1 where it is none."""
        cues = self._cues
        start = child.left_edge.i
        if child.dep_ == "ccomp":
            return start if self._takes_clause(lemma, child) else -1
        if child.dep_ in ("xcomp", "advcl") and self._is_infinitive(child):
            patient = self._child(verb, "dobj", "dative")
            if lemma in cues.urge and patient is not None and patient.i > verb.i:
                return patient.left_edge.i
            return start if lemma in cues.intend and child.dep_ == "xcomp" else -1
        if child.dep_ == "xcomp":
            takes = lemma in cues.judge or (lemma in cues.say and child.tag_ == "VBG")
            return start if takes else -1
        if child.dep_ in ("dobj", "oprd", "attr"):
            return start if lemma in cues.judge and not _is_reflexive(child) else -1
        if child.dep_ == "prep" and child.lower_ in cues.particles.get(lemma, ()):
            bodies = (one for one in self._children[child.i] if one.i > child.i)
            return next((one.left_edge.i for one in bodies), -1)
        return -1

    def _goes_on(self, lemma: str, child: Token) -> bool:
        """Tell whether content runs on: "called on both [to sign]", "hailed it [as a start]"."""
        if child.dep_ in ("xcomp", "advcl"):
            return lemma in self._cues.urge and self._is_infinitive(child)
        if child.dep_ == "prep":
            return lemma in self._cues.judge and child.lower_ in _RELATING
        return False

    def _takes_clause(self, lemma: str, clause: Token) -> bool:
        cues = self._cues
        if lemma in cues.say or lemma in cues.think:
            return True
        if lemma in cues.never:
            return False
        if self._is_infinitive(clause):
            return lemma in cues.urge or lemma in cues.intend
        marked = any(
            child.dep_ == "mark" and child.lower_ == "that" for child in self._children[clause.i]
        )
        return marked or clause.left_edge.tag_ in ("WRB", "WP", "WDT")

    def _passive(self, verb: Token) -> list[Span]:
        """Return subject and complement of "Lee is said to …"."""
        subject = self._child(verb, "nsubjpass")
        if subject is None or subject.left_edge.i > verb.i or subject.tag_ in ("WDT", "WP"):
            return []
        spans = [self._span(subject.left_edge.i, subject.right_edge.i)]
        for child in self._children[verb.i]:
            is_phrase = child.dep_ == "prep" and child.lower_ in ("as", "of", "for")
            if child.i > verb.i and (is_phrase or child.dep_ in ("xcomp", "oprd", "ccomp", "attr")):
                spans.append(self._span(child.left_edge.i, child.right_edge.i))
        return spans if len(spans) > 1 else []

    def _cut(self, first: int, last: int) -> int:
        """Return where content ends that the parser ran on beyond its end."""
        following = bisect_right(self._ends, first)
        if following < len(self._ends) and self._ends[following] <= last:
            return self._ends[following] - 1
        return last

    def _ends_content(self, token: Token) -> bool:
        """Tell ", adding that …" and "[to sign] and hailed …", which the parser runs on into."""
        if not token.i:
            return False
        before = self._doc[token.i - 1]
        if self._inside[token.i] is not None:
            return before.text == "." and self._inside[before.i] != self._inside[token.i]
        if token.tag_ == "VBG" and token.lemma_.lower() in _ADDING:
            return before.text == ","
        is_finite = token.tag_ in ("VBD", "VBZ") and token.dep_ == "conj"
        return is_finite and token.head.tag_ == "VB" and before.tag_ == "CC"

    def _clause(self, verb: Token, contents: list[Span]) -> Span:
        """Return the unbroken words around a verb that are not its content."""
        first = last = verb.i
        inside = self._inside[verb.i]
        children = self._children[verb.i]
        has_subject = False
        for child in reversed([one for one in children if one.i < verb.i]):
            if child.dep_ not in _SUBJECTS | _BESIDE or child.right_edge.i + 1 != first:
                break
            if self._inside[child.i] != inside or (has_subject and child.dep_ in _SUBJECTS):
                break
            has_subject = has_subject or child.dep_ in _SUBJECTS
            first = child.left_edge.i
        for child in (one for one in children if one.i > verb.i):
            if child.dep_ not in _SUBJECTS | _BESIDE or child.left_edge.i != last + 1:
                break
            if self._inside[child.i] != inside or self._covered(child, contents):
                break
            last = child.right_edge.i
        while first < verb.i and self._inside[first] != inside:
            first += 1
        while last > verb.i and self._inside[last] != inside:
            last -= 1
        return self._span(first, last)

    def _covered(self, token: Token, contents: list[Span]) -> bool:
        place = self._start + token.idx
        return any(start <= place < end for start, end in contents)

    def _parenthetical(self, verb: Token, clause: Span) -> list[Span]:
        """Return the words around ", X said," that are its content."""
        first, last = self._tokens(clause)
        head = verb.head if verb.dep_ in _HUNG else verb
        is_as = self._doc[first].lower_ == "as"
        if verb.dep_ not in _LOOSE or (verb.dep_ == "advcl" and not is_as):
            return []
        spans: list[Span] = []
        has_clause = head is not verb or any(
            child.i < verb.i and child.dep_ in _HUNG and child.dep_ != "advcl"
            for child in self._children[verb.i]
        )
        if has_clause and self._is_pause(first - 1):
            spans.append(self._left(verb, head.left_edge.i, first - 1))
        goes_on = head is not verb or any(
            child.dep_ == "ccomp" and child.i < verb.i and child.right_edge.i > last
            for child in self._children[verb.i]
        )
        goes_on = goes_on and (bool(spans) or is_as) and last + 2 <= head.right_edge.i
        if goes_on and self._is_pause(last + 1):
            spans.append(self._span(last + 2, head.right_edge.i))
        return spans

    def _amid(self, verb: Token, clause: Span) -> list[Span]:
        """Return what stands on both sides of ", X said," where the parse does not say."""
        first, last = self._tokens(clause)
        head = verb.head if verb.dep_ in _HUNG else verb
        left, right = head.left_edge.i, head.right_edge.i
        if not (self._is_pause(first - 1) and self._is_pause(last + 1) and verb.dep_ in _LOOSE):
            return []
        if first == verb.i or left >= first - 1 or right <= last + 2:
            return []
        following = self._doc[last + 2]
        if following.tag_ in ("WP", "WDT", "WRB", "CC", "VBG", "IN") or following.lower_ == "that":
            return []
        if self._finite[right + 1] == self._finite[last + 2]:
            return []
        right = self._cut(last + 2, right)
        return [self._left(verb, left, first - 1), self._span(last + 2, right)]

    def _left(self, verb: Token, left: int, right: int) -> Span:
        """Return what is said before a cue: without "But", or "As for that," before a quotation."""
        while left < right and self._doc[left].tag_ in ("CC", ",") and self._inside[left] is None:
            left += 1
        number = self._inside[right] if self._inside[right] is not None else self._inside[right - 1]
        if number is not None:
            for child in self._children[verb.i]:
                subject = self._child(child, "nsubj", "csubj", "nsubjpass")
                if child.dep_ == "ccomp" and subject and self._inside[subject.i] == number:
                    stretch = self._marks.stretches[number]
                    left = max(left, self._tokens((stretch.start, stretch.end))[0])
        return self._span(left, right)

    def _is_pause(self, place: int) -> bool:
        if not 0 <= place < len(self._doc):
            return False
        token = self._doc[place]
        return token.text in _PAUSES or self._is_mark(token)

    def _before(self, verb: Token, clause: Span) -> list[Span]:
        """Return the clause that comes before ", X said, …" when another comes after."""
        first = self._tokens(clause)[0]
        return [
            self._left(verb, child.left_edge.i, child.right_edge.i)
            for child in self._children[verb.i]
            if child.dep_ == "ccomp" and child.right_edge.i < first
        ]

    def _stray(self, verb: Token) -> list[Span]:
        """Return a "that" clause the parser hung on a noun: "said by telephone that …"."""
        for token in self._doc[verb.i + 1 : min(verb.right_edge.i, verb.i + _NEAR * 3) + 1]:
            clause = token.head
            if token.lower_ == "that" and clause.dep_ in ("relcl", "acl") and clause.i > token.i:
                subject = self._child(clause, "nsubj", "nsubjpass")
                if subject is not None and subject.i > token.i:
                    return [self._span(token.i, clause.right_edge.i)]
        return []

    def _coordinated(self, verb: Token) -> list[Span]:
        """Return a clause the parser took apart: "says [two million depend on it]"."""
        thing = self._child(verb, "dobj")
        for child in self._children[verb.i]:
            subject = self._child(child, "nsubj", "nsubjpass")
            is_clause = child.dep_ == "conj" and child.tag_ in _FINITE
            if is_clause and thing and subject and verb.i < thing.i < subject.i:
                return [self._span(thing.left_edge.i, child.right_edge.i)]
        return []

    def _is_mark(self, token: Token) -> bool:
        return bool(_DOUBLE.fullmatch(token.text)) or token.text in ("'", "’", "‘")

    def _beside(self, clause: Span, *, after_only: bool) -> list[Span]:
        """Return the quotations that touch a clause outside quotation marks."""
        marks = self._marks
        if marks.at(clause[0]) is not None:
            return []
        number = bisect_right(marks.starts, clause[0]) - 1
        found: list[Span] = []
        for stretch in marks.stretches[max(0, number) : number + 2]:
            precedes = not after_only and self._precedes(stretch, clause)
            if precedes or self._follows(stretch, clause):
                found.append((stretch.start, stretch.end))
        return found

    def _precedes(self, stretch: _Stretch, clause: Span) -> bool:
        if stretch.start < self._start or not 0 <= clause[0] - stretch.end <= _NEAR:
            return False
        text = self._marks.text
        # A cue follows a comma; what ends in a full stop is closed.
        is_closed = text[stretch.end - 3 : stretch.end].rstrip("\"'”’`").endswith(".")
        gap = text[stretch.end : clause[0]]
        return not (is_closed or "." in gap or self._marks.letters(stretch.end, clause[0]))

    def _follows(self, stretch: _Stretch, clause: Span) -> bool:
        if not 0 <= stretch.start - clause[1] <= _NEAR:
            return False
        gap = self._marks.text[clause[1] : stretch.start]
        return "." not in gap and "\n\n" not in gap and _GLUE.fullmatch(gap) is not None

    def _ends_in_colon(self, clause: Span) -> bool:
        last = self._start + self._doc[-1].idx
        return self._doc[-1].text == ":" and last - clause[1] < _NEAR

    # Nouns, adjectives, adjuncts

    def _noun(self, noun: Token) -> Iterator[_Attribution]:
        if noun.dep_ == "pobj" and noun.head.head.lemma_ in self._cues.say:
            return  # "said in a statement that …"
        source = self._owner(noun)
        contents = self._noun_clauses(noun)
        if not contents and source is not None:
            contents = self._noun_topic(noun) or self._noun_predicate(noun)
        if contents:
            yield self._attribution(noun, noun.i, source, contents, self._span(noun.i, noun.i))

    def _owner(self, noun: Token) -> Span | None:
        """Return whose promise it is: "Lee's", "by Lee", "Lee made a …"."""
        owner = self._child(noun, "poss")
        for child in self._children[noun.i]:
            if owner is None and child.dep_ == "prep" and child.lower_ in ("by", "from"):
                owner = self._child(child, "pobj")
        if owner is not None:
            return self._phrase(owner)
        if noun.dep_ in ("dobj", "attr") and noun.head.lemma_ in _GIVING:
            return self._source(noun.head)
        return None

    def _noun_clauses(self, noun: Token) -> list[Span]:
        found = []
        for child in self._children[noun.i]:
            if child.i > noun.i and child.dep_ in ("acl", "ccomp", "relcl", "xcomp"):
                first = child.left_edge
                has_that = first.lower_ == "that" and first.dep_ == "mark"
                if has_that or self._is_infinitive(child):
                    found.append(self._span(first.i, child.right_edge.i))
        return found

    def _noun_topic(self, noun: Token) -> list[Span]:
        for child in self._children[noun.i]:
            body = self._child(child, "pobj", "pcomp")
            if child.dep_ == "prep" and child.lower_ in _TOPICS and body is not None:
                return [self._span(body.left_edge.i, child.right_edge.i)]
        return []

    def _noun_predicate(self, noun: Token) -> list[Span]:
        if noun.dep_ != "nsubj" or noun.head.lemma_ != "be":
            return []
        return [
            self._span(child.left_edge.i, child.right_edge.i)
            for child in self._children[noun.head.i]
            if child.i > noun.head.i and child.dep_ in ("ccomp", "xcomp")
        ]

    def _adjective(self, adjective: Token) -> Iterator[_Attribution]:
        cue_end, contents = self._adjective_contents(adjective)
        head = adjective.head
        source = None
        if adjective.dep_ in ("acomp", "conj", "oprd") and head.pos_ in _VERBAL:
            source = self._source(head)
        elif adjective.dep_ in ("amod", "acl", "relcl") and head.i < adjective.i:
            source = self._phrase(head, before=adjective.i)
        if contents and source:
            clause = self._span(adjective.i, cue_end)
            yield self._attribution(adjective, cue_end, source, contents, clause)

    def _adjective_contents(self, adjective: Token) -> tuple[int, list[Span]]:
        cue_end = adjective.i
        contents: list[Span] = []
        for child in self._children[adjective.i]:
            if child.i < adjective.i:
                continue
            body = self._child(child, "pobj", "pcomp")
            if child.dep_ in ("ccomp", "xcomp"):
                contents = [self._span(child.left_edge.i, child.right_edge.i)]
            elif child.dep_ == "prep" and child.lower_ in _TOPICS and body and not contents:
                cue_end = child.i
                contents = [self._span(body.left_edge.i, child.right_edge.i)]
        return cue_end, contents

    def _according(self, token: Token) -> Iterator[_Attribution]:
        to = next((one for one in self._children[token.i] if one.lower_ == "to"), None)
        if to is None and token.i + 1 < len(self._doc) and self._doc[token.i + 1].lower_ == "to":
            to = self._doc[token.i + 1]
        source = next((one for one in self._children[to.i] if one.i > to.i), None) if to else None
        if to is None or source is None:
            return
        contents = self._around(token, source.right_edge.i)
        clause = self._span(token.i, source.right_edge.i)
        if contents:
            yield self._attribution(token, to.i, self._phrase(source), contents, clause)

    def _view(self, noun: Token) -> Iterator[_Attribution]:
        preposition, owner = noun.head, self._child(noun, "poss")
        of = self._child(noun, "prep")
        if owner is None and of is not None and of.lower_ == "of":
            owner = self._child(of, "pobj")
        if preposition.lower_ not in ("in", "to", "by") or owner is None:
            return
        last = max(noun.i, owner.right_edge.i)
        contents = self._around(preposition, last)
        if contents:
            clause = self._span(preposition.i, last)
            yield self._attribution(noun, noun.i, self._phrase(owner), contents, clause)

    def _around(self, first: Token, last: int) -> list[Span]:
        """Return the sentence around an adjunct."""
        head = first.head
        for _ in range(_NEAR):
            if (head.pos_ in _VERBAL and head.dep_ != "conj") or head.head.i == head.i:
                break
            head = head.head
        left, right = head.left_edge.i, head.right_edge.i
        spans = []
        if left < first.i:
            spans.append(self._span(left, first.i - 1))
        if right > last:
            spans.append(self._span(last + 1, self._cut(last + 1, right)))
        return [span for span in spans if span[0] < span[1]]

    # Sources

    def _source(self, verb: Token) -> Span | None:
        if verb.lemma_ == "quote" and (quoted := self._child(verb, "nsubjpass")) is not None:
            return self._phrase(quoted, verb)
        agent = self._child(verb, "agent")
        if agent is not None:
            by = next((one for one in self._children[agent.i] if one.dep_ == "pobj"), None)
            return self._phrase(by) if by is not None else None
        subject = self._subject(verb)
        return self._phrase(subject, verb) if subject is not None else None

    def _subject(self, verb: Token) -> Token | None:
        """Return the head of who says it, also where "adding" or "to say" leaves it out."""
        token = verb
        for _ in range(_NEAR):
            subjects = [one for one in self._children[token.i] if one.dep_ in ("nsubj", "csubj")]
            if subjects:
                return min(subjects, key=lambda one: abs(one.i - token.i))
            if self._child(token, "nsubjpass") is not None:
                return self._child(token, "nsubjpass") if token is not verb else None
            if token is verb and token.tag_ == "VBN" and token.dep_ == "advcl":
                return None  # "Asked whether …, he said"
            if token.dep_ in ("acl", "relcl"):
                return token.head if token.tag_ != "VBN" or token is not verb else None
            if token.dep_ not in _INHERITING:
                return None
            token = token.head
        return None

    def _phrase(self, head: Token, verb: Token | None = None, before: int | None = None) -> Span:
        """Return the noun phrase around its head, without what the verb itself adds to it."""
        first, last = head.left_edge.i, head.right_edge.i
        if verb is not None and head.i < verb.i <= last:
            last = min(verb.i - 1, last)
            for child in self._children[head.i]:
                if child.i > head.i and child.left_edge.i <= verb.i <= child.right_edge.i:
                    last = min(last, child.left_edge.i - 1)
        if before is not None:
            last = min(last, before - 1)
        while last > head.i and (
            self._doc[last].is_punct or self._doc[last].is_space or self._doc[last].tag_ == "POS"
        ):
            last -= 1
        inside = self._inside[head.i]
        while first < head.i and (self._inside[first] != inside or self._doc[first].is_space):
            first += 1
        return self._span(first, max(last, head.i))

    # Pieces

    def _attribution(
        self, cue: Token, cue_end: int, source: Span | None, contents: list[Span], clause: Span
    ) -> _Attribution:
        number = self._inside[cue.i]
        first, last = cue.i, max(cue.i, cue_end)
        span = self._span(first, last)
        if number is None:
            spans = [self._widen(one) for one in contents]
        else:
            stretch = self._marks.stretches[number]
            low, high = stretch.start + stretch.width, stretch.end
            spans = [(max(one[0], low), min(one[1], high)) for one in contents]
        spans = [self._strip(*one) for one in spans]
        return _Attribution(
            span,
            source,
            [one for one in spans if self._marks.letters(*one)],
            clause,
            number is not None,
        )

    def _widen(self, span: Span) -> Span:
        start, end = span
        for place in (start, end - 1):
            number = self._marks.at(place)
            if number is not None:
                stretch = self._marks.stretches[number]
                start, end = min(start, stretch.start), max(end, stretch.end)
        following = self._marks.at(end + 1)
        is_apart = (
            self._marks.text[end - 1 : end] in ".!?" or self._marks.text[end : end + 1] != " "
        )
        if following is not None and not is_apart:
            stretch = self._marks.stretches[following]  # "calm “on the ground”"
            end = stretch.end if stretch.start == end + 1 else end
        return start, end

    def _strip(self, start: int, end: int) -> Span:
        text = self._marks.text
        while start < end and (text[start].isspace() or text[start] in _POINTS):
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if self._marks.at(end - 1) is None:
            while (
                start < end
                and (text[end - 1].isspace() or text[end - 1] in _POINTS)
                and not self._is_abbreviation(end - 1)
            ):
                end -= 1
        return start, end

    def _is_abbreviation(self, place: int) -> bool:
        text = self._marks.text
        return (
            text[place] == "."
            and text[place - 2 : place - 1] in (".", " ")
            and text[place - 1].isupper()
        )

    def _span(self, first: int, last: int) -> Span:
        tokens = self._doc
        return self._start + tokens[first].idx, self._start + tokens[last].idx + len(tokens[last])

    def _tokens(self, span: Span) -> tuple[int, int]:
        start, end = span[0] - self._start, span[1] - self._start
        found = self._doc.char_span(start, end, alignment_mode="expand")
        assert found is not None
        return found.start, found.end - 1

    def _child(self, token: Token, *deps: str) -> Token | None:
        return next((child for child in self._children[token.i] if child.dep_ in deps), None)

    def _is_infinitive(self, verb: Token) -> bool:
        return any(child.dep_ == "aux" and child.lower_ == "to" for child in self._children[verb.i])


def _is_reflexive(token: Token) -> bool:
    return token.lower_.endswith(("self", "selves"))


# Quotations by their place


class _Placing:
    """Gives the quotations without a cue of their own to whoever spoke last."""

    def __init__(self, text: str, paragraphs: Sequence[Paragraph], marks: _Marks) -> None:
        self._text = text
        self._marks = marks
        self.attributions: list[_Attribution] = []
        self._previous: _Attribution | None = None  # the last spoken outside marks
        self._waiting: _Attribution | None = None  # "He added:" at a paragraph's end
        self._label: Span | None = None  # whose turn it is in a transcript
        turns = [_turn(text, *_extent(paragraph)) for paragraph in paragraphs]
        labels = [turn.group("label") for turn in turns if turn is not None]
        self._top = paragraphs[0].start if paragraphs else 0
        self._is_transcript = len(labels) >= 3 and 4 * len(labels) >= len(paragraphs)
        # A single "NEW DELHI:" is a dateline.
        self._has_turns = sum(map(str.isupper, labels)) >= 2 or not {"Q", "A"}.isdisjoint(labels)

    def add(self, paragraph: Paragraph) -> None:
        start, end = _extent(paragraph)
        found = list(_Clauses(paragraph, self._marks).attributions())
        self.attributions.extend(found)
        if self._turn(start, end) or self._continues_turn(start, end):
            return
        outer = sorted((one for one in found if not one.nested), key=lambda one: one.clause[::-1])
        owners = self._owners(outer)
        if self._waiting is not None:
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

    def _owners(self, outer: list[_Attribution]) -> dict[int, _Attribution]:
        """Return to whom each quotation that has a cue belongs."""
        owners: dict[int, _Attribution] = {}
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
        label = turn.span("label")
        said = _Attribution(None, label, [(turn.end(), end)], label, is_turn=is_turn)
        self.attributions.append(said)
        self._previous = None
        self._waiting = None
        self._label = label if is_turn else None
        return True

    def _continues_turn(self, start: int, end: int) -> bool:
        has_marks = next(self._marks.between(start, end), None) is not None
        if self._label is None or not self._is_transcript or has_marks:
            return False
        said = _Attribution(None, self._label, [(start, end)], (start, start), is_turn=True)
        self.attributions.append(said)
        return True

    def _trace_back(self, start: int, owners: dict[int, _Attribution]) -> None:
        """Give paragraphs of an open quotation to the speaker who is named only at its end."""
        number = self._marks.at(start)
        owner = owners.get(number) if number else None
        said = self._previous
        if not number or owner is None or said is None or said.cue or said.source:
            return
        if self._marks.stretches[number - 1].is_open:
            owner.contents = [*said.contents, *owner.contents]
            said.contents = []

    def _deliver(self, start: int, end: int, owners: dict[int, _Attribution]) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        number = next(iter(self._marks.between(start, start + 1)), None)
        if number is None:
            waiting.contents.append((start, end))
            return
        if number not in owners:
            stretch = self._marks.stretches[number]
            waiting.contents.append((stretch.start, stretch.end))
            owners[number] = waiting

    def _place(
        self, number: int, start: int, outer: list[_Attribution], owners: dict[int, _Attribution]
    ) -> None:
        """Give a quotation without a cue to whom it continues, or to whoever spoke last."""
        stretch = self._marks.stretches[number]
        span = (stretch.start, stretch.end)
        earlier = self._marks.stretches[number - 1] if number else None
        if stretch.start == start and earlier is not None and earlier.is_open and self._previous:
            self._previous.contents.append(span)
            owners[number] = self._previous
            return
        before = bisect_right(outer, stretch.start, key=lambda one: one.clause[1])
        last = outer[before - 1] if before else None
        if last is not None and owners.get(number - 1) is last and self._adjoins(last, stretch):
            last.contents.append(span)
            owners[number] = last
        elif self._reads_as_speech(stretch, start):
            speaker = last or self._previous
            source = speaker.source if speaker else None
            placed = _Attribution(None, source, [span], (stretch.start, stretch.start))
            self.attributions.append(placed)
            owners[number] = placed

    def _adjoins(self, attribution: _Attribution, stretch: _Stretch) -> bool:
        end = attribution.clause[1]
        return stretch.start - end <= _NEAR and not self._marks.letters(end, stretch.start)

    def _reads_as_speech(self, stretch: _Stretch, start: int) -> bool:
        """Tell sentences in marks from titles and scare quotes."""
        before = self._text[max(start, stretch.start - _NEAR) : stretch.start].rstrip()
        begins = stretch.start == start or before[-1:] in tuple(".!?:”\"'’")
        last = self._text[stretch.start + stretch.width : stretch.end].rstrip("\"'”’» ")[-1:]
        return begins and (stretch.is_open or last in tuple(".!?…,–—-"))


def _turn(text: str, start: int, end: int) -> re.Match[str] | None:
    return _TURN.match(text, start, end)
