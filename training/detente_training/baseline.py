"""Baselines every model is measured against, fitted on the same negotiations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold

from detente.codebook import Codebook
from detente.progress import tracking
from detente_training.examples import gold_labels
from detente_training.loss import IGNORED
from detente_training.record import Record

Probabilities = dict[str, NDArray[np.float64]]

MAJORITY = "majority"
TFIDF = "TF-IDF + logistic regression"
FROZEN = "frozen encoder + logistic regression"

_STRENGTHS = [0.1, 0.3, 1.0, 3.0, 10.0]
_FOLDS = 3
_FEW = 100
_MANY = 2000  # records; for fewer, worker processes cost more than they save


def fit_baselines(
    train: Sequence[Record],
    codebook: Codebook,
    embed: Any,
    records: Sequence[Record],
    *,
    progress: bool = False,
) -> dict[str, Probabilities]:
    """Return what each baseline, fitted on ``train``, predicts for ``records``.

    Majority label; logistic regression on TF-IDF of words and word pairs of statement and
    holder; logistic regression on the frozen encoder's pooled pair vectors. The regressions'
    strength is chosen by cross-validation grouped by negotiation.

    Args:
        train: labelled records.
        codebook: the dimensions.
        embed: function from records to vectors, shape (records, size); None leaves out the
            baseline that needs it.
        records: what to predict for.
        progress: show a bar: on tens of thousands of records it takes minutes.

    Returns:
        For each baseline, each dimension's probabilities, shape (records, labels).
    """
    text, holder = (
        TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, min_df=2 if len(train) > _FEW else 1
        ),
        TfidfVectorizer(),
    )
    if not any(map(holder.build_tokenizer(), _holders(train))):
        holder.set_params(token_pattern=r"\w+|\S")  # all are of one letter, which is no word
    features: dict[str, tuple[Any, Any]] = {
        MAJORITY: (np.zeros((len(train), 1)), np.zeros((len(records), 1))),
        TFIDF: (
            scipy.sparse.hstack(
                [text.fit_transform(_texts(train)), holder.fit_transform(_holders(train))]
            ).tocsr(),
            scipy.sparse.hstack(
                [text.transform(_texts(records)), holder.transform(_holders(records))]
            ).tocsr(),
        ),
    }
    if embed is not None:
        features[FROZEN] = (embed(train), embed(records))
    gold = gold_labels(train, codebook)
    groups = np.array([record.negotiation for record in train])
    predicted: dict[str, Probabilities] = {name: {} for name in features}
    fits = len(features) * len(codebook.dimensions)
    with tracking("fitting baselines", fits, show=progress) as advance:
        for name, (known, asked) in features.items():
            for number, dimension in enumerate(codebook.dimensions):
                predicted[name][dimension.name] = _predict(
                    known, asked, gold[:, number], groups, len(dimension.labels), name == MAJORITY
                )
                advance(1)
    return predicted


def _predict(
    known: Any,
    asked: Any,
    gold: NDArray[np.int64],
    groups: NDArray[np.str_],
    size: int,
    majority: bool,
) -> NDArray[np.float64]:
    labelled = gold != IGNORED
    known, gold, groups = known[labelled], gold[labelled], groups[labelled]
    classifier: Any = DummyClassifier(strategy="prior")
    if not majority and len(set(gold)) > 1:
        classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
        if folds := _folds(gold, groups):
            jobs = -1 if len(gold) > _MANY else 1
            classifier = GridSearchCV(
                classifier, {"C": _STRENGTHS}, scoring="f1_macro", cv=folds, n_jobs=jobs
            )
    classifier.fit(known, gold)
    probabilities = np.zeros((asked.shape[0], size))
    probabilities[:, classifier.classes_] = classifier.predict_proba(asked)
    return probabilities


def _folds(
    gold: NDArray[np.int64], groups: NDArray[np.str_]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return whole groups to fit and to ask, where what is fitted holds two labels or more."""
    count = min(_FOLDS, len(set(groups)))
    if count < 2:
        return []
    folds = GroupKFold(count).split(gold, groups=groups)
    return [(fitted, asked) for fitted, asked in folds if len(set(gold[fitted])) > 1]


def _texts(records: Sequence[Record]) -> list[str]:
    return [record.text for record in records]


def _holders(records: Sequence[Record]) -> list[str]:
    return [record.holder or "nobody" for record in records]
