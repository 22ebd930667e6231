"""Articles in web pages and in Markdown."""

from __future__ import annotations

import copy
import logging
import re
from typing import Any

from detente.errors import InputError
from detente.intake.charset import declared_charset, decode
from detente.intake.dates import parse_date
from detente.intake.source import Say, Source

# Below this many characters trafilatura runs a page's paragraphs together into one line; its
# own bound, 250, is longer than a news brief.
_SHORTEST = "100"
_LONGEST_FIELD = 2_000  # characters
_LONGEST_SCRIPT = 50_000

# What it logs of a bad page, the page's failure says.
for _name in ("trafilatura", "htmldate"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

_FRONT = re.compile(r"---[ \t]*\r?\n((?:.*\n){0,100}?)---[ \t]*(?:\r?\n|\Z)")
_KEY = re.compile(r"^[\w-]+:", re.MULTILINE)
_FIELD = re.compile(r"^(title|date|author):([^\r\n]{1,500})", re.MULTILINE | re.IGNORECASE)
_HEADING = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+", re.MULTILINE)
_TITLE = re.compile(r"^[ ]{0,3}#[ \t]+([^\r\n]{1,500})", re.MULTILINE)
_QUOTE = re.compile(r"^(?:[ ]{0,3}>[ ]?){1,9}", re.MULTILINE)
# No class below holds its own opening sign, so that no character is looked at over and over.
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\n]*\)")
_EMPHASIS, _UNDERLINE = (
    re.compile(
        rf"(?<![\w{mark}])([{mark}]{{1,3}})(?=\S)"
        rf"([^{mark}\r\n]+(?:\r?\n[^{mark}\r\n]+){{0,20}})(?<=\S)\1(?![\w{mark}])"
    )
    for mark in "*_"
)


def read_html(raw: bytes, place: str, say: Say) -> Source:
    """Return the article of a web page without what surrounds it: menus, comments, footers.

    Paragraphs are parted by empty lines. Title, day and byline are those the page gives.

    Raises:
        InputError: the page is in no known encoding, or no article is found in it.
    """
    try:
        import trafilatura
        from trafilatura.settings import DEFAULT_CONFIG
    except ImportError:  # older pips leave out a package that trafilatura's own needs ask for
        raise InputError(f"{place}: to read .html, run: pip install lxml-html-clean") from None

    page = decode(raw, place, say, declared=declared_charset(raw))
    page = page if "html" in page[:50].lower() else f"<html>{page}</html>"
    config = copy.deepcopy(DEFAULT_CONFIG)
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", _SHORTEST)
    try:
        found = trafilatura.bare_extraction(
            _without_bulk(trafilatura.load_html(page)),
            include_comments=False,
            with_metadata=True,
            # A day from the text may be any day that the article speaks of.
            date_extraction_params={"extensive_search": False, "original_date": True},
            config=config,
        )
    except Exception as error:  # pages are untrusted, and the parsers fail in any way they like
        raise InputError(f"{place}: the page cannot be parsed ({type(error).__name__})") from None
    if found is None or isinstance(found, dict) or not found.text:
        raise InputError(f"{place}: no article is found in the page")
    return Source(
        place,
        "\n\n".join(line.strip() for line in found.text.splitlines() if line.strip()),
        title=_string(found.title),
        date=parse_date(found.date),
        byline=_string(found.author),
    )


def _without_bulk(page: Any) -> Any:
    """Return the parsed page without metadata too long to be any.

    trafilatura's patterns for them take the square of the time.
    """
    if page is not None:
        for element in page.iter("meta", "script"):
            if len(element.get("content") or "") > _LONGEST_FIELD:
                element.set("content", "")
            if len(element.text or "") > _LONGEST_SCRIPT:
                element.text = ""
    return page


def _string(found: Any) -> str | None:
    # What a page says in JSON may be of any type.
    return found if isinstance(found, str) and found else None


def read_markdown(raw: bytes, place: str, say: Say) -> Source:
    """Return the text of a Markdown file without the marks of its headings, links and emphasis.

    Bullets, tables and code stay as they are. A front matter gives title, day and byline and is
    no part of the text; without one, the first top heading is the title.
    """
    text = decode(raw, place, say)
    fields: dict[str, str] = {}
    front = _FRONT.match(text)
    if front and _KEY.search(front[1]):  # or else a paragraph between two thematic breaks
        fields = {key.lower(): value.strip(" \t\"'") for key, value in _FIELD.findall(front[1])}
        text = text[front.end() :]
    heading = _TITLE.search(text)
    return Source(
        place,
        _plain(text),
        title=fields.get("title") or (_plain(heading[1]).strip() if heading else None),
        date=parse_date(fields.get("date")),
        byline=fields.get("author"),
    )


def _plain(text: str) -> str:
    text = _LINK.sub(r"\1", _HEADING.sub("", _QUOTE.sub("", text)))
    for mark in (_EMPHASIS, _UNDERLINE):
        text = mark.sub(r"\2", text)
    return text
