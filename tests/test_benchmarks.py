"""The benchmarks: each starts, and finds in the README the tables that it writes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "benchmarks"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if "__main__" in path.read_text())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_benchmark_tells_how_it_is_used(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, path, "--help"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def _figures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("figures", FOLDER / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_figures_go_into_their_own_table_of_the_readme() -> None:
    module = _figures()
    lines = (ROOT / "README.md").read_text(encoding="utf-8").split("\n")
    for title in module.TITLES.values():
        written = list(module.rewrite(lines, {title: {"détente": ["new"]}}))
        (place,) = (n for n, line in enumerate(written) if line == "| détente | new |")
        heading = max(n for n in range(place) if lines[n].startswith(("**", "#")))
        assert lines[heading].startswith(title)
        assert [line for n, line in enumerate(written) if n != place] == [
            line for n, line in enumerate(lines) if n != place
        ]
