from __future__ import annotations

import json
from pathlib import Path

import pytest

from detente import Codebook, Mention
from detente.discourse import Told
from detente.errors import InputError
from detente.holder import Candidate
from detente.scene import Party
from detente_training.config import RunConfig, SplitConfig
from detente_training.gold import (
    GoldArticle,
    GoldParty,
    GoldSpeaker,
    GoldStatement,
    read_gold,
)
from detente_training.gold_records import _answers, article_records
from detente_training.record import Record
from detente_training.split import Split
from detente_training.train import _refuse_known_articles
from tests.conftest import ROOT


def test_only_the_articles_of_split_dev_are_trained_on(codebook: Codebook) -> None:
    folder = ROOT / "data" / "articles"
    golds = {gold.name: gold for gold in read_gold(folder, codebook)}
    records = article_records(folder, codebook)
    assert {golds[record.negotiation].split for record in records} == {"dev"}
    texts = {" ".join(gold.text.split()) for gold in golds.values()}
    assert all(any(record.text in text for text in texts) for record in records)
    taking = [r for r in records if any(label != "none" for label in r.labels.values())]
    assert 1900 < len(taking) < len(records)
    missed = [record for record in records if "-missed-" in record.id]
    assert missed
    for record in missed:
        parties = golds[record.negotiation].parties.values()
        assert record.holder in {party.names[0] for party in parties}
    assert len({(r.text, r.holder, r.id) for r in records}) == len(records)


def test_the_us_is_sure_where_the_true_holder_was_missed() -> None:
    candidates = [
        Candidate(Party("USA", "USA", "US"), Mention("US", 0, 2, "USA")),
        Candidate(Party("IRN", "IRN", "Iran"), Mention("us", 5, 7, "IRN")),
    ]
    parties = {"nor": GoldParty(actor="NOR", names=("Norway",))}
    true = GoldStatement(0, 9, "narrator", None, {"nor": {}})
    gold = GoldArticle("a", "", "", "dev", parties, {}, [true])
    told = Told((0, 9), candidates=tuple(candidates))
    quiet = ("US", "USA", None)
    assert list(_answers(told, true, gold)) == [quiet, ("Norway", "missed-nor", {})]


def test_one_who_speaks_for_a_party_has_its_position() -> None:
    candidates = [
        Candidate(Party("Tamm", "Tamm", None), Mention("Lena Tamm", 0, 9, None)),
        Candidate(Party("the port", "the port", None), Mention("the port", 20, 28, None)),
    ]
    labels = {"stance": "hardline", "sequencing": "none", "shift": "none"}
    parties = {"union": GoldParty(names=("The union",)), "port": GoldParty(names=("the port",))}
    speakers = {"tamm": GoldSpeaker(party="union", names=("Lena Tamm", "Tamm"))}
    true = GoldStatement(0, 30, "indirect", "tamm", {"union": labels})
    gold = GoldArticle("a", "", "", "dev", parties, speakers, [true])
    told = Told((0, 30), candidates=tuple(candidates))
    assert list(_answers(told, true, gold)) == [
        ("Lena Tamm", "Tamm", labels),
        ("the port", "the port", None),
    ]


def test_what_stands_for_the_true_holder_is_nobody_elses() -> None:
    candidates = [
        Candidate(Party("USA", "USA", "USA"), Mention("Both sides", 0, 10, "USA")),
        Candidate(Party("IRN", "IRN", "IRN"), Mention("Both sides", 0, 10, "IRN")),
    ]
    parties = {"us": GoldParty(actor="USA", names=("the US",))}
    gold = GoldArticle("a", "", "", "dev", parties, {}, [])
    told = Told((0, 30), candidates=tuple(candidates))
    true = GoldStatement(0, 30, "narrator", None, {"us": {"stance": "hardline"}})
    assert list(_answers(told, true, gold)) == [("Both sides", "USA", {"stance": "hardline"})]
    other = {**parties, "nor": GoldParty(actor="NOR", names=("Norway",))}
    gold = GoldArticle("a", "", "", "dev", other, {}, [])
    true = GoldStatement(0, 30, "narrator", None, {"nor": {"stance": "hardline"}})
    assert list(_answers(told, true, gold)) == [("Norway", "missed-nor", {"stance": "hardline"})]


def test_a_statement_cut_otherwise_is_left_out(tmp_path: Path, codebook: Codebook) -> None:
    labels = {"stance": "hardline", "sequencing": "none", "shift": "none"}
    text = "Norway signed. Iran refused to sign the deal. It will not. Never again, it said."
    annotation = {
        "register": "wire",
        "split": "dev",
        "parties": {"iran": {"actor": "IRN", "names": ["Iran"]}},
        "speakers": {},
        "statements": [
            {
                "text": text.partition(". ")[2],
                "attribution": "narrator",
                "positions": {"iran": labels},
            }
        ],
    }
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "a.json").write_text(json.dumps(annotation))
    assert {record.text for record in article_records(tmp_path, codebook)} == {"Norway signed."}
    (tmp_path / "a.json").write_text(json.dumps({**annotation, "split": "test"}))
    with pytest.raises(InputError, match="holds no article of split dev"):
        article_records(tmp_path, codebook)


def test_an_article_with_an_unseen_statement_is_refused() -> None:
    def record(text: str, negotiation: str) -> Record:
        return Record(text, text, "We", {}, negotiation, f"{negotiation}:1")

    split = Split([record("One.", "a")], [record("Two.", "b")], [record("Three.", "c")])
    config = RunConfig(name="x")
    _refuse_known_articles([record("One.", "pier"), record("Four.", "pier")], split, config)
    for text in ("TWO.", "Three."):
        with pytest.raises(InputError, match=r"1: is not to be trained on, .* article pier:1"):
            _refuse_known_articles([record(text, "pier")], split, config)
    shared = RunConfig(name="x", split=SplitConfig(shared_texts=True))
    _refuse_known_articles([record("Two.", "pier")], split, shared)
