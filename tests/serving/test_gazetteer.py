from __future__ import annotations

import pycountry
import pytest
from babel import Locale

from detente.parties.gazetteer import Gazetteer

# Nobody lives there, or only visitors do.
UNINHABITED = {"ATA", "ATF", "BVT", "CCK", "HMD", "IOT", "SGS", "UMI"}
COUNTRIES = [
    *sorted((c.alpha_3, c.alpha_2) for c in pycountry.countries if c.alpha_3 not in UNINHABITED),
    ("XKX", "XK"),
]


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
        ("The South Korean side and the South", [("South Korean", "KOR"), ("the South", None)]),
        (
            "the European Union and the United Nations",
            [("European Union", "EU"), ("United Nations", "UN")],
        ),
        (
            "Côte d’Ivoire told Bosnia & Herzegovina.",
            [("Côte d’Ivoire", "CIV"), ("Bosnia & Herzegovina", "BIH")],
        ),
        ("TANZANIA SOFTENS LINE", [("TANZANIA", "TZA")]),
        ("WHO WILL PAY FOR THE BREAKTHROUGH", []),
    ],
)
def test_parties_are_found_once_each(
    gazetteer: Gazetteer, text: str, expected: list[tuple[str, str | None]]
) -> None:
    assert [(mention.text, mention.actor) for mention in gazetteer.find(text)] == expected


@pytest.mark.parametrize(("alpha_3", "alpha_2"), COUNTRIES)
def test_every_country_is_found_by_its_cldr_name(
    gazetteer: Gazetteer, alpha_3: str, alpha_2: str
) -> None:
    assert alpha_3 in gazetteer.actors.actors
    name = Locale("en").territories[alpha_2]
    assert [mention.actor for mention in gazetteer.find(f"Today {name} refused.")] == [alpha_3]


@pytest.mark.parametrize(
    ("name", "actor"),
    [
        ("the Kremlin", "RUS"),
        ("Downing Street", "GBR"),
        ("the Quai d’Orsay", "FRA"),
        ("Foggy Bottom", "USA"),
        ("the Blue House", "KOR"),
        ("the Élysée", "FRA"),
        ("ASEAN", "ASEAN"),
        ("OPEC+", "OPEC+"),
        ("the Group of 77", "G77"),
        ("Mercosur", "MERCOSUR"),
        ("the U.N. Security Council", "UNSC"),
        ("the International Monetary Fund", "IMF"),
        ("UNHCR", "UNHCR"),
        ("Ansar Allah", "HOUTHIS"),
        ("M23", "M23"),
        ("the Rapid Support Forces", "RSF"),
        ("the ELN", "ELN"),
        ("the Fed", "FED"),
        ("the People’s Bank of China", "PBOC"),
        ("the Bank of Japan", "BOJ"),
        ("Equatorial Guinea", "GNQ"),
        ("Papua New Guinea", "PNG"),
        ("Guinea", "GIN"),
        ("Congo", "COD"),
        ("the Republic of Congo", "COG"),
        ("Korea", "KOR"),
        ("Air Canada", "AIRCANADA"),
        ("Canada Post", "CANADAPOST"),
        ("London Underground", "LONDONUNDERGROUND"),
        ("Northern Ireland", "GBR"),
        ("Baathist Jordan", "JOR"),
        ("...Iran", "IRN"),
    ],
)
def test_who_is_meant(gazetteer: Gazetteer, name: str, actor: str) -> None:
    text = f"It was {name} that refused."
    assert [mention.actor for mention in gazetteer.find(text)] == [actor]
    assert [naming.actor for naming in gazetteer.find_article(text)] == [actor]


@pytest.mark.parametrize(
    "text",
    [
        "George Washington crossed.",
        "Washington state sued.",
        "Jordan Smith refused.",
        "Mr. Jordan refused.",
        "Michael Jordan refused.",
        "Chad Price spoke.",
        "It told Rep. Jim Jordan and Gen. Chad.",
        "Its leader, Patricia Ireland, refused.",
        "Paris Hilton left.",
        "A home in Atlanta, Georgia burned.",
        "Ships left New Guinea for the Sea of Japan.",
    ],
)
def test_people_and_other_names_are_not_parties(gazetteer: Gazetteer, text: str) -> None:
    assert list(gazetteer.scan(text)) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("They met in Vienna on Monday.", "Vienna"),
        ("The Vienna Convention binds them.", "Vienna"),
        ("The Paris climate agreement holds.", "Paris"),
        ("He flew to Tehran.", "Tehran"),
        ("He came from Cairo.", "Cairo"),
        ("The envoys waited at Beirut airport.", "Beirut"),
        ("The Doha talks failed.", "Doha"),
        ("A Vienna-based group left.", "Vienna"),
        ("He works for a London firm.", "London"),
        ("They met at the White House.", "White House"),
        ("Vienna (Reuters) - The talks failed.", "Vienna"),
        ("Vienna, Sept. 29 - The talks failed.", "Vienna"),
        ("VIENNA TALKS COLLAPSE", "VIENNA"),
    ],
)
def test_a_place_is_marked_and_left_out(gazetteer: Gazetteer, text: str, place: str) -> None:
    (naming,) = gazetteer.scan(text)
    assert text[naming.start : naming.end] == place
    assert naming.is_place
    assert gazetteer.find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Officials in Moscow refused.",
        "He sent an offer to Moscow.",
        "It is up to Moscow to move.",
        "According to Moscow, no.",
        "In Moscow's view, no.",
        "Moscow refused.",
        "They blamed Moscow.",
        "U.S.-Moscow talks",
    ],
)
def test_a_capital_that_acts_is_a_party(gazetteer: Gazetteer, text: str) -> None:
    assert "RUS" in [mention.actor for mention in gazetteer.find(text)]


def test_a_caps_dateline_in_a_line_in_capitals_is_read_once(gazetteer: Gazetteer) -> None:
    namings = gazetteer.scan("CAIRO (AFP) - ETHIOPIA SAYS NO TO EGYPT")
    assert [naming.actor for naming in namings] == ["EGY", "ETH", "EGY"]


def test_a_caps_dateline_names_a_place(gazetteer: Gazetteer) -> None:
    (naming,) = gazetteer.find_article("VIENNA, 29 Sept. (Reuters) - Talks failed.")
    assert naming.actor == "AUT"
    assert naming.is_place


def test_offsets_index_the_whole_text(gazetteer: Gazetteer) -> None:
    text = "First part. Then Japan spoke, and Japan left."
    (mention,) = gazetteer.find(text, 12, len(text))
    assert text[mention.start : mention.end] == "Japan"
    assert mention.start == 17


def test_a_statement_is_read_with_what_stands_around_it(gazetteer: Gazetteer) -> None:
    text = "They met in Vienna talks. More."
    assert gazetteer.find(text, 12, 18) == []
