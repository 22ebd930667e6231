"""Anaphors: "the union" and "the company", each with the party that was named last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from detente.parties.naming import Naming
from detente.parties.pattern import Patterns

_CLAUSE = re.compile(
    r"(?:^|[,.;:!?“\"(—–-] ?|  |\b(?:and|but|or|that|with|between|by|to|from|for|of|while|if|unless"
    r"|when|because|as|than|both|its|their|his|her|told|urged|asked|until|after|before|where) )$"
)


def find_nouns(patterns: Patterns, flat: str) -> Iterator[Naming]:
    """Yield nouns that stand for parties: "the company", and "management" in a clause of its own.

    Their parties are "the company" and "the management".
    """
    for match in patterns.short_form.finditer(flat):
        yield Naming(*match.span(), f"the {match.group(1)}", None, True)
    for match in patterns.bare.finditer(flat):
        noun = match.group(1)
        if _CLAUSE.search(flat, max(0, match.start() - 10), match.start()):
            noun = noun if noun in patterns.generic else noun[0].lower() + noun[1:]
            yield Naming(*match.span(), f"the {noun}", None, True)


class Anaphors:
    """Resolves nouns to the party that was last named and that they can stand for.

    Args:
        patterns: the gazetteer's nouns.
        nouns: the nouns that stand for each party that the gazetteer does not list.
        speaking: such parties that have organs as states do.
    """

    def __init__(
        self, patterns: Patterns, nouns: Mapping[str, Sequence[str]], speaking: Iterable[str]
    ) -> None:
        self._patterns = patterns
        self._nouns = nouns
        self._speaking = {*speaking, *patterns.states}

    def resolve(self, flat: str, namings: Iterable[Naming]) -> list[Naming]:
        """Return namings in order and without overlaps, each noun with its party.

        A noun that stands for none is left out, unless it names a party by itself ("the rebels").
        """
        latest: dict[str, Naming] = {}
        resolved: list[Naming] = []
        position = 0
        for naming in sorted(namings, key=lambda naming: (naming.start, -naming.end)):
            if naming.start < position:
                continue
            noun = self._noun(naming)
            if noun in latest:
                naming = replace(naming, party=latest[noun].party, actor=latest[noun].actor)
            elif noun and noun not in self._patterns.generic:
                continue
            elif not noun and not naming.is_place:
                latest.update(dict.fromkeys(self._stand_ins(flat, naming), naming))
            resolved.append(naming)
            position = naming.end
        return resolved

    def _noun(self, naming: Naming) -> str:
        is_noun = naming.party.startswith("the ") and naming.party not in self._nouns
        return naming.party.removeprefix("the ") if is_noun else ""

    def _stand_ins(self, flat: str, naming: Naming) -> Iterator[str]:
        """Yield the nouns that stand for a party from here on."""
        if naming.actor is None:
            yield from self._nouns.get(naming.party, ())
        else:
            yield from self._patterns.short.get(naming.actor, ())
        if naming.party in self._speaking:
            for match in (
                self._patterns.organ_after(flat, naming.end),
                self._patterns.organ_before(flat, naming.start),
            ):
                if match:
                    yield match.group(1)
