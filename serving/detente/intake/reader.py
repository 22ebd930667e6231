"""Articles from files: documents of one article each, tables of many, folders of either."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from detente.errors import InputError
from detente.files import read_bytes, reading
from detente.intake.charset import decode
from detente.intake.exports import tell_several
from detente.intake.listing import ENDINGS, STDIN, TABLES, ending, list_files, named_files
from detente.intake.markup import read_html, read_markdown
from detente.intake.office import read_docx, read_pdf
from detente.intake.rows import check_columns, read_table
from detente.intake.source import DETECTED, Columns, Failure, Say, Source, warn
from detente.intake.tags import without_tags

__all__ = [
    "ENDINGS",
    "Columns",
    "Entry",
    "Failure",
    "Source",
    "check_tables",
    "count_articles",
    "entries",
    "list_files",
    "read_articles",
]


@dataclass(frozen=True)
class Entry:
    """One article among the inputs: number ``item`` of file number ``file``, both from 0.

    A document is read only when asked for; a row of a table has been read already.
    """

    file: int
    item: int
    content: Path | Source | Failure = field(repr=False)

    def read(self, say: Say = warn) -> Source | Failure:
        """Return the article, or why it cannot be read; ``say`` is called with each guess."""
        return _read_document(self.content, say) if isinstance(self.content, Path) else self.content


def entries(
    files: Sequence[Path],
    columns: Columns = DETECTED,
    *,
    start: tuple[int, int] = (0, 0),
    say: Say = warn,
) -> Iterator[Entry]:
    """Yield the articles among ``files``, in order; a table is never held in memory.

    Args:
        files: what `list_files` returns.
        columns: the names of the tables' columns; those that are None are detected.
        start: file and item of the first article to yield. The documents before it are not
            opened; the rows before it are passed over.
        say: called with each guess, such as a detected column or encoding.
    """
    first, skip = start
    ids: set[int] = set()
    for file in range(first, len(files)):
        passed = skip if file == first else 0
        if ending(files[file]) in TABLES:
            articles = read_table(files[file], columns, skip=passed, say=say, ids=ids)
            for item, article in enumerate(articles, start=passed):
                yield Entry(file, item, article)
        elif not passed:
            path = files[file]
            # Another process has another standard input.
            yield Entry(file, 0, _read_document(path, say) if path == STDIN else path)


def check_tables(
    files: Iterable[Path], named: Collection[Path], columns: Columns = DETECTED, say: Say = warn
) -> None:
    """Look at the columns of every table before the first article is read.

    Args:
        files: the inputs.
        named: those that the user names one by one.
        columns: the names of the tables' columns; those that are None are detected.
        say: called with why a table that a search found will not be read.

    Raises:
        InputError: a table that is named has no column of text, or none of them the one that
            ``columns`` names.
    """
    tables = [file for file in files if ending(file) in TABLES]
    for file in tables:
        try:
            check_columns(file, columns)
        except InputError as error:
            if file in named:
                raise
            say(str(error))
    mistyped = []
    for file in (file for file in tables if file in named and columns.text is not None):
        try:
            check_columns(file, columns, strict=True)
        except InputError as error:
            mistyped.append(error)
        else:
            return
    if mistyped:
        raise mistyped[0]


def count_articles(files: Sequence[Path]) -> int | None:
    """Return how many articles the files hold, or None where only reading a table would tell."""
    return None if any(ending(file) in TABLES for file in files) else len(files)


def read_articles(
    paths: Sequence[str | Path],
    columns: Columns = DETECTED,
    *,
    on_failure: Callable[[Failure], None] | None = None,
    say: Say = warn,
) -> Iterator[Source]:
    """Return an iterator over the articles that ``paths`` name.

    Args:
        paths: files, folders, patterns, lists and ``-``, see `list_files`. Tables that
            ``detente tag`` wrote are left out.
        columns: the names of the tables' columns; those that are None are detected; and how
            their dates are written.
        on_failure: called with each article that cannot be read, before the reading goes on.
        say: called with each guess, such as a detected column or encoding; logged by default.

    Raises:
        InputError: a path names no article; or, without ``on_failure``, one cannot be read.

    >>> from detente.intake.reader import read_articles
    >>> for source in read_articles(["data/articles"]):  # doctest: +SKIP
    ...     print(source.name, len(source.text))
    """
    listed = list_files(paths, say=say)
    files = without_tags(listed, named_files(paths), say)
    if not files:
        raise InputError(f"{listed[0]}: is what detente tag wrote, and no article is there")
    return _articles(entries(files, columns, say=say), on_failure, say)


def _articles(
    found: Iterator[Entry], on_failure: Callable[[Failure], None] | None, say: Say
) -> Iterator[Source]:
    for entry in found:
        article = entry.read(say)
        if isinstance(article, Source):
            yield article
        elif on_failure is None:
            raise InputError(article.message)
        else:
            on_failure(article)


def _read_document(path: Path, say: Say) -> Source | Failure:
    place = str(path)
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIN else reading(path) as stream:
            raw = read_bytes(stream, place)
        if not raw.strip():
            raise InputError(f"{place}: is empty")
        kind = ending(path) or ".txt"
        source = _READERS[kind](raw, place, say)
        if not source.text.strip():
            raise InputError(f"{place}: is empty")
        if kind not in (".html", ".htm"):  # of which the page itself is looked at
            tell_several(source.text, place, say)
        return source
    except InputError as error:
        return Failure(place, str(error))


def _read_plain(raw: bytes, place: str, say: Say) -> Source:
    return Source(place, decode(raw, place, say))


_READERS: dict[str, Callable[[bytes, str, Say], Source]] = {
    ".txt": _read_plain,
    ".md": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".docx": read_docx,
    ".pdf": read_pdf,
}
