"""Articles from files and folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detente.errors import InputError
from detente.files import read_jsonl, read_text

ENDINGS = (".txt", ".jsonl")


@dataclass(frozen=True)
class Source:
    """An article's text as read, before it is tagged."""

    name: str
    text: str


@dataclass(frozen=True)
class Failure:
    """An article that could not be read, and why."""

    message: str


def list_files(paths: Sequence[str | Path]) -> list[Path]:
    """Return the article files among ``paths``; folders are searched, in order of name.

    Raises:
        InputError: a path does not exist, has an ending that cannot be read, or nothing is left.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS)
            if not inside:
                raise InputError(f"{path}: holds no {' or '.join(ENDINGS)} file")
            files.extend(inside)
        elif not path.exists():
            raise InputError(f"{path}: no such file")
        elif path.suffix not in ENDINGS:
            raise InputError(f"{path}: cannot be read; give a file ending in {', '.join(ENDINGS)}")
        else:
            files.append(path)
    return files


def read_articles(files: Sequence[Path]) -> Iterator[Source | Failure]:
    """Yield the articles of ``files``, or the reason why one could not be read.

    A .txt file is one article, named by its path. Each line of a .jsonl file is an article with
    a ``text`` and, if it has one, an ``id``; without it the article is named ``path:line``.
    """
    for path in files:
        try:
            if path.suffix == ".jsonl":
                yield from _read_lines(path)
            else:
                yield Source(str(path), read_text(path))
        except InputError as error:
            yield Failure(str(error))


def _read_lines(path: Path) -> Iterator[Source | Failure]:
    for place, value in read_jsonl(path):
        if isinstance(value, InputError):
            yield Failure(str(value))
            continue
        text = value.get("text")
        if not isinstance(text, str) or not text.strip():
            yield Failure(f"{place}: no 'text'; every line needs one")
        else:
            name = value.get("id")
            yield Source(place if name is None else str(name), text)
