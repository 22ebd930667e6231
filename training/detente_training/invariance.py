"""Invariance: does a reading stay when the parties' names are swapped?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from detente.tagger import Tagger
from detente_training.baseline import Probabilities
from detente_training.record import Record
from detente_training.report import predict
from detente_training.swap import Party, PartyList, Swapper

_SPREAD_RECORDS = 60


def measure_names(
    tagger: Tagger,
    records: Sequence[Record],
    before: Probabilities,
    swapper: Swapper,
    parties: PartyList,
    *,
    size: int = 0,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, Any]:
    """Measure all that names do to readings.

    Args:
        parties: whom to put in the place of the records' own; see `measure_invariance` for the
            other arguments.
        size: how many records to draw for it; 0 takes all.
        seed: of the draw.

    Returns:
        ``invariance``, see `measure_invariance`, and ``drawn``, of how many records;
        ``unswapped``, the groups of parties that it says nothing of, since no record could be told
        of them; ``spread``, see `measure_spread`.
    """
    count = min(size or len(records), len(records))
    drawn = sorted(random.Random(seed).sample(range(len(records)), count))
    invariance = measure_invariance(
        tagger,
        [records[number] for number in drawn],
        {name: probabilities[drawn] for name, probabilities in before.items()},
        swapper,
        parties.groups,
        progress=progress,
    )
    return {
        "invariance": invariance,
        "drawn": count,
        "unswapped": [group for group in parties.groups if group not in invariance],
        "spread": measure_spread(tagger, records, swapper, parties.parties, seed=seed),
    }


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


def measure_spread(
    tagger: Tagger,
    records: Sequence[Record],
    swapper: Swapper,
    parties: Sequence[Party],
    *,
    seed: int = 0,
) -> dict[str, Any]:
    """Put each party in turn in the place of the holder of the same statements.

    Args:
        tagger: the model.
        records: what to swap in; of those that name no party but their holder, and none of
            ``parties``, `_SPREAD_RECORDS` are drawn.
        swapper: puts one party in another's place.
        parties: whom to put there.
        seed: of the draw.

    Returns:
        For each ordinal dimension ``low`` and ``high``, the parties with the lowest and highest
        mean on the scale, each as (name, mean): 0 is its first label, 1 its last, and "no
        position" counts as the middle. ``groups`` has the mean of each group's parties,
        ``records`` tells of how many statements. Empty without any.
    """
    alone = [
        record
        for record in records
        if record.holder and not record.implied and len(swapper.actors(record)) == 1
    ]
    random.Random(seed).shuffle(alone)
    rows = ((record, [swapper.swap(record, [party]) for party in parties]) for record in alone)
    whole = (
        [swapped for swapped in row if swapped is not None]
        for record, row in rows
        # The party named may be another than the holder, who would then stay.
        if all(swapped is not None and swapped.holder != record.holder for swapped in row)
    )
    kept = list(islice(whole, _SPREAD_RECORDS))
    if not kept:
        return {}
    readings = predict(tagger, [record for row in kept for record in row])
    spread = {}
    for dimension in tagger.codebook.dimensions:
        if not dimension.scale:
            continue
        points = np.full(len(dimension.labels), 0.5)
        points[list(dimension.scale)] = np.linspace(0, 1, len(dimension.scale))
        means = (readings[dimension.name] @ points).reshape(len(kept), -1).mean(axis=0)
        low, high = int(means.argmin()), int(means.argmax())
        groups = dict.fromkeys(party.group for party in parties)
        spread[dimension.name] = {
            "records": len(kept),
            "low": (parties[low].name, float(means[low])),
            "high": (parties[high].name, float(means[high])),
            "groups": {
                group: float(means[[party.group == group for party in parties]].mean())
                for group in groups
            },
        }
    return spread
