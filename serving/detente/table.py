"""Tables of rows on disk: .jsonl, .csv or .parquet, complete or not there at all."""

from __future__ import annotations

import csv
import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detente.errors import InputError
from detente.files import replacing

if TYPE_CHECKING:
    import pyarrow

Row = Mapping[str, Any]
Write = Callable[[Sequence[Row]], None]

_GROUP_ROWS = 50_000  # many small row groups make a Parquet file large and slow to read


def writing(path: str | Path, columns: Mapping[str, type]) -> AbstractContextManager[Write]:
    """Open a table for writing; the format follows the ending.

    The file appears under its name when the block ends well, and not otherwise.

    Args:
        path: a name that ends in .jsonl, .csv or .parquet.
        columns: the columns' names and types, in order.

    Raises:
        InputError: another ending, or a place that cannot be written.
    """
    path = Path(path)
    check_ending(path)
    return _FORMATS[path.suffix.lower()](path, columns)


def check_ending(path: Path) -> None:
    """Refuse a table name of another kind.

    Raises:
        InputError: another ending than .jsonl, .csv or .parquet.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path}: unknown ending; use one of {', '.join(_FORMATS)}")


@contextmanager
def _jsonl(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:

        def write(rows: Sequence[Row]) -> None:
            for row in rows:
                cells = {name: row[name] for name in columns}
                stream.write(json.dumps(cells, ensure_ascii=False, default=str) + "\n")

        yield write


@contextmanager
def _csv(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(columns))
        writer.writeheader()
        yield writer.writerows


@contextmanager
def _parquet(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    import pyarrow
    import pyarrow.parquet

    schema = arrow_schema(columns)
    waiting: list[pyarrow.Table] = []
    with replacing(path) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as writer:

        def write(rows: Sequence[Row]) -> None:
            waiting.append(pyarrow.Table.from_pylist(list(rows), schema))
            if sum(table.num_rows for table in waiting) >= _GROUP_ROWS:
                flush()

        def flush() -> None:
            if waiting:
                writer.write_table(pyarrow.concat_tables(waiting))
                waiting.clear()

        yield write
        flush()


def arrow_schema(columns: Mapping[str, type]) -> pyarrow.Schema:
    """Return the columns' Arrow schema."""
    import pyarrow

    kinds = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        datetime.date: pyarrow.date32(),
    }
    return pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])


_FORMATS: dict[str, Callable[[Path, Mapping[str, type]], AbstractContextManager[Write]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
