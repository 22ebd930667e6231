from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detente import Codebook
from detente.bundle import Bundle
from detente.gate import Gate, terms
from detente_training.gate import fit_gate, positions
from detente_training.gold import read_gold
from detente_training.record import Record, read_records
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def gate() -> Gate:
    gate = Bundle.load().gate
    assert gate is not None
    return gate


def test_terms_are_words_and_neighbours() -> None:
    assert list(terms("We won't, said Lee")) == [
        "we",
        "won't",
        "we won't",
        "said",
        "won't said",
        "lee",
        "said lee",
    ]


def test_what_reaches_the_threshold_passes_however_often_a_term_comes() -> None:
    gate = Gate(intercept=-1.0, threshold=0.5, weights={"refused": 1.5, "no deal": 1.0})
    assert gate.score("Refused. It refused!") == 0.5
    assert gate.score("No deal.") == 0.0
    assert [*map(gate.passes, ("It refused.", "No deal.", "It rained."))] == [True, False, False]


def test_the_gate_keeps_positions_of_whole_articles(gate: Gate, codebook: Codebook) -> None:
    texts = [
        article.text[statement.start : statement.end]
        for article in read_gold(ROOT / "data" / "articles", codebook)
        for statement in article.statements
        if statement.positions
    ]
    kept = sum(map(gate.passes, texts))
    assert kept / len(texts) >= 0.98


def test_the_gate_skips_something(gate: Gate) -> None:
    assert not gate.passes("The hall was built in 1911 and seats 900.")


def test_names_do_not_open_the_gate(gate: Gate) -> None:
    assert not [
        term for term in gate.weights if {"pyongyang", "ukraine", "israel"} & {*term.split()}
    ]
    with_one, with_other = (
        gate.score(f"{name} refused to sign.") for name in ("Pyongyang", "Vostania")
    )
    assert with_one == with_other


def test_a_gate_is_fitted_only_where_there_is_something_to_learn(codebook: Codebook) -> None:
    records = read_records(ROOT / "data" / "corpus" / "accession-terms.jsonl", codebook)
    assert fit_gate(records, codebook) is None


def fitted(codebook: Codebook, taking: list[str]) -> Gate:
    """A gate fitted to statements that take a position, and as many others, of five disputes."""
    quiet = {dimension.name: dimension.no_position for dimension in codebook.dimensions}
    said = [(f"{text} {n}.", {**quiet, "stance": "hardline"}) for n, text in enumerate(taking)]
    said += [(f"it rained on day {n}.", quiet) for n in range(len(taking))]
    records = [Record(text, text, "We", x, f"n{i % 5}", "f") for i, (text, x) in enumerate(said)]
    gate = fit_gate(records, codebook)
    assert gate is not None
    return gate


def test_the_threshold_lets_pass_what_is_known_of_no_dispute(codebook: Codebook) -> None:
    # Each dispute has a word of its own for no; in an unseen one it is yet another.
    gate = fitted(codebook, [f"they {'abcde'[n % 5]}veto" for n in range(100)])
    assert gate.weights["aveto"] > 0
    assert gate.passes("they fveto.")


def test_the_threshold_costs_hardly_a_position(codebook: Codebook) -> None:
    gate = fitted(codebook, ["they refuse" if n > 1 else "it rained" for n in range(100)])
    assert gate.passes("it rained.")  # one in fifty positions looks like that
    gate = fitted(codebook, ["they refuse"] * 100)
    assert (gate.passes("they refuse."), gate.passes("it rained.")) == (True, False)


def test_a_word_that_is_only_printed_as_a_name_has_no_weight(codebook: Codebook) -> None:
    gate = fitted(codebook, ["Zorland may refuse"] * 100)
    assert gate.weights["refuse"] > 0
    assert not any("zorland" in term for term in gate.weights)


def test_a_broken_gate_is_refused(tmp_path: Path) -> None:
    import hashlib
    import json
    import shutil

    from detente.bundle import DEFAULT
    from detente.errors import BundleError

    bundle = tmp_path / "bundle"
    shutil.copytree(DEFAULT, bundle)
    (bundle / "gate.json").write_text('{"weights": 3}')
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["files"]["gate.json"] = hashlib.sha256(b'{"weights": 3}').hexdigest()
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"gate\.json: is no gate"):
        Bundle.load(bundle)


def test_no_gate_is_fitted_where_one_dispute_holds_all_of_a_kind(codebook: Codebook) -> None:
    quiet = {dimension.name: dimension.no_position for dimension in codebook.dimensions}
    taking = {**quiet, "stance": "hardline"}
    records = [
        Record(str(n), f"Text {n}.", "We", taking if n % 6 else quiet, f"n{n % 6}", f"f:{n}")
        for n in range(120)
    ]
    assert fit_gate(records, codebook) is None
    spread = [replace(record, negotiation=f"n{n % 5}") for n, record in enumerate(records)]
    assert fit_gate(spread, codebook) is not None
    unknown = dict.fromkeys(quiet)
    known = [r if r.negotiation != "n0" else replace(r, labels=unknown) for r in spread]
    assert fit_gate(known, codebook) is None  # four disputes make no five folds


def test_what_may_or_may_not_take_a_position_teaches_no_gate(codebook: Codebook) -> None:
    quiet = {dimension.name: dimension.no_position for dimension in codebook.dimensions}
    labels = [quiet, {**quiet, "stance": "hardline"}, {**quiet, "stance": None}]
    records = [Record(str(n), f"Text {n}.", "We", x, "n", f"f:{n}") for n, x in enumerate(labels)]
    assert positions(records, codebook) == {"Text 0.": False, "Text 1.": True}
    other = replace(records[2], id="3", holder="They", labels=labels[1])
    assert positions([*records, other], codebook)["Text 2."] is True


def test_no_gate_is_fitted_where_a_dimension_always_takes_a_position(codebook: Codebook) -> None:
    first, *others = codebook.dimensions
    always = first.model_copy(update={"no_position": None})
    quiet = {dimension.name: dimension.no_position for dimension in codebook.dimensions}
    records = [
        Record(
            str(n),
            f"Text {n}.",
            "We",
            {**quiet, "shift": ("none", "softening")[n % 2]},
            f"n{n % 5}",
            "f",
        )
        for n in range(120)
    ]
    assert fit_gate(records, codebook) is not None
    assert fit_gate(records, codebook.model_copy(update={"dimensions": (always, *others)})) is None
