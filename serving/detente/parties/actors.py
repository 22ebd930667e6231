"""Actors: parties and everything they are called, as a gazetteer file lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from detente.document import read_document
from detente.errors import InputError

DEFAULT = Path(__file__).parent / "actors.yaml"


def _check_spelling(text: str) -> str:
    if not text[:1].isalnum() or text != text.strip():
        raise ValueError(f"{text!r} is no name; it must begin with a letter or a digit")
    return text


def _add_variants(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the spellings, and beside those with ' or "and" the same with ’ or "&"."""
    curly = (text.replace("'", "’") for text in texts)
    joined = (text.replace(" and ", " & ") for text in texts)
    return tuple(dict.fromkeys((*texts, *curly, *joined)))


_Text = Annotated[str, AfterValidator(_check_spelling)]
_Words = tuple[_Text, ...]
_Texts = Annotated[_Words, AfterValidator(_add_variants)]


class Actor(BaseModel):
    """A party and everything it is called. Names are matched as spelled, capitals and all.

    ``cities`` and ``seats`` (buildings and offices) stand for it as its capital does; ``short``
    are nouns that stand for it with "the" once an article has named it.
    """

    model_config = ConfigDict(extra="forbid")

    names: _Texts = ()
    capital: _Text | None = None
    cities: _Texts = ()
    demonyms: _Texts = ()
    seats: _Texts = ()
    short: _Words = ()

    @model_validator(mode="after")
    def _has_a_name(self) -> Actor:
        if not (self.nouns or self.demonyms or self.short):
            raise ValueError("no names are given, for example: {names: [Tarsa], capital: Oum}")
        return self

    @property
    def nouns(self) -> tuple[str, ...]:
        """Every string that stands for the party by itself, not as an adjective may."""
        capital = (self.capital,) if self.capital else ()
        return tuple(dict.fromkeys((*self.names, *capital, *self.cities, *self.seats)))

    @property
    def is_state(self) -> bool:
        """Whether it has a land or a people; bodies named after it are other parties."""
        return bool(self.capital or self.demonyms)

    def extended(self, more: Actor) -> Actor:
        """Return the actor with another's spellings added; a new capital joins the old one."""
        capitals = [capital for capital in (more.capital, self.capital) if capital]
        return Actor(
            names=self.names + more.names,
            capital=capitals[0] if capitals else None,
            cities=(*self.cities, *capitals[1:], *more.cities),
            demonyms=self.demonyms + more.demonyms,
            seats=self.seats + more.seats,
            short=self.short + more.short,
        )

    def without(self, taken: set[str]) -> Actor | None:
        """Return the actor less the spellings that another takes over, None if none is left."""
        fields: dict[str, tuple[str, ...]] = {
            field: tuple(text for text in getattr(self, field) if text not in taken)
            for field in ("names", "cities", "demonyms", "seats")
        }
        capital = self.capital if self.capital not in taken else None
        if not (capital or any(fields.values())):
            return None
        return Actor(**fields, capital=capital, short=self.short)


class ActorList(BaseModel):
    """The contents of a gazetteer file.

    ``generic`` are nouns that name a party only with an article: "union" finds "the union".
    ``bare`` are those of them that do so without one. ``modifiers`` stand between the two: "the
    rail union". ``heads`` are last words of names that no list can hold, each with the nouns that
    stand for the party afterwards. ``organs`` are nouns for what a state has and speaks through.
    ``given_names`` are spellings that are people's names, too. ``others`` are names that contain a
    party's and are none.
    """

    model_config = ConfigDict(extra="forbid")

    actors: dict[str, Actor] = {}
    generic: _Words = ()
    bare: _Words = ()
    modifiers: _Words = ()
    heads: dict[str, _Words] = {}
    organs: _Words = ()
    given_names: _Words = ()
    others: _Texts = ()

    def extended(self, more: ActorList) -> ActorList:
        """Return the list with another's entries added; the other takes over shared spellings."""
        actors: dict[str, Actor] = {}
        claimed = {
            text: name
            for name, actor in more.actors.items()
            for text in (*actor.nouns, *actor.demonyms)
        }
        for name, actor in self.actors.items():
            taken = {text for text, owner in claimed.items() if owner != name}
            kept = (
                actor.without(taken) if taken.intersection(actor.nouns + actor.demonyms) else actor
            )
            if kept is not None:
                actors[name] = kept
        for name, actor in more.actors.items():
            actors[name] = actors[name].extended(actor) if name in actors else actor
        return ActorList(
            actors=actors,
            generic=self.generic + more.generic,
            bare=self.bare + more.bare,
            modifiers=self.modifiers + more.modifiers,
            heads={**self.heads, **more.heads},
            organs=self.organs + more.organs,
            given_names=self.given_names + more.given_names,
            others=tuple(text for text in self.others if text not in claimed) + more.others,
        )


def read_actors(path: str | Path) -> ActorList:
    """Read a gazetteer file.

    Raises:
        InputError: the file cannot be read or is broken, or a spelling stands for two actors;
            names file, line and key.
    """
    actors = read_document(path, ActorList)
    owners: dict[str, str] = {}
    for name, actor in actors.actors.items():
        for text in (*actor.nouns, *actor.demonyms):
            if owners.setdefault(text, name) != name:
                raise InputError(
                    f"{path}: {text!r} stands for both {owners[text]!r} and {name!r}; "
                    "a spelling can stand for one actor only"
                )
    return actors
