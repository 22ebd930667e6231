from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mlflow.utils.validation import _validate_metric_name as validate_metric_name

from detente_training.answer import Answer, parse_answers, write_answers
from detente_training.check import check_table, failures
from detente_training.config import PromotionConfig
from detente_training.promotion import Evidence, compare, judge, paired_gain
from detente_training.report import MODEL
from detente_training.tracking import _figures

LABELS = ("warm", "cold")
NO_BOUNDS = PromotionConfig(
    max_flips=None, max_change=None, max_spread=None, max_calibration_error=None
)


def answers(right: int, count: int = 40, text: str = "Text") -> list[Answer]:
    """Answers of which the first are right."""
    found = []
    for number in range(count):
        gold = LABELS[number % 2]
        label = gold if number < right else LABELS[1 - number % 2]
        found.append(
            Answer(str(number), "pier", f"{text} {number}.", "We", {"tone": gold}, {"tone": label})
        )
    return found


def report(
    value: float | None = 0.8,
    flips: float | None = 0.01,
    error: float = 0.02,
    change: float = 0.01,
) -> Any:
    interval = {"value": value, "low": value and value - 0.1, "high": value and value + 0.1}
    scores = {"macro_f1": interval, "calibration_error": error}
    swapped = {"flips": flips, "change": change}
    swaps = {} if flips is None else {"all": {"records": 9, "tone": swapped}}
    return {
        "negotiations": ["pier"],
        "dimensions": {"tone": {"records": 0 if value is None else 40, "systems": {MODEL: scores}}},
        "invariance": swaps,
    }


def test_answers_outlive_the_file() -> None:
    said = [
        *answers(3, 5),
        Answer("x", "", "A\u2028b\x85c.", None, {"tone": None}, {"tone": "warm"}),
    ]
    assert parse_answers(write_answers(said)) == said


def test_a_clearly_worse_model_is_not_promoted() -> None:
    champion = Evidence(report(), answers(36))
    (check,) = compare(Evidence(report(), answers(20)), champion)
    assert not check.passed
    assert "on 40 records" in check.found
    assert failures([check]).startswith("tone macro-F1 (-0.")
    assert check_table([check])[1][-1] == "FAILED"


def test_a_difference_within_the_interval_is_no_reason() -> None:
    champion = Evidence(report(), answers(36))
    (check,) = compare(Evidence(report(), answers(35)), champion)
    assert check.passed
    gain = paired_gain("tone", list(zip(answers(40), answers(20), strict=True)))
    assert 0 < gain.low <= gain.value <= gain.high


def test_only_records_with_one_holder_and_gold_label_are_paired() -> None:
    ours, theirs = answers(40), answers(40)
    theirs[0] = Answer("0", "pier", "Text 0.", "We", {"tone": "cold"}, {"tone": "cold"})
    theirs[1] = Answer("1", "pier", "Text 1.", "We", {"tone": None}, {"tone": "cold"})
    (check,) = compare(Evidence(report(), ours), Evidence(report(), theirs))
    assert "on 38 records" in check.found
    (check,) = compare(
        Evidence(report(), [replace(answer, holder="They") for answer in ours]),
        Evidence(report(), answers(40)),
    )
    assert check.found == "0 of the champion's 40 unseen records in common"


@pytest.mark.parametrize(("value", "passed"), [(0.71, True), (0.69, False), (None, False)])
def test_without_logged_answers_the_logged_interval_decides(
    value: float | None, passed: bool
) -> None:
    champion = Evidence(report(0.8), [])
    (check,) = compare(Evidence(report(value), answers(36)), champion)
    assert check.passed == passed


def test_labels_too_rare_for_an_interval_are_compared_by_value() -> None:
    gold = ["warm"] * 30 + [f"tone {number}" for number in range(10)]

    def calls(labels: list[str]) -> Evidence:
        pairs = enumerate(zip(gold, labels, strict=True))
        said = [
            Answer(str(n), "pier", f"Text {n}.", "We", {"tone": true}, {"tone": label})
            for n, (true, label) in pairs
        ]
        return Evidence(report(), said)

    right, worse = calls(gold), calls([*gold[:-1], "warm"])
    (same,), (less,) = compare(right, right), compare(worse, right)
    assert same.passed
    assert same.found == "+0.000 [no interval] on 40 records"
    assert not less.passed


@pytest.mark.parametrize(("shared", "passed"), [(0, False), (2, False), (19, False), (20, True)])
def test_a_few_shared_records_are_no_evidence(shared: int, passed: bool) -> None:
    ours = [*answers(shared, shared), *answers(40, text="Other")]
    (check,) = compare(Evidence(report(), ours), Evidence(report(), answers(40)))
    assert check.passed == passed
    if not passed:
        assert check.found == f"{shared} of the champion's 40 unseen records in common"


@pytest.mark.parametrize(("flipped", "passed"), [(4, True), (25, False)])
def test_no_group_of_names_may_flip_more_than_noise_would(flipped: int, passed: bool) -> None:
    swaps = {
        "all": {"records": 1233, "tone": {"flips": 0.02}},
        "europe": {"records": 137, "tone": {"flips": 0.0}},
        "africa": {"records": 137, "tone": {"flips": flipped / 137}},
    }
    run = Evidence({**report(), "invariance": swaps}, [])
    checks = {check.name: check for check in judge(run, None, PromotionConfig())}
    assert checks["tone name-swap flips"].passed
    group = checks["tone name-swap flips by group"]
    assert group.passed == passed
    assert group.found.endswith("in africa")
    assert judge(run, None, NO_BOUNDS) == []


def test_a_group_of_names_that_was_not_measured_does_not_pass() -> None:
    swaps = {
        "all": {"records": 137, "tone": {"flips": 0.0}},
        "europe": {"records": 137, "tone": {"flips": 0.0}},
    }
    run = Evidence({**report(), "invariance": swaps, "unswapped": ["unions"]}, [])
    failed = failures(judge(run, None, PromotionConfig()))
    assert "tone name-swap flips by group" in failed
    assert "unions" in failed


def test_what_cannot_be_compared_does_not_pass() -> None:
    other = {**report(0.9), "negotiations": ["quay"]}
    (check,) = compare(Evidence(other, []), Evidence(report(), answers(36)))
    assert not check.passed
    (check,) = compare(Evidence(other, []), Evidence(report(0.8), []))
    assert (check.passed, check.found) == (False, "no unseen record in common")
    less = {**report(), "dimensions": {}}
    (check,) = compare(Evidence(less, []), Evidence(report(), answers(36)))
    assert (check.passed, check.found) == (False, "not in the codebook")


def test_the_first_champion_has_to_keep_to_the_bounds() -> None:
    bounds = PromotionConfig()
    assert [c.passed for c in judge(Evidence(report(), []), None, bounds)] == [True] * 3
    failed = judge(Evidence(report(flips=0.03, error=0.04, change=0.05), []), None, bounds)
    assert failures(failed) == (
        "tone name-swap flips (0.030, wanted at most 0.02); "
        "tone name-swap change (0.050, wanted at most 0.03); "
        "tone calibration error (0.040, wanted at most 0.03)"
    )
    unmeasured = judge(Evidence(report(None, flips=None), []), None, bounds)
    assert [c.found for c in unmeasured] == ["not measured"] * 3
    assert not any(c.passed for c in unmeasured)
    assert judge(Evidence(report(None, flips=None), []), None, NO_BOUNDS) == []


@pytest.mark.parametrize(("high", "passed"), [(0.52, True), (0.54, False)])
def test_no_party_may_stand_apart_from_the_others(high: float, passed: bool) -> None:
    spread = {"tone": {"records": 60, "low": ["Vale", 0.5], "high": ["Moor", high]}}
    run = Evidence({**report(), "spread": spread}, [])
    checks = {check.name: check for check in judge(run, None, PromotionConfig())}
    check = checks["tone mean of parties on its scale"]
    assert (check.passed, check.found) == (passed, f"{high - 0.5:.3f} between Vale and Moor")
    assert judge(run, None, NO_BOUNDS) == []


@pytest.mark.parametrize(("chance", "passed"), [(0.05, True), (0.035, False), (None, False)])
def test_an_error_that_chance_explains_is_no_reason(chance: float | None, passed: bool) -> None:
    said = report(error=0.04)
    said["dimensions"]["tone"]["systems"][MODEL]["calibration_chance"] = chance
    checks = judge(Evidence(said, []), None, PromotionConfig())
    (check,) = [check for check in checks if check.name == "tone calibration error"]
    assert check.passed == passed


def test_labels_of_any_signs_can_be_logged() -> None:
    said = report()
    scores = {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    said["dimensions"]["tone"]["labels"] = dict.fromkeys(
        ["don't know, yet", "a//b", "<", ">"], scores
    )
    names = set(_figures(said))
    assert "test_tone_don_t know_ yet_f1" in names
    assert {"test_tone_a__b_f1", "test_tone___f1", "test_tone___f1_"} <= names
    for name in names:
        validate_metric_name(name)
