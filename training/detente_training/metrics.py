"""Metrics of one dimension: macro-F1 with bootstrap intervals, calibration, abstention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detente.tagger import in_label_set
from detente_training.loss import IGNORED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
_RESAMPLES = 2000
_BLOCK = 100  # resamples at once, for memory
_BINS = 15
_DRAWS = 1000


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    @classmethod
    def read(cls, figures: Mapping[str, float | None]) -> Interval:
        """Return an interval from a report, in JSON of which NaN is null."""
        value, low, high = (
            np.nan if (figure := figures[name]) is None else figure
            for name in ("value", "low", "high")
        )
        return cls(value, low, high)

    def __str__(self) -> str:
        return f"{self:.3f}"

    def __format__(self, form: str) -> str:
        form = form or ".3f"
        if np.isnan(self.value):
            return "-"
        if np.isnan(self.low):
            return f"{self.value:{form}} [no interval]"
        return f"{self.value:{form}} [{self.low:{form}}, {self.high:{form}}]"


class Resampler:
    """A bootstrap over statements: records of one statement are drawn together.

    All systems scored with one resampler see the same resamples, so that their differences are
    paired (Efron and Tibshirani, 1993).

    Args:
        groups: the statement each record belongs to.
        seed: of the draw.
    """

    def __init__(self, groups: Sequence[str], seed: int = 0) -> None:
        _, self.groups = np.unique(np.asarray(groups, dtype=object), return_inverse=True)
        count = int(self.groups.max()) + 1 if len(self.groups) else 0
        generator = np.random.default_rng(seed)
        even = np.full(count, 1 / max(count, 1))
        # How often each statement is drawn; in small numbers, for there may be many statements.
        self.weights: NDArray[np.uint16] = np.empty((_RESAMPLES, count), np.uint16)
        for block in _blocks():
            size = block.stop - block.start
            self.weights[block] = generator.multinomial(count, even, size=size)

    def macro_f1(self, gold: Ints, predicted: Ints, size: int) -> tuple[Interval, Floats]:
        """Return macro-F1 with its interval, and its value in every resample.

        The mean is over the labels that occur in ``gold``; records whose gold is -100 are left
        out. A resample that lacks one of the labels, which is another figure, is NaN: it counts
        in no interval, for no system.
        """
        known = gold != IGNORED
        cells = np.zeros((self.weights.shape[1], size, size))
        np.add.at(cells, (self.groups[known], gold[known], predicted[known]), 1)
        total = cells.sum(axis=0)
        samples = np.empty(len(self.weights))
        for block in _blocks():
            resampled = np.einsum("rg,gij->rij", self.weights[block].astype(float), cells)
            samples[block] = _macro_f1(resampled)
            lacks = (resampled.sum(axis=2) > 0).sum(axis=1) < (total.sum(axis=1) > 0).sum()
            samples[block][lacks] = np.nan
        return _interval(float(_macro_f1(total[None])[0]), samples), samples


def difference(value: float, first: Floats, second: Floats) -> Interval:
    """Return the interval of a paired difference, given two systems' resampled scores."""
    return _interval(value, first - second)


def _interval(value: float, samples: Floats) -> Interval:
    """Return the interval of a figure; none where a label is so rare that most resamples lack it.

    What the few others tell is another figure, which the interval may not even contain.
    """
    known = samples[~np.isnan(samples)]
    enough = 2 * len(known) > len(samples)
    low, high = np.percentile(known, [2.5, 97.5]) if enough else (np.nan, np.nan)
    return Interval(value, float(low), float(high))


def _blocks() -> list[slice]:
    return [slice(start, start + _BLOCK) for start in range(0, _RESAMPLES, _BLOCK)]


def _macro_f1(confusions: Floats) -> Floats:
    """Return macro-F1 of each confusion matrix; NaN for one without gold."""
    present = confusions.sum(axis=2) > 0
    hits = np.diagonal(confusions, axis1=1, axis2=2)
    size = confusions.sum(axis=1) + confusions.sum(axis=2)
    scores = np.divide(2 * hits, size, out=np.zeros_like(hits), where=size > 0)
    counted = present.sum(axis=1)
    total = (scores * present).sum(axis=1)
    mean: Floats = np.divide(total, counted, out=np.full(len(total), np.nan), where=counted > 0)
    return mean


def macro_f1(gold: Ints, predicted: Ints, size: int) -> float:
    """Return macro-F1 over the labels that occur in ``gold``."""
    counts = confusion(gold, predicted, size)
    return float(_macro_f1(counts[None].astype(float))[0])


def confusion(gold: Ints, predicted: Ints, size: int) -> Ints:
    """Return counts, shape (gold labels, predicted labels)."""
    known = gold != IGNORED
    counts = np.zeros((size, size), dtype=np.int64)
    np.add.at(counts, (gold[known], predicted[known]), 1)
    return counts


def label_scores(counts: Ints) -> list[dict[str, float]]:
    """Return precision, recall, F1 and support of each label of a confusion matrix."""
    scores = []
    for i in range(len(counts)):
        hits, called, support = counts[i, i], counts[:, i].sum(), counts[i].sum()
        scores.append(
            {
                "precision": float(hits / called) if called else 0.0,
                "recall": float(hits / support) if support else 0.0,
                "f1": float(2 * hits / (called + support)) if called + support else 0.0,
                "support": int(support),
            }
        )
    return scores


def weighted_mean(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of what `label_scores` gives, each label counted by its support."""
    support = sum(score["support"] for score in scores)
    means = {
        key: sum(score[key] * score["support"] for score in scores) / max(support, 1)
        for key in ("precision", "recall", "f1")
    }
    return {**means, "support": support}


def label_set_scores(gold: Ints, probabilities: Floats, least: float) -> dict[str, float]:
    """Return how label sets fare: the share that hold the true label, and their mean size.

    Args:
        gold: label indices, shape (records,); -100 is left out.
        probabilities: shape (records, labels).
        least: the probability from which on a label is in the set; the most probable always is.
    """
    known = gold != IGNORED
    probabilities, gold = probabilities[known], gold[known]
    if not len(gold):
        return {"coverage": float("nan"), "size": float("nan")}
    inside = in_label_set(probabilities, least)
    return {
        "coverage": float(inside[np.arange(len(gold)), gold].mean()),
        "size": float(inside.sum(axis=1).mean()),
    }


def reliability(gold: Ints, probabilities: Floats) -> tuple[Floats, Floats, Floats]:
    """Return share, mean confidence and accuracy of the records in equal-width bins.

    Empty bins are left out. The confidence is the top label's probability (Guo et al., 2017).
    """
    known = gold != IGNORED
    confidence = probabilities[known].max(axis=1)
    right = probabilities[known].argmax(axis=1) == gold[known]
    bins = _bins(confidence)
    filled = [bins == i for i in range(_BINS) if (bins == i).any()]
    return (
        np.array([inside.mean() for inside in filled]),
        np.array([confidence[inside].mean() for inside in filled]),
        np.array([right[inside].mean() for inside in filled]),
    )


def calibration_error(gold: Ints, probabilities: Floats) -> float:
    """Return the expected calibration error, 15 equal-width bins (Guo et al., 2017).

    NaN without a gold label.
    """
    if (gold == IGNORED).all():
        return float("nan")
    share, confidence, accuracy = reliability(gold, probabilities)
    return float((share * np.abs(confidence - accuracy)).sum())


def calibration_chance(gold: Ints, probabilities: Floats, seed: int = 0) -> float:
    """Return the calibration error that chance alone gives a calibrated model.

    It is the 95th percentile over draws in which each label is right with just the probability
    that it was given (consistency resampling: Bröcker and Smith, 2007). NaN without a gold label.
    """
    confidence = probabilities[gold != IGNORED].max(axis=1)
    if not len(confidence):
        return float("nan")
    bins, generator = _bins(confidence), np.random.default_rng(seed)
    errors = []
    for _ in range(_DRAWS):
        right = generator.random(len(confidence)) < confidence
        gaps = np.bincount(bins, weights=right - confidence)
        errors.append(np.abs(gaps).sum() / len(confidence))
    return float(np.quantile(errors, 0.95))


def _bins(confidence: Floats) -> Ints:
    bins: Ints = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    return bins


def answered_scores(gold: Ints, probabilities: Floats, threshold: float) -> dict[str, float]:
    """Return the share of records whose label reaches the threshold, and the accuracy of those."""
    known = gold != IGNORED
    sure = probabilities[known].max(axis=1) >= threshold
    right = probabilities[known].argmax(axis=1) == gold[known]
    return {
        "share": float(sure.mean()) if known.any() else float("nan"),
        "accuracy": float(right[sure].mean()) if sure.any() else float("nan"),
    }


def abstention_curve(gold: Ints, probabilities: Floats) -> list[tuple[float, float]]:
    """Return (coverage, accuracy) pairs when the least certain records are abstained from."""
    known = gold != IGNORED
    order = np.argsort(-probabilities[known].max(axis=1), kind="stable")
    right = (probabilities[known].argmax(axis=1) == gold[known])[order]
    curve = []
    for coverage in COVERAGES:
        kept = right[: max(1, round(coverage * len(right)))]
        curve.append((coverage, float(kept.mean()) if len(kept) else float("nan")))
    return curve
