"""What each negotiation of a corpus is about: kind, place and time."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from detente.document import read_document
from detente.parties.actors import Actor

FILE = "negotiations.yaml"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Negotiation(_Model):
    """One dispute; all its records lie in one file, and splits never cut through it.

    ``parties`` are those that no gazetteer knows, above all the made-up ones.
    """

    kind: str = Field(min_length=1)
    about: str = ""
    region: str = ""
    years: str = ""
    parties: dict[str, Actor] = {}


class NegotiationList(_Model):
    """The contents of a negotiations file: slug to description."""

    negotiations: dict[str, Negotiation]


def read_negotiations(corpus: str | Path) -> dict[str, Negotiation]:
    """Return what the file in a corpus folder says of its negotiations; empty without one.

    Raises:
        InputError: the file is broken; names line and key.
    """
    path = Path(corpus)
    place = (path if path.is_dir() else path.parent) / FILE
    if not place.is_file():
        return {}
    return read_document(place, NegotiationList).negotiations
