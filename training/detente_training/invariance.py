"""Invariance: does a reading stay when the parties' names are swapped?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detente.tagger import Tagger
from detente_training.baseline import Probabilities
from detente_training.record import Record
from detente_training.report import predict
from detente_training.swap import Party, Swapper


def sample_invariance(
    tagger: Tagger,
    records: Sequence[Record],
    before: Probabilities,
    swapper: Swapper,
    groups: Mapping[str, Sequence[Party]],
    *,
    size: int,
    seed: int,
) -> dict[str, Any]:
    """Measure the invariance of a sample of the records; see `measure_invariance`.

    Args:
        size: of the sample; 0 takes all.
        seed: of the draw.
    """
    count = min(size or len(records), len(records))
    drawn = sorted(random.Random(seed).sample(range(len(records)), count))
    return measure_invariance(
        tagger,
        [records[number] for number in drawn],
        {name: probabilities[drawn] for name, probabilities in before.items()},
        swapper,
        groups,
    )


def measure_invariance(
    tagger: Tagger,
    records: Sequence[Record],
    before: Probabilities,
    swapper: Swapper,
    groups: Mapping[str, Sequence[Party]],
    *,
    progress: bool = False,
) -> dict[str, Any]:
    """Read records again with their parties replaced by those of each group in turn.

    After the invariance test of CheckList (Ribeiro et al., ACL 2020).

    Args:
        tagger: the model.
        records: what to swap; records that name no party, or more than a group holds, are left
            out.
        before: what the model says of the records as they are; see `predict`.
        swapper: puts one party in another's place.
        groups: parties by group, such as a region.
        progress: show a progress bar on stderr.

    Returns:
        For each group, and for "all": ``records``, and for each dimension ``flips``, the share
        of labels that change, and ``change``, the mean change of the first label's probability,
        both 0 to 1. Empty when nothing can be swapped.
    """
    pairs = [
        (group, number, swapped)
        for group, parties in groups.items()
        for number, record in enumerate(records)
        if (swapped := swapper.swap(record, parties)) is not None
    ]
    if not pairs:
        return {}
    after = predict(tagger, [swapped for _, _, swapped in pairs], progress=progress)
    numbers = np.array([number for _, number, _ in pairs])
    drawn = np.array([group for group, _, _ in pairs])
    rows = np.arange(len(pairs))
    changes = {}
    for name, probabilities in after.items():
        first = before[name][numbers]
        label = first.argmax(axis=1)
        changes[name] = (
            label != probabilities.argmax(axis=1),
            np.abs(first[rows, label] - probabilities[rows, label]),
        )
    scores = {}
    for group in ["all", *groups]:
        inside = (drawn == group) | (group == "all")
        if inside.any():
            scores[group] = {
                "records": int(inside.sum()),
                **{
                    name: {
                        "flips": float(flips[inside].mean()),
                        "change": float(change[inside].mean()),
                    }
                    for name, (flips, change) in changes.items()
                },
            }
    return scores
