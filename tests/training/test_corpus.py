from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from detente import Codebook
from detente.errors import CodebookError, InputError
from detente_training.corpus import check_corpus, contrasting_statements
from detente_training.record import corpus_hash, read_records
from tests.conftest import ROOT, Command, assert_one_line_error

CORPUS = ROOT / "data" / "corpus"
RECORD: dict[str, Any] = {
    "id": "a-1",
    "text": "The miners will not talk until the pit owners reopen the shaft, their leader said.",
    "holder": "The miners",
    "stance": "hardline",
    "sequencing": "other_first",
    "shift": "none",
    "negotiation": "pit",
    "register": "wire",
    "attribution": "indirect",
}
OTHER = {
    **RECORD,
    "id": "a-2",
    "text": "At the town hall, owners offered to reopen two shafts by Monday.",
    "holder": "owners",
    "stance": "flexible",
    "sequencing": "self_first",
    "shift": "softening",
}


def write(folder: Path, *records: dict[str, Any], name: str = "pit.jsonl") -> Path:
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (corpus / name).write_text("".join(lines), encoding="utf-8")
    return corpus


def problems(folder: Path, codebook: Codebook, *records: dict[str, Any]) -> list[str]:
    corpus = write(folder, *records)
    return [
        problem.removeprefix(f"{corpus}/") for problem in check_corpus(corpus, codebook).problems
    ]


def test_a_sound_corpus_has_no_problems(tmp_path: Path, codebook: Codebook) -> None:
    assert problems(tmp_path, codebook, RECORD, OTHER) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stance": "hard"}, ["pit.jsonl:2", "unknown stance label 'hard'", "hardline"]),
        ({"text": ""}, ["pit.jsonl:2", "text is empty"]),
        ({"holder": "x" * 200}, ["pit.jsonl:2", "longer than the text"]),
        ({"holder": "the miners"}, ["pit.jsonl:2", "'the miners' not found in the text"]),
        ({"holder": "owners", "implied": True}, ["pit.jsonl:2", "marked as implied"]),
        ({"id": "a-1"}, ["pit.jsonl:2", "id 'a-1' is taken by"]),
        ({"negotiation": "mine"}, ["pit.jsonl:2", "belongs into mine.jsonl"]),
        ({"negotiation": ""}, ["pit.jsonl:2", "no 'negotiation'"]),
        ({"register": "tweet"}, ["pit.jsonl:2", "unknown register 'tweet'", "wire"]),
        ({"atribution": "direct"}, ["pit.jsonl:2", "did you mean 'attribution'"]),
        (
            {"text": RECORD["text"], "holder": "The miners"},
            ["pit.jsonl:2", "the same text and holder stand at"],
        ),
        (
            {"text": RECORD["text"].replace("leader", "chairman"), "holder": "The miners"},
            ["pit.jsonl:2", "near-duplicate of", "pit.jsonl:1"],
        ),
    ],
)
def test_each_fault_names_its_line(
    tmp_path: Path, codebook: Codebook, changes: dict[str, Any], words: list[str]
) -> None:
    found = problems(tmp_path, codebook, RECORD, {**OTHER, **changes})
    assert any(all(word in problem for word in words) for problem in found), found


def test_lines_that_are_no_records_do_not_hide_the_others(
    tmp_path: Path, codebook: Codebook
) -> None:
    corpus = write(tmp_path, RECORD, OTHER)
    path = corpus / "pit.jsonl"
    path.write_bytes(path.read_bytes() + b'{"text": \n\xff\n{"text": "Fine."}\n')
    report = check_corpus(corpus, codebook)
    assert len(report.records) == 2
    assert [problem.split(": ")[0] for problem in report.problems] == [
        f"{path}:{line}" for line in (3, 4, 5)
    ]


def test_a_corpus_of_one_class_is_reported(tmp_path: Path, codebook: Codebook) -> None:
    found = problems(tmp_path, codebook, RECORD)
    assert sum("only one label" in problem for problem in found) == 3


def test_reading_stops_at_the_first_fault(tmp_path: Path, codebook: Codebook) -> None:
    with pytest.raises(CodebookError, match=r"pit\.jsonl:1: .*shaky"):
        read_records(write(tmp_path, {**RECORD, "shift": "shaky"}), codebook)
    with pytest.raises(InputError, match="no such file"):
        read_records(tmp_path / "none.jsonl", codebook)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no \.jsonl"):
        read_records(tmp_path / "empty", codebook)


def test_the_hash_depends_on_content_only(tmp_path: Path, codebook: Codebook) -> None:
    first = corpus_hash(read_records(write(tmp_path, RECORD, OTHER), codebook))
    second = corpus_hash(read_records(write(tmp_path, OTHER, RECORD), codebook))
    third = corpus_hash(read_records(write(tmp_path, {**OTHER, "shift": "none"}, RECORD), codebook))
    assert first == second != third


def test_the_command_lists_every_problem(detente: Command, tmp_path: Path) -> None:
    (tmp_path / "codebook.yaml").write_bytes((ROOT / "data" / "codebook.yaml").read_bytes())
    corpus = write(tmp_path, RECORD, {**OTHER, "holder": "nobody"}, {**OTHER, "stance": "soft"})
    done = detente("corpus", "check", corpus)
    assert done.returncode == 2
    assert "pit.jsonl:2: holder 'nobody' not found" in done.stderr
    assert "pit.jsonl:3: unknown stance label 'soft'" in done.stderr
    assert "2 problem(s) found" in done.stderr
    assert_one_line_error(detente("corpus", "check", tmp_path / "none"), "codebook.yaml")


def test_the_projects_own_corpus_is_sound_and_large_enough(codebook: Codebook) -> None:
    report = check_corpus(CORPUS, codebook)
    assert report.problems == []
    assert len(report.records) >= 800
    assert contrasting_statements(report.records) >= 150
    counts = report.counts(codebook)
    assert len(counts) >= 10
    total: Counter[tuple[str, str]] = sum(counts.values(), Counter())
    for dimension in codebook.dimensions:
        for label in dimension.label_names:
            assert total[dimension.name, label] >= 60
