"""Evaluation reports: a model beside its baselines, on records it has not seen."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from scipy.stats import binomtest

from detente.codebook import Codebook, Dimension
from detente.files import make_folder, replacing
from detente.tagger import Tagger
from detente_training import metrics
from detente_training.baseline import Probabilities
from detente_training.examples import gold_labels
from detente_training.loss import IGNORED
from detente_training.metrics import Interval, Resampler
from detente_training.record import Record, pair_members, tell_apart

MODEL = "détente"
OVER_NEGOTIATIONS = "détente, interval over negotiations"
_FEW_NEGOTIATIONS = 5


def predict(tagger: Tagger, records: Sequence[Record], *, progress: bool = False) -> Probabilities:
    """Return the tagger's probabilities of each dimension, shape (records, labels)."""
    readings = tagger.classify(
        [record.text for record in records],
        [record.holder for record in records],
        progress=progress,
    )
    rows = [reading.predictions for reading in readings]
    return {
        dimension.name: np.array([list(row[dimension.name].probabilities.values()) for row in rows])
        for dimension in tagger.codebook.dimensions
    }


def build_report(
    records: Sequence[Record],
    codebook: Codebook,
    systems: Mapping[str, Probabilities],
    set_thresholds: Mapping[str, float],
    thresholds: Mapping[str, float],
) -> dict[str, Any]:
    """Score systems on records; the first system is the model, the others are its baselines.

    Args:
        records: labelled statements.
        codebook: their dimensions.
        systems: each one's probabilities.
        set_thresholds: the least probability of a label in the model's sets, by dimension.
        thresholds: the probability below which the model abstains, by dimension.

    Returns:
        A JSON-ready dictionary: for each dimension macro-F1 with 95% interval, accuracy and
        calibration error of every system; for the model also its lead over each baseline, label
        scores, confusion, abstention and per-negotiation results, and macro-F1 with an interval
        over negotiations where there are at least `_FEW_NEGOTIATIONS`.
    """
    gold = gold_labels(records, codebook)
    resampler = Resampler([record.text for record in records])
    return {
        "contrast": _score_pairs(records, codebook, gold, systems),
        "records": len(records),
        "statements": len({record.text for record in records}),
        "negotiations": sorted({record.negotiation for record in records}),
        "dimensions": {
            dimension.name: _score_dimension(
                dimension,
                gold[:, number],
                {name: probabilities[dimension.name] for name, probabilities in systems.items()},
                resampler,
                records,
                set_thresholds[dimension.name],
                thresholds[dimension.name],
            )
            for number, dimension in enumerate(codebook.dimensions)
        },
    }


def _score_dimension(
    dimension: Dimension,
    gold: NDArray[np.int64],
    systems: Mapping[str, NDArray[np.float64]],
    resampler: Resampler,
    records: Sequence[Record],
    set_threshold: float,
    threshold: float,
) -> dict[str, Any]:
    size = len(dimension.labels)
    known = gold != IGNORED
    scores: dict[str, Any] = {}
    samples = {}
    for name, probabilities in systems.items():
        predicted = probabilities.argmax(axis=1)
        interval, samples[name] = resampler.macro_f1(gold, predicted, size)
        scores[name] = {
            "macro_f1": _plain(interval),
            "accuracy": _accuracy(gold, predicted),
            "calibration_error": metrics.calibration_error(gold, probabilities),
        }
    model, *baselines = systems
    probabilities = systems[model]
    scores[model]["calibration_chance"] = metrics.calibration_chance(gold, probabilities)
    predicted = probabilities.argmax(axis=1)
    counts = metrics.confusion(gold, predicted, size)
    label_scores = metrics.label_scores(counts)
    by_negotiation: dict[str, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        by_negotiation[record.negotiation].append(number)
    whole: dict[str, Any] = {}
    if len(by_negotiation) >= _FEW_NEGOTIATIONS:
        disputes = Resampler([record.negotiation for record in records])
        whole["over_negotiations"] = _plain(disputes.macro_f1(gold, predicted, size)[0])
    return {
        "records": int(known.sum()),
        "systems": scores,
        **whole,
        "lead": {
            name: _plain(
                metrics.difference(
                    scores[model]["macro_f1"]["value"] - scores[name]["macro_f1"]["value"],
                    samples[model],
                    samples[name],
                )
            )
            for name in baselines
        },
        "labels": dict(zip(dimension.label_names, label_scores, strict=True)),
        "weighted": metrics.weighted_mean(label_scores),
        "label_sets": metrics.label_set_scores(gold, probabilities, set_threshold),
        "confusion": counts.tolist(),
        "abstention": metrics.abstention_curve(gold, probabilities),
        "answered": metrics.answered_scores(gold, probabilities, threshold),
        "negotiations": {
            slug: {
                "records": len(inside),
                "macro_f1": metrics.macro_f1(gold[inside], predicted[inside], size),
                "accuracy": _accuracy(gold[inside], predicted[inside]),
            }
            for slug, inside in sorted(by_negotiation.items())
        },
    }


def _accuracy(gold: NDArray[np.int64], predicted: NDArray[np.int64]) -> float:
    known = gold != IGNORED
    return float((predicted == gold)[known].mean()) if known.any() else math.nan


def _score_pairs(
    records: Sequence[Record],
    codebook: Codebook,
    gold: NDArray[np.int64],
    systems: Mapping[str, Probabilities],
) -> dict[str, Any]:
    """Score contrast pairs: both records right on the labels that the edit flips.

    After Gardner et al. (Findings of EMNLP 2020). Empty without pairs.

    Returns:
        For each system, and for each edit (the pairs' negotiation) or "all": pairs, pairs right,
        and their share with its 95% interval (Wilson).
    """
    pairs = find_pairs(records)
    scores: dict[str, Any] = {}
    for name, probabilities in systems.items() if pairs else ():
        predicted = np.stack([probabilities[d.name].argmax(axis=1) for d in codebook.dimensions], 1)
        right: dict[str, list[bool]] = defaultdict(list)
        for pair, hit in zip(pairs, pairs_right(pairs, gold, predicted), strict=True):
            for edit in {"all": None, records[pair[0]].negotiation: None}:  # one may be named so
                right[edit].append(hit)
        scores[name] = {edit: _share(hits) for edit, hits in right.items()}
    return scores


def find_pairs(records: Sequence[Record]) -> list[tuple[int, ...]]:
    """Return the places of the records of each contrast pair; some have a third or fourth.

    Left out are pairs without a label that is known and differs.
    """
    members = pair_members(records).values()
    return [tuple(pair) for pair in members if tell_apart([records[i] for i in pair])]


def pairs_right(
    pairs: Sequence[Sequence[int]], gold: NDArray[np.int64], predicted: NDArray[np.int64]
) -> list[bool]:
    """Return whether all records of each pair are right where their labels are known and differ.

    Args:
        pairs: places of records; see `find_pairs`.
        gold: label indices, shape (records, dimensions).
        predicted: the same of a model.
    """
    right = []
    for pair in map(list, pairs):
        differ = (gold[pair] != gold[pair[0]]).any(axis=0) & (gold[pair] != IGNORED).all(axis=0)
        right.append(bool((predicted[pair] == gold[pair])[:, differ].all()))
    return right


def _share(hits: Sequence[bool]) -> dict[str, Any]:
    interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    share = Interval(sum(hits) / len(hits), float(interval.low), float(interval.high))
    return {"pairs": len(hits), "right": sum(hits), "share": _plain(share)}


def _plain(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def without_nan(value: Any) -> Any:
    """Return a JSON-ready value with None for each NaN, the figure of a dimension without gold."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's own figures: what goes into a bundle's manifest."""
    figures: dict[str, Any] = {
        "records": report["records"],
        "negotiations": report["negotiations"],
        "dimensions": {
            name: scores["systems"][MODEL] for name, scores in report["dimensions"].items()
        },
    }
    plain: dict[str, Any] = without_nan(figures)
    return plain


def tables(report: Mapping[str, Any]) -> list[tuple[str, list[list[str]]]]:
    """Return the report as titled tables; the first row of each is its head."""
    dimensions = report["dimensions"]
    names, parts = list(dimensions), list(dimensions.values())
    systems = list(parts[0]["systems"])
    f1 = [["system", *names]]
    errors = [["system", *names]]
    for system in systems:
        scores = [part["systems"][system] for part in parts]
        f1.append([system, *(_figure(score["macro_f1"]) for score in scores)])
        errors.append([system, *(_number(score["calibration_error"]) for score in scores)])
    if all("over_negotiations" in part for part in parts):
        f1.append([OVER_NEGOTIATIONS, *(_figure(part["over_negotiations"]) for part in parts)])
    if len(systems) > 1:
        leads = [part["lead"][_best(part, systems[1:])] for part in parts]
        f1.append(["lead over best baseline", *map(_figure, leads)])
    labels = [["dimension", "label", "precision", "recall", "F1", "records"]]
    points = (f"{c:.0%}" for c in metrics.COVERAGES)
    coverage = [["accuracy at coverage", *points, "the bundle's threshold: answered, accuracy"]]
    sets = [["dimension", "hold the true label", "labels in a set"]]
    for name, part in dimensions.items():
        for label, score in [*part["labels"].items(), ("(mean by records)", part["weighted"])]:
            figures = (f"{score[key]:.2f}" for key in ("precision", "recall", "f1"))
            labels.append([name, label, *figures, str(score["support"])])
        answered = part["answered"]
        coverage.append(
            [
                name,
                *(_number(accuracy) for _, accuracy in part["abstention"]),
                f"{_number(answered['share'])}, {_number(answered['accuracy'])}",
            ]
        )
        held = part["label_sets"]
        sets.append([name, _number(held["coverage"]), _number(held["size"], 2)])
    slugs = [["macro-F1 by negotiation", "records", *names]]
    for slug in report["negotiations"]:
        cells = [part["negotiations"][slug] for part in parts]
        figures = (_number(cell["macro_f1"]) for cell in cells)
        slugs.append([slug or "(none)", str(cells[0]["records"]), *figures])
    contrast = []
    if report["contrast"]:
        edits = list(report["contrast"][MODEL])
        rows = [["edit", "pairs", *systems]]
        for edit in edits:
            shares = [report["contrast"][system][edit] for system in systems]
            rows.append([edit, str(shares[0]["pairs"]), *(_figure(s["share"]) for s in shares)])
        contrast.append(("Contrast pairs, both right", rows))
    swaps = []
    if report.get("invariance"):
        rows = [["names drawn from", "records", *(f"{n}: flips, change" for n in names)]]
        for group, scores in report["invariance"].items():
            changes = (f"{scores[n]['flips']:.1%}, {scores[n]['change']:.3f}" for n in names)
            rows.append([group, str(scores["records"]), *changes])
        of = f"of {report['drawn']} of {report['records']} records"
        swaps.append((f"Name swaps {of}: labels that change, mean change of probability", rows))
    if report.get("spread"):
        rows = [["mean on the scale, 0 to 1", "lowest party", "highest party", "between them"]]
        for name, spread in report["spread"].items():
            ends = (f"{party} {mean:.3f}" for party, mean in (spread["low"], spread["high"]))
            rows.append([name, *ends, f"{spread['high'][1] - spread['low'][1]:.3f}"])
        count = max(spread["records"] for spread in report["spread"].values())
        title = f'One party after the other in the same {count} statements; "no position" is 0.5'
        swaps.append((title, rows))
        means = [spread["groups"] for spread in report["spread"].values()]
        rows = [["mean of a group's parties in them", *report["spread"]]]
        rows += [[group, *(f"{mean[group]:.3f}" for mean in means)] for group in means[0]]
        swaps.append(("The same by group of parties", rows))
    return [
        ("Macro-F1 [95% interval]", f1),
        *contrast,
        *swaps,
        ("Expected calibration error", errors),
        ("Labels", labels),
        ("Abstention", coverage),
        ("Label sets", sets),
        ("Negotiations", slugs),
    ]


def print_report(report: Mapping[str, Any], title: str) -> None:
    """Print a report's tables to stdout."""
    console = Console()
    size = f"{report['records']} records, {report['statements']} statements"
    console.print(f"[bold]{escape(title)}[/]: {size}")
    print_tables(tables(report))


def print_tables(titled: Sequence[tuple[str, Sequence[Sequence[str]]]]) -> None:
    """Print titled tables to stdout; the first row of each is its head."""
    console = Console()
    for heading, (head, *rows) in titled:
        table = Table(title=escape(heading), title_justify="left", pad_edge=False)
        for name in head:
            table.add_column(escape(name))
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)


def save_report(report: Mapping[str, Any], folder: Path, title: str) -> None:
    """Write `report.json` and `report.md` into a folder; figures of nothing are null."""
    write_report(report, markdown(report, title), folder)


def write_report(report: Mapping[str, Any], page: str, folder: Path) -> None:
    """Write figures as `report.json`, and the page that shows them as `report.md`."""
    make_folder(folder)
    with replacing(folder / "report.json") as temporary:
        text = json.dumps(without_nan(report), indent=1, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    with replacing(folder / "report.md") as temporary:
        temporary.write_text(page, encoding="utf-8")


def markdown(report: Mapping[str, Any], title: str) -> str:
    """Return a report's tables as Markdown."""
    lines = [f"# {title}", "", f"{report['records']} records, {report['statements']} statements."]
    for heading, rows in tables(report):
        lines += ["", f"## {heading}", "", *markdown_table(rows)]
    return "\n".join(lines) + "\n"


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table; the first row is its head."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return [head, "|" + " --- |" * len(rows[0]), *body]


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _figure(interval: Mapping[str, float | None]) -> str:
    return str(Interval.read(interval))


def _best(scores: Mapping[str, Any], baselines: Sequence[str]) -> str:
    values = {name: scores["systems"][name]["macro_f1"]["value"] for name in baselines}
    # Without gold labels there is no value.
    return max(values, key=lambda name: -1.0 if values[name] is None else values[name])
