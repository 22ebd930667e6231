"""How a statement and a holder become model input: the one definition, for training and serving."""

from __future__ import annotations

import re
import unicodedata

from tokenizers import Encoding, Tokenizer

from detente.errors import InputError
from detente.mask import Mask
from detente.typography import straighten

_SPACE = re.compile(r"\s+")
_MARK = "@"
# Thirty marks on one letter are no writing, and to order thousands takes the square of the time.
_PILED = re.compile(r"([^\w\s\x00-\x7f]{30})[^\w\s\x00-\x7f]+")


def prepare(text: str) -> str:
    """Return the text as the model sees it: NFC, straight quotes, single spaces."""
    composed = unicodedata.normalize("NFC", _PILED.sub(r"\1", text))
    return _SPACE.sub(" ", straighten(composed)).strip()


def mark_holder(statement: str, holder: str) -> str:
    """Return the statement with each mention of the holder set between marks.

    Punctuation marks around an entity tell a small encoder which party is meant far better than
    the text pair alone (Zhou and Chen, 2022, "An Improved Baseline for Sentence-level Relation
    Extraction"). A holder that the statement does not name leaves it as it is.
    """
    mention = re.compile(rf"(?<!\w){re.escape(holder)}(?!\w)", re.IGNORECASE)
    return mention.sub(lambda match: f"{_MARK} {match.group()} {_MARK}", statement)


class PairEncoder:
    """Turns (statement, holder) into token windows of at most ``max_length`` tokens.

    The input is the text pair of the statement, its holder marked, and the holder. A statement
    that does not fit is cut into windows that overlap by ``stride`` tokens; the holder stands in
    each of them.

    Args:
        tokenizer: a fast tokenizer; its own truncation and padding are switched off.
        max_length: tokens in a window, special tokens and holder counted.
        stride: tokens shared by neighbouring windows of one statement.
        mask: hides proper names; None keeps them.
    """

    def __init__(
        self, tokenizer: Tokenizer, max_length: int, stride: int, mask: Mask | None = None
    ) -> None:
        special = max(tokenizer.num_special_tokens_to_add(is_pair) for is_pair in (False, True))
        if max_length - special - stride < 1:  # the tokenizers library would panic over a long text
            raise ValueError(f"{special} special tokens leave no room between the windows")
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length, stride=stride, strategy="only_first")
        self._tokenizer = tokenizer
        self._mask = mask
        self.max_length = max_length
        self.stride = stride

    def windows(self, statement: str, holder: str | None = None) -> list[Encoding]:
        """Return the statement's windows, in reading order; one, unless it is long.

        Raises:
            InputError: the holder leaves no room for the statement.
        """
        statement, holder = self._as_read(statement, holder)
        # Where there is none the tokenizers library panics, with what is no Exception.
        if holder and not self._is_room(statement, holder):
            raise InputError(
                f"holder {holder[:40]!r}... has too many words for the model's window of "
                f"{self.max_length} tokens; give the party's name only"
            )
        encoding = self._tokenizer.encode(statement, holder or None)
        return [encoding, *encoding.overflowing]

    def holds(self, statement: str, holder: str) -> bool:
        """Whether a holder leaves room for the statement."""
        return self._is_room(*self._as_read(statement, holder))

    def _as_read(self, statement: str, holder: str | None) -> tuple[str, str]:
        """Return both as the model sees them: names hidden, the holder marked."""
        statement, holder = prepare(statement), prepare(holder or "")
        if self._mask is not None:
            statement, holder = self._mask.hide(statement, holder)
        return (mark_holder(statement, holder) if holder else statement), holder

    def _is_room(self, statement: str, holder: str) -> bool:
        special = self._tokenizer.num_special_tokens_to_add(is_pair=True)
        room = self.max_length - special - self._count(holder)
        return room > self.stride or self._count(statement) <= room

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)
