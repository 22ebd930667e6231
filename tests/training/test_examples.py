from __future__ import annotations

from detente_training.examples import without_holder
from detente_training.record import Record


def record(text: str, holder: str | None, label: str) -> Record:
    return Record(text, text, holder, {"tone": label}, "n", "f")


def test_only_statements_whose_records_agree_are_trained_on_without_a_holder() -> None:
    records = [
        record("Both.", "Iran", "warm"),
        record("Both.", "Peru", "warm"),
        record("They differ.", "Iran", "warm"),
        record("They differ.", "Peru", "cold"),
        record("Bare.", None, "warm"),
        record("One.", "Iran", "cold"),
    ]
    assert without_holder(records, 1.0, seed=0) == [0, 5]
    assert len(without_holder(records, 0.5, seed=0)) == 1
