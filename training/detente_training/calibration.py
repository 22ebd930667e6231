"""Calibration: one temperature and one abstention threshold for each dimension."""

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
