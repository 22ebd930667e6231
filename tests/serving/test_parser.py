from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from detente.speech.parser import Parser
from detente.statements import split_paragraphs

TEXT = "The union said no.\n\nGENEVA, Sept. 29 - Japan\nagreed to meet.\n\nTalks ended."


@pytest.mark.parametrize(
    "dateline",
    ["GENEVA - ", "GENEVA, Sept. 29 - ", "Geneva (Reuters) – ", "Geneva, Sept. 29 — "],
)
def test_a_dateline_is_no_part_of_the_sentence(dateline: str) -> None:
    text = f"{dateline}Japan agreed to meet."
    (paragraph,) = Parser().parse(text, [(0, len(text))])
    assert paragraph.doc.text == "Japan agreed to meet."


def test_an_endless_word_is_cut_and_moves_no_offset() -> None:
    text = f"The union said no to a{')' * 5000} and Japan agreed."
    (paragraph,) = Parser().parse(text, [(0, len(text))])
    assert len(paragraph.doc) < 250
    assert paragraph.doc.text.index("Japan") == text.index("Japan")


def test_few_characters_are_parsed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Parser()
    pipe, batches = parser._pipeline.pipe, []

    def recorded(pieces: Any, **options: Any) -> Iterator[Any]:
        if "as_tuples" in options:  # else spaCy's own call of it
            batches.append([text for text, _ in pieces])
        return pipe(pieces, **options)

    monkeypatch.setattr("detente.speech.parser._TOGETHER", 30)
    monkeypatch.setattr(parser._pipeline, "pipe", recorded)
    found = list(parser.parse(TEXT, split_paragraphs(TEXT)))
    assert batches == [["The union said no.", "Japan agreed to meet."], ["Talks ended."]]
    for paragraph in found:
        text = paragraph.doc.text
        assert TEXT[paragraph.start :][: len(text)].replace("\n", " ") == text
