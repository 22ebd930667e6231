"""The quick run's model as others use it: through MLflow."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas
import pytest
from mlflow.exceptions import MlflowException

from detente import Tagger
from detente_training.store import missing_store
from tests.conftest import Command, assert_one_line_error

MODEL = "models:/detente/1"
TEXT = "The union is now ready to meet the company halfway."


@pytest.fixture(scope="module")
def served(trained: Path, workplace: Path) -> Iterator[str]:
    """The address of a server of the quick run's model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = [str(Path(sys.executable).parent), os.environ["PATH"]]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", MODEL),
            *("--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)),
        ],
        cwd=workplace,
        env={
            **os.environ,
            "PATH": os.pathsep.join(places),
            "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(f"{address}/ping", server)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def _await(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.3)
        else:
            return
    pytest.fail("the server did not start")


def _post(address: str, rows: list[dict[str, Any]]) -> Any:
    request = urllib.request.Request(
        f"{address}/invocations",
        json.dumps({"dataframe_records": rows}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_mlflow_serves_the_model(served: str, trained: Path) -> None:
    (row,) = _post(served, [{"text": TEXT, "holder": "The union"}])["predictions"]
    reading = Tagger.load(trained / "bundle")(TEXT, "The union")
    for name, prediction in reading:
        assert row[name] == prediction.label
        assert row[f"{name}_probability"] == pytest.approx(prediction.probability, abs=1e-5)
        for label, probability in prediction.probabilities.items():
            assert row[f"{name}_{label}"] == pytest.approx(probability, abs=1e-5)
    assert len(_post(served, [{"text": TEXT}, {"text": "It rained."}])["predictions"]) == 2
    with pytest.raises(urllib.error.HTTPError) as refused:
        _post(served, [{"text": ""}])
    assert refused.value.code == 400
    assert "the text is empty" in json.load(refused.value)["message"]


def test_a_frame_is_read_row_by_row(
    trained: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    mlflow.set_tracking_uri(f"sqlite:///{workplace / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model(MODEL)
    frame = pandas.DataFrame({"text": [TEXT, TEXT], "holder": ["The union", None]}, index=[7, 9])
    read = model.predict(frame)
    assert list(read.index) == [7, 9]
    tagger = Tagger.load(trained / "bundle")
    expected = [tagger(TEXT, "The union").stance.label, tagger(TEXT).stance.label]
    assert read["stance"].tolist() == expected
    assert set(read.columns) == set(model.metadata.signature.outputs.input_names())
    assert model.predict(pandas.DataFrame({"text": [TEXT]}))["stance"].tolist() == expected[1:]
    with pytest.raises(MlflowException, match="holder is longer than the text"):
        model.predict(pandas.DataFrame({"text": ["No."], "holder": ["The union " * 11]}))
    logged = Path(mlflow.artifacts.download_artifacts(MODEL))
    assert not list(logged.rglob("*.pkl"))
    assert "detente==" in (logged / "requirements.txt").read_text()


def test_spark_reads_a_column(
    trained: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spark = pytest.importorskip("pyspark.sql")  # and Java, which pip does not install
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    mlflow.set_tracking_uri(f"sqlite:///{workplace / 'mlflow.db'}")
    builder = spark.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.getOrCreate()
    try:
        read = mlflow.pyfunc.spark_udf(session, MODEL, env_manager="local")
        frame = session.createDataFrame([(TEXT, "The union"), (TEXT, None)], ["text", "holder"])
        rows = frame.select(read("text", "holder").alias("reading")).collect()
    finally:
        session.stop()
    tagger = Tagger.load(trained / "bundle")
    for row, reading in zip(rows, [tagger(TEXT, "The union"), tagger(TEXT)], strict=True):
        for name, prediction in reading:
            assert row.reading[name] == prediction.label
            assert row.reading[f"{name}_probability"] == pytest.approx(
                prediction.probability, abs=1e-5
            )


def test_an_unknown_model_leaves_no_file(
    detente: Command, trained: Path, workplace: Path, tmp_path: Path
) -> None:
    done = detente("classify", TEXT, "-m", "models:/detente@champion", cwd=tmp_path)
    assert_one_line_error(done, "models:/detente@champion: not registered here", "mlflow.db")
    assert not list(tmp_path.iterdir())
    done = detente("classify", TEXT, "-m", "models:/detente@nobody", cwd=workplace)
    assert_one_line_error(done, "not in the registry", "nobody")


def test_servers_known_by_name_are_no_files(tmp_path: Path) -> None:
    assert missing_store("databricks") is None
    assert missing_store("databricks-uc") is None
    assert missing_store(f"sqlite:///{tmp_path}/no.db") == tmp_path / "no.db"
