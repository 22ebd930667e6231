"""What reading yields: an article as read, or why it could not be read."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from dataclasses import dataclass

from detente.errors import DetenteError
from detente.intake.dates import check_format

Say = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """An article's text as read, before it is tagged.

    The same file gives the same text each time, so that offsets into it keep their meaning. Halves
    of characters are spelt out but in the text. ``kept`` has a table row's cells of
    `Columns.keep`; of a document it is empty.
    """

    name: str
    text: str
    title: str | None = None
    date: datetime.date | None = None
    byline: str | None = None
    kept: tuple[str | None, ...] = ()

    def __post_init__(self) -> None:
        # Tables and lists of errors could not be written with them.
        object.__setattr__(self, "name", without_halves(self.name))
        if self.title is not None:
            object.__setattr__(self, "title", without_halves(self.title))
        kept = tuple(cell and without_halves(cell) for cell in self.kept)
        object.__setattr__(self, "kept", kept)


@dataclass(frozen=True)
class Failure:
    """An article that could not be read, and why: one line that names the place."""

    name: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", without_halves(self.name))
        object.__setattr__(self, "message", without_halves(self.message))

    @classmethod
    def of(cls, name: str, error: Exception) -> Failure:
        """Return the failure that an error is: an unforeseen one gets its place and kind."""
        foreseen = isinstance(error, DetenteError)
        return cls(name, str(error) if foreseen else f"{name}: {type(error).__name__}: {error}")


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns; None lets the name be detected.

    ``keep`` names columns whose cells are carried along, as text. ``date_format`` is tried first on
    dates, as `datetime.strptime` does: "%m/%d/%Y" for 11/02/2026.

    Raises:
        InputError: dates cannot be read by ``date_format``.
    """

    text: str | None = None
    id: str | None = None
    date: str | None = None
    title: str | None = None
    keep: tuple[str, ...] = ()
    date_format: str | None = None

    def __post_init__(self) -> None:
        if self.date_format is not None:
            check_format(self.date_format)


DETECTED = Columns()


def without_halves(text: str) -> str:
    """Return the text with halves of characters spelt out, as of file names that are no UTF-8."""
    return text.encode(errors="backslashreplace").decode()


def warn(message: str) -> None:
    """Log a guess that the reader made: what is said where the caller does not listen."""
    logging.getLogger("detente").warning(message)
