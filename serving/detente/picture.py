"""Tagged articles for the eye: tables and highlighted text, in the terminal or as SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detente.article import Article, Holder, takes_position
from detente.codebook import Codebook, Dimension
from detente.evidence import HIGHLIGHTED, Span
from detente.files import replacing
from detente.reading import Reading
from detente.table import Row

_LOW, _MIDDLE, _HIGH = (214, 69, 65), (222, 165, 33), (46, 160, 67)
# What drives a terminal, turns the direction of writing, or has no place in XML.
_UNSHOWN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    r"\ud800-\udfff\ufffe\uffff]"
)
_FONT_FACE = re.compile(r"\s*@font-face \{\{.*?\}\}", re.DOTALL)


def printable(text: str) -> str:
    """Return the text without control characters, its line ends as line feeds."""
    return _UNSHOWN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean(text: str) -> str:
    """Return the text on one line, without control characters."""
    return printable(" ".join(text.split()))


def tag_table(rows: Iterable[Row], codebook: Codebook) -> Table:
    """Return a table of the statements that take a position, one line for each holder.

    Where the party's name differs from the holder's words, it stands below them.

    Args:
        rows: as `detente.article.Article.rows` gives them, article by article.
        codebook: the model's.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("statement", ratio=1)
    table.add_column("holder", max_width=14)
    for dimension in codebook.dimensions:
        table.add_column(dimension.name, no_wrap=True)
    for article, of_article in groupby(rows, key=lambda row: row["article"]):
        table.add_section()
        table.add_row(Text(clean(Path(article).name), style="bold"))
        last = None
        for row in of_article:
            if not takes_position(row, codebook):
                continue
            table.add_row(
                Text("" if row["statement"] == last else clean(row["text"])),
                _holder_cell(row),
                *_label_cells(row, codebook),
            )
            last = row["statement"]
    return table


def article_text(article: Article, codebook: Codebook) -> Text:
    """Return the article with its positions highlighted and each one's labels behind it.

    Where the article was tagged with ``explain``, the words that carry the labels stand out.
    """
    text = Text()
    position = 0
    for statement in article.statements:
        text.append(clean_block(article.text[position : statement.start]))
        taking = [holder for holder in statement.holders if holder.reading.takes_position]
        line = _statement_text(statement.text, _highlights(taking, codebook))
        if taking:
            line.stylize_before(f"underline {_leading_colour(taking[0], codebook)}")
        text.append_text(line)
        for holder in taking:
            text.append(" ")
            text.append_text(_badge(holder, codebook))
        position = statement.end
    text.append(clean_block(article.text[position:]))
    return text


def reading_text(reading: Reading, codebook: Codebook) -> Text:
    """Return a line for each position taken: dimension, label, and the words that carry it."""
    lines = []
    for dimension in codebook.dimensions:
        prediction = reading.predictions[dimension.name]
        if prediction.takes_position:
            style = _colour(prediction.label, dimension)
            words = {(word.start, word.end): style for word in prediction.evidence[:HIGHLIGHTED]}
            label = f"{prediction.label} {prediction.probability:.2f}"
            statement = _statement_text(reading.text, words)
            lines.append(Text.assemble(f"{dimension.name} ", (label, style), "  ", statement))
    return Text("\n").join(lines)


def save_svg(picture: RenderableType, path: Path, *, title: str, width: int = 100) -> None:
    """Write a picture as SVG, atomically. It names no font or style from the network."""
    from rich import _export_format

    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(Padding(picture, (1, 2)))
    layout = _FONT_FACE.sub("", _export_format.CONSOLE_SVG_FORMAT)
    with replacing(path) as temporary:
        console.save_svg(str(temporary), title=clean(title), code_format=layout)


def clean_block(text: str) -> str:
    """Return white space and stray marks between statements, at most one empty line of it."""
    return re.sub(r"\n{3,}", "\n\n", printable(text))


def _statement_text(statement: str, words: Mapping[Span, str]) -> Text:
    """Return a statement on one line, the words at the spans set off in their colours."""
    text = Text()
    position, last = len(statement) - len(statement.lstrip()), len(statement.rstrip())
    for start, end in sorted(words):
        text.append(_tidy(statement[position:start]))
        text.append(_tidy(statement[start:end]), style=f"bold reverse {words[start, end]}")
        position = end
    return text.append(_tidy(statement[position:last]))


def _tidy(piece: str) -> str:
    return printable(re.sub(r"\s+", " ", piece))


def _highlights(holders: Sequence[Holder], codebook: Codebook) -> dict[Span, str]:
    """Return where the weightiest words stand and their colours: of the label each carries most."""
    found = [
        (word.weight, (word.start, word.end), _colour(prediction.label, dimension))
        for holder in holders
        for dimension in codebook.dimensions
        for prediction in [holder.reading.predictions[dimension.name]]
        for word in prediction.evidence[:HIGHLIGHTED]
    ]
    return {span: colour for _, span, colour in sorted(found)}


def _holder_cell(row: Row) -> Text:
    holder, party = clean(row["holder"] or "—"), clean(row["party"] or "")
    is_same = party.casefold() in ("", holder.casefold())
    return Text(holder) if is_same else Text.assemble(holder, (f"\n= {party}", "dim"))


def _label_cells(row: Row, codebook: Codebook) -> list[Text]:
    cells = []
    for dimension in codebook.dimensions:
        label, probability = row[dimension.name], row[f"{dimension.name}_probability"]
        cells.append(Text(f"{label}\n{probability:.2f}", style=_colour(label, dimension)))
    return cells


def _badge(holder: Holder, codebook: Codebook) -> Text:
    labels = Text(f"[{_holder_name(holder)}:", style="bold")
    for dimension in codebook.dimensions:
        prediction = holder.reading.predictions[dimension.name]
        if prediction.takes_position:
            labels.append(
                f" {prediction.label} {prediction.probability:.2f}",
                style=_colour(prediction.label, dimension),
            )
    return labels.append("]")


def _holder_name(holder: Holder) -> str:
    return clean(holder.mention.text) if holder.mention else "—"


def _leading_colour(holder: Holder, codebook: Codebook) -> str:
    for dimension in codebook.dimensions:
        prediction = holder.reading.predictions[dimension.name]
        if prediction.takes_position:
            return _colour(prediction.label, dimension)
    return ""


def _colour(label: str, dimension: Dimension) -> str:
    if label == dimension.no_position:
        return "dim"
    index = dimension.index(label)
    if index not in dimension.scale:
        return "cyan"
    place = dimension.scale.index(index) / max(1, len(dimension.scale) - 1)
    left, right = (_LOW, _MIDDLE) if place < 0.5 else (_MIDDLE, _HIGH)
    share = place * 2 if place < 0.5 else place * 2 - 1
    mixed = (round(a + (b - a) * share) for a, b in zip(left, right, strict=True))
    return "rgb({},{},{})".format(*mixed)
