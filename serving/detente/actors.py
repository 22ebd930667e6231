"""The gazetteer: names of parties, and where they stand in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from detente.article import Mention
from detente.document import read_document
from detente.errors import InputError

DEFAULT = Path(__file__).parent / "actors.yaml"


def _check_spelling(text: str) -> str:
    if not text[:1].isalnum() or text != text.strip():
        raise ValueError(f"{text!r} is no name; it must begin with a letter or a digit")
    return text


def _add_variants(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the spellings, and beside those with ' or "and" the same with ’ or "&"."""
    curly = (text.replace("'", "’") for text in texts)
    joined = (text.replace(" and ", " & ") for text in texts)
    return tuple(dict.fromkeys((*texts, *curly, *joined)))


_Text = Annotated[str, AfterValidator(_check_spelling)]
_Words = tuple[_Text, ...]
_Texts = Annotated[_Words, AfterValidator(_add_variants)]


class Actor(BaseModel):
    """A party and everything it is called. Names are matched as spelled, capitals and all.

    ``cities`` and ``seats`` (buildings and offices) stand for it as its capital does; ``short``
    are nouns that stand for it with "the" once an article has named it.
    """

    model_config = ConfigDict(extra="forbid")

    names: _Texts = ()
    capital: _Text | None = None
    cities: _Texts = ()
    demonyms: _Texts = ()
    seats: _Texts = ()
    short: _Words = ()

    @model_validator(mode="after")
    def _has_a_name(self) -> Actor:
        if not (self.nouns or self.demonyms or self.short):
            raise ValueError("no names are given, for example: {names: [Tarsa], capital: Oum}")
        return self

    @property
    def nouns(self) -> tuple[str, ...]:
        """Every string that stands for the party by itself, not as an adjective may."""
        capital = (self.capital,) if self.capital else ()
        return tuple(dict.fromkeys((*self.names, *capital, *self.cities, *self.seats)))

    @property
    def is_state(self) -> bool:
        """Whether it has a land or a people; bodies named after it are other parties."""
        return bool(self.capital or self.demonyms)

    def extended(self, more: Actor) -> Actor:
        """Return the actor with another's spellings added; a new capital joins the old one."""
        capitals = [capital for capital in (more.capital, self.capital) if capital]
        return Actor(
            names=self.names + more.names,
            capital=capitals[0] if capitals else None,
            cities=(*self.cities, *capitals[1:], *more.cities),
            demonyms=self.demonyms + more.demonyms,
            seats=self.seats + more.seats,
            short=self.short + more.short,
        )

    def without(self, taken: set[str]) -> Actor | None:
        """Return the actor less the spellings that another takes over, None if none is left."""
        fields: dict[str, tuple[str, ...]] = {
            field: tuple(text for text in getattr(self, field) if text not in taken)
            for field in ("names", "cities", "demonyms", "seats")
        }
        capital = self.capital if self.capital not in taken else None
        if not (capital or any(fields.values())):
            return None
        return Actor(**fields, capital=capital, short=self.short)


class ActorList(BaseModel):
    """The contents of a gazetteer file.

    ``generic`` are nouns that name a party only with an article: "union" finds "the union".
    ``bare`` are those of them that do so without one. ``modifiers`` stand between the two: "the
    rail union". ``heads`` are last words of names that no list can hold, each with the nouns that
    stand for the party afterwards. ``organs`` are nouns for what a state has and speaks through.
    ``given_names`` are spellings that are people's names, too. ``others`` are names that contain a
    party's and are none.
    """

    model_config = ConfigDict(extra="forbid")

    actors: dict[str, Actor] = {}
    generic: _Words = ()
    bare: _Words = ()
    modifiers: _Words = ()
    heads: dict[str, _Words] = {}
    organs: _Words = ()
    given_names: _Words = ()
    others: _Texts = ()

    def extended(self, more: ActorList) -> ActorList:
        """Return the list with another's entries added; the other takes over shared spellings."""
        actors: dict[str, Actor] = {}
        claimed = {
            text: name
            for name, actor in more.actors.items()
            for text in (*actor.nouns, *actor.demonyms)
        }
        for name, actor in self.actors.items():
            taken = {text for text, owner in claimed.items() if owner != name}
            kept = (
                actor.without(taken) if taken.intersection(actor.nouns + actor.demonyms) else actor
            )
            if kept is not None:
                actors[name] = kept
        for name, actor in more.actors.items():
            actors[name] = actors[name].extended(actor) if name in actors else actor
        return ActorList(
            actors=actors,
            generic=self.generic + more.generic,
            bare=self.bare + more.bare,
            modifiers=self.modifiers + more.modifiers,
            heads={**self.heads, **more.heads},
            organs=self.organs + more.organs,
            given_names=self.given_names + more.given_names,
            others=tuple(text for text in self.others if text not in claimed) + more.others,
        )


@dataclass(frozen=True)
class Naming:
    """One place where a party is named: by a noun of its own, or by a demonym.

    ``party`` tells parties apart; ``actor`` is the gazetteer's id, None for a party that it does
    not know. ``is_place`` says that the name stands for a place: "in Vienna", "the Paris talks".
    """

    start: int
    end: int
    party: str
    actor: str | None
    is_noun: bool
    is_place: bool = False


@dataclass(frozen=True)
class _Spelling:
    text: str
    party: str
    actor: str | None
    is_noun: bool
    place: str = ""


_Index = dict[str, list[_Spelling]]

# What a find needs to see around a statement to tell a place from a party.
_CONTEXT = 100


class Gazetteer:
    """Finds parties by name."""

    def __init__(self, actors: ActorList) -> None:
        self.actors = actors
        self._spellings: _Index = defaultdict(list)
        self._generic: _Index = defaultdict(list)
        self._loud: _Index = defaultdict(list)
        self._given = frozenset(actors.given_names)
        for actor, entry in actors.actors.items():
            for text in entry.nouns:
                self._add(_Spelling(text, actor, actor, True, _place(text, entry)))
            for text in entry.demonyms:
                self._add(_Spelling(text, actor, actor, False))
        for text in actors.others:
            self._add(_Spelling(text, "", None, True))
        for noun in dict.fromkeys(actors.generic):
            self._generic[_first_word(noun)].append(_Spelling(noun, f"the {noun}", None, True))
        for index in (self._spellings, self._generic, self._loud):
            for spellings in index.values():
                spellings.sort(key=lambda spelling: -len(spelling.text))
        lower = {word for word in self._spellings if word[:1] in _LOWER} | {"the"}
        self._quiet_word = re.compile(
            rf"(?<![\w.])(?:[^\W_a-z]\w*|(?:{'|'.join(map(re.escape, sorted(lower)))})\b)"
        )
        self._patterns = _Patterns(actors)

    @classmethod
    def load(cls, path: str | Path | None = None, *, extra: Path | None = None) -> Gazetteer:
        """Read a gazetteer from YAML.

        Args:
            path: the file; nothing for the package's own.
            extra: a file of the same form whose entries are added. An entry whose id is there
                already extends it: its spellings are added, its capital comes before the old one.
                A spelling that belongs to another actor is taken over by the extra file's.

        Raises:
            InputError: a file cannot be read or is broken; names file, line and key.
        """
        actors = _read(DEFAULT if path is None else Path(path))
        return cls(actors if extra is None else actors.extended(_read(extra)))

    def find(self, text: str, start: int = 0, end: int | None = None) -> list[Mention]:
        """Return one mention of each party between two offsets, in reading order.

        It is the party's first mention by a noun, or else its first by a demonym. Names that
        stand for a place are left out.
        """
        end = len(text) if end is None else end
        offset = max(0, start - _CONTEXT)
        window = text[offset : end + _CONTEXT]
        found: dict[str, Naming] = {}
        for naming in self._scan(window, start - offset, end - offset):
            if naming.is_place:
                continue
            earlier = found.get(naming.party)
            if earlier is None or (naming.is_noun and not earlier.is_noun):
                found[naming.party] = naming
        return [
            Mention(
                window[naming.start : naming.end],
                offset + naming.start,
                offset + naming.end,
                naming.actor,
            )
            for naming in sorted(found.values(), key=lambda naming: naming.start)
        ]

    def find_article(self, text: str) -> list[Naming]:
        """Return every naming in a whole article, in reading order; none overlap.

        Parties that the gazetteer does not know are found by the form of their names ("Ormond
        Steel Corp.", "the Highland Front", "Tarsa's foreign minister"); ``party`` is then the full
        name as first printed. Short forms ("Ormond", "the Front", "the company") have the party of
        the full name. Names that stand for a place are marked.
        """
        return _Cast(self._patterns, text, list(self.scan(text))).namings()

    def scan(self, text: str) -> Iterator[Naming]:
        """Yield every place where a listed party is named, in reading order; none overlap.

        Names that stand for a place are among them, marked; a person's name is not.
        """
        return self._scan(text, 0, len(text))

    def _scan(self, text: str, start: int, stop: int) -> Iterator[Naming]:
        flat = _flatten(text)
        datelines = [match.span() for match in _DATELINE.finditer(text)]
        for begin, end, loud in _passages(text, start, stop):
            for place, spelling in self._matches(flat, begin, end, loud):
                finish = place + len(spelling.text)
                if not spelling.party or self._is_person(text, flat, place, finish, spelling):
                    continue
                if spelling.actor is None:
                    place -= len("the ")
                yield Naming(
                    place,
                    finish,
                    spelling.party,
                    spelling.actor,
                    spelling.is_noun,
                    _is_place(flat, place, finish, spelling)
                    or any(first <= place and finish <= last for first, last in datelines),
                )

    def _matches(
        self, flat: str, position: int, stop: int, loud: bool
    ) -> Iterator[tuple[int, _Spelling]]:
        words, index = (_ANY_WORD, self._loud) if loud else (self._quiet_word, self._spellings)
        while match := words.search(flat, position, stop):
            place, position = match.span()
            word = match.group()
            spelling = _longest(index.get(word, ()), flat, place, stop)
            if spelling is None and word in ("the", "The"):
                place = position + 1
                noun = _first_word(flat, place)
                # "the South Korean side" is not "the South".
                if _longest(index.get(noun, ()), flat, place, stop) is None:
                    spelling = _longest(self._generic.get(noun, ()), flat, place, stop)
            elif spelling is not None and _OPPOSED.search(flat, max(0, place - 6), place):
                continue
            if spelling is not None:
                position = place + len(spelling.text)
                yield place, spelling

    def _is_person(self, text: str, flat: str, start: int, end: int, spelling: _Spelling) -> bool:
        if _HONORIFIC.search(flat, max(0, start - 10), start):
            return spelling.is_noun
        if spelling.text not in self._given:
            return False
        if _INITIAL.search(flat, max(0, start - 4), start):
            return True
        after = _SURNAME.match(flat, end)
        if after is None or _is_place(flat, start, end, spelling):
            return False
        word = after.group(1)
        known = word in _OFFICES or word in _CALENDAR or word in self._spellings
        return not known and word not in self.actors.heads and not _in_title(text, start)

    def _add(self, spelling: _Spelling) -> None:
        self._spellings[_first_word(spelling.text)].append(spelling)
        loud = replace(spelling, text=spelling.text.upper())
        if len(loud.text) == len(spelling.text) and loud.text not in _WORDS_IN_CAPITALS:
            self._loud[_first_word(loud.text)].append(loud)


def _read(path: Path) -> ActorList:
    actors = read_document(path, ActorList)
    owners: dict[str, str] = {}
    for name, actor in actors.actors.items():
        for text in (*actor.nouns, *actor.demonyms):
            if owners.setdefault(text, name) != name:
                raise InputError(
                    f"{path}: {text!r} stands for both {owners[text]!r} and {name!r}; "
                    "a spelling can stand for one actor only"
                )
    return actors


def _place(text: str, entry: Actor) -> str:
    if text == entry.capital or text in entry.cities:
        return "city"
    return "seat" if text in entry.seats else ""


def _longest(
    spellings: Sequence[_Spelling], flat: str, position: int, stop: int
) -> _Spelling | None:
    for spelling in spellings:
        text = spelling.text
        if flat.startswith(text, position):
            end = position + len(text)
            if end <= stop and not (flat[end : end + 1].isalnum() and text[-1].isalnum()):
                return spelling
    return None


_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_FIRST_WORD = re.compile(r"\w+")
_ANY_WORD = re.compile(r"(?<![\w.])\w+")
_OPPOSED = re.compile(r"\b(?:anti|pro|non|ex|post|pre|inter)-$", re.IGNORECASE)

# Acronyms that are words when everything is printed in capitals.
_WORDS_IN_CAPITALS = frozenset({"WHO", "MEND", "FED", "ISA", "ALBA", "BASIC", "QUAD", "AIM"})


def _first_word(text: str, position: int = 0) -> str:
    match = _FIRST_WORD.match(text, position)
    return match.group() if match else ""


def _flatten(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


_LOUD_LINE = re.compile(r"(?m)^[^a-zß-öø-ÿ\n]{6,}$")


def _passages(text: str, start: int, stop: int) -> Iterator[tuple[int, int, bool]]:
    """Yield stretches of a text with whether they are lines printed in capitals throughout."""
    position = start
    for match in _LOUD_LINE.finditer(text):
        begin, end = max(match.start(), start), min(match.end(), stop)
        if begin >= end or not match.group().isupper() or " " not in match.group().strip():
            continue
        yield position, begin, False
        yield begin, end, True
        position = end
    yield position, stop, False


# Places ----------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CALENDAR = _words(
    """January February March April May June July August September October November December
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday Jan Feb Aug Sept Oct Nov Dec"""
)
_DATELINE = re.compile(
    r"(?m)^[ \t]*[A-Z][\w.'’-]*(?:(?:, | |/)[A-Z][\w.'’-]*){0,5},? "
    r"(?:\([A-Z][^)\n]{1,30}\)|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.? \d{1,2}"
    r"(?:, \d{4})?) ?(?:--|[-–—]) "
)
_IN = re.compile(
    r"\b(?:in|at|to|from|near|outside|around|via|into|towards?)(?: central| downtown| nearby)? $",
    re.IGNORECASE,
)
_AT = re.compile(r"\b(?:in|at|near|outside|inside)(?: the)? $", re.IGNORECASE)
_PLACE_OF = re.compile(
    r"\b(?:city|mayor|university|bishop|archbishop|streets?|port|suburbs?|outskirts|residents|people"
    r"|battle|siege|fall|treaty|school|map|north|south|east|west) of $"
)
# "officials in Moscow", "a letter to Moscow", "it is up to Moscow": the government is meant.
_SPEAKERS = re.compile(
    r"\b(?:officials?|diplomats?|leaders?|leadership|government|authorities|policymakers|ministers?"
    r"|lawmakers|negotiators?|regime|administration|rulers|generals) (?:in|at|from)(?: the)? $",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    r"\b(?:offers?|offered|proposals?|proposed|letters?|messages?|signals?|notes?|warnings?|appeals?"
    r"|appealed|calls?|called|demands?|requests?|ultimatum|concessions?|conceded|assurances?"
    r"|guarantees?|pledges?|promises?|promised|commitments?|response|responded|repl(?:y|ied)|answers?"
    r"|answered|objections?|opposition|support|help|aid|loans?|pressure|criticism|protests?|word"
    r"|statements?|approval|permission|invitation|rebuke|silence|gesture|reparations|compensation"
    r"|acceptable|unacceptable|important|according|up|gave|given|giv(?:e|ing)|said|say|says|spoke|speak"
    r"|talk(?:ed|ing)?|listen(?:ed)?|yield(?:ed)?|bow(?:ed)?|due|owed|belongs?|handed|submitted"
    r"|conveyed|delivered|presented|sold|loyal|hostile|sought|wants?|wanted|expects?|expected|receive[sd]?"
    r"|differs?|distanced?) (?:to|from) $",
    re.IGNORECASE,
)
_OF_A_PLACE = re.compile(
    r"-based\b|(?: [a-z]+)? (?:talks?|summits?|conventions?|conferences?|agreements?|accords?"
    r"|airports?|round|meetings?|treaty|protocol|declaration|memorandum|process|negotiations|principles"
    r"|embassy|hotels?|courts?|markets?|stock exchange|bureau|office|streets?|suburbs?)\b",
    re.IGNORECASE,
)


_A = re.compile(r"\b[Aa]n? $")
_STATEMENT = re.compile(
    r" (?:official|spokes|envoy|diplomat|minister|government|delegation|negotiat|proposal|offer"
    r"|plan|demand|statement|decision|concession|veto|initiative)"
)


def _is_place(flat: str, start: int, end: int, spelling: _Spelling) -> bool:
    """Whether a capital or a seat of government is only where something is or happens.

    It is before "talks", "agreement", "airport" and the like, after "a" ("a London firm"), and
    after "in", "at", "to", "from" and "near", unless who is there or what passes between shows the
    government to be meant: "officials in Moscow", "a letter to Moscow", "in Moscow's view".
    """
    if not spelling.place:
        return False
    before = flat[max(0, start - 40) : start]
    if spelling.place == "seat":
        return bool(_AT.search(before)) and not _SPEAKERS.search(before)
    if flat.startswith(("'s", "’s", "'S", "’S"), end):
        return False
    if before[-1:] not in ("-", "–", "/") and _OF_A_PLACE.match(flat, end):
        return True
    if _PLACE_OF.search(before) or (_A.search(before) and not _STATEMENT.match(flat, end)):
        return True
    named = _SPEAKERS.search(before) or _ADDRESSED.search(before)
    return bool(_IN.search(before)) and not named


# People ----------------------------------------------------------------------------------------

_HONORIFIC = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Dame|Lord|Lady|Sen|Rep|Judge|Justice|Senator"
    r"|Sister|Brother)\.? $"
)
_INITIAL = re.compile(r"(?<![\w.])[A-Z]\. $")
_SURNAME = re.compile(r" ([A-Z][a-z'’-]+)")
_TITLES = _words(
    """President Prime Minister Premier Chancellor King Queen Prince Princess Emir Sheikh Sultan
    Ambassador Envoy Secretary Governor Mayor Senator Chairman Chairwoman Chief Executive Director
    General Colonel Captain Major Lieutenant Admiral Commander Marshal Sergeant Spokesman Vice
    Spokeswoman Mr Mrs Ms Miss Dr Prof Sir Dame Lord Lady Sister Brother Father Judge Justice
    Deputy Representative Professor Negotiator Commissioner"""
)
_OFFICES = _TITLES | _words(
    """Foreign Finance Defense Defence Interior Trade Energy Health Labour Labor Transport Justice
    Agriculture Environment Industry Economy Education Water Irrigation Home Commerce Government
    Ministry Parliament Cabinet Army Navy Embassy Delegation Officials Treasury Senate
    Negotiators"""
)
_HEADLINE = 200
_STOPS = tuple(".?!,;:”\"'")


def _in_title(text: str, position: int) -> bool:
    """Whether a line is printed As Headlines Are, so that capitals say nothing."""
    begin = text.rfind("\n", max(0, position - _HEADLINE), position) + 1
    end = text.find("\n", position, begin + _HEADLINE)
    line = text[begin : end if end >= 0 else begin + _HEADLINE].strip()
    if (
        (not begin and position > _HEADLINE)
        or not line[:1].isupper()
        or len(line) >= _HEADLINE
        or line.endswith(_STOPS)
    ):
        return False
    words = [word for word in re.findall(r"[^\W\d_][\w'’-]*", line) if len(word) > 3]
    return len(words) > 2 and sum(word[0].isupper() for word in words) >= 0.75 * len(words)


# Articles --------------------------------------------------------------------------------------

_NAME = (
    r"(?:(?:Ltd|Corp|Inc|Co|Bros|St|[A-Z](?:\.[A-Z])*)\.|plc\b"
    r"|[A-ZÀ-ÖØ-Þ][\w&-]*(?:['’](?!s\b)\w+)*)"
)
_CAPITALISED = re.compile(rf"(?<![\w.])({_NAME})(['’]s?(?= ))?")
_TAIL = re.compile(r" (?:of|for)(?: the)? ")
_BREAK = (".", "!", "?", ":", ";")
_LOCATED = re.compile(r"\b(?:in|at|from|near|to|of|on|outside) $")
_CLAUSE = re.compile(
    r"(?:^|[,.;:!?“\"(—–-] ?|  |\b(?:and|but|or|that|with|between|by|to|from|for|of|while|if|unless"
    r"|when|because|as|than|both|its|their|his|her|told|urged|asked|until|after|before|where) )$"
)

# Words that open sentences with a capital and belong to no name.
_OPENERS = _CALENDAR | _words(
    """The A An And But Or Nor So Yet If When While After Before Since Until Unless Although Though
    Because As At By For From In Into Of On Over To Under With Without Within Between Among Against
    About During Despite Both Either Neither Each Every All Any Some Many Most Few Several No Not
    Only Even Also Then Now Later Earlier Yesterday Today Tomorrow Tonight Meanwhile However Still
    Once Here There This That These Those It Its He His She Her They Their We Our I You Your My Who
    What Where Why How Which Whether Last Next Two Three Four Five Six Seven Eight Nine Ten One
    First Second Third Striking Senior Former Old Other Another Such Same Asked Told Speaking Like
    Unlike Per Instead Perhaps Maybe Yes Let Can Could Will Would Should May Might Must Is Are Was
    Were Do Does Did Has Have Had Outside Inside Across Around Behind Beyond Through Throughout
    Towards Toward Upon Via Q"""
)
_COMMON = (
    _OPENERS
    | _OFFICES
    | _words(
        """North South East West Northern Southern Eastern Western Central National United World
        International Royal Federal General Global Great Free State Public American European African
        Asian Common House Supreme High Security People's Workers Bank River Valley New"""
    )
)
_DIRECTIONS = _words("North South East West New Upper Lower Saint San Port")
_PLURALS = frozenset({"People", "Women", "Children", "Men", "Lord", "Mother"})
_POLITIES = _words("Republic Kingdom Emirate Sultanate Federation Commonwealth State")
_ENDINGS = _words("n an ian ean nian i ese ish ic er ite ns ans ians eans nians is ers ites")


class _Word(NamedTuple):
    """A capitalised word; ``joins`` says that it goes on with the name of the word before it."""

    text: str
    key: str
    start: int
    end: int
    possessive: bool
    initial: bool
    joins: bool


class _Run(NamedTuple):
    """Capitalised words in a row, those of them that make up a name, and the next such row."""

    printed: list[_Word]
    words: list[_Word]
    following: list[_Word]


class _Patterns:
    """The nouns of a gazetteer file as the expressions that an article is searched with."""

    def __init__(self, actors: ActorList) -> None:
        self.heads = actors.heads
        self.generic = frozenset(actors.generic)
        self.modifiers = frozenset(actors.modifiers)
        self.states = {name for name, actor in actors.actors.items() if actor.is_state}
        self.short = {name: actor.short for name, actor in actors.actors.items() if actor.short}
        self.companies = {head for head, nouns in actors.heads.items() if _FIRMS & {*nouns}}
        lower = {noun for nouns in actors.heads.values() for noun in nouns}
        short = {noun for nouns in self.short.values() for noun in nouns} | lower | {*actors.heads}
        self.firms = {noun for head in self.companies for noun in actors.heads[head]} | {"union"}
        organs, nouns = _alternatives(actors.organs), _alternatives(lower.difference(actors.organs))
        self.organ_after = re.compile(rf"(?:['’]s?)? (?:[a-z]+ ){{0,2}}?({organs})\b")
        self.organ_before = re.compile(rf"\b({organs}) of (?:the )?$", re.IGNORECASE)
        self.noun_after = re.compile(rf" ({nouns})\b(?! of\b)")
        self.noun_before = re.compile(rf"\b[Tt]he (?:[a-z-]+ )?({nouns}) $")
        self.short_form = re.compile(
            rf"\b[Tt]he ({_alternatives(short - self.generic)})\b(?! of\b| [A-Z])"
        )
        bare = {*actors.bare, *(noun.capitalize() for noun in actors.bare if noun.islower())}
        self.bare = re.compile(rf"(?<![\w-])({_alternatives(bare)})\b(?!['’-])")


_FIRMS = {"company", "firm"}


def _alternatives(nouns: Iterable[str]) -> str:
    """Return nouns as one expression, the longest first; without nouns it matches nothing."""
    return "|".join(sorted(map(re.escape, nouns), key=lambda noun: (-len(noun), noun))) or "(?!)"


class _Cast:
    """The parties of one article and what each is called in it."""

    def __init__(self, patterns: _Patterns, text: str, listed: list[Naming]) -> None:
        self._patterns = patterns
        self._heads = patterns.heads.keys()
        self._apart = _OPENERS | _OFFICES | self._heads
        self._printed = _flatten(text)
        self._flat = self._printed.replace("’", "'")
        self._headline = _headlines(text)
        self._listed = {naming.start: naming for naming in listed if naming.actor is not None}
        self._generic = [naming for naming in listed if naming.actor is None]
        self._rows = _rows(_capitalised(text, self._flat), self._headline)
        self._runs = self._plain_runs()
        self._people, self._maybe_people = self._surnames()
        self._names: dict[str, str] = {}
        self._called: dict[str, dict[str, tuple[str, bool] | None]] = defaultdict(dict)
        self._nouns: dict[str, tuple[str, ...]] = {}
        self._speaking: set[str] = set()
        self._found: list[Naming] = []
        self._covered = bytearray(len(text))

    def namings(self) -> list[Naming]:
        """Return the namings of listed and unlisted parties and their short forms."""
        for run in self._runs:
            self._find_body(run)
        for naming in (*self._listed.values(), *self._found):
            self._cover(naming)
        for run in self._runs:
            self._find_state(run)
        for run in self._runs:
            self._find_group(run.words)
        self._find_speakers()
        self._link_peoples()
        self._find_aliases()
        self._find_compounds()
        return self._resolve()

    def _plain_runs(self) -> list[_Run]:
        """Return the rows that are in no headline, where capitals say nothing."""
        rows = [row for row in self._rows if not self._headline[row[0].start]]
        return [
            _Run(row, _without_openers(row), following)
            for row, following in zip(rows, [*rows[1:], []], strict=False)
        ]

    def _cover(self, naming: Naming) -> None:
        self._covered[naming.start : naming.end] = b"\1" * (naming.end - naming.start)

    def _add(self, start: int, end: int, party: str, is_noun: bool = True) -> None:
        if not any(self._covered[start:end]):
            self._found.append(Naming(start, end, party, None, is_noun))
            self._cover(self._found[-1])

    def _call(self, name: str, party: str, is_noun: bool = True) -> None:
        """Let a name stand for a party; a name that two parties share stands for neither."""
        called = self._called[_first_word(name)]
        earlier = called.setdefault(name, (party, is_noun))
        if earlier is not None and earlier[0] != party and name not in self._names:
            called[name] = None

    # Bodies: "the Tarsa Dock Workers' Union", "Bank of Tarsa", "Kestrel Freight Ltd"

    def _find_body(self, run: _Run) -> None:
        words = run.words
        heads = self._patterns.heads
        at = max((i for i, word in enumerate(words) if word.key in heads), default=-1)
        if at < 0:
            return
        head, before = words[at].key, words[:at]
        tail = self._tail(words[at], run.following, alone=at == 0) if at == len(words) - 1 else []
        if not (before or tail) or at > _LONGEST or any(word.key == "News" for word in before):
            return
        field = all(word.key in _OFFICES or word.key == "Affairs" for word in (*before, *tail))
        if head in _STATE_HEADS and not field:
            return
        start = self._joined_start(words[0]) if before else words[0].start
        end = (tail or words)[-1].end if tail else words[at].end
        if not self._yields(start, end, words[: at + 1]):
            return
        for place in [place for place in self._listed if start <= place < end]:
            del self._listed[place]
        party = self._register(start, end, head, company=head in self._patterns.companies)
        self._found.append(Naming(start, end, party, None, True))
        if head in _POLITIES and len(tail) == 1 and tail[0].key[-1] != "s":
            self._call(self._flat[tail[0].start : end], party)
            self._speaking.add(party)

    def _tail(self, head: _Word, following: list[_Word], *, alone: bool) -> list[_Word]:
        match = _TAIL.match(self._flat, head.end)
        if match is None or head.possessive or head.key in self._patterns.companies - {"Bank"}:
            return []
        if not following or following[0].start != match.end() or following[0].key in _NO_TAIL:
            return []
        return following[:_LONGEST] if alone or match.group().startswith(" of") else []

    def _joined_start(self, first: _Word) -> int:
        """Return where "Justice and Equality Movement" starts, given its second word."""
        match = _JOINED.search(self._flat, max(0, first.start - 40), first.start)
        return match.start(1) if match and match.start(1) not in self._listed else first.start

    def _yields(self, start: int, end: int, words: list[_Word]) -> bool:
        """Whether the listed names within a body's name leave it to be a party of its own."""
        inside = [self._listed[word.start] for word in words if word.start in self._listed]
        if any(naming.end >= end for naming in inside):
            return False
        if not inside or inside[0].start != start:
            return True
        rest = [word.key for word in words if word.start >= inside[0].end]
        return inside[0].actor in self._patterns.states and not all(key in _OFFICES for key in rest)

    def _register(self, start: int, end: int, head: str, *, company: bool) -> str:
        """Return the party of a full name, that of an earlier name if it is part of this one."""
        name = self._flat[start:end]
        words = name.split(" ")
        tails = [" ".join(words[start:]) for start in range(1, len(words) - 1)]
        fronts = [" ".join(words[:end]) for end in range(len(words) - 1, 0, -1)] if company else []
        known = (self._names[part] for part in (name, *tails, *fronts[:-1]) if part in self._names)
        party = next(known, None) or self._meaning(name) or self._printed[start:end]
        self._names[name] = party
        self._nouns[party] = (head, *self._patterns.heads.get(head, (head,)))
        self._call(name, party)
        for part in tails:
            self._call(part, party)
        for part in fronts:
            if " " in part or self._is_distinct(part):
                self._call(part, party)
        initials = "".join(word[0] for word in words if word[0].isupper())
        if len(initials) > 2:
            self._call(initials, party)
        return party

    def _meaning(self, name: str) -> str | None:
        called = self._called.get(_first_word(name), {}).get(name)
        return called[0] if called else None

    def _is_distinct(self, word: str) -> bool:
        return len(word) > 2 and word not in _COMMON and word[-1] not in "'’." and word[0].isupper()

    # States and others that speak through organs: "Tarsa's foreign minister", "the Tarsan side"

    def _find_state(self, run: _Run) -> None:
        words = run.words
        office = next((i for i, word in enumerate(words) if word.key in _OFFICES), len(words))
        named = words[:office]
        if not named or any(self._covered[word.start] for word in named):
            return
        start, last = named[0].start, named[-1]
        has_organ = (
            office < len(words)
            or self._patterns.organ_after.match(self._flat, last.end) is not None
            or (_adjoin(last, run.following) and run.following[0].key in _OFFICES)
        )
        of = self._patterns.organ_before.search(self._flat, max(0, start - 30), start)
        definite = self._flat[max(0, start - 4) : start].lower() == "the "
        if not (of or has_organ) or not self._may_be_state(named, definite and has_organ):
            return
        if not (of or definite or last.possessive) and (
            named[0].initial or _LOCATED.search(self._flat, max(0, start - 9), start)
        ):
            return
        name = self._flat[start : last.end]
        party = self._meaning(name) or name
        self._speaking.add(party)
        self._call(name, party)

    def _may_be_state(self, words: list[_Word], definite: bool) -> bool:
        if len(words) > (3 if definite else 2) or any(w.key in self._patterns.heads for w in words):
            return False
        if len(words) == 2 and not definite and words[0].key not in _DIRECTIONS:
            return False
        if len(words) == 1 and (words[0].key in _COMMON or words[0].key in self._people):
            return False
        start = words[0].start
        return not _HONORIFIC.search(self._flat, max(0, start - 10), start)

    def _surnames(self) -> tuple[set[str], set[str]]:
        """Return words that stand behind a title or another name: they surely, or may, name people.

        Of names that open a sentence one cannot be sure: "Upstream Tarsa" is nobody.
        """
        sure: set[str] = set()
        unsure: set[str] = set()
        for row, words, _ in self._runs:
            start = row[0].start
            if _HONORIFIC.search(self._flat, max(0, start - 10), start):
                sure.add(row[0].key)
            if len(words) < 2 or any(word.key in self._heads for word in words):
                continue
            for before, word in pairwise(words):
                if before.key in _TITLES:
                    sure.add(word.key)
                elif before.key not in _UNTITLED and before.start not in self._listed:
                    (unsure if before.initial else sure).add(word.key)
        return sure - _OFFICES, (sure | unsure) - _OFFICES

    def _find_speakers(self) -> None:
        """Let a name printed twice or more, nobody's, that says or decides things be a party."""
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for _, words, _ in self._runs:
            if len(words) != 1 or words[0].key in _COMMON or self._covered[words[0].start]:
                continue
            word, count = words[0], counts[words[0].text]
            count[0] += 1
            count[1] += not word.initial
            count[2] += bool(_LOCATED.search(self._flat, max(0, word.start - 9), word.start))
            verb = _SAYS.match(self._flat, word.end)
            count[3] += 0 if verb is None else 1 if verb.group(1) in _AUXILIARIES else 9
        longer = {name.split(" ")[0]: name for name in self._names if name.count(" ") == 1}
        known = self._maybe_people | self._heads
        for name, (printed, inside, located, said) in counts.items():
            # A city has a port and will have another; only a party says and offers.
            if printed < 2 or not inside or said <= (8 if located else 0) or name in known:
                continue
            if self._meaning(name) is None:
                party = self._names[longer[name]] if name in longer else name
                self._speaking.add(party)
                self._call(name, party)

    def _link_peoples(self) -> None:
        """Let "Tarsan" and "Tarsans" stand for Tarsa, whichever of them showed it to be a party."""
        alike: dict[str, set[str]] = defaultdict(set)
        for row in self._rows:
            for word in row:
                if word.key not in _COMMON and not self._covered[word.start]:
                    alike[word.text[:4]].add(word.text)
        for name in [name for called in self._called.values() for name in called]:
            party = self._meaning(name)
            if party not in self._speaking or " " in name:
                continue
            others = sorted(alike[name[:4]] - {name})
            land = next((other for other in others if _is_people(name, other)), None)
            if land is not None:
                party = self._meaning(land) or land
                self._speaking.add(party)
                self._called[land][land] = (party, True)
                self._called[name][name] = (party, False)
            for other in others:
                if _is_people(other, land or name):
                    self._called[other][other] = (party or name, False)

    # Others by a noun in lower case: "the Unite union", "the shipping line Norrbeck"

    def _find_group(self, words: list[_Word]) -> None:
        if not words or any(self._covered[word.start] or word.key in _OFFICES for word in words):
            return
        start, end = words[0].start, words[-1].end
        name = self._flat[start:end]
        if len(words) > 3 or (len(words) == 1 and name in _COMMON):
            return
        before = self._patterns.noun_before.search(self._flat, max(0, start - 40), start)
        if before and before.group(1) in self._patterns.firms:
            self._speaking.add(self._register(start, end, before.group(1), company=True))
            return
        after = self._patterns.noun_after.match(self._flat, end)
        located = _LOCATED.search(self._flat, max(0, start - 9), start)
        if (
            after is None
            or words[-1].possessive
            or words[0].initial
            or located
            or name in self._people
        ):
            return
        noun = after.group(1)
        firm = noun in self._patterns.firms and self._meaning(name) is None
        party = self._register(start, after.end(), noun, company=firm)
        self._add(start, after.end(), party)

    def _find_aliases(self) -> None:
        longest_first = {
            first: sorted(called.items(), key=lambda item: -len(item[0]))
            for first, called in self._called.items()
        }
        for row in self._rows:
            for index, word in enumerate(row):
                for name, meaning in longest_first.get(_first_word(word.text), ()):
                    end = word.start + len(name)
                    if meaning is None or not self._flat.startswith(name, word.start):
                        continue
                    if self._flat[end : end + 1].isalnum():
                        continue
                    if " " in name or not self._is_part(row, index):
                        self._add(word.start, end, *meaning)
                    break

    def _is_part(self, run: list[_Word], index: int) -> bool:
        """Whether a word is within a longer name: "Oum" in "the Oum River"."""
        if self._headline[run[index].start]:
            return False
        before = [word.key for word in run[:index]][-1:]
        after = [word.key for word in run[index + 1 : index + 2]]
        apart = self._apart
        return any(key not in apart for key in after) or any(
            key not in _OPENERS and key not in _OFFICES for key in before
        )

    # Nouns

    def _find_compounds(self) -> None:
        """Find "the dock workers' union" and "the port operators"."""
        for match in _COMPOUND.finditer(self._flat):
            words = match.group(1).split(" ")
            for at in range(1, len(words)):
                last = words[at - 1]
                fits = last in self._patterns.modifiers or last[-1] in "'’"
                if fits and words[at] in self._patterns.generic:
                    phrase = " ".join(words[: at + 1])
                    end = match.start(1) + len(phrase)
                    self._nouns.setdefault(f"the {phrase}", (words[at],))
                    self._add(match.start(), end, f"the {phrase}")
                    break

    def _resolve(self) -> list[Naming]:
        """Return all namings in order, "the union" and the like with the party named last."""
        named = [*self._listed.values(), *self._found]
        nouns = [
            naming for naming in (*self._generic, *self._short_forms()) if self._is_free(naming)
        ]
        latest: dict[str, Naming] = {}
        resolved: list[Naming] = []
        position = 0
        for naming in sorted((*named, *nouns), key=lambda naming: (naming.start, -naming.end)):
            if naming.start < position or self._is_owned(naming):
                continue
            if naming.party.startswith("the ") and naming.party not in self._nouns:
                noun = naming.party.removeprefix("the ")
                known = latest.get(noun)
                if known is not None:
                    naming = replace(naming, party=known.party, actor=known.actor)
                elif noun not in self._patterns.generic:
                    continue
            elif not naming.is_place:
                for noun in self._stand_ins(naming):
                    latest[noun] = naming
            resolved.append(naming)
            position = naming.end
        return resolved

    def _is_owned(self, naming: Naming) -> bool:
        """Whether it is "the government" of "the government of Tarsa"."""
        match = _OF.match(self._flat, naming.end) if naming.party.startswith("the ") else None
        return match is not None and bool(self._covered[match.end() : match.end() + 1].strip(b"\0"))

    def _is_free(self, naming: Naming) -> bool:
        return not any(self._covered[naming.start : naming.end])

    def _short_forms(self) -> Iterator[Naming]:
        for match in self._patterns.short_form.finditer(self._flat):
            yield Naming(*match.span(), f"the {match.group(1)}", None, True)
        for match in self._patterns.bare.finditer(self._flat):
            noun = match.group(1)
            if _CLAUSE.search(self._flat, max(0, match.start() - 10), match.start()):
                lower = noun[0].lower() + noun[1:]
                noun = noun if noun in self._patterns.generic else lower
                yield Naming(*match.span(), f"the {noun}", None, True)

    def _stand_ins(self, naming: Naming) -> Iterator[str]:
        """Yield the nouns that stand for a party from here on."""
        if naming.actor is None:
            yield from self._nouns.get(naming.party, ())
        else:
            yield from self._patterns.short.get(naming.actor, ())
        if naming.party in self._speaking or naming.actor in self._patterns.states:
            after = self._patterns.organ_after.match(self._flat, naming.end)
            before = self._patterns.organ_before.search(
                self._flat, max(0, naming.start - 30), naming.start
            )
            for match in filter(None, (after, before)):
                yield match.group(1)


_AUXILIARIES = _words("has had would will")
_SAYS = re.compile(
    r" (?:also |already |again |now )?(has|had|would|will|says?|said|agree[sd]?|offer(?:s|ed)"
    r"|reject(?:s|ed)|refuse[sd]|wants?|wanted|propose[sd]|accept(?:s|ed)|demand(?:s|ed)|insist(?:s|ed)|oppose[sd]"
    r"|denie[sd]|accuse[sd]|warn(?:s|ed)|pledge[sd]|promise[sd]|withdrew|withdraws|suspend(?:s|ed)"
    r"|welcome[sd]|threaten(?:s|ed)|asked|asks|called|calls|urge[sd]|signed|signs)\b"
)
_UNTITLED = _OFFICES | _DIRECTIONS
# More words than any name has, so that no text makes the search slow.
_LONGEST = 8
_STATE_HEADS = frozenset({"Government", "Parliament", "Ministry"})
_NO_TAIL = _CALENDAR | _TITLES
_JOINED = re.compile(r"\b[Tt]he ([A-Z][\w-]+) and $")
_OF = re.compile(r" of (?:the )?")
_COMPOUND = re.compile(r"\b[Tt]he ((?:[a-z][\w-]*['’]? ){1,3}[a-z][\w-]*)")


def _headlines(text: str) -> bytearray:
    """Return for every character whether its line is printed in capitals or As Headlines Are."""
    marks = bytearray(len(text))
    position = 0
    for line in text.splitlines(keepends=True):
        if line.isupper() or _in_title(line.strip(), 0):
            marks[position : position + len(line)] = b"\1" * len(line)
        position += len(line)
    return marks


def _capitalised(text: str, flat: str) -> Iterator[_Word]:
    end, apart = -9, True
    for match in _CAPITALISED.finditer(flat):
        word, start = match.group(1), match.start()
        joins = not apart and flat[end:start] in (" ", " & ")
        before = text[max(0, start - 4) : start]
        bare = before.rstrip(" \t\n\"“‘'(")
        initial = not bare or bare.endswith(_BREAK) or "\n\n" in before
        mark = match.group(2) or ""
        # Tarsa does not belong to the name in "Tarsa's Front"; it does in "the People's Front".
        plural = word in _PLURALS or (word[-1] == "s" and mark[1:] != "s")
        apart = bool(mark) and not plural
        yield _Word(
            word, word.rstrip("."), start, match.end(1), apart, initial and not joins, joins
        )
        end = match.end()


def _rows(words: Iterable[_Word], headline: bytearray) -> list[list[_Word]]:
    rows: list[list[_Word]] = []
    for word in words:
        if word.joins and headline[word.start] == headline[rows[-1][0].start]:
            rows[-1].append(word)
        else:
            rows.append([word])
    return rows


def _without_openers(run: list[_Word]) -> list[_Word]:
    """Return a run less the words that have their capital from the sentence they open."""
    first = 0
    while run[0].initial and first < len(run) and run[first].key in _OPENERS:
        first += 1
        if run[first - 1].key == "The":
            break
    while first < len(run) and run[first].key in _CALENDAR:
        first += 1
    return run[first:]


def _adjoin(word: _Word, following: list[_Word]) -> bool:
    return bool(following) and word.possessive and following[0].start == word.end + 3


def _is_people(people: str, land: str) -> bool:
    """Whether a word is made from the name of a land as demonyms are: "Tarsan" from "Tarsa"."""
    stems = {land, land.rstrip("aeiouy")}
    return people != land and any(
        len(stem) > 2 and people.startswith(stem) and people[len(stem) :] in _ENDINGS
        for stem in stems
    )
