from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from detente import Codebook, Tagger

ROOT = Path(__file__).parent.parent
Command = Callable[..., "subprocess.CompletedProcess[str]"]

# The user's own servers, clusters and terminals stay out of it, and the tests off the network.
for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "RAY_ADDRESS", "COLUMNS", "FORCE_COLOR"):
    os.environ.pop(name, None)
os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "HF_HUB_OFFLINE": "1"}
for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))

# A busy machine is no failure.
settings.register_profile("detente", deadline=None)
settings.load_profile("detente")


@pytest.fixture(scope="session")
def codebook() -> Codebook:
    return Codebook.load(ROOT / "data" / "codebook.yaml")


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return Tagger.load()


@pytest.fixture(scope="session")
def detente() -> Command:
    """Run the real command in a process of its own."""

    def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "detente.cli", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture
def soon() -> Iterator[None]:
    """Fail a test that computes for more than a minute; time that others take does not count."""

    def ring(*_: object) -> None:
        raise AssertionError("takes more than a minute of CPU time")

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, 60)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def assert_one_line_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """A mendable error: status 2, one line on stderr that holds the words, no traceback."""
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("detente: ")
    for word in words:
        assert word in lines[0], f"{word!r} not in {lines[0]!r}"
