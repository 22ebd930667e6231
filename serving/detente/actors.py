"""The gazetteer: names of parties, and where they stand in a text."""

from __future__ import annotations

import re
from collections import defaultdict
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
        flat = text[start:end].replace("\r", " ").replace("\n", " ")
        found: dict[str, tuple[int, _Spelling]] = {}
        position = 0
        while match := _WORD.search(flat, position):
            spelling = self._match(flat, match.start())
            if spelling is None:
                position = match.end()
                continue
            earlier = found.get(spelling.party)
            if earlier is None or (spelling.is_noun and not earlier[1].is_noun):
                found[spelling.party] = (match.start(), spelling)
            position = match.start() + len(spelling.text)
        return [
            Mention(
                text[start + left : start + left + len(spelling.text)],
                start + left,
                start + left + len(spelling.text),
                spelling.actor,
            )
            for left, spelling in sorted(found.values(), key=lambda item: item[0])
        ]

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
