"""What a corpus is made of: sizes, labels, holders, texture and agreement, as tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.model_selection import GroupKFold

from detente.codebook import Codebook
from detente_training import metrics
from detente_training.agreement import alpha, annotated_twice
from detente_training.baseline import TFIDF, fit_baselines
from detente_training.corpus import contrasting_statements
from detente_training.examples import gold_labels
from detente_training.negotiation import Negotiation
from detente_training.record import Record
from detente_training.texture import commonest_gram, distinct, length_deciles, words

Tables = list[tuple[str, list[list[str]]]]

_FOLDS = 5


def composition_tables(
    records: Sequence[Record],
    codebook: Codebook,
    negotiations: Mapping[str, Negotiation],
    *,
    against: Sequence[str] = (),
    probe: bool = True,
) -> Tables:
    """Return a corpus' figures as titled tables; the first row of each is its head.

    Args:
        records: the corpus.
        codebook: the dimensions.
        negotiations: what each negotiation is about, where it is known.
        against: texts of another collection, whose texture is shown beside the corpus'.
        probe: whether to fit a bag-of-words classifier on unseen negotiations, which takes minutes.
    """
    tables = [
        ("Size", _sizes(records, negotiations)),
        *_label_tables(records, codebook),
        ("Texture of the statements", _texture(records, against)),
        ("Krippendorff's alpha, before adjudication", _agreement(records, codebook)),
    ]
    if probe and len({record.negotiation for record in records}) > 1:
        tables.append((f"{TFIDF} on unseen negotiations", _probe(records, codebook)))
    return tables


def _sizes(records: Sequence[Record], negotiations: Mapping[str, Negotiation]) -> list[list[str]]:
    by_text: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_text[record.text].append(record)
    sizes = Counter(record.negotiation for record in records)
    largest, count = sizes.most_common(1)[0]
    kinds = Counter(negotiations[slug].kind for slug in sizes if slug in negotiations)
    return [
        ["", "count"],
        ["records", str(len(records))],
        ["statements", str(len(by_text))],
        ["statements with two or more holders", str(sum(len(r) > 1 for r in by_text.values()))],
        ["… whose labels differ", str(contrasting_statements(records))],
        ["records whose holder is only implied", str(sum(r.implied for r in records))],
        ["negotiations", str(len(sizes))],
        ["kinds of negotiation", f"{len(kinds)}: {_list(kinds)}"],
        ["largest negotiation", f"{largest}, {count / len(records):.1%}"],
        ["registers", _list(Counter(str(r.fields.get("register")) for r in records))],
        ["attributions", _list(Counter(str(r.fields.get("attribution")) for r in records))],
    ]


def _list(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _label_tables(records: Sequence[Record], codebook: Codebook) -> Tables:
    tables: Tables = []
    for dimension in codebook.dimensions:
        counts = Counter(record.labels[dimension.name] for record in records)
        head = ["", *dimension.label_names]
        shares = (f"{counts[name] / len(records):.1%}" for name in dimension.label_names)
        numbers = (str(counts[name]) for name in dimension.label_names)
        tables.append((f"Labels: {dimension.name}", [head, ["records", *numbers], ["", *shares]]))
    first, *others = codebook.dimensions
    for other in others:
        pairs = Counter((r.labels[first.name], r.labels[other.name]) for r in records)
        rows = [
            [name, *(str(pairs[name, label]) for label in other.label_names)]
            for name in first.label_names
        ]
        tables.append((f"{first.name} by {other.name}", [["", *other.label_names], *rows]))
    return tables


def _texture(records: Sequence[Record], against: Sequence[str]) -> list[list[str]]:
    collections = [sorted({record.text for record in records})]
    if against:
        collections.append(sorted(set(against)))
    limit = min(sum(len(words(text)) for text in texts) for texts in collections)
    deciles = (", ".join(map(str, length_deciles(texts))) for texts in collections)
    common = ("“{}” in {:.2%}".format(*commonest_gram(texts)) for texts in collections)
    variety = (f"{distinct(texts, limit):.3f}" for texts in collections)
    return [
        ["", "corpus", *(["compared with"] if against else [])],
        ["words a statement, deciles", *deciles],
        ["commonest word 4-gram", *common],
        [f"distinct-2 of {limit} words", *variety],
    ]


def _agreement(records: Sequence[Record], codebook: Codebook) -> list[list[str]]:
    names = [dimension.name for dimension in codebook.dimensions]
    groups = {"all": list(records)}
    for record in sorted(records, key=lambda record: record.negotiation):
        if record.negotiation != "all":
            groups.setdefault(record.negotiation, []).append(record)
    rows = [["negotiation", "annotated twice", *names]]
    for group, inside in groups.items():
        values = alpha(inside, codebook)
        figures = ("–" if np.isnan(values[name]) else f"{values[name]:.3f}" for name in names)
        rows.append([group, str(annotated_twice(inside)), *figures])
    return rows


def _probe(records: Sequence[Record], codebook: Codebook) -> list[list[str]]:
    """Score a bag of words on folds of whole negotiations: how far do mere words go?"""
    groups = [record.negotiation for record in records]
    folds = min(_FOLDS, len(set(groups)))
    gold = gold_labels(records, codebook)
    chosen = np.zeros_like(gold)
    for known, asked in GroupKFold(folds).split(records, groups=groups):
        predicted = fit_baselines(
            [records[i] for i in known], codebook, None, [records[i] for i in asked]
        )[TFIDF]
        for number, dimension in enumerate(codebook.dimensions):
            chosen[asked, number] = predicted[dimension.name].argmax(axis=1)
    return [
        ["", *(dimension.name for dimension in codebook.dimensions)],
        [
            f"macro-F1, {folds} folds",
            *(
                f"{metrics.macro_f1(gold[:, n], chosen[:, n], len(dimension.labels)):.3f}"
                for n, dimension in enumerate(codebook.dimensions)
            ),
        ],
    ]
