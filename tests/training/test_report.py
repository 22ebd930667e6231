from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detente import Codebook
from detente_training.baseline import TFIDF, fit_baselines
from detente_training.record import Record
from detente_training.report import (
    MODEL,
    OVER_NEGOTIATIONS,
    build_report,
    find_pairs,
    markdown,
    save_report,
    summary,
    tables,
)

SETS = {"stance": 1.0, "sequencing": 1.0, "shift": 1.0}
BARS = {"stance": 0.5, "sequencing": 0.5, "shift": 0.5}


def record(number: int, pair: str | None, stance: str, negotiation: str = "negation") -> Record:
    labels = {"stance": stance, "sequencing": "none", "shift": "none"}
    fields: dict[str, Any] = {"pair": pair} if pair else {}
    place = f"f:{number}"
    return Record(str(number), f"Text {number}.", "We", labels, negotiation, place, fields=fields)


def certain(codebook: Codebook, stances: list[str]) -> dict[str, Any]:
    """Probabilities of one for these stances, and of one for no position elsewhere."""
    found = {}
    for dimension in codebook.dimensions:
        labels = stances if dimension.name == "stance" else ["none"] * len(stances)
        found[dimension.name] = np.eye(len(dimension.labels))[list(map(dimension.index, labels))]
    return found


def test_a_contrast_pair_is_right_when_both_records_are(codebook: Codebook) -> None:
    records = [
        record(1, "a", "hardline"),
        record(2, "a", "flexible"),
        record(3, "b", "hardline", "tense"),
        record(4, "b", "balanced", "tense"),
    ]
    right = certain(codebook, ["hardline", "flexible", "hardline", "balanced"])
    half = certain(codebook, ["hardline", "hardline", "hardline", "balanced"])
    report = build_report(records, codebook, {MODEL: right, "half": half}, SETS, BARS)
    scores = report["contrast"]
    assert scores[MODEL]["all"]["share"]["value"] == 1
    assert scores["half"]["all"] == {**scores["half"]["all"], "pairs": 2, "right": 1}
    assert scores["half"]["negation"]["right"] == 0
    assert scores["half"]["tense"]["right"] == 1
    assert "Contrast pairs, both right" in markdown(report, "title")


def test_pairs_of_two_files_may_share_a_name(codebook: Codebook) -> None:
    records = [
        record(n, "p1", stance, negotiation)
        for n, (stance, negotiation) in enumerate(
            product(("hardline", "flexible"), ("all", "tense"))
        )
    ]
    assert find_pairs(records) == [(0, 2), (1, 3)]
    found = certain(codebook, ["hardline", "hardline", "hardline", "flexible"])
    scores = build_report(records, codebook, {MODEL: found}, SETS, BARS)["contrast"][MODEL]
    assert (scores["all"]["pairs"], scores["all"]["right"]) == (2, 1)
    assert scores["tense"]["right"] == 1


def test_holders_of_one_letter_have_baselines(codebook: Codebook) -> None:
    records = [
        replace(record(n, None, stance, f"n{n % 3}"), holder=holder, text=f"We said {holder}.")
        for n, (holder, stance) in enumerate([("A", "hardline"), ("B", "flexible")] * 6)
    ]
    probabilities = fit_baselines(records, codebook, None, records)[TFIDF]["stance"]
    dimension = codebook.dimensions[0]
    assert [dimension.label_names[k] for k in probabilities.argmax(axis=1)] == [
        one.labels["stance"] for one in records
    ]


def test_a_pair_may_have_a_third_record(codebook: Codebook) -> None:
    records = [record(number, "a", stance) for number, stance in enumerate(["none"] * 2)]
    records.append(record(3, "a", "hardline"))
    right = certain(codebook, ["none", "none", "hardline"])
    half = certain(codebook, ["none", "hardline", "hardline"])
    scores = build_report(records, codebook, {MODEL: right, "half": half}, SETS, BARS)["contrast"]
    assert (scores[MODEL]["all"]["pairs"], scores[MODEL]["all"]["right"]) == (1, 1)
    assert (scores["half"]["all"]["pairs"], scores["half"]["all"]["right"]) == (1, 0)


def test_a_pair_whose_labels_do_not_tell_it_apart_is_left_out(codebook: Codebook) -> None:
    records = [
        record(1, "a", "hardline"),
        replace(
            record(2, "a", "hardline"), labels={**record(2, "a", "none").labels, "stance": None}
        ),
        record(3, "b", "hardline"),
        record(4, "b", "hardline"),
        record(5, "c", "hardline"),
        record(6, "c", "flexible"),
    ]
    said = certain(codebook, ["hardline", "hardline", "none", "none", "hardline", "flexible"])
    scores = build_report(records, codebook, {MODEL: said}, SETS, BARS)["contrast"]
    assert (scores[MODEL]["all"]["pairs"], scores[MODEL]["all"]["right"]) == (1, 1)


def test_an_interval_over_negotiations_is_wider_where_they_differ(codebook: Codebook) -> None:
    stances = ["hardline", "flexible"] * 30
    records = [record(n, None, stances[n], f"n{n // 10}") for n in range(60)]
    # Every record of half of the negotiations is wrong.
    said = [s if n < 30 else stances[n - 1] for n, s in enumerate(stances)]
    report = build_report(records, codebook, {MODEL: certain(codebook, said)}, SETS, BARS)
    stance = report["dimensions"]["stance"]
    narrow, wide = stance["systems"][MODEL]["macro_f1"], stance["over_negotiations"]
    assert wide["value"] == narrow["value"] == 0.5
    assert wide["high"] - wide["low"] > 1.5 * (narrow["high"] - narrow["low"])
    assert OVER_NEGOTIATIONS in markdown(report, "title")
    few = build_report(records[:40], codebook, {MODEL: certain(codebook, said[:40])}, SETS, BARS)
    assert "over_negotiations" not in few["dimensions"]["stance"]


def test_what_the_thresholds_leave_is_reported(codebook: Codebook) -> None:
    records = [record(number, None, "hardline") for number in range(4)]
    found = certain(codebook, ["hardline", "hardline", "hardline", "flexible"])
    found["stance"][2:] = 0.6 * found["stance"][2:] + 0.1
    report = build_report(records, codebook, {MODEL: found}, SETS, {**BARS, "stance": 0.8})
    assert report["dimensions"]["stance"]["answered"] == {"share": 0.5, "accuracy": 1.0}
    assert "0.500, 1.000" in markdown(report, "title")


def test_label_sets_and_means_are_reported(codebook: Codebook) -> None:
    records = [record(number, None, "hardline") for number in range(4)]
    right = certain(codebook, ["hardline", "hardline", "flexible", "flexible"])
    right["stance"] = 0.6 * right["stance"] + 0.1
    report = build_report(records, codebook, {MODEL: right}, {**SETS, "stance": 0.1}, BARS)
    stance = report["dimensions"]["stance"]
    assert stance["label_sets"] == {"coverage": 1.0, "size": 4.0}
    assert report["dimensions"]["shift"]["label_sets"] == {"coverage": 1.0, "size": 1.0}
    narrow = build_report(records, codebook, {MODEL: right}, {**SETS, "stance": 0.5}, BARS)
    assert narrow["dimensions"]["stance"]["label_sets"] == {"coverage": 0.5, "size": 1.0}
    assert stance["weighted"] == {"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 4}
    assert "(mean by records)" in markdown(report, "title")


def test_without_pairs_there_is_no_such_table(codebook: Codebook) -> None:
    records = [record(1, None, "hardline"), record(2, None, "flexible")]
    report = build_report(
        records, codebook, {MODEL: certain(codebook, ["hardline", "hardline"])}, SETS, BARS
    )
    assert not report["contrast"]
    assert "Contrast" not in " ".join(heading for heading, _ in tables(report))
    f1 = report["dimensions"]["stance"]["systems"][MODEL]["macro_f1"]["value"]
    assert f1 == pytest.approx((2 / 3 + 0) / 2)


def test_figures_of_nothing_are_null(codebook: Codebook, tmp_path: Path) -> None:
    records = [record(1, None, "hardline"), record(2, None, "flexible", "tense")]
    records = [replace(r, labels={**r.labels, "shift": None}) for r in records]
    records[1] = replace(records[1], labels={**records[1].labels, "stance": None})
    found = certain(codebook, ["hardline", "hardline"])
    report = build_report(records, codebook, {MODEL: found, "other": found}, SETS, BARS)
    save_report(report, tmp_path, "title")
    # A report is read again by others.
    assert tables(json.loads((tmp_path / "report.json").read_text()))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    read = json.loads((tmp_path / "report.json").read_text(), parse_constant=refuse)
    shift = read["dimensions"]["shift"]
    assert shift["systems"][MODEL]["macro_f1"] == {"value": None, "low": None, "high": None}
    assert shift["systems"][MODEL]["accuracy"] is None
    assert shift["abstention"][0] == [1.0, None]
    assert read["dimensions"]["stance"]["negotiations"]["tense"]["accuracy"] is None
    assert shift["systems"][MODEL]["calibration_error"] is None
    json.dumps(summary(report), allow_nan=False)
    page = (tmp_path / "report.md").read_text()
    assert "nan" not in page
    assert "| tense | 1 | - |" in page
