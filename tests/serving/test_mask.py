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
    ):
        assert mask.hide(statement, holder) == (statement, holder)


def test_demonyms_keep_their_form(mask: Mask) -> None:
    hidden, _ = mask.hide("The Iranians met Greek officials.", "")
    assert hidden == "The Belmarans met Castrian officials."
