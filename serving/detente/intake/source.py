"""What reading yields: an article as read, or why it could not be read."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass

Say = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """An article's text as read, before it is tagged.

    The same file gives the same text each time, so that offsets into it keep their meaning.
    ``kept`` has a table row's cells of `Columns.keep`; of a document it is empty.
    """

    name: str
    text: str
    title: str | None = None
    date: datetime.date | None = None
    byline: str | None = None
    kept: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Failure:
    """An article that could not be read, and why: one line that names the place."""

    name: str
    message: str


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns; None lets the name be detected.

    ``keep`` names columns whose cells are carried along, as text.
    """

    text: str | None = None
    id: str | None = None
    date: str | None = None
    title: str | None = None
    keep: tuple[str, ...] = ()


DETECTED = Columns()


def warn(message: str) -> None:
    """Log a guess that the reader made: what is said where the caller does not listen."""
    logging.getLogger("detente").warning(message)
