"""The model registry: bundles as MLflow models, their versions, and the champion among them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from detente import __version__
from detente.bundle import MANIFEST
from detente.codebook import Codebook
from detente.errors import BundleError, InputError
from detente_training.record import Record
from detente_training.store import missing_store, quiet

CHAMPION = "champion"
_BUNDLE = "bundle"
_CODE = Path(__file__).with_name("pyfunc.py")


@dataclass(frozen=True)
class Version:
    """A version of a registered model, and the run that made it."""

    model: str
    number: str
    run_id: str | None

    def __str__(self) -> str:
        return f"{self.model} version {self.number}"


def signature(codebook: Codebook) -> ModelSignature:
    """Return what the logged model takes and gives: a row of columns a statement."""
    text, number = DataType.string, DataType.double
    outputs = []
    for dimension in codebook.dimensions:
        probabilities = ["probability", *dimension.label_names]
        outputs += [
            ColSpec(text, dimension.name),
            *(ColSpec(number, f"{dimension.name}_{name}") for name in probabilities),
        ]
    inputs = [ColSpec(text, "text"), ColSpec(text, "holder", required=False)]
    return ModelSignature(Schema(inputs), Schema(outputs))


def log_bundle(bundle: Path, codebook: Codebook, example: Record) -> str:
    """Log a bundle to the active run as a pyfunc model, made from code; give its URI."""
    rows = pandas.DataFrame({"text": [example.text], "holder": [example.holder or ""]})
    model = mlflow.pyfunc.log_model(
        name="model",
        python_model=str(_CODE),
        artifacts={_BUNDLE: str(bundle)},
        signature=signature(codebook),
        input_example=rows,
        pip_requirements=[f"detente=={__version__}"],
    )
    return str(model.model_uri)


def register(name: str, uri: str) -> None:
    """Register the active run's model as a new version; `detente promote` makes it champion."""
    client = mlflow.MlflowClient()
    run = mlflow.active_run()
    assert run is not None
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    client.create_model_version(
        name, source=uri, run_id=run.info.run_id, model_id=uri.removeprefix("models:/")
    )


def find_version(name: str, run_id: str) -> Version:
    """Return the latest version that a run registered.

    Raises:
        InputError: it registered none.
    """
    versions = mlflow.MlflowClient().search_model_versions(f"name='{name}'")
    numbers = [int(version.version) for version in versions if version.run_id == run_id]
    if not numbers:
        raise InputError(f"{run_id}: the run registered no version of the model '{name}'")
    return Version(name, str(max(numbers)), run_id)


def find_champion(name: str) -> Version | None:
    """Return the version with the alias; None when nothing was promoted yet."""
    client = mlflow.MlflowClient()
    number = client.get_registered_model(name).aliases.get(CHAMPION)
    if number is None:
        return None
    version = client.get_model_version(name, str(number))
    return Version(name, str(number), version.run_id or None)


def crown(version: Version) -> None:
    """Set the alias to a version."""
    mlflow.MlflowClient().set_registered_model_alias(version.model, CHAMPION, version.number)


def download_model(uri: str) -> Path:
    """Return a local folder with a registered bundle, such as ``models:/detente@champion``.

    The registry is MLflow's tracking URI (``MLFLOW_TRACKING_URI``, by default ./mlflow.db).

    Raises:
        BundleError: there is no such model, version or alias.
    """
    quiet()
    registry = mlflow.get_registry_uri()
    if missing := missing_store(registry):
        raise BundleError(
            f"{uri}: not registered here, {_near(missing)} does not exist; run this where the "
            "training ran, or set MLFLOW_TRACKING_URI"
        )
    try:
        folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as error:
        message = str(error).splitlines()[0][:200]
        raise BundleError(f"{uri}: not in the registry {registry} ({message})") from None
    inside = folder / "artifacts" / _BUNDLE
    return inside if (inside / MANIFEST).is_file() else folder


def _near(path: Path) -> str:
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near
