"""The parts of an unfinished table: each committed whole, so that a killed run loses little."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pyarrow
import pyarrow.parquet

from detente.errors import InputError
from detente.files import make_folder, move, replacing
from detente.table import Row, arrow_schema, writing

_RUN = "run.json"
_KEY = b"detente"


@dataclass
class Totals:
    """Counts over tagged articles.

    Attributes:
        rows: rows written.
        positions: rows that take a position, by actor or, without one, by the party's name.
        failures: name and reason of each article that could not be read or tagged.
    """

    articles: int = 0
    statements: int = 0
    skipped: int = 0
    rows: int = 0
    positions: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Totals) -> None:
        """Add another totals to this one."""
        self.articles += other.articles
        self.statements += other.statements
        self.skipped += other.skipped
        self.rows += other.rows
        for party, count in other.positions.items():
            self.positions[party] = self.positions.get(party, 0) + count
        self.failures.extend((name, reason) for name, reason in other.failures)


class Parts:
    """A folder beside the output that holds what is already tagged.

    A part is one Parquet file whose metadata tell its totals and the place of the next article;
    it takes its name only when it is complete, so the parts there are always a true beginning of
    the table.
    """

    def __init__(self, folder: Path, columns: Mapping[str, type]) -> None:
        self._folder = folder
        self._columns = columns
        self._schema = arrow_schema(columns)
        self._files = list(_consecutive(folder))
        self.totals = Totals()
        self.next = (0, 0)
        for file in self._files:
            head = json.loads(pyarrow.parquet.read_schema(file).metadata[_KEY])
            self.totals.add(Totals(**head["totals"]))
            self.next = tuple(head["next"])

    @classmethod
    def open(
        cls, output: Path, columns: Mapping[str, type], fingerprint: str, *, resume: bool
    ) -> Parts:
        """Make the folder for a new run, or find that of a killed one.

        Args:
            output: the table to be.
            columns: its columns.
            fingerprint: of everything the rows depend on.
            resume: go on with a killed run's parts.

        Raises:
            InputError: parts of a killed run lie there and ``resume`` is false, or they are of
                other inputs or options.
        """
        folder = parts_folder(output)
        state = folder / _RUN
        if folder.exists() and not state.exists() and any(folder.iterdir()):
            raise InputError(f"{folder}: is no run's folder; give another --output")
        if state.exists():
            if not resume:
                raise InputError(
                    f"{folder}: holds a run that did not end; go on with --resume, or remove "
                    "the folder to start over"
                )
            if json.loads(state.read_text(encoding="utf-8"))["fingerprint"] != fingerprint:
                raise InputError(
                    f"{folder}: is of other articles, options or model, or of another version; "
                    "repeat the first command with --resume, or remove the folder to start over"
                )
        else:
            make_folder(folder)
            with replacing(state) as temporary:
                temporary.write_text(json.dumps({"fingerprint": fingerprint}), encoding="utf-8")
        return cls(folder, columns)

    def commit(self, rows: Sequence[Row], totals: Totals, following: tuple[int, int]) -> None:
        """Keep the rows of some more articles for good.

        Args:
            rows: their rows.
            totals: their counts.
            following: file and item number of the article after them.
        """
        head = json.dumps({"totals": asdict(totals), "next": following}).encode()
        table = pyarrow.Table.from_pylist(list(rows), self._schema.with_metadata({_KEY: head}))
        path = _part(self._folder, len(self._files))
        with replacing(path) as temporary:
            pyarrow.parquet.write_table(table, temporary)
            _flush(temporary)
        self._files.append(path)
        self.totals.add(totals)
        self.next = following

    def merge(self, output: Path) -> None:
        """Write the table, atomically."""
        with self.placing(output) as temporary, writing(temporary, self._columns) as write:
            for file in self._files:
                write(pyarrow.parquet.read_table(file).to_pylist())

    @contextmanager
    def placing(self, path: Path) -> Iterator[Path]:
        """Give a place in the folder; what is written there is moved to ``path`` at the end.

        Whatever a kill leaves half-written is removed with the folder.

        Raises:
            InputError: it cannot be moved there.
        """
        temporary = self._folder / path.name
        yield temporary
        move(temporary, path)

    def remove(self) -> None:
        """Remove the folder; killed on the way, it leaves a run that can be resumed."""
        state = self._folder / _RUN
        for file in sorted(set(self._folder.iterdir()) - {state}, reverse=True):
            file.unlink()
        state.unlink()
        self._folder.rmdir()


def parts_folder(output: Path) -> Path:
    """Return the folder that holds the parts of a table to be."""
    return output.with_name(f"{output.name}.parts")


def errors_file(output: Path) -> Path:
    """Return the file that lists the articles which a run with this output could not read."""
    return output.with_name(f"{output.stem}.errors.jsonl")


def without_output(files: Sequence[Path], output: Path | None) -> list[Path]:
    """Return the files but for those that a run writes itself, which lie in a searched folder."""
    if output is None:
        return list(files)
    written = {output.absolute(), errors_file(output).absolute()}
    parts = parts_folder(output).absolute()
    return [
        file
        for file in files
        if file.absolute() not in written and parts not in file.absolute().parents
    ]


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06d}.parquet"


def _consecutive(folder: Path) -> Iterator[Path]:
    number = 0
    while (path := _part(folder, number)).exists():
        yield path
        number += 1


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
