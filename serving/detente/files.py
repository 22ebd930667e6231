"""Files: strict reading with clear errors, atomic writing."""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from detente.errors import InputError

LARGEST = 50_000_000  # bytes of one article, decompressed

_SNIFF_BYTES = 8192


def reason(error: OSError) -> str:
    """Return what the system says of an error, in the midst of a sentence."""
    return (error.strerror or type(error).__name__).lower()


def _open(path: Path) -> Any:
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give a file")
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason(error)})") from None


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open the bytes of a file, those of a .gz file decompressed.

    Raises:
        InputError: the file is missing, a folder or unreadable, or, as soon as the block meets
            it, a .gz file is damaged or cut short.
    """
    with _open(path) as stream:
        zipped = path.suffix.lower() == ".gz"
        try:
            yield cast("BinaryIO", gzip.GzipFile(fileobj=stream)) if zipped else stream
        except EOFError:
            raise InputError(f"{path}: is cut short; the .gz file has no end") from None
        except (gzip.BadGzipFile, zlib.error):
            raise InputError(f"{path}: is damaged, or no .gz file") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({reason(error)})") from None


def read_bytes(stream: BinaryIO, place: str) -> bytes:
    """Return all bytes of an open file that holds one article.

    Raises:
        InputError: there are more than `LARGEST`; no more than that are ever in memory.
    """
    raw = stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise too_large(place)
    return raw


def too_large(place: str) -> InputError:
    """Return the error of an article that is larger than `LARGEST`."""
    return InputError(f"{place}: is larger than the {LARGEST // 10**6} MB one article may have")


def _open_bytes(path: Path) -> Any:
    stream = _open(path)
    if b"\0" in stream.peek(_SNIFF_BYTES)[:_SNIFF_BYTES]:
        stream.close()
        raise InputError(f"{path}: is a binary file; expected UTF-8 text")
    return stream


def _decode(raw: bytes, place: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{place}: not UTF-8 (byte 0x{raw[error.start]:02x} at byte {error.start}); "
            "convert it first, for example with: iconv -f cp1252 -t utf-8"
        ) from None


def read_text(path: str | Path) -> str:
    """Return the text of a UTF-8 file: line ends as they stand, a byte-order mark dropped.

    Raises:
        InputError: the file is missing, a folder, unreadable, empty, binary or not UTF-8.
    """
    path = Path(path)
    with _open_bytes(path) as stream:
        text = _decode(stream.read(), str(path)).removeprefix("\ufeff")
    if not text.strip():
        raise InputError(f"{path}: is empty")
    return text


def read_jsonl(path: str | Path) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """Yield ``("path:line", object)`` of a JSON-lines file, one line in memory at a time.

    A line that cannot be read yields its error instead, so that a caller may go on past it.

    Raises:
        InputError: the file is missing, a folder, unreadable, empty or binary.
    """
    path = Path(path)
    with _open_bytes(path) as stream:
        yield from parse_lines(stream, str(path))


def parse_lines(
    lines: Iterable[bytes], name: str
) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """Yield ``("name:line", object)`` of JSON lines; see `read_jsonl`.

    Raises:
        InputError: there is no line.
    """
    found = False
    for number, raw in enumerate(lines, start=1):
        place = f"{name}:{number}"
        try:
            line = _decode(raw, place).removeprefix("\ufeff")
            if not line.strip():
                continue
            found = True
            yield place, parse_object(line, place)
        except InputError as error:
            found = True
            yield place, error
    if not found:
        raise InputError(f"{name}: is empty")


def parse_object(line: str, place: str) -> dict[str, Any]:
    """Return the JSON object on one line; NaN, which pandas writes for an empty cell, is null.

    Raises:
        InputError: bad JSON, or JSON that is not an object; the message starts with ``place``.
    """
    try:
        value = json.loads(line, parse_constant=_constant)
        if "\\u" in line:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError(f"{place}: half of a character (an unpaired \\ud8.. to \\udf..)") from None
    except (ValueError, RecursionError) as error:
        where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(
            f"{place}: bad JSON{where}; every line must be one JSON object, "
            'for example {"text": "..."}'
        ) from None
    if not isinstance(value, dict):
        raise InputError(f"{place}: expected a JSON object, found {type(value).__name__}")
    return value


def _constant(name: str) -> None:
    if name != "NaN":
        raise ValueError(f"{name} is no JSON")


def make_folder(path: str | Path) -> Path:
    """Return a folder, made if it does not exist.

    Raises:
        InputError: there is a file of that name, or it cannot be made.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: no folder can be made there ({reason(error)}); choose another place"
        ) from None
    return path


def followed(path: str | Path) -> Path:
    """Return the path, or of a link that to which it leads."""
    path = Path(path)
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the name of ``path`` only on success.

    A link stays one: the file that it leads to is replaced.

    Raises:
        InputError: the folder does not exist or cannot be written, or the disk is full.
    """
    path = followed(path)
    temporary = _make_temporary(path)
    try:
        yield temporary
        # mkstemp makes private files; a result should have the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        move(temporary, path)
    except OSError as error:
        if error.filename is not None and str(error.filename) != str(temporary):
            raise  # of another file, which the block reads
        raise InputError(f"{path}: cannot be written ({reason(error)})") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(file: Path, refusal: str) -> Iterator[IO[str]]:
    """Hold a lock file for the block; a killed process holds none.

    Raises:
        InputError: another process holds it, which ``refusal`` says; or it cannot be written.
    """
    try:
        stream = file.open("a")
    except OSError as error:
        raise InputError(f"{file.parent}: cannot be written ({error.strerror})") from None
    with stream:
        try:
            _lock(stream)
        except (BlockingIOError, PermissionError):
            raise InputError(refusal) from None
        except OSError:
            pass  # a file system without locks
        yield stream


def _lock(stream: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def move(file: Path, path: Path) -> None:
    """Give a file another name on the same file system, atomically.

    Raises:
        InputError: it cannot be written there.
    """
    try:
        os.replace(file, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({reason(error)})") from None


def check_writable(path: str | Path) -> None:
    """Refuse a file name that cannot be written, before any work is done for it.

    Raises:
        InputError: the folder does not exist or cannot be written.
    """
    _make_temporary(followed(path)).unlink()


def _make_temporary(path: Path) -> Path:
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give the name of a file to write")
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is no regular file, and is not replaced; give another name")
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({reason(error)}); choose another place"
        ) from None
    os.close(handle)
    return Path(name)
