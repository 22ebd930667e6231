"""Tables of rows on disk: .jsonl, .csv or .parquet, complete or not there at all."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from detente.errors import InputError
from detente.files import replacing

Row = Mapping[str, Any]
Write = Callable[[Sequence[Row]], None]


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
    try:
        opener = _FORMATS[path.suffix]
    except KeyError:
        raise InputError(f"{path}: unknown ending; use one of {', '.join(_FORMATS)}") from None
    return opener(path, columns)


@contextmanager
def _jsonl(path: Path, columns: Mapping[str, type]) -> Iterator[Write]:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:

        def write(rows: Sequence[Row]) -> None:
            for row in rows:
                cells = {name: row[name] for name in columns}
                stream.write(json.dumps(cells, ensure_ascii=False) + "\n")

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

    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with replacing(path) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as writer:

        def write(rows: Sequence[Row]) -> None:
            if rows:
                writer.write_table(pyarrow.Table.from_pylist(list(rows), schema))

        yield write


_FORMATS: dict[str, Callable[[Path, Mapping[str, type]], AbstractContextManager[Write]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
