"""Calibration: temperature, label biases, abstention threshold and label sets of a dimension."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from detente_training.loss import IGNORED

_BOUNDS = (-2.0, 2.0)  # of the temperature's logarithm
_PENALTIES = (math.inf, 0.1, 0.03, 0.01, 0.003, 0.001)


class Scaling(NamedTuple):
    """What makes logits probabilities: ``softmax(logits / temperature + biases)``."""

    temperature: float
    biases: NDArray[np.float64]

    def log_probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log probabilities, shape (records, labels)."""
        scaled: NDArray[np.float64] = log_softmax(logits / self.temperature + self.biases, axis=1)
        return scaled


def fit_scaling(
    logits: NDArray[np.float64], gold: NDArray[np.int64], penalty: float = math.inf
) -> Scaling:
    """Return the temperature and biases that minimise log loss (Guo et al., ICML 2017).

    A model trained with weights of labels finds rare ones more often than they come; the biases
    take that back.

    Args:
        logits: shape (records, labels).
        gold: label indices, shape (records,); -100 is left out.
        penalty: of the biases' squares; infinite fits a temperature alone. Labels that ``gold``
            lacks have no bias.
    """
    known = gold != IGNORED
    biases = np.zeros(logits.shape[1])
    if not known.any():
        return Scaling(1.0, biases)
    rows = np.arange(int(known.sum()))
    seen = np.unique(gold[known]) if penalty < math.inf else np.array([], dtype=int)

    def scaling(parameters: NDArray[np.float64]) -> Scaling:
        found = biases.copy()
        found[seen] = parameters[1:]
        return Scaling(float(np.exp(parameters[0])), found)

    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = scaling(parameters).log_probabilities(logits[known])
        size = float((parameters[1:] ** 2).sum())
        return float(-scaled[rows, gold[known]].mean()) + (penalty * size if size else 0.0)

    bounds = [_BOUNDS, *([(-10.0, 10.0)] * len(seen))]
    best = minimize(loss, np.zeros(1 + len(seen)), method="L-BFGS-B", bounds=bounds)
    return scaling(best.x)


def choose_penalty(
    dimensions: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]], groups: Sequence[str]
) -> float:
    """Return the penalty with the least log loss on groups that the scaling was not fitted on.

    Args:
        dimensions: logits and gold label indices of each, see `fit_scaling`.
        groups: the negotiation of each record; with fewer than two, biases are not fitted.
    """
    drawn = np.asarray(groups, dtype=object)
    names = sorted(set(groups))
    if len(names) < 2:
        return math.inf
    losses = dict.fromkeys(_PENALTIES, 0.0)
    for penalty in _PENALTIES:
        for logits, gold in dimensions:
            for name in names:
                inside = (drawn == name) & (gold != IGNORED)
                if not inside.any():
                    continue
                scaling = fit_scaling(logits[drawn != name], gold[drawn != name], penalty)
                scaled = scaling.log_probabilities(logits[inside])
                losses[penalty] -= float(scaled[np.arange(len(scaled)), gold[inside]].sum())
    return min(losses, key=lambda penalty: losses[penalty])


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
    Lei and Wasserman, JASA 2019). The promise holds for statements like those it is fitted on, and
    strictly for records that nothing else was fitted on; a run's temperatures and biases are fitted
    on the same ones, so what its sets hold is measured on unseen negotiations.

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
