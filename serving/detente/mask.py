"""Made-up names in the place of parties' names, so that no reading depends on who they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from detente.parties.gazetteer import Gazetteer
from detente.parties.naming import Naming

_THE = re.compile(r"\b[Tt]he $")
_PROPER = re.compile(r"(?:[A-Z][\w.&'-]*)(?: (?:of|and|the|for|[A-Z][\w.&'-]*))*")
_FUNCTION_WORD = re.compile(
    r"we|our|us|i|you|they|their|it|its|he|his|she|her|both|each|neither|the|an?|this|those", re.I
)


@dataclass(frozen=True)
class _Guise:
    name: str
    adjective: str


_HOLDER = _Guise("Norvia", "Norvian")
_OTHERS = tuple(
    _Guise(name, f"{name}n") for name in ("Belmara", "Castria", "Dolmia", "Elvaria", "Fendia")
)


class Mask:
    """Hides parties' names: the holder is always Norvia, the others Belmara, Castria and so on.

    Replacing names by placeholders takes from a classifier what it may have learnt of them; see
    Zhang et al., 2018, "Graph Convolution over Pruned Dependency Trees Improves Relation
    Extraction", section 5, for the same step on relations.
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer

    def hide(self, statement: str, holder: str) -> tuple[str, str]:
        """Return statement and holder with each party's name replaced, the same in both.

        Names that the gazetteer does not list stay, but for the holder's own.
        """
        listed = [naming for naming in self._gazetteer.scan(holder) if naming.actor]
        guises = {listed[0].party: _HOLDER} if listed else {}
        namings = [naming for naming in self._gazetteer.scan(statement) if naming.actor]
        others = (naming.party for naming in (*namings, *listed) if naming.party not in guises)
        for number, party in enumerate(dict.fromkeys(others)):
            guises[party] = _OTHERS[number % len(_OTHERS)]
        pieces = list(_replace(statement, namings, guises))
        if not listed and self._is_name(holder):
            mention = re.compile(rf"(?<!\w){re.escape(holder)}(?!\w)")
            pieces = [mention.sub(_HOLDER.name, piece) for piece in pieces]
            holder = _HOLDER.name
        return "".join(pieces), "".join(_replace(holder, listed, guises))

    def _is_name(self, holder: str) -> bool:
        """Whether a holder is a proper name and nothing else, such as "Kestrel" or "Vostania"."""
        words = holder.split()
        known = self._gazetteer.actors
        return bool(_PROPER.fullmatch(holder)) and not any(
            word in known.heads
            or word.lower() in known.generic
            or word.lower() in known.organs
            or _FUNCTION_WORD.fullmatch(word)
            or word.lower() in known.bare
            for word in words
        )


def _replace(text: str, namings: list[Naming], guises: dict[str, _Guise]) -> Iterator[str]:
    position = 0
    for naming in namings:
        guise = guises[naming.party]
        before = text[position : naming.start]
        printed = text[naming.start : naming.end]
        if naming.is_noun:
            # Some names stand with an article and some without.
            yield _THE.sub("", before)
            yield guise.name
        else:
            yield before
            plural = printed.endswith("s") and printed != "Swiss"
            yield f"{guise.adjective}s" if plural else guise.adjective
        position = naming.end
    yield text[position:]
