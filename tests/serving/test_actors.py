from __future__ import annotations

import pytest

from detente.actors import Gazetteer


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Washington and the U.S. said the White House agreed.", [("Washington", "USA")]),
        ("North Korean envoys left Seoul.", [("North Korean", "PRK"), ("Seoul", "KOR")]),
        ("U.S.-Japan talks", [("U.S.", "USA"), ("Japan", "JPN")]),
        ("The Japanese plan, which Tokyo filed, pleased Japan.", [("Tokyo", "JPN")]),
        ("The union told the company no.", [("The union", None), ("the company", None)]),
        ("An anti-American march, said a unionist.", []),
        ("Chinatown and Omanisation and Indiana", []),
        ("the United\nStates left", [("United\nStates", "USA")]),
        ("South Africa's offer", [("South Africa", "ZAF")]),
        (
            "the European Union and the United Nations",
            [("European Union", "EU"), ("United Nations", "UN")],
        ),
    ],
)
def test_parties_are_found_once_each(
    gazetteer: Gazetteer, text: str, expected: list[tuple[str, str | None]]
) -> None:
    assert [(mention.text, mention.actor) for mention in gazetteer.find(text)] == expected


def test_offsets_index_the_whole_text(gazetteer: Gazetteer) -> None:
    text = "First part. Then Japan spoke, and Japan left."
    (mention,) = gazetteer.find(text, 12, len(text))
    assert text[mention.start : mention.end] == "Japan"
    assert mention.start == 17


def test_no_spelling_stands_for_two_parties(gazetteer: Gazetteer) -> None:
    seen: dict[str, str] = {}
    for spellings in gazetteer._spellings.values():
        for spelling in spellings:
            assert seen.setdefault(spelling.text, spelling.party) == spelling.party
