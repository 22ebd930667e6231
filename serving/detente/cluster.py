"""Tagging on a Ray cluster, of files that may lie behind URLs."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from detente import __version__
from detente.errors import DetenteError, InputError
from detente.files import LARGEST
from detente.intake.listing import STDIN
from detente.intake.reader import Entry, entries
from detente.intake.source import DETECTED, Columns, Failure, Say, Source, warn, without_halves
from detente.remote import File, Remote, is_table, list_files, reason, without_written
from detente.worker import Outcome, Settings, Worker

_INSTALL = "pip install 'detente[cluster]'"
_CHUNK = 8  # articles that one task tags,
_CHUNK_LENGTH = 250_000  # or fewer of them that have as many characters
_BLOCKS = 1000  # into which the list of files is divided, at most
_STORE = 500_000_000  # bytes of the object store of a cluster started here
_DEATHS = 3  # of a tagging process before the run is given up
_PATIENCE = 5.0  # seconds that a cluster has to answer
_GO_ON = "what is done is kept; go on with --resume"
# Ray asks nothing of the network, says nothing of its own, and does not build environments.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


class Cluster:
    """Reads and tags on the nodes of a Ray cluster, which need the same version of detente.

    Local files, the model's folder and the file of actors must lie under the same path on every
    node; URLs need only be within reach of every node.

    Args:
        settings: what decides the rows; a tagging process uses one thread where it leaves open
            how many.
        columns: which columns of tables among the inputs hold what.
        jobs: tagging processes; by default as many as the cluster has cores for.
        address: of the cluster; by default what RAY_ADDRESS says, or else one is started here.

    Raises:
        DetenteError: Ray is not installed.
    """

    def __init__(
        self,
        settings: Settings,
        columns: Columns = DETECTED,
        *,
        jobs: int | None = None,
        address: str | None = None,
    ) -> None:
        self._ray = _import_ray()
        self._settings = _everywhere(settings)
        self._columns = columns
        self._jobs = jobs
        self._address = address

    def list_files(
        self,
        paths: Sequence[str | Path],
        output: str | None = None,
        others: Counter[str] | None = None,
        say: Say = warn,
    ) -> list[File]:
        """Return the article files that ``paths`` name, URLs among them; see `list_files`.

        Args:
            paths: files, folders, patterns and lists.
            output: the table to be; what lies there already is no input.
            others, say: see `detente.intake.listing.list_files`.

        Raises:
            InputError: see `list_files`; or standard input, which no node has, is among them.
        """
        files = list_files(paths, others, say)
        if STDIN in files:
            raise InputError("-: standard input cannot be read on a cluster; give a file")
        return without_written(files, output, paths, say)

    def tag(
        self, files: Sequence[File], start: tuple[int, int] = (0, 0)
    ) -> Generator[Outcome, None, None]:
        """Yield the outcome of every article, in order, from ``start`` on.

        Args:
            files: what `list_files` returns.
            start: file and item of the first article to tag.

        Raises:
            DetenteError: the cluster cannot be reached, or it or a node of it failed.
        """
        # A thread of Ray Data's that outlives the connection would end this process.
        with self._connected(), closing(self._outcomes(files, start)) as outcomes:
            try:
                yield from outcomes
            except DetenteError:
                raise
            except self._ray.exceptions.RayActorError as error:
                raise DetenteError(
                    f"a tagging process died {_DEATHS + 1} times, perhaps for want of memory; "
                    f"{_GO_ON} and fewer --jobs"
                ) from error
            except Exception as error:  # Ray has no one base of its errors
                raise DetenteError(f"the Ray cluster failed: {_cause(error)}; {_GO_ON}") from error

    def _outcomes(
        self, files: Sequence[File], start: tuple[int, int]
    ) -> Generator[Outcome, None, None]:
        # Not iter_rows, whose prefetching threads go on after its end.
        for bundle in self._dataset(files, start).iter_internal_ref_bundles():
            for block in bundle.block_refs:
                for answer in self._ray.get(block).column("outcomes").to_pylist():
                    yield from _opened(answer)

    def _dataset(self, files: Sequence[File], start: tuple[int, int]) -> Any:
        data = self._ray.data
        threads = self._settings.threads
        jobs = self._jobs or max(1, int(self._ray.cluster_resources().get("CPU", 0)) // threads)
        portions = list(_portions(files, start, max(1, min(_CHUNK, len(files) // (2 * jobs)))))
        if not any(map(is_table, files)):
            jobs = max(1, min(jobs, len(portions)))
        blocks = max(1, min(_BLOCKS, len(portions)))
        dataset = data.from_items(
            [{"portion": pickle.dumps(portion)} for portion in portions],
            override_num_blocks=blocks,
        )
        context = dataset.context
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        # On a busy machine these fill stderr with statistics.
        context.issue_detectors_config.detectors = []
        # A block for each row, that is for each chunk: so one long table is spread over all.
        context.target_max_block_size = 1
        # That a process may die how often is said in a way that Ray 2.64 will know no more.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dataset.flat_map(
                _read,
                fn_args=(self._columns,),
                compute=data.TaskPoolStrategy(min(jobs, blocks)),
                # The cores are the tagging processes'; readers wait for them most of the time.
                num_cpus=0,
            ).map(
                _Tagging,
                fn_constructor_args=(self._settings, __version__),
                compute=data.ActorPoolStrategy(size=jobs, max_tasks_in_flight_per_actor=2),
                num_cpus=threads,
                max_restarts=_DEATHS,
                max_task_retries=_DEATHS,
            )

    @contextmanager
    def _connected(self) -> Iterator[None]:
        ray = self._ray
        if ray.is_initialized():
            yield
            return
        address = self._address or os.environ.get("RAY_ADDRESS") or "local"
        _check_reachable(address)
        options: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
        if address == "local":
            options |= {"include_dashboard": False, "object_store_memory": _STORE}
            options["num_cpus"] = self._jobs and self._jobs * self._settings.threads
        try:
            with _hushed():
                ray.init(address, **options)
        except Exception as error:
            raise DetenteError(f"{address}: no Ray cluster there ({_cause(error)})") from error
        try:
            yield
        finally:
            ray.shutdown()


def _import_ray() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        ray = import_module("ray")
        import_module("ray.data")
    except ImportError:
        raise DetenteError(f"--engine ray needs Ray: {_INSTALL}") from None
    log = logging.getLogger("ray.data")
    for handler in [h for h in log.handlers if type(h).__name__ == "PlainRayHandler"]:
        log.removeHandler(handler)
    log.propagate = False
    return ray


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep stderr clean of Ray's native code, which heeds no setting while it starts."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _everywhere(settings: Settings) -> Settings:
    """Return settings that hold in any working folder."""
    model, actors = settings.model, settings.actors
    return replace(
        settings,
        model=str(Path(model).resolve()) if model and Path(model).is_dir() else model,
        actors=actors and actors.resolve(),
        threads=settings.threads or 1,
    )


def _check_reachable(address: str) -> None:
    """Fail at once; Ray itself would try for minutes."""
    host, colon, port = address.rpartition("://")[2].partition("/")[0].rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except OSError as error:
        raise DetenteError(
            f"{address}: no Ray cluster there ({reason(error)}); give the HOST:PORT that "
            "ray start --head told"
        ) from None


def _cause(error: BaseException) -> str:
    """Return the line of Ray's many that tells the cause."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, Exception):
        return f"{type(cause).__name__}: {reason(cause)}"
    return reason(error)


@dataclass(frozen=True)
class _Portion:
    """Files that are read together: some documents, or one table from row ``item`` on.

    ``folder`` is the one that local paths start from.
    """

    file: int
    item: int
    files: tuple[File, ...]
    folder: Path


@dataclass(frozen=True)
class _Article:
    """An article on its way to be tagged, with what was said of it; a document is not read yet."""

    file: int
    item: int
    content: File | Source | Failure
    folder: Path
    notes: tuple[str, ...] = ()


def _portions(files: Sequence[File], start: tuple[int, int], most: int) -> Iterator[_Portion]:
    folder = Path.cwd()
    together: list[File] = []
    first, skip = start
    for number in range(first, len(files)):
        passed = skip if number == first else 0
        table = is_table(files[number])
        if together and (table or len(together) == most):
            yield _Portion(number - len(together), 0, tuple(together), folder)
            together = []
        if table:
            yield _Portion(number, passed, (files[number],), folder)
        elif not passed:
            together.append(files[number])
    if together:
        yield _Portion(len(files) - len(together), 0, tuple(together), folder)


def _read(row: dict[str, bytes], columns: Columns) -> Iterator[dict[str, bytes]]:
    """Yield the chunks of articles of a portion; runs on any node."""
    for chunk in _chunks(_articles(pickle.loads(row["portion"]), columns)):
        yield {"chunk": pickle.dumps(chunk)}


def _articles(portion: _Portion, columns: Columns) -> Iterator[_Article]:
    folder = portion.folder
    for number, file in enumerate(portion.files, start=portion.file):
        if not is_table(file):
            yield _Article(number, 0, file, folder)
            continue
        notes: list[str] = []
        rows = _contents(file, folder, notes.append, columns, portion.item)
        for item, content in enumerate(rows, start=portion.item):
            yield _Article(number, item, content, folder, tuple(notes))
            notes.clear()


def _chunks(articles: Iterable[_Article]) -> Iterator[list[_Article]]:
    chunk: list[_Article] = []
    length = 0
    for article in articles:
        chunk.append(article)
        length += len(article.content.text) if isinstance(article.content, Source) else 0
        if len(chunk) == _CHUNK or length > _CHUNK_LENGTH:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


def _contents(
    file: File, folder: Path, say: Say, columns: Columns = DETECTED, skip: int = 0
) -> Iterator[Source | Failure]:
    """Yield the articles of a file, named as the file was, wherever it is read from."""
    try:
        with _local(file, folder) as path:

            def rename(text: str) -> str:
                # As names and failures are spelt.
                local, given = without_halves(str(path)), without_halves(str(file))
                return without_halves(text).replace(local, given)

            def say_renamed(note: str) -> None:
                say(rename(note))

            for entry in entries([path], columns, start=(0, skip), say=say_renamed):
                yield _renamed(entry.read(say_renamed), rename)
    except InputError as error:
        yield Failure(str(file), str(error))


def _renamed(article: Source | Failure, rename: Callable[[str], str]) -> Source | Failure:
    if isinstance(article, Source):
        return replace(article, name=rename(article.name))
    return Failure(rename(article.name), rename(article.message))


@contextmanager
def _local(file: File, folder: Path) -> Iterator[Path]:
    if isinstance(file, Path):
        yield folder / file
        return
    with file.fetched(None if is_table(file) else LARGEST) as path:
        yield path


class _Tagging:
    """What a tagging process does; an error in making it is the answer to each chunk."""

    def __init__(self, settings: Settings, version: str) -> None:
        try:
            if version != __version__:
                raise DetenteError(
                    f"the cluster has detente {__version__}, and this is {version}; install the "
                    "same on every node"
                )
            self._worker: Worker | DetenteError = Worker(settings)
        except DetenteError as error:
            self._worker = error

    def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
        worker = self._worker
        if isinstance(worker, DetenteError):
            return {"outcomes": pickle.dumps(worker)}
        chunk: list[_Article] = pickle.loads(row["chunk"])
        return {"outcomes": pickle.dumps([_tag(article, worker) for article in chunk])}


def _tag(article: _Article, worker: Worker) -> Outcome:
    notes = list(article.notes)
    content = article.content
    if isinstance(content, Path | Remote):
        content = _document(content, article.folder, notes.append)
    outcome = worker(Entry(article.file, article.item, content))
    return replace(outcome, notes=(*notes, *outcome.notes))


def _document(file: File, folder: Path, say: Say) -> Source | Failure:
    try:
        return next(_contents(file, folder, say))
    except Exception as error:  # as in Worker: must not cost the others
        return Failure(str(file), f"{file}: {type(error).__name__}: {error}")


def _opened(outcomes: bytes) -> list[Outcome]:
    found: list[Outcome] | DetenteError = pickle.loads(outcomes)
    if isinstance(found, DetenteError):
        raise found
    return found
