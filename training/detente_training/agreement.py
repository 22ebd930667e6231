"""Agreement between annotators who labelled the same records without seeing each other's labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import krippendorff
import numpy as np

from detente.codebook import Codebook
from detente_training.record import Record


def alpha(records: Sequence[Record], codebook: Codebook) -> dict[str, float]:
    """Return Krippendorff's alpha of each dimension (Hayes and Krippendorff, 2007).

    Labels are compared as nominal: "no position" stands outside the ordered scale. The value is
    NaN where fewer than two annotators labelled anything, or where only one label was ever used.
    Labels that the codebook does not know are left out; `corpus check` finds them.

    Args:
        records: records with ``annotations``, one mapping an annotator: ``annotator`` and labels.
        codebook: the dimensions.
    """
    names = sorted({entry["annotator"] for r in records for entry in r.annotations})
    rows = {name: row for row, name in enumerate(names)}
    values: dict[str, float] = {}
    for dimension in codebook.dimensions:
        data = np.full((len(names), len(records)), np.nan)
        for column, record in enumerate(records):
            for entry in record.annotations:
                label = entry.get(dimension.name)
                if label in dimension.label_names:
                    data[rows[entry["annotator"]], column] = dimension.index(label)
        paired = (~np.isnan(data)).sum(axis=0) > 1
        used = data[:, paired]
        if np.unique(used[~np.isnan(used)]).size < 2:
            values[dimension.name] = math.nan
        else:
            values[dimension.name] = float(
                krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
            )
    return values


def annotated_twice(records: Sequence[Record]) -> int:
    """Return the number of records that two or more annotators labelled."""
    return sum(len(record.annotations) > 1 for record in records)
