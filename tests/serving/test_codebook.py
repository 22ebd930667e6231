from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from detente import Codebook
from detente.article import columns
from detente.errors import CodebookError


def make(*dimensions: tuple[str, tuple[str, ...]]) -> Codebook:
    given = [{"name": name, "labels": labels} for name, labels in dimensions]
    return Codebook.model_validate({"name": "test", "dimensions": given})


@pytest.mark.parametrize("name", [*columns(make(("tone", ("a", "b")))), "id", "to_dict"])
def test_no_dimension_takes_the_name_of_another_column(name: str) -> None:
    if name.startswith("tone"):
        assert make((name, ("a", "b")))
        return
    with pytest.raises(ValidationError, match=f"'{name}' cannot name a dimension"):
        make((name, ("a", "b")))


@pytest.mark.parametrize(
    ("dimensions", "column"),
    [
        ([("tone", ("a", "b")), ("tone_probability", ("a", "b"))], "tone_probability"),
        ([("tone_a", ("x", "y")), ("tone", ("a", "b"))], "tone_a"),
        ([("tone", ("a_x", "b")), ("tone_a", ("x", "y"))], "tone_a_x"),
        ([("tone", ("probability", "b"))], "tone_probability"),
    ],
)
def test_no_two_columns_have_one_name(
    dimensions: list[tuple[str, tuple[str, ...]]], column: str
) -> None:
    with pytest.raises(ValidationError, match=f"would be named '{column}'"):
        make(*dimensions)


@pytest.mark.parametrize("labels", ["[yes, no]", "[1, 2, 3]", "[good, ~]"])
def test_labels_that_are_no_text_to_yaml(tmp_path: Path, labels: str) -> None:
    path = tmp_path / "codebook.yaml"
    path.write_text(f"name: test\ndimensions:\n  - name: mood\n    labels: {labels}\n")
    with pytest.raises(CodebookError, match=r"codebook\.yaml:4: .* put quotation marks") as raised:
        Codebook.load(path)
    bad = {"[yes, no]": 1, "[1, 2, 3]": 2, "[good, ~]": 0}[labels]
    assert str(raised.value).endswith(f"(and {bad} more)" if bad else "'yes'")


def test_a_table_has_the_columns_of_each_dimension() -> None:
    codebook = make(("tone", ("a", "b")), ("pace", ("c", "d")))
    narrow = list(columns(codebook))
    assert narrow[-5:] == ["tone", "tone_probability", "pace", "pace_probability", "abstained"]
    wide = list(columns(codebook, probabilities=True))
    assert wide[-5:] == ["pace", "pace_probability", "pace_c", "pace_d", "abstained"]
