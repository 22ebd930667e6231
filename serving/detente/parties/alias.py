"""Aliases: what the parties of an article are called besides their full names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from detente.parties.casing import first_word
from detente.parties.lexicon import COMMON


class Alias(NamedTuple):
    """A name and the party it stands for."""

    text: str
    party: str
    is_noun: bool


class Aliases:
    """The names of an article's parties, and the nouns that stand for each with "the".

    Args:
        heads: last words of names, each with the nouns that stand for the party.
    """

    def __init__(self, heads: Mapping[str, Sequence[str]]) -> None:
        self.nouns: dict[str, tuple[str, ...]] = {}
        self.full: dict[str, str] = {}
        self._heads = heads
        self._called: dict[str, Alias | None] = {}

    def enter(self, name: str, head: str, *, company: bool) -> str:
        """Take a full name and return its party, that of an earlier name if it is part of this one.

        The name less its first words, its initials and, if it is a company's, the name less its
        last words stand for it from then on.
        """
        words = name.split(" ")
        tails = [" ".join(words[start:]) for start in range(1, len(words) - 1)]
        fronts = [" ".join(words[:end]) for end in range(len(words) - 1, 0, -1)] if company else []
        known = (self.full[part] for part in (name, *tails, *fronts[:-1]) if part in self.full)
        party = next(known, None) or self.party(name) or name
        self.full[name] = party
        self.nouns[party] = (head, *self._heads.get(head, (head,)))
        initials = "".join(word[0] for word in words if word[0].isupper())
        fronts = [part for part in fronts if " " in part or _is_distinct(part)]
        for alias in (name, *tails, *fronts, *([initials] if len(initials) > 2 else [])):
            self.call(alias, party)
        return party

    def call(self, name: str, party: str) -> None:
        """Let a name stand for a party; a name that two parties share stands for neither."""
        earlier = self._called.setdefault(name, Alias(name, party, True))
        if earlier is not None and earlier.party != party and name not in self.full:
            self._called[name] = None

    def settle(self, name: str, party: str, *, is_noun: bool) -> None:
        """Let a name stand for a party, whatever it stood for before."""
        self._called[name] = Alias(name, party, is_noun)

    def party(self, name: str) -> str | None:
        """Return the party that a name stands for."""
        alias = self._called.get(name)
        return alias.party if alias else None

    def names(self) -> list[str]:
        """Return every name."""
        return list(self._called)

    def by_first_word(self) -> dict[str, list[Alias]]:
        """Return the aliases by their first words, the longest first."""
        found: dict[str, list[Alias]] = defaultdict(list)
        for alias in sorted(filter(None, self._called.values()), key=lambda a: -len(a.text)):
            found[first_word(alias.text)].append(alias)
        return found


def _is_distinct(word: str) -> bool:
    return len(word) > 2 and word not in COMMON and word[-1] not in "'’." and word[0].isupper()
