"""Where an article's statements begin and end."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import sentencex

from detente.typography import CAPITALS, flatten

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n]*")
_WRAP_LIMIT = 100  # characters; longer lines are paragraphs of their own
_LONGEST = 50_000  # characters of a paragraph: parsing takes some 5 KB of memory for each
_CLOSES = re.compile(r"""[.!?:]["'”’)\]]*$""")
_CLOSES_WITHIN = re.compile(r"""[.!?]["'”’)\]]*\s""")
# But "resolution no. A/RES/181" and "flight no. MH17" are no answer.
_NO = re.compile(r"""\bno\.["”)]*\s+(?=["“(]*(?:[A-Z](?:[a-z’']|\.[A-Z])|[IA]\s))""")
# "at 5 p.m. Friday" is one sentence still.
_HOUR = re.compile(r"\b[ap]\.m\.\s*\Z", re.IGNORECASE)
_DAY = re.compile(
    r"\s*(?:on )?(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|GMT|local|[ECMP][SD]T)\b"
)
_CONTINUES = re.compile(r"[a-z,;)]")
_ITEM = re.compile(r"(?:[-*•▪–—]|\(?(?:\d{1,2}|[a-z])[.)])[ \t]+\S")
# What a transcript puts before what is said: "Q:", "MS. TAMM, MINISTER:", "LEE (in Rome):".
TURN = re.compile(
    rf"[“\"]?(?P<label>[{CAPITALS}][\w.'’-]*(?: [{CAPITALS}(][\w.'’)-]*){{0,4}})"
    r"(?P<role>,[^:!?\n]{2,80})?(?P<aside> \([^():\n]{2,40}\))?:\s+(?=\S)"
)


def split_statements(text: str) -> list[Span]:
    """Return the ``(start, end)`` of every statement, in order.

    A statement is a sentence; a quotation of several sentences stays whole when its marks are
    balanced within the paragraph. Lines that were wrapped in mid-sentence are read as one
    paragraph. Spans index ``text`` as given and carry no outer white space.
    """
    spans: list[Span] = []
    for start, end in split_paragraphs(text):
        spans.extend(_sentences(flatten(text[start:end]), start))
    return spans


def split_paragraphs(text: str) -> list[Span]:
    """Return the ``(start, end)`` of every paragraph, wrapped lines joined.

    One of more than 50,000 characters is cut between two sentences, or else between two words.
    """
    lines = [match.span() for match in _LINE.finditer(text) if match.group().strip()]
    width = _wrap_width(text, lines)
    paragraphs: list[Span] = []
    previous = (0, 0)
    for start, end in lines:
        if paragraphs and _joins(text, paragraphs[-1][0], previous, (start, end), width):
            paragraphs[-1] = (paragraphs[-1][0], end)
        else:
            paragraphs.append((start, end))
        previous = (start, end)
    return [piece for paragraph in paragraphs for piece in _pieces(text, *paragraph)]


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    while end - start > _LONGEST:
        piece = flatten(text[start : start + _LONGEST])
        sentences = _sentences(piece, start)
        words = piece.rfind(" ") + 1 or _LONGEST
        cut = sentences[-1][0] if len(sentences) > 1 else start + words
        if text[start:cut].strip():
            yield start, cut
        start = cut
    yield start, end


def _sentences(flat: str, offset: int) -> list[Span]:
    spans: list[Span] = []
    for begin, stop in _boundaries(flat):
        piece = flat[begin:stop]
        start = offset + begin + len(piece) - len(piece.lstrip())
        end = offset + begin + len(piece.rstrip())
        glued = not flat.endswith(" ", 0, begin)
        if spans and (glued or _CONTINUES.match(piece.lstrip())):
            spans[-1] = (spans[-1][0], end)
        elif any(character.isalnum() for character in piece):
            spans.append((start, end))
        elif spans and start < end:
            spans[-1] = (spans[-1][0], end)
    return spans


def _boundaries(flat: str) -> list[Span]:
    found: list[Span] = []
    for boundary in sentencex.get_sentence_boundaries("en", flat):
        start, end = boundary["start_index"], boundary["end_index"]
        if found and _HOUR.search(flat, max(0, start - 8), start) and _DAY.match(flat, start):
            start, _ = found.pop()
        # "no." is taken for the abbreviation of number, yet here it is mostly the answer.
        for refusal in _NO.finditer(flat, start, end):
            if _quotes_balance(flat[start : refusal.end()]):
                found.append((start, refusal.end()))
                start = refusal.end()
        found.append((start, end))
    return found


def _quotes_balance(text: str) -> bool:
    return text.count('"') % 2 == 0 and text.count("“") == text.count("”")


def _wrap_width(text: str, lines: list[Span]) -> int | None:
    """Return the width the text was wrapped to, or None when each line is a paragraph."""
    followed = [
        end - start
        for (start, end), (following, _) in itertools.pairwise(lines)
        if not _blank_between(text, end, following)
    ]
    short = [length for length in followed if length <= _WRAP_LIMIT]
    if len(short) <= 0.8 * len(followed):
        return None
    width = max(short)
    full = [length for length in short if length > 0.7 * width]
    return width if 2 * len(full) > len(short) else None


def _joins(text: str, first: int, previous: Span, line: Span, width: int | None) -> bool:
    """Whether a line goes on with the paragraph that begins at ``first``."""
    if _blank_between(text, previous[1], line[0]):
        return False
    following = text[line[0] : line[1]].lstrip()
    if any(mark.match(text, first) and mark.match(following) for mark in (_ITEM, TURN)):
        return False
    if _CONTINUES.match(following):
        return True
    if width is None:
        return False
    before = text[previous[0] : previous[1]].rstrip()
    last_line = before.splitlines()[-1]
    is_first = first == previous[0] and last_line == before
    if not _CLOSES.search(last_line) and (not is_first or _CLOSES_WITHIN.search(last_line)):
        return True  # in mid-sentence; a headline, in contrast, is one line without a full stop
    # A line was wrapped if the next line's first word would not have fitted on it.
    return len(last_line) + 1 + len(following.split()[0]) > width


def _blank_between(text: str, end: int, start: int) -> bool:
    return len(text[end:start].replace("\r\n", "\n").strip(" \t")) > 1
