"""Fitting the gate that spares the model statements without a position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline

from detente.codebook import Codebook
from detente.gate import Gate, terms
from detente_training.record import Record

RECALL = 0.995
_FOLDS = 5
_MIN_STATEMENTS = 2  # that a term must occur in
_STRENGTH = 0.1
_NEGLIGIBLE = 0.02


def fit_gate(records: Sequence[Record], codebook: Codebook) -> Gate | None:
    """Return a gate that lets `RECALL` of the statements with a position pass.

    The threshold is set on scores from cross-validation that keeps negotiations together, so it
    holds for disputes the gate has not seen; the weights are then fitted to all records.

    Args:
        records: training and validation records.
        codebook: says which label means "no position".

    Returns:
        None where a dimension has no such label, or too few records or groups have either kind,
        or all of a kind stand in one fold's groups.
    """
    if any(dimension.no_position is None for dimension in codebook.dimensions):
        return None  # in such a dimension every statement takes a position
    takes = positions(records, codebook)
    groups = {record.text: record.negotiation for record in records if record.text in takes}
    positive = np.array(list(takes.values()), dtype=bool)
    kinds = Counter(positive.tolist())
    if min(kinds[True], kinds[False]) < 10 or len(set(groups.values())) < _FOLDS:
        return None
    texts = list(takes)
    folds = list(GroupKFold(_FOLDS).split(texts, groups=[groups[text] for text in texts]))
    if any(positive[fitted].all() or not positive[fitted].any() for fitted, _ in folds):
        return None
    regression = Pipeline(
        [
            ("terms", CountVectorizer(analyzer=terms, binary=True, vocabulary=_vocabulary(texts))),
            (
                "regression",
                LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=2000),
            ),
        ]
    )
    scores = cross_val_predict(
        regression,
        texts,
        positive,
        cv=folds,
        method="decision_function",
    )
    regression.fit(texts, positive)
    weights = zip(
        regression["terms"].get_feature_names_out(), regression["regression"].coef_[0], strict=True
    )
    return Gate(
        intercept=round(float(regression["regression"].intercept_[0]), 4),
        threshold=round(float(np.quantile(scores[positive], 1 - RECALL)), 4),
        weights={term: round(float(w), 3) for term, w in weights if abs(w) > _NEGLIGIBLE},
    )


def positions(records: Sequence[Record], codebook: Codebook) -> dict[str, bool]:
    """Return whether each statement takes a position in any dimension for any holder.

    A statement of which that cannot be told, for want of a label, is left out.
    """
    found: dict[str, bool | None] = {}
    for record in records:
        labels = [(record.labels[d.name], d.no_position) for d in codebook.dimensions]
        takes = any(label not in (None, nothing) for label, nothing in labels)
        unknown = not takes and any(label is None for label, _ in labels)
        before = found.get(record.text, False)
        if takes or before:
            found[record.text] = True
        else:
            found[record.text] = None if unknown or before is None else False
    return {text: takes for text, takes in found.items() if takes is not None}


def _vocabulary(texts: Sequence[str]) -> list[str]:
    """Return the terms that occur often enough and hold no word that is only printed as a name."""
    lower = {word for text in texts for word in text.split() if word[:1].islower()}
    common = {word.strip("\"'()[],.;:!?-–—“”‘’") for word in lower} | {str(n) for n in range(10)}
    counts = Counter(term for text in texts for term in set(terms(text)))
    return sorted(
        term
        for term, count in counts.items()
        if count >= _MIN_STATEMENTS and all(word in common for word in term.split())
    )
