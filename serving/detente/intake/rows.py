"""Articles in tables: .jsonl, .csv, .tsv and .parquet, row by row, however long the table."""

from __future__ import annotations

import csv
import datetime
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

from detente.errors import InputError
from detente.files import parse_object, reading
from detente.intake.charset import UNDECODED, opening
from detente.intake.dates import parse_date
from detente.intake.listing import ending
from detente.intake.markup import plain_html
from detente.intake.source import Columns, Failure, Say, Source
from detente.intake.tags import are_tags

Found = Source | Failure

_Record = TypeVar("_Record")

LONGEST = 16_000_000  # characters of a row
_REREAD = 64 * LONGEST  # characters of a table that are read anew at most
_TOO_LONG = f"is longer than the {LONGEST // 10**6} million characters a row may have"

_NAMES = {
    "text": (
        *("text", "body", "content", "article", "full_text", "fulltext", "article_text"),
        *("article_body", "articlebody", "body_text", "maintext", "main_text", "plain_text"),
        *("content_text", "story", "document"),
    ),
    "id": (
        *("id", "article_id", "articleid", "doc_id", "docid", "document_id", "uid", "uuid"),
        *("guid", "url", "link", "uri", "permalink", "source_url", "article_url"),
    ),
    "date": (
        *("date", "published", "published_at", "publishedat", "publication_date", "published_date"),
        *("publish_date", "date_published", "datepublished", "date_publish", "pub_date"),
        *("pubdate", "publishdate", "article_date", "datetime", "created_at"),
    ),
    "title": ("title", "headline", "article_title", "heading", "head"),
}
_EMPTY = {"", "nan", "null", "none", "n/a"}  # what programs write where there is no value
_HEAD = 20  # lines of a .jsonl file that columns are detected from,
_HEAD_LENGTH = 1_000_000  # or fewer of them that have as many characters


class _ColumnError(InputError):
    """A table whose columns are not those that are needed."""


def check_columns(path: Path, columns: Columns, *, strict: bool = False) -> None:
    """Refuse a table without the columns that are needed, from its head alone.

    Whatever else is wrong with it, `read_table` tells.

    Args:
        path: the table.
        columns: its columns' names; those that are None are detected.
        strict: a column of text that is named must be there, or else it is detected as well.

    Raises:
        InputError: no column holds the text; or one that is named is not there, or there twice.
    """
    log = _Log(lambda _: None, strict=strict)
    try:
        next(_READERS[ending(path) or ""](path, columns, 0, log.say, log), None)
    except _ColumnError:
        raise
    except InputError:
        pass


def read_table(
    path: Path, columns: Columns, *, skip: int, say: Say, ids: set[int] | None = None
) -> Iterator[Found]:
    """Yield the articles of a table, or why one, or the rest of them, could not be read.

    An article is named by its id, without one by its place: ``path:line`` of the line where it
    begins, or ``path:row`` in a .parquet file.

    Args:
        path: the table.
        columns: its columns' names; a name that is None is detected, and said aloud.
        skip: how many articles, the bad ones included, to leave out at the start.
        say: called with what is detected or guessed, and with the first date that cannot be read;
            and before the last article with how many dates could not be read and how many ids
            repeat, those left out not counted.
        ids: hashes of the ids of other tables, which this one's may repeat and are added to.
    """
    ids = set() if ids is None else ids
    log = _Log(lambda note: say(f"{path}: {note}"), columns.date_format, ids)
    held: Found | None = None
    for article in _articles(path, columns, skip, say, log):
        if held is not None:
            yield held
        held = article
    for note in log.notes():
        say(f"{path}: {note}")
    if held is not None:
        yield held


def _articles(path: Path, columns: Columns, skip: int, say: Say, log: _Log) -> Iterator[Found]:
    try:
        yield from _READERS[ending(path) or ""](path, columns, skip, say, log)
    except InputError as error:
        if log.passed >= skip:  # or else it is among those left out
            yield Failure(str(path), str(error))


@dataclass
class _Cases:
    """A count and the first of what is counted."""

    count: int = 0
    first: object = None

    def add(self, value: object) -> None:
        if not self.count:
            self.first = value
        self.count += 1

    def __str__(self) -> str:
        return f"{self.count}, for example {str(self.first)[:60]!r}"


@dataclass
class _Log:
    """How many rows of a table are passed, and what is odd about those that were read."""

    say: Say
    date_format: str | None = None
    ids: set[int] = field(default_factory=set)  # their hashes: in memory, ids may be too long
    strict: bool = False  # no other column of text than the given will do
    passed: int = 0
    marked_up: bool = False
    repeated: _Cases = field(default_factory=_Cases)
    undated: _Cases = field(default_factory=_Cases)
    late: set[str] = field(default_factory=set)  # columns that the first rows do not have

    def name(self, value: object, place: str) -> str:
        """Return a row's id, or its place where it has none."""
        name = _string(value)
        if name is None:
            return place
        if hash(name) in self.ids:
            self.repeated.add(name)
        self.ids.add(hash(name))
        return name

    def date(self, value: object) -> datetime.date | None:
        """Return a row's date."""
        date = parse_date(value, self.date_format)
        if date is None and value is not None:
            if not self.undated.count:  # with all others it is told at the end, hours later
                hint = "write it as 2003-09-29, or give its --date-format"
                self.say(f"date {str(value)[:60]!r} cannot be read; {hint}")
            self.undated.add(value)
        return date

    def text(self, value: str) -> str:
        """Return a row's text, without its markup if it has any."""
        text = plain_html(value)
        if text != value and not self.marked_up:
            self.say("the texts hold HTML; read without its tags, entities as characters")
            self.marked_up = True
        return text

    def notes(self) -> Iterator[str]:
        """Yield what there is to say of the table."""
        if self.undated.count:
            yield f"dates that cannot be read, left empty: {self.undated}"
        if self.repeated.count:
            yield f"rows with the id of an earlier one: {self.repeated}"


class _Lines:
    """The lines of an open table; refused, and passed over, is a row longer than `LONGEST`."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self.place = str(path)
        self._path, self._stream = path, stream
        self._number = self._length = self._reread = 0
        self._taken: list[str] = []  # lines of the record at hand
        self._again: deque[str] = deque()

    def __iter__(self) -> _Lines:
        return self

    def peek(self) -> str:
        """Return the first line that is not blank, to be yielded again; "" if there is none."""
        line = next((line for line in self if line.strip()), "")
        self._repeat([line] if line else [])
        return line

    def _repeat(self, lines: Sequence[str]) -> None:
        self._again.extendleft(reversed(lines))
        self._number -= len(lines)

    def _read(self) -> str:
        line = rest = self._stream.readline(LONGEST + 1)
        while len(line) > LONGEST and rest and rest[-1] not in "\r\n":
            rest = self._stream.readline(_HEAD_LENGTH)
        return line

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self._number += 1
        self._length += len(line)
        self._taken.append(line)
        if self._length > LONGEST:
            raise InputError(f"{self.place}: {_TOO_LONG}; is a quotation mark never closed?")
        return line

    def records(self, source: Iterator[_Record]) -> Iterator[tuple[str, _Record | InputError]]:
        """Yield what ``source`` makes of the lines, each with the place where it begins.

        Of lines that make no record, all but the first are read anew: a quotation mark that is
        never closed takes in the good ones after it. Where that happens at every other line, the
        rest of the table is given up, or it would take hours.
        """
        while True:
            first = self._number + 1
            self.place = f"{self._path}:{first}"
            self._length = 0
            self._taken.clear()
            try:
                record = next(source)
            except StopIteration:
                return
            except (csv.Error, InputError) as error:
                reason = str(error)
                if isinstance(error, csv.Error):
                    reason = f"{self.place}: not a row of a table ({error})"
                self._reread += sum(map(len, self._taken[1:]))
                if self._reread > _REREAD:
                    reason += "; after so many such rows the rest of the table is not read"
                    yield self.place, InputError(reason)
                    return
                if self._number > first:
                    lines = f"lines {first} to {self._number}"
                    reason += f"; it takes in {lines}, all but the first of which are read anew"
                self._repeat(self._taken[1:])
                yield self.place, InputError(reason)
            else:
                yield self.place, record


def _read_jsonl(path: Path, columns: Columns, skip: int, say: Say, log: _Log) -> Iterator[Found]:
    with opening(path, say) as stream:
        lines = _Lines(stream, path)
        rows = (row for row in lines.records(lines) if not _is_blank(row[1]))
        head = _take_head(rows)
        if not head:
            raise InputError(f"{path}: is empty")
        known = [value for row in head if isinstance(value := _parse_json(*row), dict)]
        names = list(dict.fromkeys(name for value in known for name in value))
        # Where no line can be read there is nothing to detect, and each line says why.
        chosen = (
            _choose(path, names, columns, say, log, whole=False)
            if known
            else Columns("text", keep=columns.keep)
        )
        for place, line in itertools.chain(head, rows):
            if log.passed >= skip:
                row = _parse_json(place, line)
                yield _article(place, row, _with_late(row, chosen, log), log)
            log.passed += 1


def _with_late(row: dict[str, Any] | InputError, chosen: Columns, log: _Log) -> Columns:
    """Return a row's columns, with those that no row of the file's head has.

    Many programs leave out what is empty. Each row is looked at by itself, so that a run that goes
    on in mid-file finds the same.
    """
    roles = [role for role in ("id", "date", "title") if getattr(chosen, role) is None]
    if isinstance(row, InputError) or not roles:
        return chosen
    taken = {chosen.text, chosen.id, chosen.date, chosen.title}
    names = [name for name in row if name not in taken]
    late = {role: name for role in roles if (name := _find(names, _NAMES[role])) is not None}
    for role, name in late.items():
        if name not in log.late:
            log.late.add(name)
            log.say(f"{role} is column {name!r}, which the first rows do not have")
    if not late:
        return chosen
    return replace(
        chosen,
        id=late.get("id", chosen.id),
        date=late.get("date", chosen.date),
        title=late.get("title", chosen.title),
    )


def _is_blank(line: str | InputError) -> bool:
    return isinstance(line, str) and not line.strip()


def _take_head(
    rows: Iterator[tuple[str, str | InputError]],
) -> list[tuple[str, str | InputError]]:
    head: list[tuple[str, str | InputError]] = []
    length = 0
    for row in itertools.islice(rows, _HEAD):
        head.append(row)
        length += len(row[1]) if isinstance(row[1], str) else 0
        if length > _HEAD_LENGTH:
            break
    return head


def _parse_json(place: str, line: str | InputError) -> dict[str, Any] | InputError:
    if isinstance(line, InputError):
        return line
    if UNDECODED in line:
        return _undecoded(place)
    try:
        return parse_object(line, place)
    except InputError as error:
        return error


def _read_csv(path: Path, columns: Columns, skip: int, say: Say, log: _Log) -> Iterator[Found]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    with opening(path, say) as stream:
        lines = _Lines(stream, path)
        first = lines.peek()
        if not first:
            raise InputError(f"{path}: is empty")
        reader = csv.reader(lines, delimiter=_delimiter(path, first, say), strict=True)
        records = ((place, row) for place, row in lines.records(reader) if row)
        _, header = next(records)
        if isinstance(header, InputError):
            raise header
        chosen = _choose(path, header, columns, say, log)
        for place, row in records:
            if log.passed >= skip:
                yield _article(place, _parse_row(place, row, header, chosen), chosen, log)
            log.passed += 1
        if not log.passed:
            raise InputError(f"{path}: holds no row below its header")


def _delimiter(path: Path, header: str, say: Say) -> str:
    if ending(path) == ".tsv":
        return "\t"
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = max(",;\t|", key=header.count)
    if delimiter != ",":
        say(f"{path}: columns are parted by {delimiter!r}")
    return delimiter


def _parse_row(
    place: str, row: list[str] | InputError, header: Sequence[str], chosen: Columns
) -> dict[str, Any] | InputError:
    if isinstance(row, InputError):
        return row
    if any(UNDECODED in cell for cell in row):
        return _undecoded(place)
    if len(row) < _least(header, chosen) or any(row[len(header) :]):
        return InputError(f"{place}: has {len(row)} cells; the header has {len(header)}")
    return dict(zip(header, row, strict=False))


def _least(header: Sequence[str], chosen: Columns) -> int:
    """Return how many cells a row must have.

    Spreadsheets leave out empty cells at the end of a row. But a text that is the last cell of a
    short row may have been cut by a line break that is not quoted.
    """
    used = {chosen.id, chosen.date, chosen.title, *chosen.keep} & set(header)
    text = header.index(chosen.text or "") + 2
    return min(len(header), max([text, *(header.index(str(name)) + 1 for name in used)]))


def _read_parquet(path: Path, columns: Columns, skip: int, say: Say, log: _Log) -> Iterator[Found]:
    import pyarrow.parquet

    with reading(path) as stream:
        try:
            with pyarrow.parquet.ParquetFile(stream, buffer_size=1 << 16) as file:
                chosen = _choose(path, file.schema_arrow.names, columns, say, log)
                if not file.metadata.num_rows:
                    raise InputError(f"{path}: holds no row")
                for row in _parquet_rows(file, chosen, skip, log):
                    place = f"{path}:{log.passed + 1}"
                    is_bad = UNDECODED in row.values()
                    yield _article(place, _undecoded(place) if is_bad else row, chosen, log)
        except InputError:
            raise
        except Exception as error:  # of a damaged file any part may fail, and in any way
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise InputError(f"{path}: cannot be read as a .parquet file ({reason})") from None


def _parquet_rows(file: Any, chosen: Columns, skip: int, log: _Log) -> Iterator[dict[str, Any]]:
    wanted = {chosen.text, chosen.id, chosen.date, chosen.title, *chosen.keep}
    names = [name for name in file.schema_arrow.names if name in wanted]
    groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    group = 0
    while group < len(groups) and log.passed + groups[group] <= skip:
        log.passed += groups[group]
        group += 1
    # One row at a time: a file of a few bytes may hold the same endless text over and over.
    rows = file.iter_batches(
        1, row_groups=list(range(group, len(groups))), columns=names, use_threads=False
    )
    for row in rows:
        if log.passed >= skip:
            yield {name: _cell(row.column(name)[0]) for name in names}
        log.passed += 1


def _cell(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return UNDECODED
    except (ValueError, OverflowError):  # a time beyond what Python's can hold
        return None


def _choose(
    path: Path,
    names: Sequence[str],
    columns: Columns,
    say: Say,
    log: _Log,
    *,
    whole: bool = True,
) -> Columns:
    """Return the columns to read, each by its own name or None where there is none.

    ``whole`` tells that no other column than ``names`` may turn up.
    """
    text = columns.text
    is_missing = text is not None and _find(names, [text]) is None
    if is_missing and not log.strict and _find(names, _NAMES["text"]):
        say(f"{path}: no column {text!r} here, and its text is looked for by the usual names")
        columns = replace(columns, text=None)
    if columns.text is None and are_tags(names):
        raise _ColumnError(
            f"{path}: is a table that detente tag wrote; give it articles, or --text-column if "
            "this is a table of them"
        )
    chosen: dict[str, str | None] = {}
    for role in _NAMES:
        given: str | None = getattr(columns, role)
        if given is not None:
            chosen[role] = _find(names, [given])
            if chosen[role] is None and (whole or role == "text"):
                raise _ColumnError(f"{path}: no column {given!r}; found {_list(names)}")
            chosen[role] = chosen[role] or given
    taken = set(chosen.values())
    detected = {
        role: name
        for role, usual in _NAMES.items()
        if role not in chosen and (name := _find([n for n in names if n not in taken], usual))
    }
    if "text" not in chosen | detected:
        raise _ColumnError(
            f"{path}: no column of text; found {_list(names)}; name it with --text-column, "
            f"or call it {_list(_NAMES['text'][:4])}"
        )
    keep = tuple(_find(names, [name]) or name for name in columns.keep)
    for name in (*(chosen | detected).values(), *keep):
        if names.count(name) > 1:
            raise _ColumnError(f"{path}: column {name!r} is there twice; rename one of them")
    if detected:
        found = ", ".join(f"{role} is column {name!r}" for role, name in detected.items())
        say(f"{path}: {found}")
    where = "" if whole else " in the first rows"
    for role, name in chosen.items():
        if name not in names:
            say(f"{path}: no column {name!r}{where}, given as {role}; found {_list(names)}")
    missing = [name for name in keep if name not in names]
    if missing:
        say(f"{path}: no column {_list(missing)}{where} to keep; found {_list(names)}")
    roles = chosen | detected
    return Columns(roles["text"], roles.get("id"), roles.get("date"), roles.get("title"), keep)


def _find(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Return the first of ``wanted`` among ``names``, each as written or else in another case."""
    alike = {_fold(name): name for name in reversed(names)}
    found = (name if name in names else alike.get(_fold(name)) for name in wanted)
    return next((name for name in found if name is not None), None)


def _fold(name: str) -> str:
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:12])
    return shown + (", ..." if len(names) > 12 else "") if names else "none"


def _article(place: str, row: Mapping[str, Any] | InputError, chosen: Columns, log: _Log) -> Found:
    if isinstance(row, InputError):
        return Failure(place, str(row))
    name = log.name(_filled(row, chosen.id), place)
    cell = _filled(row, chosen.text)
    if isinstance(cell, str) and len(cell) > LONGEST:
        return Failure(name, f"{place}: {_TOO_LONG}")
    text = log.text(cell) if isinstance(cell, str) else ""
    if not text:
        return Failure(name, f"{place}: no {chosen.text!r}; every row needs one")
    if "\0" in text:
        return Failure(name, f"{place}: the text holds a NUL character")
    title = _string(_filled(row, chosen.title))
    date = log.date(_filled(row, chosen.date))
    kept = tuple(_kept(_filled(row, column)) for column in chosen.keep)
    return Source(name, text, title=title, date=date, kept=kept)


def _value(row: Mapping[str, Any], column: str | None) -> Any:
    # A column may have no name: to_csv of pandas gives its row numbers none.
    value = None if column is None else row.get(column)
    return value if value == value else None  # which nan is not


def _filled(row: Mapping[str, Any], column: str | None) -> Any:
    value = _value(row, column)
    return None if isinstance(value, str) and value.strip()[:5].lower() in _EMPTY else value


def _string(value: object) -> str | None:
    if isinstance(value, str | int | float):
        return str(value).strip() or None
    return None


def _kept(value: Any) -> str | None:
    """Return a cell that is carried along as text; None if it is empty."""
    if value is None:
        return None
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value).strip() or None


def _undecoded(place: str) -> InputError:
    return InputError(f"{place}: not in the encoding that the file begins with; convert it first")


_READERS: dict[str, Callable[[Path, Columns, int, Say, _Log], Iterator[Found]]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
}
