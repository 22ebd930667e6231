from __future__ import annotations

import random
from dataclasses import replace

import pytest

from detente import Codebook, Tagger
from detente_training.invariance import measure_invariance, measure_names, measure_spread
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


def test_a_draw_of_records_keeps_them_beside_their_readings(
    tagger: Tagger, codebook: Codebook
) -> None:
    records = read_records(CORPUS / "upper-dam.jsonl", codebook)
    swapper = Swapper(read_negotiations(CORPUS))
    parties = read_parties(ROOT / "data" / "parties.yaml")
    before = predict(tagger, records)
    measured = measure_names(tagger, records, before, swapper, parties, size=20, seed=1)
    drawn = [records[i] for i in sorted(random.Random(1).sample(range(len(records)), 20))]
    alone = measure_invariance(tagger, drawn, predict(tagger, drawn), swapper, parties.groups)
    for group, scores in alone.items():
        for name in before:
            for figure, value in scores[name].items():
                assert measured["invariance"][group][name][figure] == pytest.approx(value, abs=1e-4)


def test_nothing_to_swap(tagger: Tagger) -> None:
    groups = read_parties(ROOT / "data" / "parties.yaml").groups
    assert measure_invariance(tagger, [], {}, Swapper({}), groups) == {}


def test_only_holders_change_places(tagger: Tagger, codebook: Codebook) -> None:
    swapper = Swapper(read_negotiations(CORPUS))
    parties = read_parties(ROOT / "data" / "parties.yaml").parties[5:11]  # of two groups
    # Records are told apart by how many of them are drawn; those of other holders are not.
    colombia = [
        record
        for record in read_records(CORPUS / "coffee-quotas.jsonl", codebook)
        if swapper.actors(record) == ["COL"] and not record.implied
    ]
    own = [record for record in colombia if record.holder and "Colombia" in record.holder]
    others = [replace(record, holder="it") for record in own if " it " in record.text]
    assert own
    assert others
    assert measure_spread(tagger, others, swapper, parties) == {}
    spread = measure_spread(tagger, [*own, *others], swapper, parties)
    assert spread["stance"]["records"] == len(own)
    low, high = spread["stance"]["low"][1], spread["stance"]["high"][1]
    assert 0 <= low <= high <= 1
    groups = spread["stance"]["groups"]
    assert list(groups) == list(dict.fromkeys(party.group for party in parties))
    assert all(low <= mean <= high for mean in groups.values())
