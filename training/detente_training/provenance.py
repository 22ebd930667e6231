"""Where a run was made: the commit, the installed packages, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import torch


def git_commit() -> tuple[str, bool] | None:
    """Return the commit of the folder's work tree, and whether tracked files differ from it.

    None outside a work tree, before its first commit, or without git.
    """
    head = _git("rev-parse", "HEAD")
    if not head:
        return None
    return head, bool(_git("status", "--porcelain", "--untracked-files=no"))


def environment() -> dict[str, str]:
    """Return the version of Python and of each installed package, sorted by name."""
    found: dict[str, str] = {}
    for package in distributions():
        if name := package.metadata["Name"]:
            found.setdefault(name, package.version)  # the first on the path is the one imported
    packages = dict(sorted(found.items(), key=lambda item: item[0].lower()))
    return {"python": platform.python_version(), **packages}


def freeze(versions: dict[str, str]) -> str:
    """Return versions as ``name==version`` lines, as `pip freeze` prints them."""
    (_, python), *packages = versions.items()
    lines = [f"# python=={python}", *(f"{name}=={version}" for name, version in packages)]
    return "\n".join(lines) + "\n"


def thaw(text: str) -> dict[str, str]:
    """Return the versions that `freeze` wrote."""
    pairs = (line.removeprefix("# ").partition("==") for line in text.splitlines())
    return {name: version for name, _, version in pairs if version}


def machine(threads: int = 0) -> str:
    """Return the kind of machine: system, processor, cores, torch's threads, GPU if any.

    Weights are equal bit by bit only between machines that agree in these: how many threads share
    a sum decides in which order its parts are added.

    Args:
        threads: those of the training; 0 are as many as torch has chosen.
    """
    shared = f", {threads or torch.get_num_threads()} threads"
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return hardware() + shared + gpu


def hardware() -> str:
    """Return the machine's system, processor and cores: all that earlier versions logged of it."""
    cores = os.cpu_count() or 1
    return f"{platform.system()} {platform.machine()}, {_processor()}, {cores} cores"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown processor")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
