"""Who the sources of quotations are: pronouns and short forms led back to the fullest name."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from detente.speech.cue import Cues, read_cues
from detente.speech.quotation import Quotation
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token
    from spacy.tokens import Span as Phrase

    from detente.speech.parser import Paragraph

_PRONOUNS = {
    "he": "male", "him": "male", "his": "male", "himself": "male",
    "she": "female", "her": "female", "hers": "female", "herself": "female",
    "it": "body", "its": "body", "itself": "body",
    "they": "many", "them": "many", "their": "many", "both": "many",
}  # fmt: skip
_SPEAKING = {"i", "me", "my", "mine", "myself"}
_RELATIVES = {"who", "which", "that", "whom", "whose"}
_DEFINITE = {"the", "this", "that", "these", "those"}
_INDEFINITE = {"a", "an", "one", "another", "some"}
_NOMINAL = {
    "nsubj", "nsubjpass", "dobj", "pobj", "pcomp", "dative", "appos", "attr", "oprd", "conj",
    "ROOT",
}  # fmt: skip
_UNNAMED = {"case", "det", "punct"}
_LOOK_BACK = 12  # parties
_WIDE = 40  # tokens of a noun phrase
_LONG = 300  # characters of a name


def resolve(
    text: str, paragraphs: Sequence[Paragraph], quotations: Sequence[Quotation]
) -> list[Quotation]:
    """Return the quotations with ``speaker`` filled where there is a source.

    It is the fullest form by which the article names the source: "Deputy Minister Lee Dong-su" for
    "Lee", "the minister" or "he". A source that cannot be led back gives its own words. Who "we"
    are is left open.
    """
    cast = _Cast(text, paragraphs, [one.source for one in quotations if one.source])
    named = [
        replace(one, speaker=cast.speaker(one.source)) if one.source else one for one in quotations
    ]
    return _name_first_person(text, named)


def _name_first_person(text: str, quotations: list[Quotation]) -> list[Quotation]:
    """Give "I" within quotation marks to who is quoted."""
    outer = sorted(
        (*span, number)
        for number, one in enumerate(quotations)
        if one.kind != "indirect"
        for span in one.contents
    )
    named = []
    for one in quotations:
        if one.source and text[slice(*one.source)].lower() in _SPEAKING:
            nearest = bisect_right(outer, (one.source[0], len(text), len(quotations))) - 1
            if nearest >= 0 and outer[nearest][1] > one.source[0]:
                one = replace(one, speaker=quotations[outer[nearest][2]].speaker or one.speaker)
        named.append(one)
    return named


@dataclass
class _Party:
    """A person or body, or several, and what the article calls it."""

    kind: str = ""  # "person", "body", "many" or, as yet, unknown
    passing: int | None = None  # the paragraph of "a spokesman", gone after it
    sex: str = ""
    names: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    fullest: str = ""
    rank: tuple[int, int] = (-1, -1)

    def call(self, text: str, rank: tuple[int, int]) -> None:
        if rank > self.rank:
            self.fullest, self.rank = text, rank

    def agrees(self, wanted: str) -> bool:
        """Tell whether a pronoun's "male", "female", "body" or "many" may stand for it."""
        if wanted in ("male", "female"):
            return self.kind in ("person", "") and self.sex in ("", wanted)
        return self.kind == wanted or (wanted == "body" and not self.kind)


@dataclass(frozen=True)
class _Mention:
    """A noun phrase without its clauses: what it is called and what sort of thing that is."""

    head: str
    text: str
    names: frozenset[str]
    words: frozenset[str]
    kind: str
    sex: str
    is_definite: bool
    is_passing: bool


class _Cast:
    """The parties of an article, gathered in reading order."""

    def __init__(self, text: str, paragraphs: Sequence[Paragraph], sources: list[Span]) -> None:
        self._text = text
        self._paragraphs = paragraphs
        self._starts = [paragraph.start for paragraph in paragraphs]
        self._named: dict[str, list[_Party]] = defaultdict(list)
        self._party_at: dict[int, _Party] = {}  # by where the head of a phrase begins
        self._recent: list[_Party] = []
        self._speakers: list[_Party] = []
        self._prominent: list[_Party] = []  # who said or did something in a main clause
        self._sources = {self._head(source): source for source in sources}
        for paragraph in paragraphs:
            for phrase in _phrases(paragraph.doc):
                # Wire services begin the lines of their headers so: "^BC-Austria-Ghana, 1st Ld".
                if not phrase.text.startswith("^"):
                    self._meet(phrase, paragraph.start)

    def speaker(self, source: Span) -> str:
        """Return what to call a source."""
        if self._text[source[1] : source[1] + 1] == ":":
            return self._label(source)
        party = self._party_at.get(self._head(source))
        return party.fullest if party is not None and party.fullest else self._own(source)

    def _label(self, source: Span) -> str:
        own = self._own(source).partition(" (")[0]
        known = self._named.get(own.split()[-1].lower(), [])
        people = [party for party in known if party.kind == "person" or len(party.names) > 1]
        return people[-1].fullest if people else own

    def _head(self, source: Span) -> int:
        paragraph = self._paragraphs[max(0, bisect_right(self._starts, source[0]) - 1)]
        start, end = source[0] - paragraph.start, source[1] - paragraph.start
        phrase = paragraph.doc.char_span(start, end, alignment_mode="expand")
        return source[0] if phrase is None else paragraph.start + int(phrase.root.idx)

    def _own(self, source: Span) -> str:
        words = " ".join(self._text[source[0] : min(source[1], source[0] + _LONG)].split())
        for relative in (", who ", ", which ", ", whose "):
            words = words.split(relative)[0]
        return words

    # Reading order

    def _meet(self, phrase: Phrase, start: int) -> None:
        token = phrase.root
        place = start + token.idx
        if token.pos_ == "PRON":
            party = self._pronoun(token, start)
        else:
            mention = _mention(phrase)
            party = self._apposed(token, start, mention) or self._match(mention)
            if party is None:
                party = _Party(passing=start if mention.is_passing else None)
            self._learn(party, mention)
        if party is None:
            return
        source = self._sources.get(place)
        if source is not None and self._is_list(token):
            party = _Party("many", fullest=self._own(source))
        elif source is not None and not party.names and token.pos_ != "PRON":
            own = self._own(source)
            party.call(own, (0, len(own)))
        self._party_at[place] = party
        if token.dep_ == "poss":
            return  # "Lee's aide" brings up the aide
        self._recent.append(party)
        if source is not None:
            self._speakers.append(party)
        if _is_prominent(token, source is not None):
            self._prominent.append(party)

    def _is_list(self, token: Token) -> bool:
        following = token.doc[token.i + 1 : min(token.right_edge.i, token.i + 3 * _LOOK_BACK) + 1]
        return any(one.dep_ == "conj" and one.head.i == token.i for one in following)

    def _pronoun(self, token: Token, start: int) -> _Party | None:
        word = token.lower_
        if word in _RELATIVES:
            above = islice(token.ancestors, _LOOK_BACK)
            clause = next((one for one in above if one.dep_ == "relcl"), None)
            return self._party_at.get(start + clause.head.idx) if clause is not None else None
        wanted = _PRONOUNS.get(word)
        party = self._antecedent(wanted, start) if wanted else None
        is_clear = _is_prominent(token, start + token.idx in self._sources)
        if party is not None and wanted in ("male", "female") and is_clear:
            party.kind, party.sex = "person", wanted
        return party

    def _antecedent(self, wanted: str, start: int) -> _Party | None:
        """Return who a pronoun stands for: who spoke or acted last, else whom it surely fits."""
        foremost = self._prominent[:-_LOOK_BACK:-1]
        seen = self._recent[:-_LOOK_BACK:-1]
        sure = [one for one in seen if wanted in (one.kind, one.sex)]
        for party in (*foremost, *sure, *seen):
            if party.passing not in (None, start):
                continue
            if party.agrees(wanted) and (party.kind or wanted == "body" or len(party.names) > 1):
                return party
        return next((one for one in foremost if wanted == "many" and one.kind == "body"), None)

    def _apposed(self, token: Token, start: int, mention: _Mention) -> _Party | None:
        if token.dep_ != "appos":
            return None
        party = self._party_at.get(start + token.head.idx)
        if party and party.names and mention.names and party.names.isdisjoint(mention.names):
            return None
        return party if party and (not party.sex or mention.sex in ("", party.sex)) else None

    def _match(self, mention: _Mention) -> _Party | None:
        last = self._speakers[-1] if self._speakers else None
        if last and mention.is_definite and not mention.names and _fits(last, mention):
            return last
        keys = mention.names or ({mention.head} if mention.is_definite else set())
        for key in sorted(keys):
            for party in self._named[key][:-_LOOK_BACK:-1]:
                if _fits(party, mention):
                    return party
        return None

    def _learn(self, party: _Party, mention: _Mention) -> None:
        party.words |= mention.words
        if mention.is_passing and party.names:
            return  # "Acme, a London company"
        if mention.names:
            party.passing = None
        party.names |= mention.names
        party.kind = party.kind or mention.kind
        party.sex = party.sex or mention.sex
        party.call(mention.text, (len(mention.names), len(mention.words)))
        for key in mention.words if mention.kind == "person" else {mention.head, *mention.names}:
            if not self._named[key] or self._named[key][-1] is not party:
                self._named[key].append(party)


def _phrases(doc: Doc) -> Iterator[Phrase]:
    """Yield noun phrases up to their heads, after the names and pronouns that own them.

    spaCy's own noun chunks leave those out, and go back over long lists again and again.
    """
    end = 0
    for token in doc:
        if token.dep_ == "poss" and token.pos_ in ("PROPN", "PRON"):
            yield doc[max(token.left_edge.i, token.i - _WIDE) : token.i + 1]
        is_noun = token.pos_ in ("NOUN", "PROPN", "PRON") and token.dep_ in _NOMINAL
        if is_noun and token.left_edge.i >= end:
            yield doc[max(token.left_edge.i, token.i - _WIDE) : token.i + 1]
            end = token.i + 1


def _is_prominent(token: Token, is_source: bool) -> bool:
    if token.dep_ not in ("nsubj", "nsubjpass"):
        return is_source
    return token.head.dep_ not in ("ccomp", "advcl", "relcl", "acl", "pcomp", "xcomp")


def _fits(party: _Party, mention: _Mention) -> bool:
    if mention.sex and party.sex and mention.sex != party.sex:
        return False
    if (mention.kind == "many") != (party.kind == "many"):
        return False
    if mention.names:
        fuller = party.names <= mention.names or mention.names <= party.names
        return bool(party.names) and fuller
    return mention.words <= party.words


def _mention(phrase: Phrase) -> _Mention:
    cues = read_cues()
    tokens = [token for token in phrase if not token.is_space]
    while tokens[1:] and (not tokens[0].text[0].isalnum() or tokens[0].tag_ in ("WP", "WDT")):
        tokens.pop(0)
    while tokens[:-1] and tokens[-1].tag_ in ("POS", "``", "''", ","):
        tokens.pop()
    unnamed = {token.i for token in tokens if token.dep_ in _UNNAMED} - {phrase.root.i}
    unnamed |= _owned(tokens, phrase.root)
    content = [
        token for token in tokens if token.i not in unnamed and any(map(str.isalnum, token.text))
    ]
    words = {token.lemma_.lower() for token in content}
    titles = {token.lower_ for token in content} & cues.titles
    roles = [number for number, token in enumerate(content) if _is_role(token, cues)]
    names = {
        token.lower_ for token in content[roles[-1] + 1 if roles else 0 :] if token.pos_ == "PROPN"
    }
    root = phrase.root
    head = root.lemma_.lower()
    is_person = bool(roles and (titles or names or head in cues.persons))
    is_body = bool(not is_person and (head in cues.bodies or names & cues.bodies))
    kind = "many" if root.tag_ == "NNS" else "person" if is_person else "body" if is_body else ""
    given = {token.lower_ for token in content}
    sex = "male" if given & cues.male else "female" if given & cues.female else ""
    is_definite = tokens[0].lower_ in _DEFINITE or tokens[0].tag_ == "PRP$"
    last = tokens[-1].i
    if not names or not is_person:
        last = _extended(root, last)
    text = phrase.doc[tokens[0].i : last + 1].text
    is_passing = not is_definite and tokens[0].lower_ in _INDEFINITE
    return _Mention(
        head, text, frozenset(names), frozenset(words), kind, sex, is_definite, is_passing
    )


def _owned(tokens: list[Token], root: Token) -> set[int]:
    """Return the tokens of "Oslo's chief" in "Oslo's chief aide"."""
    owned: set[int] = set()
    for token in reversed(tokens):
        if token.dep_ == "poss" and token.i != root.i and token.i not in owned:
            first, last = max(token.left_edge.i, tokens[0].i), min(token.right_edge.i, root.i)
            owned.update(range(first, last + 1))
    return owned


def _is_role(token: Token, cues: Cues) -> bool:
    return token.lower_ in cues.titles or token.lemma_.lower() in cues.persons


def _extended(root: Token, last: int) -> int:
    """Return where "the Council of Ministers" ends."""
    after = root.doc[last + 1] if last + 1 < len(root.doc) else None
    if after is None or after.lower_ not in ("of", "for") or after.head.i != root.i:
        return last
    return int(after.right_edge.i) if after.right_edge.i - last < _LOOK_BACK // 2 else last
