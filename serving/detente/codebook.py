"""The codebook: which dimensions a statement is read on, and what their labels mean."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from detente.article import CLOSING, LEADING
from detente.document import read_document
from detente.errors import CodebookError, InputError

# Columns and fields that stand beside the dimensions in records and in tables.
RESERVED = frozenset(
    {
        *("id", "text", "holder", "negotiation", "register", "attribution", "annotations"),
        *("adjudication", "pair", "provenance", "implied"),
        *(*LEADING, *CLOSING, "predictions", "takes_position", "to_dict"),
    }
)


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Model):
    """One label of a dimension. A bare string in the YAML stands for a label without a text."""

    name: str = Field(min_length=1)
    definition: str = ""
    tells: tuple[str, ...] = ()


def _label(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):  # to YAML, yes and no are no words
        raise ValueError(f"{value!r} is no text; put quotation marks about labels such as 'yes'")
    return {"name": value} if isinstance(value, str) else value


class Dimension(_Model):
    """One question asked of every (statement, holder) pair, and its possible answers in order.

    `no_position` names the label that stands for "takes no position"; the other labels of an
    ordinal dimension are ordered from one end of the scale to the other.
    """

    name: str
    question: str = ""
    kind: Literal["nominal", "ordinal"] = "nominal"
    labels: tuple[Annotated[Label, BeforeValidator(_label)], ...] = Field(min_length=2)
    no_position: str | None = None
    rules: tuple[str, ...] = ()

    @field_validator("name")
    @classmethod
    def _name_is_usable(cls, name: str) -> str:
        if not name.isidentifier() or name.startswith("_") or name in RESERVED:
            raise ValueError(
                f"'{name}' cannot name a dimension; use a lower-case word other than: "
                + ", ".join(sorted(RESERVED))
            )
        return name

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, labels: tuple[Label, ...]) -> tuple[Label, ...]:
        if name := _repeated(label.name for label in labels):
            raise ValueError(f"label '{name}' is given twice")
        return labels

    @field_validator("no_position")
    @classmethod
    def _no_position_is_a_label(cls, name: str | None, info: ValidationInfo) -> str | None:
        names = [label.name for label in info.data.get("labels", ())]
        if name is not None and names and name not in names:
            raise ValueError(f"'{name}' is not one of the labels: {', '.join(names)}")
        return name

    @cached_property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in the codebook's order."""
        return tuple(label.name for label in self.labels)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Its columns in tables: the label, its probability, and the probability of each label."""
        return (self.name, *(f"{self.name}_{n}" for n in ("probability", *self.label_names)))

    @cached_property
    def scale(self) -> tuple[int, ...]:
        """Indices of the labels that form the ordered scale; empty for a nominal dimension."""
        if self.kind == "nominal":
            return ()
        return tuple(i for i, name in enumerate(self.label_names) if name != self.no_position)

    def index(self, label: str) -> int:
        """Return the position of a label.

        Raises:
            CodebookError: the dimension has no such label.
        """
        try:
            return self.label_names.index(label)
        except ValueError:
            raise CodebookError(
                f"unknown {self.name} label {label!r}; allowed: {', '.join(self.label_names)}"
            ) from None


class Codebook(_Model):
    """The label scheme of a corpus and of every model trained on it.

    `fields` lists the values that descriptive fields of a record may take.
    """

    name: str = Field(min_length=1)
    version: int = 1
    title: str = ""
    unit: str = ""
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    fields: dict[Literal["register", "attribution"], tuple[str, ...]] = {}

    @field_validator("dimensions")
    @classmethod
    def _dimensions_differ(cls, dimensions: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
        if name := _repeated(dimension.name for dimension in dimensions):
            raise ValueError(f"dimension '{name}' is given twice")
        if column := _repeated(name for dimension in dimensions for name in dimension.columns):
            raise ValueError(
                f"two columns of a table would be named '{column}'; rename a dimension or label"
            )
        return dimensions

    @classmethod
    def load(cls, path: str | Path) -> Codebook:
        """Read a codebook from YAML.

        Raises:
            CodebookError: the file cannot be read or is broken; names file, line and key.
        """
        try:
            return read_document(path, cls)
        except InputError as error:
            raise CodebookError(str(error)) from None

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each dimension's labels lie in the model's one row of logits."""
        slices, start = {}, 0
        for dimension in self.dimensions:
            slices[dimension.name] = slice(start, start + len(dimension.labels))
            start += len(dimension.labels)
        return slices

    @property
    def size(self) -> int:
        """The number of labels of all dimensions together: the width of the logits."""
        return sum(len(dimension.labels) for dimension in self.dimensions)
