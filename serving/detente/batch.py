"""A batch run: any number of articles into one table, in parts, so that it can be resumed."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from detente import __version__
from detente.article import columns, takes_position
from detente.bundle import Manifest
from detente.codebook import Codebook
from detente.errors import InputError
from detente.files import check_writable, read_text, reading, replacing
from detente.intake.listing import STDIN
from detente.intake.source import DETECTED, Columns, Say
from detente.parts import Parts, See, Totals, check_errors, errors_place
from detente.table import Row, check_ending
from detente.worker import Outcome, Settings

if TYPE_CHECKING:
    from detente.remote import File

_PART_ARTICLES = 200
_PART_ROWS = 5000
_PART_SECONDS = 15.0
_ELSEWHERE = {"threads", "model", "model_digest"}  # of the settings: decide no row, or as manifest
_ORIGIN = {"name", "encoder", "teacher", "corpus", "metrics"}  # of a model: decides no row

Outcomes = Iterable[Outcome]
Engine = Callable[[tuple[int, int]], Outcomes]
Advance = Callable[[int], None]
Portion = tuple[list[Row], Totals, tuple[int, int]]


class Batch:
    """A run over a list of files, not yet begun.

    Args:
        files: the inputs, see `detente.intake.reader.list_files`.
        output: the table to write: .jsonl, .csv or .parquet. Failures go to
            a file with its name and ``.errors.jsonl``.
        settings: what decides the rows.
        manifest: of the model that will be used.
        table_columns: which columns of tables among the inputs hold what.
    """

    def __init__(
        self,
        files: Sequence[File],
        output: Path,
        settings: Settings,
        manifest: Manifest,
        table_columns: Columns = DETECTED,
    ) -> None:
        check_ending(output)
        check_writable(output)
        self.output = output
        self.errors = Path(errors_place(str(output)))
        if self.errors.exists():
            with reading(self.errors) as stream:
                check_errors(stream, str(self.errors))
        self._codebook = manifest.codebook
        self._columns = columns(
            manifest.codebook, probabilities=settings.probabilities, keep=settings.keep
        )
        self._fingerprint = _fingerprint(files, settings, manifest, table_columns)

    def run(
        self,
        engine: Engine,
        *,
        resume: bool = False,
        advance: Advance = lambda _: None,
        say: Say = lambda _: None,
        see: See = lambda _: None,
    ) -> Totals:
        """Tag what is not tagged yet, then write the table and the errors.

        Interrupted, it keeps what is done.

        Args:
            engine: given the place of the first article to tag, yields outcomes in order.
            resume: go on with a killed run.
            advance: called with the number of articles just done.
            say: called with notes for the user, each once.
            see: called with all rows of the table, some at a time.

        Returns:
            The counts of the whole table, earlier parts included.

        Raises:
            InputError: see `detente.parts.Parts.open`; the output cannot be written; or not one
                article could be read, of which the errors tell.
        """
        with Parts.open(self.output, self._columns, self._fingerprint, resume=resume) as parts:
            if parts.totals.articles or parts.totals.failures:
                done = parts.totals.articles + len(parts.totals.failures)
                say(f"going on after {done} articles")
                advance(done)
            for rows, totals, following in self._portions(engine(parts.next), advance, say):
                parts.commit(rows, totals, following)
            totals = parts.totals
            if totals.failures and not totals.articles:
                message = describe_failures(totals.failures)
                if len(totals.failures) > 1:  # or else the message tells all
                    self._write_errors(parts)
                    message += f"; see {self.errors}"
                parts.remove()
                raise InputError(message)
            self._write_errors(parts)
            parts.merge(self.output, see)
            parts.remove()
            return totals

    def _portions(
        self,
        outcomes: Outcomes,
        advance: Advance,
        say: Say,
    ) -> Iterator[Portion]:
        done: list[tuple[Outcome, Totals]] = []
        rows, begun = 0, time.monotonic()
        try:
            for outcome, counts in tally(outcomes, self._codebook, advance, say):
                done.append((outcome, counts))
                rows += counts.rows
                late = time.monotonic() - begun > _PART_SECONDS
                if len(done) >= _PART_ARTICLES or rows >= _PART_ROWS or late:
                    # Emptied first: an interruption must not give it twice.
                    portion, done = _portion(done), []
                    yield portion
                    rows, begun = 0, time.monotonic()
        except KeyboardInterrupt:
            if done:
                yield _portion(done)
            raise
        if done:
            yield _portion(done)

    def _write_errors(self, parts: Parts) -> None:
        if not parts.totals.failures:
            self.errors.unlink(missing_ok=True)
            return
        with (
            parts.placing(self.errors) as place,
            replacing(place) as temporary,
            temporary.open("w", encoding="utf-8") as stream,
        ):
            for name, reason in parts.totals.failures:
                line = {"article": name, "error": reason}
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def tally(
    outcomes: Outcomes, codebook: Codebook, advance: Advance, say: Say
) -> Iterator[tuple[Outcome, Totals]]:
    """Yield outcomes with their counts, telling of progress; each note is said once."""
    said: set[str] = set()
    for outcome in outcomes:
        for note in outcome.notes:
            if note not in said:
                said.add(note)
                say(note)
        yield outcome, _count(outcome, codebook)
        advance(1)


def describe_failures(failures: Sequence[tuple[str, str]]) -> str:
    """Return one line on a run in which every article failed."""
    first = failures[0][1]
    more = len(failures) - 1
    return first if not more else f"{first} (and none of the {more} other articles can be read)"


def _portion(done: Sequence[tuple[Outcome, Totals]]) -> Portion:
    rows: list[Row] = []
    totals = Totals()
    for outcome, counts in done:
        rows.extend(outcome.rows)
        totals.add(counts)
    last, _ = done[-1]
    return rows, totals, (last.file, last.item + 1)


def _count(outcome: Outcome, codebook: Codebook) -> Totals:
    if outcome.failure is not None:
        return Totals(failures=[(outcome.name, outcome.failure)])
    positions = Counter(row["party"] or "" for row in outcome.rows if takes_position(row, codebook))
    return Totals(
        articles=1,
        statements=outcome.statements,
        skipped=outcome.skipped,
        rows=len(outcome.rows),
        positions=dict(positions),
    )


def _fingerprint(
    files: Sequence[File], settings: Settings, manifest: Manifest, table_columns: Columns
) -> dict[str, str]:
    """Return a hash of each thing that the rows depend on: a resumed run must agree in all."""
    options = {key: value for key, value in asdict(settings).items() if key not in _ELSEWHERE}
    actors = read_text(settings.actors) if settings.actors else ""
    parts = {
        "version": __version__,
        "model": manifest.model_dump_json(exclude=_ORIGIN),
        "options": f"{options!r} {table_columns!r}",
        "actors": actors,
        "files": "\n".join(f"{file} {_state(file)}" for file in files),
    }
    return {
        # Names of files may hold halves of characters.
        name: hashlib.sha256(part.encode(errors="backslashreplace")).hexdigest()
        for name, part in parts.items()
    }


def _state(file: File) -> str:
    if not isinstance(file, Path):
        return file.state
    if file == STDIN:
        return ""  # which no run can resume
    try:
        state = file.stat()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    return f"{state.st_size} {state.st_mtime_ns}"
