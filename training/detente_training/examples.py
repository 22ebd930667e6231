"""Records as model input: a `datasets.Dataset` and the collator that pads it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from detente.codebook import Codebook
from detente.encoding import PairEncoder
from detente_training.distillation import Readings
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
        and records[numbers[0]].holder
    ]
    return sorted(random.Random(seed).sample(agreeing, round(share * len(agreeing))))


def build_dataset(
    records: Sequence[Record],
    codebook: Codebook,
    encoder: PairEncoder,
    *,
    holder_free_share: float = 0.0,
    seed: int = 0,
    teacher: Readings | None = None,
) -> Dataset:
    """Return a dataset with input_ids, token_type_ids and labels (one a dimension).

    A statement longer than the window gives its first window. With a teacher, each pair has its
    logits as well, and pairs that it alone has read come last, without labels.
    """
    gold = gold_labels(records, codebook)
    pairs = [(record.text, record.holder, gold[i]) for i, record in enumerate(records)]
    for i in without_holder(records, holder_free_share, seed):
        pairs.append((records[i].text, None, gold[i]))
    if teacher is not None:
        labelled = {(text, holder) for text, holder, _ in pairs}
        unknown = np.full(len(codebook.dimensions), IGNORED)
        pairs += [(*pair, unknown) for pair in teacher.logits if pair not in labelled]
    rows = []
    for text, holder, labels in pairs:
        window = encoder.windows(text, holder)[0]
        row = {
            "input_ids": window.ids,
            "token_type_ids": window.type_ids,
            "labels": labels.tolist(),
            "length": len(window.ids),
        }
        if teacher is not None:
            row["teacher"] = teacher.of(text, holder)
        rows.append(row)
    return Dataset.from_list(rows)


class PairCollator:
    """Pads a batch to its longest member."""

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return tensors of shape (batch, longest), and labels (batch, dimensions).

        Rows with a teacher's logits give ``teacher``, shape (batch, width), too.
        """
        batch = _pad(
            [row["input_ids"] for row in rows], [row["token_type_ids"] for row in rows], self.pad_id
        )
        batch["labels"] = torch.tensor([row["labels"] for row in rows])
        if "teacher" in rows[0]:
            batch["teacher"] = torch.tensor([row["teacher"] for row in rows])
        return batch


def pad_windows(windows: Sequence[Encoding], pad_id: int) -> dict[str, Tensor]:
    """Return a batch of token windows as tensors of shape (batch, longest)."""
    return _pad([window.ids for window in windows], [window.type_ids for window in windows], pad_id)


def _pad(
    ids: Sequence[Sequence[int]], types: Sequence[Sequence[int]], pad_id: int
) -> dict[str, Tensor]:
    longest = max(map(len, ids))

    def fill(rows: Iterable[Sequence[int]], filler: int) -> Tensor:
        return torch.tensor([[*row, *([filler] * (longest - len(row)))] for row in rows])

    return {
        "input_ids": fill(ids, pad_id),
        "attention_mask": fill(([1] * len(row) for row in ids), 0),
        "token_type_ids": fill(types, 0),
    }
