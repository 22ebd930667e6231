"""The gazetteer: names of parties, and where they stand in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from detente.article import Mention
from detente.parties.actors import DEFAULT, Actor, ActorList, read_actors
from detente.parties.casing import first_word, in_title, passages, stands_at
from detente.parties.cast import Cast
from detente.parties.lexicon import CALENDAR, OFFICES
from detente.parties.naming import Naming, first_by_party
from detente.parties.pattern import Patterns
from detente.parties.person import (
    first_name_before,
    has_honorific,
    has_initial,
    surname_after,
)
from detente.parties.place import find_datelines, is_place
from detente.parties.unlisted import find_unlisted
from detente.typography import flatten, straighten

# What a find needs to see around a statement to tell a place from a party.
_CONTEXT = 100

_ANY_WORD = re.compile(r"(?<!\w)(?<!\w\.)\w+")
_SENTENCE_END = re.compile(r"[.!?:;\"'(] ?$")
_OPPOSED = re.compile(r"\b(?:anti|pro|non|ex|post|pre|inter)-$", re.IGNORECASE)

# Acronyms that are words when everything is printed in capitals.
_WORDS_IN_CAPITALS = frozenset({"WHO", "MEND", "FED", "ISA", "ALBA", "BASIC", "QUAD", "AIM"})


@dataclass(frozen=True)
class _Spelling:
    text: str
    party: str
    actor: str | None
    is_noun: bool
    place: str = ""


class _Index:
    """Spellings by their first words."""

    def __init__(self, spellings: Iterable[_Spelling]) -> None:
        self.by_word: dict[str, list[_Spelling]] = defaultdict(list)
        for spelling in sorted(spellings, key=lambda spelling: -len(spelling.text)):
            self.by_word[first_word(spelling.text)].append(spelling)

    def longest(self, flat: str, position: int, stop: int) -> _Spelling | None:
        """Return the longest spelling that starts at a position and ends before another."""
        for spelling in self.by_word.get(first_word(flat, position), ()):
            fits = position + len(spelling.text) <= stop
            if fits and stands_at(spelling.text, flat, position):
                return spelling
        return None


class Gazetteer:
    """Finds parties by name."""

    def __init__(self, actors: ActorList) -> None:
        self.actors = actors
        spellings = list(_spellings(actors))
        self._listed = _Index(spellings)
        self._loud = _Index(_in_capitals(spellings))
        self._generic = _Index(
            _Spelling(noun, f"the {noun}", None, True) for noun in dict.fromkeys(actors.generic)
        )
        self._given = frozenset(actors.given_names)
        self._known = OFFICES | CALENDAR | {*actors.heads, *self._listed.by_word}
        self._quiet_word = _quiet_word(self._listed.by_word)
        self._patterns = Patterns(actors)

    @classmethod
    def load(cls, path: str | Path | None = None, *, extra: Path | None = None) -> Gazetteer:
        """Read a gazetteer from YAML.

        Args:
            path: the file; nothing for the package's own.
            extra: a file of the same form whose entries are added. An entry whose id is there
                already extends it: its spellings are added, its capital comes before the old one.
                A spelling that belongs to another actor is taken over by the extra file's.

        Raises:
            InputError: a file cannot be read or is broken; names file, line and key.
        """
        actors = read_actors(DEFAULT if path is None else path)
        return cls(actors if extra is None else actors.extended(read_actors(extra)))

    def find(self, text: str, start: int = 0, end: int | None = None) -> list[Mention]:
        """Return one mention of each party between two offsets, in reading order.

        It is the party's first mention by a noun, or else its first by a demonym. Names that
        stand for a place are left out.
        """
        end = len(text) if end is None else end
        offset = max(0, start - _CONTEXT)
        window = text[offset : end + _CONTEXT]
        namings = self._scan(window, start - offset, end - offset)
        found = first_by_party(naming for naming in namings if not naming.is_place)
        return [
            Mention(
                window[naming.start : naming.end],
                offset + naming.start,
                offset + naming.end,
                naming.actor,
            )
            for naming in sorted(found.values(), key=lambda naming: naming.start)
        ]

    def find_article(self, text: str) -> list[Naming]:
        """Return every naming in a whole article, in reading order; none overlap.

        Parties that the gazetteer does not know are found by the form of their names ("Ormond
        Steel Corp.", "the Highland Front", "Tarsa's foreign minister"); ``party`` is then the full
        name as first printed, apostrophes straight. Short forms ("Ormond", "the Front", "the
        company") have the party of the full name. Names that stand for a place are marked.
        """
        return Cast(self._patterns, text, self._scan(text, 0, len(text))).namings()

    def find_names(self, text: str) -> list[Naming]:
        """Return every proper name of a statement, in reading order; none overlap.

        Those of unlisted parties are told by capitals alone, so places and people are among them;
        ``party`` is then the name as printed. Parties called by a common noun are not.
        """
        listed = [naming for naming in self.scan(text) if naming.actor]
        unlisted = find_unlisted(text, listed, self._patterns)
        return sorted([*listed, *unlisted], key=lambda naming: naming.start)

    def scan(self, text: str) -> Iterator[Naming]:
        """Yield every place where a listed party is named, in reading order; none overlap.

        Names that stand for a place are among them, marked; a person's name is not.
        """
        namings = self._scan(text, 0, len(text))
        return (naming for naming in namings if naming.actor or not naming.is_place)

    def _scan(self, text: str, start: int, stop: int) -> Iterator[Naming]:
        """Yield namings, and names listed as nobody's ("Washington Post") as places of none."""
        text = straighten(text)
        flat = flatten(text)
        datelines = find_datelines(text)
        for begin, end, loud in passages(text, start, stop, datelines):
            for place, spelling in self._matches(flat, begin, end, loud):
                finish = place + len(spelling.text)
                if self._is_person(text, flat, place, finish, spelling):
                    continue
                if not spelling.party:
                    yield Naming(place, finish, spelling.text, None, True, is_place=True)
                    continue
                if spelling.actor is None:
                    place -= len("the ")
                yield Naming(
                    place,
                    finish,
                    spelling.party,
                    spelling.actor,
                    spelling.is_noun,
                    is_place(flat, place, finish, spelling.place)
                    or any(first <= place and finish <= last for first, last in datelines),
                )

    def _matches(
        self, flat: str, position: int, stop: int, loud: bool
    ) -> Iterator[tuple[int, _Spelling]]:
        words, index = (_ANY_WORD, self._loud) if loud else (self._quiet_word, self._listed)
        while match := words.search(flat, position, stop):
            place, position = match.span()
            spelling = index.longest(flat, place, stop)
            if spelling is None and match.group() in ("the", "The"):
                place = position + 1
                # "the South Korean side" is not "the South".
                if index.longest(flat, place, stop) is None:
                    spelling = self._generic.longest(flat, place, stop)
            elif spelling is not None and _OPPOSED.search(flat, max(0, place - 6), place):
                continue
            if spelling is not None:
                position = place + len(spelling.text)
                yield place, spelling

    def _is_person(self, text: str, flat: str, start: int, end: int, spelling: _Spelling) -> bool:
        if has_honorific(flat, start):
            return spelling.is_noun
        if spelling.text not in self._given:
            return False
        if has_initial(flat, start) or self._follows_first_name(text, flat, start):
            return True
        surname = surname_after(flat, end)
        if surname is None or is_place(flat, start, end, spelling.place):
            return False
        return surname not in self._known and not in_title(text, start)

    def _follows_first_name(self, text: str, flat: str, start: int) -> bool:
        name = first_name_before(flat, start)
        if name is None or name in self._known or in_title(text, start):
            return False
        begin = start - len(name) - 1
        return has_honorific(flat, begin) or not _opens_sentence(flat, begin)


def _opens_sentence(flat: str, start: int) -> bool:
    return not flat[:start].strip() or bool(_SENTENCE_END.search(flat, max(0, start - 4), start))


def _spellings(actors: ActorList) -> Iterator[_Spelling]:
    for actor, entry in actors.actors.items():
        for text in entry.nouns:
            yield _Spelling(straighten(text), actor, actor, True, _place(text, entry))
        for text in entry.demonyms:
            yield _Spelling(straighten(text), actor, actor, False)
    for text in actors.others:
        yield _Spelling(straighten(text), "", None, True)


def _place(text: str, entry: Actor) -> str:
    if text == entry.capital or text in entry.cities:
        return "city"
    return "seat" if text in entry.seats else ""


def _in_capitals(spellings: Iterable[_Spelling]) -> Iterator[_Spelling]:
    for spelling in spellings:
        loud = spelling.text.upper()
        if len(loud) == len(spelling.text) and loud not in _WORDS_IN_CAPITALS:
            yield replace(spelling, text=loud)


def _quiet_word(first_words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds capitalised words, "the", and names that begin with a small letter."""
    lower = {word for word in first_words if "a" <= word[:1] <= "z"} | {"the"}
    return re.compile(
        rf"(?<!\w)(?<!\w\.)(?:[^\W_a-z]\w*|(?:{'|'.join(map(re.escape, sorted(lower)))})\b)"
    )
