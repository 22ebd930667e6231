"""The training loss: weighted cross-entropy a dimension, softened along ordered labels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from detente.codebook import Codebook, Dimension

IGNORED = -100


class CodebookLoss(nn.Module):
    """Mean over dimensions of weighted cross-entropy against soft targets.

    A label of an ordered scale lends a share of its mass to its neighbours, less with each step
    (soft ordinal labels: Díaz and Marathe, CVPR 2019); "no position" stands outside the scale and
    lends nothing. Label weights are a power of the inverse frequency.

    Args:
        codebook: the dimensions; logits hold their labels side by side.
        weights: one weight a label, shape (labels of all dimensions,).
        softness: mass a label lends each neighbour one step away, before all add up to 1.
        teacher_weight: how much the loss against the teacher's probabilities, a mean over all
            rows, counts beside that against labels, a weighted mean over those that have one;
            the label of a row that has both counts so much less. 0 to 1.
        teacher_temperature: softens the teacher's probabilities and the model's alike.
    """

    weights: Tensor

    def __init__(
        self,
        codebook: Codebook,
        weights: NDArray[np.float64],
        softness: float,
        *,
        teacher_weight: float = 0.0,
        teacher_temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.slices = list(codebook.slices.values())
        self._teacher_weight = teacher_weight
        self._temperature = teacher_temperature
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32), False)
        for number, dimension in enumerate(codebook.dimensions):
            targets = torch.tensor(soft_targets(dimension, softness), dtype=torch.float32)
            self.register_buffer(f"targets_{number}", targets, False)

    def forward(self, logits: Tensor, labels: Tensor, teacher: Tensor | None = None) -> Tensor:
        """Return the scalar loss.

        Args:
            logits: shape (batch, width).
            labels: shape (batch, dimensions); those of -100 are left out.
            teacher: a larger model's logits, shape (batch, width); rows of NaN are left out.
        """
        if teacher is None:
            return self._against_labels(logits, labels, logits.new_ones(len(labels)))
        taught = ~teacher.isnan().any(dim=-1)
        hard = self._against_labels(logits, labels, 1 - self._teacher_weight * taught)
        return hard + self._teacher_weight * self._against_teacher(logits, teacher, taught)

    def _against_teacher(self, logits: Tensor, teacher: Tensor, known: Tensor) -> Tensor:
        """Return the cross-entropy against softened probabilities (Hinton et al., 2015).

        It is a mean over the whole batch, so that a few taught rows do not weigh as much as many.
        """
        if not bool(known.any()):
            return logits.sum() * 0
        losses = []
        for columns in self.slices:
            targets = torch.softmax(teacher[known, columns] / self._temperature, dim=-1)
            log_probabilities = torch.log_softmax(
                logits[known, columns] / self._temperature, dim=-1
            )
            losses.append(-(targets * log_probabilities).sum() / len(known))
        # Softened gradients shrink with the square of the temperature.
        return torch.stack(losses).mean() * self._temperature**2

    def _against_labels(self, logits: Tensor, labels: Tensor, shares: Tensor) -> Tensor:
        losses = []
        for number, columns in enumerate(self.slices):
            known = labels[:, number] != IGNORED
            if not bool(known.any()):
                continue
            gold = labels[known, number]
            targets: Tensor = getattr(self, f"targets_{number}")[gold]
            weights = self.weights[columns][gold]
            log_probabilities = torch.log_softmax(logits[known, columns], dim=-1)
            counted = weights * shares[known]
            # A label that no training record has weighs nothing, and may be a batch's only one.
            total = weights.sum().clamp(min=1e-6)
            losses.append(-(counted * (targets * log_probabilities).sum(-1)).sum() / total)
        return torch.stack(losses).mean() if losses else logits.sum() * 0


def soft_targets(dimension: Dimension, softness: float) -> NDArray[np.float64]:
    """Return the target distribution of each label, shape (labels, labels)."""
    targets = np.eye(len(dimension.labels))
    for place, index in enumerate(dimension.scale):
        for other_place, other in enumerate(dimension.scale):
            if other != index:
                targets[index, other] = softness ** abs(place - other_place)
    normalised: NDArray[np.float64] = targets / targets.sum(axis=1, keepdims=True)
    return normalised


def label_weights(
    labels: NDArray[np.int64], codebook: Codebook, power: float
) -> NDArray[np.float64]:
    """Return label weights, (frequency ** -power) scaled to mean 1 over the records.

    Args:
        labels: shape (records, dimensions); -100 is unknown.
        codebook: the dimensions.
        power: 0 gives equal weights, 1 balances the labels.
    """
    weights = np.ones(codebook.size)
    for number, columns in enumerate(codebook.slices.values()):
        size = columns.stop - columns.start
        known = labels[:, number][labels[:, number] != IGNORED]
        counts = np.bincount(known, minlength=size).astype(float)
        raw = np.where(counts > 0, np.maximum(counts, 1) ** -power, 0.0)
        weights[columns] = raw * counts.sum() / max((raw * counts).sum(), 1e-12)
    return weights
