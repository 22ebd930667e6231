"""Gold articles: hand-annotated statements, speakers, holders and labels of whole articles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from detente.article import NARRATOR
from detente.codebook import Codebook
from detente.document import read_document
from detente.errors import CodebookError, InputError
from detente.files import read_text

Labels = Mapping[str, str]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoldParty(_Model):
    """A party, its actor id if the gazetteer has it, and all its names in the article."""

    actor: str | None = None
    names: tuple[str, ...] = Field(min_length=1)


class GoldSpeaker(_Model):
    """Somebody or something that is quoted, and the party it speaks for."""

    party: str | None = None
    names: tuple[str, ...]


class _Statement(_Model):
    text: str
    attribution: str
    speaker: str | None = None
    positions: dict[str, dict[str, str]] = {}
    adjudication: str | None = None


class _Second(_Model):
    statements: tuple[_Statement, ...]


class _Annotation(_Model):
    # Pydantic's models have a method of the field's own name.
    kind: str = Field(alias="register")
    split: Literal["dev", "test"]
    parties: dict[str, GoldParty]
    speakers: dict[str, GoldSpeaker]
    statements: tuple[_Statement, ...]


@dataclass(frozen=True)
class GoldStatement:
    """A statement that tells a position or is attributed; offsets index the article's text."""

    start: int
    end: int
    attribution: str
    speaker: str | None
    positions: Mapping[str, Labels]


@dataclass(frozen=True)
class GoldArticle:
    """An annotated article.

    ``split`` is dev, which may be looked at and trained on, or test, which may not.
    """

    name: str
    text: str
    register: str
    split: str
    parties: Mapping[str, GoldParty]
    speakers: Mapping[str, GoldSpeaker]
    statements: Sequence[GoldStatement]


def is_gold(path: Path) -> bool:
    """Whether a folder holds annotated articles."""
    return path.is_dir() and any(file.with_suffix(".txt").exists() for file in path.glob("*.json"))


def read_gold(folder: Path, codebook: Codebook) -> list[GoldArticle]:
    """Return the annotated articles of a folder: NAME.txt with its NAME.json.

    Raises:
        InputError: an annotation is broken, or a statement is not in its article.
        CodebookError: an unknown label.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InputError(f"{folder}: holds no annotated article (NAME.txt with NAME.json)")
    return [read_gold_article(file, codebook) for file in files]


def read_gold_article(path: Path, codebook: Codebook) -> GoldArticle:
    """Return one annotated article; ``path`` is its annotation."""
    annotation = read_document(path, _Annotation)
    text = read_text(path.with_suffix(".txt"))
    for key, speaker in annotation.speakers.items():
        _refuse_unknown(speaker.party, annotation.parties, f"{path}: speaker '{key}'", "party")
    article = GoldArticle(
        path.stem,
        text,
        annotation.kind,
        annotation.split,
        annotation.parties,
        annotation.speakers,
        (),
    )
    statements = _statements(annotation.statements, article, codebook, path)
    return replace(article, statements=tuple(statements))


def _statements(
    statements: Sequence[_Statement],
    article: GoldArticle,
    codebook: Codebook,
    path: Path,
    *,
    strict: bool = True,
) -> Iterator[GoldStatement]:
    position = 0
    for number, statement in enumerate(statements, start=1):
        place = f"{path}: statement {number}"
        words = map(re.escape, statement.text.split())
        match = re.compile(r"\s+".join(words)).search(article.text, position)
        if match is None:
            raise InputError(
                f"{place}: {statement.text[:50]!r} does not stand in the article after the "
                "statement before it; copy it as it stands there"
            )
        position = match.end()
        _refuse_unknown(statement.speaker, article.speakers, place, "speaker")
        if strict and (statement.speaker is None) != (statement.attribution == NARRATOR):
            raise InputError(f"{place}: the narrator has no speaker, every other attribution one")
        for party, labels in statement.positions.items():
            _refuse_unknown(party, article.parties, place, "party")
            _check_labels(labels, codebook, place)
        yield GoldStatement(
            match.start(),
            match.end(),
            statement.attribution,
            statement.speaker,
            statement.positions,
        )


def _refuse_unknown(key: str | None, known: Mapping[str, object], place: str, kind: str) -> None:
    if key is not None and key not in known:
        raise InputError(f"{place}: unknown {kind} '{key}'; known: {', '.join(known)}")


def _check_labels(labels: Labels, codebook: Codebook, place: str) -> None:
    names = [dimension.name for dimension in codebook.dimensions]
    if set(labels) != set(names):
        raise InputError(f"{place}: the labels must be of {', '.join(names)}")
    for dimension in codebook.dimensions:
        try:
            dimension.index(labels[dimension.name])
        except CodebookError as error:
            raise CodebookError(f"{place}: {error}") from None
    if all(labels[d.name] == d.no_position for d in codebook.dimensions):
        raise InputError(f"{place}: a party without a position is left out")


def read_second(folder: Path, gold: Sequence[GoldArticle], codebook: Codebook) -> list[GoldArticle]:
    """Return the second annotator's reading of articles: statements from ``second/NAME.json``.

    Raises:
        InputError: as `read_gold`; an article without a second annotation is left out.
    """
    seconds = []
    for article in gold:
        path = folder / "second" / f"{article.name}.json"
        if path.exists():
            annotation = read_document(path, _Second)
            statements = _statements(annotation.statements, article, codebook, path, strict=False)
            seconds.append(replace(article, statements=tuple(statements)))
    return seconds


def gold_tables(
    golds: Sequence[GoldArticle], seconds: Sequence[GoldArticle], codebook: Codebook
) -> list[tuple[str, list[list[str]]]]:
    """Return titled tables of what gold articles hold and how far two annotators agree."""
    splits = sorted({gold.split for gold in golds})
    groups = {split: [gold for gold in golds if gold.split == split] for split in splits}
    counts = [["", *splits]]
    counts.append(["articles", *(str(len(group)) for group in groups.values())])
    counts.append(["words", *(str(sum(len(g.text.split()) for g in gs)) for gs in groups.values())])
    for name, count in (
        ("statements", lambda gold: len(gold.statements)),
        ("... with a position", lambda gold: sum(bool(s.positions) for s in gold.statements)),
        ("positions", lambda gold: sum(len(s.positions) for s in gold.statements)),
    ):
        counts.append([name, *(str(sum(map(count, group))) for group in groups.values())])
    agreed: Counter[str] = Counter()
    for second in seconds:
        first = next(gold for gold in golds if gold.name == second.name)
        agreed += _agreement(first, second, codebook)
    rows = [["the second annotator", "agrees in", "of"]]
    rows += [
        [name, str(agreed[name]), str(agreed[f"{name} of"])]
        for name in ("statement", "attribution", "speaker", *(d.name for d in codebook.dimensions))
    ]
    return [("Gold articles", counts), ("Agreement with the final annotation", rows)]


def _agreement(first: GoldArticle, second: GoldArticle, codebook: Codebook) -> Counter[str]:
    counts: Counter[str] = Counter()
    by_place = {statement.start: statement for statement in second.statements}
    counts["statement of"] = len({s.start for s in (*first.statements, *second.statements)})
    for true in first.statements:
        other = by_place.get(true.start)
        if other is None:
            continue
        counts["statement"] += 1
        for name in ("attribution", "speaker"):
            counts[f"{name} of"] += 1
            counts[name] += getattr(true, name) == getattr(other, name)
        for party in {*true.positions, *other.positions}:
            for dimension in codebook.dimensions:
                labels = [
                    s.positions.get(party, {}).get(dimension.name, dimension.no_position)
                    for s in (true, other)
                ]
                counts[f"{dimension.name} of"] += 1
                counts[dimension.name] += labels[0] == labels[1]
    return counts
