"""Where an article's statements begin and end."""

from __future__ import annotations

import itertools
import re

import sentencex

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n]*")
_WRAP_LIMIT = 100  # characters; longer lines are paragraphs of their own
_CLOSES = re.compile(r"""[.!?:]["'”’)\]]*$""")
_CLOSES_WITHIN = re.compile(r"""[.!?]["'”’)\]]*\s""")
_NO = re.compile(r"""\bno\.["”)]*\s+(?=["“(]*[A-Z])""")
_CONTINUES = re.compile(r"[a-z,;)]")


def split_statements(text: str) -> list[Span]:
    """Return the ``(start, end)`` of every statement, in order.

    A statement is a sentence; a quotation of several sentences stays whole when its marks are
    balanced within the paragraph. Lines that were wrapped in mid-sentence are read as one
    paragraph. Spans index ``text`` as given and carry no outer white space.
    """
    spans: list[Span] = []
    for start, end in split_paragraphs(text):
        flat = text[start:end].replace("\r", " ").replace("\n", " ")
        spans.extend(_sentences(flat, start))
    return spans


def split_paragraphs(text: str) -> list[Span]:
    """Return the ``(start, end)`` of every paragraph, wrapped lines joined."""
    lines = [match.span() for match in _LINE.finditer(text) if match.group().strip()]
    width = _wrap_width(text, lines)
    paragraphs: list[Span] = []
    for start, end in lines:
        if paragraphs and _joins(text, paragraphs[-1], (start, end), width):
            paragraphs[-1] = (paragraphs[-1][0], end)
        else:
            paragraphs.append((start, end))
    return paragraphs


def _sentences(flat: str, offset: int) -> list[Span]:
    spans: list[Span] = []
    for begin, stop in _boundaries(flat):
        piece = flat[begin:stop]
        start = offset + begin + len(piece) - len(piece.lstrip())
        end = offset + begin + len(piece.rstrip())
        glued = not flat[:begin].endswith(" ")
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
    full = [length for length in short if length > 0.7 * max(short)]
    return max(short) if 2 * len(full) > len(short) else None


def _joins(text: str, paragraph: Span, line: Span, width: int | None) -> bool:
    if _blank_between(text, paragraph[1], line[0]):
        return False
    following = text[line[0] : line[1]].lstrip()
    if _CONTINUES.match(following):
        return True
    if width is None:
        return False
    so_far = text[paragraph[0] : paragraph[1]].rstrip()
    last_line = so_far.splitlines()[-1]
    if not _CLOSES.search(last_line) and (last_line != so_far or _CLOSES_WITHIN.search(so_far)):
        return True  # in mid-sentence; a headline, in contrast, is one line without a full stop
    # A line was wrapped if the next line's first word would not have fitted on it.
    return len(last_line) + 1 + len(following.split()[0]) > width


def _blank_between(text: str, end: int, start: int) -> bool:
    return len(text[end:start].replace("\r\n", "\n").strip(" \t")) > 1
