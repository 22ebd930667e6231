from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
import torch
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR

from detente.errors import InputError
from detente_training import reproduction
from detente_training.encoder import WEIGHTS
from detente_training.logbook import ENVIRONMENT, LoggedRun, read_run
from detente_training.provenance import freeze, hardware, machine
from detente_training.report import MODEL
from detente_training.reproduction import (
    compare_results,
    find_changes,
    on_same_machine,
    refuse_trained,
)
from detente_training.train import write_state


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


def test_without_an_interval_figures_must_be_equal() -> None:
    class Rare(Remembered):
        def read(self, artifact: str) -> str | None:
            return json.dumps(report(0.65))

    rare = Rare("1", "FINISHED", HERE.tags)
    assert verdicts(rare, 0.65, "a", changed=False) == [True, True]
    assert verdicts(rare, 0.66, "a", changed=False) == [False, True]


def test_weights_must_be_equal_where_nothing_has_changed() -> None:
    assert verdicts(HERE, 0.7, "b", changed=False) == [True, False]
    assert verdicts(HERE, 0.7, "b", changed=True) == [True, True]
    elsewhere = Remembered("1", "FINISHED", {"machine": "another", "weights_sha256": "a"})
    assert verdicts(elsewhere, 0.7, "b", changed=False) == [True]


def test_weights_of_other_threads_are_not_compared() -> None:
    other = torch.get_num_threads() + 1
    there = Remembered("1", "FINISHED", {"machine": machine(other), "weights_sha256": "a"})
    assert verdicts(there, 0.7, "b", changed=False) == [True]
    assert on_same_machine(there, threads=other)
    # Earlier versions did not log them; weights may then be other.
    before = Remembered("1", "FINISHED", {"machine": hardware(), "corpus_sha256": "c"})
    run: Any = SimpleNamespace(corpus_sha="c", fingerprint=None)
    assert on_same_machine(before)
    assert any(change.startswith("threads and GPU: ") for change in find_changes(before, run))
    assert not any("threads" in change for change in find_changes(HERE, run))


def test_each_change_since_the_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run: Any = SimpleNamespace(corpus_sha="a" * 64, fingerprint="f")
    same = {"corpus_sha256": run.corpus_sha, "fingerprint": "f", "git_commit": "c" * 40}
    now = {"python": "3.12.1", "torch": "2.13.0"}
    logged = {ENVIRONMENT: freeze(now)}
    monkeypatch.setattr(reproduction, "environment", lambda: now)
    monkeypatch.setattr(reproduction, "git_commit", lambda: ("c" * 40, False))
    monkeypatch.setattr(Remembered, "read", lambda _, artifact: logged.get(artifact))

    def changes(**other: str) -> list[str]:
        tags = {**same, "machine": machine(), **other}
        return find_changes(Remembered("1", "FINISHED", tags), run)

    assert changes() == []
    assert changes(corpus_sha256="b" * 64) == [
        "corpus or articles: was bbbbbbbbbbbb, is aaaaaaaaaaaa"
    ]
    (line,) = changes(fingerprint="g")
    assert line.startswith("codebook, encoder, ")
    assert changes(git_commit="d" * 40) == ["git commit: was dddddddddddd, is cccccccccccc"]
    (line,) = changes(git_changed="true")
    assert "not committed" in line
    assert changes(resumed_commit="e" * 40) == ["git commit: the run went on with eeeeeeeeeeee"]
    logged[ENVIRONMENT] = freeze({**now, "torch": "2.12.0"})
    assert changes() == ["torch: was 2.12.0, is 2.13.0"]


def test_a_folder_with_a_run_is_no_place_to_train_again(tmp_path: Path) -> None:
    write_state(tmp_path, fingerprint="a")
    refuse_trained(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / WEIGHTS).touch()
    with pytest.raises(InputError, match="holds a run already"):
        refuse_trained(tmp_path)
    (tmp_path / "model" / WEIGHTS).unlink()
    write_state(tmp_path, mlflow_run="1")
    with pytest.raises(InputError, match="holds a run already"):
        refuse_trained(tmp_path)


def test_what_was_not_logged_is_told_from_what_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise MlflowException("no route\nto host", error_code=INTERNAL_ERROR)

    logged = [SimpleNamespace(path="config.yaml")]
    monkeypatch.setattr(mlflow.artifacts, "list_artifacts", lambda run_id: logged)
    monkeypatch.setattr(mlflow.artifacts, "load_text", lambda uri: uri)
    run = LoggedRun("1", "FINISHED", {})
    assert run.read("config.yaml") == "runs:/1/config.yaml"
    assert run.read("report.json") is None
    monkeypatch.setattr(mlflow.artifacts, "load_text", refuse)
    with pytest.raises(InputError, match=r"1: config\.yaml cannot be read \(no route\)"):
        run.read("config.yaml")
    where = SimpleNamespace(info=SimpleNamespace(artifact_uri="file:///gone"))
    monkeypatch.setattr(mlflow, "get_run", lambda _: where)
    logged.clear()
    with pytest.raises(InputError, match="none of its artifacts are at file:///gone"):
        run.read("report.json")
    monkeypatch.setattr(mlflow, "get_run", refuse)
    with pytest.raises(InputError, match="the run cannot be looked up"):
        read_run("1")
