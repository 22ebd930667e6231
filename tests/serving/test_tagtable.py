from __future__ import annotations

from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from detente import Codebook
from detente.codebook import Dimension
from detente.errors import InputError
from detente.tagtable import TagTable, list_tables

WARMTH = Dimension(name="warmth", labels=("cold", "hot", "none"), no_position="none")
MOVE = Dimension(name="move", labels=("you", "me", "none"), no_position="none")
CODEBOOK = Codebook(name="test", dimensions=(WARMTH, MOVE))
MOVES = {"move": ["you", "me"], "move_probability": [0.9, 0.8]}


def read(path: Path, *columns: str) -> list[tuple[int, int]]:
    """Return the number of each batch's first row and how many it has."""
    table = TagTable.open(path)
    table.dimensions(CODEBOOK)
    return [(batch.first, len(batch)) for batch in table.batches(columns)]


def test_rows_are_numbered_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tags.jsonl"
    path.write_text('{"move": "you", "move_probability": 0.9}\n' * 7)
    monkeypatch.setattr("detente.tagtable._BATCH_ROWS", 24)
    assert read(path, "move") == [(1, 3), (4, 3), (7, 1)]


def test_dimensions_are_in_the_order_of_the_codebook(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("move,move_probability,warmth,warmth_probability\n")
    assert TagTable.open(path).dimensions(CODEBOOK) == (WARMTH, MOVE)


@pytest.mark.parametrize("abstained", ["", ",abstained"])
def test_tables_of_older_versions_are_read(tmp_path: Path, abstained: str) -> None:
    path = tmp_path / "tags.csv"
    cells = ',"move warmth"' if abstained else ""
    path.write_text(f"move,move_probability{abstained}\nyou,0.9{cells}\n")
    assert TagTable.open(path).dimensions(CODEBOOK) == (MOVE,)
    assert read(path, "move") == [(1, 1)]


def test_patterns_match_tables_and_nothing_that_a_run_writes_beside_them(tmp_path: Path) -> None:
    parts = tmp_path / "c.parquet.parts"
    parts.mkdir()
    names = ("b.csv", "a.parquet", "a.errors.jsonl", "a.txt", "sum.csv", "c.parquet.parts/p.csv")
    for name in names:
        (tmp_path / name).touch()
    b, a = tmp_path / "b.csv", tmp_path / "a.parquet"
    assert list_tables([b, tmp_path / "**/*", a], tmp_path / "sum.csv") == [b, a]
    with pytest.raises(InputError, match=r"\*.tsv: matches no table in .parquet, .csv, .jsonl"):
        list_tables(tmp_path / "*.tsv")
    with pytest.raises(InputError, match=r"b.csv: would be written over"):
        list_tables([a, b], b)


def test_a_column_may_not_be_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("move,move_probability,move\n")
    with pytest.raises(InputError, match="'move' is there twice"):
        read(path, "move")


def test_a_day_that_no_calendar_holds_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tags.parquet"
    days = pyarrow.array([0, 2_932_897], pyarrow.date32())  # the second in the year 10000
    pyarrow.parquet.write_table(pyarrow.table({**MOVES, "date": days}), path)
    table = TagTable.open(path)
    table.dimensions(CODEBOOK)
    (batch,) = table.batches(("date",))
    with pytest.raises(InputError, match=r"tags\.parquet: row 2, column 'date': '10000-01-01' is"):
        batch.values("date", pyarrow.date32(), "a date")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, ["none.csv", "no such file"]),
        ("tags.xlsx", b"x", ["tags.xlsx", "unknown ending", ".parquet, .csv, .jsonl"]),
        ("empty.csv", b"", ["empty.csv", "is empty"]),
        ("empty.parquet", b"", ["empty.parquet", "is empty"]),
        ("bad.parquet", b"PAR1 but not really", ["bad.parquet", "is no parquet file"]),
        ("latin.csv", b"caf\xe9,b\n", ["latin.csv", "UTF-8"]),
        ("other.csv", b"name,price\na,1\n", ["other.csv", "is no table of detente tag", "price"]),
        ("bare.csv", b"move,move_probability\nyou,1\n", ["'actor', 'party', 'date' is missing"]),
        ("foreign.csv", b"mood,mood_probability\n", ["'mood'", "warmth, move", "--model"]),
        ("bad.jsonl", b'{"text": \n', ["bad.jsonl:1", "bad JSON"]),
        ("list.jsonl", b"[1]\n", ["list.jsonl:1", "expected a JSON object"]),
    ],
)
def test_what_is_no_table_is_named(
    tmp_path: Path, name: str, content: bytes | None, words: list[str]
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path, "actor", "party", "date")
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words:
        assert word in message
