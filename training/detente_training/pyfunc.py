"""A bundle as an MLflow pyfunc model: what `mlflow models serve` and `spark_udf` run.

MLflow logs this file itself (models from code): it imports serving alone, and nothing is pickled.
"""

from __future__ import annotations

from typing import Any

import pandas
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from detente.errors import DetenteError
from detente.reading import Reading
from detente.tagger import Tagger

BUNDLE = "bundle"


class BundleModel(PythonModel):  # type: ignore[misc]
    """Reads a frame of statements: ``text``, and where it is known ``holder``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that was logged with the model."""
        self._tagger = Tagger.load(context.artifacts[BUNDLE])

    def predict(
        self,
        context: PythonModelContext,
        model_input: pandas.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pandas.DataFrame:
        """Return one row a statement: each dimension's label, its and every label's probability.

        The columns are named as in the tables of `detente tag --probabilities`.

        Raises:
            MlflowException: an empty text, or a holder longer than its text.
        """
        texts = model_input["text"].tolist()
        holders = [_known(holder) for holder in model_input.get("holder", [None] * len(texts))]
        try:
            readings = self._tagger.classify(texts, holders)
        except DetenteError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None
        rows = [_cells(reading) for reading in readings]
        return pandas.DataFrame(rows, index=model_input.index)


def _known(holder: Any) -> str | None:
    return holder if isinstance(holder, str) and holder.strip() else None


def _cells(reading: Reading) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name, prediction in reading:
        cells[name] = prediction.label
        cells[f"{name}_probability"] = prediction.probability
        for label, probability in prediction.probabilities.items():
            cells[f"{name}_{label}"] = probability
    return cells


set_model(BundleModel())
