"""The MLflow store: a server, or a local file that is never made by looking something up."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from urllib.parse import unquote, urlparse

import mlflow

from detente.errors import InputError

_SERVERS = ("databricks", "databricks-uc")  # that MLflow knows by name


def connect(uri: str) -> None:
    """Use a tracking server or file that exists; nothing is created.

    Raises:
        InputError: it is a file or folder that does not exist.
    """
    quiet()
    if missing := missing_store(uri):
        raise InputError(
            f"{missing}: no MLflow database; run this where the training ran, or set "
            "MLFLOW_TRACKING_URI"
        )
    mlflow.set_tracking_uri(uri)


def missing_store(uri: str) -> Path | None:
    """Return the file or folder of a local tracking URI when it does not exist."""
    if uri in _SERVERS:
        return None
    scheme, _, place = uri.partition(":///")
    if scheme == "sqlite":
        path = Path(unquote(place))
    elif urlparse(uri).scheme in ("", "file"):
        path = Path(unquote(urlparse(uri).path))
    else:
        return None
    return None if path.exists() else path


def quiet() -> None:
    """Keep MLflow from telling of every step."""
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
