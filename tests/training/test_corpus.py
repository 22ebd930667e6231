from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from detente import Codebook
from detente.errors import CodebookError, InputError
from detente_training.agreement import alpha, annotated_twice
from detente_training.corpus import CorpusReport, check_corpus, contrasting_statements
from detente_training.negotiation import read_negotiations
from detente_training.record import corpus_hash, flatten, read_records
from detente_training.texture import commonest_gram
from tests.conftest import ROOT, Command, assert_one_line_error

CORPUS = ROOT / "data" / "corpus"
LOOKS_LIKE_ORDER = re.compile(r"\b(first|parallel|in exchange|in return|until|once|unless|step)\b")
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
        ({"negotiation": "mine"}, ["pit.jsonl:2", "belongs in mine.jsonl"]),
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


def test_holders_are_given_to_all_records_or_to_none(tmp_path: Path, codebook: Codebook) -> None:
    bare = [{k: v for k, v in record.items() if k != "holder"} for record in (RECORD, OTHER)]
    assert problems(tmp_path, codebook, *bare) == []
    assert problems(tmp_path, codebook, RECORD, bare[1]) == [
        "pit.jsonl:2: no 'holder', which others have"
    ]


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


def test_a_table_is_a_corpus_too(tmp_path: Path, codebook: Codebook) -> None:
    path = tmp_path / "pit.csv"
    path.write_text(
        "text,holder,stance,sequencing,shift\n"
        '"We will not talk, ""ever"".",We,hardline,none,none\n'
        "They agreed.,,flexible,,none\n"
        "They agree\u2028in part.,,flexible,,none\n",
        encoding="utf-8",
    )
    first, second, third = read_records(tmp_path, codebook)
    assert first.text == 'We will not talk, "ever".'
    assert (first.holder, first.negotiation, first.place) == ("We", "pit", f"{path}:2")
    assert second.holder is None
    assert second.labels == {"stance": "flexible", "sequencing": None, "shift": "none"}
    assert (third.text, third.place) == ("They agree\u2028in part.", f"{path}:4")


def test_empty_cells_of_a_table_say_nothing(tmp_path: Path, codebook: Codebook) -> None:
    (tmp_path / "pit.csv").write_text(
        "text,stance,sequencing,shift,pair,negotiation\n"
        "We agree.,flexible,none,none,p1,quarry\nThey agree.,flexible,none,none,,\n"
    )
    first, second = read_records(tmp_path, codebook)
    assert (first.pair, first.negotiation) == ("p1", "quarry")
    assert (second.pair, second.negotiation) == (None, "pit")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("We agree.,We,flexible,none", "pit.csv:2: has fewer cells"),
        ("We agree.,We,flexible,none,none,more", "pit.csv:2: has more cells"),
        ("We agree.,We,soft,none,none", "pit.csv:2: unknown stance label 'soft'"),
        (",We,flexible,none,none", "pit.csv:2: the text is empty"),
        ('"We agree.', "pit.csv:2: not a row of a table"),
    ],
)
def test_each_fault_of_a_table_names_its_line(
    tmp_path: Path, codebook: Codebook, row: str, words: str
) -> None:
    path = tmp_path / "pit.csv"
    path.write_text(f"text,holder,stance,sequencing,shift\n{row}\n", encoding="utf-8")
    with pytest.raises((InputError, CodebookError), match=re.escape(words)):
        read_records(path, codebook)


def test_a_tables_head_without_an_end_is_one_clear_error(
    tmp_path: Path, codebook: Codebook
) -> None:
    path = tmp_path / "pit.csv"
    path.write_text('text,"holder\nWe agree.,We\n')
    with pytest.raises(InputError, match=r"pit\.csv:1: not a row of a table"):
        read_records(path, codebook)


@pytest.mark.parametrize(
    ("cell", "implied"),
    [("true", True), ("1", True), ("True", True), ("False", False), ("0", False), ("", False)],
)
def test_a_table_tells_truth_in_words(
    tmp_path: Path, codebook: Codebook, cell: str, implied: bool
) -> None:
    path, head = tmp_path / "pit.csv", "text,holder,implied,stance,sequencing,shift"
    path.write_text(f"{head}\nWe agree.,We,{cell},flexible,none,none\n", encoding="utf-8")
    (record,) = read_records(path, codebook)
    assert record.implied is implied
    path.write_text(f"{head}\nWe agree.,We,no,flexible,none,none\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"pit\.csv:2: implied must be true or false .*'no'"):
        read_records(path, codebook)


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
    assert first == second
    for key, value in {
        "id": "b",
        "text": "No.",
        "holder": "two shafts",
        "shift": "none",
        "negotiation": "mine",
    }.items():
        changed = read_records(write(tmp_path, RECORD, {**OTHER, key: value}), codebook)
        assert corpus_hash(changed) != first, key


def test_the_command_lists_every_problem(detente: Command, tmp_path: Path) -> None:
    (tmp_path / "codebook.yaml").write_bytes((ROOT / "data" / "codebook.yaml").read_bytes())
    corpus = write(tmp_path, RECORD, {**OTHER, "holder": "nobody"}, {**OTHER, "stance": "soft"})
    done = detente("corpus", "check", corpus)
    assert done.returncode == 2
    assert "pit.jsonl:2: holder 'nobody' not found" in done.stderr
    assert "pit.jsonl:3: unknown stance label 'soft'" in done.stderr
    assert "2 problem(s) found" in done.stderr
    assert_one_line_error(detente("corpus", "check", tmp_path / "none"), "no such corpus folder")


def test_contrast_pairs_may_be_alike(tmp_path: Path, codebook: Codebook) -> None:
    other = {**RECORD, "id": "a-2", "text": RECORD["text"].replace("leader", "chairman")}
    assert any("near-duplicate" in found for found in problems(tmp_path, codebook, RECORD, other))
    pair = {"pair": "p-1", "stance": "flexible", "shift": "softening", "sequencing": "none"}
    found = problems(tmp_path, codebook, {**RECORD, "pair": "p-1"}, {**other, **pair})
    assert found == []
    assert any(
        "pair 'p-1' has no other record" in found
        for found in problems(tmp_path, codebook, {**RECORD, "pair": "p-1"}, OTHER)
    )
    same = problems(tmp_path, codebook, {**RECORD, "pair": "p-1"}, {**other, "pair": "p-1"})
    assert any("pit.jsonl:2" in found and "have the same labels" in found for found in same)


def test_a_text_in_two_negotiations_is_reported(tmp_path: Path, codebook: Codebook) -> None:
    copy = {**OTHER, "id": "b-1", "negotiation": "quay", "text": OTHER["text"].upper()}
    write(tmp_path, {**copy, "holder": "OWNERS"}, name="quay.jsonl")
    found = problems(tmp_path, codebook, RECORD, OTHER)
    (shared,) = (problem for problem in found if "another negotiation" in problem)
    assert shared.startswith("quay.jsonl:1: the same text stands in another negotiation")
    assert shared.endswith("pit.jsonl:2")


def test_annotations_are_checked(tmp_path: Path, codebook: Codebook) -> None:
    entries = [{"annotator": "a", "stance": "soft"}, {"annotator": "a", "shift": "none"}]
    found = problems(tmp_path, codebook, {**RECORD, "annotations": entries}, OTHER)
    assert any("annotator 'a' gave an unknown stance label 'soft'" in problem for problem in found)
    assert any("one annotator labelled the record twice" in problem for problem in found)
    for broken in ("hardline", [1], [{"annotator": ["q"]}]):
        found = problems(tmp_path, codebook, {**RECORD, "annotations": broken}, OTHER)
        assert any("pit.jsonl:1: annotations must be a list" in problem for problem in found)
    found = problems(tmp_path, codebook, {**RECORD, "pair": ["z"]}, OTHER)
    assert any("the pair must be text" in problem for problem in found)
    found = problems(tmp_path, codebook, {**RECORD, "negotiation": None}, OTHER)
    assert any("no 'negotiation'" in problem for problem in found)


def test_a_negotiation_must_be_described_where_the_others_are(
    tmp_path: Path, codebook: Codebook
) -> None:
    corpus = write(tmp_path, RECORD, OTHER)
    described = corpus / "negotiations.yaml"
    described.write_text("negotiations:\n  mine: {kind: labour}\n")
    assert check_corpus(corpus, codebook).problems == [
        "negotiations.yaml: does not describe the negotiation 'pit'"
    ]
    described.write_text("negotiations:\n  pit: {kind: labour, years: 1984, extra: 1}\n")
    with pytest.raises(InputError, match=r"negotiations\.yaml:2: .*negotiations\.pit\."):
        check_corpus(corpus, codebook)


@pytest.fixture(scope="module")
def own(codebook: Codebook) -> CorpusReport:
    return check_corpus(CORPUS, codebook)


def test_the_projects_corpus_is_sound(own: CorpusReport) -> None:
    assert own.problems == []


def test_the_projects_corpus_is_large_enough(own: CorpusReport, codebook: Codebook) -> None:
    records = own.records
    assert len(records) >= 6000
    sizes = Counter(record.negotiation for record in records)
    assert len(sizes) >= 40
    assert max(sizes.values()) <= 0.04 * len(records)
    kinds = {described.kind for described in read_negotiations(CORPUS).values()}
    assert len(kinds) >= 8
    for dimension in codebook.dimensions:
        counts = Counter(record.labels[dimension.name] for record in records)
        assert min(counts[label] for label in dimension.label_names) >= 400
    holders = Counter(record.text for record in records)
    assert sum(count > 1 for count in holders.values()) >= 1500
    assert contrasting_statements(records) >= 900
    hard = sum(
        record.labels["stance"] == "none"
        or (record.labels["sequencing"] == "none" and bool(LOOKS_LIKE_ORDER.search(record.text)))
        for record in records
    )
    assert hard >= len(records) / 3
    tied = [record.text for record in records if record.labels["sequencing"] != "none"]
    # Running stories have a record for each party named, as coverage does; few hold an order.
    assert 0.27 <= len(tied) / len(records) <= 0.5
    assert len(tied) >= 7500
    assert 0.3 <= len(set(tied)) / len(holders) <= 0.5


def test_the_projects_corpus_does_not_repeat_itself(own: CorpusReport) -> None:
    texts = sorted({record.text for record in own.records})
    assert commonest_gram(texts)[1] < 0.01
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) >= 3
    assert max(lengths) <= 90


def test_the_projects_corpus_was_labelled_twice(own: CorpusReport, codebook: Codebook) -> None:
    assert annotated_twice(own.records) == len(own.records)
    agreement = alpha(own.records, codebook)
    assert agreement["stance"] >= 0.75
    assert agreement["sequencing"] >= 0.80
    assert agreement["shift"] >= 0.75
    for record in own.records:
        first, *others = record.annotations
        for name in record.labels:
            if any(other[name] != first[name] for other in others):
                assert record.fields["adjudication"], record.place


def test_the_contrast_set_is_sound_and_large_enough(codebook: Codebook) -> None:
    report = check_corpus(ROOT / "data" / "contrast", codebook)
    assert report.problems == []
    pairs: dict[str | None, list[Any]] = {}
    for record in report.records:
        pairs.setdefault(record.pair, []).append(record)
    assert len(pairs) >= 400
    for pair, members in pairs.items():
        assert pair is not None
        first, second = members
        assert first.labels != second.labels, pair
    trained_on = {flatten(record.text) for record in read_records(CORPUS, codebook)}
    assert not trained_on & {flatten(record.text) for record in report.records}


def test_the_figures_are_printed(detente: Command, tmp_path: Path) -> None:
    (tmp_path / "codebook.yaml").write_bytes((ROOT / "data" / "codebook.yaml").read_bytes())
    corpus = write(tmp_path, RECORD, OTHER)
    done = detente("corpus", "stats", corpus, "--markdown", "--against", corpus / "pit.jsonl")
    assert done.returncode == 0, done.stderr
    for words in ("| records | 2 |", "other_first", "distinct-2", "Krippendorff"):
        assert words in done.stdout
    assert_one_line_error(detente("corpus", "stats", tmp_path / "none"), "no such corpus folder")
