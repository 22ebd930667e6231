"""The cast: the parties of one article, known by the form of their names."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from detente.parties.alias import Aliases
from detente.parties.anaphor import Anaphors, find_nouns
from detente.parties.body import read_body
from detente.parties.casing import Page, Run, Word, first_word, stands_at
from detente.parties.lexicon import COMMON, DIRECTIONS, OFFICES, OPENERS, word_set
from detente.parties.naming import Cover, Naming
from detente.parties.pattern import Patterns
from detente.parties.person import find_surnames, has_honorific
from detente.parties.place import is_located

_POLITIES = word_set("Republic Kingdom Emirate Sultanate Federation Commonwealth State")
_ENDINGS = word_set("n an ian ean nian i ese ish ic er ite ns ans ians eans nians is ers ites")
_AUXILIARIES = word_set("has had would will")
_SAYS = re.compile(
    r" (?:also |already |again |now )?(has|had|would|will|says?|said|agree[sd]?|offer(?:s|ed)"
    r"|reject(?:s|ed)|refuse[sd]|wants?|wanted|propose[sd]|accept(?:s|ed)|demand(?:s|ed)|insist(?:s|ed)|oppose[sd]"
    r"|denie[sd]|accuse[sd]|warn(?:s|ed)|pledge[sd]|promise[sd]|withdrew|withdraws|suspend(?:s|ed)"
    r"|welcome[sd]|threaten(?:s|ed)|asked|asks|called|calls|urge[sd]|signed|signs)\b"
)
_OWNED = re.compile(r"'s? $")
_OF = re.compile(r" of (?:the )?")
_COMPOUND = re.compile(r"\b[Tt]he ((?:[a-z][\w-]*['’]? ){1,3}[a-z][\w-]*)")


@dataclass
class _Use:
    """How often a word is printed, inside sentences, after "in" and the like, and saying things."""

    printed: int = 0
    inside: int = 0
    located: int = 0
    said: int = 0

    @property
    def is_speaker(self) -> bool:
        """Whether it is a party: a city has a port and will have another, but says no word."""
        return self.printed > 1 and self.inside > 0 and self.said > (8 if self.located else 0)


class Cast:
    """Finds the parties of one article and what each is called in it.

    Args:
        patterns: the gazetteer's nouns.
        text: the article.
        listed: where it names the gazetteer's parties.
    """

    def __init__(self, patterns: Patterns, text: str, listed: Iterable[Naming]) -> None:
        self._patterns = patterns
        self._page = Page(text)
        self._flat = self._page.flat
        namings = list(listed)
        self._listed = {naming.start: naming for naming in namings if naming.actor is not None}
        self._places = sorted(self._listed)
        others = [naming for naming in namings if naming.actor is None]
        self._generic = [naming for naming in others if not naming.is_place]
        self._nobodies = [naming for naming in others if naming.is_place]
        self._people, self._maybe_people = find_surnames(
            self._flat, self._page.runs, patterns.heads, self._listed
        )
        self._aliases = Aliases(patterns.heads)
        self._speaking: set[str] = set()
        self._found: list[Naming] = []
        self._covered = Cover(len(text))

    def namings(self) -> list[Naming]:
        """Return the namings of listed and unlisted parties and their short forms."""
        for run in self._page.runs:
            self._find_body(run)
        for naming in (*self._listed.values(), *self._found, *self._nobodies):
            self._covered.take(naming.start, naming.end)
        for run in self._page.runs:
            self._find_state(run)
        for run in self._page.runs:
            self._find_group(run.words)
        self._find_speakers()
        self._link_peoples()
        self._find_aliases()
        self._find_compounds()
        return self._resolved()

    def _add(self, start: int, end: int, party: str, is_noun: bool = True) -> None:
        if self._covered.is_free(start, end):
            self._found.append(Naming(start, end, party, None, is_noun))
            self._covered.take(start, end)

    def _enter(self, start: int, end: int, head: str, *, company: bool) -> str:
        return self._aliases.enter(self._flat[start:end], head, company=company)

    def _find_body(self, run: Run) -> None:
        body = read_body(run, self._flat, self._patterns, self._listed)
        if body is None:
            return
        first, last = (bisect_left(self._places, edge) for edge in (body.start, body.end))
        for place in self._places[first:last]:
            self._listed.pop(place, None)
        company = body.head in self._patterns.companies
        party = self._enter(body.start, body.end, body.head, company=company)
        self._found.append(Naming(body.start, body.end, party, None, True))
        if body.head in _POLITIES and len(body.tail) == 1 and body.tail[0].key[-1] != "s":
            self._aliases.call(self._flat[body.tail[0].start : body.end], party)
            self._speaking.add(party)

    # States and others that speak through organs: "Tarsa's foreign minister", "the Tarsan side"

    def _find_state(self, run: Run) -> None:
        named = list(takewhile(lambda word: word.key not in OFFICES, run.words))
        if not named or any(self._covered.covers(word.start) for word in named):
            return
        start, last = named[0].start, named[-1]
        of = self._organ_before(start) not in ("", "minister")
        organ = self._has_organ(run, len(named))
        if _OWNED.search(self._flat, max(0, start - 3), start):
            return  # "Information" in "Kenya's Information Minister"
        definite = self._flat[max(0, start - 4) : start].lower() == "the "
        if not (of or organ) or not self._may_be_state(named, definite and organ):
            return
        apart = of or definite or last.possessive
        if apart or not (named[0].initial or is_located(self._flat, start)):
            self._let_speak(self._flat[start : last.end])

    def _organ_before(self, start: int) -> str:
        match = self._patterns.organ_before(self._flat, start)
        return match.group(1).lower() if match is not None else ""

    def _has_organ(self, run: Run, length: int) -> bool:
        last = run.words[length - 1]
        return (
            length < len(run.words)
            or self._patterns.organ_after(self._flat, last.end) is not None
            or (_adjoin(last, run.following) and run.following[0].key in OFFICES)
        )

    def _may_be_state(self, words: list[Word], definite: bool) -> bool:
        if any(word.key in self._patterns.heads for word in words):
            return False
        first = words[0]
        if len(words) == 1:
            fits = first.key not in COMMON and first.key not in self._people
        else:
            fits = len(words) < 4 if definite else len(words) < 3 and first.key in DIRECTIONS
        return fits and not has_honorific(self._flat, first.start)

    def _let_speak(self, name: str, party: str | None = None) -> None:
        party = party or self._aliases.party(name) or name
        self._speaking.add(party)
        self._aliases.call(name, party)

    def _find_speakers(self) -> None:
        """Let a name printed twice or more, nobody's, that says or decides things be a party."""
        longer = {name.split(" ")[0]: name for name in self._aliases.full if name.count(" ") == 1}
        known = self._maybe_people | self._patterns.heads.keys()
        for name, use in self._uses().items():
            if use.is_speaker and name not in known and self._aliases.party(name) is None:
                self._let_speak(name, self._aliases.full.get(longer.get(name, "")))

    def _uses(self) -> dict[str, _Use]:
        uses: dict[str, _Use] = defaultdict(_Use)
        for _, words, _ in self._page.runs:
            if len(words) != 1 or words[0].key in COMMON or self._covered.covers(words[0].start):
                continue
            if self._organ_before(words[0].start) == "minister":
                continue  # "Minister of Information"
            word, use = words[0], uses[words[0].text]
            use.printed += 1
            use.inside += not word.initial
            use.located += is_located(self._flat, word.start)
            verb = _SAYS.match(self._flat, word.end)
            use.said += 0 if verb is None else 1 if verb.group(1) in _AUXILIARIES else 9
        return uses

    def _link_peoples(self) -> None:
        """Let "Tarsan" and "Tarsans" stand for Tarsa, whichever of them showed it to be a party."""
        alike: dict[str, set[str]] = defaultdict(set)
        for row in self._page.rows:
            for word in row:
                if word.key not in COMMON and not self._covered.covers(word.start):
                    alike[word.text[:4]].add(word.text)
        for name in self._aliases.names():
            party = self._aliases.party(name)
            if party not in self._speaking or " " in name:
                continue
            others = sorted(alike[name[:4]] - {name})
            land = next((other for other in others if _is_people(name, other)), None)
            if land is not None:
                party = self._aliases.party(land) or land
                self._speaking.add(party)
                self._aliases.settle(land, party, is_noun=True)
                self._aliases.settle(name, party, is_noun=False)
            for other in others:
                if _is_people(other, land or name):
                    self._aliases.settle(other, party or name, is_noun=False)

    # Others by a noun in lower case: "the Unite union", "the shipping line Norrbeck"

    def _find_group(self, words: list[Word]) -> None:
        if not words or any(
            self._covered.covers(word.start) or word.key in OFFICES for word in words
        ):
            return
        start, end = words[0].start, words[-1].end
        name = self._flat[start:end]
        if len(words) > 3 or (len(words) == 1 and name in COMMON):
            return
        before = self._patterns.noun_before(self._flat, start)
        if before and before.group(1) in self._patterns.firms:
            self._speaking.add(self._enter(start, end, before.group(1), company=True))
            return
        after = self._patterns.noun_after(self._flat, end)
        doubtful = words[0].initial or words[-1].possessive or name in self._people
        if after is None or doubtful or is_located(self._flat, start):
            return
        noun = after.group(1)
        firm = noun in self._patterns.firms and self._aliases.party(name) is None
        self._add(start, after.end(), self._enter(start, after.end(), noun, company=firm))

    def _find_aliases(self) -> None:
        aliases = self._aliases.by_first_word()
        for row in self._page.rows:
            for index, word in enumerate(row):
                called = aliases.get(first_word(word.text), ())
                alias = next((a for a in called if stands_at(a.text, self._flat, word.start)), None)
                if alias and (" " in alias.text or not self._is_part(row, index)):
                    end = word.start + len(alias.text)
                    self._add(word.start, end, alias.party, alias.is_noun)

    def _is_part(self, row: list[Word], index: int) -> bool:
        """Whether a word is within a longer name: "Oum" in "the Oum River"."""
        if self._page.headline[row[index].start]:
            return False
        apart = OPENERS | OFFICES
        before = {word.key for word in row[:index][-1:]} - apart
        return bool(
            before
            or {w.key for w in row[index + 1 : index + 2]} - apart - self._patterns.heads.keys()
        )

    def _find_compounds(self) -> None:
        """Find "the dock workers' union" and "the port operators"."""
        for match in _COMPOUND.finditer(self._flat):
            words = match.group(1).split(" ")
            for at in range(1, len(words)):
                last = words[at - 1]
                fits = last in self._patterns.modifiers or last[-1] in "'’"
                if fits and words[at] in self._patterns.generic:
                    phrase = " ".join(words[: at + 1])
                    self._aliases.nouns.setdefault(f"the {phrase}", (words[at],))
                    self._add(match.start(), match.start(1) + len(phrase), f"the {phrase}")
                    break

    def _resolved(self) -> list[Naming]:
        nouns = [*self._generic, *find_nouns(self._patterns, self._flat)]
        free = [naming for naming in nouns if self._covered.is_free(naming.start, naming.end)]
        namings = [
            naming
            for naming in (*self._listed.values(), *self._found, *self._nobodies, *free)
            if not self._is_owned(naming)
        ]
        anaphors = Anaphors(self._patterns, self._aliases.nouns, self._speaking)
        return anaphors.resolve(self._flat, namings)

    def _is_owned(self, naming: Naming) -> bool:
        """Whether it is "the government" of "the government of Tarsa"."""
        match = _OF.match(self._flat, naming.end) if naming.party.startswith("the ") else None
        return match is not None and not self._covered.is_free(match.end(), match.end() + 1)


def _adjoin(word: Word, following: list[Word]) -> bool:
    return bool(following) and word.possessive and following[0].start == word.end + 3


def _is_people(people: str, land: str) -> bool:
    """Whether a word is made from the name of a land as demonyms are: "Tarsan" from "Tarsa"."""
    stems = {land, land.rstrip("aeiouy")}
    return people != land and any(
        len(stem) > 2 and people.startswith(stem) and people[len(stem) :] in _ENDINGS
        for stem in stems
    )
