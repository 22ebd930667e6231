"""Checks: what was found, what was wanted, and whether it passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One condition, in words for a table."""

    name: str
    found: str
    wanted: str
    passed: bool


def check_table(checks: Sequence[Check]) -> list[list[str]]:
    """Return the rows of a table of checks, its head first."""
    rows = [[c.name, c.found, c.wanted, "passed" if c.passed else "FAILED"] for c in checks]
    return [["check", "found", "wanted", ""], *rows]


def failures(checks: Sequence[Check]) -> str:
    """Return the failed checks on one line; empty when all passed."""
    return "; ".join(f"{c.name} ({c.found}, wanted {c.wanted})" for c in checks if not c.passed)
