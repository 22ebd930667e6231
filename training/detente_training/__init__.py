"""Training side of détente: corpus, model, metrics, calibrated bundles, tracking."""

import os

# A run tells nobody but the tracking server its config names.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
