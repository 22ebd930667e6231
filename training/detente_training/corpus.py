"""The corpus check: is every record well-formed, unique and anchored in its text?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detente.codebook import Codebook
from detente_training.negotiation import FILE, Negotiation, read_negotiations
from detente_training.record import (
    Record,
    flatten,
    iterate_records,
    pair_members,
    tell_apart,
    unknown_fields,
)
from detente_training.texture import grams

NEAR_DUPLICATE = 0.5  # Jaccard similarity of word 5-grams
_GRAM = 5


@dataclass(frozen=True)
class CorpusReport:
    """What the check found."""

    records: list[Record]
    problems: list[str]

    def counts(self, codebook: Codebook) -> dict[str, Counter[tuple[str, str]]]:
        """Return for each negotiation how often each (dimension, label) occurs."""
        counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for record in self.records:
            for name, label in record.labels.items():
                if label is not None:
                    counts[record.negotiation][name, label] += 1
        return dict(sorted(counts.items()))


def contrasting_statements(records: Sequence[Record]) -> int:
    """Return the number of statements whose holders' labels differ."""
    labels = defaultdict(set)
    for record in records:
        labels[record.text].add(tuple(record.labels.values()))
    return sum(len(different) > 1 for different in labels.values())


def check_corpus(path: str | Path, codebook: Codebook) -> CorpusReport:
    """Check every line of a corpus and return all problems, each with its file and line.

    Raises:
        InputError: the corpus cannot be read at all.
    """
    records: list[Record] = []
    problems: list[str] = []
    for record in iterate_records(path, codebook):
        if isinstance(record, Record):
            records.append(record)
            problems.extend(f"{record.place}: {fault}" for fault in _faults(record, codebook))
        else:
            problems.append(str(record))
    problems.extend(_missing_holders(records))
    problems.extend(_repeated_ids(records))
    problems.extend(_repeated_pairs(records))
    problems.extend(_shared_texts(records))
    problems.extend(_near_duplicates(records))
    problems.extend(_idle_pairs(records))
    problems.extend(_single_labels(records, codebook))
    problems.extend(_undescribed(records, read_negotiations(path)))
    return CorpusReport(records, problems)


def _faults(record: Record, codebook: Codebook) -> Iterator[str]:
    yield from unknown_fields(record)
    if record.text != record.text.strip():
        yield "the text begins or ends with white space"
    if not record.negotiation:
        yield "no 'negotiation'; splits need one"
    elif Path(record.place.rpartition(":")[0]).stem != record.negotiation:
        yield (
            f"negotiation '{record.negotiation}' belongs in {record.negotiation}.jsonl, "
            f"not {Path(record.place.rpartition(':')[0]).name}"
        )
    yield from _annotation_faults(record, codebook)
    for name, allowed in codebook.fields.items():
        value = record.fields.get(name)
        if value not in allowed:
            yield f"unknown {name} {value!r}; allowed: {', '.join(allowed)}"
    if record.holder is None:
        return
    if record.implied and record.holder in record.text:
        yield f"holder {record.holder!r} stands in the text but is marked as implied"
    if not record.implied and record.holder not in record.text:
        yield (
            f"holder {record.holder!r} not found in the text; copy it as it stands there, or "
            'add "implied": true'
        )


def _missing_holders(records: Sequence[Record]) -> Iterator[str]:
    missing = [record for record in records if record.holder is None]
    if len(missing) < len(records):  # a scheme may know no holders at all
        yield from (f"{record.place}: no 'holder', which others have" for record in missing)


def _annotation_faults(record: Record, codebook: Codebook) -> Iterator[str]:
    entries = record.annotations
    names = [entry["annotator"] for entry in entries]
    if len(set(names)) < len(names):
        yield "one annotator labelled the record twice"
    for entry in entries:
        for dimension in codebook.dimensions:
            label = entry.get(dimension.name)
            if label is not None and label not in dimension.label_names:
                yield (
                    f"annotator {entry['annotator']!r} gave an unknown {dimension.name} label "
                    f"{label!r}; allowed: {', '.join(dimension.label_names)}"
                )


def _repeated_ids(records: Sequence[Record]) -> Iterator[str]:
    first: dict[str, str] = {}
    for record in records:
        if record.id in first:
            yield f"{record.place}: id '{record.id}' is taken by {first[record.id]}"
        first.setdefault(record.id, record.place)


def _repeated_pairs(records: Sequence[Record]) -> Iterator[str]:
    first: dict[tuple[str, str | None], str] = {}
    for record in records:
        pair = (flatten(record.text), record.holder)
        if pair in first:
            yield f"{record.place}: the same text and holder stand at {first[pair]}"
        first.setdefault(pair, record.place)


def _shared_texts(records: Sequence[Record]) -> Iterator[str]:
    first: dict[str, Record] = {}
    told = set()
    for record in records:
        text = flatten(record.text)
        earlier = first.setdefault(text, record)
        if earlier.negotiation != record.negotiation and (text, record.negotiation) not in told:
            told.add((text, record.negotiation))
            yield f"{record.place}: the same text stands in another negotiation, at {earlier.place}"


def _near_duplicates(records: Sequence[Record]) -> Iterator[str]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=NEAR_DUPLICATE * 0.8, num_perm=128)
    known: dict[str, frozenset[str]] = {}
    first: dict[str, Record] = {}
    for record in records:
        if record.text in first:
            continue
        found = grams(record.text, _GRAM)
        sketch = MinHash(num_perm=128)
        sketch.update_batch([gram.encode() for gram in found])
        for text in sorted(index.query(sketch)):
            # The sketch only proposes; the true similarity decides.
            similarity = len(found & known[text]) / len(found | known[text])
            earlier = first[text]
            paired = record.pair is not None and (record.negotiation, record.pair) == (
                earlier.negotiation,
                earlier.pair,
            )
            if similarity > NEAR_DUPLICATE and not paired:
                yield (
                    f"{record.place}: near-duplicate of {earlier.place} (Jaccard {similarity:.2f})"
                )
        index.insert(record.text, sketch)
        known[record.text] = found
        first[record.text] = record


def _idle_pairs(records: Sequence[Record]) -> Iterator[str]:
    """Name contrast pairs that cannot be scored: no label is known and differs."""
    for (_, pair), numbers in pair_members(records).items():
        found = [records[number] for number in numbers]
        if len(found) == 1:
            yield f"{found[0].place}: pair '{pair}' has no other record"
        elif not tell_apart(found):
            yield f"{found[-1].place}: the records of pair '{pair}' have the same labels"


def _single_labels(records: Sequence[Record], codebook: Codebook) -> Iterator[str]:
    for dimension in codebook.dimensions:
        used = {record.labels[dimension.name] for record in records} - {None}
        if records and len(used) < 2:
            only = ", ".join(map(str, used)) or "null"
            yield f"{dimension.name}: only one label in the whole corpus ({only})"


def _undescribed(records: Sequence[Record], known: Mapping[str, Negotiation]) -> Iterator[str]:
    if known:
        for slug in sorted({record.negotiation for record in records} - set(known)):
            yield f"{FILE}: does not describe the negotiation '{slug}'"
