"""Views of statements: some of their words replaced, so that a larger model has more to read.

After Tang et al., 2019, "Distilling Task-Specific Knowledge from BERT into Simple Neural
Networks", section 3.3: a word gives way to another of its part of speech, or is left out. What a
view says is for the larger model to judge; it has no label.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import spacy

from detente.speech.parser import PIPELINE
from detente_training.record import Pair

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_REPLACED, _LEFT_OUT = 0.15, 0.1
_NAMES = {"NNP", "NNPS"}


class Views:
    """Draws views of statements, with words as frequent as they are in all the statements.

    Args:
        texts: the statements.
        seed: of the draw.
    """

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        self._docs = dict(zip(texts, tagged(texts), strict=True))
        self._random = random.Random(seed)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for doc in self._docs.values():
            for token in doc:
                if is_plain(token):
                    counts[token.tag_][token.lower_] += 1
        self._words = {tag: (list(words), list(words.values())) for tag, words in counts.items()}

    def of(self, text: str, holder: str | None, count: int) -> Iterator[Pair]:
        """Yield ``count`` views of one of the statements; names and its holder stay."""
        doc = self._docs[text]
        kept = holder_tokens(doc, holder)
        for _ in range(count):
            words = (
                token.text_with_ws if token.i in kept or not is_plain(token) else self._other(token)
                for token in doc
            )
            yield "".join(words).strip(), holder

    def _other(self, token: Token) -> str:
        drawn = self._random.random()
        if drawn < _LEFT_OUT:
            return ""
        if drawn >= _LEFT_OUT + _REPLACED:
            return str(token.text_with_ws)
        words, counts = self._words[token.tag_]
        (word,) = self._random.choices(words, counts)
        return f"{word.capitalize() if token.is_title else word}{token.whitespace_}"


def tagged(texts: Sequence[str]) -> Iterator[Doc]:
    """Yield the statements' tokens with their parts of speech."""
    tagger = spacy.load(PIPELINE, exclude=["ner", "senter", "parser", "lemmatizer"])
    yield from tagger.pipe(texts)


def is_plain(token: Token) -> bool:
    """Whether a token is a word by itself, and no name."""
    alone = token.i == 0 or bool(token.nbor(-1).whitespace_) or not token.nbor(-1).is_alpha
    return bool(token.is_alpha and alone and token.tag_ not in _NAMES)


def holder_tokens(doc: Doc, holder: str | None) -> set[int]:
    """Return the indices of the tokens of a holder's mentions."""
    kept: set[int] = set()
    start = doc.text.find(holder) if holder else -1
    while start >= 0:
        end = start + len(holder or "")
        kept |= {token.i for token in doc if token.idx < end and start < token.idx + len(token)}
        start = doc.text.find(holder or "", end)
    return kept
