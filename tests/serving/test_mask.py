from __future__ import annotations

import pytest

from detente.mask import Mask
from detente.parties.gazetteer import Gazetteer


@pytest.fixture(scope="module")
def mask() -> Mask:
    return Mask(Gazetteer.load())


def test_every_party_gets_a_made_up_name(mask: Mask) -> None:
    hidden, holder = mask.hide("Japan told the United States that Tokyo would wait.", "Japan")
    assert holder == "Norvia"
    assert hidden == "Norvia told Belmara that Norvia would wait."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Iran refused Chinese terms.", "Iran"), ("Peru refused Swiss terms.", "Peru")),
        (("The White House waits.", "White House"), ("Seoul waits.", "Seoul")),
        (("Mali and Chad agreed.", "Chad"), ("Oman and Cuba agreed.", "Cuba")),
        (("Kestrel raised its bid.", "Kestrel"), ("Ormond raised its bid.", "Ormond")),
        (
            ("South Korea's envoy left.", "South Korea's envoy"),
            ("Peru's envoy left.", "Peru's envoy"),
        ),
        # All forms of a name become one, so that a company stands where a demonym did.
        (
            ("Iran and the Greek side met the Swiss.", "the Greek side"),
            (
                "Peru and the Harrowgate Mills side met the Bakers' Guild.",
                "the Harrowgate Mills side",
            ),
        ),
        (
            ("An Iranian note said the Chinese envoy was late.", "the Chinese envoy"),
            (
                "A Bahruz note said the Quarrymen's Union envoy was late.",
                "the Quarrymen's Union envoy",
            ),
        ),
        (("In Oslo Aldeby paid.", "Aldeby"), ("In Kelmora Peru paid.", "Peru")),
    ],
)
def test_other_names_give_the_same_input(
    mask: Mask, one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert mask.hide(*one) == mask.hide(*other)


def test_common_nouns_stay(mask: Mask) -> None:
    for statement, holder in (
        ("Management refused to move.", "Management"),
        ("We refuse, the union said.", "the union"),
        ("“We refuse.”", "We"),
        ("It rained.", ""),
        ("Talks begin on Monday, Mr Orlov said; the EBITDA is unknown.", ""),
        ("Foreign Minister Ilse Brandt said she would wait.", "she"),
    ):
        assert mask.hide(statement, holder) == (statement, holder)


def test_names_that_no_list_holds_are_hidden(mask: Mask) -> None:
    hidden, holder = mask.hide("We told Goodall that the Highland Front and Tavria wait.", "We")
    assert hidden == "We told Belmara that Castria and Dolmia wait."
    assert holder == "We"


def test_a_name_that_opens_a_sentence_is_told_by_its_other_uses(mask: Mask) -> None:
    assert mask.hide("Miners left. Tavria waits for Tavria's board.", "")[0] == (
        "Miners left. Belmara waits for Belmara's board."
    )


def test_a_known_name_is_hidden_wherever_it_stands(mask: Mask) -> None:
    hidden, _ = mask.hide("They asked Goodall Corp. Chairman Goodall refused Goodall Corp.", "They")
    assert hidden == "They asked Belmara Chairman Goodall refused Belmara"
    assert mask.hide("He told Goodall that Chairman Goodall left.", "He")[0] == (
        "He told Belmara that Chairman Belmara left."
    )


def test_the_holder_is_marked_as_such_in_every_form(mask: Mask) -> None:
    hidden, holder = mask.hide("The Iranians left; Iranian and Greek envoys stayed.", "Iranian")
    assert hidden == "Norvia left; Norvia and Belmara envoys stayed."
    assert holder == "Norvia"
