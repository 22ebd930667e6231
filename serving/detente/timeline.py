"""A summary drawn over time: one panel for each party, as SVG or PNG."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from detente.codebook import Dimension
from detente.errors import InputError
from detente.files import replacing
from detente.picture import clean
from detente.summary import UNDATED, Period, Summary, Tally, period_name, positions_of

if TYPE_CHECKING:
    from matplotlib.artist import Artist

ENDINGS = (".svg", ".png")

_WIDTH, _MARGIN, _RIGHT = 900.0, 20.0, 28.0
_HEAD, _LINES, _BARS, _MARKS, _GAP = 24.0, 84.0, 26.0, 26.0, 8.0
_TICK_SPACE, _UNDATED_SPACE = 70.0, 100.0
_LARGEST, _SMALLEST = 8.0, 2.2
_FEW = 2
_PER_YEAR: Mapping[Period, int] = {"month": 12, "quarter": 4, "year": 1}
_STEPS: Mapping[Period, Sequence[int]] = {  # from label to label
    "day": (1, 2, 7, 14, 28, 91, 182, 364),
    "week": (1, 2, 4, 13, 26, 52),
    "month": (1, 2, 3, 6, 12),
    "quarter": (1, 2, 4),
    "year": (1, 2, 5, 10),
}
_INK, _MUTED, _GRID, _PAPER = "#222222", "#666666", "#e4e4e4", "#ffffff"
# Okabe and Ito (2008), Color Universal Design: told apart with any kind of colour vision.
_LINE_COLOURS = ("#0072b2", "#cc79a7", "#000000")
_BAR_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#999999")
_MARK_COLOURS = ("#009e73", "#d55e00")
_ALIGNMENTS: Mapping[str, Literal["left", "center", "right"]] = {
    "start": "left",
    "middle": "center",
    "end": "right",
}


@dataclass(frozen=True)
class Stroke:
    """A line through points, in pixels from the upper left corner."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True)
class Patch:
    """A filled polygon; ``hint`` is what SVG viewers show under the pointer."""

    points: tuple[tuple[float, float], ...]
    colour: str
    hint: str = ""


@dataclass(frozen=True)
class Disc:
    """A filled circle with a white rim."""

    x: float
    y: float
    radius: float
    colour: str
    hint: str = ""


@dataclass(frozen=True)
class Words:
    """Text on one line; ``x`` is its start, middle or end, ``y`` its base line."""

    x: float
    y: float
    text: str
    size: float = 11.0
    anchor: str = "start"
    colour: str = _MUTED
    bold: bool = False


Shape = Stroke | Patch | Disc | Words
_Entry = tuple[Sequence[Shape] | None, str]


def check_picture(path: str | Path) -> None:
    """Raise InputError unless ``path`` ends in .svg or .png and such pictures can be drawn here."""
    path = Path(path)
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: unknown ending; use one of {', '.join(ENDINGS)}")
    if path.suffix.lower() == ".png":
        try:
            import matplotlib.figure  # noqa: F401
        except ImportError:
            raise InputError(
                f"{path}: drawing .png needs matplotlib; "
                "pip install matplotlib, or write .svg instead"
            ) from None


def save_timeline(summary: Summary, path: str | Path, *, top: int | None = 6) -> None:
    """Draw the parties with most positions, atomically; the format follows the ending.

    A dot is the mean on an ordinal scale, its area the number of rows behind it; dashes bridge
    periods without any. Nominal dimensions of one or two labels are drawn as triangles, those
    of more as bars of shares.

    Args:
        summary: see `detente.summary.summarize`.
        path: a name that ends in .svg or .png.
        top: the number of parties; None draws all.

    Raises:
        InputError: another ending, a place that cannot be written, no matplotlib for .png, or no
            row that takes a position.
    """
    path = Path(path)
    check_picture(path)
    drawing = _Drawing.of(summary, top)
    if not drawing.summary.tallies:
        raise InputError(f"{path}: nothing to draw: no row of the table takes a position")
    shapes = list(drawing.shapes())
    with replacing(path) as temporary:
        if path.suffix.lower() == ".svg":
            temporary.write_text(_svg(shapes, drawing.height), encoding="utf-8")
        else:
            _save_png(shapes, drawing.height, temporary)


@dataclass(frozen=True)
class _Axis:
    """Time from left to right; rows without a date stand apart at the right end."""

    period: Period
    first: int
    last: int
    undated: bool
    left: float

    @cached_property
    def slot(self) -> float:
        """The width of one period."""
        return (self.right - self.left) / (self.last - self.first + 1)

    @property
    def right(self) -> float:
        """Where dated time ends."""
        return _WIDTH - _RIGHT - _UNDATED_SPACE * self.undated

    def x(self, start: datetime.date | None) -> float:
        if start is None and self.undated:
            return _WIDTH - _RIGHT - _UNDATED_SPACE / 4
        index = self.first if start is None else _index(start, self.period)
        return self.left + (index - self.first + 0.5) * self.slot

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Yield where a label stands, and the label."""
        if self.period == "none":
            yield self.x(None), "all"
            return
        steps = _STEPS[self.period]
        wanted = math.ceil(_TICK_SPACE / self.slot)
        step = next((step for step in steps if step >= wanted), None)
        step = step or steps[-1] * math.ceil(wanted / steps[-1])
        # No step of days or weeks is one of years.
        begin = self.first if self.period in ("day", "week") else -(-self.first // step) * step
        for index in range(begin, self.last + 1, step):
            x = self.left + (index - self.first + 0.5) * self.slot
            yield x, _index_name(index, self.period)
        if self.undated:
            yield self.x(None), UNDATED

    def rules(self) -> Iterator[float]:
        """Yield where a panel is ruled from top to bottom."""
        yield from (x for x, name in self.ticks() if name != UNDATED)
        if self.undated:
            yield self.right


def _index(start: datetime.date, period: Period) -> int:
    if period == "day":
        return start.toordinal()
    if period in _PER_YEAR:
        per_year = _PER_YEAR[period]
        return start.year * per_year + (start.month - 1) * per_year // 12
    return (start.toordinal() - 1) // 7


def _index_name(index: int, period: Period) -> str:
    if period in _PER_YEAR:
        year, part = divmod(index, _PER_YEAR[period])
        return period_name(datetime.date(year, part * 12 // _PER_YEAR[period] + 1, 1), period)
    return datetime.date.fromordinal(index if period == "day" else index * 7 + 1).isoformat()


@dataclass(frozen=True)
class _Drawing:
    """The panels' places. Heights depend on which kinds of dimensions there are."""

    summary: Summary
    parties: int
    nameless: int
    lines: tuple[Dimension, ...]
    bars: tuple[Dimension, ...]
    marks: tuple[Dimension, ...]

    @classmethod
    def of(cls, summary: Summary, top: int | None) -> _Drawing:
        taking = tuple(tally for tally in summary.tallies if tally.positions)
        named = tuple(tally for tally in taking if tally.party is not None)
        summary = replace(summary, tallies=named or taking)
        nominal = [dimension for dimension in summary.dimensions if not dimension.scale]
        return cls(
            summary=summary.top(top),
            parties=len(summary.parties),
            nameless=sum(tally.positions for tally in taking if tally.party is None),
            lines=tuple(dimension for dimension in summary.dimensions if dimension.scale),
            bars=tuple(d for d in nominal if len(positions_of(d)) > _FEW),
            marks=tuple(d for d in nominal if len(positions_of(d)) <= _FEW),
        )

    @cached_property
    def axis(self) -> _Axis:
        summary = self.summary
        indices = [_index(t.start, summary.period) for t in summary.tallies if t.start] or [0]
        undated = any(tally.period == UNDATED for tally in summary.tallies)
        if undated and not any(tally.start for tally in summary.tallies):
            return _Axis("none", 0, 0, False, self.left)
        return _Axis(summary.period, min(indices), max(indices), undated, self.left)

    @cached_property
    def left(self) -> float:
        names = [dimension.name for dimension in self.summary.dimensions]
        names += [name for _, name in self.places]
        return min(190.0, _MARGIN + 10 + max((_text_width(name) for name in names), default=0))

    @cached_property
    def places(self) -> list[tuple[float, str]]:
        """Heights on the scale, 0 to 1, that are ruled and named."""
        if not self.lines:
            return []
        scale = [self.lines[0].label_names[index] for index in self.lines[0].scale]
        if len(self.lines) > 1 or not 2 <= len(scale) <= 5:
            return [(0.0, "0"), (1.0, "1")]
        return [(place / (len(scale) - 1), name) for place, name in enumerate(scale)]

    @cached_property
    def legend(self) -> list[Shape]:
        shapes: list[Shape] = []
        y = _MARGIN + 42
        for dimension in self.summary.dimensions:
            entries = self._legend_entries(dimension)
            x = _MARGIN
            for number, (glyph, text) in enumerate(entries):
                width = (20 if glyph else 0) + _text_width(text) + 14
                if number and x + width > _WIDTH - _MARGIN:
                    x, y = _MARGIN, y + 17
                shapes += [] if glyph is None else [_moved(part, x, y) for part in glyph]
                shapes.append(Words(x + (20 if glyph else 0), y, text, bold=not glyph))
                x += width
            y += 17
        return shapes

    @cached_property
    def top(self) -> float:
        return max(shape.y for shape in self.legend if isinstance(shape, Words)) + 14

    @cached_property
    def panel(self) -> float:
        lines = _LINES + 3 * _GAP if self.lines else 0
        strips = len(self.bars) * (_BARS + _GAP) + len(self.marks) * (_MARKS + _GAP)
        return _HEAD + lines + strips + _GAP

    @cached_property
    def height(self) -> float:
        return self.top + self.panel * len(self.summary.parties) + 58

    @cached_property
    def most(self) -> int:
        """The largest number of rows behind a dot."""
        return max((t.count(d) for t in self.summary.tallies for d in self.lines), default=0) or 1

    def shapes(self) -> Iterator[Shape]:
        """Yield everything, what lies below first."""
        yield _box(0, 0, _WIDTH, self.height, _PAPER)
        yield from self._heading()
        yield from self.legend
        for number, party in enumerate(self.summary.parties):
            tallies = [tally for tally in self.summary.tallies if tally.party == party]
            yield from self._party(party, tallies, self.top + number * self.panel)
        yield from self._time()

    def _heading(self) -> Iterator[Shape]:
        summary = self.summary
        shown = len(summary.parties)
        what = ", ".join(dimension.name for dimension in summary.dimensions)
        when = "" if summary.period == "none" else f" by {summary.period}"
        yield Words(
            _MARGIN,
            _MARGIN + 8,
            _fit(what[:1].upper() + what[1:] + when, 16, 860),
            16,
            colour=_INK,
            bold=True,
        )
        most = "" if shown == self.parties else ", those with most positions"
        text = f"{shown} of {self.parties} {summary.noun} that take a position{most}"
        if summary.parties == (None,):
            text = f"No position in the table has a known {summary.by}"
        elif self.nameless:
            text += f"; positions of no known {summary.by}, left out: {self.nameless}"
        yield Words(_MARGIN, _MARGIN + 24, text)

    def _legend_entries(self, dimension: Dimension) -> list[_Entry]:
        if dimension in self.lines:
            return [(None, dimension.name), *self._line_entries(dimension)]
        labels = positions_of(dimension)
        if dimension in self.marks:
            entries = [(_triangle(8, -4, number), label) for number, label in enumerate(labels)]
            heading = f"{dimension.name}, rows"
        else:
            colours = [_colour(_BAR_COLOURS, number) for number in range(len(labels))]
            boxes = [_box(2, -10, 12, 12, colour) for colour in colours]
            entries = list(zip(boxes, labels, strict=True))
            heading = f"{dimension.name}, shares"
        return [(None, heading), *(([patch], label) for patch, label in entries)]

    def _line_entries(self, dimension: Dimension) -> list[_Entry]:
        labels = positions_of(dimension)
        colour = _colour(_LINE_COLOURS, self.lines.index(dimension))
        line = ((0.0, -4.0), (16.0, -4.0))
        return [
            (
                [Stroke(line, colour, 1.6), Disc(8, -4, 4, colour)],
                f"mean, 0 = {labels[0]} to 1 = {labels[-1]}",
            ),
            ([Stroke(line, colour, 1.2, dashed=True)], "across periods without one"),
            ([Disc(8, -4, self._radius(1), colour)], "of 1 row"),
            ([Disc(8, -4, self._radius(self.most), colour)], f"of {self.most}"),
        ]

    def _radius(self, count: int) -> float:
        largest = max(_SMALLEST + 1, min(_LARGEST, self.axis.slot * 0.6))
        return max(_SMALLEST, largest * math.sqrt(count / self.most))

    def _party(self, party: str | None, tallies: Sequence[Tally], y: float) -> Iterator[Shape]:
        positions = sum(tally.positions for tally in tallies)
        name = _fit(clean(party or self.summary.nameless), 13, 560)
        yield Words(self.left, y + 15, name, 13, colour=_INK, bold=True)
        noun = "position" if positions == 1 else "positions"
        yield Words(_WIDTH - _RIGHT, y + 15, f"{positions} {noun}", anchor="end")
        for x in self.axis.rules():
            yield Stroke(((x, y + _HEAD), (x, y + self.panel - _GAP)), _GRID)
        if len(self.lines) == 1:
            yield self._strip_name(self.lines[0], y + 11)
        y += _HEAD
        if self.lines:
            yield from self._scale(y + _GAP)
            for number, dimension in enumerate(self.lines):
                colour = _colour(_LINE_COLOURS, number)
                yield from self._line(tallies, dimension, y + _GAP, colour)
            y += _LINES + 3 * _GAP
        for dimension in self.bars:
            yield self._strip_name(dimension, y + _BARS / 2)
            for tally in tallies:
                yield from self._bar(tally, dimension, y)
            y += _BARS + _GAP
        for dimension in self.marks:
            yield self._strip_name(dimension, y + _MARKS / 2)
            yield self._rule(y + _MARKS / 2)
            for tally in tallies:
                yield from self._mark(tally, dimension, y)
            y += _MARKS + _GAP

    def _strip_name(self, dimension: Dimension, y: float) -> Words:
        name = _fit(dimension.name, 11, self.left - 22)
        return Words(self.left - 8, y + 4, name, anchor="end", colour=_INK)

    def _rule(self, y: float) -> Stroke:
        return Stroke(((self.left, y), (_WIDTH - _RIGHT, y)), _GRID)

    def _scale(self, y: float) -> Iterator[Shape]:
        for place, name in self.places:
            height = y + (1 - place) * _LINES
            yield self._rule(height)
            name = _fit(name, 11, self.left - 22)
            yield Words(self.left - 8, height + 4, name, anchor="end")

    def _line(
        self, tallies: Sequence[Tally], dimension: Dimension, y: float, colour: str
    ) -> Iterator[Shape]:
        means = [(tally, tally.mean(dimension)) for tally in tallies]
        points = [
            (tally, (self.axis.x(tally.start), y + (1 - mean) * _LINES))
            for tally, mean in means
            if mean is not None
        ]
        dated = [(t.start, point) for t, point in points if t.start]
        for (before, left), (after, right) in pairwise(dated):
            near = _index(after, self.axis.period) - _index(before, self.axis.period) == 1
            yield Stroke((left, right), colour, 1.6 if near else 1.2, dashed=not near)
        for tally, (x, height) in points:
            count = tally.count(dimension)
            hint = f"{tally.period}: mean {tally.mean(dimension):.2f} of {count}"
            yield Disc(x, height, self._radius(count), colour, f"{dimension.name} {hint}")

    def _bar(self, tally: Tally, dimension: Dimension, y: float) -> Iterator[Shape]:
        width = max(1.0, min(18.0, self.axis.slot * 0.7))
        x, bottom = self.axis.x(tally.start) - width / 2, y + _BARS
        for number, (label, count) in enumerate(tally.labels[dimension.name].items()):
            share = tally.share(dimension, label)
            if share:
                hint = f"{tally.period}: {label} {share:.0%} ({count} of {tally.count(dimension)})"
                height, colour = share * _BARS, _colour(_BAR_COLOURS, number)
                yield _box(x, bottom - height, width, height, colour, hint)
                bottom -= height

    def _mark(self, tally: Tally, dimension: Dimension, y: float) -> Iterator[Shape]:
        x, side = self.axis.x(tally.start), _MARKS / 4
        for number, (label, count) in enumerate(tally.labels[dimension.name].items()):
            if count:
                height = y + side + number * 2 * side
                yield _triangle(x, height, number, f"{tally.period}: {label} ({count})")
                if count > 1 and self.axis.slot > 24:
                    yield Words(x + 7, height + 3.5, str(count), 9.5)

    def _time(self) -> Iterator[Shape]:
        base = self.height - 54
        yield Stroke(((self.left, base), (_WIDTH - _RIGHT, base)), _MUTED)
        for x, name in self.axis.ticks():
            yield Stroke(((x, base), (x, base + 4)), _MUTED)
            yield Words(x, base + 17, name, anchor="middle")
        period = self.axis.period
        name = {"week": "week, by its Monday", "none": ""}.get(period, period)
        middle = (self.left + _WIDTH - _RIGHT) / 2
        yield Words(middle, base + 36, name, anchor="middle", colour=_INK)


def _colour(colours: Sequence[str], number: int) -> str:
    return colours[number % len(colours)]


def _text_width(text: str, size: float = 11.0) -> float:
    return 0.6 * size * len(text)


def _fit(text: str, size: float, width: float) -> str:
    if _text_width(text, size) <= width:
        return text
    return text[: max(1, int(width / (0.6 * size)) - 1)].rstrip() + "…"


def _box(x: float, y: float, width: float, height: float, colour: str, hint: str = "") -> Patch:
    right, bottom = x + width, y + height
    return Patch(((x, y), (right, y), (right, bottom), (x, bottom)), colour, hint)


def _triangle(x: float, y: float, number: int, hint: str = "") -> Patch:
    """Return a triangle that points up for a dimension's first label and down for its second."""
    tip = -4.5 if number == 0 else 4.5
    points = ((x - 5, y - tip), (x + 5, y - tip), (x, y + tip))
    return Patch(points, _colour(_MARK_COLOURS, number), hint)


def _moved(shape: Shape, x: float, y: float) -> Shape:
    if isinstance(shape, Disc | Words):
        return replace(shape, x=shape.x + x, y=shape.y + y)
    return replace(shape, points=tuple((a + x, b + y) for a, b in shape.points))


def _svg(shapes: Sequence[Shape], height: float) -> str:
    size = f'width="{_WIDTH:.0f}" height="{height:.0f}" viewBox="0 0 {_WIDTH:.0f} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">',
            *map(_svg_shape, shapes),
            "</svg>\n",
        ]
    )


def _svg_shape(shape: Shape) -> str:
    if isinstance(shape, Words):
        weight = ' font-weight="bold"' if shape.bold else ""
        return (
            f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size}" '
            f'text-anchor="{shape.anchor}" fill="{shape.colour}"{weight}>{_xml(shape.text)}</text>'
        )
    if isinstance(shape, Disc):
        return (
            f'<circle cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:.1f}" '
            f'fill="{shape.colour}" stroke="{_PAPER}" stroke-width="0.8">'
            f"{_hint(shape.hint)}</circle>"
        )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if isinstance(shape, Patch):
        return f'<polygon points="{points}" fill="{shape.colour}">{_hint(shape.hint)}</polygon>'
    dashes = ' stroke-dasharray="3 3"' if shape.dashed else ""
    return (
        f'<polyline points="{points}" fill="none" stroke="{shape.colour}" '
        f'stroke-width="{shape.width}"{dashes}/>'
    )


def _hint(text: str) -> str:
    return f"<title>{_xml(text)}</title>" if text else ""


def _xml(text: str) -> str:
    return escape(clean(text))


def _save_png(shapes: Sequence[Shape], height: float, path: Path) -> None:
    import warnings

    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH / 100, height / 100), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, _WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    for order, shape in enumerate(shapes):
        axes.add_artist(_artist(shape, order))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(path, format="png")


def _artist(shape: Shape, order: int) -> Artist:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Circle, Polygon
    from matplotlib.text import Text

    point = 0.72  # of a pixel, at 100 pixels to the inch
    if isinstance(shape, Words):
        return Text(
            shape.x,
            shape.y,
            clean(shape.text),
            color=shape.colour,
            fontsize=shape.size * point,
            fontweight="bold" if shape.bold else "normal",
            horizontalalignment=_ALIGNMENTS[shape.anchor],
            verticalalignment="baseline",
            parse_math=False,
            zorder=order,
        )
    if isinstance(shape, Disc):
        centre = (shape.x, shape.y)
        rim = 0.8 * point
        return Circle(
            centre, shape.radius, facecolor=shape.colour, edgecolor=_PAPER, lw=rim, zorder=order
        )
    if isinstance(shape, Patch):
        return Polygon(shape.points, closed=True, facecolor=shape.colour, lw=0, zorder=order)
    x, y = zip(*shape.points, strict=True)
    line = Line2D(x, y, color=shape.colour, linewidth=shape.width * point, zorder=order)
    if shape.dashed:
        line.set_dashes((3, 3))
    return line
