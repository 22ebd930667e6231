from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
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


@pytest.mark.parametrize(
    ("text", "party", "named"),
    [
        ("On Monday North\u00a0Korea refused to sign.", "PRK", "North\u00a0Korea"),
        ("On Monday North  Korea refused to sign.", "PRK", "North  Korea"),
        ("  On Monday North\n    Korea refused to sign.\t", "PRK", "North\n    Korea"),
        ("On Monday Tu\u0308rkiye refused to sign.", "TUR", "Tu\u0308rkiye"),
        ("On Monday Nor\u00adway refused to sign.", "NOR", "Nor\u00adway"),
    ],
)
def test_a_name_is_found_however_it_is_printed(
    tagger: Tagger, text: str, party: str, named: str
) -> None:
    (statement,) = tagger.tag(text).statements
    assert statement.text == text.strip()
    (holder,) = statement.holders
    assert holder.party == party
    mention = holder.mention
    assert mention is not None
    assert mention.text == named == text[mention.start : mention.end]


def test_indented_paragraphs_are_read_as_others_are(tagger: Tagger) -> None:
    text = (ROOT / "data" / "articles" / "river-talks.txt").read_text(encoding="utf-8")
    expected = [told(statement, text) for statement in tagger.tag(text).statements]
    indented = "\n".join(f"    {line}" if line else line for line in text.split("\n"))
    found = tagger.tag(indented).statements
    assert [told(statement, indented) for statement in found] == expected


@pytest.mark.parametrize("space", ["\u00a0", "\t", "\u2003", "\u2028"])
def test_sentences_are_parted_by_any_space(tagger: Tagger, space: str) -> None:
    text = f"The union said no.{space}Management agreed."
    assert [s.text for s in tagger.tag(text).statements] == text.split(space)


@given(st.text(alphabet="ae \u00a0\t\r\n\u2028\u0301\u0302\u00ad", max_size=40))
@example("a\u0301\u0301")
def test_offsets_lead_back_to_the_text_as_given(given: str) -> None:
    lines = Lines(given)
    assert "\r" not in lines.text
    assert "  " not in lines.text
    before = 0
    for place, character in enumerate(lines.text):
        start, end = lines.given_start(place), lines.given_end(place + 1)
        assert before <= start < end
        there = given[start:end]
        if character == " ":
            assert there.replace("\u00ad", "").isspace()
        else:
            assert Lines(there).text == character
        before = end
    assert not Lines(given[before:]).text


@given(st.text(alphabet="a “”„«»‘’\r\n"))
def test_every_character_keeps_its_place(text: str) -> None:
    plain = flatten(straighten(text))
    assert len(plain) == len(text)
    assert set(plain) <= set("a \"'")
