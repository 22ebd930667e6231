"""The gate a run must pass to become the champion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from detente_training.answer import Answer
from detente_training.check import Check
from detente_training.config import PromotionConfig
from detente_training.metrics import Interval, Resampler, difference
from detente_training.report import MODEL

_Pairs = Sequence[tuple[Answer, Answer]]
_SHARED = 0.5  # least share of the champion's unseen records that a comparison needs


@dataclass(frozen=True)
class Evidence:
    """What a run logged of itself on its unseen negotiations: its report, and its answers."""

    report: Mapping[str, Any]
    answers: Sequence[Answer]


def judge(candidate: Evidence, champion: Evidence | None, bounds: PromotionConfig) -> list[Check]:
    """Return the checks of a run that wants to be champion.

    Args:
        candidate: the run.
        champion: the present champion; the first one has no rival.
        bounds: limits that hold whoever the rival is. What was not measured does not pass.
    """
    checks = compare(candidate, champion) if champion else []
    for name, scores in candidate.report["dimensions"].items():
        swaps = candidate.report.get("invariance") or {}
        swapped = swaps.get("all", {}).get(name, {})
        spread = (candidate.report.get("spread") or {}).get(name)
        ours = scores["systems"][MODEL]
        error = ours["calibration_error"] if scores["records"] else None
        checks += [
            *_bounded(f"{name} name-swap flips", swapped.get("flips"), bounds.max_flips),
            *_bounded_groups(name, candidate.report, bounds.max_flips),
            *_bounded(f"{name} name-swap change", swapped.get("change"), bounds.max_change),
            *_bounded_spread(name, spread, bounds.max_spread),
            *_bounded(
                f"{name} calibration error",
                error,
                bounds.max_calibration_error,
                chance=ours.get("calibration_chance"),
            ),
        ]
    return checks


def compare(candidate: Evidence, champion: Evidence) -> list[Check]:
    """Check that a run is nowhere worse than another beyond the 95% interval.

    Records unseen by both, with one text, holder and label, are paired: the interval is that of
    the difference, by a bootstrap over statements. They must be half of the champion's. Where the
    champion has logged no answers, a run on the same negotiations is held against the logged
    interval.
    """
    return [_compare(name, candidate, champion) for name in champion.report["dimensions"]]


def _compare(name: str, candidate: Evidence, champion: Evidence) -> Check:
    title = f"{name} macro-F1"
    ours, theirs = (_macro_f1(side.report, name) for side in (candidate, champion))
    if name not in candidate.report["dimensions"]:
        return Check(title, "not in the codebook", "the champion's dimension", False)
    if known := sum(answer.gold.get(name) is not None for answer in champion.answers):
        pairs = _pair(name, candidate.answers, champion.answers)
        if len(pairs) < _SHARED * known:
            found = f"{len(pairs)} of the champion's {known} unseen records in common"
            return Check(title, found, f"at least {_SHARED:.0%} of them", False)
        gain = paired_gain(name, pairs)
        found = f"{gain:+.3f} on {len(pairs)} records"
        most = gain.value if np.isnan(gain.high) else gain.high
        return Check(title, found, "not all of the interval below 0", most >= 0)
    same = candidate.report["negotiations"] == champion.report["negotiations"]
    if not same or ours is None or theirs is None:
        return Check(title, "no unseen record in common", "a comparison with the champion", False)
    least = theirs.value if np.isnan(theirs.low) else theirs.low
    found, wanted = f"{ours.value:.3f}", f"at least {least:.3f}, the champion's lower end"
    return Check(title, found, wanted, ours.value >= least)


def paired_gain(name: str, pairs: _Pairs) -> Interval:
    """Return how much macro-F1 the first of each pair's answers gains over the second's.

    Args:
        name: the dimension.
        pairs: two models' answers to the same records.
    """
    labels = sorted(
        {str(a.gold[name]) for a, _ in pairs} | {x.label[name] for p in pairs for x in p}
    )
    gold = np.array([labels.index(str(answer.gold[name])) for answer, _ in pairs])
    resampler = Resampler([answer.text for answer, _ in pairs])
    (ours, sampled), (theirs, rival) = (
        resampler.macro_f1(
            gold, np.array([labels.index(pair[side].label[name]) for pair in pairs]), len(labels)
        )
        for side in (0, 1)
    )
    return difference(ours.value - theirs.value, sampled, rival)


def _pair(name: str, ours: Sequence[Answer], theirs: Sequence[Answer]) -> _Pairs:
    known = {(answer.text, answer.holder): answer for answer in theirs}
    pairs = []
    for answer in ours:
        rival = known.get((answer.text, answer.holder))
        gold = answer.gold.get(name)
        if rival is not None and gold is not None and gold == rival.gold.get(name):
            pairs.append((answer, rival))
    return pairs


def _bounded(
    name: str, value: float | None, limit: float | None, chance: float | None = None
) -> list[Check]:
    """Check a figure against its limit, or what chance gives a perfect model if that is more."""
    if limit is None:
        return []
    found = "not measured" if value is None else f"{value:.3f}"
    wanted = f"at most {limit:g}"
    if chance is not None and chance > limit:
        wanted += f", or the {chance:.3f} that chance gives so few records"
        limit = chance
    return [Check(name, found, wanted, value is not None and value <= limit)]


def _bounded_groups(name: str, report: Mapping[str, Any], limit: float | None) -> list[Check]:
    """Check the group of names that flips most labels; few records make its interval wide."""
    swaps = report.get("invariance") or {}
    groups = [group for group in swaps if group != "all"]
    if limit is None or not groups:
        return []
    title = f"{name} name-swap flips by group"
    if unswapped := report.get("unswapped"):
        found = f"no record could be told of {', '.join(unswapped)}"
        return [Check(title, found, "every group measured", False)]
    flips = {group: _flips(swaps[group], name) for group in groups}
    worst = max(groups, key=lambda group: flips[group].low)
    wanted = f"not all of the interval above {limit:g}"
    found = f"{flips[worst]} in {worst}"
    return [Check(title, found, wanted, flips[worst].low <= limit)]


def _bounded_spread(
    name: str, spread: Mapping[str, Any] | None, limit: float | None
) -> list[Check]:
    """Check how far two parties' means lie apart; a dimension without a scale has none."""
    if spread is None or limit is None:
        return []
    (lowest, low), (highest, high) = spread["low"], spread["high"]
    found = f"{high - low:.3f} between {lowest} and {highest}"
    title = f"{name} mean of parties on its scale"
    return [Check(title, found, f"at most {limit:g} apart", high - low <= limit)]


def _flips(scores: Mapping[str, Any], name: str) -> Interval:
    """Return a share of flips with its interval (Clopper and Pearson, 1934)."""
    share, count = scores[name]["flips"], scores["records"]
    interval = binomtest(round(share * count), count).proportion_ci(method="exact")
    return Interval(share, float(interval.low), float(interval.high))


def _macro_f1(report: Mapping[str, Any], name: str) -> Interval | None:
    scores = report["dimensions"].get(name)
    interval = scores["systems"][MODEL]["macro_f1"] if scores else {"value": None}
    return None if interval["value"] is None else Interval.read(interval)
