"""Who is who among an article's parties: names no list has, and what else each is called."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from detente.parties.casing import loud_lines
from detente.parties.government import Governments
from detente.parties.kind import STATE, bare_noun, kind_nouns, kind_of, office, read_kinds, speaks
from detente.parties.lexicon import CALENDAR, OFFICES, word_set
from detente.parties.naming import Naming
from detente.speech.cue import read_cues
from detente.speech.parser import Paragraph

if TYPE_CHECKING:
    from spacy.tokens import Token

SUBJECT = frozenset({"nsubj", "nsubjpass", "csubj"})
# Words before a noun that stands for two parties: "neither side", "the two governments".
PAIR = frozenset({"both", "neither", "two"})
_NO_NAMES = CALENDAR | word_set("Mr Mrs Ms Dr Gen Col Lt Maj Sgt Capt")
_FIELDS = OFFICES | word_set("Assistant Fisheries Oil Petroleum Press Security Senior")
_POSTS = word_set("Minister Ministry Secretary Undersecretary")
_TREATIES = word_set("Accord Act Agreement Bill Charter Code Constitution Pact Protocol Treaty")
_FEWEST = 2
_GUESSES = ("company", "institution", "union", "group")
_MODIFIERS = frozenset({"det", "amod", "compound"})
# Nouns for who does something, most of which no list holds: hijackers, investors, merchants.
_DOERS = re.compile(r"(?:[eo]rs|ists|ants|men|women)$")
_NO_DOERS = frozenset(
    {"letters", "matters", "newspapers", "numbers", "others", "papers", "posters"}
)


@dataclass(frozen=True)
class Person:
    """A place where a person is named, the person's fullest name, and whether the person acts."""

    start: int
    end: int
    name: str
    acts: bool


@dataclass(frozen=True)
class Roster:
    """An article's parties and people: where they are named, in reading order, and their kinds."""

    namings: Sequence[Naming]
    people: Sequence[Person]
    kinds: Mapping[str, str]
    governments: Governments


def settle(
    text: str,
    paragraphs: Sequence[Paragraph],
    namings: Sequence[Naming],
    states: Container[str],
    heads: Mapping[str, Sequence[str]],
) -> Roster:
    """Return an article's namings with the names added that no list or pattern knows.

    A name that nobody bears and that says, wants or does something, or has a board, a minister or
    a branch secretary, is a party. "The company" is then the company that was named last.

    Args:
        text: the article.
        paragraphs: the article, parsed.
        namings: what the gazetteer found in it.
        states: the actors that are states.
        heads: last words of names, each with the nouns that stand for the party.
    """
    names = _Names(paragraphs, namings)
    unlisted = names.parties()
    listed = [*namings, *unlisted, *_loud(text, namings, {n.party for n in unlisted})]
    found = [*listed, *_bodies(paragraphs, listed, states)]
    found.sort(key=lambda naming: naming.start)
    kinds = _known_kinds(found, names.kinds, states, heads)
    own = [n for n in found if kinds.get(n.party) == STATE and not is_generic(n)]
    governments = Governments(text, own)
    merged = list(_merge(found, kinds, governments))
    return Roster(merged, list(names.people()), kinds, governments)


def _known_kinds(
    namings: Sequence[Naming],
    told: Mapping[str, str],
    states: Container[str],
    heads: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Return the kind of each party, where its name or what it owns tells it."""
    kinds = {}
    for naming in namings:
        if naming.actor is not None:
            kind = STATE if naming.actor in states else None
        else:
            # "Delmont Inc." is a company by what a head such as "Inc" stands for.
            nouns = heads.get(naming.party.split()[-1].rstrip("."), ())
            named = kind_of(naming.party) or kind_of(" ".join(nouns[:1]))
            kind = named or told.get(naming.party)
        if kind:
            kinds[naming.party] = kind
    return kinds


@dataclass(frozen=True)
class _Name:
    """A run of proper nouns that no naming covers."""

    text: str
    start: int
    end: int
    first: Token
    head: Token

    @property
    def kind(self) -> str | None:
        """The kind of party that the words around it tell, if they do."""
        return _owned_kind(self.head) or _titled_kind(self.first)

    @property
    def is_definite(self) -> bool:
        """Whether "the" stands before it, as it does before no person's name without a title."""
        before = self.first.doc[self.first.i - 1] if self.first.i else None
        titles = read_cues().titles | read_cues().persons
        is_titled = self.first.lower_ in titles or self.head.lower_ in titles
        return before is not None and before.lower_ == "the" and not is_titled


class _Names:
    """The proper names of an article that the gazetteer does not know."""

    def __init__(self, paragraphs: Sequence[Paragraph], namings: Sequence[Naming]) -> None:
        self._covered = sorted((naming.start, naming.end) for naming in namings)
        self._names = [name for p in paragraphs for name in self._runs(p)]
        self._short = {
            short.text: full.text
            for full, short in pairwise(self._names)
            if _is_short_form(short, full)
        }
        self._written_short = {*self._short, *self._short.values()}
        self._persons = set(self._surnames())
        self.kinds = dict(self._listed_kinds(paragraphs, namings))

    def _listed_kinds(
        self, paragraphs: Sequence[Paragraph], namings: Sequence[Naming]
    ) -> Iterator[tuple[str, str]]:
        """Yield the kinds that "Tishka's government" tells of names a pattern found."""
        starts = {p.start + token.idx: token for p in paragraphs for token in p.doc}
        ends = {place + len(token): token for place, token in starts.items()}
        for naming in namings:
            first, head = starts.get(naming.start), ends.get(naming.end)
            if naming.actor is not None or is_generic(naming) or first is None or head is None:
                continue
            kind = _owned_kind(head) or _titled_kind(first)
            if kind:
                yield naming.party, kind

    def parties(self) -> list[Naming]:
        """Return every place where one of them names a party.

        A single word is one if it acts at least twice over, several words only if they own what
        no person owns. A name that "the" or its initials in brackets mark as no person's is one
        if it acts at all.
        """
        by_text: dict[str, list[_Name]] = defaultdict(list)
        for name in self._names:
            if name.text not in self._persons:
                by_text[self._short.get(name.text, name.text)].append(name)
        found = []
        for text, names in by_text.items():
            kinds = Counter(kind for name in names if (kind := name.kind))
            owns = any(_owns(name.head) for name in names)
            is_actor = any(acts(name.head) for name in names)
            is_sure = len(names) >= _FEWEST or any(map(self._is_no_person, names))
            if not (kinds or owns or (is_actor and is_sure)):
                continue
            if kinds:
                self.kinds[text] = kinds.most_common(1)[0][0]
            found += [Naming(name.start, name.end, text, None, True) for name in names]
        return found

    def people(self) -> Iterator[Person]:
        """Yield every place where a person is named."""
        full = {
            word: name.text
            for name in reversed(self._names)
            if " " in name.text and name.text in self._persons
            for word in name.text.split()
        }
        for name in self._names:
            if name.text in self._persons:
                fullest = full.get(name.text, name.text)
                yield Person(name.start, name.end, fullest, acts(name.head))

    def _is_no_person(self, name: _Name) -> bool:
        return name.is_definite or "&" in name.text or name.text in self._written_short

    def _runs(self, paragraph: Paragraph) -> Iterator[_Name]:
        run: list[Token] = []
        for token in [*paragraph.doc, None]:
            if (
                token is not None
                and _goes_on(run, token)
                and not self._is_covered(paragraph, token)
            ):
                run.append(token)
                continue
            if run:
                start, end = paragraph.start + run[0].idx, paragraph.start + run[-1].idx
                name = run[0].doc[run[0].i : run[-1].i + 1].text
                # "Deputy Energy" of "Deputy Energy Minister" is nobody's name.
                is_treaty = run[-1].text in _TREATIES
                if not (is_treaty or _FIELDS.issuperset(name.split()) or _is_field(run[-1])):
                    yield _Name(name, start, end + len(run[-1]), run[0], run[-1])
            run = []

    def _is_covered(self, paragraph: Paragraph, token: Token) -> bool:
        place = paragraph.start + token.idx
        at = bisect_right(self._covered, (place, 1 << 60)) - 1
        return at >= 0 and place < self._covered[at][1]

    def _surnames(self) -> Iterator[str]:
        """Yield the names of persons: of several words, or after a title, and their last words."""
        titles = read_cues().titles
        offices = titles | {word for noun in kind_nouns() for word in noun.split()}
        bodies = {
            name.text
            for name in self._names
            if name.kind or _owns(name.head) or self._is_no_person(name)
        }
        for name in self._names:
            words = name.text.split()
            first = name.head.i - len(words) + 1
            before = name.head.doc[first - 1].lower_.rstrip(".") if first > 0 else ""
            if before in titles or (len(words) > 1 and name.text not in bodies):
                yield name.text
                yield words[-1]
                # "Deputy Minister Lee Dong-su" is Lee further down.
                untitled = (word for word in words if word.lower().rstrip(".") not in offices)
                yield next(untitled, words[-1])


def _is_short_form(short: _Name, full: _Name) -> bool:
    """Whether a name is the initials in brackets behind another: "the Plateau Front (PF)"."""
    doc, start = short.first.doc, short.first.i
    in_brackets = doc is full.head.doc and start - full.head.i == 2 and doc[start - 1].text == "("
    initials = "".join(word[0] for word in full.text.split())
    return in_brackets and short.text.isupper() and short.text == initials.upper()


def _is_field(head: Token) -> bool:
    """Whether a name is what a minister sees to: "Information Minister", "Minister of Finance"."""
    after = _next(head)
    if after is not None and head.dep_ == "compound" and after.text in _POSTS:
        return True
    return (
        head.dep_ == "pobj" and head.head.lower_ in ("of", "for") and head.head.head.text in _POSTS
    )


def _goes_on(run: Sequence[Token], token: Token) -> bool:
    """Whether a token belongs to the name before it, or begins one; hyphens and "&" join."""
    hyphen = token.text == "-" and bool(run) and not run[-1].whitespace_ and not token.whitespace_
    following = _next(token)
    joins = token.text == "&" and bool(run) and following is not None and _is_name(following)
    return hyphen or joins or _is_name(token)


def _is_name(token: Token) -> bool:
    is_capitalised = token.pos_ == "PROPN" and token.text[:1].isupper()
    following = _next(token)
    is_jan = token.text == "Jan" and following is not None and following.pos_ == "PROPN"
    return is_capitalised and (is_jan or token.text.rstrip(".") not in _NO_NAMES)


def _next(token: Token) -> Token | None:
    return token.doc[token.i + 1] if token.i + 1 < len(token.doc) else None


def _owned_kind(head: Token) -> str | None:
    """Return the kind that "Aerovel's finance chief" or "Pitchline, a company" tells."""
    owned = _owned(head)
    described = [child for child in head.children if child.dep_ == "appos"]
    nouns = [*([owned] if owned is not None else []), *described]
    return next((kind for noun in nouns if (kind := _told_kind(noun, noun in described))), None)


def _told_kind(noun: Token, is_description: bool) -> str | None:
    kind = office(noun)
    if kind is None or not is_description:
        # Brevik's drivers may well be in a union, but Brevik is none.
        kinds = read_kinds()
        is_shared = noun.lower_ in kinds.workforce | kinds.leaders | kinds.things
        return None if is_shared else kind
    # "Aalto, the finance chief" and "Aalto, the owner" are persons, "Aerovel, the airline" is not.
    is_person = noun.lemma_.lower() in read_cues().persons
    return kind if noun.lower_ in read_kinds().kinds[kind].bodies and not is_person else None


def _titled_kind(first: Token) -> str | None:
    """Return the kind that "the shipping line Norrbeck" tells of Norrbeck; an office tells none."""
    words: list[str] = []
    for token in reversed(first.doc[: first.i]):
        if not (token.text.islower() and token.pos_ in ("NOUN", "ADJ")):
            break
        words.insert(0, token.text)
    tails = (" ".join(words[at:]) for at in range(len(words)))
    kinds = read_kinds().kinds.items()
    return next((name for tail in tails for name, kind in kinds if tail in kind.bodies), None)


def _owns(head: Token) -> bool:
    """Whether a name owns what no person has: a board, a spokesman, a president."""
    owned = _owned(head)
    return owned is not None and _joined(owned) in read_kinds().organs | read_kinds().leaders


def _joined(noun: Token) -> str:
    """Return a noun with what a hyphen joins to it: "secretary-general"."""
    before = noun.doc[max(0, noun.i - 2) : noun.i]
    is_joined = len(before) > 1 and before[1].text == "-" and not before[0].whitespace_
    return f"{before.text if is_joined else ''}{noun.text}".lower()


def _owned(head: Token) -> Token | None:
    if head.dep_ == "poss":
        return head.head
    if head.dep_ == "compound" and head.head.text[:1].islower():
        return head.head
    if head.dep_ == "pobj" and head.head.lower_ in ("of", "for"):
        owner = head.head.head
        told = office(owner) or owner.lower_ in read_kinds().organs
        return owner if owner.pos_ == "NOUN" and told else None
    return None


def subject_of(head: Token) -> Token | None:
    """Return the verb whose subject a name is, alone or as one of several."""
    while head.dep_ == "conj" and head.head.pos_ in ("NOUN", "PROPN"):
        head = head.head
    return head.head if head.dep_ in SUBJECT else None


def acts(head: Token) -> bool:
    """Whether a name is the subject of saying, wanting or deciding."""
    verb = subject_of(head)
    if verb is None or verb.dep_ == "relcl":
        return False
    cues = read_cues()
    return verb.lemma_ in cues.say | cues.intend | cues.urge | cues.judge | cues.think


def _loud(text: str, namings: Sequence[Naming], names: set[str]) -> Iterator[Naming]:
    """Yield the parties that a headline in capitals names."""
    parties = names | {n.party for n in namings if n.actor is None and not is_generic(n)}
    loud = {party.upper(): party for party in parties if party.upper() != party}
    if not loud:
        return
    names_first = sorted(loud, key=lambda name: (-len(name), name))
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names_first))})(?!\w)")
    for line in loud_lines(text):
        for match in pattern.finditer(text, *line):
            yield Naming(match.start(), match.end(), loud[match.group()], None, True)


def _bodies(
    paragraphs: Sequence[Paragraph], namings: Sequence[Naming], states: Container[str]
) -> Iterator[Naming]:
    """Yield "the league", bare "drivers" and others that act and that no naming covers."""
    covered = {place: naming for naming in namings for place in range(naming.start, naming.end)}
    for paragraph in paragraphs:
        for token in paragraph.doc:
            place = paragraph.start + token.idx
            if token.pos_ != "NOUN" or place in covered:
                continue
            lefts = [child for child in token.lefts if child.dep_ in _MODIFIERS]
            if not _is_group(token, lefts):
                continue
            owners = (covered.get(paragraph.start + word.idx) for word in (*lefts, *_owners(token)))
            if any(owner is not None and _is_organ(token, owner, states) for owner in owners):
                continue
            first = paragraph.start + (lefts[0].idx if lefts else token.idx)
            yield Naming(first, place + len(token), f"the {token.lower_}", None, True)


def _owners(noun: Token) -> Iterator[Token]:
    """Yield what stands behind the "of" of a noun."""
    for word in noun.rights:
        if word.lower_ == "of":
            yield from (child for child in word.children if child.dep_ == "pobj")


def _is_organ(noun: Token, owner: Naming, states: Container[str]) -> bool:
    """Whether a noun stands for its owner: "the Togo minister" does, "the Togo union" does not."""
    kind = kind_nouns().get(noun.lower_)
    if owner.actor in states:
        return kind == STATE
    return kind not in (None, "group", "union")


def _is_group(noun: Token, lefts: Sequence[Token]) -> bool:
    """Whether a subject is a body or a group such as parties are, not a person or a paper.

    Args:
        noun: any noun.
        lefts: its article and the words that say more of it.
    """
    if subject_of(noun) is None or any(word.lower_ in PAIR for word in noun.lefts):
        return False
    kind = kind_nouns().get(noun.lower_)
    if kind is not None:
        # "Colombian guerrillas" are a party, "Colombian drivers" are not yet one.
        is_bare = noun.tag_ == "NNS" and (not lefts or (kind == "group" and lefts[0].dep_ != "det"))
        if noun.lower_ in read_kinds().things and not acts(noun):
            return False
        return is_bare or (bool(lefts) and lefts[0].lower_ == "the")
    if not acts(noun):
        return False
    are_doers = noun.tag_ == "NNS" and _DOERS.search(noun.lower_) and noun.lower_ not in _NO_DOERS
    return bool(are_doers or noun.lemma_.lower() in read_cues().bodies) and not speaks(noun)


def _merge(
    namings: Sequence[Naming], kinds: Mapping[str, str], governments: Governments
) -> Iterator[Naming]:
    """Yield namings with the generic ones given to the party of their kind named last."""
    known = {naming.party: kinds.get(naming.party) for naming in namings if not is_generic(naming)}
    places: dict[str, list[tuple[int, Naming]]] = defaultdict(list)
    for naming in namings:
        kind = known.get(naming.party)
        if kind and naming.is_noun and not naming.is_place:
            places[kind].append((naming.start, naming))
    nameless = {p for p, kind in known.items() if kind is None}
    listed = {naming.party for naming in namings if naming.actor is not None}
    called = {kind_of(naming.party) for naming in namings if is_generic(naming)} - {None}
    unclaimed = called - set(places)
    kind = next((k for k in _GUESSES if k in unclaimed), None)
    if kind and len(nameless) == 1 and not nameless & listed:
        # The one party of no known kind is the one of the kind that has no name, unless it is
        # one that everybody knows not to be: the IMF is no company.
        (party,) = nameless
        places[kind] = [(n.start, n) for n in namings if n.party == party]
    bodies = _bodies_of_kinds(namings)
    home = _home(namings, kinds)
    for naming in namings:
        kind = kind_of(naming.party) if is_generic(naming) else None
        if kind is None:
            yield naming
            continue
        governing = _governing(naming, governments) if kind == STATE else None
        if governing is not None:
            yield replace(naming, party=governing.party, actor=governing.actor)
            continue
        named = places[kind]
        at = bisect_right(named, naming.start, key=lambda pair: pair[0]) - 1
        # Before any is named, only one that stays alone in the article can be meant.
        is_known = at >= 0 or len({other.party for _, other in named}) == 1
        target = named[max(at, 0)][1] if is_known else bodies.get(kind, naming)
        if home not in (None, target.party) and target.actor and _is_minister(naming):
            yield naming
            continue
        yield replace(naming, party=target.party, actor=target.actor)


def _is_minister(naming: Naming) -> bool:
    """Whether it is "the foreign minister" or "Commerce Ministry", of a state that goes unsaid."""
    offices = read_kinds().kinds[STATE].offices
    return "Minist" in naming.party or bare_noun(naming.party) in offices


def _governing(naming: Naming, governments: Governments) -> Naming | None:
    """Return the state that "the government" is of; "the ambassador" may be any state's."""
    if bare_noun(naming.party) in ("ambassador", "consul"):
        return None
    return governments.meant(naming.start, naming.end)


def _home(namings: Sequence[Naming], kinds: Mapping[str, str]) -> str | None:
    """Return the state of a dateline, whose minister is the one that needs no other name."""
    states = (naming for naming in namings if kinds.get(naming.party) == STATE)
    first = next(states, None)
    return first.party if first is not None and first.is_place else None


def _bodies_of_kinds(namings: Sequence[Naming]) -> dict[str, Naming]:
    """Return what each kind is called most often by a body's noun, not by an office."""
    counts = Counter(naming.party for naming in namings if is_generic(naming))
    found: dict[str, Naming] = {}
    for naming in namings:
        noun = bare_noun(naming.party)
        # "Health Ministry" is a body, "the finance ministry" may be a post to be had.
        nouns = {noun, "ministry"} if naming.party.endswith(" Ministry") else {noun}
        for name, kind in read_kinds().kinds.items():
            best = found.get(name)
            if nouns & kind.bodies and (best is None or counts[naming.party] > counts[best.party]):
                found[name] = naming
    return found


def is_generic(naming: Naming) -> bool:
    """Whether it names a party by a noun that others of its kind share."""
    if naming.actor is not None:
        return False
    return (
        naming.party.startswith(("the ", "The "))
        or "Minist" in naming.party
        or naming.party.lower() in kind_nouns()
    )
