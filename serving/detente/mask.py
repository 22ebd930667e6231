"""Made-up names for proper names, so that readings hardly depend on who the parties are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set

from detente.parties.gazetteer import Gazetteer
from detente.parties.naming import Cover, Naming

_ARTICLE = re.compile(r"\b([Tt]he|[Aa]n) $")
_PROPER = re.compile(r"(?:[Tt]he )?([A-Z][\w.&'-]*(?: (?:of|the|for|&|[A-Z][\w.&'-]*))*)")
_FUNCTION_WORD = re.compile(
    r"we|our|us|i|you|they|their|it|its|he|his|she|her|both|each|neither|the|an?|this|those", re.I
)

_WORD = re.compile(r"\w+")
# More words than any name has, so that a list of names does not make the search slow.
_LONGEST = 16
# Some names stand with an article and some without; no guise begins with a vowel.
_BEFORE_GUISE = {"the": "", "The": "", "an": "a ", "An": "A "}

_HOLDER = "Norvia"
_OTHERS = (
    *("Belmara", "Castria", "Dolmia", "Velvaria", "Fendia"),
    *("Galdova", "Hestria", "Tiskaria", "Jorvania", "Keldovia"),
)


class Mask:
    """Hides proper names: the holder is always Norvia, the others Belmara, Castria and so on.

    Replacing names by placeholders takes from a classifier what it may have learnt of them; see
    Zhang et al., 2018, "Graph Convolution over Pruned Dependency Trees Improves Relation
    Extraction", section 5, for the same step on relations. All forms of a name become one, without
    an article: "the Iranians", "Iranian" and "Tehran" would tell a state from a company.
    """

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer

    def hide(self, statement: str, holder: str) -> tuple[str, str]:
        """Return statement and holder with each proper name replaced, the same in both.

        Names in capitals alone that the gazetteer does not list stay, and so do people's behind
        a title.
        """
        named = self._gazetteer.find_names(statement)
        own = self._gazetteer.find_names(holder)
        known = {naming.party for naming in named if naming.actor is None}
        if not any(naming.actor for naming in own):
            known |= self._bare_name(holder)
        named, own = _with_all(statement, named, known), _with_all(holder, own, known)
        guises = {own[0].party: _HOLDER} if own else {}
        others = (naming.party for naming in (*named, *own) if naming.party not in guises)
        for number, party in enumerate(dict.fromkeys(others)):
            guises[party] = _OTHERS[number % len(_OTHERS)]
        return (
            "".join(_replace(statement, named, guises)),
            "".join(_replace(holder, own, guises)),
        )

    def _bare_name(self, holder: str) -> set[str]:
        """Return a holder that is a proper name and nothing else, such as "Kestrel"."""
        match = _PROPER.fullmatch(holder)
        words = match[1].split() if match else []
        known = self._gazetteer.actors
        common = [
            word in known.heads
            or word.lower() in known.generic
            or word.lower() in known.organs
            or word.lower() in known.bare
            or bool(_FUNCTION_WORD.fullmatch(word))
            for word in words
        ]
        return set() if match is None or all(common) else {match[1]}


def _with_all(text: str, namings: Sequence[Naming], known: Set[str]) -> list[Naming]:
    """Return the namings, and wherever else a text prints one of the known unlisted names."""
    if not known:
        return list(namings)
    found = list(namings)
    covered = Cover(len(text), namings)
    words = [match.span() for match in _WORD.finditer(text)]
    for place, (start, _) in enumerate(words):
        ends = [end for _, end in words[place : place + _LONGEST]]
        # "Corp." ends with its full stop.
        ends += [end + 1 for end in ends if text.startswith(".", end)]
        for end in sorted(ends, reverse=True):
            if text[start:end] in known and covered.is_free(start, end):
                found.append(Naming(start, end, text[start:end], None, True))
                covered.take(start, end)
                break
    return sorted(found, key=lambda naming: naming.start)


def _replace(text: str, namings: Sequence[Naming], guises: Mapping[str, str]) -> Iterator[str]:
    position = 0
    for naming in namings:
        before = text[position : naming.start]
        yield _ARTICLE.sub(lambda match: _BEFORE_GUISE[match[1]], before)
        yield guises[naming.party]
        position = naming.end
    yield text[position:]
