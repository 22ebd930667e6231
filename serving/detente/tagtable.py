"""Tables of tags, read back in batches and checked: .parquet, .csv or .jsonl."""

from __future__ import annotations

import csv
import datetime
import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from detente.codebook import Codebook, Dimension
from detente.errors import InputError
from detente.files import read_jsonl
from detente.picture import clean

_EPOCH = datetime.date(1970, 1, 1).toordinal()

_BATCH_ROWS = 65_536


def list_tables(paths: str | Path | Sequence[str | Path], output: Path | None = None) -> list[Path]:
    """Return the tag tables that ``paths`` name, each once, in order.

    Args:
        paths: files, and patterns with ``*``, ``?`` or ``[``, where ``**`` stands for any depth;
            errors and parts of runs do not match.
        output: a file that is going to be written; it matches no pattern.

    Raises:
        InputError: a pattern that matches no table, or ``output`` is named.
    """
    found: dict[Path, Path] = {}
    for path in [paths] if isinstance(paths, str | Path) else paths:
        for file in _matches(str(path), output):
            found.setdefault(file.resolve(), file)
    return list(found.values())


def _matches(path: str, output: Path | None) -> list[Path]:
    written = output.resolve() if output else None
    if not glob.has_magic(path) or Path(path).exists():
        if Path(path).resolve() == written:
            raise InputError(f"{path}: would be written over; give another --output")
        return [Path(path)]
    files = map(Path, sorted(glob.glob(path, recursive=True)))
    found = [file for file in files if _is_table(file) and file.resolve() != written]
    if not found:
        raise InputError(f"{path}: matches no table in {', '.join(_FORMATS)}")
    return found


def _is_table(file: Path) -> bool:
    is_written = file.name.endswith(".errors.jsonl") or file.parent.suffix == ".parts"
    return file.suffix.lower() in _FORMATS and file.is_file() and not is_written


@dataclass(frozen=True)
class Batch:
    """Some rows of a tag table.

    Attributes:
        path: the table.
        first: the number, from 1, that the first of the rows has in the table.
        rows: an arrow record batch.
    """

    path: Path
    first: int
    rows: Any

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def texts(self, name: str) -> Any:
        """Return a column as arrow strings.

        Raises:
            InputError: its cells are no values, but lists for example.
        """
        import pyarrow

        column = self.rows.column(name)
        try:
            return column.cast(pyarrow.string())
        except pyarrow.ArrowException:
            raise InputError(
                f"{self.path}: column '{name}' holds {column.type}; expected text"
            ) from None

    def labels(self, dimension: Dimension) -> Any:
        """Return the labels of a dimension as arrow strings.

        Raises:
            InputError: one that the codebook does not have.
        """
        labels = self.texts(dimension.name)
        for label in labels.unique().to_pylist():
            if label and label not in dimension.label_names:
                raise InputError(
                    f"{self.path}: column '{dimension.name}' holds {label!r}, which the codebook "
                    f"does not have ({', '.join(dimension.label_names)}); "
                    "name the model that made the table with --model"
                )
        return labels

    def values(self, name: str, kind: Any, wanted: str) -> Any:
        """Return a column as values of an arrow type.

        Args:
            name: the column.
            kind: the arrow type.
            wanted: what a cell should be, for the message.

        Raises:
            InputError: a cell that is none.
        """
        import pyarrow

        column = self.rows.column(name)
        try:
            values = column.cast(kind, safe=pyarrow.types.is_string(column.type))
            if not (pyarrow.types.is_date(kind) and (found := _beyond(values)) is not None):
                return values
            row, value = found, column[found].cast(pyarrow.string()).as_py()
        except pyarrow.ArrowException:
            row, value = _first_bad(column, kind)
        raise InputError(
            f"{self.path}: row {self.first + row}, column '{name}': {value!r} is not {wanted}"
        )


def _beyond(dates: Any) -> int | None:
    """Return the row of the first day that no calendar of Python's holds."""
    import pyarrow

    days = dates.cast(pyarrow.int32()).to_numpy(zero_copy_only=False)
    first, last = (day.toordinal() - _EPOCH for day in (datetime.date.min, datetime.date.max))
    found = ((days < first) | (days > last)).nonzero()[0]
    return int(found[0]) if len(found) else None


def _first_bad(column: Any, kind: Any) -> tuple[int, Any]:
    import pyarrow

    for row in range(len(column)):
        try:
            column.slice(row, 1).cast(kind)
        except pyarrow.ArrowException:
            return row, column[row].as_py()
    return 0, column[0].as_py()


@dataclass(frozen=True)
class TagTable:
    """A table written by ``detente tag``. Use `TagTable.open`."""

    path: Path
    columns: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path) -> TagTable:
        """Open a table by its ending.

        Raises:
            InputError: no file, an unknown ending, or a file that cannot be read or is empty.
        """
        path = Path(path)
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give a table written by detente tag")
        if path.suffix.lower() not in _FORMATS:
            raise InputError(f"{path}: unknown ending; give a table in {', '.join(_FORMATS)}")
        if not path.exists():
            raise InputError(f"{path}: no such file")
        try:
            if not path.stat().st_size:
                raise InputError(f"{path}: is empty")
            return cls(path, tuple(_FORMATS[path.suffix.lower()][0](path)))
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({_first_line(error)})") from None

    def dimensions(self, codebook: Codebook) -> tuple[Dimension, ...]:
        """Return the dimensions of a codebook that the table has, in the codebook's order.

        Raises:
            InputError: no column of labels, or one that is no dimension of the codebook.
        """
        found = [name for name in self.columns if f"{name}_probability" in self.columns]
        if not found:
            raise InputError(
                f"{self.path}: is no table of detente tag: no column of labels stands beside its "
                f"'..._probability' (columns: {_listed(self.columns)})"
            )
        known = {dimension.name: dimension for dimension in codebook.dimensions}
        for name in found:
            if name not in known:
                raise InputError(
                    f"{self.path}: column '{name}' is no dimension of the codebook "
                    f"({', '.join(known)}); name the model that made the table with --model"
                )
        return tuple(dimension for name, dimension in known.items() if name in found)

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield the rows of some columns.

        Raises:
            InputError: a column that is missing or there twice, or a damaged file.
        """
        self._check_columns(columns)
        first = 1
        for rows in _FORMATS[self.path.suffix.lower()][1](self.path, columns):
            yield Batch(self.path, first, rows)
            first += rows.num_rows

    def _check_columns(self, wanted: Sequence[str]) -> None:
        missing = [f"'{name}'" for name in wanted if name not in self.columns]
        if missing:
            raise InputError(
                f"{self.path}: is no table of detente tag: column {', '.join(missing)} is missing "
                f"(columns: {_listed(self.columns)})"
            )
        for name in wanted:
            if self.columns.count(name) > 1:
                raise InputError(f"{self.path}: column '{name}' is there twice")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return clean(", ".join(names[:12]))[:200] + more


def _first_line(error: Exception) -> str:
    return clean(str(error).split("\n", 1)[0])[:160]


def _parquet_names(path: Path) -> list[str]:
    import pyarrow
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except pyarrow.ArrowException as error:
        raise InputError(f"{path}: is no parquet file ({_first_line(error)})") from None


def _parquet_batches(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, memory_map=True) as file:
            yield from file.iter_batches(_BATCH_ROWS, columns=list(columns))
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: is damaged ({_first_line(error)})") from None


def _csv_names(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return next(csv.reader(stream), [])
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path}: is no UTF-8 table of comma-separated values") from None


def _csv_batches(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    import pyarrow
    import pyarrow.csv

    convert = pyarrow.csv.ConvertOptions(
        include_columns=list(columns),
        column_types=dict.fromkeys(columns, pyarrow.string()),
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        with pyarrow.csv.open_csv(
            path,
            pyarrow.csv.ReadOptions(block_size=1 << 24),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert,
        ) as reader:
            yield from reader
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: is damaged ({_first_line(error)})") from None


def _jsonl_names(path: Path) -> list[str]:
    _, record = next(read_jsonl(path))
    if isinstance(record, InputError):
        raise record
    return list(record)


def _jsonl_batches(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    import pyarrow

    schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
    lines = read_jsonl(path)
    while chunk := list(islice(lines, _BATCH_ROWS // 8)):
        rows = [_jsonl_cells(place, record, columns) for place, record in chunk]
        yield pyarrow.RecordBatch.from_pylist(rows, schema)


def _jsonl_cells(
    place: str, record: Mapping[str, Any] | InputError, columns: Sequence[str]
) -> dict[str, str | None]:
    if isinstance(record, InputError):
        raise record
    for name in columns:
        value = record.get(name)
        if not isinstance(value, str | int | float | None) or isinstance(value, bool):
            raise InputError(f"{place}: column '{name}': {str(value)[:40]!r} is no cell of a table")
    cells = {name: record.get(name) for name in columns}
    return {name: None if value in (None, "") else str(value) for name, value in cells.items()}


_FORMATS = {
    ".parquet": (_parquet_names, _parquet_batches),
    ".csv": (_csv_names, _csv_batches),
    ".jsonl": (_jsonl_names, _jsonl_batches),
}
