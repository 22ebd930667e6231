from __future__ import annotations

from pathlib import Path

import pytest

from detente.errors import InputError
from detente.parties.actors import DEFAULT, read_actors
from detente.parties.gazetteer import Gazetteer
from tests.conftest import ROOT


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


def test_no_spelling_stands_for_two_parties() -> None:
    listed = read_actors(DEFAULT)
    owners = dict.fromkeys(listed.others, "")
    for name, actor in listed.actors.items():
        for text in (*actor.nouns, *actor.demonyms):
            assert owners.setdefault(text, name) == name


def test_the_file_in_data_is_the_packages_own() -> None:
    link = ROOT / "data" / "actors.yaml"
    assert link.is_symlink()
    assert link.resolve() == DEFAULT.resolve()
