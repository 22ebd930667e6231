"""Typography: line ends and quotation marks, which differ between files that say the same."""

from __future__ import annotations

import re
from bisect import bisect_left

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


class Lines:
    """A text with line feeds for its line ends, and where each character stands in it as given.

    ``text`` is what stands in it for "\\r\\n" and "\\r" replaced by "\\n".
    """

    def __init__(self, given: str) -> None:
        self.text = given.replace("\r\n", "\n").replace("\r", "\n")
        pairs = (match.start() for match in re.finditer("\r\n", given))
        self._shortened = [place - number for number, place in enumerate(pairs)]

    def given(self, place: int) -> int:
        """Return the offset in the text as given of an offset in ``text``."""
        return place + bisect_left(self._shortened, place)
