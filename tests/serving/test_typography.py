from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente import Statement, Tagger
from detente.typography import Lines, flatten, straighten
from tests.conftest import ROOT

ARTICLES = sorted((ROOT / "data" / "articles").glob("*.txt"))


def told(statement: Statement, text: str) -> list[object]:
    """What a statement says, its parties by what stands before them in the text."""
    lines = [
        (text[: holder.mention.start].split(), text[: holder.mention.end].split(), holder.party)
        for holder in statement.holders
        if holder.mention
    ]
    labels = [p.label for holder in statement.holders for _, p in holder.reading]
    return [statement.text.split(), statement.attribution, statement.speaker, lines, labels]


@pytest.mark.parametrize("path", ARTICLES[::8], ids=lambda path: path.stem)
def test_an_article_with_carriage_returns_is_read_alike(tagger: Tagger, path: Path) -> None:
    text = path.read_bytes().decode()
    assert "\r" not in text
    expected = [told(statement, text) for statement in tagger.tag(text).statements]
    returned = text.replace("\n", "\r\n")
    article = tagger.tag(returned)
    assert [told(statement, returned) for statement in article.statements] == expected
    for statement in article.statements:
        assert returned[statement.start : statement.end] == statement.text
        for holder in statement.holders:
            mention = holder.mention
            if mention and mention.start is not None:
                assert returned[mention.start : mention.end] == mention.text


def test_a_name_that_a_carriage_return_parts_is_one(tagger: Tagger) -> None:
    text = "An envoy said on Monday that South\r\nKorea will not sign the accord.\r\n"
    (statement,) = tagger.tag(text).statements
    (holder,) = statement.holders
    assert holder.party == "KOR"
    assert holder.mention is not None
    assert holder.mention.text == "South\r\nKorea"


@given(st.text(alphabet="a\r\n", max_size=40))
def test_offsets_lead_back_to_the_text_as_given(given: str) -> None:
    lines = Lines(given)
    assert "\r" not in lines.text
    for place, character in enumerate(lines.text):
        there = lines.given(place)
        assert given[there] == character or (given[there] == "\r" and character == "\n")
    assert lines.given(len(lines.text)) == len(given)


@given(st.text(alphabet="a “”„«»‘’\r\n"))
def test_every_character_keeps_its_place(text: str) -> None:
    plain = flatten(straighten(text))
    assert len(plain) == len(text)
    assert set(plain) <= set("a \"'")
