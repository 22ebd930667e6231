"""From an article's text to its statements, each with its speaker and its parties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from detente.article import NARRATOR
from detente.holder import Candidate, find_holders
from detente.parties.gazetteer import Gazetteer
from detente.parties.party import settle
from detente.scene import Scene
from detente.speech.parser import Parser
from detente.speech.quotation import Quotation, by_span, find_quotations
from detente.speech.speaker import resolve
from detente.statements import Span, split_paragraphs, split_statements
from detente.typography import Lines


@dataclass(frozen=True)
class Told:
    """A statement as it is told: who says it, and whose position it may tell.

    ``candidates`` is empty for a statement not worth reading, and where no party was found. Where
    no statement of an article is worth reading, all are the narrator's, quotations too.
    """

    span: Span
    attribution: str = NARRATOR
    speaker: str | None = None
    candidates: tuple[Candidate, ...] = ()


class Discourse:
    """Reads articles for their statements, speakers and parties. Use `Discourse.load`."""

    def __init__(self, gazetteer: Gazetteer, parser: Parser) -> None:
        self._gazetteer = gazetteer
        self._states = {name for name, actor in gazetteer.actors.actors.items() if actor.is_state}
        self._parser = parser
        # spaCy's pipelines share their vocabulary and are not made for several threads.
        self._lock = Lock()

    @classmethod
    def load(cls, actors: Path | None = None) -> Discourse:
        """Load the gazetteer, with a user's own actors if given, and the English parser.

        Raises:
            InputError: the file of actors is broken.
        """
        return cls(Gazetteer.load(extra=actors), Parser())

    def read(self, text: str, passes: Callable[[str], bool]) -> list[Told]:
        """Return the statements of an article, in order.

        Args:
            text: the article.
            passes: whether a statement may take a position; an article without one that may is
                not parsed at all.
        """
        lines = Lines(text)
        return [_as_given(one, text, lines) for one in self._read(lines.text, passes)]

    def _read(self, text: str, passes: Callable[[str], bool]) -> list[Told]:
        spans = split_statements(text)
        open_ = [passes(text[start:end]) for start, end in spans]
        if not any(open_):
            return [Told(span) for span in spans]
        with self._lock:
            paragraphs = list(self._parser.parse(text, split_paragraphs(text)))
            quotations = resolve(text, paragraphs, find_quotations(text, paragraphs))
            namings = self._gazetteer.find_article(text)
            heads = self._gazetteer.actors.heads
            roster = settle(text, paragraphs, namings, self._states, heads)
            quoted = list(by_span(quotations, spans))
            holders = find_holders(Scene(text, paragraphs, roster), spans, quoted)
        rank = {id(quotation): number for number, quotation in enumerate(quotations)}
        told = []
        for span, is_open, said, candidates in zip(spans, open_, quoted, holders, strict=True):
            quotation = _leading(sorted(said, key=lambda q: rank[id(q)]), span)
            told.append(
                Told(
                    span,
                    quotation.kind if quotation else NARRATOR,
                    quotation.speaker if quotation else None,
                    tuple(candidates) if is_open else (),
                )
            )
        return told


def _as_given(told: Told, text: str, lines: Lines) -> Told:
    """Return a statement with its offsets in the text as given."""
    candidates = []
    for candidate in told.candidates:
        mention = candidate.mention
        if mention.start is not None and mention.end is not None:
            start, end = lines.given_start(mention.start), lines.given_end(mention.end)
            mention = replace(mention, text=text[start:end], start=start, end=end)
        candidates.append(replace(candidate, mention=mention))
    span = lines.given_start(told.span[0]), lines.given_end(told.span[1])
    return replace(told, span=span, candidates=tuple(candidates))


def _leading(quotations: Sequence[Quotation], span: Span) -> Quotation | None:
    """Return the quotation that covers most of a statement; the outer one of two that nest."""
    best, most = None, 0
    for quotation in quotations:
        covered = sum(
            max(0, min(end, span[1]) - max(start, span[0])) for start, end in quotation.contents
        )
        if covered > most:
            best, most = quotation, covered
    return best
