from __future__ import annotations

import datetime
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from detente.codebook import Dimension
from detente.errors import InputError
from detente.summary import Period, Summary, Tally
from detente.timeline import check_picture, save_timeline

SVG = "{http://www.w3.org/2000/svg}"
WARMTH = Dimension(
    name="warmth", kind="ordinal", labels=("cold", "warm", "none"), no_position="none"
)
MOVE = Dimension(name="move", labels=("you", "both", "me", "none"), no_position="none")
TURN = Dimension(name="turn", labels=("better", "worse", "none"), no_position="none")


def tally(
    party: str | None,
    start: datetime.date | None,
    warmth: tuple[int, int],
    move: tuple[int, int, int] = (0, 0, 0),
    turn: tuple[int, int] = (0, 0),
) -> Tally:
    labels = {
        "warmth": dict(zip(("cold", "warm"), warmth, strict=True)),
        "move": dict(zip(("you", "both", "me"), move, strict=True)),
        "turn": dict(zip(("better", "worse"), turn, strict=True)),
    }
    count = max(sum(each.values()) for each in labels.values())
    return Tally(party, str(start)[:7] if start else "undated", start, count, count, labels)


def summary(*tallies: Tally, period: Period = "month") -> Summary:
    return Summary("party", period, (WARMTH, MOVE, TURN), tallies)


JANUARY, FEBRUARY, APRIL = (datetime.date(2024, month, 1) for month in (1, 2, 4))
TALLIES = (
    tally("USA", JANUARY, (4, 0), (1, 0, 3)),
    tally("USA", FEBRUARY, (1, 3), turn=(3, 1)),
    tally("USA", APRIL, (0, 16)),
    tally('<b>Union</b> & "Co" $x$\x1b\u202e', JANUARY, (0, 1)),
    tally("FRA", None, (1, 0)),
    tally(None, APRIL, (1, 0)),
)


def draw(path: Path, made: Summary, top: int | None = None) -> ElementTree.Element:
    save_timeline(made, path, top=top)
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


def hints(root: ElementTree.Element, tag: str) -> dict[str, ElementTree.Element]:
    found = {}
    for shape in root.iter(f"{SVG}{tag}"):
        title = shape.find(f"{SVG}title")
        if title is not None:
            found[title.text or ""] = shape
    return found


def words(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def height(shape: ElementTree.Element) -> float:
    ys = [float(point.split(",")[1]) for point in shape.attrib["points"].split()]
    return max(ys) - min(ys)


def test_dots_stand_at_their_means_and_times(tmp_path: Path) -> None:
    root = draw(tmp_path / "t.svg", summary(*TALLIES[:3]))
    dots = hints(root, "circle")
    january, february, april = (
        dots[f"warmth 2024-{rest}"]
        for rest in ("01: mean 0.00 of 4", "02: mean 0.75 of 4", "04: mean 1.00 of 16")
    )
    x = [float(dot.attrib["cx"]) for dot in (january, february, april)]
    assert x[2] - x[1] == pytest.approx(2 * (x[1] - x[0]), abs=0.3)
    y = [float(dot.attrib["cy"]) for dot in (january, february, april)]
    assert y[0] - y[1] == pytest.approx(0.75 * (y[0] - y[2]), abs=0.3)
    radii = [float(dot.attrib["r"]) for dot in (january, february, april)]
    assert radii == [pytest.approx(radii[2] / 2, abs=0.1)] * 2 + [radii[2]]
    lines = [line for line in root.iter(f"{SVG}polyline") if line.attrib["stroke"] == "#0072b2"]
    joined = {tuple(line.attrib["points"].split()): line for line in lines}
    near = joined[tuple(f"{a:.1f},{b:.1f}" for a, b in zip(x[:2], y[:2], strict=True))]
    far = joined[tuple(f"{a:.1f},{b:.1f}" for a, b in zip(x[1:], y[1:], strict=True))]
    assert "stroke-dasharray" not in near.attrib
    assert "stroke-dasharray" in far.attrib


def test_bars_are_shares_and_marks_are_counts(tmp_path: Path) -> None:
    root = draw(tmp_path / "t.svg", summary(*TALLIES[:3]))
    shapes = hints(root, "polygon")
    assert set(shapes) == {
        "2024-01: you 25% (1 of 4)",
        "2024-01: me 75% (3 of 4)",
        "2024-02: better (3)",
        "2024-02: worse (1)",
    }
    you, me = (
        height(shapes[f"2024-01: {rest}"]) for rest in ("you 25% (1 of 4)", "me 75% (3 of 4)")
    )
    assert me == pytest.approx(3 * you, abs=0.3)
    assert "3" in words(root)


def test_what_the_picture_says(tmp_path: Path) -> None:
    root = draw(tmp_path / "t.svg", summary(*TALLIES))
    said = words(root)
    assert "Warmth, move, turn by month" in said
    assert "3 of 3 parties that take a position; positions of no known party, left out: 1" in said
    for word in (
        "month",
        "2024-01",
        "undated",
        "cold",
        "warm",
        "USA",
        "24 positions",
        *("warmth", "move", "turn"),
    ):
        assert word in said
    assert '<b>Union</b> & "Co" $x$' in said
    assert [said.count(name) for name in ("warmth", "move", "turn")] == [4, 3, 3]
    said = words(draw(tmp_path / "t.svg", summary(*TALLIES), top=1))
    assert "1 of 3 parties" in " ".join(said)
    assert "FRA" not in said
    assert "undated" not in said


def test_only_undated_and_nameless_rows(tmp_path: Path) -> None:
    said = words(draw(tmp_path / "t.svg", summary(tally(None, None, (1, 1)))))
    assert "no party" in said
    assert "No position in the table has a known party" in said


def test_no_row_has_a_label_of_the_scale(tmp_path: Path) -> None:
    said = words(draw(tmp_path / "t.svg", summary(tally("USA", JANUARY, (0, 0), (1, 0, 3)))))
    assert "1 of 1 parties that take a position" in said


def test_a_summary_without_a_scale(tmp_path: Path) -> None:
    made = Summary("party", "month", (MOVE,), TALLIES[:1])
    root = draw(tmp_path / "t.svg", made)
    assert not list(root.iter(f"{SVG}circle"))
    assert len(hints(root, "polygon")) == 2


@pytest.mark.parametrize(
    ("period", "days", "labels"),
    [
        ("day", [(2024, 2, 28), (2024, 3, 1)], ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("quarter", [(2023, 7, 1), (2024, 4, 1)], ["2023-Q3", "2023-Q4", "2024-Q1", "2024-Q2"]),
        ("year", [(2023, 1, 1), (2025, 1, 1)], ["2023", "2024", "2025"]),
    ],
)
def test_time_is_labelled_by_period(
    tmp_path: Path, period: Period, days: list[tuple[int, int, int]], labels: list[str]
) -> None:
    tallies = [tally("USA", datetime.date(*day), (1, 0)) for day in days]
    root = draw(tmp_path / "t.svg", summary(*tallies, period=period))
    said = words(root)
    assert said[-len(labels) - 1 :] == [*labels, period]
    assert f"Warmth, move, turn by {period}" in said
    dashed = [line for line in root.iter(f"{SVG}polyline") if "stroke-dasharray" in line.attrib]
    assert len(dashed) == 2  # of the legend, and across the periods without a mean
    first, last = (float(dot.attrib["cx"]) for dot in hints(root, "circle").values())
    places = [float(text.attrib["x"]) for text in root.iter(f"{SVG}text") if text.text in labels]
    assert [first, last] == [places[0], places[-1]]


@pytest.mark.parametrize("period", ["day", "week", "month", "quarter", "year"])
@pytest.mark.usefixtures("soon")
def test_a_mistyped_year_does_not_hang_it(tmp_path: Path, period: Period) -> None:
    days = (datetime.date(1, 1, 1), datetime.date(2024, 1, 1), datetime.date(9999, 12, 27))
    made = summary(*(tally("USA", day, (1, 0)) for day in days), period=period)
    root = draw(tmp_path / "t.svg", made)
    assert len(words(root)) < 40


def test_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "t.png"
    save_timeline(summary(*TALLIES), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]


def test_png_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    path = tmp_path / "t.png"
    with pytest.raises(InputError, match=r"t\.png: .*pip install matplotlib.*\.svg"):
        check_picture(path)
    with pytest.raises(InputError):
        save_timeline(summary(*TALLIES), path)
    assert not path.exists()
    check_picture(tmp_path / "t.svg")


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t\.gif: unknown ending; use one of \.svg, \.png"):
        save_timeline(summary(*TALLIES), tmp_path / "t.gif")
    with pytest.raises(InputError, match="nothing to draw"):
        save_timeline(summary(tally("USA", JANUARY, (0, 0))), tmp_path / "t.svg")
    with pytest.raises(InputError, match="cannot be written"):
        save_timeline(summary(*TALLIES), tmp_path / "no" / "t.svg")
    assert not list(tmp_path.iterdir())
