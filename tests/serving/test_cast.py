from __future__ import annotations

import time
from itertools import pairwise

import pytest

from detente.parties.actors import Actor, ActorList
from detente.parties.gazetteer import Gazetteer
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


def named(gazetteer: Gazetteer, text: str) -> list[tuple[str, str]]:
    return [(text[n.start : n.end], n.party) for n in gazetteer.find_article(text)]


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
        ("It told Tarsa-based Fjordland Bank. Fjordland Bank left.", ["Fjordland Bank"] * 2),
        ("The Sawfa Battalion refused. The battalion left.", ["Sawfa Battalion", "The battalion"]),
        (
            "The Tarsa Dock Workers' Union refused. The Dock Workers’ Union left. The union left.",
            ["Tarsa Dock Workers' Union", "Dock Workers’ Union", "The union"],
        ),
        ("He told the Nurses' Union. The union left.", ["Nurses' Union", "The union"]),
        (
            "He told The Kestrel Union on Monday. The Kestrel Union refused. The union left.",
            ["Kestrel Union", "Kestrel Union", "The union"],
        ),
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
        ("He told the Army of Highland Unity.", ["Army of Highland Unity"]),
        ("He told the Citrus and Sugar Cane League.", ["Citrus and Sugar Cane League"]),
        (
            "He told the Front for the Defence of the Plateau. The Front left.",
            ["Front for the Defence of the Plateau", "The Front"],
        ),
        ("He told Kenya Airways. The airline left.", ["Kenya Airways", "The airline"]),
        ("He said “no.” The Ormond Steel Corp. refused.", ["Ormond Steel Corp."]),
        ("He said “no.” Management refused.", ["Management"]),
    ],
)
def test_one_party_by_all_its_names(gazetteer: Gazetteer, text: str, expected: list[str]) -> None:
    found = named(gazetteer, text)
    assert [name for name, _ in found] == expected
    assert len({party for _, party in found}) == 1


def test_a_party_is_one_however_its_apostrophe_is_printed(gazetteer: Gazetteer) -> None:
    texts = ("The Dock Workers' Union left.", "The Dock Workers’ Union left.")
    assert [named(gazetteer, text)[0][1] for text in texts] == ["Dock Workers' Union"] * 2


def test_natural_resources_are_no_company(gazetteer: Gazetteer) -> None:
    text = "The Minister for Natural Resources told Saltash Resources. Saltash left."
    assert [party for _, party in named(gazetteer, text)] == ["Saltash Resources"] * 2


def test_where_a_company_is_based_is_no_party(gazetteer: Gazetteer) -> None:
    assert named(gazetteer, "He heads sales at the Tarsa-based broadcaster, he said.") == []


def test_two_bodies_are_not_one(gazetteer: Gazetteer) -> None:
    found = named(gazetteer, "He told the Tarsa Council and Dockers Union.")
    assert [name for name, _ in found] == ["Tarsa Council", "Dockers Union"]


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
    unions = ["Nurses' Union"] * 2 + ["Pilots' Union"] * 2
    assert parties == [*unions, "Kestrel Holdings", "Kestrel Group"]


def test_namings_are_in_order_and_do_not_overlap(gazetteer: Gazetteer) -> None:
    paths = sorted((ROOT / "data" / "articles").glob("*.txt"))
    assert len(paths) > 100
    for path in paths:
        text = path.read_text()
        namings = gazetteer.find_article(text)
        for naming, following in pairwise(namings):
            assert naming.end <= following.start
        assert all(text[naming.start : naming.end].strip() for naming in namings)


def test_time_grows_with_the_article_only(gazetteer: Gazetteer) -> None:
    article = (ROOT / "data" / "articles" / "truce-monitor.txt").read_text()
    nasty = "Alpha Union Beta's Front of " * 40

    def seconds(text: str) -> float:
        begin = time.process_time()
        gazetteer.find_article(text)
        return time.process_time() - begin

    for text in (article, nasty, "A " * 2000, "a" * 4000, "the " * 1000):
        small = min(seconds(text * 4) for _ in range(5))
        large = min(seconds(text * 32) for _ in range(3))
        assert large < 8 * 3 * small + 0.01


def test_a_list_needs_no_patterns() -> None:
    gazetteer = Gazetteer(ActorList(actors={"TAR": Actor(names=("Tarsa",))}))
    assert named(gazetteer, "Tarsa told the Highland Front.") == [("Tarsa", "TAR")]
