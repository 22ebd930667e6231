from __future__ import annotations

from detente import Codebook
from detente_training.gold import read_gold
from detente_training.gold_records import article_records
from tests.conftest import ROOT


def test_only_the_articles_of_split_dev_are_trained_on(codebook: Codebook) -> None:
    folder = ROOT / "data" / "articles"
    golds = {gold.name: gold for gold in read_gold(folder, codebook)}
    records = article_records(folder, codebook)
    assert {golds[record.negotiation].split for record in records} == {"dev"}
    texts = {" ".join(gold.text.split()) for gold in golds.values()}
    assert all(any(record.text in text for text in texts) for record in records)
    taking = [r for r in records if any(label != "none" for label in r.labels.values())]
    assert 100 < len(taking) < len(records)
    assert len({(r.text, r.holder, r.id) for r in records}) == len(records)
