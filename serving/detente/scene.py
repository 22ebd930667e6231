"""An article's words and parties, by their place in the text."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from detente.parties.kind import STATE, UNION, office, read_kinds, speaks
from detente.parties.naming import Cover, Naming, first_by_party
from detente.parties.party import SUBJECT, Person, Roster, is_generic
from detente.speech.parser import Paragraph
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

_WORD = re.compile(r"\w+")
_ARTICLE = re.compile(r"^(?:the|a|an) ", re.IGNORECASE)
_LEADS = frozenset({"chair", "command", "head", "lead", "represent", "run", "speak"})
_WHERE = frozenset({"across", "in", "inside", "near", "outside", "through", "via"})
_PRIVATE = frozenset({"company", "group", "union"})
# Armies have them as well as rebels.
_COMMANDERS = frozenset({"commander", "commanders"})
# "Iran-backed fighters" are not Iran, nor are goods that are made there.
_BOUND = re.compile(
    r"[-‐‑](?:aligned|allied|backed|based|born|brokered|built|controlled|flagged|funded|held|led|made"
    r"|mediated|occupied|owned|registered|run|sponsored)\b"
)
_OPPOSING = frozenset(
    {"dissident", "dissidents", "exile", "exiled", "exiles", "guerrilla", "insurgent", "militant",
     "opposition", "rebel", "separatist"}
)  # fmt: skip
# They speak for nobody but themselves, wherever they are from.
BYSTANDERS = frozenset(
    {"academic", "analyst", "columnist", "commentator", "critic", "economist", "expert",
     "historian", "journalist", "observer", "reporter", "resident", "scholar", "victim"}
)  # fmt: skip
_REMEMBERED = 500  # namings
_NO_PRONOUNS = frozenset({"IT", "US"})


@dataclass(frozen=True)
class Party:
    """A party of an article: its id, its actor in the gazetteer, its first name in the text."""

    id: str
    actor: str | None
    name: str


class Scene:
    """Finds the words and the namings of any stretch of an article.

    Args:
        text: the article.
        paragraphs: the article, parsed.
        roster: where it names parties and people.
    """

    def __init__(self, text: str, paragraphs: Sequence[Paragraph], roster: Roster) -> None:
        self.text = text
        self.people = roster.people
        self._people = [person.start for person in roster.people]
        self._names = Cover(len(text), roster.namings)
        self._offsets = {id(p.doc): p.start for p in paragraphs}
        self._parsed = sorted(paragraph.span for paragraph in paragraphs)
        self._words = [(p.start + token.idx, token) for p in paragraphs for token in p.doc]
        self._places = [place for place, _ in self._words]
        self._roster = roster
        self.namings = [naming for naming in roster.namings if self._is_party(naming)]
        self._starts = [naming.start for naming in self.namings]
        self._parties = _parties(text, self.namings)
        self._by_name = {
            _plain(text[naming.start : naming.end]): self.party(naming) for naming in self.namings
        }
        kinds: dict[str, list[Naming]] = {}
        for naming in self.namings:
            kinds.setdefault(self.kind(naming) or "", []).append(naming)
        # Where parties of a kind have names of their own, nouns that they share tell nothing.
        self._kinds = {
            kind: [naming for naming in namings if not is_generic(naming)] or namings
            for kind, namings in kinds.items()
        }

    def party(self, naming: Naming) -> Party:
        """Return the party that is named."""
        return self._parties[naming.party]

    def kind(self, naming: Naming) -> str | None:
        """Return the kind of the party that is named, if it is known."""
        return self._roster.kinds.get(naming.party)

    def called(self, name: str) -> Party | None:
        """Return the party that has a name, articles aside."""
        return self._by_name.get(_plain(name))

    def places_of(self, word: str) -> Sequence[int]:
        """Return where a word stands, as it is written."""
        return self._places_of_words.get(word, ())

    @cached_property
    def _places_of_words(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        for match in _WORD.finditer(self.text):
            places[match.group()].append(match.start())
        return places

    def words(self, span: Span) -> list[tuple[int, Token]]:
        """Return the words of a stretch with their places."""
        first = bisect_left(self._places, span[0])
        return self._words[first : bisect_left(self._places, span[1])]

    def named(self, span: Span) -> list[Naming]:
        """Return the namings that begin in a stretch."""
        first = bisect_left(self._starts, span[0])
        return self.namings[first : bisect_left(self._starts, span[1])]

    def people_in(self, span: Span) -> Sequence[Person]:
        """Return the people named in a stretch."""
        first = bisect_left(self._people, span[0])
        return self.people[first : bisect_left(self._people, span[1])]

    def pronoun(self, place: int, token: Token) -> str:
        """Return what `pronoun` says of a word; empty also if it belongs to a party's name."""
        return "" if self._names.covers(place) else pronoun(token.text)

    def of_kind(self, kind: str | None, place: int) -> Party | None:
        """Return the party of a kind that was last named before a place, or first behind it.

        Where several states are named, "the minister" could be anybody's: it is that of the state
        that the article is about, or of the government that is meant there, or none's.
        """
        same = self._kinds.get(kind, ()) if kind is not None else ()
        if not same:
            return None
        if kind == STATE and self._has_several_states:
            return self.main_state or self._governing(place)
        at = bisect_left(same, place, key=lambda naming: naming.start)
        return self.party(same[max(at - 1, 0)])

    def _governing(self, place: int) -> Party | None:
        state = self._roster.governments.meant(place, place)
        return self._parties.get(state.party) if state is not None else None

    @cached_property
    def _has_several_states(self) -> bool:
        return len({naming.party for naming in self._kinds.get(STATE, ())}) > 1

    def opponents(self, place: int, kind: str | None) -> list[Party]:
        """Return the two parties named most often before a place, of a kind if two are of it."""
        end = bisect_left(self._starts, place)
        before = self.namings[max(0, end - _REMEMBERED) : end]
        counts = Counter(naming.party for naming in before)
        same = [party for party in counts if self._roster.kinds.get(party) == kind]
        among = same if kind and len(same) > 1 else list(counts)
        most = sorted(among, key=lambda party: -counts[party])[:2]
        return [self._parties[party] for party in most] if len(most) > 1 else []

    def first_state(self, end: int | None = None) -> Party | None:
        """Return the state named first, be it as a place only: in a dateline or a record's head.

        Args:
            end: where to stop looking; nothing for the article's end.
        """
        states = (naming for naming in self._roster.namings if self.kind(naming) == STATE)
        first = next(states, None)
        if first is None or (end is not None and first.start >= end):
            return None
        return self._parties.get(first.party) or _parties(self.text, [first])[first.party]

    @cached_property
    def main_state(self) -> Party | None:
        """The state named more than all others together, and as often as any party is.

        None if another state is named first: an agency at home writes most of the other side.
        """
        namings = self._kinds.get(STATE, ())
        states = Counter(naming.party for naming in namings if not is_generic(naming))
        if not states:
            return None
        (party, count), *_ = states.most_common(1)
        most = max(Counter(naming.party for naming in self.namings).values())
        first = self.first_state()
        is_first = first is not None and first.id == party
        is_main = 2 * count > states.total() and count == most
        return self._parties[party] if is_main and is_first else None

    def head(self, span: Span) -> Token | None:
        """Return the word of a phrase that the others belong to."""
        words = [token for _, token in self.words(span)]
        inside = set(words)
        return next((word for word in words if word.head not in inside), None)

    def place(self, token: Token) -> int:
        """Return where a word begins."""
        return self._offsets[id(token.doc)] + token.idx

    def is_subject(self, naming: Naming) -> bool:
        """Whether a naming is the subject of a clause."""
        words = self.words((naming.start, naming.end))
        return any(token.dep_ in SUBJECT for _, token in words)

    def _is_party(self, naming: Naming) -> bool:
        """Whether a name stands for its party, not for where things are or come from."""
        if naming.is_place or _BOUND.match(self.text, naming.end):
            return False
        words = self.words((naming.start, naming.end))
        if not words:
            return self._is_parsed(naming.start)
        last = words[-1][1]
        is_modifier = last.dep_ in ("amod", "compound", "nmod")
        # "German unions", "a U.S. carmaker" and "Syria's opposition" are not the state.
        is_owner = is_modifier or last.dep_ == "poss"
        is_other = _opposes(last.head) or (is_modifier and _is_private(last.head))
        if is_owner and is_other and self.kind(naming) == STATE:
            return False
        # "Brevik drivers" walk out of Brevik.
        if is_modifier and last.head.lower_ in read_kinds().workforce:
            return self.kind(naming) == UNION
        if not naming.is_noun and is_modifier:
            return speaks(last.head) and last.head.lemma_.lower() not in BYSTANDERS
        # "in Doha, Qatar" as in "in Qatar".
        place = last.head if last.dep_ == "appos" else last
        return not (place.dep_ == "pobj" and place.head.lower_ in _WHERE)

    def _is_parsed(self, place: int) -> bool:
        """Whether a place is in a sentence; a dateline is in none."""
        at = bisect_right(self._parsed, place, key=lambda extent: extent[0]) - 1
        return at >= 0 and place < self._parsed[at][1]


def _is_private(noun: Token) -> bool:
    """Whether a noun stands for a company, a union or rebels, or for who speaks for such."""
    is_private = office(noun) in _PRIVATE or noun.lower_ == "parent"
    return is_private and noun.lower_ not in _COMMANDERS


def _opposes(noun: Token) -> bool:
    """Whether a noun is those who oppose a state: "rebel leaders", "the opposition"."""
    words = {noun.lower_} | {child.lower_ for child in noun.lefts}
    return not words.isdisjoint(_OPPOSING)


def _parties(text: str, namings: Sequence[Naming]) -> dict[str, Party]:
    return {
        key: Party(key, naming.actor, " ".join(text[naming.start : naming.end].split()))
        for key, naming in first_by_party(namings).items()
    }


def _plain(name: str) -> str:
    return _ARTICLE.sub("", " ".join(name.split()))


def pronoun(word: str) -> str:
    """Return a word as pronouns are listed, in small letters; empty for "US" and "IT"."""
    return "" if word in _NO_PRONOUNS else word.lower()


def described(head: Token) -> Iterator[Token]:
    """Yield the words of a phrase that tell who it is: not what the person does besides."""
    pending = [head]
    while pending:
        word = pending.pop()
        yield word
        pending.extend(c for c in word.children if c.dep_ != "relcl" or c.lemma_ in _LEADS)
