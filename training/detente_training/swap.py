"""Name swaps: the same statement about other parties, to see that names do not matter."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from detente.document import read_document
from detente.parties.actors import DEFAULT, Actor, ActorList
from detente.parties.gazetteer import Gazetteer
from detente_training.negotiation import Negotiation
from detente_training.record import Record

_DEFINITE = re.compile(r"\b(the |The )$")
_INDEFINITE = re.compile(r"\b(an?|An?) $")
_OPENING = " \"'“‘([—-"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Party(_Model):
    """A name to put in another's place: a state, or a body without capital and demonym.

    ``group`` is what swaps are reported by: a region, or "invented", "company", "union".
    """

    name: str = Field(min_length=1)
    group: str
    capital: str = ""
    demonym: str = ""
    people: str = ""

    def called(self, form: str) -> str:
        """Return the party as "name", "capital", "demonym" or "people"; bodies have a name only."""
        name: str = getattr(self, form, "") or self.name
        return name

    def appears_in(self, text: str) -> bool:
        """Whether a text names the party."""
        names = (self.name, self.capital, self.demonym, self.people)
        return any(name.removeprefix("the ") in text for name in names if name)


class PartyList(_Model):
    """The contents of a file of parties."""

    parties: tuple[Party, ...] = Field(min_length=2)

    @cached_property
    def groups(self) -> dict[str, list[Party]]:
        """The parties of each group."""
        groups: dict[str, list[Party]] = {}
        for party in self.parties:
            groups.setdefault(party.group, []).append(party)
        return groups


def read_parties(path: str | Path) -> PartyList:
    """Read a file of parties.

    Raises:
        InputError: the file cannot be read or is broken; names line and key.
    """
    return read_document(path, PartyList)


class Swapper:
    """Puts other parties in the place of those a record names.

    Args:
        negotiations: made-up parties by negotiation, known besides the gazetteer's.
    """

    def __init__(self, negotiations: Mapping[str, Negotiation]) -> None:
        self._world = read_document(DEFAULT, ActorList)
        self._negotiations = negotiations
        self._known: dict[str, tuple[Gazetteer, dict[str, Actor]]] = {}

    def actors(self, record: Record) -> list[str]:
        """Return the named parties of a record, in order of appearance, generic ones left out."""
        gazetteer, _ = self._of(record.negotiation)
        found = (naming.actor for naming in gazetteer.scan(record.text))
        return list(dict.fromkeys(actor for actor in found if actor))

    def swap(self, record: Record, parties: Sequence[Party], seed: int = 0) -> Record | None:
        """Return the record with each named party replaced by another, always the same one.

        Args:
            record: the record; its labels stay.
            parties: what to draw the replacements from.
            seed: of the draw, which also depends on the record.

        Returns:
            None when the record names no party known by name, or more than ``parties`` holds
            that it does not name already, or one that stands in an implied holder, which stays.
        """
        actors = self.actors(record)
        absent = [party for party in parties if not party.appears_in(record.text)]
        if not actors or len(actors) > len(absent):
            return None
        drawn = random.Random(f"{seed} {record.text}").sample(absent, len(actors))
        chosen = dict(zip(actors, drawn, strict=True))
        text = self._rewrite(record.text, record.negotiation, chosen)
        holder = record.holder
        if holder is not None and record.implied:
            gazetteer, _ = self._of(record.negotiation)
            if any(naming.actor in chosen for naming in gazetteer.scan(holder)):
                return None
        elif holder is not None:
            holder = self._rewrite(holder, record.negotiation, chosen)
            # Alone it opens a sentence; in the text it need not, and may have lost its article.
            bare = holder.removeprefix("The ").removeprefix("the ")
            holder = next((h for h in (holder, f"the {bare}", bare) if h in text), None)
            if holder is None:
                return None
        return replace(record, text=text, holder=holder)

    def _rewrite(self, text: str, negotiation: str, chosen: Mapping[str, Party]) -> str:
        gazetteer, actors = self._of(negotiation)
        pieces: list[str] = []
        position = 0
        for naming in gazetteer.scan(text):
            if naming.actor is None or naming.actor not in chosen:
                continue
            party, old = chosen[naming.actor], text[naming.start : naming.end]
            form = _form(old, actors[naming.actor], naming.is_noun)
            opens = not text[: naming.start].strip(_OPENING)
            before, new = _settle_articles(
                text[position : naming.start], party.called(form), form == "demonym", opens
            )
            pieces += [before, new]
            position = naming.end
        return "".join([*pieces, text[position:]])

    def _of(self, negotiation: str) -> tuple[Gazetteer, dict[str, Actor]]:
        if negotiation not in self._known:
            described = self._negotiations.get(negotiation)
            own = described.parties if described else {}
            actors = {**self._world.actors, **own}
            gazetteer = Gazetteer(ActorList(actors=actors, generic=self._world.generic))
            self._known[negotiation] = gazetteer, actors
        return self._known[negotiation]


def _form(spelling: str, actor: Actor, is_noun: bool) -> str:
    if not is_noun:
        plural = spelling.endswith("s") and spelling[:-1] in actor.demonyms
        return "people" if plural else "demonym"
    return "name" if spelling in actor.names else "capital"


def _settle_articles(before: str, name: str, adjective: bool, opens: bool) -> tuple[str, str]:
    """Return what stands before a name, and the name, with the articles that the new name takes."""
    if adjective:
        name = name.removeprefix("the ")
    elif article := _DEFINITE.search(before):
        # It belonged to the old name; the new one brings its own.
        before = before[: article.start(1)]
        opens = opens or article.group(1) == "The "
    if article := _INDEFINITE.search(before):
        fitting = "an" if name[0] in "AEIOaeio" else "a"
        if article.group(1)[0].isupper():
            fitting = fitting.capitalize()
        before = before[: article.start(1)] + fitting + " "
    return before, name[0].upper() + name[1:] if opens else name
