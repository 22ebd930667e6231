"""The gazetteer: names of parties, and where they stand in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from detente.article import Mention
from detente.document import read_document

DEFAULT = Path(__file__).parent / "actors.yaml"

_WORD = re.compile(r"(?<![\w.])\w")
_OPPOSED = re.compile(r"\b(?:anti|pro|non|ex|post|pre)-$", re.IGNORECASE)


class Actor(BaseModel):
    """A party and everything it is called. Names are matched as spelled, capitals and all."""

    model_config = ConfigDict(extra="forbid")

    names: tuple[str, ...]
    capital: str | None = None
    demonyms: tuple[str, ...] = ()
    seats: tuple[str, ...] = ()

    @property
    def nouns(self) -> tuple[str, ...]:
        """Every string that stands for the party by itself, not as an adjective may."""
        capital = (self.capital,) if self.capital else ()
        return (*self.names, *capital, *self.seats)


class ActorList(BaseModel):
    """The contents of a gazetteer file.

    ``generic`` are nouns that name a party only with an article: "union" finds "the union".
    """

    model_config = ConfigDict(extra="forbid")

    actors: dict[str, Actor]
    generic: tuple[str, ...] = ()


@dataclass(frozen=True)
class Naming:
    """One place where a party is named: by a noun of its own, or by a demonym.

    ``party`` tells parties apart; ``actor`` is the gazetteer's id, None for a generic noun.
    """

    start: int
    end: int
    party: str
    actor: str | None
    is_noun: bool


@dataclass(frozen=True)
class _Spelling:
    text: str
    party: str
    actor: str | None
    is_noun: bool


class Gazetteer:
    """Finds parties by name."""

    def __init__(self, actors: ActorList) -> None:
        self._spellings: dict[str, list[_Spelling]] = defaultdict(list)
        for actor, entry in actors.actors.items():
            for text in entry.nouns:
                self._add(_Spelling(text, actor, actor, True))
            for text in entry.demonyms:
                self._add(_Spelling(text, actor, actor, False))
        for noun in actors.generic:
            for article in ("the", "The"):
                self._add(_Spelling(f"{article} {noun}", f"the {noun}", None, True))
        for spellings in self._spellings.values():
            spellings.sort(key=lambda spelling: -len(spelling.text))

    @classmethod
    def load(cls, path: str | Path = DEFAULT) -> Gazetteer:
        """Read a gazetteer from YAML.

        Raises:
            InputError: the file cannot be read or is broken; names file, line and key.
        """
        return cls(read_document(path, ActorList))

    def find(self, text: str, start: int = 0, end: int | None = None) -> list[Mention]:
        """Return one mention of each party between two offsets, in reading order.

        It is the party's first mention by a noun, or else its first by a demonym.
        """
        end = len(text) if end is None else end
        found: dict[str, Naming] = {}
        for naming in self.scan(text[start:end]):
            earlier = found.get(naming.party)
            if earlier is None or (naming.is_noun and not earlier.is_noun):
                found[naming.party] = naming
        return [
            Mention(
                text[start + naming.start : start + naming.end],
                start + naming.start,
                start + naming.end,
                naming.actor,
            )
            for naming in sorted(found.values(), key=lambda naming: naming.start)
        ]

    def scan(self, text: str) -> Iterator[Naming]:
        """Yield every place where a party is named, in reading order; none overlap."""
        flat = text.replace("\r", " ").replace("\n", " ")
        position = 0
        while match := _WORD.search(flat, position):
            spelling = self._match(flat, match.start())
            if spelling is None:
                position = match.end()
                continue
            position = match.start() + len(spelling.text)
            yield Naming(match.start(), position, spelling.party, spelling.actor, spelling.is_noun)

    def _match(self, flat: str, position: int) -> _Spelling | None:
        if _OPPOSED.search(flat, max(0, position - 5), position):
            return None
        for spelling in self._spellings.get(_first_word(flat, position), ()):
            text = spelling.text
            after = flat[position + len(text) : position + len(text) + 1]
            if flat.startswith(text, position) and not (after.isalnum() and text[-1].isalnum()):
                return spelling
        return None

    def _add(self, spelling: _Spelling) -> None:
        self._spellings[_first_word(spelling.text, 0)].append(spelling)


_FIRST_WORD = re.compile(r"\w+")


def _first_word(text: str, position: int) -> str:
    match = _FIRST_WORD.match(text, position)
    return match.group() if match else ""
