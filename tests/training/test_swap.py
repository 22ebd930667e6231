from __future__ import annotations

import pytest

from detente import Codebook
from detente.parties.actors import Actor
from detente_training.negotiation import Negotiation, read_negotiations
from detente_training.record import Record, read_records
from detente_training.swap import Party, Swapper, read_parties
from tests.conftest import ROOT

PERU = Party(name="Peru", group="americas", capital="Lima", demonym="Peruvian", people="Peruvians")
ITALY = Party(name="Italy", group="europe", capital="Rome", demonym="Italian", people="Italians")
UNION = Party(name="the Quarrymen's Union", group="union")


def record(text: str, holder: str | None, *, implied: bool = False) -> Record:
    return Record("1", text, holder, {"stance": "none"}, "pit", "f:1", implied=implied)


@pytest.fixture(scope="module")
def swapper() -> Swapper:
    own = {"VOLMAR": Actor(names=("Volmar",), demonyms=("Volmari", "Volmaris"))}
    return Swapper({"pit": Negotiation(kind="water", parties=own)})


@pytest.mark.parametrize(
    ("text", "holder", "party", "swapped", "new_holder"),
    [
        ("Seoul said no.", "Seoul", PERU, "Lima said no.", "Lima"),
        ("A Swedish aide left; Japan stayed.", None, PERU, None, None),
        ("The U.S. agreed.", "The U.S.", PERU, "Peru agreed.", "Peru"),
        ("He told the U.S. so.", "the U.S.", UNION, "He told the Quarrymen's Union so.", None),
        ("Japan agreed.", "Japan", UNION, "The Quarrymen's Union agreed.", None),
        ("A Japanese aide agreed.", None, UNION, "A Quarrymen's Union aide agreed.", None),
        ("An American aide agreed.", None, PERU, "A Peruvian aide agreed.", None),
        ("A Japanese aide agreed.", None, ITALY, "An Italian aide agreed.", None),
        ("Volmaris agreed in Volmar.", "Volmaris", PERU, "Peruvians agreed in Peru.", "Peruvians"),
        (
            "Talks with Japan end, Japan said.",
            "Japan",
            PERU,
            "Talks with Peru end, Peru said.",
            None,
        ),
    ],
)
def test_names_take_the_form_of_the_old_ones(
    swapper: Swapper,
    text: str,
    holder: str | None,
    party: Party,
    swapped: str | None,
    new_holder: str | None,
) -> None:
    result = swapper.swap(record(text, holder), [party])
    if swapped is None:
        assert result is None, "two parties cannot both become one"
        return
    assert result is not None
    assert result.text == swapped
    if new_holder:
        assert result.holder == new_holder
    assert result.holder is None or result.holder in result.text
    assert result.labels == {"stance": "none"}


def test_a_statement_without_names_is_not_swapped(swapper: Swapper) -> None:
    assert swapper.swap(record("The union left.", "The union"), [PERU, UNION]) is None


def test_a_party_that_the_text_names_already_is_not_drawn(swapper: Swapper) -> None:
    one = record("Japan told Peruvians no.", "Japan")
    assert swapper.swap(one, [PERU, ITALY]) is None, "one is left for two"
    for seed in range(9):
        swapped = swapper.swap(one, [PERU, ITALY, UNION], seed)
        assert swapped is not None
        assert not PERU.appears_in(swapped.text)


def test_an_implied_holder_stays_with_its_own_names(swapper: Swapper) -> None:
    text = "Tokyo's envoy said no; Norway waits."
    parties = [PERU, UNION]
    assert swapper.swap(record(text, "the Japanese government", implied=True), parties) is None
    swapped = swapper.swap(record(text, "the fishermen", implied=True), parties)
    assert swapped is not None
    assert (swapped.holder, swapped.text != text) == ("the fishermen", True)


def test_the_draw_is_repeatable(swapper: Swapper) -> None:
    parties = read_parties(ROOT / "data" / "parties.yaml").parties
    one = record("Japan told Norway no.", "Japan")
    assert swapper.swap(one, parties, 1) == swapper.swap(one, parties, 1)
    assert len({swapper.swap(one, parties, seed).text for seed in range(9)}) > 1  # type: ignore[union-attr]


def test_the_projects_corpus_can_be_swapped(codebook: Codebook) -> None:
    corpus = ROOT / "data" / "corpus"
    parties = read_parties(ROOT / "data" / "parties.yaml")
    assert {"africa", "americas", "asia", "europe", "middle-east", "oceania"} <= set(parties.groups)
    assert {"invented", "company", "union"} <= set(parties.groups)
    swapper = Swapper(read_negotiations(corpus))
    swapped = 0
    for one in read_records(corpus, codebook):
        other = swapper.swap(one, parties.parties)
        if other is None:
            continue
        swapped += 1
        assert other.text != one.text
        assert other.implied or other.holder in other.text  # type: ignore[operator]
    assert swapped > 1000
