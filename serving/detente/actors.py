"""The gazetteer: names of parties, and where they stand in a text."""

from __future__ import annotations

import re
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
    def spellings(self) -> tuple[str, ...]:
        """Every string that stands for the party."""
        capital = (self.capital,) if self.capital else ()
        return (*self.names, *capital, *self.demonyms, *self.seats)


class ActorList(BaseModel):
    """The contents of a gazetteer file.

    ``generic`` are nouns that name a party only with an article: "union" finds "the union".
    """

    model_config = ConfigDict(extra="forbid")

    actors: dict[str, Actor]
    generic: tuple[str, ...] = ()


class Gazetteer:
    """Finds parties by name."""

    def __init__(self, actors: ActorList) -> None:
        self._names: dict[str, list[tuple[str, str]]] = {}
        for identifier, actor in actors.actors.items():
            for name in actor.spellings:
                self._add(name, identifier)
        for noun in actors.generic:
            for article in ("the", "The"):
                self._add(f"{article} {noun}", f"the {noun}")
        for entries in self._names.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    @classmethod
    def load(cls, path: str | Path = DEFAULT) -> Gazetteer:
        """Read a gazetteer from YAML.

        Raises:
            InputError: the file cannot be read or is broken; names file, line and key.
        """
        return cls(read_document(path, ActorList))

    def find(self, text: str, start: int = 0, end: int | None = None) -> list[Mention]:
        """Return the first mention of each party between two offsets, in reading order."""
        end = len(text) if end is None else end
        flat = text[start:end].replace("\r", " ").replace("\n", " ")
        mentions: dict[str, Mention] = {}
        position = 0
        while match := _WORD.search(flat, position):
            found = self._match(flat, match.start())
            if found is None:
                position = match.end()
                continue
            name, identifier = found
            left, right = start + match.start(), start + match.start() + len(name)
            if identifier not in mentions:
                actor = None if identifier.startswith("the ") else identifier
                mentions[identifier] = Mention(text[left:right], left, right, actor)
            position = match.start() + len(name)
        return list(mentions.values())

    def _match(self, flat: str, position: int) -> tuple[str, str] | None:
        if _OPPOSED.search(flat, max(0, position - 5), position):
            return None
        for name, identifier in self._names.get(_first_word(flat, position), ()):
            after = flat[position + len(name) : position + len(name) + 1]
            if flat.startswith(name, position) and not (after.isalnum() and name[-1].isalnum()):
                return name, identifier
        return None

    def _add(self, name: str, identifier: str) -> None:
        self._names.setdefault(_first_word(name, 0), []).append((name, identifier))


_FIRST_WORD = re.compile(r"\w+")


def _first_word(text: str, position: int) -> str:
    match = _FIRST_WORD.match(text, position)
    return match.group() if match else ""
