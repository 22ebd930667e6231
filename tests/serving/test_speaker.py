from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.speech.parser import Parser
from detente.speech.quotation import find_quotations
from detente.speech.speaker import resolve
from detente.statements import split_paragraphs

PARSER = Parser()


def speakers(text: str) -> list[str | None]:
    paragraphs = list(PARSER.parse(text, split_paragraphs(text)))
    return [one.speaker for one in resolve(text, paragraphs, find_quotations(text, paragraphs))]


LEE = "Deputy Foreign Minister Lee Dong-su said the talks were over."


@pytest.mark.parametrize(
    "sequel",
    [
        "“We are tired,” he said.",
        "Lee said the ships would sail.",
        "Mr. Lee said the ships would sail.",
        "“We are tired,” the minister said.",
        "The deal is dead, according to Lee.",
    ],
)
def test_later_forms_lead_back_to_the_fullest(sequel: str) -> None:
    assert speakers(f"{LEE}\n\n{sequel}")[-1] == "Deputy Foreign Minister Lee Dong-su"


def test_a_fuller_form_may_come_later() -> None:
    text = "Lee says the talks are over\n\n" + LEE
    assert speakers(text) == ["Deputy Foreign Minister Lee Dong-su"] * 2


def test_pronouns_agree_in_gender() -> None:
    text = (
        "Mr. Idris Okonwe said the gates would open. Ms. Lena Tamsin said they would not. "
        "“The water is ours,” he said. “It is not,” she said."
    )
    assert speakers(text)[-2:] == ["Mr. Idris Okonwe", "Ms. Lena Tamsin"]


def test_a_title_tells_gender() -> None:
    text = (
        "The spokeswoman for the miners said the pits were shut. Mr. Holm said they were open. "
        "“They are flooded,” she said."
    )
    assert str(speakers(text)[-1]).startswith("The spokeswoman for the miners")


def test_an_apposition_names_the_office() -> None:
    text = (
        "Its irrigation minister, Dr. Lena Tamsin, said the gates were shut. Mr. Holm left. "
        "The minister said they would stay shut."
    )
    assert speakers(text)[-1] == "Dr. Lena Tamsin"


def test_owners_lead_back_too() -> None:
    text = f"{LEE} Lee’s promise to leave was kept. His promise to stay was not."
    assert speakers(text)[1:] == ["Deputy Foreign Minister Lee Dong-su"] * 2


def test_who_is_the_noun_before_it() -> None:
    assert "Dr. Lena Tamsin" in speakers("Dr. Lena Tamsin, who said the gates were shut, left.")


def test_bodies_and_several() -> None:
    text = (
        "The Ministry of Labour said the law would stand. It said the vote was near. "
        "The dockers said they would strike. “We are ready,” they said."
    )
    found = speakers(text)
    assert found[:2] == ["The Ministry of Labour"] * 2
    assert found[-1] == "The dockers"


def test_the_ministry_is_the_ministry_named_before() -> None:
    text = "The Ministry of Labour said the law would stand. Mr. Holm left. The ministry denied it."
    assert speakers(text)[-1] == "The Ministry of Labour"


def test_a_passing_spokesman_is_no_he_in_the_next_paragraph() -> None:
    text = (
        "Colonel Ansel Tahir said the guns were silent. “There is no channel,” said a spokesman."
        "\n\nHe said the road was open."
    )
    assert speakers(text)[-1] == "Colonel Ansel Tahir"


def test_i_is_who_is_quoted_and_we_is_left_open() -> None:
    text = "“I think the deal is dead and we want peace,” said Ms. Ruiz."
    found = speakers(text)
    assert found.count("Ms. Ruiz") >= 2
    assert "we" in found


def test_a_transcript_label_is_a_name() -> None:
    text = "Minister Ana Ruiz met reporters.\n\nRUIZ: We will sign.\n\nQ: When?"
    assert speakers(text)[-2:] == ["Minister Ana Ruiz", "Q"]


def test_what_cannot_be_led_back_is_its_own() -> None:
    assert speakers("He said the deal was dead.") == ["He"]
    text = "A person familiar with the talks said the deal was dead."
    assert speakers(text) == ["A person familiar with the talks"]


def test_no_source_no_speaker() -> None:
    assert speakers("Lee was told that the ship had sunk.") == [None]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["“", "”", '"', "said", "Mr. Lee", "he", "who", "the minister", "that", ",", ".", ":",
             "\n\n", "I", "according to", "they", "Q:", "and", "Lee's plan to", "go"]
        ),
        max_size=40,
    ).map(" ".join)
)  # fmt: skip
def test_any_text(text: str) -> None:
    paragraphs = list(PARSER.parse(text, split_paragraphs(text)))
    found = find_quotations(text, paragraphs)
    for before, after in zip(found, resolve(text, paragraphs, found), strict=True):
        assert (after.speaker is None) == (before.source is None)
        assert after.speaker is None or after.speaker.strip()
