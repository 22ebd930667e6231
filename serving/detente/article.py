"""A tagged article: its statements, who speaks, the parties in them, and their readings."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from detente.errors import InputError
from detente.reading import Reading

if TYPE_CHECKING:
    import pandas

    from detente.codebook import Codebook

NARRATOR = "narrator"

# The names and types of a row's cells before those of the dimensions, and after them.
LEADING: Mapping[str, type] = {
    "article": str,
    "title": str,
    "date": datetime.date,
    "statement": int,
    "start": int,
    "end": int,
    "text": str,
    "attribution": str,
    "speaker": str,
    "holder": str,
    "holder_start": int,
    "holder_end": int,
    "actor": str,
    "party": str,
}
CLOSING: Mapping[str, type] = {"abstained": str}


@dataclass(frozen=True)
class Mention:
    """What stands for a party in a statement: its name, "we" or "it", or the speaker.

    ``text`` is what stands between ``start`` and ``end`` of the article; where the statement only
    implies the party, it is the party's name and both are None.
    """

    text: str
    start: int | None
    end: int | None
    actor: str | None = None


@dataclass(frozen=True)
class Holder:
    """A party in a statement and the reading of its position.

    Attributes:
        mention: what stands for the party; its ``actor`` is the gazetteer's id. None: the
            statement was read as a whole, without a party.
        reading: the labels.
        party: the actor's id, or else the party's fullest name in the article.
    """

    mention: Mention | None
    reading: Reading
    party: str | None = None


@dataclass(frozen=True)
class Statement:
    """A statement, numbered from 1; ``article.text[start:end]`` is its text.

    Attributes:
        attribution: direct, indirect or mixed quotation, or narrator. An article in which no
            statement may take a position is not parsed: all of its statements are the narrator's.
        speaker: to whom it is attributed, by the fullest name in the article.
        holders: the parties in it; none where the statement was skipped as taking no position, or
            where no party was found.
    """

    number: int
    start: int
    end: int
    text: str
    holders: tuple[Holder, ...]
    attribution: str = NARRATOR
    speaker: str | None = None


@dataclass(frozen=True)
class Article:
    """An article and what its statements say; ``codebook`` is that of the readings."""

    name: str
    text: str
    statements: tuple[Statement, ...]
    title: str | None = None
    date: datetime.date | None = None
    byline: str | None = None
    codebook: Codebook | None = field(default=None, repr=False, compare=False)

    def rows(self, *, probabilities: bool = False) -> list[dict[str, Any]]:
        """Return one flat row for each (statement, holder); see `columns`.

        Args:
            probabilities: give every label's probability, not only the chosen one's.
        """
        return [
            {
                "article": self.name,
                "title": self.title,
                "date": self.date,
                "statement": statement.number,
                "start": statement.start,
                "end": statement.end,
                "text": statement.text,
                "attribution": statement.attribution,
                "speaker": statement.speaker,
                **_holder_cells(holder),
                **dict(_label_cells(holder.reading, probabilities)),
                "abstained": " ".join(holder.reading.abstained),
            }
            for statement in self.statements
            for holder in statement.holders
        ]

    def to_frame(self, *, probabilities: bool = False) -> pandas.DataFrame:
        """Return the rows as a pandas data frame.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        rows = self.rows(probabilities=probabilities)
        if self.codebook is None:
            return pandas.DataFrame(rows)
        return pandas.DataFrame(
            rows, columns=list(columns(self.codebook, probabilities=probabilities))
        )

    def _repr_html_(self) -> str:
        from detente.webview import article_html

        return article_html(self)


def columns(
    codebook: Codebook, *, probabilities: bool = False, keep: Sequence[str] = ()
) -> dict[str, type]:
    """Return the names and types of a row's cells.

    ``abstained`` names the dimensions whose label is among the least certain, parted by
    spaces.

    Args:
        codebook: gives the dimensions.
        probabilities: give every label's probability.
        keep: columns of the input that stand in the table too, after the leading ones.

    Raises:
        InputError: one of ``keep`` is there twice, or is a column of tables of tags.
    """
    if keep:
        _check_kept(keep, codebook)
    cells = {**LEADING, **dict.fromkeys(keep, str)}
    for dimension in codebook.dimensions:
        label, *numbers = dimension.columns if probabilities else dimension.columns[:2]
        cells[label] = str
        cells.update(dict.fromkeys(numbers, float))
    return {**cells, **CLOSING}


def _check_kept(keep: Sequence[str], codebook: Codebook) -> None:
    own = columns(codebook, probabilities=True)
    for name in keep:
        # By its end, summarize knows a column of labels.
        if name in own or name.endswith("_probability"):
            raise InputError(
                f"column '{name}' cannot be kept: that is the name of a column of tags; rename it "
                "in the input"
            )
        if keep.count(name) > 1:
            raise InputError(f"column '{name}' is to be kept twice; name it once")


def takes_position(row: Mapping[str, Any], codebook: Codebook) -> bool:
    """Whether a row has a label other than "no position"."""
    return any(row[d.name] != d.no_position for d in codebook.dimensions)


def _holder_cells(holder: Holder) -> dict[str, Any]:
    mention = holder.mention
    return {
        "holder": mention.text if mention else None,
        "holder_start": mention.start if mention else None,
        "holder_end": mention.end if mention else None,
        "actor": mention.actor if mention else None,
        "party": holder.party,
    }


def _label_cells(reading: Reading, probabilities: bool) -> Iterator[tuple[str, Any]]:
    for name, prediction in reading:
        yield name, prediction.label
        yield f"{name}_probability", round(prediction.probability, 6)
        if probabilities:
            for label, probability in prediction.probabilities.items():
                yield f"{name}_{label}", round(probability, 6)
