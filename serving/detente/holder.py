"""Whose positions a statement tells: parties by name, by pronoun, and as the speaker's side."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detente.actors import Naming
from detente.article import Mention
from detente.parser import Paragraph
from detente.party import Roster, acts, is_generic, kind_of, kind_of_naming, office, speaks
from detente.quotation import Quotation
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

_ARTICLE = re.compile(r"^(?:the|a|an) ", re.IGNORECASE)
# Turns of a printed interview; an answer is given by the guest, who is introduced above.
_TURNS = {"Q": False, "A": True}
_WE = frozenset({"we", "our", "us", "ours", "ourselves"})
_PERSON = frozenset({"he", "she"})
_THING = frozenset({"it", "they"})
_LEADS = frozenset({"chair", "command", "head", "lead", "represent", "run", "speak"})
_OUTSIDERS = frozenset(
    {"analyst", "critic", "expert", "observer", "people", "person", "resident", "source", "witness"}
)
_WHERE = frozenset({"across", "in", "inside", "near", "outside", "through", "via"})
_SUBJECT = frozenset({"nsubj", "nsubjpass", "csubj"})


@dataclass(frozen=True)
class Party:
    """A party of an article: its id, its actor in the gazetteer, its first name in the text."""

    id: str
    actor: str | None
    name: str


@dataclass(frozen=True)
class Candidate:
    """A party that a statement may tell the position of, and what stands for it there."""

    party: Party
    mention: Mention


def find_holders(
    text: str,
    spans: Sequence[Span],
    paragraphs: Sequence[Paragraph],
    quotations: Sequence[Quotation],
    roster: Roster,
) -> list[list[Candidate]]:
    """Return the parties of every statement, each once, in reading order.

    Args:
        text: the article.
        spans: its statements.
        paragraphs: the article, parsed.
        quotations: with their speakers resolved.
        roster: where the article names parties and people.
    """
    discourse = _Discourse(text, paragraphs, quotations, roster)
    return [discourse.candidates(span) for span in spans]


class _Discourse:
    """What is known of an article up to the statement that is being read."""

    def __init__(
        self,
        text: str,
        paragraphs: Sequence[Paragraph],
        quotations: Sequence[Quotation],
        roster: Roster,
    ) -> None:
        self._text = text
        self._tokens = {p.start + token.idx: token for p in paragraphs for token in p.doc}
        self._starts = sorted(self._tokens)
        self._namings = [naming for naming in roster.namings if self._is_party(naming)]
        self._people = roster.people
        self._naming_starts = [naming.start for naming in self._namings]
        self._parties = _parties(text, self._namings)
        self._by_name = {
            naming_text(text, naming): self._parties[naming.party] for naming in self._namings
        }
        self._quotations = sorted(quotations, key=_extent)
        self._offset = {id(p.doc): p.start for p in paragraphs}
        self._kinds = {naming.party: kind_of_naming(naming) for naming in self._namings}
        self._sides: dict[str, Party] = {}
        self._focus: Party | None = None
        self._spoke: Party | None = None
        self._guest: Party | None = None

    def candidates(self, span: Span) -> list[Candidate]:
        """Return a statement's candidates; statements must be asked for in order."""
        found: dict[str, Candidate] = {}
        for naming in self._named(span):
            earlier = found.get(naming.party)
            if earlier is None or (naming.is_noun and not _is_noun(earlier, self._namings)):
                found[naming.party] = self._candidate(
                    self._parties[naming.party], (naming.start, naming.end)
                )
        told = [q for q in self._quotations if _meets(_extent(q), span)]
        sides = [(quotation, self._side(quotation)) for quotation in told]
        for place, token in self._words(span):
            party = self._spoken_for(place, sides) if token.lower_ in _WE else None
            if party is not None:
                found.setdefault(party.id, self._candidate(party, (place, place + len(token.text))))
        for quotation, side in sides:
            if side is not None and side.id not in found:
                found[side.id] = self._candidate(side, _within(quotation.source, span))
        if not found:
            found = self._by_person(span) or self._by_pronoun(span)
        self._move_focus(span, sides)
        return sorted(found.values(), key=lambda c: c.mention.start or span[0])

    def _candidate(self, party: Party, place: Span | None) -> Candidate:
        if place is None:
            return Candidate(party, Mention(party.name, None, None, party.actor))
        return Candidate(
            party, Mention(self._text[place[0] : place[1]], place[0], place[1], party.actor)
        )

    def _is_party(self, naming: Naming) -> bool:
        """Whether a name stands for its party, not for where things are or come from."""
        if naming.is_place:
            return False
        first = bisect_left(self._starts, naming.start)
        last = bisect_left(self._starts, naming.end)
        tokens = [self._tokens[place] for place in self._starts[first:last]]
        if not tokens:
            return True
        if not naming.is_noun and tokens[-1].dep_ in ("amod", "compound", "nmod"):
            return speaks(tokens[-1].head)
        return not (tokens[-1].dep_ == "pobj" and tokens[-1].head.lower_ in _WHERE)

    def _named(self, span: Span) -> list[Naming]:
        first = bisect_left(self._naming_starts, span[0])
        last = bisect_left(self._naming_starts, span[1])
        return self._namings[first:last]

    def _words(self, span: Span) -> Iterator[tuple[int, Token]]:
        first = bisect_left(self._starts, span[0])
        last = bisect_left(self._starts, span[1])
        for place in self._starts[first:last]:
            yield place, self._tokens[place]

    def _spoken_for(
        self, place: int, sides: Sequence[tuple[Quotation, Party | None]]
    ) -> Party | None:
        """Return the party that says "we" at a place."""
        inside = [side for quotation, side in sides if _holds(quotation.contents, place)]
        return inside[-1] if inside else None

    def _by_person(self, span: Span) -> dict[str, Candidate]:
        """Return the side of the person who acts in a statement."""
        for start, end, name in self._people:
            if span[0] <= start and end <= span[1]:
                side = self._sides.get(name) or self._introduced(name)
                if side is not None:
                    return {side.id: self._candidate(side, (start, end))}
        return {}

    def _by_pronoun(self, span: Span) -> dict[str, Candidate]:
        """Return the party that a statement's subject "it", "they", "he" or "she" stands for."""
        for place, token in self._words(span):
            word = token.lower_
            if word not in _PERSON | _THING or not acts(token):
                continue
            party = self._focus if word in _THING else self._spoke if word in _PERSON else None
            if party is not None:
                return {party.id: self._candidate(party, (place, place + len(token.text)))}
        return {}

    def _speaks_itself(self, quotation: Quotation) -> bool:
        """Whether the source is a party's name or an "it", not a person."""
        if quotation.source is None:
            return False
        source = self._text[slice(*quotation.source)]
        return source.lower() in _THING or any(
            naming.is_noun and naming.end >= quotation.source[1] - 1
            for naming in self._named(quotation.source)
        )

    def _side(self, quotation: Quotation) -> Party | None:
        """Return the party a quotation's speaker speaks for."""
        speaker = quotation.speaker or ""
        if speaker in _TURNS:
            return self._guest if _TURNS[speaker] else None
        if speaker.lower() in _WE | {"i"}:
            return None
        side = self._sides.get(speaker)
        if (
            side is None
            and quotation.source is not None
            and not self._is_outsider(quotation.source)
        ):
            side = (
                self._named_by(self._head(quotation.source))
                or self._by_name.get(plain(speaker))
                or self._introduced(speaker)
                or self._owner(quotation.source)
                or self._of_kind(kind_of(speaker), quotation.source[0])
            )
        if side is not None and speaker:
            self._sides[speaker] = side
            self._guest = self._guest or side
        return side

    def _head(self, span: Span) -> Token | None:
        """Return the word that the others of a phrase belong to."""
        first = bisect_left(self._starts, span[0])
        last = bisect_left(self._starts, span[1])
        tokens = [self._tokens[place] for place in self._starts[first:last]]
        inside = set(tokens)
        return next((token for token in tokens if token.head not in inside), None) or (
            tokens[0] if tokens else None
        )

    def _is_outsider(self, source: Span) -> bool:
        """Whether it is somebody who speaks for nobody: "a person close to the board"."""
        head = self._head(source)
        return head is not None and head.lemma_.lower() in _OUTSIDERS

    def _named_by(self, head: Token | None) -> Party | None:
        """Return the party named in a phrase, one with a name of its own if there is any."""
        if head is None:
            return None
        offset = self._offset[id(head.doc)]
        words = {offset + token.idx for token in _described(head)}
        left, right = offset + head.left_edge.idx, offset + head.right_edge.idx + 1
        named = [
            naming
            for naming in self._named((left, right))
            if naming.end - 1 in words
            or any(place in words for place in range(naming.start, naming.end))
        ]
        named.sort(key=lambda naming: naming.party.startswith("the "))
        return self._parties[named[0].party] if named else None

    def _owner(self, source: Span) -> Party | None:
        """Return whose minister "its minister" is."""
        first = self._text[slice(*source)].split()[0].lower()
        return self._focus if first in ("its", "their", "it", "they") else None

    def _of_kind(self, kind: str | None, place: int) -> Party | None:
        """Return the party of a kind that was last named before a place."""
        if kind is None:
            return None
        same = [n for n in self._namings if self._kinds.get(n.party) == kind]
        same = [n for n in same if not is_generic(n)] or same
        before = [naming for naming in same if naming.start < place]
        chosen = before[-1:] or same[:1]
        return self._parties[chosen[0].party] if chosen else None

    def _introduced(self, speaker: str) -> Party | None:
        """Return the party named where the article introduces a speaker."""
        if not speaker[:1].isupper() or speaker.lower() in _PERSON | _THING:
            return None
        for match in re.finditer(rf"\b{re.escape(speaker)}\b", self._text):
            token = self._tokens.get(match.end() - len(speaker.split()[-1]))
            if token is None:
                continue
            while token.dep_ in ("compound", "appos") and token.head is not token:
                token = token.head
            side = self._named_by(token)
            if side is not None:
                return side
            nouns = (word for word in _described(token) if word.pos_ in ("NOUN", "PROPN"))
            kind = next(filter(None, map(office, nouns)), None)
            if kind is not None:
                return self._of_kind(kind, match.start())
        return None

    def _move_focus(self, span: Span, sides: Sequence[tuple[Quotation, Party | None]]) -> None:
        """Remember the parties that the next statement's "it" and "he" are about."""
        for quotation, side in sides:
            if not self._speaks_itself(quotation):
                self._spoke = side
        named = self._named(span)
        subjects = [n for n in named if self._is_subject(n)]
        for naming in subjects or named[:1]:
            self._focus = self._parties[naming.party]
            return
        for _, side in sides:
            if side is not None:
                self._focus = side
                return

    def _is_subject(self, naming: Naming) -> bool:
        first = bisect_left(self._starts, naming.start)
        last = bisect_left(self._starts, naming.end)
        return any(self._tokens[place].dep_ in _SUBJECT for place in self._starts[first:last])


def _described(head: Token) -> Iterator[Token]:
    """Yield the words of a phrase that tell who it is: not what the person does besides."""
    yield head
    for child in head.children:
        if child.dep_ != "relcl" or child.lemma_ in _LEADS:
            yield from _described(child)


def _parties(text: str, namings: Sequence[Naming]) -> dict[str, Party]:
    found: dict[str, Naming] = {}
    for naming in namings:
        earlier = found.get(naming.party)
        if earlier is None or (naming.is_noun and not earlier.is_noun):
            found[naming.party] = naming
    return {
        key: Party(key, naming.actor, " ".join(text[naming.start : naming.end].split()))
        for key, naming in found.items()
    }


def naming_text(text: str, naming: Naming) -> str:
    """Return what names a party at one place, as `plain` gives it."""
    return plain(text[naming.start : naming.end])


def plain(name: str) -> str:
    """Return a name on one line, without its article."""
    return _ARTICLE.sub("", " ".join(name.split()))


def _is_noun(candidate: Candidate, namings: Sequence[Naming]) -> bool:
    return any(n.is_noun and n.start == candidate.mention.start for n in namings)


def _extent(quotation: Quotation) -> Span:
    spans = [*quotation.contents, *filter(None, (quotation.cue, quotation.source))]
    return min(start for start, _ in spans), max(end for _, end in spans)


def _meets(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]


def _holds(spans: Sequence[Span], place: int) -> bool:
    return any(start <= place < end for start, end in spans)


def _within(inner: Span | None, outer: Span) -> Span | None:
    return inner if inner and outer[0] <= inner[0] and inner[1] <= outer[1] else None
