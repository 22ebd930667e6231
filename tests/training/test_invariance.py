from __future__ import annotations

from detente import Codebook, Tagger
from detente_training.invariance import measure_invariance
from detente_training.negotiation import read_negotiations
from detente_training.record import read_records
from detente_training.report import predict
from detente_training.swap import Swapper, read_parties
from tests.conftest import ROOT

CORPUS = ROOT / "data" / "corpus"


def test_changes_are_counted_by_group(tagger: Tagger, codebook: Codebook) -> None:
    records = read_records(CORPUS / "upper-dam.jsonl", codebook)
    swapper = Swapper(read_negotiations(CORPUS))
    groups = dict(list(read_parties(ROOT / "data" / "parties.yaml").groups.items())[:2])
    scores = measure_invariance(tagger, records, predict(tagger, records), swapper, groups)
    assert list(scores) == ["all", *groups]
    assert scores["all"]["records"] == sum(scores[group]["records"] for group in groups)
    group, parties = next(iter(groups.items()))
    pairs = [(r, s) for r in records if (s := swapper.swap(r, parties)) is not None]
    before = predict(tagger, [r for r, _ in pairs])["stance"].argmax(axis=1)
    after = predict(tagger, [s for _, s in pairs])["stance"].argmax(axis=1)
    assert scores[group]["records"] == len(pairs)
    assert scores[group]["stance"]["flips"] == (before != after).mean()
    assert 0 < scores[group]["stance"]["change"] < 0.5


def test_nothing_to_swap(tagger: Tagger) -> None:
    groups = read_parties(ROOT / "data" / "parties.yaml").groups
    assert measure_invariance(tagger, [], {}, Swapper({}), groups) == {}
