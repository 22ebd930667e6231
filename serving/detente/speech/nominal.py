"""What nouns, adjectives and adjuncts attribute: "his promise to …", "according to …"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from detente.speech.attribution import Attribution, attribute
from detente.speech.cue import read_cues
from detente.speech.tree import VERBAL, Tree
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

_TOPICS = {"for", "on", "about", "to", "against", "of", "with", "in"}
_VIEWS = {"view", "opinion", "judgment", "judgement", "estimation", "word", "eye", "mind"}
_GIVING = {"make", "give", "issue", "have", "express", "offer", "voice", "repeat"}
_DEPTH = 8  # words from an adjunct up to its verb


def attribute_noun(tree: Tree, noun: Token) -> Iterator[Attribution]:
    """Yield what a noun attributes: "Lee's promise to go", "a call for restraint by Lee"."""
    if noun.dep_ == "pobj" and noun.head.head.lemma_ in read_cues().say:
        return  # "said in a statement that …"
    source = _owner(tree, noun)
    contents = _clauses(tree, noun)
    if not contents and source is not None:
        contents = _topic(tree, noun) or _predicate(tree, noun)
    if contents:
        yield attribute(tree, noun, source, contents)


def _owner(tree: Tree, noun: Token) -> Span | None:
    """Return whose promise it is: "Lee's", "by Lee", "Lee made a …"."""
    owner = tree.child(noun, "poss")
    for child in tree.children[noun.i]:
        if owner is None and child.lower_ in ("by", "from"):
            owner = tree.child(child, "pobj")
    if owner is not None:
        return tree.phrase(owner)
    if noun.dep_ in ("dobj", "attr") and noun.head.lemma_ in _GIVING:
        return tree.source(noun.head)
    return None


def _clauses(tree: Tree, noun: Token) -> list[Span]:
    found = []
    for child in tree.children[noun.i]:
        if child.dep_ in ("acl", "ccomp", "relcl", "xcomp"):
            first = child.left_edge
            has_that = first.lower_ == "that" and first.dep_ == "mark"
            if has_that or tree.is_infinitive(child):
                found.append(tree.subtree(child))
    return found


def _topic(tree: Tree, noun: Token) -> list[Span]:
    for child in tree.children[noun.i]:
        body = tree.child(child, "pobj", "pcomp")
        if child.dep_ == "prep" and child.lower_ in _TOPICS and body is not None:
            return [tree.span(body.left_edge.i, child.right_edge.i)]
    return []


def _predicate(tree: Tree, noun: Token) -> list[Span]:
    if noun.dep_ != "nsubj" or noun.head.lemma_ != "be":
        return []
    return [
        tree.subtree(child)
        for child in tree.children[noun.head.i]
        if child.i > noun.head.i and child.dep_ in ("ccomp", "xcomp")
    ]


def attribute_adjective(tree: Tree, adjective: Token) -> Iterator[Attribution]:
    """Yield what an adjective attributes: "confident that …", "critical of …"."""
    cue_end, contents = _adjective_contents(tree, adjective)
    head = adjective.head
    source = None
    if adjective.dep_ in ("acomp", "conj", "oprd") and head.pos_ in VERBAL:
        source = tree.source(head)
    elif adjective.dep_ in ("amod", "acl", "relcl") and head.i < adjective.i:
        source = tree.phrase(head, before=adjective.i)
    if contents and source:
        yield attribute(tree, adjective, source, contents, cue_end=cue_end)


def _adjective_contents(tree: Tree, adjective: Token) -> tuple[int, list[Span]]:
    cue_end = adjective.i
    contents: list[Span] = []
    for child in tree.children[adjective.i]:
        body = tree.child(child, "pobj", "pcomp")
        if child.dep_ in ("ccomp", "xcomp"):
            contents = [tree.subtree(child)]
        elif child.dep_ == "prep" and child.lower_ in _TOPICS and body and not contents:
            cue_end = child.i
            contents = [tree.span(body.left_edge.i, child.right_edge.i)]
    return cue_end, contents


def attribute_adjunct(tree: Tree, word: Token) -> Iterator[Attribution]:
    """Yield what "according to Lee" and "in Lee's view" attribute, from their noun."""
    if word.lower_ == "according":
        yield from _according(tree, word)
    elif word.lemma_.lower() in _VIEWS and word.dep_ == "pobj":
        yield from _view(tree, word)


def _according(tree: Tree, word: Token) -> Iterator[Attribution]:
    to = next((one for one in tree.children[word.i] if one.lower_ == "to"), None)
    source = next((one for one in tree.children[to.i] if one.i > to.i), None) if to else None
    if to is None or source is None:
        return
    contents = _around(tree, word, source.right_edge.i)
    clause = tree.span(word.i, source.right_edge.i)
    if contents:
        yield attribute(tree, word, tree.phrase(source), contents, clause, cue_end=to.i)


def _view(tree: Tree, noun: Token) -> Iterator[Attribution]:
    preposition = noun.head
    owner = tree.child(noun, "poss") or tree.child(tree.child(noun, "prep"), "pobj")
    if preposition.lower_ not in ("in", "to", "by") or owner is None:
        return
    last = max(noun.i, owner.right_edge.i)
    contents = _around(tree, preposition, last)
    if contents:
        clause = tree.span(preposition.i, last)
        yield attribute(tree, noun, tree.phrase(owner), contents, clause)


def _around(tree: Tree, first: Token, last: int) -> list[Span]:
    """Return the sentence around an adjunct."""
    head = first.head
    for _ in range(_DEPTH):
        if (head.pos_ in VERBAL and head.dep_ != "conj") or head.head.i == head.i:
            break
        head = head.head
    left, right = head.left_edge.i, head.right_edge.i
    spans = []
    if left < first.i:
        spans.append(tree.span(left, first.i - 1))
    if right > last:
        spans.append(tree.span(last + 1, tree.cut(last + 1, right)))
    return [span for span in spans if span[0] < span[1]]
