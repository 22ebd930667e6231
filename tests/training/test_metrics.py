from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from detente import Codebook
from detente.errors import InputError
from detente_training import baseline, metrics
from detente_training.calibration import (
    choose_penalty,
    choose_threshold,
    fit_label_sets,
    fit_scaling,
)
from detente_training.config import SplitConfig
from detente_training.loss import CodebookLoss, label_weights, soft_targets
from detente_training.metrics import Interval, Resampler
from detente_training.record import Record
from detente_training.split import split_records


def draw(count: int, size: int, seed: int = 0) -> tuple[metrics.Ints, metrics.Ints]:
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, size, count)
    wrong = generator.random(count) < 0.3
    return gold, np.where(wrong, generator.integers(0, size, count), gold)


def test_macro_f1_is_sklearns() -> None:
    gold, predicted = draw(300, 4)
    expected = f1_score(gold, predicted, average="macro")
    assert metrics.macro_f1(gold, predicted, 4) == pytest.approx(expected)
    absent = np.where(gold == 3, -100, gold)
    known = absent >= 0
    expected = f1_score(gold[known], predicted[known], average="macro", labels=[0, 1, 2])
    assert metrics.macro_f1(absent, predicted, 4) == pytest.approx(expected)


def test_intervals_hold_the_true_value_as_often_as_they_say() -> None:
    # Three labels in equal parts, three in ten drawn anew: 0.8 of them are right, of each alike.
    names = [str(i) for i in range(200)]
    held = 0
    for seed in range(200):
        interval, _ = Resampler(names).macro_f1(*draw(200, 3, seed), 3)
        held += interval.low <= 0.8 <= interval.high
    assert 0.9 <= held / 200 <= 0.99


def test_intervals_shrink_with_more_records() -> None:
    widths = []
    for count in (100, 1600):
        gold, predicted = draw(count, 3)
        interval, samples = Resampler([str(i) for i in range(count)]).macro_f1(gold, predicted, 3)
        assert interval.low < interval.value < interval.high
        assert interval.value == pytest.approx(f1_score(gold, predicted, average="macro"))
        assert samples.mean() == pytest.approx(interval.value, abs=0.02)
        widths.append(interval.high - interval.low)
    assert widths[1] < widths[0] / 2


def test_records_of_one_statement_are_drawn_together() -> None:
    gold, predicted = draw(200, 3)
    single, _ = Resampler([str(i) for i in range(200)]).macro_f1(gold, predicted, 3)
    doubled, _ = Resampler([str(i) for i in range(200)] * 2).macro_f1(
        np.tile(gold, 2), np.tile(predicted, 2), 3
    )
    assert doubled.low == pytest.approx(single.low)
    assert doubled.high == pytest.approx(single.high)


def test_a_perfect_prediction_is_perfect_in_every_resample() -> None:
    gold = np.array([0] * 10 + [1] * 10 + [2])
    names = [f"{i:02}" for i in range(21)]
    interval, samples = Resampler(names).macro_f1(gold, gold, 3)
    assert (interval.low, interval.value, interval.high) == (1, 1, 1)
    assert (samples[~np.isnan(samples)] == 1).all()
    # Without gold of a label a resample is another figure: one label of three is never right, and
    # the mean cannot pass two thirds.
    called = np.where(gold == 2, 0, gold)
    interval, samples = Resampler(names).macro_f1(gold, called, 3)
    assert interval.high <= 2 / 3
    lacks = Resampler(names).weights[:, 20] == 0
    assert np.isnan(samples[lacks]).all()
    assert np.isnan(samples).mean() < 0.5
    alone = np.array([-100, 1])
    assert Resampler(names[:2]).macro_f1(alone, alone, 3)[0].low == 1


def test_labels_that_most_resamples_lack_leave_no_interval() -> None:
    gold = np.array([0] * 30 + list(range(1, 11)))
    interval, samples = Resampler([str(i) for i in range(40)]).macro_f1(gold, gold, 11)
    assert 0 < (~np.isnan(samples)).sum() < 1000
    assert np.isnan(interval.low)
    assert np.isnan(interval.high)
    assert str(interval) == f"{interval}" == "1.000 [no interval]"
    assert f"{Interval(1 / 3, 0.25, 0.5)}" == "0.333 [0.250, 0.500]"
    written = {"value": interval.value, "low": None, "high": None}
    assert str(Interval.read(written)) == str(interval)
    assert str(Interval.read(dict.fromkeys(written))) == "-"


def test_paired_systems_are_scored_on_the_same_labels() -> None:
    gold = np.array([0] * 20 + [1] * 18 + [2] * 2)
    better, worse = gold.copy(), gold.copy()
    better[0] = 2  # without gold of the rare label, this call would cost a third of the mean
    worse[20:23] = 0
    worse[38:] = 0
    resampler = Resampler([str(i) for i in range(40)])
    (first, ours), (second, theirs) = (resampler.macro_f1(gold, x, 3) for x in (worse, better))
    assert metrics.difference(first.value - second.value, ours, theirs).high < 0


def test_chance_explains_the_calibration_error_of_a_calibrated_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "_DRAWS", 200)
    generator = np.random.default_rng(5)
    bars = []
    for count in (100, 2000):
        confidence = generator.uniform(0.5, 1, (200, count))
        right = generator.random((200, count)) < confidence
        inside = 0
        for row, hits in zip(confidence, right, strict=True):
            probabilities = np.stack([row, 1 - row], axis=1)
            gold = np.where(hits, 0, 1)
            bar = metrics.calibration_chance(gold, probabilities)
            inside += metrics.calibration_error(gold, probabilities) <= bar
        assert inside / 200 == pytest.approx(0.95, abs=0.04)
        bars.append(bar)
    assert bars[1] < bars[0] / 3
    sure = np.stack([np.full(500, 0.9), np.full(500, 0.1)], axis=1)
    half_right = np.arange(500) % 2
    assert metrics.calibration_error(half_right, sure) > metrics.calibration_chance(
        half_right, sure
    )
    assert np.isnan(metrics.calibration_chance(np.array([-100]), np.array([[0.5, 0.5]])))


def test_without_gold_there_is_no_calibration_error() -> None:
    gold = np.full(2, -100)
    assert np.isnan(metrics.calibration_error(gold, np.full((2, 3), 1 / 3)))


def test_label_scores_and_abstention() -> None:
    gold = np.array([0, 0, 1, 1, -100])
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7], [1.0, 0.0]])
    counts = metrics.confusion(gold, probabilities.argmax(axis=1), 2)
    assert counts.tolist() == [[1, 1], [0, 2]]
    scores = metrics.label_scores(counts)
    assert scores[0] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    curve = dict(metrics.abstention_curve(gold, probabilities))
    assert curve[1.0] == 0.75
    assert curve[0.5] == 1.0


def test_the_weighted_mean_is_sklearns() -> None:
    gold, predicted = draw(300, 4)
    mean = metrics.weighted_mean(metrics.label_scores(metrics.confusion(gold, predicted, 4)))
    assert mean["f1"] == pytest.approx(f1_score(gold, predicted, average="weighted"))
    assert mean["support"] == 300


@pytest.mark.parametrize("coverage", [0.7, 0.9, 0.97])
def test_label_sets_hold_the_true_label_as_often_as_asked(coverage: float) -> None:
    generator = np.random.default_rng(0)
    powers = np.exp(generator.normal(size=(6000, 4)) * 1.5)
    probabilities = powers / powers.sum(1, keepdims=True)
    # The model is overconfident, so that its own probabilities would promise too much.
    honest = 0.7 * probabilities + 0.3 / 4
    gold = (generator.random((6000, 1)) > honest.cumsum(1)).sum(1)
    least = fit_label_sets(probabilities[:3000], gold[:3000], coverage)
    scores = metrics.label_set_scores(gold[3000:], probabilities[3000:], least)
    assert scores["coverage"] == pytest.approx(coverage, abs=0.02)
    assert 1 <= scores["size"] < 4


def test_too_few_records_rule_nothing_out() -> None:
    gold = np.array([0, 1, -100])
    assert fit_label_sets(np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]), gold, 0.9) == 0
    assert fit_label_sets(np.full((2, 2), 0.5), np.array([-100, -100]), 0.9) == 0


def test_label_sets_are_no_wider_than_needed() -> None:
    true = np.arange(1, 11) / 20  # ten probabilities of true labels
    probabilities = np.stack([true, 1 - true], axis=1)
    # Of eleven like these, one lies below the second smallest in two cases: 9 of 11 hold it.
    assert fit_label_sets(probabilities, np.zeros(10, dtype=int), 0.8) == pytest.approx(0.1)


def test_temperature_undoes_overconfidence() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4000, 3)) * 2
    powers = np.exp(logits)
    cumulated = (powers / powers.sum(1, keepdims=True)).cumsum(1)
    gold = (generator.random((4000, 1)) > cumulated).sum(1)
    temperature, biases = fit_scaling(logits * 3, gold)
    assert temperature == pytest.approx(3, rel=0.1)
    assert not biases.any()
    sharp, true = (np.exp(logits * k) / np.exp(logits * k).sum(1, keepdims=True) for k in (3, 1))
    assert metrics.calibration_error(gold, true) < 0.03 < metrics.calibration_error(gold, sharp)
    threshold = choose_threshold(true, 0.8)
    assert (true.max(1) >= threshold).mean() == pytest.approx(0.8, abs=0.01)


def test_biases_undo_weights_of_labels() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4000, 3)) + np.array([2.0, 0.0, 0.0])
    powers = np.exp(logits)
    gold = (generator.random((4000, 1)) > (powers / powers.sum(1, keepdims=True)).cumsum(1)).sum(1)
    weighted = logits - np.array([1.5, 0.0, 0.0])  # as if the first had counted less
    groups = [f"n{number % 4}" for number in range(4000)]
    penalty = choose_penalty([(weighted, gold)], groups)
    scaling = fit_scaling(weighted, gold, penalty)
    assert scaling.biases[0] - scaling.biases[1:].mean() == pytest.approx(1.5, abs=0.2)
    scaled = np.exp(scaling.log_probabilities(weighted))
    assert metrics.calibration_error(gold, scaled) < 0.03
    assert choose_penalty([(weighted, gold)], ["n0"] * 4000) == math.inf
    # Where the labels come otherwise in each negotiation, biases promise nothing.
    turned = np.array([weighted[i, (np.arange(3) + i % 4) % 3] for i in range(4000)])
    mixed = np.array([(label - i % 4) % 3 for i, label in enumerate(gold)])
    assert choose_penalty([(turned, mixed)], groups) >= 0.1


def test_a_label_without_records_has_no_bias() -> None:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(50, 3))
    gold = np.array([0, 1] * 24 + [-100] * 2)
    scaling = fit_scaling(logits, gold, 0.001)
    assert scaling.biases[2] == 0
    assert scaling.biases[:2].any()
    assert fit_scaling(logits, np.full(50, -100)).temperature == 1


def test_soft_targets_follow_the_scale(codebook: Codebook) -> None:
    stance, sequencing, _ = codebook.dimensions
    targets = soft_targets(stance, 0.1)
    assert targets.sum(axis=1) == pytest.approx(np.ones(4))
    hardline, none = targets[0], targets[stance.index(stance.no_position or "")]
    assert hardline[0] > hardline[1] > hardline[2] > hardline[3] == 0
    assert none.tolist() == [0, 0, 0, 1]
    assert soft_targets(sequencing, 0.1).tolist() == np.eye(4).tolist()


def test_the_loss_weighs_rare_labels_and_skips_unknown_ones(codebook: Codebook) -> None:
    labels = np.array([[0, 3, 2]] * 9 + [[1, 0, -100]])
    weights = label_weights(labels, codebook, 1.0)
    assert weights[0] * 9 == pytest.approx(weights[1])
    assert label_weights(labels, codebook, 0.0)[:2].tolist() == [1, 1]
    loss = CodebookLoss(codebook, weights, 0.1)
    logits = torch.zeros((10, codebook.size), requires_grad=True)
    unknown = torch.full((10, 3), -100)
    assert loss(logits, unknown).item() == 0
    loss(logits, torch.tensor(labels)).backward()
    assert logits.grad is not None
    assert logits.grad[9, codebook.slices["shift"]].abs().sum() == 0
    assert logits.grad[0, codebook.slices["shift"]].abs().sum() > 0


def test_splits_never_cut_a_negotiation(codebook: Codebook) -> None:
    records = [Record(str(i), f"t{i}", "h", {}, f"n{i % 8}", f"f:{i}") for i in range(80)]
    split = split_records(records, SplitConfig(), seed=3)
    parts = [set(split.negotiations(part)) for part in ("train", "validation", "test")]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert len(split.train) + len(split.validation) + len(split.test) == 80
    again = split_records(records, SplitConfig(), seed=3)
    assert again == split
    named = split_records(records, SplitConfig(test=("n2",), validation=("n5",)), seed=3)
    assert named.negotiations("test") == ("n2",)
    assert named.negotiations("validation") == ("n5",)
    for seed in range(20):
        drawn = split_records(records, SplitConfig(validation=("n5", "n6")), seed)
        assert drawn.negotiations("validation") == ("n5", "n6")
        assert drawn.test
    for config, words in {
        SplitConfig(validation=tuple(f"n{i}" for i in range(7))): "name fewer for validation",
        SplitConfig(test=("x",)): "no negotiation 'x'; known: n0",
        SplitConfig(test=("n1",), validation=("n1",)): "named for both",
        SplitConfig(test=tuple(f"n{i}" for i in range(8))): "name fewer for test",
        SplitConfig(test_share=0.9): r"test_share: 0.9 of 8 negotiation\(s\) leaves none",
    }.items():
        with pytest.raises(ValueError, match=words):
            split_records(records, config, seed=3)
    with pytest.raises(ValueError, match="label records of at least 3"):
        split_records([r for r in records if r.negotiation in ("n1", "n2")], SplitConfig(), 3)


def test_one_negotiation_beside_a_named_test_is_split_by_statement() -> None:
    records = [
        Record(str(i), f"t{i // 2}", f"h{i % 2}", {}, "old" if i < 60 else "new", f"f:{i}")
        for i in range(80)
    ]
    split = split_records(records, SplitConfig(test=("new",), validation_share=0.2), seed=3)
    assert split.negotiations("test") == ("new",)
    train, validation = ({r.text for r in part} for part in (split.train, split.validation))
    assert not train & validation
    assert len(validation) == 6
    assert len(split.train) + len(split.validation) == 60


def test_a_text_on_two_sides_is_refused() -> None:
    records = [Record(str(i), f"Text {i}.", "h", {}, f"n{i % 3}", f"f:{i}") for i in range(12)]
    records.append(Record("12", "TEXT  1.", "g", {}, "n2", "f:12"))
    config = SplitConfig(test=("n2",), validation=("n0",))
    with pytest.raises(InputError, match=r"f:12: is for test, .* in train, too \(f:1\)"):
        split_records(records, config, 3)
    allowed = config.model_copy(update={"shared_texts": True})
    assert records[12] in split_records(records, allowed, 3).test
    # One negotiation split by statement: copies of a statement may fall apart, too.
    single = [replace(record, negotiation="n0") for record in records[:-1]]
    single += [replace(record, text=record.text.upper(), id=f"{record.id}b") for record in single]
    single.append(Record("new", "New.", "h", {}, "n2", "f:13"))
    alone = [records[0], replace(records[1], negotiation="new")]
    with pytest.raises(InputError, match=r"validation_share: 0.15 of 1 statement\(s\) leaves none"):
        split_records(alone, SplitConfig(test=("new",)), 3)
    with pytest.raises(InputError, match="is for validation, but its text stands in train"):
        split_records(single, SplitConfig(test=("n2",)), 3)


def test_a_baseline_is_not_chosen_on_folds_of_one_label() -> None:
    texts = np.eye(20)
    for groups in ("a" * 10 + "b" * 10, "a" * 8 + "b" * 8 + "c" * 4):
        gold = np.array([0 if group == "a" else 1 for group in groups])
        found = baseline._predict(texts, texts, gold, np.array(list(groups)), 2, False)
        assert found.shape == (20, 2)
        assert not np.isnan(found).any()
        assert (found.argmax(axis=1) == gold).all()
