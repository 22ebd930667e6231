from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import fsspec
import pyarrow.parquet
import pytest

from detente import batch, cluster
from detente.batch import Batch
from detente.bundle import read_manifest
from detente.cluster import Cluster
from detente.errors import DetenteError, InputError
from detente.intake.reader import Columns, entries
from detente.intake.source import without_halves
from detente.remote import Remote, list_files, placing
from detente.tagger import locate_model
from detente.worker import Outcome, Settings, tag_locally
from tests.conftest import ROOT, Command, assert_one_line_error

ray: Any = cluster._import_ray()  # before anything else does, so that it is quiet
SETTINGS = Settings(threads=1)
TEXTS = [
    "The union is now ready to meet the company halfway, it said.",
    "Japan said no. We will never agree to it, the minister said.",
    "It rained.",
    "Israel must withdraw first, Iran said. The United States dropped its demand.",
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two nodes with one core each."""
    node = {"num_cpus": 1, "object_store_memory": 100_000_000}
    two = import_module("ray.cluster_utils").Cluster(
        initialize_head=True, head_node_args={**node, "include_dashboard": False}
    )
    two.add_node(**node)
    yield two.address
    two.shutdown()


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents, good and bad, and tables, one of them of 60 articles."""
    folder = tmp_path_factory.mktemp("articles")
    (folder / "a.txt").write_text(TEXTS[0])
    (folder / "b.html").write_text(f"<html><body><p>{TEXTS[1]}</p><p>{TEXTS[3]}</p></body></html>")
    (folder / "c.txt").write_bytes(b"")
    (folder / "d.docx").write_bytes(b"not a document")
    lines = [{"id": f"n{n}", "text": TEXTS[n % 4], "date": "2026-01-05"} for n in range(60)]
    lines[30]["text"] = ""
    (folder / "e.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (folder / "f.csv").write_text(f'body\n"{TEXTS[1]}"\n')
    (folder / "sub").mkdir()
    (folder / "sub" / "g.md").write_text(f"# Talks\n\n{TEXTS[3]}\n")
    return folder


@pytest.fixture(scope="module")
def expected(articles: Path) -> list[Outcome]:
    """What this process makes of the folder, the files named relative to it."""
    cwd = Path.cwd()
    os.chdir(articles)
    try:
        return _tag_here(".", start=(0, 0))
    finally:
        os.chdir(cwd)


def _tag_here(path: str, start: tuple[int, int]) -> list[Outcome]:
    from detente.intake import listing

    said: list[str] = []
    found = entries(listing.list_files([path]), start=start, say=said.append)
    return list(tag_locally(found, SETTINGS, 1))


def _without_notes(outcomes: list[Outcome]) -> list[Outcome]:
    return [replace(outcome, notes=()) for outcome in outcomes]


def test_both_nodes_give_what_this_process_gives(
    address: str,
    articles: Path,
    expected: list[Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Witness(cluster._Tagging):
        def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
            with (tmp_path / ray.get_runtime_context().get_node_id()).open("a") as stream:
                stream.write(".")
            return super().__call__(row)

    monkeypatch.setattr(cluster, "_Tagging", Witness)
    monkeypatch.chdir(articles)
    there = Cluster(SETTINGS, address=address)
    outcomes = list(there.tag(there.list_files(["."])))
    assert _without_notes(outcomes) == _without_notes(expected)
    assert sum(outcome.failure is not None for outcome in outcomes) == 3
    assert sum(len(outcome.rows) for outcome in outcomes) > 60
    notes = [note for outcome in outcomes for note in outcome.notes]
    assert "e.jsonl: text is column 'text', id is column 'id', date is column 'date'" in notes
    assert "f.csv: text is column 'body'" in notes
    assert len(list(tmp_path.iterdir())) == 2, "one node did all"
    assert all(path.stat().st_size > 1 for path in tmp_path.iterdir())


def test_an_interrupted_run_over_urls_goes_on_where_it_was(
    address: str,
    articles: Path,
    expected: list[Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(batch, "_PART_ARTICLES", 10)
    monkeypatch.setattr(batch, "_PART_SECONDS", 600.0)
    manifest = read_manifest(locate_model(None))
    output = f"file://{tmp_path}/tags.parquet"
    there = Cluster(SETTINGS, address=address)
    files = there.list_files([f"file://{articles}"])
    starts: list[tuple[int, int]] = []

    def tag(start: tuple[int, int]) -> Iterator[Outcome]:
        starts.append(start)
        yield from islice(there.tag(files, start), 25 if start == (0, 0) else None)
        if start == (0, 0):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), placing(output) as place:
        Batch(files, place, SETTINGS, manifest).run(tag)
    assert not list(tmp_path.glob("*.parquet"))
    with pytest.raises(InputError, match="--resume"), placing(output) as place:
        Batch(files, place, SETTINGS, manifest).run(tag)
    with placing(output) as place:
        totals = Batch(files, place, SETTINGS, manifest).run(tag, resume=True)

    assert starts == [(0, 0), (4, 21)]
    assert (totals.articles, len(totals.failures)) == (len(expected) - 3, 3)
    rows = pyarrow.parquet.read_table(tmp_path / "tags.parquet").to_pylist()
    wanted = [row for outcome in expected for row in outcome.rows]
    assert [row | {"article": ""} for row in rows] == [row | {"article": ""} for row in wanted]
    names = {row["article"] for row in rows}
    assert {f"file://{articles}/a.txt", f"file://{articles}/f.csv:2", "n59"} < names
    errors = (tmp_path / "tags.parquet.errors.jsonl").read_text().splitlines()
    assert [json.loads(line)["article"] for line in errors] == [
        *(f"file://{articles}/c.txt", f"file://{articles}/d.docx", "n30"),
    ]
    assert f"file://{articles}/c.txt: is empty" in errors[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("cache", "tags.parquet", "tags.parquet.errors.jsonl"),
    ]
    assert not list((tmp_path / "cache").rglob("*.parquet"))


def test_a_process_that_dies_ends_the_run_in_one_line(
    address: str, articles: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    class Fatal(cluster._Tagging):
        def __init__(self, *_: object) -> None:
            pass

        def __call__(self, row: dict[str, bytes]) -> dict[str, bytes]:
            os._exit(1)

    monkeypatch.setattr(cluster, "_Tagging", Fatal)
    monkeypatch.setattr(cluster, "_DEATHS", 0)
    there = Cluster(SETTINGS, address=address)
    with pytest.raises(DetenteError, match=r"a tagging process died 1 times.*--resume") as caught:
        list(there.tag(there.list_files([articles / "a.txt"])))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_nodes_of_another_version_are_refused(
    address: str, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "__version__", "0.0.0")
    there = Cluster(SETTINGS, address=address)
    with pytest.raises(DetenteError, match=r"and this is 0\.0\.0; install the same"):
        list(there.tag(there.list_files([articles / "a.txt"])))


def test_the_command_is_as_quiet_as_without_ray(
    detente: Command, articles: Path, tmp_path: Path
) -> None:
    done = {}
    for engine in ("local", "ray"):
        output = tmp_path / engine / "tags.jsonl"
        output.parent.mkdir()
        arguments = (articles / "a.txt", articles / "c.txt", articles / "f.csv", "--jobs", 1)
        done[engine] = detente("tag", *arguments, "-o", output, "--engine", engine)
        assert done[engine].returncode == 1
    for stream in ("stdout", "stderr"):
        local = getattr(done["local"], stream).replace("/local/", "/ray/")
        # Where it takes more than a minute, how far it is is said as well.
        said = getattr(done["ray"], stream).splitlines(keepends=True)
        assert "".join(line for line in said if not line.startswith("tagging ")) == local
    tables = [(tmp_path / engine / "tags.jsonl").read_text() for engine in done]
    assert tables[0] == tables[1]


def test_without_ray_one_line_says_what_to_install(articles: Path) -> None:
    code = (
        "import sys\n"
        "class NoRay:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('ray', 'fsspec'):\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, NoRay())\n"
        "from detente.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "tag", str(articles / "a.txt"), "--engine", "ray"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert_one_line_error(done, "pip install 'detente[cluster]'")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1:9", "connection refused"),
        ("ray://127.0.0.1:9", "connection refused"),
        ("nowhere", "no Ray cluster there"),
    ],
)
def test_a_cluster_that_is_not_there(articles: Path, address: str, words: str) -> None:
    there = Cluster(SETTINGS, address=address)
    with pytest.raises(DetenteError, match=f"(?i){address}: no Ray cluster there.*") as caught:
        list(there.tag(there.list_files([articles])))
    assert words.lower() in str(caught.value).lower()
    assert "\n" not in str(caught.value)


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    for name in ("b.txt", "a/c.jsonl", "a.html", "a/.hidden.txt", "a/picture.png", "[draft].txt"):
        system.pipe_file(f"/news/{name}", b"Japan said no.")
    yield system
    system.rm("/news", recursive=True)


def test_urls_of_files_folders_patterns_and_lists(memory: Any, tmp_path: Path) -> None:
    def urls(*paths: str) -> list[str]:
        return [str(file).removeprefix("memory://news/") for file in list_files(paths)]

    assert urls("memory://news/b.txt") == ["b.txt"]
    assert urls("memory://news") == ["[draft].txt", "a/c.jsonl", "a.html", "b.txt"]
    assert urls("memory://news/") == urls("memory://news")
    assert urls("memory://news/*.txt") == ["[draft].txt", "b.txt"]
    assert urls("memory://news/**/*.jsonl") == ["a/c.jsonl"]
    assert urls("memory://news/?") == ["a/c.jsonl"]
    assert urls("memory://news/[draft].txt") == ["[draft].txt"]
    (tmp_path / "x.txt").write_text("It rained.")
    listing = tmp_path / "list"
    listing.write_text("# both kinds\nmemory://news/b.txt\n\nx.txt\n")
    assert urls(f"@{listing}") == ["b.txt", str(tmp_path / "x.txt")]
    others = Counter[str]()
    said: list[str] = []
    twice = ["memory://news", "memory://news/**/*.*", f"@{listing}"]
    assert len(list_files(twice, others, said.append)) == 5
    assert others == {".png": 2}
    assert said == [
        "memory://news/[draft].txt: is named more than once, and read once; 4 files are"
    ]
    listing.write_text("# nothing\n")
    with pytest.raises(InputError, match="names no file"):
        list_files([f"@{listing}"])
    listing.write_text("\nmemory://news/none.txt\n")
    with pytest.raises(InputError, match=f"{listing}:2: memory://news/none.txt: no such file"):
        list_files([f"@{listing}"])


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://news/none.txt", "no such file"),
        ("memory://news/*.pdf", "holds no file ending in"),
        ("memory://news/a/picture.png", "cannot be read; give a file ending in"),
        ("s3://bucket/x.txt", "s3:// needs another package: pip install s3fs"),
        ("nonsense://x.txt", "nonsense"),
        ("zip://x.txt::file://x.zip", "a URL within a URL"),
    ],
)
def test_urls_that_are_refused(memory: Any, url: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        list_files([url])
    assert str(caught.value).startswith(f"{url}: ")
    assert message in str(caught.value)


def test_state_tells_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one")
    url = f"file://{path}"
    (before,) = list_files([url])
    path.write_text("other")
    assert list_files([url]) != [before]
    assert isinstance(before, Remote)


def test_a_name_that_is_no_unicode_is_spelt_as_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.csv").write_bytes("body\nThe café reopened.\n".encode("cp1252"))
    for name in ("caf\udce9.txt", "caf\udce9.csv"):
        try:
            (tmp_path / name).write_bytes((tmp_path / "x.csv").read_bytes())
        except OSError:
            pytest.skip("this file system has no such names")
        here: list[str] = []
        there: list[str] = []
        monkeypatch.chdir(tmp_path)
        local = [entry.read(here.append) for entry in entries([Path(name)], say=here.append)]
        monkeypatch.chdir("/")
        found = list(cluster._contents(Path(name), tmp_path, there.append))
        assert found == local
        assert found[0].name.startswith("caf\\udce9.")
        assert [without_halves(note) for note in here] == there


def test_a_document_beyond_the_limit_is_not_fetched(memory: Any) -> None:
    with (
        pytest.raises(InputError, match=r"b\.txt: is larger"),
        Remote("memory://news/b.txt").fetched(5),
    ):
        pass


def test_what_runs_write_is_not_read(memory: Any, tmp_path: Path) -> None:
    for name in ("tags.jsonl", "tags.jsonl.errors.jsonl"):
        memory.pipe_file(
            f"/news/{name}", b'{"statement": 1, "start": 0, "end": 9, "attribution": ""}'
        )
    there, output = Cluster(SETTINGS), "memory://news/tags.jsonl"
    found = there.list_files(["memory://news"], output)
    assert not any("tags" in str(file) for file in found)
    for name in ("old.csv.errors.jsonl", "old.csv.parts/part-000001.parquet"):
        memory.pipe_file(f"/news/{name}", b'{"article": "a.txt", "message": "is empty"}')
    assert there.list_files(["memory://news"], output) == found
    memory.pipe_file("/news/tags.jsonl", b'{"text": "Iran agreed."}')
    with pytest.raises(InputError, match=r"tags.jsonl: is among the articles.* --output"):
        there.list_files(["memory://news"], output)
    (tmp_path / "a.csv").write_text("statement,start,end,text,attribution\n")
    (tmp_path / "b.csv").write_text("text\nIran agreed.\n")
    memory.rm_file("/news/tags.jsonl")
    for place in (None, output, str(tmp_path / "tags.csv")):
        said: list[str] = []
        assert there.list_files([tmp_path], place, say=said.append) == [tmp_path / "b.csv"]
        assert said == [f"{tmp_path / 'a.csv'}: is left alone, as a table that detente tag wrote"]


def test_an_output_that_cannot_be_written_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for url, message in (
        (f"file://{tmp_path}/none/tags.csv", "cannot be written"),
        ("memory://tags.xlsx", "unknown ending"),
        ("s3://bucket/tags.csv", "pip install s3fs"),
    ):
        with pytest.raises(InputError, match=message), placing(url):
            pytest.fail("the work was begun")
    assert list(tmp_path.iterdir()) == []


def test_only_errors_of_an_earlier_run_are_replaced_at_a_url(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    errors = "/news/tags.csv.errors.jsonl"
    memory.pipe_file(errors, b'{"text": "Iran agreed."}\n')
    with (
        pytest.raises(InputError, match=r"tags.csv.errors.jsonl: .* give another --output"),
        placing("memory://news/tags.csv"),
    ):
        pytest.fail("the work was begun")
    assert memory.cat_file(errors) == b'{"text": "Iran agreed."}\n'
    memory.pipe_file(errors, b'{"article": "a", "error": "a: is empty"}\n')
    with placing("memory://news/tags.csv") as place:
        place.write_text("article\n")
    assert not memory.exists(errors)


def test_a_table_that_never_got_to_its_url_is_kept(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError("the key expired")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    url = "memory://news/tags.csv"
    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "put_file", fail)
        with pytest.raises(InputError, match=r"expired.*finished table is"), placing(url) as place:
            place.write_text("article\n")
    with pytest.raises(InputError, match=r"could not put it at .*; copy it there"), placing(url):
        pytest.fail("the work was begun")
    assert place.read_text() == "article\n"
    place.unlink()
    with placing(url) as place:
        place.write_text("article\nagain\n")
    assert memory.cat_file("/news/tags.csv") == b"article\nagain\n"


def test_stdin_is_refused() -> None:
    with pytest.raises(InputError, match="an empty name"):
        list_files([""])
    with pytest.raises(InputError, match="standard input"):
        Cluster(SETTINGS, Columns()).list_files(["-"])
