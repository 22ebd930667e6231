from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.conftest import ROOT, Command, assert_one_line_error

ARTICLES = ROOT / "data" / "articles"
# The real command with parts of five articles, so that a small run has many of them.
SMALL_PARTS = "import detente.batch as b; b._PART_ARTICLES = 5; import detente.cli as c; c.main()"


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
    assert "3 skipped (see tags.errors.jsonl)" in done.stderr
    return output


def test_failures_are_recorded_and_the_run_goes_on(whole: Path, many: Path) -> None:
    errors = [
        json.loads(line) for line in whole.with_name("tags.errors.jsonl").read_text().splitlines()
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
    command = [sys.executable, "-c", SMALL_PARTS, "tag", str(many), "-o", str(output)]
    rng = random.Random(4)
    killed = 0
    for attempt in range(40):
        jobs = ["--jobs", "2"] if attempt % 4 == 3 else []
        resume = ["--resume"] if attempt else []
        process = subprocess.Popen(
            [*command, *jobs, *resume], stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        try:
            process.wait(timeout=rng.uniform(1.2, 3.5) if killed < 8 else 600)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
            assert not output.exists() or output.read_text() == whole.read_text()
            continue
        assert process.stderr is not None
        assert process.returncode == 1, process.stderr.read()
        break
    assert killed >= 3
    _assert_complete(output, whole)


@pytest.mark.parametrize("step", ["p.Parts.merge", "p.move", "p.Parts.remove", "p.Path.rmdir"])
def test_a_run_killed_at_its_end_can_be_resumed(
    step: str, whole: Path, many: Path, tmp_path: Path
) -> None:
    output = tmp_path / "tags.jsonl"
    kill = f"import os, detente.parts as p; {step} = lambda *_: os.kill(os.getpid(), 9)"
    run = ["tag", str(many), "-o", str(output)]
    killed = subprocess.run([sys.executable, "-c", f"{kill}; {SMALL_PARTS}", *run], cwd=ROOT)
    assert killed.returncode == -9
    done = subprocess.run([sys.executable, "-c", SMALL_PARTS, *run, "--resume"], cwd=ROOT)
    assert done.returncode == 1
    _assert_complete(output, whole)


def _assert_complete(output: Path, whole: Path) -> None:
    for name in ("tags.jsonl", "tags.errors.jsonl"):
        assert output.with_name(name).read_text() == whole.with_name(name).read_text()
    assert {file.name for file in output.parent.iterdir()} == {"tags.jsonl", "tags.errors.jsonl"}


@pytest.fixture
def unfinished(many: Path, tmp_path: Path) -> Path:
    """The output of a run that was killed after its first part."""
    output = tmp_path / "tags.parquet"
    process = subprocess.Popen(
        [sys.executable, "-c", SMALL_PARTS, "tag", str(many), "-o", str(output)],
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    parts = output.with_name("tags.parquet.parts")
    while not list(parts.glob("part-*.parquet")):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    return output


def test_an_unfinished_run_is_not_written_over(
    unfinished: Path, many: Path, detente: Command
) -> None:
    done = detente("tag", many, "-o", unfinished)
    assert_one_line_error(done, "tags.parquet.parts", "--resume", "remove the folder")


def test_other_options_or_inputs_do_not_go_on(
    unfinished: Path, many: Path, detente: Command
) -> None:
    for changed in (["--probabilities"], [str(ARTICLES / "river-talks.txt")]):
        done = detente("tag", many, *changed, "-o", unfinished, "--resume")
        assert_one_line_error(done, "other articles, options or model")


def test_a_resumed_run_says_where_it_goes_on(
    unfinished: Path, many: Path, whole: Path, detente: Command
) -> None:
    done = detente("tag", many, "-o", unfinished, "--resume")
    assert done.returncode == 1
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
        "sure": ["--min-confidence", "0.7"],
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
        if any(r[d] != "none" and r[f"{d}_probability"] >= 0.7 for d in dimensions)
    ]
    assert 0 < len(sure) < len(taking)
    assert tables["sure"] == sure
    wide = tables["wide"][0]
    assert sum(wide[f"shift_{label}"] for label in ("softening", "hardening", "none")) == (
        pytest.approx(1, abs=1e-4)
    )


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
