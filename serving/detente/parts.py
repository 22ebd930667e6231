"""The parts of an unfinished table: each committed whole, so that a killed run loses little."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

import pyarrow
import pyarrow.parquet

from detente.errors import InputError
from detente.files import locked, make_folder, move, reason, replacing
from detente.intake.source import Say, warn
from detente.intake.tags import holds_tags, without_tags
from detente.table import Row, arrow_schema, writing

_RUN = "run.json"
_LOCK = "lock"
_KEY = b"detente"

See = Callable[[Sequence[Row]], None]


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

    def __init__(self, folder: Path, columns: Mapping[str, type], lock: IO[str]) -> None:
        self._folder = folder
        self._columns = columns
        self._lock = lock
        self._schema = arrow_schema(columns)
        self._files = list(_consecutive(folder))
        self.totals = Totals()
        self.next = (0, 0)
        for file in self._files:
            with _resumable(), _undamaged(file):
                head = json.loads(pyarrow.parquet.read_schema(file).metadata[_KEY])
                self.totals.add(Totals(**head["totals"]))
                self.next = tuple(head["next"])
        # Behind a part that the user removed lie parts whose articles come again.
        for file in set(folder.glob("part-*.parquet")) - set(self._files):
            file.unlink()

    @classmethod
    @contextmanager
    def open(
        cls,
        output: Path,
        columns: Mapping[str, type],
        fingerprint: Mapping[str, str],
        *,
        resume: bool,
    ) -> Iterator[Parts]:
        """Make the folder for a new run, or find that of a killed one; hold it for the block.

        A folder that still has no part when the block ends is removed, and one found so is begun
        anew.

        Args:
            output: the table to be.
            columns: its columns.
            fingerprint: a hash of each thing that the rows depend on, by its name.
            resume: go on with a killed run's parts.

        Raises:
            InputError: another run holds the folder; parts of a killed run lie there and
                ``resume`` is false, or they are of other inputs or options, or damaged; or there
                are none to go on with but a table that would be replaced.
        """
        if resume and output.exists() and not (parts_folder(output) / _RUN).exists():
            raise InputError(
                f"{output}: is there, and no killed run to go on with; it is what the last run "
                "wrote, and without --resume all is tagged again and replaces it"
            )
        folder = make_folder(parts_folder(output))
        state = folder / _RUN
        if not state.exists() and not all(map(_precedes_state, folder.iterdir())):
            raise InputError(f"{folder}: is no run's folder; give another --output")
        refusal = (
            f"{folder}: another run is writing this table; wait for its end, or give another "
            "--output"
        )
        with locked(folder / _LOCK, refusal) as lock:
            if not _part(folder, 0).exists():
                with replacing(state) as temporary:
                    temporary.write_text(json.dumps(dict(fingerprint)), encoding="utf-8")
            elif not resume:
                raise InputError(
                    f"{folder}: holds a run that did not end; go on with --resume, or remove "
                    "the folder to start over"
                )
            elif others := _differences(state, fingerprint):
                raise InputError(
                    f"{folder}: is of a run that differs in its {', '.join(others)}; repeat the "
                    "first command with --resume, or remove the folder to start over"
                )
            parts = cls(folder, columns, lock)
            try:
                yield parts
            finally:
                if not parts._files and folder.exists():
                    parts.remove()

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
        with _resumable(), replacing(path) as temporary:
            pyarrow.parquet.write_table(table, temporary)
            _flush(temporary)
        self._files.append(path)
        self.totals.add(totals)
        self.next = following

    def merge(self, output: Path, see: See = lambda _: None) -> None:
        """Write the table, atomically; ``see`` is called with its rows.

        Raises:
            InputError: it cannot be written, or a part is damaged.
        """
        with self.placing(output) as temporary, writing(temporary, self._columns) as write:
            for file in self._files:
                with _undamaged(file):
                    # A folder such as "date=2026-01" names no column of the table.
                    rows = pyarrow.parquet.read_table(file, partitioning=None).to_pylist()
                write(rows)
                see(rows)

    @contextmanager
    def placing(self, path: Path) -> Iterator[Path]:
        """Give a place in the folder; what is written there is moved to ``path`` at the end.

        Whatever a kill leaves half-written is removed with the folder.

        Raises:
            InputError: it cannot be moved there.
        """
        temporary = self._folder / path.name
        with _resumable():
            yield temporary
            try:
                _flush(temporary)  # before the parts go
            except OSError as error:
                raise InputError(f"{path}: cannot be written ({error.strerror})") from None
            move(temporary, path)

    def remove(self) -> None:
        """Remove the folder; killed on the way, it leaves a run to resume, or an empty folder."""
        state, lock = self._folder / _RUN, self._folder / _LOCK
        for file in sorted(set(self._folder.iterdir()) - {state, lock}, reverse=True):
            file.unlink()
        state.unlink()
        self._lock.close()
        lock.unlink()
        self._folder.rmdir()


def parts_folder(output: Path) -> Path:
    """Return the folder that holds the parts of a table to be."""
    return output.with_name(f"{output.name}.parts")


def errors_place(output: str) -> str:
    """Return where a run with this output, a path or URL, lists the articles it could not read."""
    return f"{output}.errors.jsonl"


def check_errors(stream: BinaryIO, place: str) -> None:
    """Refuse to replace or remove a file that lists no errors of an earlier run.

    Args:
        stream: the open file.
        place: its name.

    Raises:
        InputError: the file holds something else.
    """
    line = stream.readline()
    try:
        is_ours = set(json.loads(line)) == {"article", "error"}
    except (ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise InputError(
            f"{place}: is where this run would list errors, and holds something else; give another "
            "--output"
        )


def without_output(
    files: Sequence[Path], output: Path | None, named: Collection[Path] = (), say: Say = warn
) -> list[Path]:
    """Return the files but for those that this run or another writes in a searched folder.

    Args:
        files: the inputs.
        output: the table to be.
        named: the inputs that the user names one by one.
        say: called once if tables of other runs are left out.

    Raises:
        InputError: one of those that this run writes is named, or holds something else as yet.
    """
    if output is None:
        return without_tags(files, named, say)
    written = {output.resolve(), Path(errors_place(str(output))).resolve()}
    parts = parts_folder(output).resolve()
    kept = []
    for file in files:
        place = file.resolve()
        if place not in written and parts not in place.parents:
            kept.append(file)
        elif file in named:
            raise InputError(f"{file}: would be written by this run itself; give another --output")
        elif place == output.resolve() and file.stat().st_size and not holds_tags(file):
            raise not_written(str(file))
    return without_tags(kept, named, say)


def not_written(output: str) -> InputError:
    """Return the error of an output that is among the inputs and was written by no run."""
    return InputError(
        f"{output}: is among the articles, and no table that detente tag wrote; give another "
        "--output"
    )


def _part(folder: Path, number: int) -> Path:
    return folder / f"part-{number:06d}.parquet"


def _consecutive(folder: Path) -> Iterator[Path]:
    number = 0
    while (path := _part(folder, number)).exists():
        yield path
        number += 1


def _flush(path: Path) -> None:
    with path.open("r+b") as stream:  # Windows flushes no file that is open for reading alone
        os.fsync(stream.fileno())


def _precedes_state(file: Path) -> bool:
    """Whether a run that was killed before it had a state may have left the file."""
    return file.name == _LOCK or file.name.startswith(f".{_RUN}.")


def _differences(state: Path, fingerprint: Mapping[str, str]) -> list[str]:
    try:
        before = json.loads(state.read_bytes())
        return [name for name, value in fingerprint.items() if before[name] != value]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{state}: is damaged; remove the folder {state.parent} to start over"
        ) from None


@contextmanager
def _undamaged(part: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:  # Arrow's errors are among them
        if isinstance(error, OSError) and error.errno is not None:
            raise InputError(f"{part}: cannot be read ({reason(error)})") from None
        raise InputError(
            f"{part}: is damaged and must be removed; its articles and those of all later parts "
            "are then tagged again"
        ) from None


@contextmanager
def _resumable() -> Iterator[None]:
    """Say of a failed write that what was done before it is still there."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{error}; when that is mended, go on with --resume") from None
