"""Records as model input: a `datasets.Dataset` and the collator that pads it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from torch import Tensor

from detente.codebook import Codebook
from detente.encoding import PairEncoder
from detente_training.loss import IGNORED
from detente_training.record import Record


def gold_labels(records: Sequence[Record], codebook: Codebook) -> NDArray[np.int64]:
    """Return label indices, shape (records, dimensions); -100 where a label is null."""
    rows = [
        [
            IGNORED if record.labels[d.name] is None else d.index(str(record.labels[d.name]))
            for d in codebook.dimensions
        ]
        for record in records
    ]
    return np.asarray(rows, dtype=np.int64).reshape(len(records), len(codebook.dimensions))


def without_holder(records: Sequence[Record], share: float, seed: int) -> list[int]:
    """Return the indices of records to be trained a second time without their holder.

    Only statements whose records all agree qualify: without a holder, the others have no one
    right answer.

    Args:
        records: the training records.
        share: the share of those statements to draw, 0 to 1.
        seed: of the draw.
    """
    by_text: dict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        by_text[record.text].append(number)
    agreeing = [
        numbers[0]
        for numbers in by_text.values()
        if len({tuple(records[i].labels.values()) for i in numbers}) == 1
    ]
    return sorted(random.Random(seed).sample(agreeing, round(share * len(agreeing))))


def build_dataset(
    records: Sequence[Record],
    codebook: Codebook,
    encoder: PairEncoder,
    *,
    holder_free_share: float = 0.0,
    seed: int = 0,
) -> Dataset:
    """Return a dataset with input_ids, token_type_ids and labels (one a dimension).

    A statement longer than the window gives its first window.
    """
    gold = gold_labels(records, codebook)
    pairs = [(record.text, record.holder, gold[i]) for i, record in enumerate(records)]
    for i in without_holder(records, holder_free_share, seed):
        pairs.append((records[i].text, None, gold[i]))
    rows = []
    for text, holder, labels in pairs:
        window = encoder.windows(text, holder)[0]
        rows.append(
            {
                "input_ids": window.ids,
                "token_type_ids": window.type_ids,
                "labels": labels.tolist(),
                "length": len(window.ids),
            }
        )
    return Dataset.from_list(rows)


class PairCollator:
    """Pads a batch to its longest member."""

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return tensors of shape (batch, longest), and labels (batch, dimensions)."""
        longest = max(len(row["input_ids"]) for row in rows)

        def pad(values: Sequence[int], filler: int) -> list[int]:
            return [*values, *([filler] * (longest - len(values)))]

        return {
            "input_ids": torch.tensor([pad(row["input_ids"], self.pad_id) for row in rows]),
            "attention_mask": torch.tensor([pad([1] * len(row["input_ids"]), 0) for row in rows]),
            "token_type_ids": torch.tensor([pad(row["token_type_ids"], 0) for row in rows]),
            "labels": torch.tensor([row["labels"] for row in rows]),
        }
