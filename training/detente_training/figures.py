"""Pictures of an evaluation: confusion matrices and reliability diagrams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from detente.codebook import Dimension
from detente_training import metrics


def draw_confusion(
    dimension: Dimension, gold: NDArray[np.int64], probabilities: NDArray[np.float64], path: Path
) -> None:
    """Draw counts of gold against predicted labels; colour is the share of the gold label."""
    names = dimension.label_names
    counts = metrics.confusion(gold, probabilities.argmax(axis=1), len(names))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.add_subplot(
        title=dimension.name,
        xlabel="predicted",
        ylabel="gold",
        xticks=range(len(names)),
        yticks=range(len(names)),
        xticklabels=names,
        yticklabels=names,
    )
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if share[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    figure.savefig(path, dpi=120)


def draw_reliability(
    dimension: Dimension, gold: NDArray[np.int64], probabilities: NDArray[np.float64], path: Path
) -> None:
    """Draw accuracy against confidence in equal-width bins; the diagonal is perfect."""
    share, confidence, accuracy = metrics.reliability(gold, probabilities)
    error = metrics.calibration_error(gold, probabilities)
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.add_subplot(
        title=f"{dimension.name}: calibration error {error:.3f}",
        xlabel="probability",
        ylabel="accuracy",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.scatter(confidence, accuracy, s=20 + 600 * share, alpha=0.7)
    axes.plot(confidence, accuracy, linewidth=1)
    figure.savefig(path, dpi=120)
