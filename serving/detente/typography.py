"""Typography: line ends, spaces and quotation marks, which differ where files say the same."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right

# Latin letters, as they stand between the brackets of a regular expression: also those of names
# such as Škoda and Łódź.
_LATIN = [chr(code) for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))]
CAPITALS = "A-Z" + "".join(filter(str.isupper, _LATIN))
SMALL = "a-z" + "".join(filter(str.islower, _LATIN))

_STRAIGHT = {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'"}


def straighten(text: str) -> str:
    """Return a text with straight quotation marks and apostrophes, offset by offset."""
    for mark, straight in _STRAIGHT.items():  # many times as fast as str.translate
        text = text.replace(mark, straight)
    return text


def flatten(text: str) -> str:
    """Return a text on one line, offset by offset."""
    return text.replace("\r", " ").replace("\n", " ")


# What is printed alike or not at all: an end of line with the spaces about it; other spaces, and
# marks of where a word may be parted; a letter with its accents apart.
_BREAK = r"(?:\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029])"
_GAP = r"\t\x1f\xa0\xad\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff"
_SPACE = f"[ {_GAP}]"
_PRINTED_ALIKE = re.compile(
    rf"\A{_SPACE}+|{_SPACE}*(?P<end>{_BREAK}){_SPACE}*|{_SPACE}+\Z"
    rf"|(?P<space>{_SPACE}{{2,}}|[{_GAP}])"
    r"|(?P<apart>[^\W\d_][\u0300-\u036f]+)"
)


class Lines:
    """A text in plain typography, and where each character stands in it as given.

    ``text`` has line feeds for its line ends, one space for spaces of any kind and number, none at
    the ends of lines, and letters in one piece with their accents.
    """

    def __init__(self, given: str) -> None:
        pieces: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._shifts = [0]
        at = length = 0
        for match in _PRINTED_ALIKE.finditer(given):
            plain = _plain(match)
            if plain == match.group():
                continue
            pieces += given[at : match.start()], plain
            self._starts.append(length + match.start() - at)
            length = self._starts[-1] + len(plain)
            self._ends.append(length)
            at = match.end()
            self._shifts.append(at - length)
        self.text = "".join([*pieces, given[at:]])

    def given_start(self, place: int) -> int:
        """Return the offset in the text as given of what starts at an offset in ``text``."""
        return place + self._shifts[bisect_right(self._ends, place)]

    def given_end(self, place: int) -> int:
        """Return the offset in the text as given of what ends at an offset in ``text``."""
        return place + self._shifts[bisect_left(self._starts, place)]


def _plain(match: re.Match[str]) -> str:
    if match["end"]:
        return "\n"
    if match["space"]:
        return " " if any(map(str.isspace, match["space"])) else ""
    composed = unicodedata.normalize("NFC", match["apart"] or "")
    return composed if len(composed) < 2 else match.group()
