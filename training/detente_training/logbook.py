"""The logbook: finding a run in MLflow again, with what it logged."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from pydantic import ValidationError

from detente.document import parse_yaml
from detente.errors import InputError
from detente_training.answer import Answer, parse_answers
from detente_training.config import RunConfig, TrackingConfig
from detente_training.store import connect
from detente_training.train import read_state

CONFIG, ENVIRONMENT = "config.yaml", "environment.txt"
RESUMED_ENVIRONMENT = "environment-resumed.txt"
REPORT, ANSWERS = "report.json", "unseen.jsonl"
_RUN_CONFIG = "config.json"  # in the run's folder
_UNKNOWN = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}  # of a run's id


@dataclass(frozen=True)
class LoggedRun:
    """A run in MLflow."""

    id: str
    status: str
    tags: Mapping[str, str]

    @property
    def config(self) -> RunConfig:
        """The config it ran with.

        Raises:
            InputError: another version of this package logged none, or one of another form.
        """
        text = self.read(CONFIG)
        try:
            return RunConfig.model_validate(parse_yaml(text or "", CONFIG))
        except ValidationError as error:
            fault = str(error.errors()[0]["msg"]) if text else "it logged none"
            raise InputError(
                f"{self.id}: its config cannot be used by this version ({fault}); train again"
            ) from None

    @property
    def report(self) -> dict[str, Any]:
        """Its report on the unseen negotiations; empty when it logged none."""
        found: dict[str, Any] = json.loads(self.read(REPORT) or "{}")
        return found

    @property
    def answers(self) -> list[Answer]:
        """Its answers to the unseen records; empty when it logged none."""
        return parse_answers(self.read(ANSWERS) or "")

    def read(self, artifact: str) -> str | None:
        """Return the text of an artifact; None when it logged no such artifact.

        Raises:
            InputError: its artifacts cannot be reached, or this one cannot be read.
        """
        try:
            logged = {file.path for file in mlflow.artifacts.list_artifacts(run_id=self.id)}
            if not logged:
                place = mlflow.get_run(self.id).info.artifact_uri
                raise InputError(f"{self.id}: none of its artifacts are at {place}")
            if artifact not in logged:
                return None
            text: str = mlflow.artifacts.load_text(f"runs:/{self.id}/{artifact}")
        except (MlflowException, OSError) as error:
            raise InputError(f"{self.id}: {artifact} cannot be read ({_reason(error)})") from None
        return text


def find_run(reference: str) -> LoggedRun:
    """Return the finished run that an MLflow run id or a run's folder stands for.

    A folder knows where it was tracked; an id is looked up in ``MLFLOW_TRACKING_URI``, by default
    ./mlflow.db.

    Raises:
        InputError: there is no such run, or it is not finished.
    """
    folder = Path(reference)
    if folder.is_dir():
        identifier = read_state(folder).get("mlflow_run")
        if identifier is None:
            raise InputError(f"{folder}: holds no run; give a folder such as runs/NAME")
        uri = _tracked_at(folder)
    else:
        identifier = reference
        uri = os.environ.get("MLFLOW_TRACKING_URI") or TrackingConfig().uri
    connect(uri)
    run = read_run(identifier)
    if run is None:
        raise InputError(
            f"{reference}: no such run in {uri}; give a run's folder, such as runs/NAME, or a run "
            "id as the MLflow UI shows it"
        )
    if run.status != "FINISHED":
        raise InputError(f"{reference}: the run is not finished; let it go on with: detente train")
    return run


def read_run(identifier: str) -> LoggedRun | None:
    """Return a run by its id; None when there is none.

    Raises:
        InputError: the tracking server or file cannot be used.
    """
    try:
        run = mlflow.get_run(identifier)
    except (MlflowException, OSError) as error:
        if getattr(error, "error_code", None) in _UNKNOWN:
            return None
        uri = mlflow.get_tracking_uri()
        raise InputError(f"{uri}: the run cannot be looked up ({_reason(error)})") from None
    return LoggedRun(run.info.run_id, run.info.status, run.data.tags)


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _tracked_at(folder: Path) -> str:
    path = folder / _RUN_CONFIG
    try:
        return RunConfig.model_validate_json(path.read_text(encoding="utf-8")).tracking.uri
    except (OSError, ValueError):
        raise InputError(f"{path}: no run's config; train again") from None
