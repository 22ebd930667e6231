"""Experiment tracking and the model registry, in MLflow."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from transformers import TrainerCallback

from detente import __version__
from detente.bundle import sha256
from detente.codebook import Codebook
from detente.errors import InputError
from detente_training.answer import Answer, collect_answers, write_answers
from detente_training.baseline import Probabilities
from detente_training.config import TrackingConfig
from detente_training.encoder import WEIGHTS
from detente_training.examples import gold_labels
from detente_training.figures import draw_confusion, draw_reliability
from detente_training.logbook import ANSWERS, CONFIG, ENVIRONMENT, REPORT, RESUMED_ENVIRONMENT
from detente_training.provenance import environment, freeze, git_commit, machine
from detente_training.record import Record, flatten
from detente_training.registry import log_bundle, register
from detente_training.report import MODEL
from detente_training.store import quiet
from detente_training.train import Run, is_trained


@contextmanager
def tracked(run: Run, run_id: str | None) -> Iterator[str]:
    """Open the run in MLflow, or open it again; log what it depends on; give its id.

    Raises:
        InputError: the tracking server or file cannot be used.
    """
    config = run.config.tracking
    quiet()
    try:
        mlflow.set_tracking_uri(config.uri)
        experiment = _experiment(config)
        active = mlflow.start_run(run_id=run_id, experiment_id=experiment, run_name=run.config.name)
    except (MlflowException, OSError) as error:
        message = str(error).splitlines()[0][:200]
        raise InputError(f"tracking.uri: {config.uri}: cannot be used ({message})") from None
    with active:
        if run_id is None:
            _log_inputs(run)
        else:
            trained = is_trained(run.config.folder)
            begun_on = None if trained else active.data.tags.get("machine")
            _log_resumption(begun_on, machine(run.config.training.threads))
        # Bounds, and what the export depends on, may be others when a run goes on.
        mlflow.log_dict(run.config.model_dump(mode="json"), CONFIG)
        yield active.info.run_id


class EpochPrinter(TrainerCallback):  # type: ignore[misc]
    """Prints a line with the validation scores of each epoch."""

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float], **_: Any
    ) -> None:
        """Print the scores when there are any."""
        if "eval_macro_f1" in logs:
            scores = " ".join(
                f"{name.removeprefix('eval_').removesuffix('_macro_f1')} {value:.3f}"
                for name, value in logs.items()
                if name.endswith("_macro_f1") and name != "eval_macro_f1"
            )
            print(f"epoch {round(state.epoch)}: validation macro-F1 {scores}", flush=True)


class EpochLogger(EpochPrinter):
    """Logs the loss and the validation scores of each epoch, and prints a line."""

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float], **_: Any
    ) -> None:
        """Log whatever the trainer logs."""
        figures = {name: value for name, value in logs.items() if isinstance(value, float)}
        mlflow.log_metrics(figures, step=round(state.epoch))
        super().on_log(args, state, control, logs)


def log_outcome(
    run: Run, report: Mapping[str, Any], probabilities: Probabilities, folder: Path, bundle: Path
) -> None:
    """Log figures, pictures, report and model of the active run, and register the model."""
    mlflow.log_metrics(_figures(report))
    mlflow.set_tag("weights_sha256", sha256(folder / "model" / WEIGHTS))
    with tempfile.TemporaryDirectory() as name:
        draw_figures(run.split.test, run.codebook, probabilities, Path(name))
        mlflow.log_artifacts(name, "figures")
    for file in (REPORT, "report.md"):
        mlflow.log_artifact(str(folder / file))
    mlflow.log_text(write_answers(_unseen_answers(run, probabilities)), ANSWERS)
    model = log_bundle(bundle, run.codebook, run.split.test[0])
    if run.config.tracking.registered_model:
        register(run.config.tracking.registered_model, model)


def _unseen_answers(run: Run, probabilities: Probabilities) -> list[Answer]:
    """Return the answers to unseen records, but for texts that stand in training, too."""
    answers = collect_answers(run.split.test, run.codebook, probabilities)
    shared = run.shared_texts
    return [answer for answer in answers if flatten(answer.text) not in shared]


def _log_inputs(run: Run) -> None:
    config = run.config.model_dump(mode="json")
    mlflow.log_params(_flatten(config))
    mlflow.log_dict(run.codebook.model_dump(mode="json"), "codebook.json")
    mlflow.log_text(freeze(environment()), ENVIRONMENT)
    tags = {
        "corpus_sha256": run.corpus_sha,
        "fingerprint": run.fingerprint,
        "detente_version": __version__,
        "machine": machine(run.config.training.threads),
    }
    if commit := git_commit():
        tags |= {"git_commit": commit[0], "git_changed": str(commit[1]).lower()}
    mlflow.set_tags(tags)


def _log_resumption(begun_on: str | None, here: str) -> None:
    """Log with which commit, packages and machine a run goes on; they may be others.

    Args:
        begun_on: the machine or machines so far; None if no more is trained, or if unknown.
        here: this machine.
    """
    if begun_on is not None and not begun_on.endswith(here):
        mlflow.set_tag("machine", f"{begun_on}; then {here}")
    mlflow.log_text(freeze(environment()), RESUMED_ENVIRONMENT)
    if commit := git_commit():
        mlflow.set_tags({"resumed_commit": commit[0], "resumed_changed": str(commit[1]).lower()})


def _figures(report: Mapping[str, Any]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for dimension, scores in report["dimensions"].items():
        for system, found in scores["systems"].items():
            prefix = "test" if system == MODEL else "baseline_" + system.split()[0].lower()
            figures[f"{prefix}_{dimension}_macro_f1"] = found["macro_f1"]["value"]
            figures[f"{prefix}_{dimension}_calibration_error"] = found["calibration_error"]
        for label, found in scores["labels"].items():
            for name in ("precision", "recall", "f1"):
                figures[f"test_{dimension}_{label}_{name}"] = found[name]
        swaps = report.get("invariance") or {}
        for name, value in swaps.get("all", {}).get(dimension, {}).items():
            figures[f"test_{dimension}_swap_{name}"] = value
        if spread := (report.get("spread") or {}).get(dimension):
            figures[f"test_{dimension}_spread"] = spread["high"][1] - spread["low"][1]
    named: dict[str, float] = {}
    for name, value in figures.items():
        if not math.isnan(value):
            plain = re.sub(r"[^\w.\- ]", "_", name)  # MLflow knows no other signs
            while plain in named:
                plain += "_"
            named[plain] = value
    return named


def draw_figures(
    records: list[Record], codebook: Codebook, probabilities: Probabilities, folder: Path
) -> None:
    """Draw every dimension's confusion matrix and reliability diagram into a folder."""
    gold = gold_labels(records, codebook)
    for number, dimension in enumerate(codebook.dimensions):
        values = probabilities[dimension.name]
        draw_confusion(
            dimension, gold[:, number], values, folder / f"{dimension.name}_confusion.png"
        )
        draw_reliability(
            dimension, gold[:, number], values, folder / f"{dimension.name}_reliability.png"
        )


def _experiment(config: TrackingConfig) -> str:
    experiment = mlflow.get_experiment_by_name(config.experiment)
    if experiment is not None:
        return str(experiment.experiment_id)
    local = config.uri.startswith("sqlite:")
    location = Path(config.artifacts).absolute().as_uri() if local else None
    return str(mlflow.create_experiment(config.experiment, artifact_location=location))


def _flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat |= _flatten(item, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = item
    return flat
