"""Tag tables summed up: where each party stands, period by period."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from pathlib import Path
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from detente.codebook import Codebook, Dimension
from detente.errors import InputError
from detente.picture import clean
from detente.tagtable import Batch, TagTable, list_tables

Period = Literal["day", "week", "month", "quarter", "year", "none"]

UNDATED = "undated"
_MERGE_ROWS = 1_000_000


@dataclass(frozen=True)
class Tally:
    """One party's rows in one period, counted by label.

    Attributes:
        party: the actor's id or the party's name; None where the rows have none.
        period: "2024-02-14", "2024-W07", "2024-02", "2024-Q1", "2024", "undated", or "all" where
            time is not divided.
        start: the period's first day; None where it has none.
        rows: the rows of the tag table.
        positions: those of them that take a position on any dimension.
        labels: for each dimension, how many rows take each label other than "no position".
        abstained: how many of these labels are abstained from.
        articles: how many articles the rows are of; None where the tables do not tell.
    """

    party: str | None
    period: str
    start: datetime.date | None
    rows: int
    positions: int
    labels: Mapping[str, Mapping[str, int]]
    abstained: int = 0
    articles: int | None = None

    def count(self, dimension: Dimension) -> int:
        """Return how many rows take a position on a dimension."""
        return sum(self.labels[dimension.name].values())

    def mean(self, dimension: Dimension) -> float | None:
        """Return the mean place on an ordinal scale, 0 for its first label and 1 for its last.

        Rows without a position are left out; None if that leaves no row or there is no scale.
        """
        count = self.count(dimension)
        if not count or not dimension.scale:
            return None
        labels = self.labels[dimension.name]
        places = enumerate(dimension.label_names[index] for index in dimension.scale)
        total = sum(place * labels[label] for place, label in places)
        return total / max(1, len(dimension.scale) - 1) / count

    def share(self, dimension: Dimension, label: str) -> float | None:
        """Return a label's share of the rows that take a position; None if there are none."""
        count = self.count(dimension)
        return self.labels[dimension.name][label] / count if count else None


@dataclass(frozen=True)
class Summary:
    """The tallies of tag tables: parties with most positions first, each one's periods in order.

    Attributes:
        by: what the rows were gathered by: "party", "actor" or another column.
        period: "day", "week", "month", "quarter", "year", or "none" for no division of time.
        dimensions: those of the codebook that the tables have.
        notes: what is odd about the tables, one line each.
    """

    by: str
    period: Period
    dimensions: tuple[Dimension, ...]
    tallies: tuple[Tally, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def parties(self) -> tuple[str | None, ...]:
        """The parties, or what else the rows were gathered by, in order."""
        return tuple(dict.fromkeys(tally.party for tally in self.tallies))

    @property
    def noun(self) -> str:
        """What several of the parties are called."""
        return {"party": "parties", "actor": "actors"}.get(self.by, f"values of '{self.by}'")

    @property
    def nameless(self) -> str:
        """What stands for no party."""
        return {"actor": "no listed actor"}.get(self.by, f"no {self.by}")

    @property
    def undated(self) -> int:
        """The number of rows without a date; 0 where time is not divided."""
        return sum(tally.rows for tally in self.tallies if tally.period == UNDATED)

    def top(self, count: int | None) -> Summary:
        """Return the summary of the first parties only; None takes all."""
        if count is None:
            return self
        kept = set(self.parties[:count])
        return replace(self, tallies=tuple(t for t in self.tallies if t.party in kept))

    def columns(self) -> dict[str, type]:
        """Return the names and types of a row's cells."""
        return {self.by: str, **_columns(self.dimensions)}

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat row for each party and period; see `columns`."""
        return [
            {
                self.by: tally.party,
                "period": tally.period,
                "period_start": tally.start,
                "articles": tally.articles,
                "rows": tally.rows,
                "positions": tally.positions,
                **dict(_cells(tally, self.dimensions)),
            }
            for tally in self.tallies
        ]

    def remarks(self) -> list[str]:
        """Return what a reader of the numbers must know, one line each."""
        total = sum(tally.rows for tally in self.tallies)
        nameless = sum(tally.rows for tally in self.tallies if tally.party is None)
        counts = [
            (self.undated, "without a date", UNDATED),
            (nameless, f"that name {self.nameless}", self.nameless),
        ]
        remarks = list(self.notes)
        remarks += [
            f'rows {which}, counted under "{name}": {count} of {total}'
            for count, which, name in counts
            if count
        ]
        abstained = sum(tally.abstained for tally in self.tallies)
        if abstained:
            labels = sum(tally.count(d) for tally in self.tallies for d in self.dimensions)
            remarks.append(
                f"labels abstained from, counted all the same: {abstained} of {labels}; "
                "--drop-abstained leaves them out"
            )
        return remarks


def positions_of(dimension: Dimension) -> tuple[str, ...]:
    """Return the labels of a dimension other than "no position"."""
    return tuple(name for name in dimension.label_names if name != dimension.no_position)


def summarize(
    paths: str | Path | Sequence[str | Path],
    codebook: Codebook,
    *,
    by: str = "party",
    period: Period = "month",
    min_confidence: float = 0.0,
    drop_abstained: bool = False,
) -> Summary:
    """Sum up tag tables, read in batches: memory follows the parties and articles, not the rows.

    Of an article's id, only its hash is in memory.

    Args:
        paths: tables written by ``detente tag``, see `detente.tagtable.list_tables`.
        codebook: the codebook of the model that made them; gives the order of ordinal scales.
        by: "party" gathers rows by actor id where there is one, and else by the party's name,
            whatever article it stands in: "the union" of five disputes is one party. "actor"
            gathers them by actor id only; the name of another column of text, by what it holds.
        period: weeks are ISO weeks.
        min_confidence: labels less probable than this, 0 to 1, count as no position.
        drop_abstained: so do those that a table's column ``abstained`` names.

    Raises:
        InputError: a file cannot be read, is no tag table, is empty, holds a bad date or
            probability, or a label that the codebook does not have; has other dimensions than
            the first, or no column ``by``; or is of an older version without the column
            ``abstained``, and that is asked for.
    """
    tables = [TagTable.open(path) for path in list_tables(paths)]
    dimensions = _shared_dimensions(tables, codebook)
    _check_by(by, tables, dimensions)
    wanted = ["actor", "party"] if by in ("party", "actor") else [by]
    wanted += [dimension.name for dimension in dimensions]
    if period != "none":
        wanted.append("date")
    if min_confidence > 0:
        wanted += [f"{dimension.name}_probability" for dimension in dimensions]
    if drop_abstained:
        _check_abstained(tables)
    seen = _Articles() if len(tables) > 1 else None
    counter = _Counter(dimensions, by, period, min_confidence, drop_abstained)
    counts, articles = _counted(counter, _batches(tables, wanted, seen))
    if not counts.num_rows:
        others = ", nor does any of the others" if len(tables) > 1 else ""
        raise InputError(f"{tables[0].path}: holds no rows{others}")
    return Summary(
        by,
        period,
        dimensions,
        _tallies(counts, articles, dimensions, period),
        tuple(seen.notes) if seen else (),
    )


def _shared_dimensions(tables: Sequence[TagTable], codebook: Codebook) -> tuple[Dimension, ...]:
    first, *others = tables
    dimensions = first.dimensions(codebook)
    for table in others:
        found = table.dimensions(codebook)
        if found != dimensions:
            raise InputError(
                f"{table.path}: has the dimensions {_named(found)}, and {first.path} "
                f"{_named(dimensions)}; sum up tables of one model"
            )
    return dimensions


def _named(dimensions: Sequence[Dimension]) -> str:
    return ", ".join(dimension.name for dimension in dimensions)


def _check_by(by: str, tables: Sequence[TagTable], dimensions: Sequence[Dimension]) -> None:
    if by in ("party", "actor"):
        return
    if by in _columns(dimensions):
        raise InputError(f"--by {by}: is a column of the summary itself; rename it in the table")
    for table in tables:
        if by not in table.columns:
            raise InputError(
                f"{table.path}: has no column '{clean(by)}' to sum up by; detente tag --keep takes "
                "it over from the articles' table"
            )


def _check_abstained(tables: Sequence[TagTable]) -> None:
    for table in tables:
        if "abstained" not in table.columns:
            raise InputError(
                f"{table.path}: has no column 'abstained', which --drop-abstained needs; an older "
                "detente wrote it: tag the articles again, or use --min-confidence"
            )


def _batches(
    tables: Sequence[TagTable], wanted: Sequence[str], seen: _Articles | None
) -> Iterator[Batch]:
    for table in tables:
        found = [name for name in ("abstained", "article") if name in table.columns]
        columns = list(dict.fromkeys([*wanted, *found]))
        for batch in table.batches(columns):
            if seen and "article" in columns:
                seen.add(batch.texts("article"))
            yield batch
        if seen:
            seen.close(table.path)


class _Articles:
    """The ids of the articles in the tables read so far, as hashes, and which come again."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._earlier: set[int] = set()
        self._here: set[int] = set()
        self._example = ""

    def add(self, ids: Any) -> None:
        """Add ids of the table that is being read."""
        for name in ids.unique().to_pylist():
            number = hash(name)
            if name and number in self._earlier and not self._example:
                self._example = name
            if name:
                self._here.add(number)

    def close(self, path: Path) -> None:
        """End a table, and note how many of its articles an earlier one has."""
        again = len(self._here & self._earlier)
        if again:
            self.notes.append(
                f"{path}: {again} of its {len(self._here)} articles have the id of one in an "
                f"earlier table, for example {clean(self._example)[:60]!r}, and their rows count "
                "again"
            )
        self._earlier |= self._here
        self._here, self._example = set(), ""


def summary_table(summary: Summary, *, articles: bool = True) -> Table:
    """Return a summary as a table for the terminal; ``articles`` is a column to leave out."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.caption, table.caption_justify = _caption(summary), "left"
    table.add_column(Text(clean(summary.by)), overflow="fold")
    table.add_column("period", no_wrap=True)
    counts = ["articles", "rows", "positions"] if articles else ["rows", "positions"]
    for count in counts:
        table.add_column(count, justify="right")
    for dimension in summary.dimensions:
        table.add_column(dimension.name, justify="right" if dimension.scale else "left")
    previous: object = summary
    for tally in summary.tallies:
        if tally.party != previous:
            table.add_section()
        name = "" if tally.party == previous else clean(tally.party or summary.nameless)
        cells = [_shown(tally, dimension) for dimension in summary.dimensions]
        numbers = [getattr(tally, count) for count in counts]
        shown = ("—" if number is None else str(number) for number in numbers)
        table.add_row(Text(name), tally.period, *shown, *cells)
        previous = tally.party
    return table


def _caption(summary: Summary) -> str:
    scales = [
        f"{dimension.name}: mean from 0 ({dimension.label_names[dimension.scale[0]]}) "
        f"to 1 ({dimension.label_names[dimension.scale[-1]]})"
        for dimension in summary.dimensions
        if dimension.scale
    ]
    return "; ".join([*scales, "percentages are shares of the rows that take a label"])


def _shown(tally: Tally, dimension: Dimension) -> Text:
    if dimension.scale:
        mean = tally.mean(dimension)
        return Text("—", style="dim") if mean is None else Text(f"{mean:.2f}")
    lines = [
        f"{count} {label} {tally.share(dimension, label):.0%}"
        for label, count in tally.labels[dimension.name].items()
        if count
    ]
    return Text("\n".join(lines)) if lines else Text("—", style="dim")


def _columns(dimensions: Sequence[Dimension]) -> dict[str, type]:
    """Return the names and types of a row's cells behind the first."""
    cells: dict[str, type] = {
        "period": str,
        "period_start": datetime.date,
        "articles": int,
        "rows": int,
        "positions": int,
    }
    for dimension in dimensions:
        cells[f"{dimension.name}_count"] = int
        if dimension.scale:
            cells[f"{dimension.name}_mean"] = float
            continue
        for label in positions_of(dimension):
            cells[f"{dimension.name}_{label}_count"] = int
            cells[f"{dimension.name}_{label}_share"] = float
    return cells


def _cells(tally: Tally, dimensions: Sequence[Dimension]) -> Iterator[tuple[str, Any]]:
    for dimension in dimensions:
        yield f"{dimension.name}_count", tally.count(dimension)
        if dimension.scale:
            yield f"{dimension.name}_mean", _rounded(tally.mean(dimension))
            continue
        for label, count in tally.labels[dimension.name].items():
            yield f"{dimension.name}_{label}_count", count
            yield f"{dimension.name}_{label}_share", _rounded(tally.share(dimension, label))


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)


def _tallies(
    counts: Any, articles: Any, dimensions: Sequence[Dimension], period: Period
) -> tuple[Tally, ...]:
    per_group = {(party, start): number for party, start, number in _cells_of(articles)}
    tallies = [
        replace(tally, articles=per_group[tally.party, tally.start] or None)
        for tally in (_tally(row, dimensions, period) for row in _cells_of(counts))
    ]
    positions: Counter[str | None] = Counter()
    for tally in tallies:
        positions[tally.party] += tally.positions

    def order(tally: Tally) -> tuple[Any, ...]:
        party = (tally.party is None, -positions[tally.party], tally.party or "")
        return (*party, tally.start is None, tally.start)

    return tuple(sorted(tallies, key=order))


def _cells_of(table: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _tally(row: Sequence[Any], dimensions: Sequence[Dimension], period: Period) -> Tally:
    party, start, rows, positions, abstained, *counts = row
    rest = iter(counts)
    labels = {
        dimension.name: {label: next(rest) for label in positions_of(dimension)}
        for dimension in dimensions
    }
    return Tally(party, period_name(start, period), start, rows, positions, labels, abstained)


def period_name(start: datetime.date | None, period: Period) -> str:
    """Return the name of a period from its first day, which is None for rows without a date."""
    if period == "none":
        return "all"
    if start is None:
        return UNDATED
    if period == "week":
        year, week, _ = start.isocalendar()
        return f"{year:04}-W{week:02}"
    names = {
        "day": start.isoformat(),
        "month": f"{start.year:04}-{start.month:02}",
        "quarter": f"{start.year:04}-Q{(start.month + 2) // 3}",
        "year": f"{start.year:04}",
    }
    return names[period]


def _counted(counter: _Counter, batches: Iterator[Batch]) -> tuple[Any, Any]:
    """Return the counts of each party and period, and of how many articles they are."""
    counts, articles = _Groups(2), _Groups(3)
    counts.add(counter.nothing())
    articles.add(counter.no_article())
    for batch in batches:
        counts.add(counter.count(batch))
        articles.add(counter.articles(batch))
    found = articles.total()
    keys = found.column_names[:2]
    return counts.total(), found.group_by(keys).aggregate([("article", "count")])


@dataclass
class _Groups:
    """Arrow tables, the rows that are equal in the first columns added up, a batch at a time."""

    keys: int
    tables: list[Any] = field(default_factory=list)

    def add(self, table: Any) -> None:
        """Add a table of the same columns."""
        self.tables.append(table)
        whole, *waiting = self.tables
        if sum(table.num_rows for table in waiting) > max(_MERGE_ROWS, whole.num_rows):
            self.tables = [self.total()]

    def total(self) -> Any:
        """Return all tables as one."""
        import pyarrow

        return _added(pyarrow.concat_tables(self.tables), self.keys)


def _added(counts: Any, keys: int = 2) -> Any:
    """Return the counts of rows with equal keys, such as party and period, added up."""
    names = counts.column_names
    sums = [(name, "sum") for name in names[keys:]]
    added = counts.group_by(names[:keys]).aggregate(sums)
    added = added.select([*names[:keys], *(f"{name}_sum" for name in names[keys:])])
    return added.rename_columns(names).cast(counts.schema)


def _keys() -> list[tuple[str, Any]]:
    import pyarrow

    return [("party", pyarrow.string()), ("start", pyarrow.date32())]


@dataclass(frozen=True)
class _Counter:
    """Counts rows and labels by party and period, a batch at a time, as arrow tables."""

    dimensions: tuple[Dimension, ...]
    by: str
    period: Period
    min_confidence: float
    drop_abstained: bool

    def nothing(self) -> Any:
        """Return a table of counts without rows.

        Its columns: party, start, rows, positions, abstained, and each label.
        """
        import pyarrow

        count = 3 + sum(len(positions_of(dimension)) for dimension in self.dimensions)
        counts = [(str(number), pyarrow.int64()) for number in range(count)]
        return pyarrow.schema([*_keys(), *counts]).empty_table()

    def no_article(self) -> Any:
        """Return a table of articles without rows: party, start, and the hash of the id."""
        import pyarrow

        return pyarrow.schema([*_keys(), ("article", pyarrow.int64())]).empty_table()

    def count(self, batch: Batch) -> Any:
        """Return the counts of some rows of a tag table."""
        import pyarrow
        import pyarrow.compute as compute

        rows = pyarrow.repeat(True, len(batch))
        abstained = pyarrow.repeat(0, len(batch))
        taken = []
        for dimension in self.dimensions:
            labels = self._labels(batch, dimension)
            flags = [
                compute.fill_null(compute.equal(labels, label), False)
                for label in positions_of(dimension)
            ]
            doubtful = compute.and_(reduce(compute.or_, flags), _abstained(batch, dimension))
            abstained = compute.add(abstained, doubtful.cast(pyarrow.int64()))
            taken += flags
        flags = [rows, reduce(compute.or_, taken), abstained, *taken]
        columns = [self._party(batch), self._start(batch)]
        columns += [flag.cast(pyarrow.int64()) for flag in flags]
        return _added(pyarrow.Table.from_arrays(columns, schema=self.nothing().schema))

    def articles(self, batch: Batch) -> Any:
        """Return the articles of some rows of a tag table, each once for a party and period."""
        import pyarrow

        if "article" in batch.rows.schema.names:
            ids = batch.texts("article").dictionary_encode()
            hashes = pyarrow.array(map(hash, ids.dictionary.to_pylist()), pyarrow.int64())
            articles = hashes.take(ids.indices)
        else:
            articles = pyarrow.nulls(len(batch), pyarrow.int64())
        columns = [self._party(batch), self._start(batch), articles]
        return _added(pyarrow.Table.from_arrays(columns, schema=self.no_article().schema), 3)

    def _party(self, batch: Batch) -> Any:
        import pyarrow
        import pyarrow.compute as compute

        columns = ("party", "actor") if self.by == "party" else (self.by,)
        names = [compute.utf8_trim_whitespace(batch.texts(name)) for name in columns]
        absent = pyarrow.scalar(None, pyarrow.string())
        return compute.coalesce(
            *(compute.if_else(compute.equal(name, ""), absent, name) for name in names)
        )

    def _start(self, batch: Batch) -> Any:
        import pyarrow
        import pyarrow.compute as compute

        if self.period == "none":
            return pyarrow.nulls(len(batch), pyarrow.date32())
        days = batch.values("date", pyarrow.date32(), "a date such as 2024-02-29")
        return compute.floor_temporal(days, unit=self.period)

    def _labels(self, batch: Batch, dimension: Dimension) -> Any:
        import pyarrow
        import pyarrow.compute as compute

        labels = batch.labels(dimension)
        absent = pyarrow.scalar(None, pyarrow.string())
        if self.min_confidence > 0:
            name = f"{dimension.name}_probability"
            probabilities = batch.values(name, pyarrow.float64(), "a number")
            sure = compute.greater_equal(probabilities, self.min_confidence)
            labels = compute.if_else(sure, labels, absent)
        if self.drop_abstained:
            labels = compute.if_else(_abstained(batch, dimension), absent, labels)
        return labels


def _abstained(batch: Batch, dimension: Dimension) -> Any:
    """Return which rows' labels are abstained from; none where the table does not say."""
    import pyarrow
    import pyarrow.compute as compute

    if "abstained" not in batch.rows.schema.names:
        return pyarrow.repeat(False, len(batch))
    word = rf"(^|\s){re.escape(dimension.name)}(\s|$)"
    found = compute.match_substring_regex(batch.texts("abstained"), word)
    return compute.fill_null(found, False)
