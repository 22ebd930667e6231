"""Patterns: the nouns of a gazetteer file as the expressions that an article is searched with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from detente.parties.actors import ActorList

_FIRMS = {"company", "firm"}


class Patterns:
    """What a gazetteer file says about parties that it does not list.

    ``heads``, ``generic`` and ``modifiers`` are the file's; ``states`` are the actors with organs,
    ``short`` the nouns that stand for actors; ``companies`` are the heads of companies' names and
    ``firms`` the nouns that stand before a company's or a union's: "the shipping line Norrbeck".
    """

    def __init__(self, actors: ActorList) -> None:
        self.heads = actors.heads
        self.generic = frozenset(actors.generic)
        self.modifiers = frozenset(actors.modifiers)
        self.states = {name for name, actor in actors.actors.items() if actor.is_state}
        self.short = {name: actor.short for name, actor in actors.actors.items() if actor.short}
        self.companies = {head for head, nouns in actors.heads.items() if _FIRMS & {*nouns}}
        self.firms = {noun for head in self.companies for noun in actors.heads[head]} | {"union"}
        lower = {noun for nouns in actors.heads.values() for noun in nouns}
        short = {noun for nouns in self.short.values() for noun in nouns} | lower | {*actors.heads}
        organs, nouns = _alternatives(actors.organs), _alternatives(lower.difference(actors.organs))
        self._organ_after = re.compile(rf"(?:['’]s?)? (?:[a-z]+ ){{0,2}}?({organs})\b")
        self._organ_before = re.compile(rf"\b({organs}) of (?:the )?$", re.IGNORECASE)
        self._noun_after = re.compile(rf" ({nouns})\b(?! of\b)")
        self._noun_before = re.compile(rf"\b[Tt]he (?:[a-z-]+ )?({nouns}) $")
        self.short_form = re.compile(
            rf"\b[Tt]he ({_alternatives(short - self.generic)})\b(?! of\b| [A-Z])"
        )
        bare = {*actors.bare, *(noun.capitalize() for noun in actors.bare if noun.islower())}
        self.bare = re.compile(rf"(?<![\w-])({_alternatives(bare)})\b(?!['’-])")

    def organ_after(self, flat: str, end: int) -> re.Match[str] | None:
        """Match "'s foreign minister" after a name."""
        return self._organ_after.match(flat, end)

    def organ_before(self, flat: str, start: int) -> re.Match[str] | None:
        """Match "government of" before a name."""
        return self._organ_before.search(flat, max(0, start - 30), start)

    def noun_after(self, flat: str, end: int) -> re.Match[str] | None:
        """Match "union" after a name."""
        return self._noun_after.match(flat, end)

    def noun_before(self, flat: str, start: int) -> re.Match[str] | None:
        """Match "the shipping line" before a name."""
        return self._noun_before.search(flat, max(0, start - 40), start)


def _alternatives(nouns: Iterable[str]) -> str:
    """Return nouns as one expression, the longest first; without nouns it matches nothing."""
    return "|".join(sorted(map(re.escape, nouns), key=lambda noun: (-len(noun), noun))) or "(?!)"
