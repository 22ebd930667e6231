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
from detente_training.gold import GoldArticle, is_gold, read_gold, read_gold_article, read_second
from detente_training.scoring import score_articles, score_tables
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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"statements": [{**GOLD["statements"][0], "text": "Oman agreed."}]}, "does not stand in"),
        ({"statements": [{**GOLD["statements"][0], "speaker": "tamm"}]}, "narrator has no speaker"),
        ({"statements": [{**GOLD["statements"][1], "speaker": "lee"}]}, "unknown speaker 'lee'"),
        ({"speakers": {"tamm": {"party": "none", "names": []}}}, "unknown party 'none'"),
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
    assert len(golds) >= 40
    assert sum(gold.split == "test" for gold in golds) * 2 >= len(golds)
    assert len({gold.register for gold in golds}) >= 5
    assert len(read_second(folder, golds, codebook)) == len(golds)
    assert all(250 <= len(gold.text.split()) <= 950 for gold in golds)


def test_the_articles_for_the_rules_are_sound_and_apart(codebook: Codebook) -> None:
    folder = ROOT / "data" / "articles-rules"
    golds = read_gold(folder, codebook)
    assert len(golds) >= 20
    assert {gold.split for gold in golds} == {"rules"}
    assert len(read_second(folder, golds, codebook)) == len(golds)
    others = read_gold(ROOT / "data" / "articles", codebook)
    assert not {gold.name for gold in golds} & {gold.name for gold in others}


def test_articles_trained_on_are_left_out(tmp_path: Path, detente: Command) -> None:
    bundle = Path(shutil.copytree(DEFAULT, tmp_path / "bundle"))
    manifest = json.loads((bundle / MANIFEST).read_text())
    manifest["corpus"]["articles"] = ["a"]
    (bundle / MANIFEST).write_text(json.dumps(manifest))
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
