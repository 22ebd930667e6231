from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from detente import Tagger, __version__, cli
from tests.conftest import ROOT, Command, assert_one_line_error

ARTICLE = "Japan said no. The union is now ready to meet halfway, it said.\n"
COLUMNS = [
    *("article", "title", "date", "statement", "start", "end", "text"),
    *("attribution", "speaker", "holder", "holder_start", "holder_end", "actor", "party"),
    *("stance", "stance_probability", "sequencing", "sequencing_probability"),
    *("shift", "shift_probability", "abstained"),
]


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text(ARTICLE, encoding="utf-8")
    return path


def test_version_and_help(detente: Command) -> None:
    assert detente("--version").stdout == f"detente {__version__}\n"
    for command in (
        [],
        ["tag"],
        ["classify"],
        ["show"],
        ["summarize"],
        ["train"],
        ["evaluate"],
        ["export"],
    ):
        done = detente(*command, "--help")
        assert done.returncode == 0
        assert "Examples:" in done.stdout


def test_classify_one_text(detente: Command, tagger: Tagger) -> None:
    text = "The union is now ready to meet the company halfway."
    done = detente("classify", text, "--holder", "The union")
    assert json.loads(done.stdout) == tagger(text, "The union").to_dict()


def test_classify_a_file(detente: Command, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(
        '{"id": "x", "text": "We will never agree to it.", "holder": "We"}\n\n'
        '{"text": "It rained.", "outlet": "BBC", "stance": "?", "shift": 1}\n'
    )
    done = detente("classify", "-i", source, "-o", target)
    assert done.returncode == 0
    said = f"detente: {source}: fields named like those of labels are left out: stance, shift\n"
    assert done.stderr == said
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["x", 2]
    assert [row["text"] for row in rows] == ["We will never agree to it.", "It rained."]
    assert [row.get("holder") for row in rows] == ["We", None]
    assert [row.get("outlet") for row in rows] == [None, "BBC"]
    for row in rows:
        assert set(row["abstained"]) <= {"stance", "sequencing", "shift"}
        for name in ("stance", "sequencing", "shift"):
            cell = row[name]
            assert set(cell) == {"label", "probability", "probabilities", "label_set"}
            assert cell["label"] in cell["label_set"]
            assert cell["probabilities"][cell["label"]] == cell["probability"]


def test_classify_goes_through_a_file_in_slices(tmp_path: Path, tagger: Tagger) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts = [f"Delegate {n} {verb} it." for n in range(2) for verb in ("refused", "accepted")]
    texts.append("It rained.")
    source.write_text("".join(json.dumps({"id": f"i{t}", "text": t}) + "\n" for t in texts))
    code = "import detente.cli as c; c._SLICE = 2; c.main()"
    command = [sys.executable, "-c", code, "classify", "-i", str(source), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr == ""
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [(row["id"], row["text"]) for row in rows] == [(f"i{text}", text) for text in texts]
    for row, reading in zip(rows, tagger.classify(texts), strict=True):
        assert {name: row[name]["label"] for name, _ in reading} == {
            name: prediction.label for name, prediction in reading
        }
    short = subprocess.run(
        f"{sys.executable} -m detente.cli classify -i {source} | head -1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert (json.loads(short.stdout)["id"], short.stderr) == ("iDelegate 0 refused it.", "")


def test_tag_reads_the_columns_it_is_told(detente: Command, tmp_path: Path) -> None:
    table, tags = tmp_path / "a.csv", tmp_path / "tags.jsonl"
    table.write_text(
        "id,text,date,title,key,story,when,head,desk\n"
        "1,It rained.,2020-01-01,Decoy,k7,Japan refused to sign.,11/02/2024,Talks fail,world\n"
    )
    options = {"text": "story", "id": "key", "date": "when", "title": "head"}
    columns = [word for name, column in options.items() for word in (f"--{name}-column", column)]
    columns += ["--date-format", "%m/%d/%Y", "--keep", "desk"]
    done = detente("tag", table, *columns, "-o", tags)
    assert done.returncode == 0, done.stderr
    (row,) = [json.loads(line) for line in tags.read_text().splitlines()]
    assert row["text"] == "Japan refused to sign."
    found = [row[name] for name in ("article", "date", "title", "desk")]
    assert found == ["k7", "2024-11-02", "Talks fail", "world"]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_tag_writes_one_flat_row_per_party(
    detente: Command, article: Path, tmp_path: Path, ending: str
) -> None:
    target = tmp_path / f"tags.{ending}"
    done = detente("tag", article, "-o", target)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "1 article, besides 0 skipped; 2 statements, 0 of them skipped for no sign of a position "
        f"or no party; 2 rows, 2 of them with a position; written to {target}"
    )
    if ending == "jsonl":
        rows = [json.loads(line) for line in target.read_text().splitlines()]
    elif ending == "csv":
        with target.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    else:
        rows = pyarrow.parquet.read_table(target).to_pylist()
    assert list(rows[0]) == COLUMNS
    assert [row["holder"] for row in rows] == ["Japan", "The union"]
    for row in rows:
        assert ARTICLE[int(row["start"]) : int(row["end"])] == row["text"]
        assert 0 < float(row["stance_probability"]) <= 1


def test_where_a_link_leads_is_written(detente: Command, article: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    empty = tmp_path / "empty.txt"
    empty.touch()
    link = tmp_path / "tags.jsonl"
    link.symlink_to(disk / "all.jsonl")
    assert detente("tag", article, empty, "-o", link).returncode == 1
    assert link.is_symlink()
    assert {file.name for file in disk.iterdir()} == {"all.jsonl", "all.jsonl.errors.jsonl"}
    assert len(link.read_text().splitlines()) == 2


def test_tag_prints_a_table(detente: Command, article: Path) -> None:
    done = detente("tag", article)
    assert done.returncode == 0
    assert "The union" in done.stdout
    assert "stance" in done.stdout


def test_tag_says_which_option_left_rows_out(detente: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Japan said no. It rained.\n")
    done = detente("tag", path, "--only-positions", "--min-confidence", "0.1")
    assert "2 statements, 1 of them skipped for" in done.stderr
    assert "; 1 row kept by --only-positions and --min-confidence, 1 of them with" in done.stderr


def test_tag_goes_on_past_bad_articles(detente: Command, article: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "photo.txt").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "more.jsonl").write_text(
        '{"id": "m1", "text": "Peru agreed."}\n{"text": \n{"body": "?"}\n'
        '{"id": null, "text": "Oslo waited."}\n{"text": "\\ud800 Iran agreed."}\n'
        '{"text": "Iran agreed.", "id": -Infinity}\n{"text": "Iran agreed.", "id": '
        + "9" * 5000
        + "}\n"
    )
    for name in ("old.doc", "new.DOC", "notes.rtf", "Makefile"):
        (tmp_path / name).touch()
    target = tmp_path / "tags.jsonl"
    done = detente("tag", tmp_path, "-o", target)
    assert done.returncode == 1
    assert "left alone: 4 files of other kinds (.doc 2, no ending 1, .rtf 1)" in done.stderr
    assert "3 articles" in done.stderr
    assert f"7 skipped (see {tmp_path / 'tags.jsonl.errors.jsonl'})" in done.stderr
    errors = (tmp_path / "tags.jsonl.errors.jsonl").read_text()
    for words in (
        "empty.txt: is empty",
        "photo.txt: is a binary",
        "more.jsonl:2: bad JSON",
        "more.jsonl:3: no 'text'",
        "more.jsonl:5: half of a character",
        "more.jsonl:6: bad JSON",
        "more.jsonl:7: bad JSON",
    ):
        assert words in errors
    names = {json.loads(line)["article"] for line in target.read_text().splitlines()}
    assert names == {str(article), "m1", f"{tmp_path / 'more.jsonl'}:4"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.txt", None, ["none.txt", "no such file"]),
        ("empty.txt", b"", ["empty.txt", "is empty"]),
        ("binary.txt", b"a\0b", ["binary.txt", "is a binary file"]),
        ("page.docx", b"text", ["page.docx"]),
        ("page.xls", b"text", ["page.xls", ".txt, .md", ".jsonl"]),
        ("bad.jsonl", b'{"text": 1', ["bad.jsonl:1", "bad JSON"]),
        ("list.jsonl", b"[1]\n", ["list.jsonl:1", "expected a JSON object"]),
    ],
)
def test_tag_refuses_what_it_cannot_read(
    detente: Command, tmp_path: Path, name: str, content: bytes | None, words: list[str]
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    target = tmp_path / "tags.jsonl"
    assert_one_line_error(detente("tag", path, "-o", target), *words)
    assert not target.exists()
    assert {file.name for file in tmp_path.iterdir()} <= {name}


def test_a_table_is_no_file_of_statements(detente: Command, tmp_path: Path) -> None:
    for name in ("in.csv", "in.TSV", "in.parquet"):
        done = detente("classify", "-i", tmp_path / name, "-o", tmp_path / "out.jsonl")
        assert_one_line_error(done, f"{name}: is no file of JSON lines", '{"text": "We agree.", ')


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"text": "Fine."}\n{"text": \n', [":2", "bad JSON"]),
        (b'{"text": " "}\n', [":1", "text is empty"]),
        (
            b'{"text": "We left.", "holder": "' + b"the hills " * 11 + b'"}\n',
            [":1", "longer than the"],
        ),
        (b'{"text": "caf\xe9"}\n', [":1", "not UTF-8"]),
        (
            b'\n{"text": "%s", "holder": "%s"}\n' % (b"so " * 400, b"and " * 120),
            [":2: holder 'and", "too many words"],
        ),
        (b"", ["is empty"]),
    ],
)
def test_classify_writes_nothing_after_a_bad_line(
    detente: Command, tmp_path: Path, content: bytes, words: list[str]
) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(content)
    target.write_text("kept\n")
    assert_one_line_error(detente("classify", "-i", source, "-o", target), "in.jsonl", *words)
    assert target.read_text() == "kept\n"


def test_output_that_cannot_be_written(detente: Command, article: Path, tmp_path: Path) -> None:
    missing = tmp_path / "no" / "tags.csv"
    assert_one_line_error(detente("tag", article, "-o", missing), str(missing), "cannot be written")
    assert_one_line_error(detente("tag", article, "-o", tmp_path / "a.xls"), "a.xls", ".parquet")
    long = tmp_path / ("x" * 300 + ".csv")
    assert_one_line_error(detente("tag", article, "-o", long), "cannot be written")
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert_one_line_error(detente("tag", article, "-o", folder), "is a folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(detente: Command, article: Path, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    assert_one_line_error(detente("tag", article, "-o", folder / "t.csv"), "cannot be written")


def test_a_missing_model_is_named(detente: Command, article: Path) -> None:
    assert_one_line_error(detente("tag", article, "-m", "no/model"), "no/model")
    assert_one_line_error(detente("classify"), "one text or --input")
    done = detente("classify", "We agree.", "-o", article)
    assert_one_line_error(done, "--output goes with --input")
    assert article.read_text() == ARTICLE


def test_debug_shows_the_traceback(detente: Command) -> None:
    for arguments in (["--debug", "tag", "none.txt"], ["tag", "none.txt", "--debug"]):
        done = detente(*arguments)
        assert "Traceback" in done.stderr
        assert "none.txt: no such file" in done.stderr


def test_notes_of_one_kind_are_counted_after_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    notes = cli._Notes()
    for number in range(9):
        notes(f"{number}.txt: not UTF-8; read as cp1252, which is a guess")
        notes(f"{number}.csv: text is column 'body {number}', id is column 'url'")
    notes("z.csv: dates that cannot be read, left empty: 2, for example 'soon'")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 11
    assert said[0] == "detente: 0.txt: not UTF-8; read as cp1252, which is a guess"
    assert said[-1].startswith("detente: z.csv: ")
    notes.sum_up()
    assert capsys.readouterr().err.splitlines() == [
        "detente: 4 more notes like: 0.txt: not UTF-8; read as cp1252, which is a guess",
        "detente: 4 more notes like: 0.csv: text is column 'body 0', id is column 'url'",
    ]


def test_notes_do_not_fill_the_screen(detente: Command, tmp_path: Path) -> None:
    for number in range(8):
        text = f"The café No. {number} reopened, and naïve visitors came.".encode("cp1252")
        (tmp_path / f"{number}.txt").write_bytes(text)
    done = detente("tag", tmp_path)
    assert done.stderr.count("not UTF-8") == 6  # five, and what the others are like
    assert "detente: 3 more notes like: " in done.stderr


def test_an_unforeseen_error_is_one_line() -> None:
    code = (
        "import detente.bundle as b, detente.cli as c\n"
        "def fail(*_): raise RuntimeError('first\\nsecond')\n"
        "b.read_manifest = fail\n"
        "c.main()"
    )
    command = [sys.executable, "-c", code, "tag", "a.txt"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert_one_line_error(done, "RuntimeError: first second", "--debug")


def test_options_that_do_nothing_are_refused(detente: Command, article: Path) -> None:
    done = detente("tag", article, "--address", "127.0.0.1:9")
    assert_one_line_error(done, "--address goes with --engine ray")
    assert_one_line_error(detente("tag", ""), "empty name")
    for options in (["--keep", "desk"], ["--text-column", "body"], ["--date-format", "%d.%m.%Y"]):
        done = detente("tag", article, *options)
        assert_one_line_error(done, f"{article}: holds no table", "for tables alone")
    assert_one_line_error(detente("tag", "-", "--id-column", "id"), "save what comes on stdin")
    done = detente("tag", "-", "-o", article.with_suffix(".csv"), "--resume")
    assert_one_line_error(done, "--resume cannot read stdin again")


def test_stdin(tmp_path: Path) -> None:
    def run(text: str, *arguments: object) -> str:
        command = [sys.executable, "-m", "detente.cli", *map(str, arguments)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    target = tmp_path / "tags.csv"
    run(ARTICLE, "tag", "-", "-o", target)
    with target.open(newline="") as stream:
        assert [row["holder"] for row in csv.DictReader(stream)] == ["Japan", "The union"]
    labels = run('{"id": "x", "text": "We agree."}\n', "classify", "-i", "-")
    assert json.loads(labels)["id"] == "x"


def test_show_writes_a_picture(detente: Command, article: Path, tmp_path: Path) -> None:
    svg = tmp_path / "article.svg"
    assert detente("show", article, "--svg", svg).returncode == 0
    picture = svg.read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    )
    done = detente("show", article)
    assert "The union" in done.stdout


def test_show_writes_a_web_page(detente: Command, article: Path, tmp_path: Path) -> None:
    page = tmp_path / "article.html"
    assert detente("show", article, "--html", page).returncode == 0
    html = page.read_text(encoding="utf-8")
    assert "ready to meet halfway" in html
    assert "<script" not in html


def test_nothing_that_is_read_is_written_over(
    detente: Command, article: Path, tmp_path: Path
) -> None:
    lines = tmp_path / "s.jsonl"
    lines.write_text('{"text": "No.", "stance": "hardline"}\n')
    for command in (
        ["show", article, "--html", article],
        ["show", article.parent, "--id", article, "--svg", article],
        ["classify", "-i", lines, "-o", lines],
    ):
        before = Path(command[-1]).read_bytes()
        done = detente(*command)
        assert_one_line_error(done, "would be written over")
        assert Path(command[-1]).read_bytes() == before


def test_show_finds_an_article_among_several(detente: Command, tmp_path: Path) -> None:
    table = tmp_path / "news" / "b.csv"
    table.parent.mkdir()
    table.write_text("key,story\nk1,Japan said no.\nk2,Peru refused.\n")
    (tmp_path / "news" / "a.txt").touch()
    columns = ("--text-column", "story", "--id-column", "key")
    done = detente("show", tmp_path / "news", *columns)
    assert done.returncode == 0
    assert done.stdout.startswith("Japan said no.")
    assert done.stderr.splitlines() == [
        f"detente: skipped: {tmp_path / 'news' / 'a.txt'}: is empty",
        "detente: k1: the first of several articles; --id picks another",
    ]
    done = detente("show", table, *columns, "--id", "k2")
    assert done.stdout.startswith("Peru refused.")
    assert not done.stderr
    done = detente("show", tmp_path / "news", *columns, "--id", "k3")
    assert_one_line_error(done, "no article is 'k3'; the first is 'k1', and 1 article cannot be")
    assert_one_line_error(detente("show", tmp_path / "news" / "a.txt"), "a.txt: is empty")


def test_summarize(detente: Command, tmp_path: Path) -> None:
    articles = tmp_path / "articles.jsonl"
    articles.write_text(
        '{"date": "2026-01-05", "text": "Japan refused to sign. Peru will never sign, it said."}\n'
        '{"date": "2026-02-05", "text": "Japan offered to sign at once, its envoy said."}\n'
    )
    tags = tmp_path / "tags.parquet"
    assert detente("tag", articles, "-o", tags).returncode == 0
    done = detente("summarize", tags)
    assert done.returncode == 0, done.stderr
    assert "JPN" in done.stdout
    assert "2026-02" in done.stdout
    for period in ("day", "quarter", "year"):
        svg = tmp_path / f"{period}.svg"
        assert detente("summarize", tags, "--period", period, "-o", svg).returncode == 0
        assert f"by {period}" in svg.read_text()
    for name in ("sum.csv", "sum.SVG"):
        assert detente("summarize", tags, "-o", tmp_path / name).returncode == 0
        assert "JPN" in (tmp_path / name).read_text()
    assert_one_line_error(detente("summarize", articles), "articles.jsonl")
    assert (tmp_path / "sum.csv").read_text().startswith("party,period,")
    done = detente("summarize", tags, "--by", "actor", "-o", tmp_path / "sum.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sum.csv").read_text().startswith("actor,period,")
    done = detente("summarize", tmp_path / "tag*.parquet", tags, "-o", tmp_path / "sum2.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sum2.csv").read_text().startswith("party,period,")
    assert_one_line_error(detente("summarize", tags, "-o", tags), "would be written over")
    # The ending is looked at before the table.
    assert_one_line_error(detente("summarize", articles, "-o", tmp_path / "s.xls"), "s.xls")


def test_a_summary_says_how_many_parties_it_does_not_show(detente: Command, tmp_path: Path) -> None:
    tags = tmp_path / "tags.csv"
    head = "actor,party,stance,stance_probability\n"
    tags.write_text(head + "".join(f",Party {n},flexible,0.9\n" for n in range(21)))
    done = detente("summarize", tags, "--period", "none")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Party ") == 20
    assert done.stderr == "detente: 20 of 21 parties shown; --top N or -o FILE for all\n"
    assert not detente("summarize", tags, "--period", "none", "--top", 3).stderr


def test_a_summary_leaves_out_what_is_not_sure(detente: Command, tmp_path: Path) -> None:
    tags, table = tmp_path / "tags.csv", tmp_path / "sum.csv"
    tags.write_text(
        "actor,party,stance,stance_probability,abstained\n"
        ",Oslo,flexible,0.9,\n,Oslo,flexible,0.6,\n,Oslo,flexible,0.95,stance\n"
    )
    counts = []
    for options in ([], ["--min-confidence", "0.8"], ["--drop-abstained"]):
        done = detente("summarize", tags, "--period", "none", *options, "-o", table)
        assert done.returncode == 0, done.stderr
        with table.open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        counts.append(int(row["stance_count"]))
    assert counts == [3, 2, 2]


def test_articles_cannot_drive_the_terminal(detente: Command, tmp_path: Path) -> None:
    path = tmp_path / "evil.txt"
    path.write_text("The union \x1b[2J[red]refused[/red] Japan's offer and will never agree.\n")
    for command in ("tag", "show"):
        done = detente(command, path)
        assert done.returncode == 0
        assert "\x1b[2J" not in done.stdout
    (tmp_path / "no\x1b[2J\nmore.txt").touch()
    (tmp_path / "a.\x1b[2Jx").touch()
    done = detente("tag", tmp_path)
    assert done.returncode == 1
    assert f"detente: skipped: {tmp_path}/no[2J more.txt: is empty" in done.stderr.splitlines()
    assert "\x1b" not in done.stderr
    assert_one_line_error(detente("tag", "no\x1b[2J.txt"), "no[2J.txt: holds no file")


def test_the_example_articles_can_be_tagged(detente: Command, tmp_path: Path) -> None:
    target = tmp_path / "tags.jsonl"
    names = ("river-talks.txt", "port-strike.txt", "truce-monitor.txt")
    articles = [ROOT / "data" / "articles" / name for name in names]
    done = detente("tag", *articles, "-o", target, "--table")
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in names)
    for line in target.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = Path(row["article"]).read_bytes().decode()
        assert text[row["start"] : row["end"]] == row["text"]
