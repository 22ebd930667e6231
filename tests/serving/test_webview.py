from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from detente.article import Article, Holder, Mention, Statement
from detente.codebook import Codebook, Dimension
from detente.reading import Prediction, Reading
from detente.webview import article_html, article_page

LABELS = ("cold", "mild", "warm", "silent")
VERMILION, YELLOW, BLUE = "213, 94, 0", "230, 190, 20", "0, 114, 178"
VOID = {"meta"}


class Page(HTMLParser):
    """Collects tags, attributes and the article's text; fails on tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.badges: list[str] = []
        self.head = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self.open.append(f"{tag}.{(attributes.get('class') or '').split(' ')[0]}")
        if "detente-badge" in (attributes.get("class") or ""):
            self.badges.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().split(".")[0] == tag

    def handle_data(self, data: str) -> None:
        if "span.detente-badge" in self.open:
            self.badges[-1] += data
        elif "div.detente-text" in self.open:
            self.text += data
        elif "div.detente-head" in self.open:
            self.head += data

    def marks(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == "mark"]


def reading(*labels: str) -> Reading:
    predictions = {}
    for name, label in zip(("warmth", "order"), (*labels, "silent"), strict=False):
        odds = {other: 0.7 if other == label else 0.1 for other in LABELS}
        predictions[name] = Prediction(label, 0.7, odds, label != "silent", False)
    return Reading("", None, predictions)


def article(
    text: str,
    *statements: tuple[str, Sequence[Reading]],
    name: str = "We",
    speaker: str | None = None,
    title: str | None = None,
) -> Article:
    made = []
    for number, (part, readings) in enumerate(statements, start=1):
        start = text.index(part)
        holders = tuple(Holder(Mention(name, start, start + 2), each) for each in readings)
        end = start + len(part)
        made.append(Statement(number, start, end, part, holders, "direct", speaker))
    return Article("a.txt", text, tuple(made), title, datetime.date(2024, 2, 29))


def test_the_text_is_the_articles_own() -> None:
    text = 'Talks began.\n\n"We <might> & may accept,"\n  it said. No way.\tEnd\n\n'
    page = Page(
        article_html(
            article(
                text,
                ('"We <might> & may accept,"\n  it said.', [reading("warm"), reading("mild")]),
                ("No way.", [reading("cold")]),
                ("Talks began.", [reading("silent")]),
                speaker="Oslo",
            )
        )
    )
    assert page.text == text
    assert page.badges[3:] == ["We warm", "We mild", "Oslo", "We cold", "Oslo"]


def test_colours_follow_the_scale_and_leave_out_no_position() -> None:
    text = "One. Two. Three. Four. Five."
    page = Page(
        article_html(
            article(
                text,
                ("One.", [reading("cold")]),
                ("Two.", [reading("mild")]),
                ("Three.", [reading("warm")]),
                ("Four.", [reading("silent", "cold")]),
                ("Five.", [reading("silent")]),
            )
        )
    )
    colours = [mark["style"] for mark in page.marks()]
    assert colours == [f"--detente: {c}" for c in (VERMILION, YELLOW, BLUE, "128, 128, 128")]
    assert page.marks()[0]["title"] == 'We ("We"): warmth cold 0.70, order silent 0.70'


def test_the_last_label_is_no_position_unless_a_reading_takes_one_by_it() -> None:
    page = Page(article_html(article("One.", ("One.", [reading("warm")]))))
    assert page.marks()[0]["style"] == f"--detente: {BLUE}"
    last = Prediction("silent", 1.0, dict.fromkeys(LABELS, 0.0), True, False)
    taken = Reading("", None, {"warmth": last})
    page = Page(article_html(article("One.", ("One.", [taken, reading("cold")]))))
    assert page.badges[:4] == list(LABELS)
    assert page.marks()[0]["style"] == f"--detente: {BLUE}"


def test_a_codebook_tells_the_scale() -> None:
    warmth = Dimension(name="warmth", kind="ordinal", labels=LABELS[::-1], no_position="silent")
    codebook = Codebook(name="tone", dimensions=(warmth,))
    made = article("One.", ("One.", [reading("warm")]))
    page = Page(article_html(replace(made, codebook=codebook)))
    assert page.badges[:3] == ["warm", "mild", "cold"]
    assert page.marks()[0]["style"] == f"--detente: {VERMILION}"


@pytest.mark.parametrize(
    "hostile",
    [
        '<script>alert("x")</script>',
        '" onmouseover="alert(1)',
        "</style></div>&lt;b>",
        "'&amp;<!--",
    ],
)
def test_hostile_text_stays_text(hostile: str) -> None:
    made = article(
        f"Before. {hostile} After.",
        (hostile, [reading("cold")]),
        name=hostile,
        speaker=hostile,
        title=hostile,
    )
    page = Page(article_page(made))
    assert page.text == made.text
    assert page.head.startswith(hostile)
    assert page.badges[-2:] == [f"{hostile} cold", hostile]
    allowed = {"html", "head", "meta", "title", "style", "body", "div", "mark", "span", "b"}
    assert {tag for tag, _ in page.tags} <= allowed
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "href")]


def test_controls_and_turned_writing_are_left_out() -> None:
    text = "A\x1b[31m\x00 \u202eterces\u202c.\r\nB\u2066\u200f\ud800.\rC"
    page = article_html(article(text, ("B\u2066\u200f\ud800.", [reading("cold")])))
    assert Page(page).text == "A[31m terces.\nB.\nC"
    page.encode("utf-8")


def test_overlapping_statements_show_no_letter_twice() -> None:
    text = 'It said: "We agree to it." Then it left.'
    page = Page(
        article_html(
            article(
                text,
                ('It said: "We agree to it."', [reading("warm")]),
                ('"We agree to it." Then', [reading("mild")]),
                ("We agree", [reading("cold")]),
            )
        )
    )
    assert page.text == text


def test_an_article_without_statements() -> None:
    made = article("Nothing\n\nhere.")
    assert Page(article_html(made)).text == made.text
    assert "2024-02-29" in Page(article_html(made)).head


def test_a_page_needs_nothing_from_outside() -> None:
    page = article_page(article("One.", ("One.", [reading("warm")]), title="Talks"))
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>Talks</title>" in page
    assert not [word for word in ("http:", "https:", "<script", "url(", "@import") if word in page]
