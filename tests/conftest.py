from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detente import Codebook, Tagger

ROOT = Path(__file__).parent.parent
Command = Callable[..., "subprocess.CompletedProcess[str]"]


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


def assert_one_line_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """A mendable error: status 2, one line on stderr that holds the words, no traceback."""
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("detente: ")
    for word in words:
        assert word in lines[0], f"{word!r} not in {lines[0]!r}"
