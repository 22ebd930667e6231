from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.statements import split_paragraphs, split_statements


def statements(text: str) -> list[str]:
    return [text[start:end] for start, end in split_statements(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. Oduya met the U.S. team on Sept. 29.", "He left at 5 p.m. on Monday.", "It rained."],
        ["Talks between the U.S. and Japan ended.", "The Korea-U.S. meeting did not."],
        ["Gen. Ruiz of the U.N. said so.", "J. P. Marsh Jr., the No. 2 official, agreed."],
        ["“We will not move. They must. That is all,” said Dr. Ana Ruiz.", "Then she left."],
        ['"We won\'t," he said.', '"They know it."', "Shares of Acme Corp. rose 1.5 pct."],
        ["“Never!” she added.", "“Will they come?” he asked.", "No one knew."],
        ["The union voted no.", "Management walked out.", "Room No. 7 was empty."],
        [
            "They said no.",
            "U.S. envoys left.",
            "I stayed.",
            "The text is resolution no. A/RES/181.",
        ],
        ["“We say no. We mean it,” he said.", "“No.”", "Iran said no.", "“Yes,” said Oslo."],
        ["Kenya signs at 5 p.m. Friday unless Iran objects.", "It left at 6 p.m.", "May agreed."],
        ["The offer stands (see Art. 4. It was amended.) for now.", "Fine."],
    ],
)
def test_sentences(expected: list[str]) -> None:
    assert statements(" ".join(expected)) == expected


@pytest.mark.parametrize("width", range(32, 100, 3))
def test_wrapped_text_is_read_across_its_lines(width: int) -> None:
    sentences = [
        "The harbour company said on Monday that it would meet the dockers' union in Port Sele "
        "before the end of the week.",
        "“We have never shut the door. Nor will we,” its manager said, adding that Mr. Ferro "
        "would come with the U.S. owners on Sept. 29.",
        "Nobody answered the telephone at the union's office on Tuesday, and its Web page was "
        "blank.",
    ]
    text = "Dockers walk out\n\n" + textwrap.fill(" ".join(sentences), width) + "\n"
    found = [" ".join(statement.split()) for statement in statements(text)]
    assert found == ["Dockers walk out", *sentences]


@pytest.mark.parametrize(
    "lines",
    [
        ["Q: Will the minister sign it today?", "A: He will not, as I said then."] * 3,
        ["MR. TAMM: We are not for that at all.", "MS. LEE, CHAIR: Nor are we, if I may."] * 2,
        ["- Iraq shall pay the reparations at once", "- Oman shall open its port by June first"],
        ["(a) the union shall lift its pickets", "(b) the company shall then reopen its yard"],
    ],
)
def test_items_and_turns_are_no_wrapped_lines(lines: list[str]) -> None:
    assert statements("\n".join(lines)) == lines


def test_a_line_that_is_a_paragraph_stays_one() -> None:
    text = "Envoys meet in Tokyo\nEnvoys meet\n" + "Officials talked. " * 12 + "\nThey left.\r\nEnd"
    assert len(split_paragraphs(text)) == 5
    assert statements(text)[:2] == ["Envoys meet in Tokyo", "Envoys meet"]
    assert statements(text)[-2:] == ["They left.", "End"]


@pytest.mark.usefixtures("soon")
def test_long_wrapped_text_takes_no_time() -> None:
    text = textwrap.fill("The union said on Monday that it would meet. " * 40_000, 72)
    assert len(split_statements(text)) == 40_000


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_paragraph_without_end_is_cut_between_sentences(wrapped: bool) -> None:
    sentences = [f"The union of port {n} said that it would not meet." for n in range(25_000)]
    text = " ".join(sentences)
    text = textwrap.fill(text, 72) if wrapped else text
    paragraphs = split_paragraphs(text)
    assert len(text) > 1_000_000
    assert max(end - start for start, end in paragraphs) <= 50_000
    assert [" ".join(statement.split()) for statement in statements(text)] == sentences


@pytest.mark.parametrize("word", ["no ", "no"])
def test_a_sentence_without_end_is_cut_between_words(word: str) -> None:
    text = word * 60_000
    spans = split_statements(text)
    assert max(end - start for start, end in spans) <= 50_000
    assert all(text[start:end].startswith("no") for start, end in spans)
    assert "".join(text[start:end] for start, end in spans).replace(" ", "") == "no" * 60_000


@pytest.mark.parametrize("text", ["", "  \n\n ", "***\n--\n"])
def test_nothing_to_find(text: str) -> None:
    assert statements(text) == []


@given(st.text(alphabet=st.sampled_from('ab AB.?!\n\r "“”()Mr0é😀,'), max_size=200))
def test_spans_are_ordered_trimmed_and_lose_no_word(text: str) -> None:
    spans = split_statements(text)
    covered = set()
    last = 0
    for start, end in spans:
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        covered |= set(range(start, end))
        last = end
    assert all(i in covered for i, character in enumerate(text) if character.isalnum())
