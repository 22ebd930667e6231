"""Exports of news archives: many articles in one file, which is read as one."""

from __future__ import annotations

import re

from detente.intake.source import Say

_MARKS = (  # each once an article: of Nexis, of Nexis Uni, of Factiva
    re.compile(r"\d{1,6} of \d{1,6} DOCUMENTS"),
    re.compile(r"\bLOAD-DATE:"),
    re.compile(r"\bEnd of Document\b"),
    re.compile(r"Document [A-Z]{4,10}\d{8,}"),
)


def tell_several(text: str, place: str, say: Say, found: int = 0) -> None:
    """Say of a file that holds more than one article that it is read as one.

    Args:
        text: what stands in it.
        place: its name.
        say: called once, if at all.
        found: how many articles its markup tells of.
    """
    count = max(found, *(len(mark.findall(text)) for mark in _MARKS))
    if count > 1:
        say(f"{place}: seems to hold {count} articles and is read as one; split it first")
