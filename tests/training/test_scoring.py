from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detente import Codebook, Tagger
from detente.article import Article, Holder, Mention, Statement
from detente.bundle import CARD, DEFAULT, MANIFEST
from detente.errors import CodebookError, InputError
from detente.reading import Prediction, Reading
from detente_training import commands
from detente_training.gold import (
    GoldArticle,
    GoldParty,
    GoldStatement,
    is_gold,
    read_gold,
    read_gold_article,
    read_second,
)
from detente_training.scoring import (
    is_party,
    is_speaker,
    match_statements,
    score_articles,
    score_tables,
)
from tests.conftest import ROOT, Command

TEXT = "Oman refused to sign.\nThe union, which\nmet in Muscat, offered more, Lena Tamm said.\n"
GOLD: dict[str, Any] = {
    "register": "wire",
    "split": "dev",
    "parties": {
        "oman": {"actor": "OMN", "names": ["Oman"]},
        "union": {"actor": None, "names": ["The union", "the Tarsa union"]},
    },
    "speakers": {"tamm": {"party": "union", "names": ["Lena Tamm", "Tamm"]}},
    "statements": [
        {
            "text": "Oman refused to sign.",
            "attribution": "narrator",
            "speaker": None,
            "positions": {"oman": {"stance": "hardline", "sequencing": "none", "shift": "none"}},
        },
        {
            "text": "The union, which met in Muscat, offered more, Lena Tamm said.",
            "attribution": "indirect",
            "speaker": "tamm",
            "positions": {"union": {"stance": "flexible", "sequencing": "none", "shift": "none"}},
        },
    ],
}


def write(folder: Path, **changes: Any) -> Path:
    (folder / "a.txt").write_text(TEXT)
    path = folder / "a.json"
    path.write_text(json.dumps({**GOLD, **changes}))
    return path


def reading(codebook: Codebook, **labels: str) -> Reading:
    predictions = {}
    for dimension in codebook.dimensions:
        label = labels.get(dimension.name, "none")
        predictions[dimension.name] = Prediction(label, 1.0, {label: 1.0}, label != "none", False)
    return Reading("", None, predictions)


@pytest.fixture
def gold(tmp_path: Path, codebook: Codebook) -> GoldArticle:
    return read_gold_article(write(tmp_path), codebook)


def article(codebook: Codebook, first: Holder, second: Holder, speaker: str | None) -> Article:
    cut = TEXT.index("\n")
    return Article(
        "a",
        TEXT,
        (
            Statement(1, 0, cut, TEXT[:cut], (first,)),
            Statement(
                2, cut + 1, len(TEXT) - 1, TEXT[cut + 1 : -1], (second,), "indirect", speaker
            ),
        ),
    )


def figures(article: Article, gold: GoldArticle, codebook: Codebook) -> dict[str, float]:
    report = score_articles([article], [gold], codebook)
    return {name: f["value"] for name, f in report["splits"]["all"]["figures"].items()}


def test_a_perfect_reading_scores_one(gold: GoldArticle, codebook: Codebook) -> None:
    oman = Holder(Mention("Oman", 0, 4, "OMN"), reading(codebook, stance="hardline"), "OMN")
    union = Holder(
        Mention("The union", 22, 31, None), reading(codebook, stance="flexible"), "The union"
    )
    scores = figures(article(codebook, oman, union, "Lena Tamm"), gold, codebook)
    assert set(scores.values()) == {1.0}


def test_each_fault_costs_its_own_figure(gold: GoldArticle, codebook: Codebook) -> None:
    oman = Holder(Mention("Oman", 0, 4, "OMN"), reading(codebook, stance="balanced"), "OMN")
    wrong = Holder(Mention("Muscat", 46, 52, "OMN"), reading(codebook, stance="flexible"), "OMN")
    found = article(codebook, oman, wrong, "the union")
    scores = figures(found, gold, codebook)
    assert scores["statement F1"] == 1.0
    assert scores["speaker"] == 0.0
    assert scores["holder F1"] == 0.5
    assert scores["stance accuracy"] == 0.0
    assert scores["sequencing accuracy"] == 1.0
    assert scores["triple F1"] == 0.0


def test_a_position_imagined_costs_precision(gold: GoldArticle, codebook: Codebook) -> None:
    oman = Holder(Mention("Oman", 0, 4, "OMN"), reading(codebook, stance="hardline"), "OMN")
    quiet = Holder(None, reading(codebook), None)
    scores = figures(article(codebook, oman, quiet, "Tamm"), gold, codebook)
    assert scores["triple F1"] == pytest.approx(2 / 3)  # one of two found, none imagined
    assert scores["speaker"] == 1.0


def test_a_position_that_is_missed_costs_recall(gold: GoldArticle, codebook: Codebook) -> None:
    oman = Holder(Mention("Oman", 0, 4, "OMN"), reading(codebook, stance="hardline"), "OMN")
    quiet = Holder(Mention("The union", 22, 31, None), reading(codebook), "The union")
    scores = figures(article(codebook, oman, quiet, "Tamm"), gold, codebook)
    assert scores["statement recall"] == 0.5
    assert scores["statement F1"] == pytest.approx(2 / 3)


def test_the_second_dimension_and_the_attribution_count(
    gold: GoldArticle, codebook: Codebook
) -> None:
    wrong = reading(codebook, stance="hardline", sequencing="self_first")
    oman = Holder(Mention("Oman", 0, 4, "OMN"), wrong, "OMN")
    quiet = Holder(Mention("the Oman", 0, 4, "OMN"), reading(codebook), "OMN")
    union = Holder(
        Mention("The union", 22, 31, None), reading(codebook, stance="flexible"), "The union"
    )
    found = article(codebook, oman, union, "Lena Tamm")
    first, second = found.statements
    first = replace(first, holders=(quiet, oman), attribution="direct")
    scores = figures(replace(found, statements=(first, second)), gold, codebook)
    assert (scores["stance accuracy"], scores["sequencing accuracy"]) == (1.0, 0.5)
    assert (scores["triple F1"], scores["holder F1"], scores["attribution"]) == (0.5, 1.0, 0.5)


def test_a_statement_is_matched_once_and_by_half_of_its_characters() -> None:
    true = [GoldStatement(0, 10, "narrator", None, {}), GoldStatement(10, 20, "narrator", None, {})]
    found = [Statement(n, *span, "", ()) for n, span in enumerate([(0, 16), (11, 20), (3, 10)], 1)]
    matched = match_statements(found, true)
    assert {number: statement.number for number, statement in matched} == {0: 3, 1: 2}
    assert not list(match_statements(found[:1], [replace(true[0], start=9, end=26)]))
    assert len(list(match_statements(found[2:], [true[0], replace(true[0], end=11)]))) == 1


@pytest.mark.parametrize(
    ("actor", "party", "same"),
    [("OMN", "OMN", True), ("IRN", "OMN", False), (None, "OMN", True), ("OMN", None, True)],
)
def test_actors_decide_where_both_are_known_and_names_elsewhere(
    codebook: Codebook, actor: str | None, party: str | None, same: bool
) -> None:
    holder = Holder(Mention("the Oman", 0, 8, actor), reading(codebook), "x")
    assert is_party(holder, GoldParty(actor=party, names=("Oman",))) == same


@pytest.mark.parametrize(
    ("found", "same"),
    [
        ("the port's spokesman", False),
        ("a spokesman for the port", True),
        ("spokesman", True),
        ("the spokesman for the port authority", True),
        ("the port", False),
        ("Lena Tamm, the spokesman for the port", True),
        ("Port Minister Lena Maria Tamm", False),
        ("Port Minister Lena Tamm of the coast", True),
        ("a spokesman briefed on the talks", False),
        ("a port official", False),
        ("Lena", True),
        ("Berit Tamm", False),
        ("Tamm", True),
        ("Dr. Lena Tamm, who flew in", True),
        (None, False),
    ],
)
def test_a_speaker_is_known_by_the_head_of_a_name(found: str | None, same: bool) -> None:
    names = ["the spokesman for the port", "Lena Tamm"]
    assert is_speaker(found, names) == same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"statements": [{**GOLD["statements"][0], "text": "Oman agreed."}]}, "does not stand in"),
        ({"statements": [{**GOLD["statements"][0], "speaker": "tamm"}]}, "narrator has no speaker"),
        ({"statements": [{**GOLD["statements"][1], "speaker": "lee"}]}, "unknown speaker 'lee'"),
        ({"speakers": {"tamm": {"party": "none", "names": []}}}, "unknown party 'none'"),
        ({"parties": {**GOLD["parties"], "oman": {"actor": "OMN", "names": []}}}, "names"),
        ({"split": "Dev"}, "split"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_broken_annotation_is_named(
    tmp_path: Path, codebook: Codebook, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_gold_article(write(tmp_path, **change), codebook)
    assert "a.json" in str(caught.value)


def test_labels_are_checked(tmp_path: Path, codebook: Codebook) -> None:
    labels = {"stance": "soft", "sequencing": "none", "shift": "none"}
    statement = {**GOLD["statements"][0], "positions": {"oman": labels}}
    with pytest.raises(CodebookError, match="unknown stance label 'soft'"):
        read_gold_article(write(tmp_path, statements=[statement]), codebook)


def test_the_projects_articles_are_sound_and_annotated_twice(codebook: Codebook) -> None:
    folder = ROOT / "data" / "articles"
    golds = read_gold(folder, codebook)
    assert is_gold(folder)
    assert {gold.split for gold in golds} == {"dev", "test"}
    assert len(golds) >= 200
    assert sum(gold.split == "test" for gold in golds) >= 56
    assert len({gold.register for gold in golds}) >= 5
    assert len(read_second(folder, golds, codebook)) == len(golds)
    assert all(250 <= len(gold.text.split()) <= 950 for gold in golds)


def bundle_that_saw(folder: Path, **seen: list[str]) -> Path:
    """A copy of the bundled model that says what else shaped it."""
    bundle = Path(shutil.copytree(DEFAULT, folder / "bundle"))
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["corpus"] |= seen
    (bundle / MANIFEST).write_text(json.dumps(manifest))
    return bundle


@pytest.mark.parametrize("part", ["train", "validation", "taught"])
def test_records_of_negotiations_that_shaped_the_model_are_left_out(
    tmp_path: Path, part: str
) -> None:
    labels = {"stance": "none", "sequencing": "none", "shift": "none"}
    path, none = tmp_path / "pit.jsonl", tmp_path / "none"
    path.write_text(json.dumps({"text": "No.", "negotiation": "pit", **labels}))
    bundle = bundle_that_saw(tmp_path, **{part: ["pit"]})
    with pytest.raises(InputError, match="every record was seen in training"):
        commands.evaluate(str(bundle), path, tmp_path / "out", corpus=none)
    assert not (tmp_path / "out").exists()


def test_copies_of_texts_that_shaped_the_model_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundle_that_saw(tmp_path, train=["pit"])
    labels = {"stance": "none", "sequencing": "none", "shift": "none"}
    for name, texts in (("pit", ["We left."]), ("quarry", ["we  left.", "We stayed."])):
        lines = [json.dumps({"text": text, "negotiation": name, **labels}) for text in texts]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    corpus, out = tmp_path / "pit.jsonl", tmp_path / "out"
    asked = (str(bundle), tmp_path / "quarry.jsonl", out)
    commands.evaluate(*asked, corpus=corpus, baselines=False)
    assert "left out: 1 of 2 records, whose texts" in capsys.readouterr().out
    assert json.loads((out / "report.json").read_text())["records"] == 1
    commands.evaluate(*asked, corpus=corpus, baselines=False, include_seen=True)
    assert json.loads((out / "report.json").read_text())["records"] == 2
    with pytest.raises(InputError, match=r"typo\.yaml: no such file"):
        commands.evaluate(*asked, corpus=corpus, baselines=False, parties=Path("typo.yaml"))


def test_articles_trained_on_are_left_out(tmp_path: Path, detente: Command) -> None:
    bundle = bundle_that_saw(tmp_path, articles=["a"])
    gold = tmp_path / "gold"
    gold.mkdir()
    write(gold)
    done = detente("evaluate", bundle, gold, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "every article was seen in training" in done.stderr
    for suffix in ("txt", "json"):
        shutil.copy(gold / f"a.{suffix}", gold / f"b.{suffix}")
    done = detente("evaluate", bundle, gold, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "left out: 1 of 2 articles" in done.stdout
    assert json.loads((tmp_path / "out" / "report.json").read_text())["articles"] == 1
    done = detente("evaluate", bundle, gold, "-o", tmp_path / "out", "--include-seen")
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stdout
    assert json.loads((tmp_path / "out" / "report.json").read_text())["articles"] == 2


def test_the_bundled_model_names_the_articles_it_was_trained_on(codebook: Codebook) -> None:
    golds = read_gold(ROOT / "data" / "articles", codebook)
    names = tuple(gold.name for gold in golds if gold.split == "dev")
    assert Tagger.load().manifest.corpus.articles == names
    card = (DEFAULT / CARD).read_text(encoding="utf-8")
    assert ", ".join(names) in card


def test_evaluate_scores_articles(tmp_path: Path, detente: Command) -> None:
    write(tmp_path)
    done = detente("evaluate", "default", tmp_path, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "triple F1" in done.stdout
    assert "does not tell which articles" not in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["splits"]["dev"]["figures"]["statements found"]["value"] == 1.0
    done = detente("corpus", "check", ROOT / "data" / "articles")
    assert done.returncode == 0, done.stderr
    assert "positions" in done.stdout


def test_what_is_not_there_has_no_figure(gold: GoldArticle, codebook: Codebook) -> None:
    silent = replace(gold, statements=[replace(s, speaker=None) for s in gold.statements])
    report = score_articles([Article("a", TEXT, ())], [silent], codebook)
    assert np.isnan(report["splits"]["all"]["figures"]["speaker"]["value"])
    (_, rows), *_ = score_tables(report)
    assert next(cells for name, *cells in rows if name == "speaker")[0] == "none to score"
