"""Experiment tracking and the model registry, in MLflow."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from transformers import TrainerCallback

from detente.codebook import Codebook
from detente.errors import BundleError, InputError
from detente_training.baseline import Probabilities
from detente_training.config import TrackingConfig
from detente_training.examples import gold_labels
from detente_training.figures import draw_confusion, draw_reliability
from detente_training.record import Record
from detente_training.report import MODEL
from detente_training.train import Run

CHAMPION = "champion"


@contextmanager
def tracked(run: Run, run_id: str | None) -> Iterator[str]:
    """Open the run in MLflow, or open it again; log what it depends on; give its id.

    Raises:
        InputError: the tracking server or file cannot be used.
    """
    config = run.config.tracking
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        mlflow.set_tracking_uri(config.uri)
        experiment = _experiment(config)
        active = mlflow.start_run(run_id=run_id, experiment_id=experiment, run_name=run.config.name)
    except (MlflowException, OSError) as error:
        message = str(error).splitlines()[0][:200]
        raise InputError(f"tracking.uri: {config.uri}: cannot be used ({message})") from None
    with active:
        if run_id is None:
            mlflow.log_params(_flatten(run.config.model_dump(mode="json")))
            mlflow.set_tags({"corpus_sha256": run.corpus_sha, "fingerprint": run.fingerprint})
            mlflow.log_dict(run.codebook.model_dump(mode="json"), "codebook.json")
        yield active.info.run_id


class EpochLogger(TrainerCallback):  # type: ignore[misc]
    """Logs the loss and the validation scores of each epoch, and prints a line."""

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, float], **_: Any
    ) -> None:
        """Log whatever the trainer logs."""
        figures = {name: value for name, value in logs.items() if isinstance(value, float)}
        mlflow.log_metrics(figures, step=round(state.epoch))
        if "eval_macro_f1" in logs:
            scores = " ".join(
                f"{name.removeprefix('eval_').removesuffix('_macro_f1')} {value:.3f}"
                for name, value in logs.items()
                if name.endswith("_macro_f1") and name != "eval_macro_f1"
            )
            print(f"epoch {round(state.epoch)}: validation macro-F1 {scores}", flush=True)


def log_outcome(
    run: Run, report: Mapping[str, Any], probabilities: Probabilities, folder: Path, bundle: Path
) -> None:
    """Log figures, pictures, report and bundle of the active run, and register the bundle."""
    for dimension, scores in report["dimensions"].items():
        for system, figures in scores["systems"].items():
            prefix = "test" if system == MODEL else "baseline_" + system.split()[0].lower()
            mlflow.log_metrics(
                {
                    f"{prefix}_{dimension}_macro_f1": figures["macro_f1"]["value"],
                    f"{prefix}_{dimension}_calibration_error": figures["calibration_error"],
                }
            )
        for label, figures in scores["labels"].items():
            mlflow.log_metrics(
                {
                    f"test_{dimension}_{label}_{name}": figures[name]
                    for name in ("precision", "recall", "f1")
                }
            )
    with tempfile.TemporaryDirectory() as name:
        draw_figures(run.split.test, run.codebook, probabilities, Path(name))
        mlflow.log_artifacts(name, "figures")
    for file in ("report.json", "report.md"):
        mlflow.log_artifact(str(folder / file))
    mlflow.log_artifacts(str(bundle), "bundle")
    if run.config.tracking.registered_model:
        _register(run.config.tracking.registered_model)


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


def download_model(uri: str) -> Path:
    """Return a local folder with a registered bundle, such as ``models:/detente@champion``.

    The registry is MLflow's tracking URI (``MLFLOW_TRACKING_URI``, by default ./mlflow.db).

    Raises:
        BundleError: there is no such model, version or alias.
    """
    try:
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        message = str(error).splitlines()[0][:200]
        raise BundleError(
            f"{uri}: not in the registry {mlflow.get_tracking_uri()} ({message})"
        ) from None


def _experiment(config: TrackingConfig) -> str:
    experiment = mlflow.get_experiment_by_name(config.experiment)
    if experiment is not None:
        return str(experiment.experiment_id)
    local = config.uri.startswith("sqlite:")
    location = Path(config.artifacts).absolute().as_uri() if local else None
    return str(mlflow.create_experiment(config.experiment, artifact_location=location))


def _register(name: str) -> None:
    client = mlflow.MlflowClient()
    run = mlflow.active_run()
    assert run is not None
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        name, source=f"{run.info.artifact_uri}/bundle", run_id=run.info.run_id
    )
    if CHAMPION not in client.get_registered_model(name).aliases:
        # The first version has no rival; later ones are promoted by a person.
        client.set_registered_model_alias(name, CHAMPION, version.version)


def _flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            flat |= _flatten(item, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = item
    return flat
