"""A tagged article: statements with offsets, the parties found in them, and their readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from detente.codebook import Codebook
from detente.reading import Reading


@dataclass(frozen=True)
class Mention:
    """A party's name in a text; ``text`` is what stands between ``start`` and ``end``."""

    text: str
    start: int
    end: int
    actor: str | None = None


@dataclass(frozen=True)
class Holder:
    """A party named in a statement and the reading of its position; no mention, no party."""

    mention: Mention | None
    reading: Reading


@dataclass(frozen=True)
class Statement:
    """A statement, numbered from 1; ``article.text[start:end]`` is its text."""

    number: int
    start: int
    end: int
    text: str
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class Article:
    """An article and what its statements say."""

    name: str
    text: str
    statements: tuple[Statement, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat row for each (statement, holder); see `columns`."""
        return [
            {
                "article": self.name,
                "statement": statement.number,
                "start": statement.start,
                "end": statement.end,
                "text": statement.text,
                "holder": holder.mention.text if holder.mention else None,
                **_cells(holder.reading),
            }
            for statement in self.statements
            for holder in statement.holders
        ]


def columns(codebook: Codebook) -> dict[str, type]:
    """Return the names and types of a row's cells."""
    cells: dict[str, type] = {
        "article": str,
        "statement": int,
        "start": int,
        "end": int,
        "text": str,
        "holder": str,
    }
    for dimension in codebook.dimensions:
        cells[dimension.name] = str
        cells[f"{dimension.name}_probability"] = float
    return cells


def _cells(reading: Reading) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name, prediction in reading:
        cells[name] = prediction.label
        cells[f"{name}_probability"] = prediction.probability
    return cells
