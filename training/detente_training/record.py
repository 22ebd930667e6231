"""Labelled records: one statement, one holder, one label a dimension."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detente.codebook import RESERVED, Codebook
from detente.errors import CodebookError, InputError
from detente.files import read_jsonl, read_text
from detente.tagger import check_pair

Pair = tuple[str, str | None]  # statement, holder
_TRUTH = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True)
class Record:
    """One (statement, holder) pair with its labels.

    Attributes:
        labels: label a dimension; None where annotators could not agree.
        implied: whether the holder is a party the text only implies.
        place: ``file:line`` it was read from.
        fields: everything else the line holds, as it stands there.
    """

    id: str
    text: str
    holder: str | None
    labels: Mapping[str, str | None]
    negotiation: str
    place: str
    implied: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def annotations(self) -> Sequence[Mapping[str, Any]]:
        """Each annotator's labels before adjudication: ``annotator`` and a label a dimension."""
        found: Sequence[Mapping[str, Any]] = self.fields.get("annotations") or ()
        return found

    @property
    def pair(self) -> str | None:
        """The contrast pair it belongs to: two records, or a few, told apart by one small edit."""
        found: str | None = self.fields.get("pair")
        return found or None


def parse_record(value: Mapping[str, Any], codebook: Codebook, place: str) -> Record:
    """Return the record of one JSON line.

    Raises:
        InputError: no text, a holder too long to be a party's name, or a field of another form.
        CodebookError: a missing or unknown label. Both messages start with ``place``.
    """
    check_pair(value.get("text", ""), value.get("holder"), place)
    labels: dict[str, str | None] = {}
    for dimension in codebook.dimensions:
        if dimension.name not in value:
            raise CodebookError(
                f"{place}: no '{dimension.name}'; allowed: {', '.join(dimension.label_names)}, "
                "or null where it is ambiguous"
            )
        label = value[dimension.name]
        if label is not None:
            try:
                dimension.index(label)
            except CodebookError as error:
                raise CodebookError(f"{place}: {error}") from None
        labels[dimension.name] = label
    annotations = value.get("annotations")
    if annotations is not None and not _are_annotations(annotations):
        raise InputError(
            f"{place}: annotations must be a list of objects, one an annotator, each with the "
            "annotator's name"
        )
    if not isinstance(value.get("pair") or "", str):
        raise InputError(f"{place}: the pair must be text")
    identifier, negotiation = value.get("id"), value.get("negotiation")
    known = {*labels, "id", "text", "holder", "negotiation", "implied"}
    return Record(
        id=place if identifier is None else str(identifier),
        text=value["text"],
        holder=value.get("holder") or None,
        labels=labels,
        negotiation="" if negotiation is None else str(negotiation),
        place=place,
        implied=_parse_truth(value.get("implied"), place),
        fields={key: item for key, item in value.items() if key not in known},
    )


def _parse_truth(value: Any, place: str) -> bool:
    # A table's cells are text, and as such "False" is as true as any other.
    text = "" if value is None else str(value).strip().lower()
    if text not in _TRUTH:
        raise InputError(f"{place}: implied must be true or false (or 1, 0), not {value!r}")
    return _TRUTH[text]


def _are_annotations(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, dict) and isinstance(entry.get("annotator"), str) for entry in value
    )


def corpus_files(path: str | Path) -> list[Path]:
    """Return the .jsonl and .csv files of a corpus: a folder's, in order of name, or the one given.

    Raises:
        InputError: no such path, or a folder without any.
    """
    path = Path(path)
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in (".jsonl", ".csv"))
    if not files:
        raise InputError(f"{path}: holds no .jsonl or .csv file")
    return files


def _read_csv(path: Path) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """Yield a table's rows as `read_jsonl` yields lines; an empty cell is null.

    A row without a negotiation belongs to that of the file's name.
    """
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        names = rows.fieldnames
    except csv.Error as error:
        raise InputError(f"{path}:1: not a row of a table ({error})") from None
    if not names or "text" not in names:
        raise InputError(f"{path}:1: the table has no column 'text'")
    while True:
        place = f"{path}:{rows.line_num + 1}"
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{place}: not a row of a table ({error})") from None
        if None in row or None in row.values():
            yield (
                place,
                InputError(
                    f"{place}: has {'more' if None in row else 'fewer'} cells than the table's head"
                ),
            )
            continue
        cells = {name: cell or None for name, cell in row.items()}
        negotiation = cells.get("negotiation") or path.stem
        yield place, {**cells, "negotiation": negotiation, "text": row["text"]}


def iterate_records(
    path: str | Path, codebook: Codebook
) -> Iterator[Record | InputError | CodebookError]:
    """Yield a corpus' records, and in its place the error of each line that is not one."""
    for file in corpus_files(path):
        for place, value in _read_csv(file) if file.suffix == ".csv" else read_jsonl(file):
            if isinstance(value, InputError):
                yield value
                continue
            try:
                yield parse_record(value, codebook, place)
            except (InputError, CodebookError) as error:
                yield error


def read_records(path: str | Path, codebook: Codebook) -> list[Record]:
    """Return the records of a corpus folder or file.

    Raises:
        InputError, CodebookError: at the first line that is not a record; names file and line.
            Also where there is no record at all.
    """
    records = []
    for record in iterate_records(path, codebook):
        if not isinstance(record, Record):
            raise record
        records.append(record)
    if not records:
        raise InputError(f"{path}: holds no record")
    return records


def flatten(text: str) -> str:
    """Return a text without what copies of it may differ in: white space, and case."""
    return " ".join(text.split()).lower()


def corpus_knows(path: str | Path, codebook: Codebook) -> bool:
    """Whether a corpus is labelled by a codebook, as far as its first record tells."""
    return not isinstance(next(iterate_records(path, codebook), None), CodebookError)


def read_texts(path: str | Path) -> list[str]:
    """Return the ``text`` of each line of a JSON-lines file.

    Raises:
        InputError: the file or a line cannot be read, or a line has no text.
    """
    texts = []
    for place, value in read_jsonl(path):
        if isinstance(value, InputError):
            raise value
        check_pair(value.get("text", ""), None, place)
        texts.append(value["text"])
    return texts


def pair_members(records: Sequence[Record]) -> dict[tuple[str, str], list[int]]:
    """Return the places of the records of each contrast pair, by its negotiation and id."""
    members: dict[tuple[str, str], list[int]] = {}
    for number, record in enumerate(records):
        if record.pair is not None:
            members.setdefault((record.negotiation, record.pair), []).append(number)
    return members


def tell_apart(records: Sequence[Record]) -> bool:
    """Return whether some label of a pair's records is known of all and differs."""
    by_dimension = zip(*(record.labels.values() for record in records), strict=True)
    return any(None not in labels and len(set(labels)) > 1 for labels in by_dimension)


def corpus_hash(records: Sequence[Record]) -> str:
    """Return a SHA-256 of what the records say, whatever files they lie in."""
    lines = sorted(
        json.dumps([r.id, r.text, r.holder, dict(r.labels), r.negotiation], sort_keys=True)
        for r in records
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def unknown_fields(record: Record) -> Iterator[str]:
    """Yield a message for each field that no record has, with the nearest that exists."""
    for name in record.fields:
        if name not in RESERVED:
            near = difflib.get_close_matches(name, sorted(RESERVED | set(record.labels)), n=1)
            yield f"unknown field '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")
