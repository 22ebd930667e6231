"""Quotation marks: the stretches of an article that stand in them."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from detente.statements import Span

NEAR = 8  # characters; punctuation and a "that" between a cue and a quotation

_DOUBLE = re.compile(r"""[“”„‟«»"]|''|``""")
_SINGLE = re.compile(r"""(?<![\w.,!?])['‘](?=[^\s'’])|(?<=\S)['’](?!\w)""")
_ELIDED = re.compile(r"""['‘’](?:\d|(?:em|til|tis|twas|cause|n)\b)""", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_POINTS = set(".,;:!?-–—…")
_GLUE = re.compile(r"""[\s,:;.…–—-]*(?:that\s+)?""")


@dataclass(frozen=True)
class Stretch:
    """Words in quotation marks; ``is_open`` when its paragraph ends before its marks close.

    ``width`` is how many characters the opening mark has.
    """

    start: int
    end: int
    width: int
    is_open: bool

    @property
    def span(self) -> Span:
        """Its offsets in the article, marks included."""
        return self.start, self.end


class Marks:
    """Finds the stretches of an article that stand in quotation marks; none overlap.

    Args:
        text: the article.
        paragraphs: the offsets of its paragraphs.
    """

    def __init__(self, text: str, paragraphs: Sequence[Span]) -> None:
        self.text = text
        find = self._single if _is_single(text) else self._double
        self.stretches = [stretch for span in paragraphs for stretch in find(*span)]
        self._starts = [stretch.start for stretch in self.stretches]
        self._letters = running_count(map(str.isalnum, text))
        quoted = bytearray(len(text))
        for start, end in (stretch.span for stretch in self.stretches):
            quoted[start:end] = map(str.isalnum, text[start:end])
        self._quoted = running_count(quoted)

    def at(self, position: int) -> int | None:
        """Return the number of the stretch that covers a character."""
        number = bisect_right(self._starts, position) - 1
        if number >= 0 and position < self.stretches[number].end:
            return number
        return None

    def between(self, start: int, end: int) -> Iterator[int]:
        """Yield the numbers of the stretches that overlap a span."""
        number = max(0, bisect_right(self._starts, start) - 1)
        while number < len(self.stretches) and self.stretches[number].start < end:
            if self.stretches[number].end > start:
                yield number
            number += 1

    def beside(self, clause: Span, start: int, *, after_only: bool) -> list[Span]:
        """Return the stretches that touch a clause.

        Args:
            clause: the offsets of who says it and the verb.
            start: where its paragraph begins.
            after_only: leave out what stands before the clause.
        """
        number = bisect_right(self._starts, clause[0]) - 1
        return [
            stretch.span
            for stretch in self.stretches[max(0, number) : number + 2]
            if (not after_only and stretch.start >= start and self._precedes(stretch, clause))
            or self._follows(stretch, clause)
        ]

    def letters(self, start: int, end: int) -> int:
        """Count the letters and digits of a span, in no time."""
        return self._letters[max(start, end)] - self._letters[start]

    def kind(self, contents: Sequence[Span]) -> str:
        """Return whether contents are direct, indirect or mixed."""
        total = sum(self.letters(*span) for span in contents)
        quoted = sum(self._quoted[end] - self._quoted[start] for start, end in contents)
        return "indirect" if not quoted else "direct" if quoted == total else "mixed"

    def widen(self, start: int, end: int) -> Span:
        """Return a span out to the marks of the stretches that it begins or ends in."""
        for place in (start, end - 1):
            number = self.at(place)
            if number is not None:
                stretch = self.stretches[number]
                start, end = min(start, stretch.start), max(end, stretch.end)
        following = self.at(end + 1)
        is_apart = self.text[end - 1 : end] in ".!?" or self.text[end : end + 1] != " "
        if following is not None and not is_apart:
            stretch = self.stretches[following]  # "calm “on the ground”"
            end = stretch.end if stretch.start == end + 1 else end
        return start, end

    def strip(self, start: int, end: int) -> Span:
        """Return a span without the space and, outside of marks, the points at its ends."""
        text = self.text
        while start < end and (text[start].isspace() or text[start] in _POINTS):
            start += 1
        while start < end and self._is_loose(end - 1):
            end -= 1
        return start, end

    def _is_loose(self, place: int) -> bool:
        """Tell space and the points that end a sentence from the point of "U.S."."""
        text = self.text
        if text[place].isspace():
            return True
        is_abbreviation = text[place] == "." and text[place - 2 : place - 1] in (".", " ")
        return text[place] in _POINTS and not is_abbreviation and self.at(place) is None

    def _precedes(self, stretch: Stretch, clause: Span) -> bool:
        if not 0 <= clause[0] - stretch.end <= NEAR:
            return False
        # A cue follows a comma; what ends in a full stop is closed.
        is_closed = self.text[stretch.end - 3 : stretch.end].rstrip("\"'”’`").endswith(".")
        gap = self.text[stretch.end : clause[0]]
        return not (is_closed or "." in gap or self.letters(stretch.end, clause[0]))

    def _follows(self, stretch: Stretch, clause: Span) -> bool:
        if not 0 <= stretch.start - clause[1] <= NEAR:
            return False
        gap = self.text[clause[1] : stretch.start]
        return "." not in gap and "\n\n" not in gap and _GLUE.fullmatch(gap) is not None

    # Reading the marks

    def _double(self, start: int, end: int) -> Iterator[Stretch]:
        opened: re.Match[str] | None = None
        for match in _DOUBLE.finditer(self.text, start, end):
            before = self.text[match.start() - 1 : match.start()]
            after = self.text[match.end() : match.end() + 1]
            at_start = not before.strip() or before in "([—–-/"
            is_opening = match.group() not in "”»" and at_start and bool(after.strip())
            if match.group() in "“„«``" or is_opening:
                opened = match
            elif opened is not None:
                yield Stretch(opened.start(), match.end(), len(opened.group()), False)
                opened = None
        if opened is not None:
            yield self._unclosed(opened, start, end)

    def _single(self, start: int, end: int) -> Iterator[Stretch]:
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
                yield Stretch(opened.start(), match.end(), 1, False)
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

    def _unclosed(self, opened: re.Match[str], start: int, end: int) -> Stretch:
        """Return a stretch whose marks do not close: it goes on below or ends with its sentence."""
        width = len(opened.group())
        following = self.text[end : end + NEAR].lstrip()[:1]
        before = self.text[start : opened.start()].rstrip()[-1:]
        if not before or (following and following in "“\"«‘'"):
            return Stretch(opened.start(), end, width, True)
        if before in ".!?:”\"'’":
            return Stretch(opened.start(), end, width, False)
        stop = _SENTENCE_END.search(self.text, opened.end(), end)
        return Stretch(opened.start(), stop.end() if stop else end, width, False)


def is_mark(text: str) -> bool:
    """Tell whether a token is a quotation mark."""
    return bool(_DOUBLE.fullmatch(text)) or text in ("'", "’", "‘")


def running_count(flags: Iterable[int]) -> Sequence[int]:
    """Return how many flags are set before each place, 0 first; four bytes each."""
    return array("I", accumulate(flags, initial=0))


def _is_single(text: str) -> bool:
    """Tell whether an article quotes in single marks."""
    singles = list(_SINGLE.finditer(text))
    opening = sum(_opens(text, match) for match in singles)
    return 2 * opening > len(_DOUBLE.findall(text)) and len(singles) > opening


def _opens(text: str, match: re.Match[str]) -> bool:
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    return match.group() == "‘" or not before.strip() or before in '([—–-/“"'
