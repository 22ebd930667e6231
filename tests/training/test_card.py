from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from detente.bundle import DEFAULT, CorpusSource, read_manifest
from detente_training.card import write_card
from detente_training.record import Record
from detente_training.report import MODEL, build_report


def card(folder: Path, shared: int = 0, **parts: Any) -> str:
    """The card of a model with other sources, without its tables."""
    manifest = read_manifest(DEFAULT)
    corpus = CorpusSource(**{**manifest.corpus.model_dump(), **parts})
    labels = {dimension.name: None for dimension in manifest.codebook.dimensions}
    certain = {d.name: np.eye(len(d.labels))[:1] for d in manifest.codebook.dimensions}
    report = build_report(
        [Record("1", "Text.", "We", labels, "pier", "f:1")],
        manifest.codebook,
        {MODEL: certain},
        manifest.set_thresholds,
        manifest.thresholds,
    )
    report["shared_texts"] = shared
    write_card(folder / "card.md", manifest.model_copy(update={"corpus": corpus}), report)
    return (folder / "card.md").read_text()


def test_a_card_says_what_is_known_of_the_training(tmp_path: Path) -> None:
    text = card(tmp_path, train=("a", "b"), validation=("c",), articles=("flood", "pay"))
    assert "fine-tuned on 2 negotiations of" in text
    assert "calibrated on 1 other, measured" in text
    assert "statements of 2 annotated articles: flood, pay." in text
    assert "hardly depends on who the parties are" in text
    assert "written for the purpose" not in text


def test_one_negotiation_split_by_statement_is_no_other(tmp_path: Path) -> None:
    text = card(tmp_path, train=("a",), validation=("a",), test=("b",), articles=())
    assert "fine-tuned on 1 negotiation of" in text
    assert "calibrated on other statements of the same, measured" in text
    assert "annotated article" not in text


def test_a_card_says_how_many_texts_were_seen(tmp_path: Path) -> None:
    text = card(tmp_path, shared=16, test=("b",))
    assert "measured on 1 other: b." in text
    assert "it was measured on, 16 stand among those it was trained or calibrated on" in text
    assert "never saw" not in text
    assert "measured on 1 it never saw: b." in card(tmp_path, test=("b",))
