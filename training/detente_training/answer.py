"""Answers: what a model said of each unseen record, kept so that later models can be paired."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from detente.codebook import Codebook
from detente_training.baseline import Probabilities
from detente_training.record import Record


@dataclass(frozen=True)
class Answer:
    """One unseen record, its right labels and the model's, a label a dimension."""

    id: str
    negotiation: str
    text: str
    holder: str | None
    gold: Mapping[str, str | None]
    label: Mapping[str, str]


def collect_answers(
    records: Sequence[Record], codebook: Codebook, probabilities: Probabilities
) -> list[Answer]:
    """Return the answers of a model whose probabilities are given, shape (records, labels)."""
    chosen = {
        dimension.name: [
            dimension.label_names[number] for number in probabilities[dimension.name].argmax(axis=1)
        ]
        for dimension in codebook.dimensions
    }
    return [
        Answer(
            record.id,
            record.negotiation,
            record.text,
            record.holder,
            dict(record.labels),
            {name: labels[number] for name, labels in chosen.items()},
        )
        for number, record in enumerate(records)
    ]


def write_answers(answers: Sequence[Answer]) -> str:
    """Return answers as JSON lines."""
    return "".join(json.dumps(asdict(answer), ensure_ascii=False) + "\n" for answer in answers)


def parse_answers(text: str) -> list[Answer]:
    """Return the answers that `write_answers` wrote."""
    # Lines end at "\n" alone: texts may hold other line separators.
    return [Answer(**json.loads(line)) for line in text.split("\n") if line]
