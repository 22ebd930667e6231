"""Which files hold articles: paths, folders, patterns and lists of them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import TypeVar

from detente.errors import InputError
from detente.files import read_text, reason
from detente.intake.source import Say, warn

_File = TypeVar("_File")

STDIN = Path("-")
TABLES = (".jsonl", ".csv", ".tsv", ".parquet")
ENDINGS = (
    *(".txt", ".md", ".html", ".htm", ".docx", ".pdf"),
    *TABLES,
    *(".txt.gz", ".md.gz", ".html.gz", ".htm.gz", ".jsonl.gz", ".csv.gz", ".tsv.gz"),
)
_ALLOWED = ", ".join(ENDINGS[:10]) + "; all but .docx, .pdf and .parquet also as .gz"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
WILD = re.compile(r"[*?\[]")
_WRITTEN = re.compile(r"\.errors\.jsonl$")  # beside a table that a run wrote,
_PARTS = re.compile(r"\.(jsonl|csv|parquet)\.parts$")  # and the folder of one that has not ended


def list_files(
    paths: Sequence[str | Path], others: Counter[str] | None = None, say: Say = warn
) -> list[Path]:
    """Return the article files that ``paths`` name, in order, each once.

    A path is a file; ``-``, standard input; a folder, searched in order of name, hidden files,
    links to other folders, and errors and parts of runs left out; a pattern with ``*``, ``?`` or
    ``[``, where ``**`` stands for any depth; or ``@`` and a text file that gives one path on each
    line, relative to its own folder, ``#`` before a comment.

    Args:
        paths: what to list.
        others: gets the number of files with each other ending that a search passed by.
        say: called with how many files are named again.

    Raises:
        InputError: a path is a URL, does not exist, has an ending that cannot be read, or names
            no article.
    """
    given = [paths] if isinstance(paths, str | Path) else paths
    passed = Counter[str]() if others is None else others
    return once((file for path in given for file in _expand(str(path), passed)), say)


def once(files: Iterable[_File], say: Say) -> list[_File]:
    """Return each file, a path or URL, where it comes first; ``say`` how many come again."""
    kept: dict[str, _File] = {}
    again: dict[str, _File] = {}
    for file in files:
        name = str(file)
        place = name if is_url(name) else os.path.abspath(name)
        if kept.setdefault(place, file) is not file:
            again.setdefault(place, file)
    if again:
        count = f"; {len(again)} files are" if len(again) > 1 else ""
        say(f"{next(iter(again.values()))}: is named more than once, and read once{count}")
    return list(kept.values())


def named_files(paths: Sequence[str | Path]) -> set[Path]:
    """Return the files that ``paths`` name one by one, not by a folder or a pattern."""
    given = [paths] if isinstance(paths, str | Path) else paths
    named: set[Path] = set()
    for path in map(str, given):
        if path.startswith("@"):
            listing = Path(path[1:])
            named.update(listing.parent / name for _, name in _lines(listing))
        else:
            named.add(Path(path))
    return {path for path in named if path.is_file()}


def ending(path: Path) -> str | None:
    """Return which of `ENDINGS` the file's name has, ``.gz`` left out, if any."""
    name = path.name.lower()
    found = next((ending for ending in ENDINGS if name.endswith(ending)), None)
    return found.removesuffix(".gz") if found else None


def is_url(name: str) -> bool:
    """Whether a path is a URL."""
    return _URL.match(name) is not None


def _expand(name: str, others: Counter[str]) -> Iterator[Path]:
    if name.startswith("@"):
        path = Path(name[1:])
        yield from from_list(path, lambda line: find_files(line, others, path.parent))
    else:
        yield from find_files(name, others)


def from_list(path: Path, find: Callable[[str], Iterable[_File]]) -> Iterator[_File]:
    """Yield what ``find`` finds under each name that a list of paths gives.

    Raises:
        InputError: the list cannot be read or gives no name; or ``find`` raises it for a name.
    """
    found = False
    for number, name in _lines(path):
        found = True
        try:
            yield from find(name)
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}") from None
    if not found:
        raise InputError(f"{path}: names no file; give one path on each line")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name = line.strip()
        if name and not name.startswith("#"):
            yield number, name


def find_files(name: str, others: Counter[str], folder: Path = Path()) -> list[Path]:
    """Return the article files under one name: that of a file, a folder or a pattern.

    Args:
        name: relative to ``folder``.
        others: see `list_files`.

    Raises:
        InputError: see `list_files`.
    """
    if not name:
        raise InputError('"": an empty name; give . for this folder')
    if is_url(name):
        raise InputError(f"{name}: is a URL; download it, or read it with detente tag --engine ray")
    path = folder / name
    try:
        if path == STDIN:
            return [path]
        if path.is_dir():
            return _inside(path, _walk(path), others)
        if path.exists():
            return [_known(path)]
        if WILD.search(str(path)):
            return _inside(path, _matches(path), others)
    except OSError as error:
        raise InputError(f"{error.filename or path}: cannot be read ({reason(error)})") from None
    raise InputError(f"{path}: no such file")


def _known(path: Path) -> Path:
    if ending(path) is None:
        raise InputError(f"{path}: cannot be read; give a file ending in {_ALLOWED}")
    return path


def _inside(path: Path, files: Iterator[Path], others: Counter[str]) -> list[Path]:
    listed = {file for file in files if not is_written(file)}
    inside = sorted(file for file in listed if file.is_file())
    others.update("broken link" for file in listed if not file.exists())
    found = [file for file in inside if ending(file)]
    others.update(file.suffix.lower() or "no ending" for file in inside if not ending(file))
    if not found:
        raise InputError(f"{path}: holds no file ending in {_ALLOWED}")
    return found


def is_written(file: PurePath) -> bool:
    """Whether a run wrote a file beside its table, or in the folder of one that has not ended."""
    return bool(_WRITTEN.search(file.name) or _PARTS.search(file.parent.name))


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _refuse(error: OSError) -> None:
    raise error


def _matches(path: Path) -> Iterator[Path]:
    fixed = next(count for count, part in enumerate(path.parts) if WILD.search(part))
    base = Path(*path.parts[:fixed])
    try:
        for match in base.glob(str(Path(*path.parts[fixed:]))):
            if any(part.startswith(".") for part in match.relative_to(base).parts):
                continue
            if not match.is_dir():
                yield match
            elif not match.is_symlink():
                yield from _walk(match)
    except ValueError as error:
        raise InputError(f"{path}: not a pattern ({error})") from None
