"""Tables that `detente tag` wrote, told by their columns from tables of articles."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from detente.errors import InputError
from detente.files import reading
from detente.intake.listing import TABLES, ending
from detente.intake.source import Say

_COLUMNS = {"statement", "start", "end", "attribution"}
_HEAD = 1_000_000  # bytes of a table in which its columns are looked for


def are_tags(names: Iterable[str]) -> bool:
    """Whether a table with these columns is one of tags."""
    return set(names) >= _COLUMNS


def without_tags(files: Sequence[Path], named: Collection[Path], say: Say) -> list[Path]:
    """Return the files but for tables of tags, which lie in a searched folder.

    Args:
        files: the inputs.
        named: those that the user names one by one; they are kept.
        say: called once if any are left out.
    """
    left = {file for file in files if file not in named and holds_tags(file)}
    if left:
        count = f"; {len(left)} such files are" if len(left) > 1 else ""
        say(f"{min(left)}: is left alone, as a table that detente tag wrote{count}")
    return [file for file in files if file not in left]


def holds_tags(path: Path) -> bool:
    """Whether a file is a table of tags; one that cannot be read is none."""
    if ending(path) not in TABLES:
        return False
    try:
        with reading(path) as stream:
            return begins_tags(stream, path.name)
    except InputError:
        return False


def begins_tags(stream: BinaryIO, name: str) -> bool:
    """Whether an open file of this name begins as a table of tags does."""
    try:
        return are_tags(_columns(stream, ending(Path(name))))
    except InputError:
        raise
    except Exception:  # of a damaged table any part may fail; its reader will tell
        return False


def _columns(stream: BinaryIO, kind: str | None) -> Iterable[str]:
    if kind == ".parquet":
        import pyarrow.parquet

        return list(pyarrow.parquet.read_schema(stream).names)
    line = stream.readline(_HEAD).decode("utf-8-sig")
    if kind == ".jsonl":
        return list(json.loads(line))
    return next(csv.reader([line], delimiter="\t" if kind == ".tsv" else ","))
