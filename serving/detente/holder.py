"""Whose positions a statement tells: parties by name, as the speaker's side, and by pronoun."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detente.article import Mention
from detente.parties.kind import is_body, office
from detente.parties.naming import first_by_party
from detente.parties.party import PAIR, SUBJECT, acts
from detente.scene import Party, Scene
from detente.side import ITSELF, Sides
from detente.speech.quotation import Quotation
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

_WE = frozenset({"we", "our", "us", "ours", "ourselves"})
_THE = frozenset({"the", "these", "those"})
_PERSON = frozenset({"he", "she"})
# "It rained", "it took an hour", and verbs that tell what somebody is, not does.
_IMPERSONAL = frozenset(
    {"appear", "be", "follow", "happen", "have", "look", "rain", "remain", "seem", "snow", "take",
     "turn"}
)  # fmt: skip
_SIDES = frozenset(
    {"antagonist", "camp", "capital", "country", "delegation", "foe", "government", "nation",
     "neighbor", "neighbour", "opponent", "party", "rival", "side", "state", "team"}
)  # fmt: skip

_Told = Sequence[tuple[Quotation, Party | None]]


@dataclass(frozen=True)
class Candidate:
    """A party that a statement may tell the position of, and what stands for it there."""

    party: Party
    mention: Mention


def find_holders(
    scene: Scene, spans: Sequence[Span], quotations: Sequence[Sequence[Quotation]]
) -> list[list[Candidate]]:
    """Return the parties of every statement, each once, in reading order.

    They are the parties it names; the party that says "we" in it; the speaker's side; the two that
    "both sides" are; and, where there is none of these, the side of the person who acts in it, or
    what its subject "it", "they", "he" or "she" stands for.

    Args:
        scene: the article.
        spans: its statements, in order.
        quotations: those that each statement has part in, with their speakers resolved.
    """
    reader = _Reader(scene)
    return [reader.candidates(span, told) for span, told in zip(spans, quotations, strict=True)]


class _Reader:
    """Reads statements in order, remembering who was last spoken of and who last spoke."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._sides = Sides(scene)
        self._focus: Party | None = None
        self._spoke: Party | None = None

    def candidates(self, span: Span, quotations: Sequence[Quotation]) -> list[Candidate]:
        """Return a statement's candidates, given the quotations it has part in."""
        scene = self._scene
        told = [(quotation, self._sides.of(quotation, self._focus)) for quotation in quotations]
        found = self._named(span)
        for place, token in scene.words(span):
            party = _spoken_for(place, told) if scene.pronoun(place, token) in _WE else None
            if party is not None:
                found.setdefault(party.id, self._candidate(party, _span(place, token)))
        for quotation, side in told:
            if side is not None and side.id not in found:
                found[side.id] = self._candidate(side, _within(quotation.source, span))
        for party, phrase in self._both(span):
            found.setdefault(party.id, self._candidate(party, phrase))
        if not found:
            found = self._by_person(span) or self._by_pronoun(span)
        self._remember(span, told)
        return sorted(found.values(), key=lambda c: c.mention.start or span[0])

    def _candidate(self, party: Party, place: Span | None) -> Candidate:
        if place is None:
            return Candidate(party, Mention(party.name, None, None, party.actor))
        return Candidate(party, Mention(self._scene.text[slice(*place)], *place, party.actor))

    def _named(self, span: Span) -> dict[str, Candidate]:
        """Return the parties a statement names, by a noun rather than a demonym."""
        return {
            key: self._candidate(self._scene.party(naming), (naming.start, naming.end))
            for key, naming in first_by_party(self._scene.named(span)).items()
        }

    def _both(self, span: Span) -> Iterator[tuple[Party, Span | None]]:
        """Yield the two parties that "both sides" or "neither" are, where it is a subject."""
        for _, token in self._scene.words(span):
            noun = _paired(token)
            if noun is not None:
                first = noun.left_edge if token.lower_ == "two" else token
                phrase = self._scene.place(first), self._scene.place(noun) + len(noun)
                for party in self._scene.opponents(span[1], office(noun)):
                    yield party, _within(phrase, span)

    def _by_person(self, span: Span) -> dict[str, Candidate]:
        for person in self._scene.people_in(span):
            side = self._sides.of_person(person.name) if person.acts else None
            if side is not None:
                return {side.id: self._candidate(side, (person.start, person.end))}
        return {}

    def _by_pronoun(self, span: Span) -> dict[str, Candidate]:
        for place, token in self._scene.words(span):
            word = self._scene.pronoun(place, token)
            does = acts(token) or (word in ITSELF and _leads(token))
            if word not in _PERSON | ITSELF or not does:
                continue
            party = self._focus if word in ITSELF else self._spoke
            if party is not None:
                return {party.id: self._candidate(party, _span(place, token))}
        return {}

    def _remember(self, span: Span, told: _Told) -> None:
        """Remember the parties that the next statement's "it" and "he" are about."""
        for quotation, side in told:
            if not self._sides.speaks_itself(quotation):
                self._spoke = side
        named = self._scene.named(span)
        subjects = [naming for naming in named if self._scene.is_subject(naming)]
        parties = [self._scene.party(naming) for naming in (subjects or named[:1])]
        sides = [side for _, side in told if side is not None]
        self._focus = next(iter(parties + sides), self._focus)


def _paired(word: Token) -> Token | None:
    """Return the subject that tells of two parties, given its first word."""
    if word.lower_ not in PAIR or word.dep_ == "preconj" or _is_any(word):
        return None
    noun = word if word.dep_ in SUBJECT else word.head
    is_pair = noun is word or (noun.i > word.i and noun.lemma_.lower() in _SIDES) or is_body(noun)
    is_agent = noun.dep_ == "pobj" and noun.head.dep_ == "agent"
    return noun if is_pair and (noun.dep_ in SUBJECT or is_agent) else None


def _is_any(word: Token) -> bool:
    """Whether it is some two of many: "two delegations", "two of them"; not "the two sides"."""
    before = word.doc[word.i - 1].lower_ if word.i else ""
    return word.lower_ == "two" and before not in _THE


def _leads(word: Token) -> bool:
    """Whether a word is the subject of its sentence's main verb: "it pasted up a notice"."""
    verb = word.head
    return word.dep_ == "nsubj" and verb.dep_ == "ROOT" and verb.lemma_ not in _IMPERSONAL


def _spoken_for(place: int, told: _Told) -> Party | None:
    """Return the party that says "we" at a place: that of the innermost speaker known."""
    sides = [
        side
        for quotation, side in told
        if any(start <= place < end for start, end in quotation.contents)
    ]
    return next((side for side in reversed(sides) if side is not None), None)


def _span(place: int, token: Token) -> Span:
    return place, place + len(token)


def _within(inner: Span | None, outer: Span) -> Span | None:
    return inner if inner and outer[0] <= inner[0] and inner[1] <= outer[1] else None
