from __future__ import annotations

import json
from typing import Any

from detente_training.logbook import LoggedRun
from detente_training.provenance import machine
from detente_training.report import MODEL
from detente_training.reproduction import compare_results


class Remembered(LoggedRun):
    """A run whose report needs no MLflow."""

    def read(self, artifact: str) -> str | None:
        return json.dumps(report(0.7, 0.6, 0.8)) if artifact == "report.json" else None


def report(value: float | None, low: float | None = None, high: float | None = None) -> Any:
    interval = {"value": value, "low": low, "high": high}
    return {"dimensions": {"tone": {"systems": {MODEL: {"macro_f1": interval}}}}}


HERE = Remembered("1", "FINISHED", {"machine": machine(), "weights_sha256": "a"})


def verdicts(run: LoggedRun, value: float | None, weights: str, *, changed: bool) -> list[bool]:
    checks = compare_results(run, report(value), weights, changed=changed)
    return [check.passed for check in checks]


def test_figures_must_lie_in_the_logged_interval() -> None:
    assert verdicts(HERE, 0.65, "a", changed=False) == [True, True]
    assert verdicts(HERE, 0.55, "a", changed=False) == [False, True]
    assert verdicts(HERE, None, "a", changed=False) == [False, True]


def test_weights_must_be_equal_where_nothing_has_changed() -> None:
    assert verdicts(HERE, 0.7, "b", changed=False) == [True, False]
    assert verdicts(HERE, 0.7, "b", changed=True) == [True, True]
    elsewhere = Remembered("1", "FINISHED", {"machine": "another", "weights_sha256": "a"})
    assert verdicts(elsewhere, 0.7, "b", changed=False) == [True]
