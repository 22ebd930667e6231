"""Tables of articles: .jsonl, .csv, .tsv and .parquet."""

from __future__ import annotations

import csv
import datetime
import gzip
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from detente.errors import InputError
from detente.files import parse_lines
from detente.intake import charset, rows
from detente.intake.reader import (
    Columns,
    Failure,
    Source,
    check_tables,
    entries,
    read_articles,
)
from detente.intake.rows import LONGEST, read_table
from detente.intake.source import DETECTED
from tests.conftest import ROOT, Command

DAY = datetime.date(2003, 9, 29)
ROWS: list[dict[str, Any]] = [
    {"URL": "a/1", "Body": "Japan said no.", "Published": "2003-09-29", "Headline": "No"},
    {"URL": "a/2", "Body": "“We left,”\nhe said, “twice”.", "Published": "soon", "Headline": ""},
]
EXPECTED = [
    Source("a/1", "Japan said no.", "No", DAY),
    Source("a/2", "“We left,”\nhe said, “twice”.", None, None),
]
HINT = "write it as 2003-09-29, or give its --date-format"
SAID = "text is column 'Body', id is column 'URL', date is column 'Published', title is column"


def read(
    path: Path, columns: Columns = DETECTED, start: int = 0
) -> tuple[list[Source | Failure], list[str]]:
    said: list[str] = []
    found = entries([path], columns, start=(0, start), say=said.append)
    return [entry.read() for entry in found], said


def texts(path: Path, columns: Columns = DETECTED) -> list[str]:
    return [
        article.text if isinstance(article, Source) else article.message.removeprefix(str(path))
        for article in read(path, columns)[0]
    ]


def failure(path: Path, columns: Columns = DETECTED) -> str:
    (found,), _ = read(path, columns)
    assert isinstance(found, Failure), found
    assert found.message.startswith(str(path))
    assert "\n" not in found.message
    return found.message.removeprefix(str(path))


def write_table(path: Path, rows: Sequence[dict[str, Any]], encoding: str = "utf-8") -> Path:
    names = [name for name in path.suffixes if name != ".gz"]
    if names == [".parquet"]:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
        return path
    if names == [".jsonl"]:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        raw = content.encode(encoding)
    else:
        temporary = path.with_name("rows")
        with temporary.open("w", encoding=encoding, newline="") as stream:
            tabs = "\t" if names == [".tsv"] else ","
            writer = csv.DictWriter(stream, list(rows[0]), delimiter=tabs)
            writer.writeheader()
            writer.writerows(rows)
        raw = temporary.read_bytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


@pytest.mark.parametrize(
    "ending", ["jsonl", "csv", "tsv", "jsonl.gz", "csv.gz", "tsv.gz", "parquet"]
)
def test_columns_are_detected_and_said_once(tmp_path: Path, ending: str) -> None:
    path = write_table(tmp_path / f"a.{ending}", ROWS)
    found, said = read(path)
    assert found == EXPECTED
    unread = [
        f"{path}: date 'soon' cannot be read; {HINT}",
        f"{path}: dates that cannot be read, left empty: 1, for example 'soon'",
    ]
    assert said == [f"{path}: {SAID} 'Headline'", *unread]
    assert read(path, start=1) == (EXPECTED[1:], said)
    assert read(path, start=2) == ([], said[:1])
    given = Columns("Body", "URL", "Published", "Headline")
    assert read(path, given) == (EXPECTED, said[1:])
    assert read(path, Columns("headline", "published"))[0][0] == Source("2003-09-29", "No")


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_columns_are_kept_as_text(tmp_path: Path, ending: str) -> None:
    outlets = [" BBC ", None, "AP"]
    rows = [{"text": "No.", "Outlet": name, "page": n} for n, name in enumerate(outlets)]
    path = write_table(tmp_path / f"a.{ending}", rows)
    found, said = read(path, Columns(keep=("outlet", "desk", "page")))
    assert [source.kept for source in found if isinstance(source, Source)] == [
        ("BBC", None, "0"),
        (None, None, "1"),
        ("AP", None, "2"),
    ]
    assert f"{path}: no column 'desk' " in said[1]
    assert "to keep; found 'text', 'Outlet', 'page'" in said[1]


def test_lists_and_dates_are_kept_as_text(tmp_path: Path) -> None:
    cells = {"tags": ["a", "ö"], "day": datetime.date(2026, 1, 5), "lead": True, "n": float("nan")}
    path = write_table(tmp_path / "a.parquet", [{"text": "No.", **cells}])
    kept = ('["a", "ö"]', "2026-01-05", "true", None)
    assert read(path, Columns(keep=tuple(cells)))[0] == [Source(f"{path}:1", "No.", kept=kept)]


def test_a_column_that_is_there_twice_cannot_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,outlet,outlet\nNo.,a,b\n")
    assert "column 'outlet' is there twice" in failure(path, Columns(keep=("outlet",)))


def test_a_column_without_a_name_is_none_that_was_not_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(",text\n0,Japan said no.\n")  # as to_csv of pandas writes it
    assert read(path)[0] == [Source(f"{path}:2", "Japan said no.")]
    assert read(path, Columns(id=""))[0] == [Source("0", "Japan said no.")]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_dates_that_cannot_be_read_and_repeated_ids_are_counted(
    tmp_path: Path, ending: str
) -> None:
    days = ["NaN", "20/10/2003", "2003-10-20", None, "1066000000"]
    rows = [{"text": "No.", "date": day, "url": f"a/{n % 3}"} for n, day in enumerate(days)]
    path = write_table(tmp_path / f"a.{ending}", rows)
    said: list[str] = []
    found = entries([path], say=said.append)
    assert [next(found).read().name for _ in range(2)] == ["a/0", "a/1"]
    # The first is told at once: at the end, hours may have passed.
    early = f"{path}: date '20/10/2003' cannot be read; {HINT}"
    assert said[1:] == [early]
    assert [next(found).read().name for _ in range(2)] == ["a/2", "a/0"]
    assert len(said) == 2
    # The notes come before the last article: on a cluster, they travel with articles.
    assert next(found).read().name == "a/1"
    assert [note.removeprefix(f"{path}: ") for note in said[2:]] == [
        "dates that cannot be read, left empty: 2, for example '20/10/2003'",
        "rows with the id of an earlier one: 2, for example 'a/0'",
    ]
    assert list(found) == []


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_words_for_nothing_are_empty_cells(tmp_path: Path, ending: str) -> None:
    words = ["nan", "NaN", "NULL", "None", " N/A "]
    rows = [dict.fromkeys(("id", "title", "date", "desk"), word) for word in words]
    texts = ["Japan said no.", "None of them left.", "Nan left.", "Null.", " n/a"]
    path = write_table(
        tmp_path / f"a.{ending}",
        [row | {"text": text} for row, text in zip(rows, texts, strict=True)],
    )
    found, said = read(path, Columns(keep=("desk",)))
    assert found[:4] == [
        Source(f"{path}:{row}", text, kept=(None,))
        for row, text in enumerate(texts[:4], start=1 if ending != "csv" else 2)
    ]
    assert isinstance(found[4], Failure)
    assert "no 'text'" in found[4].message
    assert len(said) == 1


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_format_tells_how_dates_are_written(tmp_path: Path, ending: str) -> None:
    days = ["11/02/2024", " 11/13/2024 ", "2003-09-29", "13/11/2024"]
    path = write_table(tmp_path / f"a.{ending}", [{"text": "No.", "date": day} for day in days])
    found, said = read(path, Columns(date_format="%m/%d/%Y"))
    assert [article.date for article in found if isinstance(article, Source)] == [
        *(datetime.date(2024, 11, 2), datetime.date(2024, 11, 13), DAY, None),
    ]
    assert "date '13/11/2024' cannot be read" in said[1]


@pytest.mark.parametrize("written", ["", "%m/%Y", "%Q", "%d %d", "%", "mm/dd/yyyy"])
def test_a_format_without_a_day_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="gives no day, month and year; write it as '%m/%d/%Y'"):
        Columns(date_format=written)


HTML = """<!-- wp:paragraph --><p class="lead">&quot;We <b>left</b>,&quot; Japan&#8217;s
minister said.</p><p>AT&amp;T&nbsp;did not.<br/>Read more:
<a href="http://a.org/x">here</a></p><script>var a = 1</script>"""


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_html_in_a_table_is_read_as_text(tmp_path: Path, ending: str) -> None:
    plain = "Iran <iran@a.org> said 3 < 4 & R&D; <name withheld> did not.\n"
    rows = [{"text": text} for text in (plain, HTML, "It&rsquo;s off.", "<p> </p>")]
    path = write_table(tmp_path / f"a.{ending}", rows)
    assert texts(path)[:3] == [
        plain,
        '"We left," Japan’s\nminister said.\n\nAT&T did not.\nRead more:\nhere',
        "It’s off.",
    ]
    assert "no 'text'; every row needs one" in texts(path)[3]
    assert read(path)[1][1:] == [
        f"{path}: the texts hold HTML; read without its tags, entities as characters"
    ]
    assert [a.text for a in read_articles([path], on_failure=print)] == texts(path)[:3]


@pytest.mark.parametrize(
    "unseen",
    [
        "<!-- <p>Old draft: Iran refused.</p> -->",
        '<script>for (i = 0; i<n; i++) document.write("<b>We refuse.</b>")</script >',
        '<SCRIPT type="application/ld+json">{"articleBody": "<p>Iran refused.</p>"}</script>',
        "<style>p > a { color: red } /* <p> */</style>",
        "<!--[if gte mso 9]><xml><w:View>Normal</w:View></xml><![endif]-->",
        "<!DOCTYPE html>",
    ],
)
def test_what_html_does_not_show_is_no_text(tmp_path: Path, unseen: str) -> None:
    text = f"<p>Iran agreed.</p>{unseen}<p>It left.</p>{unseen}<!-- <p>No end"
    path = write_table(tmp_path / "a.jsonl", [{"text": text}])
    assert texts(path) == ["Iran agreed.\n\nIt left.\n\n<!--\n\nNo end"]


@pytest.mark.parametrize("piece", ["<p", "<script>", "<!--", "&#", "<br ", "<a href='", "<p>"])
@pytest.mark.usefixtures("soon")
def test_html_in_a_table_takes_no_time(tmp_path: Path, piece: str) -> None:
    path = write_table(tmp_path / "a.jsonl", [{"text": "<p>No.</p>" + piece * 200_000}])
    assert texts(path)[0].startswith("No.")


def test_ids_that_repeat_in_another_table_are_told(tmp_path: Path) -> None:
    for name in ("a.csv", "b.jsonl"):
        write_table(tmp_path / name, [{"id": "x", "text": "No."}, {"id": name, "text": "Yes."}])
    said: list[str] = []
    assert len(list(read_articles([tmp_path], say=said.append))) == 4
    repeated = "rows with the id of an earlier one: 1, for example 'x'"
    assert said[2:] == [f"{tmp_path / 'b.jsonl'}: {repeated}"]


def test_empty_times_are_no_bad_dates(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "No.", "date": float("nan")},
        {"text": "No.", "date": None},
    ]
    path = write_table(tmp_path / "a.parquet", rows)
    assert len(read(path)[1]) == 1


@pytest.mark.parametrize("ending", ["jsonl", "csv", "tsv"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_tables(tmp_path: Path, ending: str, encoding: str) -> None:
    path = write_table(tmp_path / f"a.{ending}", ROWS, encoding)
    found, said = read(path)
    assert found == EXPECTED
    guesses = [line for line in said if "guess" in line]
    assert guesses == [f"{path}: not UTF-8; read as cp1252, which is a guess"] * (
        encoding == "cp1252"
    )


def test_a_letter_on_the_edge_of_what_is_looked_at_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_table(tmp_path / "a.csv", [{"text": "The café owners said no."}])
    monkeypatch.setattr(charset, "_SAMPLE", path.read_bytes().index("é".encode()) + 1)
    (article,), said = read(path)
    assert isinstance(article, Source)
    assert article.text == "The café owners said no."
    assert said == [f"{path}: text is column 'text'"]


def test_names_and_places(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '\n{"text": "One.", "id": 7}\n{"id": "", "text": "Two."}\n'
        '{"text": "Three.", "id": null}\n{"text": " ", "id": "x"}\n{"text": 5}\n{"id": "y"}\n'
    )
    found, _ = read(path)
    assert [article.name for article in found] == [
        "7",
        f"{path}:3",
        f"{path}:4",
        "x",
        f"{path}:6",
        "y",
    ]
    assert texts(path)[3:] == [f":{line}: no 'text'; every row needs one" for line in (5, 6, 7)]
    path = tmp_path / "a.csv"
    path.write_text('\ntext,n\n"One\nline.",1\n\nTwo.,2\n,3\n')
    found, _ = read(path)
    assert [article.name for article in found] == [f"{path}:{line}" for line in (3, 6, 7)]
    assert texts(path)[2] == ":7: no 'text'; every row needs one"
    path = write_table(tmp_path / "a.parquet", [{"text": "One."}, {"text": None}])
    found, _ = read(path)
    assert [article.name for article in found] == [f"{path}:1", f"{path}:2"]


def test_bad_lines_of_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"text": "One."}\n{"text": \n[1]\n{"text": "\\ud800"}\n{"text": "a\\u0000b"}\n'
        + b'{"text": "caf\xe9"}\n'
        + b'{"text": ' + b"[" * 100_000 + b"\n"
        + b'{"text": "' + "é".encode() * 99 + b'"}\n'
        + b'{"text": "' + b"x" * LONGEST + b'"}\n'
        + b'{"text": "Last."}'
    )  # fmt: skip
    found = texts(path)
    assert found[0] == "One."
    assert [text.split(":")[1] for text in found[1:7]] == list("234567")
    for text, words in zip(
        found[1:7],
        ["bad JSON", "JSON object", "half of a char", "NUL", "not in the encoding", "bad JSON"],
        strict=True,
    ):
        assert words in text
    assert found[7] == "é" * 99
    assert ":9: is longer than the 16 million" in found[8]
    assert found[9:] == ["Last."]


def test_bad_rows_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    long = "y" * 1_000_000
    path.write_bytes(
        b"id,text,n\n1,One.,1\n2,Two.\n3,Three.,3,4\n4,Four.,4,,\n"
        + b'5,"Five "or so.",5\n6,caf\xe9,6\n'
        + "7,naïve,7\n".encode() * 50
        + b"8," + long.encode() + b",8\n9,a\0b,9\n"
        + b'10,"' + (b"x" * 100_000 + b"\n") * (LONGEST // 100_000) + b"11,Eleven.,11\n"
        + b'12,"never closed\n13,Thirteen.,13\n'
    )  # fmt: skip
    found = texts(path, Columns("text", "id"))
    assert found[0] == "One."
    assert found[1] == ":3: has 2 cells; the header has 3"
    assert found[2] == ":4: has 4 cells; the header has 3"
    assert found[3] == "Four."
    assert ":6: not a row of a table" in found[4]
    assert ":7: not in the encoding" in found[5]
    assert found[6:56] == ["naïve"] * 50
    assert found[56] == long
    assert "NUL" in found[57]
    assert "is a quotation mark never closed?; it takes in lines 60 to 219" in found[58]
    assert found[59] == ":61: has 1 cells; the header has 3"
    assert found[-3] == "Eleven."
    assert "not a row of a table (unexpected end of data)" in found[-2]
    assert found[-1] == "Thirteen."


def test_the_rows_after_an_open_quotation_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,One.\n2,"Two.\n3,Three.\n4,"Four, or so."\n5,"Five,\nor so."\n')
    assert texts(path) == [
        "One.",
        ":3: not a row of a table (',' expected after '\"'); it takes in lines 3 to 5, all but the "
        "first of which are read anew",
        *("Three.", "Four, or so.", "Five,\nor so."),
    ]
    for start in range(6):
        assert read(path, start=start)[0] == read(path)[0][start:]


def test_a_table_full_of_open_quotation_marks_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_REREAD", 5000)
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,One.\n" + 'x",y,"\n' * 400)
    found, _ = read(path)
    assert found[0] == Source("1", "One.")
    assert isinstance(found[-1], Failure)
    assert "the rest of the table is not read" in found[-1].message
    assert 2 < len(found) < 20


def test_semicolons_and_tabs_in_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;text\n1;Japan, it said, left.\n")
    found, said = read(path)
    assert found == [Source("1", "Japan, it said, left.")]
    assert said[0] == f"{path}: columns are parted by ';'"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b"", ": is empty"),
        ("a.jsonl", b"\n \n", ": is empty"),
        ("a.jsonl", b"\0\1\2", ": is a binary file"),
        ("a.jsonl", b'{"x": 1}\n{"y": 2}\n', ": no column of text; found 'x', 'y'; name it"),
        ("a.csv", b"", ": is empty"),
        ("a.csv", b"\xef\xbb\xbf\n", ": is empty"),
        ("a.csv", b"text\n", ": holds no row"),
        ("a.csv", b"a,b\n1,2\n", ": no column of text; found 'a', 'b'; name it"),
        ("a.csv", b'a,"b\n1,2\n', ":1: not a row of a table"),
        ("a.csv", b"text,text\nNo.,Yes.\n", ": column 'text' is there twice; rename one"),
        ("a.tsv", b"a\0", ": is a binary file"),
        ("a.csv", bytes(range(128, 256)) * 9 + b"\x81\x8d\x8f", ": is neither UTF-8"),
        ("a.csv.gz", b"text\n", ": is damaged, or no .gz file"),
        ("a.jsonl.gz", gzip.compress(b'{"text": "One."}\n')[:-9], ": is cut short"),
        ("a.parquet", b"", ": cannot be read as a .parquet file"),
        ("a.parquet", b"PAR1 garbage PAR1", ": cannot be read as a .parquet file"),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert words in failure(path)
    assert read(path, start=1)[0] == []  # a run that goes on has told of it


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    for ending in ("csv", "jsonl", "parquet"):
        write_table(tmp_path / f"a.{ending}", ROWS)
        path = write_table(tmp_path / f"b.{ending}", [{"URL": "a/1", "Hlead": "Japan said no."}])
        assert ": no column 'tekst'; found 'URL', 'Hlead'" in failure(path, Columns(text="tekst"))
    assert "no column 'day'" in failure(tmp_path / "a.csv", Columns(date="day"))
    # Any line of JSON may bring a key that the first ones lack.
    found, said = read(tmp_path / "a.jsonl", Columns(date="day"))
    assert found[0] == Source("a/1", "Japan said no.", "No")
    assert any("no column 'day' in the first rows, given as date; found " in line for line in said)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_another_column_of_text_than_the_given_is_read_aloud(tmp_path: Path, ending: str) -> None:
    path = write_table(tmp_path / f"a.{ending}", ROWS)
    found, said = read(path, Columns(text="tekst"))
    assert found == EXPECTED
    assert said[0] == (
        f"{path}: no column 'tekst' here, and its text is looked for by the usual names"
    )
    assert said[1].startswith(f"{path}: text is column 'Body'")


def test_a_named_table_must_have_the_given_column_of_text(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv", ROWS)
    other = write_table(tmp_path / "b.csv", [{"tekst": "Japan said no."}])
    check_tables([path, other], [path, other], Columns(text="tekst"))
    with pytest.raises(InputError, match=r"a\.csv: no column 'tekst'; found"):
        check_tables([path], [path], Columns(text="tekst"))
    check_tables([path], [], Columns(text="tekst"))  # of a folder, where tables differ


@pytest.mark.parametrize(
    ("names", "text", "date"),
    [
        (["Text", "content", "Date", "created_at"], "Text", "Date"),
        (["document", "Body", "created_at", "DATE"], "Body", "DATE"),
        (["content", "CONTENT", "Pub Date"], "content", "Pub Date"),
    ],
)
def test_the_usual_names_go_in_order_whatever_their_case(
    tmp_path: Path, names: list[str], text: str, date: str
) -> None:
    row = {name: "2003-09-29" if "date" in name.lower() else name for name in names}
    (found,), _ = read(write_table(tmp_path / "a.csv", [row]))
    assert isinstance(found, Source)
    assert (found.text, row[date], found.date) == (text, "2003-09-29", DAY)


def test_a_column_that_later_lines_have_is_found(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"text": f"Japan said no {n} times."} for n in range(25)]
    rows[22] |= {"date": "2003-09-29", "uid": "a", "headline": "No"}
    rows[24] |= {"date": "2003-09-29"}
    path = write_table(tmp_path / "a.jsonl", rows)
    found, said = read(path)
    assert found[22] == Source("a", rows[22]["text"], "No", DAY)
    assert [n for n, f in enumerate(found) if isinstance(f, Source) and f.date] == [22, 24]
    assert f"{path}: date is column 'date', which the first rows do not have" in said
    assert len(said) == 4
    assert list(read_table(path, DETECTED, skip=23, say=lambda _: None)) == found[23:]


def test_empty_cells_at_the_end_of_a_row_may_be_left_out(tmp_path: Path) -> None:
    lines = ["id,text,desk,note", "1,Japan said no.,a", "2,Japan said", "3,No.,,", "4,Yes.,b,c,"]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    found, _ = read(path)
    assert [each.name for each in found if isinstance(each, Source)] == ["1", "3", "4"]
    (cut,) = [each for each in found if isinstance(each, Failure)]
    assert cut.message == f"{path}:3: has 2 cells; the header has 4"
    found, _ = read(path, Columns(keep=("note",)))
    assert [each.name for each in found if isinstance(each, Source)] == ["3", "4"]


def test_what_a_short_zipped_table_still_has_is_read(tmp_path: Path) -> None:
    table = "\n".join(json.dumps({"id": n, "text": random.randbytes(400).hex()}) for n in range(99))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(table.encode())[:-2000])
    found, _ = read(path)
    assert [each.name for each in found[:-1]] == [str(n) for n in range(len(found) - 1)]
    assert len(found) > 90
    assert isinstance(found[-1], Failure)
    assert "is cut short" in found[-1].message


def test_columns_are_looked_at_before_anything_is_tagged(tmp_path: Path, detente: Command) -> None:
    good = write_table(tmp_path / "a.csv", ROWS)
    bad = write_table(tmp_path / "b.csv", [{"id": 1, "Hlead": "Japan said no."}])
    broken = tmp_path / "c.parquet"
    broken.write_bytes(b"garbage")
    files = [good, broken, bad]
    with pytest.raises(InputError, match=r"b\.csv: no column of text; found 'id', 'Hlead'; name"):
        check_tables(files, files)
    said: list[str] = []
    check_tables(files, [good], say=said.append)  # of a folder, the others can be read
    assert [note.split("; ")[0] for note in said] == [f"{bad}: no column of text"]
    check_tables(files, files, Columns(text="Hlead"))
    done = detente("tag", good, bad, "-o", tmp_path / "tags.csv")
    assert done.returncode == 2
    assert done.stderr.startswith(f"detente: {bad}: no column of text")
    assert not list(tmp_path.glob("tags.csv*"))


def test_nan_is_an_empty_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "No.", "id": NaN, "title": NaN, "date": NaN}\n{"text": Infinity}\n')
    assert read(path)[0][0] == Source(f"{path}:1", "No.")
    assert ":2: bad JSON" in texts(path)[1]
    lines = parse_lines([b'{"text": "No.", "holder": NaN}'], "-")  # as classify reads them
    assert list(lines) == [("-:1", {"text": "No.", "holder": None})]


def test_a_gz_that_breaks_off_yields_what_came_before(tmp_path: Path) -> None:
    numbers = random.Random(0)
    rows = [{"text": numbers.randbytes(500).hex()} for _ in range(5000)]
    path = write_table(tmp_path / "a.jsonl.gz", rows)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *found, last = texts(path)
    assert 1000 < len(found) < 5000
    assert found == [row["text"] for row in rows[: len(found)]]
    assert last == ": is cut short; the .gz file has no end"
    assert len(read(path, start=len(found))[0]) == 1
    assert read(path, start=len(found) + 1)[0] == []


def test_parquet(tmp_path: Path) -> None:
    rows = [
        {"text": f"Row {n}.", "id": n, "date": datetime.datetime(2003, 9, 29, 12), "x": [n]}
        for n in range(100)
    ]
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=30)
    expected = [Source(str(n), f"Row {n}.", date=DAY) for n in range(100)]
    for start in (0, 1, 29, 30, 31, 75, 99, 100, 101):
        assert read(path, start=start)[0] == expected[start:]
    assert "holds no row" in failure(_empty_parquet(tmp_path / "b.parquet"))
    assert "no column of text; found 'a'" in failure(
        write_table(tmp_path / "c.parquet", [{"a": 1}])
    )
    assert texts(write_table(tmp_path / "d.parquet", [{"text": 1}])) == [
        ":1: no 'text'; every row needs one"
    ]
    cut = tmp_path / "e.parquet"
    cut.write_bytes(path.read_bytes()[:-40])
    assert "cannot be read as a .parquet file" in failure(cut)
    raw = bytearray(path.read_bytes())
    raw[4:400] = random.Random(1).randbytes(396)
    cut.write_bytes(bytes(raw))
    assert any("cannot be read as a .parquet file" in text for text in texts(cut))
    bad = pyarrow.Array.from_buffers(
        pyarrow.string(),
        2,
        [None, pyarrow.py_buffer(b"\0\0\0\0\4\0\0\0\5\0\0\0"), pyarrow.py_buffer(b"caf\xe9x")],
    )
    pyarrow.parquet.write_table(pyarrow.table({"text": bad}), cut)
    assert ":1: not in the encoding" in texts(cut)[0]
    assert texts(cut)[1] == "x"
    fine = pyarrow.array(["No.", "Yes."])
    for column in ("id", "title"):
        pyarrow.parquet.write_table(pyarrow.table({"text": fine, column: bad}), cut)
        assert ":1: not in the encoding" in texts(cut)[0]
        assert texts(cut)[1] == "Yes."


def _empty_parquet(path: Path) -> Path:
    schema = pyarrow.schema([("text", pyarrow.string())])
    pyarrow.parquet.write_table(schema.empty_table(), path)
    return path


def test_reading_goes_on_past_a_bad_table(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", ROWS)
    (tmp_path / "b.parquet").write_bytes(b"garbage")
    write_table(tmp_path / "c.jsonl", ROWS)
    failures: list[Failure] = []
    found = list(read_articles([tmp_path], on_failure=failures.append, say=lambda _: None))
    assert found == EXPECTED * 2
    assert [failure.name for failure in failures] == [str(tmp_path / "b.parquet")]
    with pytest.raises(InputError, match=r"b\.parquet: cannot be read as"):
        list(read_articles([tmp_path], say=lambda _: None))


_PEAK = """
import re, sys
from pathlib import Path
from detente.intake.reader import entries
def memory(key):
    return int(re.search(key + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
articles = entries([Path(sys.argv[1])], say=lambda _: None)
count = next(articles).file
before = memory("VmRSS")
count = 1 + sum(len(entry.read().text) > 9 for entry in articles)
print(count, memory("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory as Linux tells it")
def test_a_text_that_repeats_is_held_once(tmp_path: Path) -> None:
    path, text = tmp_path / "a.parquet", "Japan said no. " * 200_000  # 3 MB, a hundred times
    repeated = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 100), [text])
    pyarrow.parquet.write_table(pyarrow.table({"text": repeated}), path)
    assert path.stat().st_size < len(text)
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    found, growth = done.stdout.split()
    assert int(found) == 100
    assert float(growth) < 60, f"{growth} MB more than at the first row"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory as Linux tells it")
@pytest.mark.parametrize("ending", ["jsonl", "csv.gz", "parquet"])
def test_a_table_is_never_held_in_memory(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    text, count = "Japan said no to the union once more. " * 130, 40_000  # 200 MB
    if ending == "jsonl":
        with path.open("w") as stream:
            for n in range(count):
                stream.write(f'{{"id": {n}, "text": "{text}"}}\n')
    elif ending == "csv.gz":
        with gzip.open(path, "wt", 1) as packed:
            packed.write("id,text\n")
            for n in range(count):
                packed.write(f'{n},"{text}"\n')
    else:
        schema = pyarrow.schema([("text", pyarrow.string()), ("other", pyarrow.string())])
        with pyarrow.parquet.ParquetWriter(path, schema, use_dictionary=False) as writer:
            for k in range(0, count, count // 4):
                batch = [{"text": f"{n} {text}", "other": text} for n in range(k, k + count // 4)]
                writer.write_table(pyarrow.Table.from_pylist(batch, schema))
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    found, growth = done.stdout.split()
    assert int(found) == count
    assert float(growth) < 40, f"{growth} MB more than at the first row"
