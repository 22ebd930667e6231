"""One quick training that the tests share."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

QUICK = ROOT / "configs" / "quick.yaml"


@pytest.fixture(autouse=True)
def _forget_the_store() -> Iterator[None]:
    """MLflow hands the store that one test uses on to the next, and to every command it runs."""
    yield
    if "mlflow" in sys.modules:
        sys.modules["mlflow"].set_tracking_uri(None)


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    shutil.copytree(ROOT / "data", folder / "data", ignore=shutil.ignore_patterns("articles"))
    return folder


@pytest.fixture(scope="session")
def trained(workplace: Path) -> Path:
    """A quick run that was killed in mid-training and started again."""
    command = [sys.executable, "-m", "detente.cli", "train", str(QUICK)]
    folder = workplace / "runs" / "quick"
    with subprocess.Popen(command, cwd=workplace, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 600
        while not list(folder.glob("checkpoints/checkpoint-*/trainer_state.json")):
            assert process.poll() is None, "training ended before its first checkpoint"
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    assert not (folder / "bundle").exists()
    (first,) = folder.glob("checkpoints/checkpoint-*")
    done = subprocess.run(command, cwd=workplace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "epoch 1:" not in done.stdout, "training began anew instead of going on"
    assert "epoch 2:" in done.stdout
    assert first.is_dir()
    return folder
