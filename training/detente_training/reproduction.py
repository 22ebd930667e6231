"""Reproduction: what a run made again must agree in, and what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from detente.errors import InputError
from detente_training.check import Check
from detente_training.logbook import ENVIRONMENT, RESUMED_ENVIRONMENT, LoggedRun
from detente_training.metrics import Interval
from detente_training.provenance import environment, git_commit, hardware, machine, thaw
from detente_training.report import MODEL
from detente_training.train import Run, is_trained, read_state

_SHOWN = 8


def refuse_trained(folder: Path) -> None:
    """Refuse a run's folder in which nothing would be trained again.

    Raises:
        InputError: it holds a run of `detente train`, or trained weights.
    """
    if "mlflow_run" in read_state(folder) or is_trained(folder):
        raise InputError(f"{folder}: holds a run already; give another folder with --output")


def find_changes(logged: LoggedRun, run: Run) -> list[str]:
    """Return a line for each thing a run depends on that is not as it was."""
    return [
        *_changed_data(logged, run),
        *_changed_commit(logged),
        *_changed_packages(logged),
        *_unknown_threads(logged),
    ]


def on_same_machine(logged: LoggedRun, threads: int = 0) -> bool:
    """Whether weights can be expected to agree bit by bit, as far as the machine goes.

    Args:
        logged: the first run.
        threads: those the run's config asks for.
    """
    return logged.tags.get("machine") in (machine(threads), hardware())


def compare_results(
    logged: LoggedRun,
    report: Mapping[str, Any],
    weights: str,
    *,
    changed: bool,
    threads: int = 0,
) -> list[Check]:
    """Check a run made again against what it logged the first time.

    Args:
        logged: the first run.
        report: the new report.
        weights: SHA-256 of the new weights.
        changed: whether anything the run depends on has changed, so that weights may differ.
        threads: those the run's config asks for.
    """
    checks = [
        _compare_macro_f1(name, scores, report["dimensions"].get(name))
        for name, scores in logged.report["dimensions"].items()
    ]
    if on_same_machine(logged, threads):
        equal = weights == logged.tags.get("weights_sha256")
        wanted = "equal, or other after a change" if changed else "equal"
        checks.append(Check("weights", "equal" if equal else "other", wanted, equal or changed))
    return checks


def _compare_macro_f1(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any] | None
) -> Check:
    title, logged = f"{name} macro-F1", Interval.read(before["systems"][MODEL]["macro_f1"])
    value = after["systems"][MODEL]["macro_f1"]["value"] if after else None
    if np.isnan(logged.value):
        return Check(title, "not compared", "no gold labels then", True)
    found = "none" if value is None else f"{value:.3f}"
    if np.isnan(logged.low):
        wanted = f"{logged.value:.3f}; its labels are too rare for an interval"
        return Check(title, found, wanted, value == logged.value)
    inside = value is not None and logged.low <= value <= logged.high
    return Check(title, found, f"{logged.low:.3f} to {logged.high:.3f}", inside)


def _changed_data(logged: LoggedRun, run: Run) -> list[str]:
    if logged.tags.get("corpus_sha256") != run.corpus_sha:
        before = str(logged.tags.get("corpus_sha256"))
        return [f"corpus or articles: was {before[:12]}, is {run.corpus_sha[:12]}"]
    if logged.tags.get("fingerprint") != run.fingerprint:
        return [
            "codebook, encoder, order of the records, parties, readings, gazetteer, or what this "
            "version makes of them and of the config"
        ]
    return []


def _changed_commit(logged: LoggedRun) -> list[str]:
    before, now = logged.tags.get("git_commit"), git_commit()
    if before is None:
        return []
    if now is None:
        return [f"git commit: was {before[:12]}, is unknown here"]
    lines = [] if now[0] == before else [f"git commit: was {before[:12]}, is {now[0][:12]}"]
    if logged.tags.get("git_changed") == "true":
        lines.append("git: the run was made with changes that were not committed")
    if (resumed := logged.tags.get("resumed_commit", before)) != before:
        lines.append(f"git commit: the run went on with {resumed[:12]}")
    if logged.tags.get("resumed_changed") == "true":
        lines.append("git: the run went on with changes that were not committed")
    if now[1]:
        lines.append("git: there are changes that are not committed")
    return lines


def _unknown_threads(logged: LoggedRun) -> list[str]:
    known = logged.tags.get("machine") != hardware()
    return [] if known else ["threads and GPU: the run was made by a version that did not log them"]


def _changed_packages(logged: LoggedRun) -> list[str]:
    first, resumed = logged.read(ENVIRONMENT) or "", logged.read(RESUMED_ENVIRONMENT)
    before, now = thaw(first), environment()
    lines = [
        f"{name}: was {before.get(name, 'absent')}, is {now.get(name, 'absent')}"
        for name in sorted({*before, *now}, key=str.lower)
        if before.get(name) != now.get(name)
    ]
    if resumed not in (None, first):
        lines.insert(0, "packages: the run went on with other ones than it began with")
    more = len(lines) - _SHOWN
    return lines[:_SHOWN] + ([f"and {more} more packages"] if more > 0 else [])
