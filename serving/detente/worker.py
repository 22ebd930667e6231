"""Tagging in bulk: articles in, their rows out, in this process or several."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from detente.article import Article
from detente.errors import BundleError, DetenteError
from detente.intake.reader import Entry, Failure
from detente.intake.source import without_halves

_CHUNK = 8  # articles handed to a process at a time
_DIED = "a tagging process died; the articles at hand were tagged again, one by one"


@dataclass(frozen=True)
class Settings:
    """What decides the rows of an article.

    Attributes:
        model: a bundle folder or ``models:/name@alias``; None for the bundled model.
        model_digest: of the manifest that the model must have; None if it may be any.
        actors: a file of more actors.
        probabilities: give every label's probability.
        only_positions: leave out rows that take no position.
        min_confidence: leave out rows without a position at least this probable; 0 keeps all.
        keep: columns of tables among the inputs that are carried along, see `Columns.keep`.
        batch_size: statements run together.
        threads: threads of one inference call; 0 takes every core.
    """

    model: str | None = None
    model_digest: str | None = None
    actors: Path | None = None
    probabilities: bool = False
    only_positions: bool = False
    min_confidence: float = 0.0
    keep: tuple[str, ...] = ()
    batch_size: int = 32
    threads: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of one article: its rows, or why there are none.

    Attributes:
        file, item: its place among the inputs.
        skipped: statements that the gate kept from the model, or in which no party was found.
        failure: why it could not be read or tagged.
        notes: what the user should know about how it was read.
    """

    file: int
    item: int
    name: str
    rows: tuple[dict[str, Any], ...] = ()
    statements: int = 0
    skipped: int = 0
    failure: str | None = None
    notes: tuple[str, ...] = ()


class Worker:
    """Reads and tags articles, one after the other."""

    def __init__(self, settings: Settings) -> None:
        from detente.tagger import Tagger

        self._settings = settings
        self._tagger = Tagger.load(settings.model, threads=settings.threads, actors=settings.actors)
        if settings.model_digest not in (None, self._tagger.manifest.digest):
            raise BundleError(
                f"{settings.model or 'the bundled model'}: is another model than the run began "
                "with; was another promoted or installed meanwhile?"
            )

    def __call__(self, entry: Entry) -> Outcome:
        """Return an article's outcome; whatever goes wrong with it is its failure."""
        notes: list[str] = []
        name = _name(entry)
        try:
            source = entry.read(notes.append)
            name = source.name
            if isinstance(source, Failure):
                return Outcome(
                    entry.file, entry.item, name, failure=source.message, notes=tuple(notes)
                )
            article = self._tagger.tag(source, batch_size=self._settings.batch_size)
        except Exception as error:
            # One article's trouble, foreseen or not, must not cost the others.
            reason = Failure.of(name, error).message
            return Outcome(entry.file, entry.item, name, failure=reason, notes=tuple(notes))
        return Outcome(
            entry.file,
            entry.item,
            name,
            tuple(self._rows(article, source.kept)),
            statements=len(article.statements),
            skipped=sum(not statement.holders for statement in article.statements),
            notes=tuple(notes),
        )

    def _rows(self, article: Article, cells: Sequence[str | None]) -> Iterator[dict[str, Any]]:
        settings = self._settings
        kept = dict(itertools.zip_longest(settings.keep, cells))
        rows = iter(article.rows(probabilities=settings.probabilities))
        for holder in itertools.chain.from_iterable(s.holders for s in article.statements):
            row = next(rows)
            if settings.only_positions and not holder.reading.takes_position:
                continue
            if settings.min_confidence > 0 and not any(
                # As rounded in the row: what summarize compares.
                p.takes_position and row[f"{name}_probability"] >= settings.min_confidence
                for name, p in holder.reading
            ):
                continue
            yield kept | row


def tag_locally(entries: Iterable[Entry], settings: Settings, jobs: int) -> Iterator[Outcome]:
    """Yield the outcome of every entry, in order, from ``jobs`` processes.

    Entries are drawn only a little ahead of the outcomes, so memory does not grow with them. Where
    a process dies, the articles at hand are tagged one by one, and the one it dies over again is
    that one's failure; a single job is this process, which takes the run with it.

    Raises:
        DetenteError: a process cannot start.
    """
    if jobs == 1:
        yield from map(Worker(settings), entries)
        return
    chunks, ahead = _chunks(entries), deque[list[Entry]]()
    broken = True
    while broken:
        with _processes(jobs, settings) as pool:
            try:
                yield from _in_turn(chunks, pool, ahead, 2 * jobs)
                broken = False
            except BrokenProcessPool:
                lost = list(itertools.chain.from_iterable(ahead))
                ahead.clear()
        if broken:
            yield from _one_by_one(lost, settings)


def _in_turn(
    chunks: Iterator[list[Entry]], pool: ProcessPoolExecutor, ahead: deque[list[Entry]], most: int
) -> Iterator[Outcome]:
    """Yield outcomes in order; ``ahead`` holds the chunks whose outcomes are not yielded yet."""
    futures: deque[Future[list[Outcome]]] = deque()
    for chunk in chunks:
        ahead.append(chunk)
        futures.append(pool.submit(_tag_chunk, chunk))
        if len(futures) > most:
            yield from futures[0].result()
            futures.popleft()
            ahead.popleft()
    for future in futures:
        yield from future.result()
        ahead.popleft()


def _one_by_one(entries: Sequence[Entry], settings: Settings) -> Iterator[Outcome]:
    """Yield outcomes from one process at a time, a new one after each that dies."""
    left = deque(entries)
    while left:
        with _processes(1, settings) as pool:
            try:
                pool.submit(_tag_chunk, []).result()
            except BrokenProcessPool:
                raise DetenteError(
                    "a tagging process died before it could begin, perhaps for want of memory; go "
                    "on with --resume and fewer --jobs"
                ) from None
            try:
                while left:
                    (outcome,) = pool.submit(_tag_chunk, [left[0]]).result()
                    left.popleft()
                    yield replace(outcome, notes=(*outcome.notes, _DIED))
            except BrokenProcessPool:
                entry = left.popleft()
                name = _name(entry)
                failure = f"{name}: the process that tagged it died, perhaps for want of memory"
                yield Outcome(entry.file, entry.item, name, failure=failure, notes=(_DIED,))


@contextmanager
def _processes(jobs: int, settings: Settings) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(settings,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _name(entry: Entry) -> str:
    content = entry.content
    return without_halves(str(content)) if isinstance(content, Path) else content.name


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    remaining = iter(entries)
    while chunk := list(itertools.islice(remaining, _CHUNK)):
        yield chunk


_worker: Worker | DetenteError


def _start(settings: Settings) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # An error here would break the pool, unsaid; so it is the answer to each chunk.
    try:
        _worker = Worker(settings)
    except DetenteError as error:
        _worker = error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        _worker = DetenteError(f"a tagging process cannot start ({reason})")


def _end_with_parent() -> None:
    """Leave no process behind when the command is killed outright."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _tag_chunk(chunk: list[Entry]) -> list[Outcome]:
    if isinstance(_worker, DetenteError):
        raise _worker
    return [_worker(entry) for entry in chunk]
