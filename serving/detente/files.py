"""Files: strict reading with clear errors, atomic writing."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from detente.errors import InputError

_SNIFF_BYTES = 8192


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _open_bytes(path: Path) -> Any:
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a file")
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)})") from None
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
    found = False
    with _open_bytes(path) as stream:
        for number, raw in enumerate(stream, start=1):
            place = f"{path}:{number}"
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
        raise InputError(f"{path}: is empty")


def parse_object(line: str, place: str) -> dict[str, Any]:
    """Return the JSON object on one line.

    Raises:
        InputError: bad JSON, or JSON that is not an object; the message starts with ``place``.
    """
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
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


def _refuse_constant(name: str) -> None:
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
            f"{path}: no folder can be made there ({_reason(error)}); choose another place"
        ) from None
    return path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the name of ``path`` only on success.

    Raises:
        InputError: the folder does not exist or cannot be written.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give the name of a file to write")
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({_reason(error)}); choose another place"
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; a result should have the permissions of any new file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        try:
            os.replace(temporary, path)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({_reason(error)})") from None
    finally:
        temporary.unlink(missing_ok=True)
