"""Splits that do not cut through a negotiation, unless there is only one to train on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupShuffleSplit

from detente.errors import InputError
from detente_training.config import SplitConfig
from detente_training.record import Record, flatten


@dataclass(frozen=True)
class Split:
    """Records by what they are used for."""

    train: list[Record]
    validation: list[Record]
    test: list[Record]

    def negotiations(self, part: str) -> tuple[str, ...]:
        """Return the sorted negotiations of ``train``, ``validation`` or ``test``."""
        records: list[Record] = getattr(self, part)
        return tuple(sorted({record.negotiation for record in records}))


def select_records(records: Sequence[Record], config: SplitConfig) -> list[Record]:
    """Return the records of the negotiations the config uses.

    Raises:
        InputError: a named negotiation does not exist.
    """
    _refuse_unknown("only", config.only, {record.negotiation for record in records})
    return [record for record in records if not config.only or record.negotiation in config.only]


def split_records(records: Sequence[Record], config: SplitConfig, seed: int) -> Split:
    """Split records by negotiation.

    Negotiations named in the config are taken as named; without names, the shares are drawn
    with the seed. If one negotiation is left beside a named test, validation draws statements
    from it.

    Raises:
        InputError: fewer than three negotiations, or two with a test named; a named one that does
            not exist; names or a share that leave none to train on; or a text on two sides, unless
            the config allows it.
    """
    known = {record.negotiation for record in records}
    if len(known) < (2 if config.test else 3):
        raise InputError(
            f"the corpus has {len(known)} negotiation(s); training, validation and test need one "
            "each, so label records of at least 3 (field 'negotiation')"
        )
    for part in ("test", "validation"):
        _refuse_unknown(part, getattr(config, part), known)
    if overlap := set(config.test) & set(config.validation):
        raise InputError(f"split: '{min(overlap)}' is named for both test and validation")
    free = [record for record in records if record.negotiation not in config.validation]
    if not config.test and len({record.negotiation for record in free}) < 2:
        raise InputError("split: no negotiation is left to train on; name fewer for validation")
    test = set(config.test) or _draw(free, "test_share", config, seed)
    rest = [record for record in records if record.negotiation not in test]
    if not rest:
        raise InputError("split: no negotiation is left to train on; name fewer for test")
    by_statement = not config.validation and len(known - test) == 1
    validation = set(config.validation) or _draw(
        rest, "validation_share", config, seed, by_statement=by_statement
    )

    def validates(record: Record) -> bool:
        return (record.text if by_statement else record.negotiation) in validation

    train = [record for record in rest if not validates(record)]
    if not train:
        raise InputError("split: no negotiation is left to train on; name fewer for test")
    split = Split(
        train,
        [record for record in rest if validates(record)],
        [record for record in records if record.negotiation in test],
    )
    if not config.shared_texts:
        _refuse_shared_texts(split)
    return split


def _refuse_shared_texts(split: Split) -> None:
    first: dict[str, tuple[str, Record]] = {}
    for part in ("train", "validation", "test"):
        records: list[Record] = getattr(split, part)
        for record in records:
            other, earlier = first.setdefault(flatten(record.text), (part, record))
            if other != part:
                raise InputError(
                    f"{record.place}: is for {part}, but its text stands in {other}, too "
                    f"({earlier.place}); drop one, name both negotiations for one side, or set "
                    "split.shared_texts=true"
                )


def _refuse_unknown(key: str, names: Sequence[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise InputError(
                f"split.{key}: no negotiation '{name}'; known: {', '.join(sorted(known))}"
            )


def _draw(
    records: Sequence[Record],
    key: str,
    config: SplitConfig,
    seed: int,
    *,
    by_statement: bool = False,
) -> set[str]:
    groups = [record.text if by_statement else record.negotiation for record in records]
    share, count = getattr(config, key), len(set(groups))
    if math.ceil(share * count) >= count:
        kind = "statement" if by_statement else "negotiation"
        raise InputError(
            f"split.{key}: {share:g} of {count} {kind}(s) leaves none to train on; lower it, or "
            "label more"
        )
    splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    _, drawn = next(splitter.split(np.zeros(len(groups)), groups=groups))
    return {groups[i] for i in drawn}
