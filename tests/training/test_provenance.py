from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from detente_training.provenance import environment, freeze, git_commit, machine, thaw


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


def test_the_commit_is_known_in_a_work_tree_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert git_commit() is None
    git("init")
    assert git_commit() is None
    Path("a.txt").write_text("a")
    git("add", "a.txt")
    git("commit", "--no-verify", "-m", "a")
    commit = git_commit()
    assert commit is not None
    assert (len(commit[0]), commit[1]) == (40, False)
    Path("a.txt").write_text("b")
    assert git_commit() == (commit[0], True)
    monkeypatch.setenv("PATH", "")
    assert git_commit() is None


def test_of_a_package_there_twice_the_first_on_the_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, version in (("a", "2.0"), ("b", "1.0")):
        info = tmp_path / folder / "twofold.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: twofold\nVersion: {version}\n")
    for folder in ("b", "a"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert environment()["twofold"] == "2.0"


def test_the_environment_outlives_the_file() -> None:
    versions = environment()
    assert {"python", "detente", "torch"} <= set(versions)
    assert thaw(freeze(versions)) == versions
    assert "cores" in machine()
    assert ", 3 threads" in machine(3)
