from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pycountry
import pytest
from babel import Locale

from detente.actors import DEFAULT, Actor, ActorList
from detente.errors import InputError
from detente.gazetteer import Gazetteer
from tests.conftest import ROOT

# Nobody lives there, or only visitors do.
UNINHABITED = {"ATA", "ATF", "BVT", "CCK", "HMD", "IOT", "SGS", "UMI"}
COUNTRIES = [
    *sorted((c.alpha_3, c.alpha_2) for c in pycountry.countries if c.alpha_3 not in UNINHABITED),
    ("XKX", "XK"),
]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def named(gazetteer: Gazetteer, text: str) -> list[tuple[str, str]]:
    return [(text[n.start : n.end], n.party) for n in gazetteer.find_article(text)]


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


def test_a_caps_dateline_names_nobody(gazetteer: Gazetteer) -> None:
    for text in ("GENEVA, Sept. 29 - Talks failed.", "VIENNA (Reuters) - Talks failed."):
        assert gazetteer.find_article(text) == []


def test_offsets_index_the_whole_text(gazetteer: Gazetteer) -> None:
    text = "First part. Then Japan spoke, and Japan left."
    (mention,) = gazetteer.find(text, 12, len(text))
    assert text[mention.start : mention.end] == "Japan"
    assert mention.start == 17


def test_a_statement_is_read_with_what_stands_around_it(gazetteer: Gazetteer) -> None:
    text = "They met in Vienna talks. More."
    assert gazetteer.find(text, 12, 18) == []


def test_no_spelling_stands_for_two_parties(gazetteer: Gazetteer) -> None:
    seen: dict[str, str] = {}
    for spellings in gazetteer._listed.by_word.values():
        for spelling in spellings:
            assert seen.setdefault(spelling.text, spelling.party) == spelling.party


# Articles


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Kestrel Freight Ltd refused. Kestrel said the company would wait. It told Kestrel.",
            ["Kestrel Freight Ltd", "Kestrel", "the company", "Kestrel"],
        ),
        (
            "On Monday Ormond Steel Corp. refused. Ormond is firm, the company said.",
            ["Ormond Steel Corp.", "Ormond", "the company"],
        ),
        ("Hallam plc refused. Later Hallam agreed.", ["Hallam plc", "Hallam"]),
        (
            "The Tarsa Dock Workers' Union refused. The Dock Workers’ Union left. The union left.",
            ["Tarsa Dock Workers' Union", "Dock Workers’ Union", "The union"],
        ),
        ("He told the Nurses' Union. The union left.", ["Nurses' Union", "The union"]),
        (
            "It hurt the Free Army of Oum, the rebels said.",
            ["Free Army of Oum", "the rebels"],
        ),
        (
            "the Highland Front refused. The Front left.\n\nAn aide to the Highland\nFront left.",
            ["Highland Front", "The Front", "Highland\nFront"],
        ),
        (
            "the Republic of Tarsa refused. Tarsa left, and the Tarsan envoy left.",
            ["Republic of Tarsa", "Tarsa", "Tarsan"],
        ),
        (
            "Vostania's foreign minister refused. Vostania left. The Vostanian side left.",
            ["Vostania", "Vostania", "Vostanian"],
        ),
        (
            "The Vostanian delegation refused. Vostania left. The delegation stayed.",
            ["Vostanian", "Vostania", "The delegation"],
        ),
        ("The government of Tavria refused. The government left.", ["Tavria", "The government"]),
        ("Talks with the Unite union failed. Unite left.", ["Unite union", "Unite"]),
        ("Talks with the shipping line Norrbeck failed; Norrbeck left.", ["Norrbeck", "Norrbeck"]),
        (
            "the dock workers' union refused. The union left.",
            ["the dock workers' union", "The union"],
        ),
        ("The rail union refused; the union left.", ["The rail union", "the union"]),
        ("the World Bank refused; the bank left.", ["World Bank", "the bank"]),
        ("On Friday the IMF refused; the fund left.", ["IMF", "the fund"]),
        (
            "Kessia refused. He told Kessia so. A Kessian aide left.",
            ["Kessia", "Kessia", "Kessian"],
        ),
        (
            "He told the Tarsa Dock Labour Union (TDLU) so. The TDLU left.",
            ["Tarsa Dock Labour Union", "TDLU", "TDLU"],
        ),
        ("He told the Justice and Equality Front.", ["Justice and Equality Front"]),
        ("He told Kenya Airways. The airline left.", ["Kenya Airways", "The airline"]),
    ],
)
def test_one_party_by_all_its_names(gazetteer: Gazetteer, text: str, expected: list[str]) -> None:
    found = named(gazetteer, text)
    assert [name for name, _ in found] == expected
    assert len({party for _, party in found}) == 1


def test_a_party_is_called_by_its_full_name_as_first_printed(gazetteer: Gazetteer) -> None:
    text = "Kestrel slips\n\nAs Kestrel Freight\nLtd refused, Kestrel slipped."
    assert {party for _, party in named(gazetteer, text)} == {"Kestrel Freight Ltd"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The rebels and the mediators left.", ["the rebels", "the mediators"]),
        ("Management refused, and bondholders left.", ["the management", "the bondholders"]),
        ("The Greens and the Labour Party left.", ["the Greens", "Labour Party"]),
        ("The Foreign Ministry refused; the ministry left.", ["Foreign Ministry"] * 2),
        ("The cabinet told the creditors.", ["the cabinet", "the creditors"]),
        ("The Tanzanian Foreign Ministry and the Kenyan Government left.", ["TZA", "KEN"]),
        ("The Tanzanian delegation left. The delegation is back.", ["TZA", "TZA"]),
        ("Mr. Brod's government left, Colonel Brod's army left.", []),
        ("It is a crisis of water management.", []),
        ("KESTREL FREIGHT LTD REJECTS UNION OFFER IN TANZANIA", ["TZA"]),
        ("Kestrel Freight Rejects Latest Union Offer on Friday Night", []),
    ],
)
def test_parties_without_an_entry(gazetteer: Gazetteer, text: str, expected: list[str]) -> None:
    assert [party for _, party in named(gazetteer, text)] == expected


def test_two_unions_are_told_apart(gazetteer: Gazetteer) -> None:
    text = (
        "He told the Nurses' Union. The union left. He told the Pilots' Union. The union left. "
        "Kestrel Holdings and Kestrel Group left."
    )
    parties = [party for _, party in named(gazetteer, text)]
    assert parties[:4] == ["Nurses' Union"] * 2 + ["Pilots' Union"] * 2


def test_namings_are_in_order_and_do_not_overlap(gazetteer: Gazetteer) -> None:
    for path in (ROOT / "data" / "articles").glob("*.txt"):
        text = path.read_text()
        namings = gazetteer.find_article(text)
        for naming, following in pairwise(namings):
            assert naming.end <= following.start
        assert all(text[naming.start : naming.end].strip() for naming in namings)


def test_time_grows_with_the_article_only(gazetteer: Gazetteer) -> None:
    article = (ROOT / "data" / "articles" / "truce-monitor.txt").read_text()
    nasty = "Alpha Union Beta's Front of " * 40

    def seconds(text: str) -> float:
        begin = time.perf_counter()
        gazetteer.find_article(text)
        return time.perf_counter() - begin

    for text in (article, nasty, "A " * 2000, "a" * 4000, "the " * 1000):
        small = min(seconds(text * 4) for _ in range(5))
        large = min(seconds(text * 32) for _ in range(3))
        assert large < 8 * 3 * small + 0.01


# The user's own actors


def write(folder: Path, text: str) -> Path:
    path = folder / "my.yaml"
    path.write_text(text)
    return path


def test_own_actors_are_added(tmp_path: Path) -> None:
    own = write(tmp_path, "actors:\n  TAR: {names: [Tarsa], capital: Oum, demonyms: [Tarsan]}\n")
    gazetteer = Gazetteer.load(extra=own)
    text = "Tarsa refused; Oum and Japan did not."
    assert [mention.actor for mention in gazetteer.find(text)] == ["TAR", "JPN"]


def test_own_spellings_extend_an_actor(tmp_path: Path) -> None:
    own = write(tmp_path, "actors:\n  JPN: {names: [Nippon], capital: Kyoto}\n")
    gazetteer = Gazetteer.load(extra=own)
    text = "Nippon, Kyoto, Tokyo and Japan refused."
    assert {naming.actor for naming in gazetteer.scan(text)} == {"JPN"}
    assert len(list(gazetteer.scan(text))) == 4


def test_own_spellings_take_over(tmp_path: Path) -> None:
    own = write(tmp_path, 'actors:\n  GA: {names: [Georgia, "St. Kitts and Nevis"]}\n')
    gazetteer = Gazetteer.load(extra=own)
    assert [m.actor for m in gazetteer.find("Georgia, Tbilisi, Nevis")] == ["GA", "GEO", "KNA"]
    assert [m.actor for m in gazetteer.find("St. Kitts & Nevis left.")] == ["GA"]


def test_an_own_file_can_name_what_was_no_party(tmp_path: Path) -> None:
    own = write(tmp_path, "actors:\n  BOFA: {names: [Bank of America]}\n")
    assert [m.actor for m in Gazetteer.load(extra=own).find("Bank of America left.")] == ["BOFA"]


def test_an_actor_that_lost_every_spelling_is_gone(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("actors:\n  A: {names: [Alpha]}\n  B: {names: [Beta]}\n")
    own = write(tmp_path, "actors:\n  C: {names: [Alpha]}\n")
    assert sorted(Gazetteer.load(base, extra=own).actors.actors) == ["B", "C"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("actors: {TAR: {names: [Tarsa}}\n", "my.yaml:1: not valid YAML"),
        ("- Tarsa\n", "my.yaml:1: expected `key: value` lines"),
        ("actors:\n  TAR: {name: [Tarsa]}\n", "my.yaml:2: unknown key 'actors.TAR.name'"),
        ("actor:\n  TAR: {names: [Tarsa]}\n", "my.yaml:1: unknown key 'actor'"),
        ("actors:\n  TAR: {names: Tarsa}\n", "my.yaml:2: actors.TAR.names: "),
        ("actors:\n  TAR: {names: [No]}\n", "my.yaml:2: actors.TAR.names.0: "),
        ("actors:\n  TAR: {names: ['']}\n", "my.yaml:2: actors.TAR.names.0: '' is no name"),
        ("actors:\n  TAR: {names: [' a']}\n", "my.yaml:2: actors.TAR.names.0: ' a' is no name"),
        ("actors:\n  TAR: {}\n", "my.yaml:2: actors.TAR: no names are given"),
        (
            "actors:\n  TAR: {names: [Tarsa]}\n  TAR: {names: [Tarsa]}\n",
            "my.yaml:3: key 'TAR' is given twice",
        ),
        (
            "actors:\n  TAR: {names: [Oum]}\n  OUM: {names: [Oum]}\n",
            "my.yaml: 'Oum' stands for both 'TAR' and 'OUM'",
        ),
        ("", "my.yaml: is empty"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        Gazetteer.load(extra=write(tmp_path, text))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Gazetteer.load(extra=tmp_path / "none.yaml")


def test_a_list_needs_no_patterns() -> None:
    gazetteer = Gazetteer(ActorList(actors={"TAR": Actor(names=("Tarsa",))}))
    assert named(gazetteer, "Tarsa told the Highland Front.") == [("Tarsa", "TAR")]


def test_the_file_in_data_is_the_packages_own() -> None:
    link = ROOT / "data" / "actors.yaml"
    assert link.is_symlink()
    assert link.resolve() == DEFAULT.resolve()
