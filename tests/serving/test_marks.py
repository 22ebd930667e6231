from __future__ import annotations

import pytest

from detente.speech.marks import Marks


def stretches(text: str) -> list[str]:
    """Return what stands in marks, the text being one paragraph."""
    marks = Marks(text, [(0, len(text))])
    return [text[slice(*stretch.span)] for stretch in marks.stretches]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("“No,” he said. “Never.”", ["“No,”", "“Never.”"]),
        ('"No," he said. "Never."', ['"No,"', '"Never."']),
        ("''No,'' he said, `` Never.''", ["''No,''", "`` Never.''"]),
        ("«No,» he said.", ["«No,»"]),
        ("‘It’s the dockers’ pay,’ said Lee. ‘We go.’", ["‘It’s the dockers’ pay,’", "‘We go.’"]),
        ("'It's gone,' he said of the '90s.", ["'It's gone,'"]),
        ("“They don’t,” he said of ‘reform’.", ["“They don’t,”"]),
        # a mark that does not close
        ("He called it “a trap and left. It rained.", ["“a trap and left."]),
        ("He left. “It rained. It poured.", ["“It rained. It poured."]),
        ("The dockers' pay is low.", []),
    ],
)  # fmt: skip
def test_what_stands_in_marks(text: str, quoted: list[str]) -> None:
    assert stretches(text) == quoted


def test_a_paragraph_may_end_before_its_marks_close() -> None:
    text = "“It rained.\n\n“It poured.”"
    marks = Marks(text, [(0, 11), (13, len(text))])
    assert [stretch.is_open for stretch in marks.stretches] == [True, False]


def test_contents_are_direct_mixed_or_indirect() -> None:
    text = "He said it was “a trap.”"
    marks = Marks(text, [(0, len(text))])
    assert marks.kind([(15, 24)]) == "direct"
    assert marks.kind([(8, 24)]) == "mixed"
    assert marks.kind([(0, 14)]) == "indirect"


def test_spans_are_fitted_to_marks() -> None:
    text = "He said, “calm on the ground” in the U.S., “at last.”"
    marks = Marks(text, [(0, len(text))])
    start, end = text.index("“"), text.index("”") + 1
    assert marks.widen(start + 3, end - 3) == (start, end)
    assert marks.strip(end, text.index("S.,") + 3) == (end + 1, text.index("S.,") + 2)
