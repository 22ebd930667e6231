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
    """

    name: str
    text: str
    title: str | None = None
    date: datetime.date | None = None
    byline: str | None = None


@dataclass(frozen=True)
class Failure:
    """An article that could not be read, and why: one line that names the place."""

    name: str
    message: str


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns; None lets the name be detected."""

    text: str | None = None
    id: str | None = None
    date: str | None = None
    title: str | None = None


DETECTED = Columns()


def warn(message: str) -> None:
    """Log a guess that the reader made: what is said where the caller does not listen."""
    logging.getLogger("detente").warning(message)
