"""Attributions: that somebody says something, as a verb, a noun or an adjective tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detente.speech.tree import Tree
from detente.statements import Span

if TYPE_CHECKING:
    from spacy.tokens import Token


@dataclass
class Attribution:
    """A quotation in the making, to which more contents may come.

    ``cue``, ``source`` and ``contents`` are as in `detente.speech.quotation.Quotation`;
    ``clause`` are the words that attribute, source and all; ``is_nested`` when they stand in
    quotation marks; ``is_turn`` in a transcript.
    """

    cue: Span | None
    source: Span | None
    contents: list[Span]
    clause: Span
    is_nested: bool = False
    is_turn: bool = False


def attribute(
    tree: Tree,
    cue: Token,
    source: Span | None,
    contents: Sequence[Span],
    clause: Span | None = None,
    *,
    cue_end: int = -1,
) -> Attribution:
    """Return an attribution with its contents fitted to the quotation marks.

    Args:
        tree: its paragraph.
        cue: the word that attributes.
        source: who says it.
        contents: what is said, as the parse has it.
        clause: the words that attribute; None takes the cue.
        cue_end: the last token of a cue of several words.
    """
    marks, number = tree.marks, tree.inside[cue.i]
    if number is None:
        spans = [marks.widen(*span) for span in contents]
    else:  # said within a quotation, and no more than that
        stretch = marks.stretches[number]
        low, high = stretch.start + stretch.width, stretch.end
        spans = [(max(start, low), min(end, high)) for start, end in contents]
    spans = [marks.strip(*span) for span in spans]
    said = [span for span in spans if marks.letters(*span)]
    words = tree.span(cue.i, max(cue.i, cue_end))
    return Attribution(words, source, said, clause or words, number is not None)
