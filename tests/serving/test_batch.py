from __future__ import annotations

import csv
import errno
import gzip
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pyarrow.parquet
import pytest

from detente import batch, progress, worker
from detente.article import columns
from detente.batch import Batch
from detente.bundle import Manifest, read_manifest
from detente.errors import BundleError, DetenteError, InputError
from detente.files import replacing
from detente.intake.listing import list_files, named_files
from detente.intake.reader import Columns, Entry, Failure, Source, read_articles
from detente.intake.source import DETECTED
from detente.parts import Parts, without_output
from detente.table import writing
from detente.tagger import locate_model
from detente.worker import Outcome, Settings, Worker, tag_locally
from tests.conftest import ROOT, Command, assert_one_line_error

ARTICLES = ROOT / "data" / "articles"
# The real command with parts of five articles, so that a small run has many of them.
SMALL_PARTS = "import detente.batch as b; b._PART_ARTICLES = 5; import detente.cli as c; c.main()"
COMPLETE = "and no killed run to go on with"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty short articles, cut from the example articles, three of them broken."""
    path = tmp_path_factory.mktemp("many") / "many.jsonl"
    paragraphs = [
        paragraph
        for file in sorted(ARTICLES.glob("*.txt"))
        for paragraph in file.read_text(encoding="utf-8").split("\n\n")
        if len(paragraph) > 200
    ]
    lines = [
        json.dumps({"id": f"a{n}", "text": text, "date": f"2026-03-{n % 28 + 1:02}"})
        for n, text in enumerate(paragraphs[:60])
    ]
    lines[7], lines[30], lines[59] = '{"id": "no text"}', "{broken", '{"text": "  "}'
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(many: Path, tmp_path_factory: pytest.TempPathFactory, detente: Command) -> Path:
    """The table of an uninterrupted run."""
    output = tmp_path_factory.mktemp("whole") / "tags.jsonl"
    done = detente("tag", many, "-o", output)
    assert done.returncode == 1, done.stderr
    assert "57 articles" in done.stderr
    assert f"3 skipped (see {output.with_name('tags.jsonl.errors.jsonl')})" in done.stderr
    return output


def test_failures_are_recorded_and_the_run_goes_on(whole: Path, many: Path) -> None:
    errors = [
        json.loads(line)
        for line in whole.with_name("tags.jsonl.errors.jsonl").read_text().splitlines()
    ]
    assert len(errors) == 3
    assert all(str(many) in error["error"] for error in errors)
    rows = [json.loads(line) for line in whole.read_text().splitlines()]
    assert {"a0", "a58"} <= {row["article"] for row in rows}
    assert rows[0]["date"] == "2026-03-01"


def test_offsets_lead_back_into_the_article(whole: Path, many: Path) -> None:
    texts = {}
    for line in many.read_text().splitlines():
        if line.startswith('{"id": "a'):
            article = json.loads(line)
            texts[article["id"]] = article["text"]
    rows = [json.loads(line) for line in whole.read_text().splitlines()]
    assert len(rows) > 50
    for row in rows:
        text = texts[row["article"]]
        assert text[row["start"] : row["end"]] == row["text"]
        if row["holder_start"] is not None:
            assert text[row["holder_start"] : row["holder_end"]] == row["holder"]
            assert row["start"] <= row["holder_start"] < row["holder_end"] <= row["end"]


def test_several_processes_give_the_same_table(
    whole: Path, many: Path, tmp_path: Path, detente: Command
) -> None:
    output = tmp_path / "tags.jsonl"
    assert detente("tag", many, "-o", output, "--jobs", 2).returncode == 1
    assert output.read_text() == whole.read_text()
    assert not output.with_name("tags.jsonl.parts").exists()


def test_a_run_killed_again_and_again_ends_with_the_same_table(
    whole: Path, many: Path, tmp_path: Path
) -> None:
    output = tmp_path / "tags.jsonl"
    parts = output.with_name("tags.jsonl.parts")
    command = [sys.executable, "-c", SMALL_PARTS, "tag", str(many), "-o", str(output)]
    for attempt in range(4):
        jobs = ["--jobs", "2"] if attempt % 2 else []
        resume = ["--resume"] if attempt else []
        before = len(list(parts.glob("part-*.parquet")))
        if attempt == 3:  # and let it come to its end
            assert subprocess.run([*command, *jobs, *resume], cwd=ROOT, check=False).returncode == 1
            break
        with subprocess.Popen([*command, *jobs, *resume], cwd=ROOT) as process:
            while len(list(parts.glob("part-*.parquet"))) <= before:
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
        assert not output.exists()
    _assert_complete(output, whole)


@pytest.fixture(scope="module")
def tagged(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of a run that was killed when all articles were tagged."""
    output = tmp_path_factory.mktemp("tagged") / "tags.jsonl"
    kill = "b.Batch._write_errors = lambda *_: os.kill(os.getpid(), 9)"
    code = f"import os, detente.batch as b; {kill}; {SMALL_PARTS}"
    killed = subprocess.run([sys.executable, "-c", code, "tag", many, "-o", output], cwd=ROOT)
    assert killed.returncode == -9
    (parts,) = output.parent.iterdir()
    assert len(list(parts.glob("part-*.parquet"))) >= 12
    return parts


@pytest.mark.parametrize("step", ["p.Parts.merge", "p.move", "p.Parts.remove", "p.Path.rmdir"])
def test_a_run_killed_at_its_end_can_be_resumed(
    step: str, whole: Path, many: Path, tagged: Path, tmp_path: Path
) -> None:
    output = tmp_path / "tags.jsonl"
    shutil.copytree(tagged, output.with_name("tags.jsonl.parts"))
    kill = f"import os, detente.parts as p; {step} = lambda *_: os.kill(os.getpid(), 9)"
    run = ["tag", str(many), "-o", str(output), "--resume"]
    killed = subprocess.run([sys.executable, "-c", f"{kill}; {SMALL_PARTS}", *run], cwd=ROOT)
    assert killed.returncode == -9
    done = subprocess.run(
        [sys.executable, "-c", SMALL_PARTS, *run], stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    if step == "p.Path.rmdir":  # nothing but an empty folder was left to do
        assert COMPLETE in done.stderr
        output.with_name("tags.jsonl.parts").rmdir()
    else:
        assert done.returncode == 1
    _assert_complete(output, whole)


def test_a_finished_table_is_not_made_again_by_resume(
    whole: Path, tmp_path: Path, detente: Command
) -> None:
    output = tmp_path / "tags.jsonl"
    output.write_bytes(whole.read_bytes())
    done = detente("tag", ARTICLES / "river-talks.txt", "-o", output, "--resume")
    assert_one_line_error(done, "tags.jsonl: is there", COMPLETE, "without --resume")
    assert output.read_bytes() == whole.read_bytes()
    assert list(tmp_path.iterdir()) == [output]


def _assert_complete(output: Path, whole: Path) -> None:
    for name in ("tags.jsonl", "tags.jsonl.errors.jsonl"):
        assert output.with_name(name).read_text() == whole.with_name(name).read_text()
    assert {file.name for file in output.parent.iterdir()} == {
        "tags.jsonl",
        "tags.jsonl.errors.jsonl",
    }


@pytest.fixture
def unfinished(tagged: Path, tmp_path: Path) -> Path:
    """The output of a run that was killed after its first part."""
    parts = Path(shutil.copytree(tagged, tmp_path / "tags.parquet.parts"))
    _, *others = sorted(parts.glob("part-*.parquet"))
    for part in others:
        part.unlink()
    return tmp_path / "tags.parquet"


def test_an_unfinished_run_is_not_written_over(
    unfinished: Path, many: Path, detente: Command
) -> None:
    done = detente("tag", many, "-o", unfinished)
    assert_one_line_error(done, "tags.parquet.parts", "--resume", "remove the folder")


def test_other_options_or_inputs_do_not_go_on(
    unfinished: Path, many: Path, detente: Command
) -> None:
    for changed, other in (
        (["--probabilities"], "options"),
        (["--keep", "outlet"], "options"),
        ([str(ARTICLES / "river-talks.txt")], "files"),
    ):
        done = detente("tag", many, *changed, "-o", unfinished, "--resume")
        assert_one_line_error(done, f"differs in its {other};")


def test_a_resumed_run_says_where_it_goes_on(
    unfinished: Path, many: Path, whole: Path, detente: Command
) -> None:
    done = detente("tag", many, "-o", unfinished, "--resume", "--table")
    assert done.returncode == 1
    assert "\n a0 " in done.stdout  # the table is whole, too
    assert "going on after" in done.stderr
    assert "57 articles" in done.stderr
    rows = pyarrow.parquet.read_table(unfinished).num_rows
    assert rows == len(whole.read_text().splitlines())


def test_resume_without_output_is_refused(detente: Command) -> None:
    done = detente("tag", ARTICLES / "river-talks.txt", "--resume")
    assert_one_line_error(done, "--resume needs --output")


def test_rows_can_be_left_out(tmp_path: Path, detente: Command) -> None:
    article = ARTICLES / "river-talks.txt"
    tables = {}
    for name, options in {
        "all": [],
        "positions": ["--only-positions"],
        "sure": ["--min-confidence", "0.9"],
        "wide": ["--probabilities"],
    }.items():
        output = tmp_path / f"{name}.jsonl"
        assert detente("tag", article, "-o", output, *options).returncode == 0
        tables[name] = [json.loads(line) for line in output.read_text().splitlines()]
    dimensions = ("stance", "sequencing", "shift")
    taking = [r for r in tables["all"] if any(r[d] != "none" for d in dimensions)]
    assert 0 < len(taking) < len(tables["all"])
    assert tables["positions"] == taking
    sure = [
        r
        for r in tables["all"]
        if any(r[d] != "none" and r[f"{d}_probability"] >= 0.9 for d in dimensions)
    ]
    assert 0 < len(sure) < len(taking)
    assert tables["sure"] == sure
    wide = tables["wide"][0]
    assert sum(wide[f"shift_{label}"] for label in ("softening", "hardening", "none")) == (
        pytest.approx(1, abs=1e-4)
    )


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_columns_of_the_input_are_kept(tmp_path: Path, detente: Command, ending: str) -> None:
    articles, output = tmp_path / "a.jsonl", tmp_path / f"tags.{ending}"
    articles.write_text(
        '{"id": "a", "outlet": "BBC", "text": "Japan refused to sign."}\n'
        '{"id": "b", "outlet": "AP", "text": "Japan refused to sign."}\n'
    )
    document = tmp_path / "c.txt"
    document.write_text("Japan refused to sign.")
    done = detente("tag", articles, document, "--keep", "outlet", "-o", output)
    assert done.returncode == 0, done.stderr
    rows = pyarrow.parquet.read_table(output).to_pylist() if ending == "parquet" else None
    if ending == "jsonl":
        rows = [json.loads(line) for line in output.read_text().splitlines()]
    if rows is None:
        with output.open(newline="") as stream:
            rows = [{**row, "outlet": row["outlet"] or None} for row in csv.DictReader(stream)]
    assert [row["outlet"] for row in rows] == ["BBC", "AP", None]
    assert list(rows[0]).index("outlet") == list(rows[0]).index("party") + 1


def test_kept_columns_do_not_clash(manifest: Manifest, tmp_path: Path) -> None:
    for names in (["party"], ["stance_none"], ["x_probability"], ["outlet", "outlet"]):
        with pytest.raises(InputError, match=f"column '{names[0]}'"):
            Batch([], tmp_path / "t.csv", Settings(keep=tuple(names)), manifest)


def test_the_table_of_an_earlier_run_is_no_input(tmp_path: Path, detente: Command) -> None:
    (tmp_path / "a.txt").write_text("Oman will never sign the treaty, its envoy said.")
    output = tmp_path / "tags.jsonl"
    for _ in range(2):
        done = detente("tag", tmp_path, "-o", output)
        assert done.returncode == 0, done.stderr
        assert "1 article," in done.stderr


def test_a_model_that_is_missing_is_told_before_anything_is_read(
    tmp_path: Path, detente: Command
) -> None:
    done = detente("tag", ARTICLES, "-m", tmp_path / "none", "-o", tmp_path / "x.csv")
    assert_one_line_error(done, "none")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_users_actors_reach_every_process(tmp_path: Path, detente: Command, jobs: int) -> None:
    (tmp_path / "mine.yaml").write_text("actors:\n  TAR:\n    names: [Tarsa]\n")
    (tmp_path / "a.txt").write_text("Tarsa refused to sign the accord.")
    (tmp_path / "b.txt").write_text("Tarsa agreed to sign the accord.")
    options = ["--actors", "mine.yaml", "--jobs", jobs, "-o", "tags.jsonl"]
    done = detente("tag", "a.txt", "b.txt", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "tags.jsonl").read_text().splitlines()]
    assert [(row["article"], row["actor"]) for row in rows] == [("a.txt", "TAR"), ("b.txt", "TAR")]


@pytest.mark.parametrize("options", [[], ["-o", "tags.csv", "--jobs", "2"]])
def test_a_bad_file_of_actors_is_told_once_and_first(
    tmp_path: Path, detente: Command, options: list[str]
) -> None:
    bad = tmp_path / "mine.yaml"
    bad.write_text("actors: 3\n")
    article = ARTICLES / "river-talks.txt"
    done = detente("tag", article, "--actors", bad, *options, cwd=tmp_path)
    assert_one_line_error(done, "mine.yaml:1", "actors")
    bad.unlink()
    done = detente("tag", article, "--actors", bad, *options, cwd=tmp_path)
    assert_one_line_error(done, "mine.yaml: no such file")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "output"), [("news.jsonl", "news.jsonl"), ("news.csv.errors.jsonl", "news.csv")]
)
def test_an_input_is_not_written_over(
    tmp_path: Path, detente: Command, name: str, output: str
) -> None:
    news = tmp_path / name
    news.write_text('{"text": "Iran agreed."}\n')
    (tmp_path / "list.txt").write_text(f"{name}\n")
    for given in (news, f"@{tmp_path / 'list.txt'}"):
        done = detente("tag", given, "-o", tmp_path / output)
        assert_one_line_error(done, name, "give another --output")
    assert news.read_text() == '{"text": "Iran agreed."}\n'


def test_a_folder_of_nothing_but_output_holds_no_article(tmp_path: Path, detente: Command) -> None:
    (tmp_path / "tags.csv").write_text("article,statement,start,end,text,attribution\n")
    done = detente("tag", tmp_path, "-o", tmp_path / "tags.csv")
    assert_one_line_error(done, "no article")
    with pytest.raises(InputError, match="no article"):
        read_articles([tmp_path])
    assert list(read_articles(str(ARTICLES / "river-talks.txt")))


@pytest.mark.parametrize("given", ["", "*.jsonl"])
def test_articles_in_the_place_of_the_output_are_kept(tmp_path: Path, given: str) -> None:
    output = tmp_path / "articles.jsonl"
    output.write_text('{"text": "Iran agreed."}\n')
    (tmp_path / "more.jsonl").write_text('{"text": "Japan agreed."}\n')
    files = list_files([tmp_path / given])
    with pytest.raises(InputError, match=r"articles.jsonl: is among the articles.* --output"):
        without_output(files, output)
    assert without_output(files, tmp_path / "tags.jsonl") == files
    output.write_text("")
    assert without_output(files, output) == [tmp_path / "more.jsonl"]


def test_tables_of_other_runs_are_no_articles(tmp_path: Path, manifest: Manifest) -> None:
    for name in ("a.csv", "b.jsonl", "c.parquet"):
        with writing(tmp_path / name, columns(manifest.codebook)) as write:
            write([dict.fromkeys(columns(manifest.codebook))])
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    (tmp_path / "e.csv").write_text("statement,text\n1,Iran agreed.\n")
    for name in ("f.csv", "g.jsonl", "h.parquet", "i.csv.gz"):
        (tmp_path / name).write_bytes(b"\xff\0 no table")
    files = list_files([tmp_path])
    assert len(files) == 9
    said: list[str] = []
    kept = without_output(files, tmp_path / "tags.csv", say=said.append)
    assert [file.name for file in kept] == ["e.csv", "f.csv", "g.jsonl", "h.parquet", "i.csv.gz"]
    assert said == [
        f"{tmp_path / 'a.csv'}: is left alone, as a table that detente tag wrote; 4 such files are"
    ]
    for name in ("a.csv", "b.jsonl", "c.parquet", "d.csv.gz"):
        with pytest.raises(InputError, match="is a table that detente tag wrote"):
            list(read_articles([tmp_path / name], say=said.append))
    failed: list[Failure] = []
    found = read_articles([tmp_path], on_failure=failed.append, say=said.append)
    assert [article.text for article in found] == ["Iran agreed."]
    assert len(failed) == 4
    # Whoever names the column may read any table.
    with writing(tmp_path / "b.jsonl", columns(manifest.codebook)) as write:
        write([{**dict.fromkeys(columns(manifest.codebook)), "text": "Iran agreed."}])
    (article,) = read_articles([tmp_path / "b.jsonl"], Columns("text"), say=said.append)
    assert article.text == "Iran agreed."


def test_what_runs_write_is_known_by_any_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jsonl", "tags.jsonl", "tags.jsonl.errors.jsonl", "old.errors.jsonl"):
        (tmp_path / name).touch()
    for table in ("tags.jsonl", "old.csv"):
        (tmp_path / f"{table}.parts").mkdir()
        (tmp_path / f"{table}.parts" / "part-000000.parquet").touch()
    monkeypatch.chdir(tmp_path)
    output = Path("..", tmp_path.name, "tags.jsonl")
    for given in (".", "*", "**/*.*"):
        kept = without_output(list_files([given]), output, named_files([given]))
        assert kept == [Path("a.jsonl")]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(locate_model(None))


def test_a_name_that_is_no_unicode_stops_no_run(tmp_path: Path, detente: Command) -> None:
    text = "Oman will never sign the treaty, its envoy said."
    names = {b"caf\xe9.txt": text, b"empty\xe9.txt": "", b"\xe9.csv": f'text\n"{text}"\n'}
    try:
        for name, content in names.items():
            (tmp_path / os.fsdecode(name)).write_text(content)
    except OSError:
        pytest.skip("this file system has no such names")
    output = tmp_path / "tags.jsonl"
    for jobs in (1, 2):
        done = detente("tag", tmp_path, "-o", output, "-j", jobs)
        assert done.returncode == 1, done.stderr
        named = {json.loads(line)["article"] for line in output.read_text("utf-8").splitlines()}
        assert named == {f"{tmp_path}/caf\\udce9.txt", f"{tmp_path}/\\udce9.csv:2"}
        (error,) = next(tmp_path.glob("*.errors.jsonl")).read_text("utf-8").splitlines()
        assert json.loads(error) == {
            "article": f"{tmp_path}/empty\\udce9.txt",
            "error": f"{tmp_path}/empty\\udce9.txt: is empty",
        }


class Run:
    """A run over a list of articles that nothing reads, with one row for each."""

    def __init__(
        self,
        output: Path,
        manifest: Manifest,
        files: Sequence[Path] = (),
        table_columns: Columns = DETECTED,
        **settings: Any,
    ) -> None:
        self._blank = {
            **dict.fromkeys(columns(manifest.codebook)),
            **{dimension.name: "none" for dimension in manifest.codebook.dimensions},
        }
        self._batch = Batch(files, output, Settings(**settings), manifest, table_columns)
        self.started: list[tuple[int, int]] = []
        self.seen: list[Any] = []

    def __call__(
        self, count: int, *, end: type[BaseException] | None = None, resume: bool = False
    ) -> None:
        def engine(start: tuple[int, int]) -> Iterator[Outcome]:
            self.started.append(start)
            for n in range(start[1], count):
                yield Outcome(0, n, f"a{n}", ({**self._blank, "article": f"a{n}"},))
            if end is not None:
                raise end

        self._batch.run(engine, resume=resume, see=self.seen.extend)


@pytest.fixture
def run(tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(batch, "_PART_ARTICLES", 2)
    return Run(tmp_path / "tags.jsonl", manifest)


def _names(tmp_path: Path) -> list[str]:
    return sorted(file.name for file in tmp_path.iterdir())


def test_an_interrupted_run_keeps_all_that_is_done(run: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(5, end=KeyboardInterrupt)
    run(7, resume=True)
    assert run.started == [(0, 0), (0, 5)]
    rows = [json.loads(line) for line in (tmp_path / "tags.jsonl").read_text().splitlines()]
    assert [row["article"] for row in rows] == [f"a{n}" for n in range(7)]
    assert [row["article"] for row in run.seen] == [f"a{n}" for n in range(7)]
    assert _names(tmp_path) == ["tags.jsonl"]


def test_a_parquet_table_is_not_cut_into_its_parts(
    run: Run, tmp_path: Path, manifest: Manifest
) -> None:
    Run(tmp_path / "tags.parquet", manifest)(9)
    table = pyarrow.parquet.ParquetFile(tmp_path / "tags.parquet")
    assert (table.metadata.num_rows, table.metadata.num_row_groups) == (9, 1)
    assert table.read()["article"].to_pylist() == [f"a{n}" for n in range(9)]


@pytest.mark.parametrize("end", [KeyboardInterrupt, InputError])
def test_a_run_that_ends_before_its_first_part_leaves_nothing(
    run: Run, tmp_path: Path, end: type[BaseException]
) -> None:
    with pytest.raises(end):
        run(0, end=end)
    assert _names(tmp_path) == []


@pytest.mark.parametrize(
    "files", [["lock"], [".run.json.x1y2"], ["lock", "run.json"], ["run.json"]], ids=str
)
def test_a_run_killed_before_its_first_part_is_begun_anew(
    run: Run, tmp_path: Path, files: list[str]
) -> None:
    (tmp_path / "tags.jsonl.parts").mkdir()
    for name in files:
        (tmp_path / "tags.jsonl.parts" / name).write_text("")
    run(3)
    assert _names(tmp_path) == ["tags.jsonl"]


def test_a_folder_of_other_things_is_no_runs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tags.jsonl.parts").mkdir()
    (tmp_path / "tags.jsonl.parts" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is no run's folder"):
        run(3)
    assert _names(tmp_path / "tags.jsonl.parts") == ["mine.txt"]


def test_two_runs_do_not_write_one_table(run: Run, tmp_path: Path, manifest: Manifest) -> None:
    fields = columns(manifest.codebook)
    with Parts.open(tmp_path / "tags.jsonl", fields, {"files": "other"}, resume=False) as parts:
        for resume in (False, True):
            with pytest.raises(InputError, match="another run is writing this table"):
                run(3, resume=resume)
        parts.merge(tmp_path / "tags.jsonl")
    run(3)
    assert len((tmp_path / "tags.jsonl").read_text().splitlines()) == 3


def test_another_window_or_codebook_does_not_go_on(
    run: Run, tmp_path: Path, manifest: Manifest
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(3, end=KeyboardInterrupt)
    first, *others = manifest.codebook.dimensions
    turned = first.model_copy(update={"labels": first.labels[::-1]})
    codebook = manifest.codebook.model_copy(update={"dimensions": (turned, *others)})
    window = manifest.window.model_copy(update={"stride": manifest.window.stride + 1})
    for changed in ({"window": window}, {"codebook": codebook}):
        other = Run(tmp_path / "tags.jsonl", manifest.model_copy(update=changed))
        with pytest.raises(InputError, match="differs in its model;"):
            other(3, resume=True)
    Run(tmp_path / "tags.jsonl", manifest.model_copy(update={"metrics": {}}))(3, resume=True)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("size", "files"),
        ("time", "files"),
        ("columns", "options"),
        ("actors", "actors"),
        ("version", "version"),
    ],
)
def test_a_run_whose_rows_might_be_others_does_not_go_on(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch, change: str, part: str
) -> None:
    article, actors = tmp_path / "a.jsonl", tmp_path / "my.yaml"
    article.write_text("one")
    actors.write_text("actors: {A: {names: [Alpha]}}")
    given = DETECTED

    def begin(count: int, threads: int = 0, **options: Any) -> None:
        settings = {"actors": actors, "threads": threads}
        Run(tmp_path / "t.csv", manifest, [article], given, **settings)(count, **options)

    with pytest.raises(KeyboardInterrupt):
        begin(1, end=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        begin(2, threads=2, end=KeyboardInterrupt, resume=True)  # no row depends on them
    if part == "files":
        time_before = article.stat().st_mtime_ns
        article.write_text("other" if change == "size" else "two")
        os.utime(article, ns=(0, time_before + (change == "time")))
    elif change == "columns":
        given = Columns(text="body")
    elif change == "actors":
        actors.write_text("actors: {A: {names: [Beta]}}")
    else:
        monkeypatch.setattr(batch, "__version__", "0")
    with pytest.raises(InputError, match=f"differs in its {part};"):
        begin(3, resume=True)


def test_a_damaged_part_can_be_removed(run: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(6, end=KeyboardInterrupt)
    part = tmp_path / "tags.jsonl.parts" / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"part-000001.parquet: is damaged .* --resume"):
        run(7, resume=True)
    part.unlink()
    with pytest.raises(KeyboardInterrupt):
        run(3, end=KeyboardInterrupt, resume=True)
    run(7, resume=True)
    assert run.started == [(0, 0), (0, 2), (0, 3)]
    assert [row["article"] for row in run.seen] == [f"a{n}" for n in range(7)]


def test_a_part_that_cannot_be_reached_is_not_called_damaged(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(6, end=KeyboardInterrupt)

    def unreachable(_: Path) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.read_schema", unreachable)
        told = r"part-\d+.parquet: cannot be read \(stale file handle\); .* --resume"
        with pytest.raises(InputError, match=told):
            run(7, resume=True)
    run(7, resume=True)
    assert len(run.seen) == 7


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_damaged_run_is_told(run: Run, tmp_path: Path, content: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(6, end=KeyboardInterrupt)
    (tmp_path / "tags.jsonl.parts" / "run.json").write_text(content)
    with pytest.raises(InputError, match=r"run.json: is damaged; remove the folder"):
        run(7, resume=True)


def test_a_file_in_the_place_of_the_parts_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tags.jsonl.parts").write_text("mine")
    with pytest.raises(InputError, match=r"tags.jsonl.parts: no folder can be made there"):
        run(3)


def _fill_disk(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_and_the_run_goes_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = r"cannot be written \(no space left on device\)"
    with pytest.raises(InputError, match=f"x.csv: {full}"), replacing(tmp_path / "x.csv"):
        _fill_disk()
    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.write_table", _fill_disk)
        with pytest.raises(InputError, match=f"{full}.* --resume"):
            run(3)
    run(3, resume=True)
    assert _names(tmp_path) == ["tags.jsonl"]


def test_only_errors_of_an_earlier_run_are_replaced(
    run: Run, tmp_path: Path, manifest: Manifest
) -> None:
    errors = tmp_path / "tags.jsonl.errors.jsonl"
    errors.write_text('{"article": "a", "error": "a: is empty"}\n')
    run(3)
    assert _names(tmp_path) == ["tags.jsonl"]
    errors.write_text('{"text": "Iran agreed."}\n')
    with pytest.raises(InputError, match=r"tags.jsonl.errors.jsonl: .* give another --output"):
        Run(tmp_path / "tags.jsonl", manifest)
    assert errors.read_text() == '{"text": "Iran agreed."}\n'


def test_tables_with_one_stem_have_errors_of_their_own(tmp_path: Path, detente: Command) -> None:
    (tmp_path / "bad.txt").write_text("")
    (tmp_path / "good.txt").write_text("Oman will never sign the treaty, its envoy said.")
    for name in ("tags.csv", "tags.parquet"):
        done = detente("tag", tmp_path / "bad.txt", tmp_path / "good.txt", "-o", tmp_path / name)
        assert f"(see {tmp_path / name}.errors.jsonl)" in done.stderr
    assert detente("tag", tmp_path / "good.txt", "-o", tmp_path / "tags.parquet").returncode == 0
    assert (tmp_path / "tags.csv.errors.jsonl").exists()
    assert not (tmp_path / "tags.parquet.errors.jsonl").exists()


def test_where_no_article_can_be_read_the_errors_tell_of_each(
    tmp_path: Path, detente: Command
) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("")
    done = detente("tag", tmp_path, "-o", tmp_path / "tags.csv")
    assert_one_line_error(done, "a.txt: is empty", f"; see {tmp_path / 'tags.csv.errors.jsonl'}")
    errors = (tmp_path / "tags.csv.errors.jsonl").read_text().splitlines()
    assert [json.loads(line)["error"] for line in errors] == [
        f"{tmp_path / name}: is empty" for name in ("a.txt", "b.txt")
    ]
    assert _names(tmp_path) == ["a.txt", "b.txt", "tags.csv.errors.jsonl"]


def test_a_damaged_model_is_told_once_by_several_processes(
    tmp_path: Path, detente: Command
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(locate_model(None), bundle)
    with (bundle / "tokenizer.json").open("a") as stream:
        stream.write(" ")
    article, output = ARTICLES / "river-talks.txt", tmp_path / "tags.csv"
    done = detente("tag", article, "-m", bundle, "--jobs", 2, "-o", output)
    assert_one_line_error(done, "tokenizer.json")
    assert _names(tmp_path) == ["bundle"]


@pytest.mark.parametrize(
    ("count", "written", "words"),
    [
        (1, False, "interrupted"),
        (1, True, "interrupted; what is done is kept, and the same command with --resume goes on"),
        (0, True, "interrupted before anything was done; give the same command again"),
    ],
)
def test_an_interrupted_command_says_how_to_go_on(
    count: int, written: bool, words: str, tmp_path: Path
) -> None:
    code = (
        "import itertools, detente.worker as w, detente.cli as c\n"
        "tag = w.tag_locally\n"
        "def interrupt(*given):\n"
        f"    yield from itertools.islice(tag(*given), {count})\n"
        "    raise KeyboardInterrupt\n"
        "w.tag_locally = interrupt\n"
        "c.main()"
    )
    command = [sys.executable, "-c", code, "tag", str(ARTICLES / "river-talks.txt")]
    options = ["-o", str(tmp_path / "tags.csv")] if written else []
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (130, f"detente: {words}\n")
    assert _names(tmp_path) == ["tags.csv.parts"] * (written and count)


class Fatal(Entry):
    def read(self, say: Callable[[str], None] = print) -> NoReturn:
        os._exit(1)


def test_an_article_over_which_a_process_dies_costs_no_other() -> None:
    entries = [Entry(0, n, Source(f"a{n}", "Iran refused. Iraq agreed.")) for n in range(50)]
    entries[7] = Fatal(0, 7, Source("a7", ""))
    entries[44] = Fatal(0, 44, Source("a44", ""))
    outcomes = list(tag_locally(entries, Settings(), 2))
    assert [outcome.name for outcome in outcomes] == [f"a{n}" for n in range(50)]
    failed = {outcome.name: outcome.failure or "" for outcome in outcomes if not outcome.rows}
    assert list(failed) == ["a7", "a44"]
    assert failed["a7"].startswith("a7: the process that tagged it died")
    assert any("one by one" in note for outcome in outcomes for note in outcome.notes)


class Slow(Entry):
    """Waits, when it is read first, until its process is killed; says so by a file."""

    def read(self, say: Callable[[str], None] = print) -> Source:
        assert isinstance(self.content, Source)
        reached = Path(self.content.title or "")
        if not reached.exists():
            reached.touch()
            time.sleep(600)
        return self.content


def test_processes_that_are_killed_from_outside_cost_no_article(tmp_path: Path) -> None:
    texts = [Source(f"a{n}", "Iran refused. Iraq agreed.") for n in range(40)]
    entries = [Entry(0, n, text) for n, text in enumerate(texts)]
    entries[20] = Slow(0, 20, replace(texts[20], title=str(tmp_path / "reached")))
    outcomes = tag_locally(entries, Settings(), 2)
    first = next(outcomes)
    while not (tmp_path / "reached").exists():
        time.sleep(0.01)
    killed = multiprocessing.active_children()
    assert killed
    for process in killed:
        process.kill()
    rest = list(outcomes)
    assert [outcome.name for outcome in [first, *rest]] == [text.name for text in texts]
    assert all(outcome.rows for outcome in rest)
    assert any("one by one" in note for outcome in rest for note in outcome.notes)


def test_articles_are_drawn_only_a_little_ahead() -> None:
    drawn = 0

    def entries() -> Iterator[Entry]:
        nonlocal drawn
        for n in range(2000):
            drawn += 1
            yield Entry(0, n, Source(f"a{n}", "Iran refused."))

    outcomes = tag_locally(entries(), Settings(), 2)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert drawn < 200


def test_processes_that_die_at_once_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_start", os._exit)
    entries = [Entry(0, n, Source(f"a{n}", "Iran refused.")) for n in range(3)]
    with pytest.raises(DetenteError, match=r"died before it could begin, .* --resume and fewer"):
        list(tag_locally(entries, Settings(), 2))


def test_what_fails_unforeseen_is_named() -> None:
    class Broken(Entry):
        def read(self, say: Callable[[str], None] = print) -> NoReturn:
            raise RuntimeError("no idea")

    outcome = object.__new__(Worker)(Broken(0, 0, Path("a.txt")))
    assert (outcome.name, outcome.failure) == ("a.txt", "a.txt: RuntimeError: no idea")


def test_a_long_run_tells_a_file_of_its_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.tracking("tagging", 8) as advance:
        advance(1)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
        advance(2)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tagging 3/8 ")


def test_a_model_that_is_another_than_before_is_refused(manifest: Manifest) -> None:
    Worker(Settings(model_digest=manifest.digest))
    with pytest.raises(BundleError, match="another model than the run began with"):
        Worker(Settings(model_digest="0" * 64))


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "tags.jsonl"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match=r"tags\.jsonl: is no regular file"), replacing(pipe):
        pass
    assert pipe.is_fifo()
