from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from rich.console import Console

from detente import Codebook
from detente.codebook import Dimension
from detente.errors import InputError
from detente.summary import Period, Summary, summarize, summary_table
from detente.table import writing
from detente.timeline import save_timeline

WARMTH = Dimension(
    name="warmth",
    kind="ordinal",
    labels=("cold", "cool", "warm", "hot", "none"),
    no_position="none",
)
MOVE = Dimension(name="move", labels=("you", "both", "me", "none"), no_position="none")
CODEBOOK = Codebook(name="test", dimensions=(WARMTH, MOVE))
COLUMNS = {
    **dict.fromkeys(("article", "date", "text", "actor", "party"), str),
    **{"warmth": str, "warmth_probability": float, "move": str, "move_probability": float},
}


def row(
    date: str | None,
    actor: str | None,
    warmth: str,
    move: str = "none",
    *,
    party: str | None = None,
    sure: float = 0.9,
) -> dict[str, Any]:
    return {
        "article": "a.txt",
        "date": date,
        "text": 'He said:\n"No, never"',
        "actor": actor,
        "party": party or actor,
        "warmth": warmth,
        "warmth_probability": sure,
        "move": move,
        "move_probability": 0.5,
    }


ROWS = [
    row("2024-02-01", "USA", "cold", "you"),
    row("2024-02-29", "USA", "hot", "you"),
    row("2024-02-29", "USA", "warm", "me"),
    row("2024-02-29", "USA", "none"),
    row("2024-03-01", "USA", "cool", sure=0.4),
    row(None, "USA", "none", "both"),
    row("2024-03-02", None, "cold", party="The union"),
    row("2024-03-03", None, "none"),
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with writing(path, COLUMNS) as add:
        add(rows)
    return path


@pytest.fixture(params=["parquet", "csv", "jsonl"])
def tags(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / f"tags.{request.param}", ROWS)


def cells(summary: Summary, *names: str) -> Iterator[tuple[Any, ...]]:
    for made in summary.rows():
        assert list(made) == list(summary.columns())
        yield tuple(made[name] for name in names)


def test_counts_means_and_shares_by_hand(tags: Path) -> None:
    summary = summarize(tags, CODEBOOK)
    names = ("party", "period", "rows", "positions", "warmth_count", "warmth_mean")
    assert list(cells(summary, *names)) == [
        ("USA", "2024-02", 4, 3, 3, round((0 + 1 + 2 / 3) / 3, 6)),
        ("USA", "2024-03", 1, 1, 1, round(1 / 3, 6)),
        ("USA", "undated", 1, 1, 0, None),
        ("The union", "2024-03", 1, 1, 1, 0.0),
        (None, "2024-03", 1, 0, 0, None),
    ]
    names = ("move_count", "move_you_count", "move_you_share", "move_both_share", "move_me_share")
    assert list(cells(summary, *names)) == [
        (3, 2, round(2 / 3, 6), 0.0, round(1 / 3, 6)),
        (0, 0, None, None, None),
        (1, 0, 0.0, 1.0, 0.0),
        (0, 0, None, None, None),
        (0, 0, None, None, None),
    ]
    assert summary.remarks() == [
        'rows without a date, counted under "undated": 1 of 8',
        'rows that name no party, counted under "no party": 1 of 8',
    ]


def test_weeks_are_iso_weeks(tmp_path: Path) -> None:
    days = ["2023-12-31", "2024-01-01", "2024-01-07", "2024-01-08", "2024-12-30"]
    path = write(tmp_path / "tags.csv", [row(day, "USA", "hot") for day in days])
    summary = summarize(path, CODEBOOK, period="week")
    assert list(cells(summary, "period", "rows")) == [
        ("2023-W52", 1),
        ("2024-W01", 2),
        ("2024-W02", 1),
        ("2025-W01", 1),
    ]
    assert summary.tallies[1].start == datetime.date(2024, 1, 1)


@pytest.mark.parametrize(
    ("period", "names", "start"),
    [
        ("day", ["2026-09-30", "2026-10-01", "2026-12-31", "2027-01-01"], (2026, 9, 30)),
        ("quarter", ["2026-Q3", "2026-Q4", "2027-Q1"], (2026, 7, 1)),
        ("year", ["2026", "2027"], (2026, 1, 1)),
    ],
)
def test_days_quarters_and_years(
    tmp_path: Path, period: Period, names: list[str], start: tuple[int, int, int]
) -> None:
    days = ["2026-09-30", "2026-10-01", "2026-12-31", "2027-01-01"]
    path = write(tmp_path / "tags.csv", [row(day, "USA", "hot") for day in days])
    summary = summarize(path, CODEBOOK, period=period)
    assert [tally.period for tally in summary.tallies] == names
    assert summary.tallies[0].start == datetime.date(*start)


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_an_article_counts_once_in_a_group(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rows of an article need not stand together, nor be read together.
    ids = ["a", "b", "a", "c", "a", "b", "d", None]
    rows = [{**made, "article": name} for made, name in zip(ROWS, ids, strict=True)]
    path = write(tmp_path / f"tags.{ending}", rows)
    expected = [
        ("USA", "2024-02", 3, 4),
        ("USA", "2024-03", 1, 1),
        ("USA", "undated", 1, 1),
        ("The union", "2024-03", 1, 1),
        (None, "2024-03", None, 1),
    ]
    names = ("party", "period", "articles", "rows")
    assert list(cells(summarize(path, CODEBOOK), *names)) == expected
    monkeypatch.setattr("detente.tagtable._BATCH_ROWS", 3 if ending == "parquet" else 8)
    monkeypatch.setattr("detente.summary._MERGE_ROWS", 1)
    assert list(cells(summarize(path, CODEBOOK), *names)) == expected
    assert next(cells(summarize(path, CODEBOOK, period="none"), "articles")) == (3,)


def test_without_periods_dates_do_not_matter(tags: Path) -> None:
    summary = summarize(tags, CODEBOOK, period="none")
    assert list(cells(summary, "party", "period", "rows")) == [
        ("USA", "all", 6),
        ("The union", "all", 1),
        (None, "all", 1),
    ]
    assert summary.undated == 0


def test_unsure_labels_take_no_position(tags: Path) -> None:
    summary = summarize(tags, CODEBOOK, period="none", min_confidence=0.6)
    names = ("party", "rows", "positions", "warmth_count", "move_count")
    assert next(cells(summary, *names)) == ("USA", 6, 3, 3, 0)
    summary = summarize(tags, CODEBOOK, period="none", min_confidence=0.9)
    assert next(cells(summary, *names)) == ("USA", 6, 3, 3, 0)
    summary = summarize(tags, CODEBOOK, period="none", min_confidence=0.91)
    assert ("USA", 6, 0, 0, 0) in cells(summary, *names)


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_abstained_labels_are_told_of_or_dropped(tmp_path: Path, ending: str) -> None:
    doubts = ["warmth move", "move", "warmth_of_a_kind", "warmth", "", None, "warmth", ""]
    path = tmp_path / f"tags.{ending}"
    with writing(path, {**COLUMNS, "abstained": str}) as add:
        add([{**made, "abstained": doubt} for made, doubt in zip(ROWS, doubts, strict=True)])
    names = ("party", "rows", "positions", "warmth_count", "move_count")
    summary = summarize(path, CODEBOOK, period="none")
    assert list(cells(summary, *names)) == [
        ("USA", 6, 5, 4, 4),
        ("The union", 1, 1, 1, 0),
        (None, 1, 0, 0, 0),
    ]
    # An abstained "none" takes no position either way.
    assert summary.remarks()[-1] == (
        "labels abstained from, counted all the same: 4 of 9; --drop-abstained leaves them out"
    )
    summary = summarize(path, CODEBOOK, period="none", drop_abstained=True)
    assert list(cells(summary, *names)) == [
        ("USA", 6, 4, 3, 2),
        ("The union", 1, 0, 0, 0),
        (None, 1, 0, 0, 0),
    ]
    assert "abstained" not in " ".join(summary.remarks())


def test_several_tables_are_one(tmp_path: Path) -> None:
    whole = summarize(write(tmp_path / "whole.csv", ROWS), CODEBOOK)
    other = [{**made, "article": "b.txt"} for made in ROWS[5:]]
    first = write(tmp_path / "tags-1.csv", ROWS[:5])
    write(tmp_path / "tags-2.parquet", other)
    write(tmp_path / "tags-3.csv", [])
    # A table that a pattern names again is counted once.
    assert summarize([tmp_path / "tags-*", first], CODEBOOK) == whole
    second = write(tmp_path / "tags-4.jsonl", [*other, *ROWS])
    summary = summarize([first, second], CODEBOOK)
    assert summary.remarks()[0] == (
        f"{second}: 1 of its 2 articles have the id of one in an earlier table, for example "
        "'a.txt', and their rows count again"
    )
    assert summary.tallies[0].rows == 8
    assert summary.tallies[0].articles == 1
    for path in (first, tmp_path / "tags-3.csv"):
        write(path, [])
    with pytest.raises(InputError, match=r"tags-1.csv: holds no rows, nor does any of the others"):
        summarize([first, tmp_path / "tags-3.csv"], CODEBOOK)


def test_tables_of_several_models_are_not_summed_up(tmp_path: Path) -> None:
    first, path = write(tmp_path / "tags.csv", ROWS), tmp_path / "few.csv"
    path.write_text("article,date,actor,party,move,move_probability\n")
    with pytest.raises(InputError, match=rf"{path}: has the dimensions move, and {first} warmth, "):
        summarize([first, path], CODEBOOK)


def test_older_tables_do_not_tell_what_was_abstained_from(tags: Path) -> None:
    assert "abstained" not in " ".join(summarize(tags, CODEBOOK).remarks())
    assert_refused(tags, "no column 'abstained'", "--drop-abstained", drop_abstained=True)


def test_by_party_or_actor_and_top(tmp_path: Path) -> None:
    rows = [
        row("2024-01-01", None, "cold", party="The union"),
        row("2024-01-01", "USA", "hot"),
        row("2024-01-02", "USA", "hot"),
        row("2024-01-02", "FRA", "none"),
    ]
    path = write(tmp_path / "tags.jsonl", rows)
    summary = summarize(path, CODEBOOK)
    assert summary.parties == ("USA", "The union", "FRA")
    assert next(iter(summary.columns())) == "party"
    assert summary.top(2).parties == ("USA", "The union")
    assert summary.top(None) is summary
    assert summary.remarks() == []
    summary = summarize(path, CODEBOOK, by="actor")
    assert summary.parties == ("USA", "FRA", None)
    assert next(iter(summary.columns())) == "actor"
    assert summary.remarks() == [
        'rows that name no listed actor, counted under "no listed actor": 1 of 4'
    ]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_by_another_column(tmp_path: Path, ending: str) -> None:
    outlets = ["BBC", "BBC", "AP", "AP", "BBC", " ", None, "BBC"]
    path = tmp_path / f"tags.{ending}"
    with writing(path, {**COLUMNS, "outlet": str, "rows": str}) as add:
        add([{**made, "outlet": n, "rows": "1"} for made, n in zip(ROWS, outlets, strict=True)])
    summary = summarize(path, CODEBOOK, by="outlet", period="none")
    assert list(cells(summary, "outlet", "rows", "positions")) == [
        ("BBC", 4, 3),
        ("AP", 2, 1),
        (None, 2, 2),
    ]
    assert summary.remarks() == ['rows that name no outlet, counted under "no outlet": 2 of 8']
    assert summarize(path, CODEBOOK, by="article").parties == ("a.txt",)
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    console.print(summary_table(summary))
    assert "outlet" in console.export_text()
    save_timeline(summarize(path, CODEBOOK, by="outlet"), tmp_path / "outlets.svg", top=1)
    assert "1 of 2 values of &#x27;outlet&#x27;" in (tmp_path / "outlets.svg").read_text()
    assert_refused(path, "no column 'desk' to sum up by", "--keep", by="desk")
    with pytest.raises(InputError, match="--by rows: is a column of the summary itself"):
        summarize(path, CODEBOOK, by="rows")


def test_a_table_may_have_fewer_dimensions_than_the_codebook(tmp_path: Path) -> None:
    path = tmp_path / "tags.parquet"
    table = pyarrow.Table.from_pylist(ROWS).drop_columns(["warmth", "warmth_probability"])
    pyarrow.parquet.write_table(table, path)
    summary = summarize(path, CODEBOOK)
    assert summary.dimensions == (MOVE,)
    assert summary.tallies[0].positions == 3


def test_real_dates_and_dictionaries_in_parquet(tmp_path: Path) -> None:
    path = tmp_path / "tags.parquet"
    table = pyarrow.Table.from_pylist(ROWS)
    dates = table["date"].cast(pyarrow.date32())
    expected = summarize(write(tmp_path / "tags.csv", ROWS), CODEBOOK)
    for kind in (pyarrow.date32(), pyarrow.timestamp("ns")):
        changed = table.set_column(1, "date", dates.cast(kind))
        changed = changed.set_column(3, "actor", table["actor"].dictionary_encode())
        pyarrow.parquet.write_table(changed, path)
        assert summarize(path, CODEBOOK) == expected


def test_batches_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tags.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS * 50), path, row_group_size=30)
    whole = summarize(path, CODEBOOK)
    assert whole.tallies[0].rows == 200
    assert whole.tallies[0].labels["move"] == {"you": 100, "both": 0, "me": 50}
    monkeypatch.setattr("detente.tagtable._BATCH_ROWS", 7)
    monkeypatch.setattr("detente.summary._MERGE_ROWS", 5)
    assert summarize(path, CODEBOOK) == whole


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_a_summary_is_written_as_a_table(tmp_path: Path, ending: str) -> None:
    summary = summarize(write(tmp_path / "tags.csv", ROWS), CODEBOOK)
    path = tmp_path / f"summary.{ending}"
    with writing(path, summary.columns()) as add:
        add(summary.rows())
    if ending == "parquet":
        assert pyarrow.parquet.read_table(path).to_pylist() == summary.rows()
    elif ending == "jsonl":
        days = [str(tally.start) if tally.start else None for tally in summary.tallies]
        rows = [{**row, "period_start": day} for row, day in zip(summary.rows(), days, strict=True)]
        assert "2024-02-01" in days
        assert [json.loads(line) for line in path.read_text().splitlines()] == rows
    else:
        assert len(path.read_text().splitlines()) == 1 + len(summary.tallies)


def test_the_terminal_table(tmp_path: Path) -> None:
    rows = [*ROWS, row("2024-02-01", "x\x1b[31m[red]\u202ey", "hot")]
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    console.print(summary_table(summarize(write(tmp_path / "tags.csv", rows), CODEBOOK)))
    text = console.export_text()
    for words in ("USA", "2024-02", "0.56", "2 you 67%", "1 me 33%", "undated", "x[31m[red]y"):
        assert words in text
    assert "warmth: mean from 0 (cold) to 1 (hot)" in text


def test_endings_are_known_in_any_case(tmp_path: Path) -> None:
    for ending in ("CSV", "Jsonl", "PARQUET"):
        assert summarize(write(tmp_path / f"tags.{ending}", ROWS), CODEBOOK).parties[0] == "USA"


def test_a_table_without_rows(tags: Path) -> None:
    write(tags, [])
    assert_refused(tags, "empty" if tags.suffix == ".jsonl" else "holds no rows")


def test_bad_cells_are_named(tags: Path) -> None:
    write(tags, [*ROWS, row("29 Feb 2024", "USA", "cold")])
    assert_refused(tags, "row 9, column 'date': '29 Feb 2024'", "2024-02-29")
    write(tags, [*ROWS, row("2024-02-30", "USA", "cold")])
    assert_refused(tags, "row 9, column 'date': '2024-02-30'")
    write(tags, [*ROWS, row("2024-02-01", "USA", "freezing")])
    assert_refused(tags, "column 'warmth' holds 'freezing'", "cold, cool, warm, hot", "--model")


def test_bad_probabilities_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "tags.csv", ROWS)
    path.write_text(path.read_text().replace("0.4", "high"))
    assert summarize(path, CODEBOOK).tallies
    assert_refused(path, "row 5, column 'warmth_probability': 'high'", min_confidence=0.5)


def test_a_column_of_lists_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tags.parquet"
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist([{**made, "actor": ["USA"]} for made in ROWS]), path
    )
    assert_refused(path, "column 'actor' holds list<", "expected text")


def test_damaged_rows_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "tags.csv", ROWS)
    path.write_text(path.read_text() + "a,b\n")
    assert_refused(path, "is damaged", "Expected 9 columns")
    path = write(tmp_path / "tags.jsonl", ROWS)
    path.write_text(path.read_text() + '{"actor": ["USA"]}\n')
    assert_refused(path, "tags.jsonl:9", "column 'actor'")
    path = write(tmp_path / "tags.parquet", ROWS)
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"\xff" * 300 + whole[304:])
    assert_refused(path, "is damaged")


def assert_refused(path: Path, *words: str, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        summarize(path, CODEBOOK, **options)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words:
        assert word in message
