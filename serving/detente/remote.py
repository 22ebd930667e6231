"""Files behind URLs: found, fetched and written through fsspec."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from detente.errors import InputError
from detente.files import make_folder, too_large
from detente.intake import listing
from detente.intake.listing import ENDINGS, TABLES, WILD, ending, find_files, is_url
from detente.intake.source import Say, warn
from detente.intake.tags import begins_tags, without_tags
from detente.parts import check_errors, errors_place, not_written, parts_folder, without_output
from detente.table import check_ending

_ALLOWED = ", ".join(ENDINGS)
_PIECE = 1 << 20  # bytes
# What file systems call that which changes with a file's content.
_STATE = ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated")


@dataclass(frozen=True)
class Remote:
    """A file behind a URL; its ``state`` is another when its content is."""

    url: str
    state: str = ""

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return self.url.rpartition("/")[2]

    @contextmanager
    def fetched(self, largest: int | None = None) -> Iterator[Path]:
        """Give a local copy of the file, for as long as the block lasts.

        Args:
            largest: how many bytes it may have.

        Raises:
            InputError: it cannot be fetched, or is larger.
        """
        known = next((known for known in ENDINGS if self.name.lower().endswith(known)), "")
        with tempfile.TemporaryDirectory(prefix="detente-") as folder:
            copy = Path(folder, f"fetched{known}")
            system, path = _connect(self.url)
            with (
                _explained(self.url, "read"),
                system.open(path, "rb") as source,
                copy.open("wb") as target,
            ):
                _copy(source, target, self.url, largest)
            yield copy


File = Path | Remote


def is_table(file: File) -> bool:
    """Whether a file holds many articles."""
    return ending(Path(file.name)) in TABLES


def list_files(
    paths: Sequence[str | Path], others: Counter[str] | None = None, say: Say = warn
) -> list[File]:
    """Return the article files that ``paths`` name, URLs among them.

    Like `detente.intake.listing.list_files`, where a file, a folder, a pattern or a line of a
    list may be the URL of one too, of any kind that fsspec knows.

    Raises:
        InputError: a path or URL does not exist, cannot be reached or read, or names no article.
    """
    given = [paths] if isinstance(paths, str | Path) else paths
    passed = Counter[str]() if others is None else others
    return listing.once((file for path in given for file in _expand(str(path), passed)), say)


def _expand(name: str, others: Counter[str]) -> Iterator[File]:
    if name.startswith("@"):
        path = Path(name[1:])
        yield from listing.from_list(path, lambda line: _find(line, others, path.parent))
    else:
        yield from _find(name, others)


def _find(name: str, others: Counter[str], folder: Path = Path()) -> Sequence[File]:
    return _remotes(name, others) if is_url(name) else find_files(name, others, folder)


def without_written(
    files: Sequence[File],
    output: str | None,
    paths: Sequence[str | Path] = (),
    say: Say = warn,
) -> list[File]:
    """Return the files but for those that this run or another writes in a searched folder.

    Of files behind URLs only this run's own are told.

    Args:
        files: the inputs.
        output: the table to be.
        paths: what the user names.
        say: called once if tables of other runs are left out.

    Raises:
        InputError: ``paths`` name one that this run writes, or it holds something else as yet.
    """
    local = [file for file in files if isinstance(file, Path)]
    named = listing.named_files(paths)
    if output is not None and is_url(output):
        written = {output, errors_place(output)}
        for path in written.intersection(map(str, paths)):
            raise InputError(f"{path}: would be written by this run itself; give another --output")
        if any(str(file) == output for file in files):
            _check_tags(output)
        files = [file for file in files if str(file) not in written]
        local = without_tags(local, named, say)
    else:
        local = without_output(local, Path(output) if output else None, named, say)
    kept = set(map(str, local))
    return [file for file in files if isinstance(file, Remote) or str(file) in kept]


def _check_tags(url: str) -> None:
    system, path = _connect(url)
    with _explained(url, "read"), system.open(path, "rb") as stream:
        if system.size(path) and not begins_tags(stream, Remote(url).name):
            raise not_written(url)


def _remotes(url: str, others: Counter[str]) -> list[Remote]:
    system, path = _connect(url)
    with _explained(url, "read"):
        try:
            info = system.info(path)
        except FileNotFoundError:
            if not WILD.search(path):
                raise
            base = url[: url.rindex("/", 0, _wild_start(url)) + 1]
            return _inside(url, base, system, _matches(system, path), others)
        if info["type"] != "directory":
            if ending(Path(Remote(url).name)) is None:
                raise InputError(f"{url}: cannot be read; give a file ending in {_ALLOWED}")
            return [Remote(url, _state(info))]
        base = url if url.endswith("/") else f"{url}/"
        return _inside(url, base, system, system.find(path, detail=True), others)


def _wild_start(url: str) -> int:
    wild = WILD.search(url)
    return wild.start() if wild else len(url)


def _matches(system: Any, pattern: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for path, info in system.glob(pattern, detail=True).items():
        found.update(
            system.find(path, detail=True) if info["type"] == "directory" else {path: info}
        )
    return found


def _inside(
    url: str, base: str, system: Any, found: dict[str, dict[str, Any]], others: Counter[str]
) -> list[Remote]:
    root = system._strip_protocol(base).rstrip("/")
    files = {
        PurePosixPath(path[len(root) :].lstrip("/")): info
        for path, info in found.items()
        if info["type"] != "directory"
    }
    seen = {
        path: info
        for path, info in sorted(files.items(), key=lambda item: item[0])
        if not any(part.startswith(".") for part in path.parts) and not listing.is_written(path)
    }
    others.update(path.suffix.lower() or "no ending" for path in seen if not ending(Path(path)))
    remotes = [
        Remote(f"{base}{path}", _state(info)) for path, info in seen.items() if ending(Path(path))
    ]
    if not remotes:
        raise InputError(f"{url}: holds no file ending in {_ALLOWED}")
    return remotes


def _state(info: dict[str, Any]) -> str:
    return " ".join(str(info[key]) for key in _STATE if key in info)


@contextmanager
def placing(output: str) -> Iterator[Path]:
    """Give the local path to write a table to; one for a URL goes there when the block ends well.

    The path for a URL is in the user's cache and the same each time, so that a killed run can go
    on. The errors that a batch writes beside its table go beside the URL. Each file arrives under
    a temporary name and is then moved to its own.

    Raises:
        InputError: the URL has no table's ending, or cannot be written, or what lies in the place
            of its errors is something else, or the finished table of an earlier run never got
            there; seen before the block.
    """
    if not is_url(output):
        yield Path(output)
        return
    table = _place(output)
    check_ending(table)
    _try_writing(output)
    errors = errors_place(output)
    _check_errors(errors)
    make_folder(table.parent)
    if table.exists() and not parts_folder(table).exists():
        raise InputError(
            f"{table}: is the finished table of a run that could not put it at {output}; copy it "
            "there, or remove it to tag again"
        )
    yield table
    try:
        _replace(Path(errors_place(str(table))), errors)
        _replace(table, output)
    except InputError as error:
        raise InputError(f"{error}; the finished table is {table}") from None
    shutil.rmtree(table.parent)


def _place(url: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    run = hashlib.sha256(url.encode(errors="backslashreplace")).hexdigest()[:16]
    return cache / "detente" / "runs" / run / Remote(url).name


def _try_writing(url: str) -> None:
    """Fail before the work is done, not after."""
    system, path = _connect(url)
    trial = _beside(path)
    with _explained(url, "written"):
        system.pipe_file(trial, b"")
        system.rm_file(trial)


def _check_errors(url: str) -> None:
    system, path = _connect(url)
    with _explained(url, "read"):
        if system.exists(path):
            with system.open(path, "rb") as stream:
                check_errors(stream, url)


def _replace(local: Path, url: str) -> None:
    """Put a local file at a URL, or remove what is there when there is no such file."""
    system, path = _connect(url)
    with _explained(url, "written"):
        if not local.exists():
            if system.exists(path):
                system.rm_file(path)
            return
        temporary = _beside(path)
        try:
            system.put_file(str(local), temporary)
            system.mv(temporary, path)
        finally:
            if system.exists(temporary):
                system.rm_file(temporary)


def _beside(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.{uuid.uuid4().hex[:8]}"


def _copy(source: BinaryIO, target: BinaryIO, url: str, largest: int | None) -> None:
    copied = 0
    while piece := source.read(_PIECE):
        copied += len(piece)
        if largest is not None and copied > largest:
            raise too_large(url)
        target.write(piece)


def _connect(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path there."""
    try:
        fsspec: Any = import_module("fsspec")
    except ImportError:
        raise InputError(f"{url}: URLs need fsspec: pip install 'detente[cluster]'") from None
    if "::" in url:
        raise InputError(f"{url}: is a URL within a URL; give one that needs no unpacking")
    with _explained(url, "opened"):
        try:
            system, path = fsspec.url_to_fs(url)
        except ImportError as error:
            raise InputError(f"{url}: {_missing(url.partition('://')[0], error)}") from None
        return system, str(path)


def _missing(protocol: str, error: ImportError) -> str:
    known: Any = import_module("fsspec.registry").known_implementations
    package = known.get(protocol, {}).get("class", "fsspec").partition(".")[0]
    if package == "fsspec":  # its own, which lacks something else
        return f"{protocol}:// cannot be opened ({reason(error)})"
    return f"{protocol}:// needs another package: pip install {package}"


@contextmanager
def _explained(url: str, deed: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        fault = "no such file" if deed == "read" else f"cannot be {deed} (no such folder)"
        raise InputError(f"{url}: {fault}") from None
    except Exception as error:  # each service fails in its own way
        raise InputError(f"{url}: cannot be {deed} ({reason(error)})") from None


def reason(error: BaseException) -> str:
    """Return an error's own words on one short line."""
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
