"""A tagged article as HTML: a fragment for notebooks, or a whole page."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from html import escape

from detente.article import Article, Holder, Statement
from detente.evidence import HIGHLIGHTED, Span
from detente.picture import printable
from detente.reading import Prediction, Reading

# Vermilion, yellow and blue of Okabe and Ito (2008), Color Universal Design.
_LOW, _MIDDLE, _HIGH = (213, 94, 0), (230, 190, 20), (0, 114, 178)
_OTHER = (128, 128, 128)
_STYLE = """
.detente { max-width: 46rem; line-height: 1.6; color: inherit; }
.detente-head { margin-bottom: .8em; font-size: .85em; }
.detente-title { font-weight: bold; font-size: 1.3em; }
.detente-text { white-space: pre-wrap; overflow-wrap: anywhere; }
.detente mark { color: inherit; background: rgb(var(--detente), .22); padding: .1em 0;
  border-bottom: 2px solid rgb(var(--detente)); box-decoration-break: clone;
  -webkit-box-decoration-break: clone; }
.detente-badge { margin-left: .3em; padding: 0 .4em; border: 1px solid rgb(var(--detente));
  border-radius: .7em; font-size: .75em; white-space: nowrap; user-select: none; }
.detente-speaker { border-style: dashed; }
.detente mark b { background: rgb(var(--detente), .4); border-radius: .2em; }
"""


def article_html(article: Article) -> str:
    """Return an article as a fragment of HTML without scripts or anything from outside.

    Statements that take a position are coloured by the first dimension, from the first label of
    its scale (vermilion) to the last (blue), grey where only another dimension takes one. Badges
    name the holders and, dashed, the speaker; the pointer shows all labels and probabilities.
    Where the article was tagged with ``explain``, the words that carry the labels are bold, and
    the pointer shows how far each lowers a label's probability when it is left out.
    Control characters and those that turn the direction of writing are left out.
    """
    scale = _scale(article)
    body = "".join(_body(article, scale))
    return (
        f'<div class="detente"><style>{_STYLE}</style>{_head(article, scale)}'
        f'<div class="detente-text">{body}</div></div>'
    )


def article_page(article: Article) -> str:
    """Return an article as a whole HTML document, see `article_html`."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_shown(article.title or article.name)}</title>\n"
        "<style>body { margin: 2rem auto; max-width: 46rem; padding: 0 1rem; "
        "font-family: system-ui, sans-serif; }</style>\n</head>\n"
        f"<body>\n{article_html(article)}\n</body>\n</html>\n"
    )


def _shown(text: str) -> str:
    return escape(printable(text))


def _head(article: Article, scale: Mapping[str, float]) -> str:
    date = article.date.isoformat() if article.date else None
    facts = " · ".join(_shown(fact) for fact in (article.byline, date) if fact)
    legend = "".join(
        f'<span class="detente-badge" style="{_colour(place)}">{_shown(label)}</span>'
        for label, place in scale.items()
    )
    title = f'<div class="detente-title">{_shown(article.title)}</div>' if article.title else ""
    return f'<div class="detente-head">{title}<div>{facts}</div><div>{legend}</div></div>'


def _body(article: Article, scale: Mapping[str, float]) -> Iterator[str]:
    position = 0
    for statement in sorted(article.statements, key=lambda statement: statement.start):
        taking = [holder for holder in statement.holders if holder.reading.takes_position]
        start, end = max(position, statement.start), max(position, statement.end)
        if not taking:
            continue
        yield _shown(article.text[position:start])
        hint = "\n".join(_labels(holder) for holder in taking)
        colour = _reading_colour(taking[0].reading, scale)
        text = "".join(_marked(article.text, (start, end), _hints(statement, taking)))
        yield f'<mark style="{colour}" title="{_shown(hint)}">{text}</mark>'
        yield from _badges(statement, taking, scale)
        position = end
    yield _shown(article.text[position:])


def _marked(text: str, span: Span, hints: Mapping[Span, str]) -> Iterator[str]:
    position, last = span
    for start, end in sorted(hints):
        if position <= start and end <= last:
            yield _shown(text[position:start])
            yield f'<b title="{_shown(hints[start, end])}">{_shown(text[start:end])}</b>'
            position = end
    yield _shown(text[position:last])


def _hints(statement: Statement, taking: list[Holder]) -> dict[Span, str]:
    """Return where the weightiest words stand in the article, and what they carry."""
    hints: dict[Span, str] = {}
    for holder in taking:
        for name, prediction in holder.reading:
            for word in prediction.evidence[:HIGHLIGHTED]:
                span = statement.start + word.start, statement.start + word.end
                hint = f"{_name(holder)}: {name} {prediction.label} -{word.weight:.2f}"
                hints[span] = f"{hints[span]}\n{hint}" if span in hints else hint
    return hints


def _badges(
    statement: Statement, taking: list[Holder], scale: Mapping[str, float]
) -> Iterator[str]:
    for holder in taking:
        positions = (p.label for _, p in holder.reading if p.takes_position)
        yield (
            f'<span class="detente-badge" style="{_reading_colour(holder.reading, scale)}" '
            f'title="{_shown(_labels(holder))}"><b>{_shown(_name(holder))}</b> '
            f"{_shown(', '.join(positions))}</span>"
        )
    if statement.speaker:
        yield (
            f'<span class="detente-badge detente-speaker" style="{_rgb(_OTHER)}" '
            f'title="{_shown(f"{statement.attribution}, speaker")}">'
            f"{_shown(statement.speaker)}</span>"
        )


def _name(holder: Holder) -> str:
    return holder.party or (holder.mention.text if holder.mention else "—")


def _labels(holder: Holder) -> str:
    named = f' ("{holder.mention.text}")' if holder.mention else ""
    labels = ", ".join(
        f"{name} {prediction.label} {prediction.probability:.2f}"
        for name, prediction in holder.reading
    )
    return f"{_name(holder)}{named}: {labels}"


def _scale(article: Article) -> dict[str, float]:
    """Return the first dimension's labels and their places on the scale, 0 to 1.

    Without a codebook, predictions do not say which label stands for "no position". It is the one
    that a reading without a position has, or else the last, unless some reading takes a position
    by it.
    """
    if article.codebook is not None:
        dimension = article.codebook.dimensions[0]
        return _places(dimension.label_names, {dimension.no_position})
    firsts = [first for reading in _readings(article) for _, first in [*reading][:1]]
    if not firsts:
        return {}
    labels = list(firsts[0].probabilities)
    taking = {first.label for first in firsts if first.takes_position}
    absent = {first.label for first in firsts if not first.takes_position}
    absent = absent or {labels[-1]} - taking
    return _places(labels, absent)


def _places(labels: Iterable[str], absent: Container[str | None]) -> dict[str, float]:
    scale = [label for label in labels if label not in absent]
    return {label: place / max(1, len(scale) - 1) for place, label in enumerate(scale)}


def _readings(article: Article) -> Iterator[Reading]:
    for statement in article.statements:
        for holder in statement.holders:
            yield holder.reading


def _reading_colour(reading: Reading, scale: Mapping[str, float]) -> str:
    first: Prediction = next(prediction for _, prediction in reading)
    return _colour(scale[first.label]) if first.takes_position else _rgb(_OTHER)


def _colour(place: float) -> str:
    left, right = (_LOW, _MIDDLE) if place < 0.5 else (_MIDDLE, _HIGH)
    share = place * 2 if place < 0.5 else place * 2 - 1
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(left, right, strict=True))
    return _rgb((red, green, blue))


def _rgb(colour: tuple[int, int, int]) -> str:
    return "--detente: {}, {}, {}".format(*colour)
