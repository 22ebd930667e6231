"""Which party a speaker speaks for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from detente.parties.casing import first_word
from detente.parties.kind import is_body, kind_of, office
from detente.parties.party import is_generic
from detente.scene import BYSTANDERS, Party, Scene, described, pronoun
from detente.speech.cue import read_cues
from detente.speech.quotation import Quotation
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

ITSELF = frozenset({"it", "they"})
_PRONOUNS = frozenset({"he", "she", "it", "they", "we", "i", "our", "us"})
_OWNERS = ITSELF | {"its", "their"}
# Turns of a printed interview; an answer is given by the guest, who is introduced above.
_TURNS = {"Q": False, "A": True}
_ASKERS = frozenset({"journalist", "moderator", "presenter", "reporter"})
_PAPERS = frozenset(
    {"circular", "communique", "communiqué", "letter", "memo", "memorandum", "message", "note",
     "notice", "statement", "telegram", "telex"}
)  # fmt: skip
_NAMING = frozenset({"compound", "appos"})
_NEAR = 300  # characters
_OUTSIDERS = BYSTANDERS | {"people", "person", "source", "witness"}
_SCHOLARS = frozenset({"lecturer", "prof", "professor", "researcher"})
# What somebody does who looks on: "who teaches Asian politics at Ormond University".
_LOOKS_ON = frozenset({"follow", "lecture", "research", "study", "teach"})


class Sides:
    """The sides of an article's speakers, found by what the article says of them.

    A side is the party named in the speaker's description ("Oman's envoy", "Lena Tamm, who leads
    the union"), there or where the speaker is introduced, or else the party of the kind that has
    such an office ("the managing director").
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._known: dict[str, Party] = {}
        self._introductions: dict[str, Party | None] = {}
        self._first_turn: int | None = None

    def of(self, quotation: Quotation, focus: Party | None) -> Party | None:
        """Return the side of a quotation's speaker.

        Args:
            quotation: with its speaker resolved.
            focus: the party that the sentence before was about, for "its minister".
        """
        speaker = quotation.speaker or ""
        if speaker in _TURNS:
            return self._guest if _TURNS[speaker] else None
        if pronoun(speaker) in ("we", "our", "us", "i"):
            return None
        if self._points(quotation):
            self._known.pop(speaker, None)
        side = self._known.get(speaker)
        is_turn = self._is_turn(quotation)
        if is_turn and self._first_turn is None and quotation.source is not None:
            self._first_turn = quotation.source[0]
        if side is None and quotation.source is not None:
            side = self._described_by(quotation, quotation.source, focus)
        if side is None and is_turn and _answers_questions(speaker):
            # The head of such a record says where the briefing is held.
            side = self._scene.first_state(self._first_turn)
        if side is not None and speaker:
            self._known[speaker] = side
        return side

    def of_person(self, name: str) -> Party | None:
        """Return the side of somebody by name."""
        return self._known.get(name) or self._introduced(name)

    def speaks_itself(self, quotation: Quotation) -> bool:
        """Whether the source is a party, by name or as "it", and not a person."""
        if quotation.source is None:
            return False
        source = self._scene.text[slice(*quotation.source)]
        return pronoun(source) in ITSELF or any(
            naming.is_noun and naming.end >= quotation.source[1] - 1
            for naming in self._scene.named(quotation.source)
        )

    def _points(self, quotation: Quotation) -> bool:
        """Whether the speaker is "they" or "its minister", somebody else further down."""
        first = self._first_word(quotation.source) if quotation.source else ""
        return first in _OWNERS and (quotation.speaker or "").lower().startswith(first)

    def _is_turn(self, quotation: Quotation) -> bool:
        """Whether it is what stands behind a label: "MR. TAMM: We will sign."."""
        source = quotation.source
        return source is not None and self._scene.text.startswith(":", source[1])

    def _first_word(self, source: Span) -> str:
        return pronoun(self._scene.text[slice(*source)].split()[0])

    def _described_by(
        self, quotation: Quotation, source: Span, focus: Party | None
    ) -> Party | None:
        speaker = quotation.speaker or ""
        is_turn = self._is_turn(quotation)
        head = self._scene.head(source)
        if head is not None and _is_outsider(head):
            return None
        told = described(head) if head is not None else ()
        # The parser may take what is asked in a turn to belong to the name before the colon.
        inside = [word for word in told if not is_turn or self._scene.place(word) < source[1]]
        return (
            self._named_by(inside)
            or self._told_of_itself(source, quotation.contents)
            or self._scene.called(speaker)
            or self._introduced(speaker)
            or self._owner(quotation, head, focus)
            or (None if _has_owner(head) else self._scene.of_kind(kind_of(speaker), source[0]))
        )

    def _told_of_itself(self, source: Span, contents: Sequence[Span]) -> Party | None:
        """Return whom "it" is in "the union is ready, it said"."""
        if pronoun(self._scene.text[slice(*source)]) not in ITSELF:
            return None
        named = (naming for span in contents for naming in self._scene.named(span))
        subjects = (naming for naming in named if self._scene.is_subject(naming))
        return next(map(self._scene.party, subjects), None)

    def _named_by(self, phrase: Sequence[Token]) -> Party | None:
        """Return the party named in a phrase, one with a name of its own if there is any."""
        if not phrase:
            return None
        scene = self._scene
        words = sorted(scene.place(token) for token in phrase)
        named = [
            naming
            for naming in scene.named((words[0], words[-1] + 1))
            if bisect_left(words, naming.start) < bisect_left(words, naming.end)
        ]
        named.sort(key=lambda naming: naming.party.startswith("the "))
        return scene.party(named[0]) if named else None

    def _owner(self, quotation: Quotation, head: Token | None, focus: Party | None) -> Party | None:
        """Return whose minister "its minister" is, and whose the note of "The note adds that"."""
        source, contents = quotation.source, quotation.contents
        if source is None:
            return None
        first = self._first_word(source)
        is_paper = first == "the" and head is not None and head.lower_ in _PAPERS
        opens = all(source[0] < start for start, _ in contents)
        return focus if first in _OWNERS or (is_paper and opens) else None

    def _introduced(self, speaker: str) -> Party | None:
        """Return the party named where the article introduces a speaker."""
        if not speaker[:1].isupper() or pronoun(speaker.split()[0]) in _PRONOUNS | _OWNERS:
            return None
        if speaker not in self._introductions:
            self._introductions[speaker] = self._find_introduction(speaker)
        return self._introductions[speaker]

    def _find_introduction(self, speaker: str) -> Party | None:
        last = len(speaker.split()[-1])
        name = re.compile(r"\s+".join(map(re.escape, speaker.split())) + r"(?!\w)")
        places = self._scene.places_of(first_word(speaker))
        for match in filter(None, (name.match(self._scene.text, place) for place in places)):
            words = self._scene.words((match.end() - last, match.end()))
            if not words:
                continue
            token = words[0][1]
            while token.dep_ in _NAMING and token.head is not token and not _is_owned(token):
                token = token.head
            if _is_outsider(token):
                return None
            described_as = list(described(token))
            owned = next(filter(_is_owned, described_as), None)
            side = (
                (self._possessor(owned) if owned is not None else None)
                or self._named_by(described_as)
                or self._possession(token)
                or self._told_of(token)
            )
            if side is not None:
                return side
            nouns = (word for word in described_as if word.pos_ in ("NOUN", "PROPN"))
            kind = next(filter(None, map(office, nouns)), None)
            if kind is not None:
                return self._scene.of_kind(kind, match.start())
        return None

    def _possessor(self, head: Token) -> Party | None:
        """Return whose "its leader" is: a party of the sentence that named one last.

        One of the kind that has such a leader comes before others, and the subject.
        """
        scene, kind = self._scene, office(head)
        start = scene.place(head.left_edge)
        before = scene.named((max(0, start - _NEAR), start))
        words = scene.words((before[-1].start, before[-1].end)) if before else []
        if not words:
            return None
        near = scene.named((scene.place(words[0][1].sent[0]), start))
        near.sort(
            key=lambda naming: (
                kind is not None and scene.kind(naming) != kind,
                is_generic(naming),
                not scene.is_subject(naming),
            )
        )
        return scene.party(near[0])

    def _told_of(self, head: Token) -> Party | None:
        """Return the party of "who speaks for the Front": that of a clause about somebody."""
        clauses = (child for child in head.children if child.dep_ == "relcl")
        return next(filter(None, (self._named_by(list(c.subtree)) for c in clauses)), None)

    def _possession(self, owner: Token) -> Party | None:
        """Return the party that is said to be somebody's: "Lena Tamm's party, the Greens"."""
        owned = owner.head
        if owner.dep_ != "poss" or not (owned.lower_ == "party" or is_body(owned)):
            return None
        return self._named_by(list(described(owned)))

    @cached_property
    def _guest(self) -> Party | None:
        """The side of the first person whom the article introduces with one."""
        names = (person.name for person in self._scene.people)
        return next(filter(None, map(self._introduced, names)), None)


def _answers_questions(label: str) -> bool:
    """Whether a turn is that of "SPOKESMAN:" or "MR. TAMM:" in the printed record of a briefing."""
    words = {word.rstrip(".").lower() for word in label.split()}
    cues = read_cues()
    return label.isupper() and bool(words & (cues.persons | cues.titles) - _ASKERS)


def _is_outsider(head: Token) -> bool:
    """Whether somebody is called an analyst or the like: "Israeli analyst Dan Levi"."""
    called = [head, *(child for child in head.children if child.dep_ in _NAMING)]
    names = {word.lemma_.lower().rstrip(".") for word in called}
    if names & _OUTSIDERS:
        return True
    clauses = (child.lemma_ for child in head.children if child.dep_ == "relcl")
    looks_on = not _SCHOLARS.isdisjoint(names) or not _LOOKS_ON.isdisjoint(clauses)
    # The professor who is vice-chancellor speaks for the university.
    return looks_on and not any(_has_office(word) for word in described(head))


def _has_office(noun: Token) -> bool:
    is_person = noun.lemma_.lower() in read_cues().persons - _SCHOLARS
    return is_person or (office(noun) is not None and not is_body(noun))


def _has_owner(head: Token | None) -> bool:
    """Whether somebody is said to be another's: "the Front's treasurer", "his office"."""
    return head is not None and any(
        child.dep_ == "poss" or (child.lower_ == "of" and _names(child)) for child in head.children
    )


def _names(preposition: Token) -> bool:
    return any(child.pos_ == "PROPN" for child in preposition.children)


def _is_owned(noun: Token) -> bool:
    """Whether a noun has "its" or "their" before it."""
    return any(word.dep_ == "poss" and word.lower_ in _OWNERS for word in noun.children)
