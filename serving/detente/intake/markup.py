"""Articles in web pages, in pieces of HTML and in Markdown."""

from __future__ import annotations

import copy
import datetime
import html
import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from detente.errors import InputError
from detente.intake.charset import declared_charset, decode
from detente.intake.dates import parse_date
from detente.intake.exports import tell_several
from detente.intake.source import Say, Source

# Below this many characters trafilatura runs a page's paragraphs together into one line; its
# own bound, 250, is longer than a news brief.
_SHORTEST = "100"
_LONGEST_FIELD = 2_000  # characters
_LONGEST_SCRIPT = 50_000

# What it logs of a bad page, the page's failure says.
for _name in ("trafilatura", "htmldate"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

# What a page says of its own day: by the names of its meta elements, in JSON-LD, in its URL,
_PUBLISHED = {"article:published_time", "datepublished"}
_PUBLICATION = re.compile(r"(?<!re)pub|issued|created|posted|displaydate|(?:^|[.:])date$")
_IN_SCRIPT = re.compile(r'"datePublished"\s*:\s*"([^"]{1,100})"')
_KINDS = ("Article", "Posting", "Report")  # the ends of the types of articles in JSON-LD
_SENTENCE_ENDS = (*".!?", '."', ".”")
_URL_DAY = re.compile(r"/(\d{4}([/-])\d\d?\2\d\d?)(?=[/-]|$)")
# and in a <time>, but for those of other articles and of the site.
_TIMES = (
    "//time[not(ancestor::aside or ancestor::footer or ancestor::nav or @itemprop='dateModified')]"
)
_INSIDE = "[ancestor::article]"  # where the page has one
_UNCLEAR = re.compile(r"\d\d?[/.-]\d\d?[/.-]\d{2,4}")

# Nothing as short as the headings of other articles.
_ARTICLES = (
    "//article[not(ancestor::article or ancestor::aside or ancestor::footer or ancestor::nav)]"
    "[not(ancestor-or-self::*[contains(@class, 'comment')])]"
    "[string-length(normalize-space(.)) > 200]"
)

# A table's text is taken for HTML by these; others in angle brackets may be no tags.
_HTML = re.compile(
    r"</?(?:p|br|div|span|a|b|i|em|strong|h[1-6]|li)(?=[\s/>])[^<>]*>"
    r"|&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8});",
    re.IGNORECASE,
)
# What is not shown, whatever stands in it: by its beginning, its end.
_UNSEEN = re.compile(r"<!--|<(script|style)(?=[\s>])", re.IGNORECASE)
_ENDS = {
    kind: re.compile(end, re.IGNORECASE)
    for kind, end in (("", "-->"), ("script", r"</script\s*>"), ("style", r"</style\s*>"))
}
_DECLARATION = re.compile(r"<![^<>]*>")
_BREAK = re.compile(r"<br(?=[\s/>])[^<>]*>", re.IGNORECASE)
_BLOCK = re.compile(
    r"</?(?:p|div|h[1-6]|ul|ol|li|dl|dt|dd|table|tr|td|th|blockquote|figure|figcaption|section|"
    r"article|header|footer|aside|nav|hr|pre)(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z][a-z\d:-]*(?=[\s/>])[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});", re.IGNORECASE)

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

    Paragraphs are parted by empty lines. Title, day and byline are those the page gives; a day
    that only the text tells may be any that the article speaks of.

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
        tree = trafilatura.load_html(page)
        day = None
        if tree is not None:
            day = _day(_days(tree), place, say)
            tell_several(tree.text_content(), place, say, len(tree.xpath(_ARTICLES)))
        found = trafilatura.bare_extraction(
            _without_bulk(tree),
            include_comments=False,
            with_metadata=True,
            # A day from the text is not taken, nor the time to look for one.
            date_extraction_params={"extensive_search": False},
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
        date=day,
        byline=_string(found.author),
    )


def _day(days: Iterable[str], place: str, say: Say) -> datetime.date | None:
    """Return the first day that can be read; ``say`` what was unclear if there is none."""
    unclear = None
    for told in days:
        if day := parse_date(told):
            return day
        unclear = unclear or _UNCLEAR.search(told)
    if unclear:
        say(f"{place}: date {unclear[0]!r} cannot be read, left empty")
    return None


def _days(page: Any) -> Iterator[str]:
    """Yield what a page says of the day on which it was published, the surest first."""
    metas = [
        ((meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower(), meta)
        for meta in page.iter("meta")
    ]
    yield from (meta.get("content") or "" for name, meta in metas if name in _PUBLISHED)
    scripts = [script.text or "" for script in page.iter("script")]
    for script in scripts:
        with suppress(ValueError, RecursionError):  # most are no JSON
            yield from _linked_days(json.loads(script))
    yield from (meta.get("content") or "" for name, meta in metas if _PUBLICATION.search(name))
    for script in scripts:
        yield from _IN_SCRIPT.findall(script)
    has_article = page.find(".//article") is not None
    for time in page.xpath(_TIMES + _INSIDE if has_article else _TIMES):
        if not _is_told(time):
            yield time.get("datetime") or time.text_content()
    for url in page.xpath("//link[@rel='canonical']/@href"):
        yield from (match[1] for match in _URL_DAY.finditer(url))


def _linked_days(data: Any) -> Iterator[str]:
    """Yield the days of the articles that JSON-LD is of, but for those that they link to."""
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            kinds = item.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(kind, str) and kind.endswith(_KINDS) for kind in kinds):
                yield _string(item.get("datePublished")) or ""
            for part in ("@graph", "mainEntity"):
                yield from _linked_days(item.get(part))


def _is_told(time: Any) -> bool:
    """Whether a <time> stands in a sentence, so that its day may be any."""
    if "pubdate" in time.attrib or time.get("itemprop") == "datePublished":
        return False
    paragraph = next(time.iterancestors("p"), None)
    return paragraph is not None and paragraph.text_content().rstrip().endswith(_SENTENCE_ENDS)


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


def plain_html(text: str) -> str:
    """Return the words of a piece of HTML, paragraphs parted by empty lines.

    Text without tags and entities stays as it is.
    """
    if not _HTML.search(text):
        return text
    seen = _DECLARATION.sub("", "".join(_seen(text)))
    blocks = _BLOCK.split(_BREAK.sub("\n", seen))
    paragraphs = (_ENTITY.sub(_character, _TAG.sub("", block)).strip() for block in blocks)
    return "\n\n".join(filter(None, paragraphs))


def _seen(text: str) -> Iterator[str]:
    """Yield what stands between comments, scripts and styles; one that does not end is text."""
    at, begin, endless = 0, 0, set[str]()
    while opening := _UNSEEN.search(text, begin):
        kind = (opening[1] or "").lower()
        # No later one of its kind ends, either: none is looked for again.
        end = None if kind in endless else _ENDS[kind].search(text, opening.end())
        if end is None:
            endless.add(kind)
            begin = opening.end()
            continue
        yield text[at : opening.start()]
        at = begin = end.end()
    yield text[at:]


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity[0]).replace("\xa0", " ")


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
        date=_day([fields.get("date", "")], place, say),
        byline=fields.get("author"),
    )


def _plain(text: str) -> str:
    text = _LINK.sub(r"\1", _HEADING.sub("", _QUOTE.sub("", text)))
    for mark in (_EMPHASIS, _UNDERLINE):
        text = mark.sub(r"\2", text)
    return text
