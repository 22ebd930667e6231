"""A paragraph's dependency tree, with the quotation marks that run through it."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from detente.speech.marks import Marks, running_count
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token

    from detente.speech.parser import Paragraph

VERBAL = {"VERB", "AUX"}
FINITE = {"VBD", "VBZ", "VBP", "MD"}

_INHERITING = {"conj", "xcomp", "advcl", "pcomp", "prep", "ccomp", "acomp", "dep"}
_ADDING = {"add", "say", "note", "call", "cite", "describe", "insist", "argue", "warn", "claim"}
_DEPTH = 8  # verbs from one without a subject up to the one that has it


class Tree:
    """A parsed paragraph; its spans are offsets in the article.

    Attributes:
        doc: its tokens.
        start: where it begins in the article.
        marks: the article's quotation marks.
        children: for each token, those that hang on it.
        inside: for each token, the number of the stretch in marks that covers it, or None.
    """

    def __init__(self, paragraph: Paragraph, marks: Marks) -> None:
        self.doc = paragraph.doc
        self.start = paragraph.start
        self.marks = marks
        self.children: list[list[Token]] = [[] for _ in self.doc]
        for token in self.doc:
            if token.head.i != token.i:
                self.children[token.head.i].append(token)
        self.inside = [marks.at(self.start + token.idx) for token in self.doc]
        self._finite = running_count(token.tag_ in FINITE for token in self.doc)
        self._ends = [token.i for token in self.doc if self._ends_content(token)]

    def span(self, first: int, last: int) -> Span:
        """Return the offsets of a run of tokens."""
        final = self.doc[last]
        return self.start + self.doc[first].idx, self.start + final.idx + len(final)

    def subtree(self, token: Token) -> Span:
        """Return the offsets of a token and all that hangs on it."""
        return self.span(token.left_edge.i, token.right_edge.i)

    def tokens(self, span: Span) -> tuple[int, int]:
        """Return the first and the last token that a span touches."""
        start, end = span[0] - self.start, span[1] - self.start
        found = self.doc.char_span(start, end, alignment_mode="expand")
        assert found is not None
        return found.start, found.end - 1

    def child(self, token: Token | None, *deps: str) -> Token | None:
        """Return a token's first child in one of some relations."""
        children = self.children[token.i] if token is not None else []
        return next((child for child in children if child.dep_ in deps), None)

    def is_infinitive(self, verb: Token) -> bool:
        """Tell "to sign" from "sign"."""
        return any(child.dep_ == "aux" and child.lower_ == "to" for child in self.children[verb.i])

    def has_finite(self, first: int, last: int) -> bool:
        """Tell whether a run of tokens has a finite verb."""
        return self._finite[last + 1] != self._finite[first]

    def cut(self, first: int, last: int) -> int:
        """Return the last token of content that the parser may have run on beyond its end."""
        following = bisect_right(self._ends, first)
        if following < len(self._ends) and self._ends[following] <= last:
            return self._ends[following] - 1
        return last

    def _ends_content(self, token: Token) -> bool:
        """Tell ", adding that …" and "[to sign] and hailed …", which the parser runs on into."""
        before = self.doc[token.i - 1]
        if self.inside[token.i] is not None:
            return before.text == "." and self.inside[before.i] != self.inside[token.i]
        if token.tag_ == "VBG" and token.lemma_.lower() in _ADDING:
            return before.text == ","
        is_finite = token.tag_ in ("VBD", "VBZ")
        return is_finite and token.head.tag_ == "VB" and before.tag_ == "CC"

    # Sources

    def source(self, verb: Token) -> Span | None:
        """Return who says it."""
        if verb.lemma_ == "quote" and (quoted := self.child(verb, "nsubjpass")) is not None:
            return self.phrase(quoted, verb)
        agent = self.child(verb, "agent")
        if agent is not None:
            by = self.child(agent, "pobj")
            return self.phrase(by) if by is not None else None
        subject = self._subject(verb)
        return self.phrase(subject, verb) if subject is not None else None

    def _subject(self, verb: Token) -> Token | None:
        """Return the head of who says it, also where "adding" or "to say" leaves it out."""
        token = verb
        for _ in range(_DEPTH):
            subjects = [one for one in self.children[token.i] if one.dep_ in ("nsubj", "csubj")]
            if subjects:
                return min(subjects, key=lambda one: abs(one.i - token.i))
            if self.child(token, "nsubjpass") is not None:
                return self.child(token, "nsubjpass") if token is not verb else None
            if token is verb and token.tag_ == "VBN" and token.dep_ == "advcl":
                return None  # "Asked whether …, he said"
            if token.dep_ in ("acl", "relcl"):
                return token.head if token.tag_ != "VBN" or token is not verb else None
            if token.dep_ not in _INHERITING:
                return None
            token = token.head
        return None

    def phrase(self, head: Token, verb: Token | None = None, before: int | None = None) -> Span:
        """Return the noun phrase around its head, without what the verb itself adds to it."""
        first, last = head.left_edge.i, head.right_edge.i
        if verb is not None and head.i < verb.i <= last:
            last = min(verb.i - 1, last)
            for child in self.children[head.i]:
                if child.left_edge.i <= verb.i <= child.right_edge.i:
                    last = min(last, child.left_edge.i - 1)
        if before is not None:
            last = min(last, before - 1)
        while last > head.i and (
            self.doc[last].is_punct or self.doc[last].is_space or self.doc[last].tag_ == "POS"
        ):
            last -= 1
        inside = self.inside[head.i]
        while first < head.i and (self.inside[first] != inside or self.doc[first].is_space):
            first += 1
        return self.span(first, max(last, head.i))
