"""How a statement and a holder become model input: the one definition, for training and serving."""

from __future__ import annotations

import re
import unicodedata

from tokenizers import Encoding, Tokenizer

from detente.errors import InputError

_STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'"})
_SPACE = re.compile(r"\s+")


def prepare(text: str) -> str:
    """Return the text as the model sees it: NFC, straight quotes, single spaces."""
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text).translate(_STRAIGHT)).strip()


class PairEncoder:
    """Turns (statement, holder) into token windows of at most ``max_length`` tokens.

    A statement that does not fit is cut into windows that overlap by ``stride`` tokens; the
    holder stands in each of them.

    Args:
        tokenizer: a fast tokenizer; its own truncation and padding are switched off.
        max_length: tokens in a window, special tokens and holder counted.
        stride: tokens shared by neighbouring windows of one statement.
    """

    def __init__(self, tokenizer: Tokenizer, max_length: int, stride: int) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length, stride=stride, strategy="only_first")
        self._tokenizer = tokenizer
        self.max_length = max_length
        self.stride = stride

    def windows(self, statement: str, holder: str | None = None) -> list[Encoding]:
        """Return the statement's windows, in reading order; one, unless it is long.

        Raises:
            InputError: the holder leaves no room for the statement.
        """
        statement = prepare(statement)
        holder = prepare(holder or "")
        try:
            encoding = self._tokenizer.encode(statement, holder or None)
        except Exception as error:
            # The tokenizers library raises a bare Exception when the second part is too long.
            raise InputError(
                f"holder {holder[:40]!r}... has too many words for the model's window of "
                f"{self.max_length} tokens; give the party's name only"
            ) from error
        return [encoding, *encoding.overflowing]
