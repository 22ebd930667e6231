"""What kinds of parties there are, and which nouns tell of them: companies, unions, states."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from detente.document import read_document
from detente.speech.cue import read_cues

if TYPE_CHECKING:
    from spacy.tokens import Token

STATE, UNION = "state", "union"
KINDS = Path(__file__).parent / "kinds.yaml"

_LEADING = re.compile(r"^(?:the|The|THE) ")


class Kind(BaseModel):
    """The nouns of one kind: what stands for a party of it, and who speaks for one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bodies: frozenset[str]
    offices: frozenset[str]


class Kinds(BaseModel):
    """What `kinds.yaml` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: dict[str, Kind]
    workforce: frozenset[str]
    leaders: frozenset[str]
    things: frozenset[str]
    organs: frozenset[str]
    stands: frozenset[str]


@cache
def read_kinds() -> Kinds:
    """Return the word lists of `kinds.yaml`."""
    return read_document(KINDS, Kinds)


@cache
def kind_nouns() -> dict[str, str]:
    """Return the kind that each noun tells, offices among them."""
    kinds = read_kinds().kinds
    return {noun: name for name, kind in kinds.items() for noun in kind.bodies | kind.offices}


def bare_noun(phrase: str) -> str:
    """Return a phrase in lower case, without "the"."""
    return _LEADING.sub("", phrase).lower().replace("’", "'")


def kind_of(phrase: str) -> str | None:
    """Return the kind of party that a noun phrase stands or speaks for, by its longest noun."""
    nouns = kind_nouns()
    words = bare_noun(phrase).split()
    for size in (3, 2, 1):
        for start in range(len(words) - size, -1, -1):
            kind = nouns.get(" ".join(words[start : start + size]))
            if kind:
                return kind
    return None


def office(token: Token) -> str | None:
    """Return the kind of party that a noun, with what stands before it, tells."""
    words = [child.text for child in token.lefts if child.dep_ in ("compound", "amod")]
    return kind_of(" ".join([*words, token.text]))


def is_body(noun: Token) -> bool:
    """Whether a noun stands for a party of some kind, such as "union" and "company"."""
    return any(noun.lower_ in kind.bodies for kind in read_kinds().kinds.values())


def speaks(noun: Token) -> bool:
    """Whether a noun is an organ, an office or a position, such as a party has."""
    kinds = read_kinds()
    return (
        noun.lower_ in kinds.organs | kinds.stands
        or noun.lemma_ in read_cues().persons
        or office(noun) is not None
    )
