"""Casing: lines in capitals, headlines, and the capitalised words in a row that make up names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from detente.parties.lexicon import CALENDAR, OPENERS
from detente.typography import CAPITALS, SMALL, flatten, straighten

Span = tuple[int, int]

_FIRST_WORD = re.compile(r"\w+")
_LOUD_LINE = re.compile(rf"(?m)^[^{SMALL}\n]{{6,}}$")
_HEADLINE = 200
_STOPS = tuple(".?!,;:\"'")
_NAME = (
    r"(?:(?:Ltd|Corp|Inc|Co|Bros|St|[A-Z](?:\.[A-Z])*)\.|plc\b"
    rf"|[{CAPITALS}][\w&-]*(?:['’](?!s\b)\w+)*)"
)
_CAPITALISED = re.compile(rf"(?<!\w)(?<!\w\.)({_NAME})(['’]s?(?= ))?")
_BREAK = (".", "!", "?", ":", ";")
# "the Oslo-based Fjordland Bank" is Fjordland Bank.
_SAYS_WHERE = re.compile(r"-(?:based|born|registered|listed)$")
_PLURALS = ("People", "Children", "Lord", "Mother", "Men", "men")


class Word(NamedTuple):
    """A capitalised word; ``joins`` says that it goes on with the name of the word before it.

    ``key`` is the word less a full stop; ``initial`` says that it opens a sentence.
    """

    text: str
    key: str
    start: int
    end: int
    possessive: bool
    initial: bool
    joins: bool


class Run(NamedTuple):
    """Capitalised words in a row, those of them that make up a name, and the next such row."""

    printed: list[Word]
    words: list[Word]
    following: list[Word]


class Page:
    """A text with its capitalised words.

    ``flat`` is the text on one line with straight quotation marks; ``headline`` says of every
    character whether capitals say nothing there; ``rows`` are the capitalised words in a row,
    ``runs`` those of them that are in no headline.
    """

    def __init__(self, text: str) -> None:
        text = straighten(text)
        self.flat = flatten(text)
        self.headline = _headlines(text)
        self.rows = _rows(_capitalised(text, self.flat), self.headline)
        plain = [row for row in self.rows if not self.headline[row[0].start]]
        self.runs = [
            Run(row, _without_openers(row), following)
            for row, following in zip(plain, [*plain[1:], []], strict=False)
        ]


def first_word(text: str, position: int = 0) -> str:
    """Return the word that starts at a position, empty if none does."""
    match = _FIRST_WORD.match(text, position)
    return match.group() if match else ""


def stands_at(name: str, flat: str, position: int) -> bool:
    """Whether a name starts at a position and ends with a word."""
    end = position + len(name)
    return flat.startswith(name, position) and not (
        flat[end : end + 1].isalnum() and name[-1].isalnum()
    )


def passages(
    text: str, start: int, stop: int, datelines: Iterable[Span]
) -> Iterator[tuple[int, int, bool]]:
    """Yield stretches of a text with whether their names are printed in capitals throughout.

    Such are lines in capitals, and datelines that open with them: "CAIRO, 2 June (MENA) -".
    """
    position = start
    opened = (span for span in datelines if first_word(text, span[0]).isupper())
    for first, last in sorted({*loud_lines(text), *opened}):
        begin, end = max(first, position), min(last, stop)
        if begin >= end:
            continue
        yield position, begin, False
        yield begin, end, True
        position = end
    yield position, stop, False


def loud_lines(text: str) -> Iterator[Span]:
    """Yield the extents of lines of several words that are printed in capitals throughout."""
    for match in _LOUD_LINE.finditer(text):
        if match.group().isupper() and " " in match.group().strip():
            yield match.span()


def in_title(text: str, position: int) -> bool:
    """Whether a line is printed As Headlines Are, so that capitals say nothing."""
    begin = text.rfind("\n", max(0, position - _HEADLINE), position) + 1
    end = text.find("\n", position, begin + _HEADLINE)
    line = text[begin : end if end >= 0 else begin + _HEADLINE].strip()
    if (
        (not begin and position > _HEADLINE)
        or not line[:1].isupper()
        or len(line) >= _HEADLINE
        or line.endswith(_STOPS)
    ):
        return False
    long = [word for word in re.findall(r"[^\W\d_][\w'’-]*", line) if len(word) > 3]
    return len(long) > 2 and sum(word[0].isupper() for word in long) >= 0.75 * len(long)


def _headlines(text: str) -> bytearray:
    """Return for every character whether its line is printed in capitals or As Headlines Are."""
    marks = bytearray(len(text))
    position = 0
    for line in text.splitlines(keepends=True):
        if line.isupper() or in_title(line.strip(), 0):
            marks[position : position + len(line)] = b"\1" * len(line)
        position += len(line)
    return marks


def _capitalised(text: str, flat: str) -> Iterator[Word]:
    end, apart = -9, True
    for match in _CAPITALISED.finditer(flat):
        word, start = match.group(1), match.start()
        joins = not apart and flat[end:start] in (" ", " & ")
        mark = match.group(2) or ""
        # Tarsa does not belong to the name in "Tarsa's Front"; it does in "the People's Front".
        plural = word.endswith(_PLURALS) or (word[-1] == "s" and mark[1:] != "s")
        apart = bool(mark) and not plural
        end = match.end()
        initial = not joins and _opens_sentence(text, start)
        yield Word(word, word.rstrip("."), start, match.end(1), apart, initial, joins)


def _opens_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 4) : start]
    bare = before.rstrip(" \t\n\"'(")
    return not bare or bare.endswith(_BREAK) or "\n\n" in before


def _rows(words: Iterable[Word], headline: bytearray) -> list[list[Word]]:
    rows: list[list[Word]] = []
    for word in words:
        if word.joins and headline[word.start] == headline[rows[-1][0].start]:
            rows[-1].append(word)
        else:
            rows.append([word])
    return rows


def _tells_a_day(words: Sequence[Word]) -> bool:
    """Whether the first of some words is of the calendar; Jan is not in "Jan Holt"."""
    is_first_name = words[0].text == "Jan" and len(words) > 1
    return words[0].key in CALENDAR and not is_first_name


def _without_openers(run: list[Word]) -> list[Word]:
    """Return a run less the words that have their capital from the sentence they open."""
    first = 0
    while first < len(run) and run[first].key in OPENERS:
        is_article = run[first].key == "The"  # which some print so in mid-sentence, too
        if not (run[0].initial or is_article):
            break
        first += 1
        if is_article:
            break
    while first < len(run) and (_tells_a_day(run[first:]) or _SAYS_WHERE.search(run[first].key)):
        first += 1
    return run[first:]
