"""The classifier: one encoder, mean pooling, one linear head for each dimension."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from detente.codebook import Codebook
from detente.errors import InputError
from detente_training.encoder import load_encoder
from detente_training.loss import CodebookLoss


class PairClassifier(nn.Module):
    """Reads a (statement, holder) token pair and gives the labels' logits side by side.

    Args:
        encoder: a transformers encoder.
        codebook: the dimensions; their labels' logits stand in its order.
        dropout: dropout on the pooled representation, 0 to 1.
        loss: needed for training only.
    """

    def __init__(
        self,
        encoder: Any,
        codebook: Codebook,
        *,
        dropout: float = 0.0,
        loss: CodebookLoss | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.codebook = codebook
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.Linear(encoder.config.hidden_size, codebook.size)
        self.loss = loss
        self.takes_types = "token_type_ids" in inspect.signature(encoder.forward).parameters

    @classmethod
    def from_pretrained(
        cls,
        folder: Path,
        codebook: Codebook,
        *,
        dropout: float = 0.0,
        loss: CodebookLoss | None = None,
    ) -> PairClassifier:
        """Build on a pretrained encoder's folder; only safetensors weights are read.

        Raises:
            InputError: some of the encoder's weights are missing.
        """
        return cls(load_encoder(folder), codebook, dropout=dropout, loss=loss)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        teacher: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return ``logits`` (batch, labels of all dimensions) and, given labels, ``loss``.

        For ``labels`` and ``teacher`` see `CodebookLoss`.
        """
        pooled = self.pool(input_ids, attention_mask, token_type_ids)
        outputs = {"logits": self.score(self.dropout(pooled))}
        if labels is not None and self.loss is not None:
            outputs["loss"] = self.loss(outputs["logits"], labels, teacher)
        return outputs

    def score(self, pooled: Tensor) -> Tensor:
        """Return the labels' logits of pooled vectors, in fp32."""
        logits: Tensor = self.heads(pooled).float()
        return logits

    def encode(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Return the token vectors, shape (batch, longest, hidden size)."""
        types = {"token_type_ids": token_type_ids} if self.takes_types else {}
        hidden: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **types)[
            0
        ]
        return hidden

    def pool(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Return the mean of the token vectors, shape (batch, hidden size)."""
        hidden = self.encode(input_ids, attention_mask, token_type_ids)
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean: Tensor = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return mean

    def freeze_layers(self, count: int) -> None:
        """Train only the encoder layers after the first ``count``, and the heads; 0 trains all.

        Raises:
            InputError: the encoder is of a kind whose layers are not found.
        """
        if count == 0:
            return
        number = getattr(self.encoder.config, "num_hidden_layers", None)
        lists = (part for part in self.encoder.modules() if isinstance(part, nn.ModuleList))
        layers = next((part for part in lists if len(part) == number), None)
        if layers is None:
            raise InputError(
                f"training.frozen_layers={count}: where the layers of a "
                f"{type(self.encoder).__name__} are is not known; set it to 0"
            )
        self.encoder.requires_grad_(False)
        layers[count:].requires_grad_(True)


class LogitsOnly(nn.Module):
    """The classifier as it is exported: positional inputs, logits out."""

    def __init__(self, classifier: PairClassifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Return logits of shape (batch, labels of all dimensions)."""
        with torch.no_grad():
            return self.classifier(input_ids, attention_mask, token_type_ids)["logits"]  # type: ignore[no-any-return]
