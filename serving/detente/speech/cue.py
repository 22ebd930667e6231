"""Words that attribute: the lists of ``cues.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from detente.document import read_document

CUES = Path(__file__).parent / "cues.yaml"


class Cues(BaseModel):
    """Lemmas that attribute, by what they take; see ``cues.yaml``."""

    model_config = ConfigDict(extra="forbid")

    say: frozenset[str]
    utter: frozenset[str]
    think: frozenset[str]
    intend: frozenset[str]
    urge: frozenset[str]
    judge: frozenset[str]
    particles: dict[str, frozenset[str]]
    nouns: frozenset[str]
    adjectives: frozenset[str]
    passive: frozenset[str]
    never: frozenset[str]
    persons: frozenset[str]
    male: frozenset[str]
    female: frozenset[str]
    titles: frozenset[str]
    bodies: frozenset[str]


@cache
def read_cues() -> Cues:
    """Return the word lists of ``cues.yaml``."""
    return read_document(CUES, Cues)
