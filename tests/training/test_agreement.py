from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from detente import Codebook
from detente_training.agreement import alpha, annotated_twice
from detente_training.record import Record


def record(*stances: str) -> Record:
    rest = {"sequencing": "none", "shift": "none"}
    entries = [{"annotator": f"a{i}", "stance": s, **rest} for i, s in enumerate(stances)]
    labels = {"stance": stances[0], **rest}
    fields = {"annotations": entries}
    return Record("1", "We agree.", "We", labels, "n", "f:1", fields=fields)


def records(pairs: Sequence[tuple[str, ...]]) -> list[Record]:
    return [record(*pair) for pair in pairs]


def test_perfect_agreement_is_one_and_one_label_says_nothing(codebook: Codebook) -> None:
    found = alpha(records([("hardline", "hardline"), ("flexible", "flexible")]), codebook)
    assert found["stance"] == 1
    assert math.isnan(found["shift"])


def test_alpha_by_hand(codebook: Codebook) -> None:
    # Two annotators, four units, one disagreement: 1 - (8-1) * 2 / (2 * 3*5) for counts 3 and 5.
    pairs = [("none", "none"), ("none", "none"), ("none", "flexible"), ("flexible", "flexible")]
    assert alpha(records(pairs), codebook)["stance"] == pytest.approx(1 - 7 * 2 / (2 * 3 * 5))


def test_records_labelled_once_do_not_count(codebook: Codebook) -> None:
    once = records([("hardline",), ("flexible",)])
    assert annotated_twice(once) == 0
    assert math.isnan(alpha(once, codebook)["stance"])
    assert math.isnan(alpha([], codebook)["stance"])
