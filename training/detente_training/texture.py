"""Measures of how varied a set of texts is: does it repeat itself, and does it read like news?"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Return the lower-case words of a text."""
    return _WORD.findall(text.lower())


def grams(text: str, size: int) -> frozenset[str]:
    """Return the set of a text's word n-grams; a shorter text is one gram."""
    found = words(text)
    starts = range(max(1, len(found) - size + 1))
    return frozenset(" ".join(found[i : i + size]) for i in starts)


def commonest_gram(texts: Sequence[str], size: int = 4) -> tuple[str, float]:
    """Return the word n-gram that most texts hold, and their share, 0 to 1."""
    counts = Counter(gram for text in texts for gram in grams(text, size))
    if not counts:
        return "", 0.0
    gram, count = counts.most_common(1)[0]
    return gram, count / len(texts)


def distinct(texts: Iterable[str], limit: int, *, size: int = 2, seed: int = 0) -> float:
    """Return distinct-n: different n-grams by all n-grams (Li et al., NAACL 2016).

    The figure falls with the amount of text, so texts are drawn until ``limit`` words are there;
    only figures of one ``limit`` can be compared.

    Args:
        texts: the texts.
        limit: how many words to take.
        size: words in a gram.
        seed: of the order in which texts are drawn.
    """
    drawn = list(texts)
    random.Random(seed).shuffle(drawn)
    found: list[str] = []
    taken = 0
    for text in drawn:
        if taken >= limit:
            break
        inside = words(text)[: limit - taken]
        taken += len(inside)
        found += [" ".join(inside[i : i + size]) for i in range(len(inside) - size + 1)]
    return len(set(found)) / max(1, len(found))


def length_deciles(texts: Sequence[str]) -> list[int]:
    """Return the 1st to 9th deciles of the texts' lengths in words, as split at white space."""
    lengths = [len(text.split()) for text in texts] or [0]
    return [round(value) for value in np.percentile(lengths, range(10, 100, 10))]
