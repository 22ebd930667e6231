"""What verbs attribute: the clause that says who speaks, and its complements.

Rules over spaCy's dependency trees, in the manner of Krestel, Bergler & Witte (2008).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from detente.speech.attribution import Attribution, attribute
from detente.speech.cue import read_cues
from detente.speech.marks import NEAR, is_mark
from detente.speech.tree import FINITE, Tree
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

_SUBJECTS = {"nsubj", "nsubjpass", "csubj", "expl"}
_BESIDE = {"aux", "auxpass", "neg", "advmod", "npadvmod", "prep", "prt", "dobj", "dative", "mark"}
_HUNG = {"parataxis", "advcl", "dep", "ccomp"}
_PAUSES = {",", "—", "–", "-", "--", ";"}
_RELATING = {"as", "for", "of", "over", "about", "to"}
_NAMING = {"call", "title", "entitle", "name", "dub", "brand", "label", "term", "know"}
_AFAR = 24  # tokens from a verb to a "that" which hangs on another word


def attribute_verb(tree: Tree, verb: Token) -> Iterator[Attribution]:
    """Yield what a verb attributes, with the words in quotation marks beside it."""
    cues = read_cues()
    lemma = verb.lemma_.lower()
    if verb.i and verb.nbor(-1).lower_ == "as" and verb.head.head.lemma_ == "quote":
        return  # "was quoted as saying" is one cue
    if lemma == "go" and verb.i + 1 < len(tree.doc) and verb.nbor().lower_ == "on":
        lemma = "say"
    if lemma in _NAMING and verb.tag_ == "VBN" and verb.dep_ == "acl":
        return  # "a film called “Harvest”"
    contents, cue_end = _complements(tree, _quoting(tree, verb), lemma)
    if not contents and lemma in cues.passive:
        contents = _passive(tree, verb)
    clause = _clause(tree, verb, contents)
    talks = lemma in cues.say or lemma in cues.think
    if talks and not contents:
        contents = (
            _parenthetical(tree, verb, clause)
            or _amid(tree, verb, clause)
            or _stray(tree, verb)
            or _coordinated(tree, verb)
        )
    elif talks:
        amid = _amid(tree, verb, clause) if clause[0] < contents[0][0] else []
        contents = amid or [*_before(tree, verb, clause), *contents]
    if talks or lemma in cues.utter or lemma in cues.judge:
        is_loose = bool(contents) and tree.child(verb, "nsubj") is None  # ", adding that …"
        contents += tree.marks.beside(clause, tree.start, after_only=is_loose)
    if contents or (talks and _ends_in_colon(tree, clause)):
        yield attribute(tree, verb, tree.source(verb), contents, clause, cue_end=cue_end)


def _quoting(tree: Tree, verb: Token) -> Token:
    """Return "saying" of "was quoted as saying", else the verb itself."""
    by = tree.child(verb, "prep") if verb.lemma_ == "quote" else None
    return tree.child(by, "pcomp") or verb


# To the right of the verb


def _complements(tree: Tree, verb: Token, lemma: str) -> tuple[list[Span], int]:
    """Return what stands to the right of a verb as its content, and where the cue ends."""
    cues = read_cues()
    first = last = -1
    cue_end = verb.i
    for child in tree.children[verb.i]:
        if child.i < verb.i:
            continue
        if child.dep_ == "prt":
            if child.lower_ in cues.particles.get(lemma, ()):
                cue_end = child.i
            elif lemma not in cues.say:
                break  # "call off" is no "call"
        starts = _content_start(tree, verb, lemma, child)
        if child.dep_ == "prep" and first < 0 and starts >= 0:
            cue_end = child.i
        elif first >= 0 and _goes_on(tree, lemma, child):
            starts = first
        if starts >= 0:
            first = starts if first < 0 else min(first, starts)
            last = max(last, child.right_edge.i)
    if first <= verb.i:
        return [], cue_end
    return [tree.span(first, tree.cut(first, last))], cue_end


def _content_start(tree: Tree, verb: Token, lemma: str, child: Token) -> int:
    """Return the token where a complement begins to be content, -1 where it is none."""
    cues = read_cues()
    start = child.left_edge.i
    if child.dep_ == "ccomp":
        return start if _takes_clause(tree, lemma, child) else -1
    if child.dep_ in ("xcomp", "advcl") and tree.is_infinitive(child):
        patient = tree.child(verb, "dobj", "dative")
        if lemma in cues.urge and patient is not None:
            return int(patient.left_edge.i)
        return start if lemma in cues.intend and child.dep_ == "xcomp" else -1
    if child.dep_ == "xcomp":
        takes = lemma in cues.judge or (lemma in cues.say and child.tag_ == "VBG")
        return start if takes else -1
    if child.dep_ in ("dobj", "oprd", "attr"):
        is_reflexive = child.lower_.endswith(("self", "selves"))
        return start if lemma in cues.judge and not is_reflexive else -1
    if child.dep_ == "prep" and child.lower_ in cues.particles.get(lemma, ()):
        bodies = (one for one in tree.children[child.i] if one.i > child.i)
        return next((one.left_edge.i for one in bodies), -1)
    return -1


def _goes_on(tree: Tree, lemma: str, child: Token) -> bool:
    """Tell whether content runs on: "called on both [to sign]", "hailed it [as a start]"."""
    if child.dep_ in ("xcomp", "advcl"):
        return lemma in read_cues().urge and tree.is_infinitive(child)
    if child.dep_ == "prep":
        return lemma in read_cues().judge and child.lower_ in _RELATING
    return False


def _takes_clause(tree: Tree, lemma: str, clause: Token) -> bool:
    cues = read_cues()
    if lemma in cues.say or lemma in cues.think:
        return True
    if lemma in cues.never:
        return False
    if tree.is_infinitive(clause):
        return lemma in cues.urge or lemma in cues.intend
    marked = any(
        child.dep_ == "mark" and child.lower_ == "that" for child in tree.children[clause.i]
    )
    return marked or clause.left_edge.tag_ in ("WRB", "WP", "WDT")


def _passive(tree: Tree, verb: Token) -> list[Span]:
    """Return subject and complement of "Lee is said to …"."""
    subject = tree.child(verb, "nsubjpass")
    if subject is None or subject.tag_ in ("WDT", "WP"):
        return []
    spans = [tree.subtree(subject)]
    for child in tree.children[verb.i]:
        is_phrase = child.lower_ in ("as", "of", "for")
        if child.i > verb.i and (is_phrase or child.dep_ in ("xcomp", "oprd")):
            spans.append(tree.subtree(child))
    return spans if len(spans) > 1 else []


def _stray(tree: Tree, verb: Token) -> list[Span]:
    """Return a "that" clause the parser hung on a noun: "said by telephone that …"."""
    for token in tree.doc[verb.i + 1 : min(verb.right_edge.i, verb.i + _AFAR) + 1]:
        clause = token.head
        if token.lower_ == "that" and clause.dep_ in ("relcl", "acl"):
            subject = tree.child(clause, "nsubj", "nsubjpass")
            if subject is not None and subject.i > token.i:
                return [tree.span(token.i, clause.right_edge.i)]
    return []


def _coordinated(tree: Tree, verb: Token) -> list[Span]:
    """Return a clause the parser took apart: "says [two million depend on it]"."""
    thing = tree.child(verb, "dobj")
    for child in tree.children[verb.i]:
        subject = tree.child(child, "nsubj", "nsubjpass")
        is_clause = child.dep_ == "conj" and child.tag_ in FINITE
        if is_clause and thing and subject and verb.i < thing.i < subject.i:
            return [tree.span(thing.left_edge.i, child.right_edge.i)]
    return []


# Around the verb


def _clause(tree: Tree, verb: Token, contents: list[Span]) -> Span:
    """Return the unbroken words around a verb that are not its content."""
    first = last = verb.i
    inside = tree.inside[verb.i]
    children = tree.children[verb.i]
    has_subject = False
    for child in reversed([one for one in children if one.i < verb.i]):
        if child.dep_ not in _SUBJECTS | _BESIDE or tree.inside[child.i] != inside:
            break
        if has_subject and child.dep_ in _SUBJECTS:
            break
        has_subject |= child.dep_ in _SUBJECTS
        first = child.left_edge.i
    for child in (one for one in children if one.i > verb.i):
        if child.dep_ not in _SUBJECTS | _BESIDE or tree.inside[child.i] != inside:
            break
        if any(start <= tree.start + child.idx < end for start, end in contents):
            break
        last = child.right_edge.i
    while tree.inside[first] != inside:
        first += 1
    while tree.inside[last] != inside:
        last -= 1
    return tree.span(first, last)


def _parenthetical(tree: Tree, verb: Token, clause: Span) -> list[Span]:
    """Return the words around ", X said," that are its content."""
    first, last = tree.tokens(clause)
    head = verb.head if verb.dep_ in _HUNG else verb
    is_as = tree.doc[first].lower_ == "as"
    if verb.dep_ == "advcl" and not is_as:
        return []
    spans: list[Span] = []
    has_clause = head is not verb or any(
        child.dep_ in _HUNG and child.dep_ != "advcl" for child in tree.children[verb.i]
    )
    if has_clause and _is_pause(tree, first - 1):
        spans.append(_left(tree, verb, head.left_edge.i, first - 1))
    goes_on = head is not verb and (spans or is_as) and last + 2 <= head.right_edge.i
    if goes_on and _is_pause(tree, last + 1):
        spans.append(tree.span(last + 2, head.right_edge.i))
    return spans


def _amid(tree: Tree, verb: Token, clause: Span) -> list[Span]:
    """Return what stands on both sides of ", X said," where the parse does not say."""
    first, last = tree.tokens(clause)
    head = verb.head if verb.dep_ in _HUNG else verb
    left, right = head.left_edge.i, head.right_edge.i
    is_apart = _is_pause(tree, first - 1) and _is_pause(tree, last + 1)
    if not is_apart or first == verb.i or left >= first - 1 or right <= last + 2:
        return []
    following = tree.doc[last + 2].tag_
    if following in ("WP", "WDT", "WRB", "CC", "VBG", "IN") or not tree.has_finite(last + 2, right):
        return []
    right = tree.cut(last + 2, right)
    return [_left(tree, verb, left, first - 1), tree.span(last + 2, right)]


def _before(tree: Tree, verb: Token, clause: Span) -> list[Span]:
    """Return the clause that comes before ", X said, …" when another comes after."""
    first = tree.tokens(clause)[0]
    return [
        _left(tree, verb, child.left_edge.i, child.right_edge.i)
        for child in tree.children[verb.i]
        if child.dep_ == "ccomp" and child.right_edge.i < first
    ]


def _left(tree: Tree, verb: Token, left: int, right: int) -> Span:
    """Return what is said before a cue: without "But", or "As for that," before a quotation."""
    inside = tree.inside
    while left < right and tree.doc[left].tag_ in ("CC", ",") and inside[left] is None:
        left += 1
    number = inside[right] if inside[right] is not None else inside[right - 1]
    if number is not None:
        for child in tree.children[verb.i]:
            subject = tree.child(child, "nsubj", "csubj", "nsubjpass")
            if child.dep_ == "ccomp" and subject and inside[subject.i] == number:
                left = max(left, tree.tokens(tree.marks.stretches[number].span)[0])
    return tree.span(left, right)


def _is_pause(tree: Tree, place: int) -> bool:
    if not 0 <= place < len(tree.doc):
        return False
    word = tree.doc[place].text
    return word in _PAUSES or is_mark(word)


def _ends_in_colon(tree: Tree, clause: Span) -> bool:
    final = tree.doc[-1]
    return final.text == ":" and tree.start + final.idx - clause[1] < NEAR
