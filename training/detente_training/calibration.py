"""Calibration: a temperature, an abstention threshold and label sets for each dimension."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from detente_training.loss import IGNORED

_BOUNDS = (-2.0, 2.0)  # of the temperature's logarithm


def fit_temperature(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    """Return the temperature that minimises log loss (Guo et al., ICML 2017).

    Args:
        logits: shape (records, labels).
        gold: label indices, shape (records,); -100 is left out.
    """
    known = gold != IGNORED
    if not known.any():
        return 1.0
    rows = np.arange(int(known.sum()))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits[known] / np.exp(log_temperature), axis=1)
        return float(-scaled[rows, gold[known]].mean())

    return float(np.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded").x))


def choose_threshold(probabilities: NDArray[np.float64], coverage: float) -> float:
    """Return the probability below which the least certain ``1 - coverage`` lie.

    Args:
        probabilities: shape (records, labels).
        coverage: the share of records to answer, 0 to 1.
    """
    return float(np.quantile(probabilities.max(axis=1), 1 - coverage))


def fit_label_sets(
    probabilities: NDArray[np.float64], gold: NDArray[np.int64], coverage: float
) -> float:
    """Return the least probability of a label in a set that holds the true one as often as asked.

    Split conformal prediction with one minus the true label's probability as its score (Sadinle,
    Lei and Wasserman, JASA 2019). The promise holds for statements like those it is fitted on.

    Args:
        probabilities: shape (records, labels).
        gold: label indices, shape (records,); -100 is left out.
        coverage: the share of sets to hold the true label, 0 to 1.

    Returns:
        0, so that every label is in the set, when the records are too few for the coverage.
    """
    known = np.flatnonzero(gold != IGNORED)
    rank = int(np.ceil((len(known) + 1) * coverage))
    if not 0 < rank <= len(known):
        return 0.0
    scores = 1 - probabilities[known, gold[known]]
    return float(1 - np.sort(scores)[rank - 1])
