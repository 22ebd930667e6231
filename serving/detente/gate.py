"""The gate: a bag of words that tells which statements are worth the model's time."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, FiniteFloat

from detente.encoding import prepare

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d")


def terms(text: str) -> Iterator[str]:
    """Yield a statement's words, lower-cased, and its pairs of neighbouring words."""
    previous = None
    for match in _WORD.finditer(prepare(text)):
        word = match.group().lower()
        yield word
        if previous:
            yield f"{previous} {word}"
        previous = word


class Gate(BaseModel):
    """A logistic regression over the terms a statement holds.

    It never sees a name: only words that its training texts also print in lower case count.

    Attributes:
        intercept: the score of a statement without a known term.
        threshold: the least score that passes.
        weights: what each term adds, however often it occurs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    intercept: FiniteFloat
    threshold: FiniteFloat
    weights: dict[str, FiniteFloat]

    def score(self, text: str) -> float:
        """Return the log-odds that a statement takes a position."""
        known = self.weights
        # fsum, as a set has another order in each process and a plain sum would depend on it
        return math.fsum([self.intercept, *(known.get(term, 0.0) for term in {*terms(text)})])

    def passes(self, text: str) -> bool:
        """Whether a statement may take a position; one that surely does not can be skipped."""
        return self.score(text) >= self.threshold
