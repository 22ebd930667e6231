"""Distillation: a larger model's readings of training statements, kept for a smaller one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow
import pyarrow.parquet

from detente.codebook import Codebook
from detente.errors import InputError
from detente.files import reading, replacing
from detente.parties.gazetteer import Gazetteer
from detente_training.record import Pair, Record, flatten
from detente_training.view import Views

_TEXT, _HOLDER = "text", "holder"
_TEACHER, _NEGOTIATIONS, _ARTICLES = b"teacher", b"negotiations", b"articles"


@dataclass(frozen=True)
class Readings:
    """What a larger model says of (statement, holder) pairs.

    Attributes:
        logits: a row for each pair, the labels of all dimensions side by side.
        teacher: the name of the larger model's run.
        negotiations: those the larger model was trained or validated on, or its own teacher was;
            empty if unknown.
        articles: likewise the annotated articles.
    """

    logits: Mapping[Pair, Sequence[float]]
    teacher: str
    negotiations: tuple[str, ...]
    articles: tuple[str, ...]
    _width: int

    def of(self, text: str, holder: str | None) -> Sequence[float]:
        """Return a pair's logits; NaN for one that was not read."""
        return self.logits.get((text, holder)) or [float("nan")] * self._width

    def also(self, copies: Mapping[Pair, Pair]) -> Readings:
        """Return readings in which each key of ``copies`` reads like the pair it is a copy of."""
        known = {new: self.logits[old] for new, old in copies.items() if old in self.logits}
        return replace(self, logits={**self.logits, **known})

    def within(self, texts: Set[str]) -> Readings:
        """Return the readings of these statements alone."""
        kept = {pair: row for pair, row in self.logits.items() if pair[0] in texts}
        return replace(self, logits=kept)

    @property
    def digest(self) -> str:
        """A SHA-256 of the readings, in the order in which they are trained on."""
        lines = [repr((pair, [f"{x:.4f}" for x in row])) for pair, row in self.logits.items()]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @classmethod
    def load(cls, path: Path, codebook: Codebook, unseen: Iterable[Record]) -> Readings:
        """Read what `write` wrote.

        Args:
            path: the Parquet file.
            codebook: of the smaller model.
            unseen: records it is validated and tested on.

        Raises:
            InputError: no such file, labels of another codebook, or an unseen record among the
                statements read.
        """
        with reading(path) as stream:
            try:
                table = pyarrow.parquet.read_table(stream)
            except pyarrow.ArrowInvalid:
                raise InputError(
                    f"{path}: is no Parquet file; make one with: detente teach"
                ) from None
        names = _columns(codebook)
        if table.column_names != [_TEXT, _HOLDER, *names]:
            raise InputError(
                f"{path}: holds readings by another codebook; make them again with: detente teach"
            )
        pairs = list(zip(table[_TEXT].to_pylist(), table[_HOLDER].to_pylist(), strict=True))
        metadata = table.schema.metadata or {}
        negotiations, articles = (
            tuple(json.loads(metadata.get(key, b"[]"))) for key in (_NEGOTIATIONS, _ARTICLES)
        )
        texts = {flatten(text) for text, _ in pairs}
        for record in unseen:
            if flatten(record.text) in texts:
                raise InputError(
                    f"{path}: holds readings of {record.place}, which is not to be trained on; "
                    "the larger model needs the same split"
                )
        rows = zip(*(table[name].to_pylist() for name in names), strict=True)
        return cls(
            {pair: list(row) for pair, row in zip(pairs, rows, strict=True)},
            metadata.get(_TEACHER, b"").decode(),
            negotiations,
            articles,
            len(names),
        )


def write_readings(
    path: Path,
    codebook: Codebook,
    pairs: Sequence[Pair],
    logits: Sequence[Sequence[float]],
    teacher: str,
    negotiations: Sequence[str] = (),
    articles: Sequence[str] = (),
) -> None:
    """Write a larger model's readings as Parquet.

    Args:
        path: the file.
        codebook: the model's.
        pairs: what it read.
        logits: shape (pairs, labels of all dimensions).
        teacher: the name of its run.
        negotiations: those it was trained or validated on, or its own teacher was.
        articles: likewise the annotated articles.
    """
    texts, holders = zip(*pairs, strict=True)
    columns = dict(zip(_columns(codebook), zip(*logits, strict=True), strict=True))
    schema = pyarrow.schema(
        [(_TEXT, pyarrow.string()), (_HOLDER, pyarrow.string())]
        + [(name, pyarrow.float16()) for name in columns],
        metadata={
            _TEACHER: teacher.encode(),
            _NEGOTIATIONS: json.dumps(list(negotiations)).encode(),
            _ARTICLES: json.dumps(list(articles)).encode(),
        },
    )
    table = pyarrow.table({_TEXT: texts, _HOLDER: holders, **columns}, schema=schema)
    with replacing(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd", compression_level=19)


def pairs_to_read(records: Sequence[Record], *, views: int = 0, seed: int = 0) -> list[Pair]:
    """Return the pairs a smaller model can learn from: labelled ones, and more without a label.

    Each statement is also read without a holder, and for every other party that it names.

    Args:
        records: the training records.
        views: how often each record is also read with some of its words replaced.
        seed: of the words drawn.
    """
    gazetteer = Gazetteer.load()
    texts = dict.fromkeys(record.text for record in records)
    pairs = dict.fromkeys((record.text, record.holder) for record in records)
    labelled = list(pairs)
    pairs.update(dict.fromkeys(pair for text in texts for pair in _unlabelled(text, gazetteer)))
    if views:
        drawn = Views(list(texts), seed)
        for pair in labelled:
            pairs.update(dict.fromkeys(drawn.of(*pair, views)))
    return list(pairs)


def _unlabelled(text: str, gazetteer: Gazetteer) -> Iterator[Pair]:
    yield text, None
    for mention in gazetteer.find(text):
        yield text, mention.text


def _columns(codebook: Codebook) -> list[str]:
    return [f"{d.name}.{label}" for d in codebook.dimensions for label in d.label_names]
