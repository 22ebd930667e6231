"""Do the words that explain a label carry it? The deletion test.

    python benchmarks/explain.py [N]

Takes N statements (150) of the negotiations that the bundled model never saw, as many for each
dimension as take a position in it, and deletes the three weightiest words of evidence, or as many
other words drawn at random. Good evidence lowers the label's probability, and flips the label, far
more than chance (DeYoung et al., 2020, "ERASER", call it comprehensiveness).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from detente import Tagger
from detente.evidence import HIGHLIGHTED, Span, find_words
from detente.files import read_jsonl
from detente.reading import Prediction, Reading

CORPUS = Path(__file__).parent.parent / "data" / "corpus"
SAMPLES = 2000


@dataclass(frozen=True)
class Deletion:
    """A position, and what is to be deleted of its statement."""

    reading: Reading
    dimension: str
    evidence: list[Span]
    others: list[Span]

    @property
    def prediction(self) -> Prediction:
        """The position as it reads with nothing deleted."""
        return self.reading.predictions[self.dimension]


def read_statements(tagger: Tagger, seed: random.Random) -> list[Reading]:
    """Return the readings of the unseen statements, in random order."""
    records = []
    for negotiation in tagger.manifest.corpus.test:
        for place, record in read_jsonl(CORPUS / f"{negotiation}.jsonl"):
            if isinstance(record, Exception):
                raise SystemExit(f"{place}: {record}")
            records.append(record)
    seed.shuffle(records)
    return tagger.classify(
        [record["text"] for record in records], [record["holder"] for record in records]
    )


def choose(readings: Sequence[Reading], count: int, dimensions: Sequence[str]) -> list[Reading]:
    """Return ``count`` readings, those of each dimension's positions by turns."""
    queues = [[r for r in readings if r.predictions[d].takes_position] for d in dimensions]
    turns = (queue[i] for i in range(len(readings)) for queue in queues if i < len(queue))
    chosen = dict.fromkeys((reading.text, reading.holder) for reading in turns)
    wanted = set(list(chosen)[:count])
    return [reading for reading in readings if (reading.text, reading.holder) in wanted]


def plan_deletions(reading: Reading, seed: random.Random) -> list[Deletion]:
    """Return a deletion for each position that leaves enough other words to draw from."""
    found = []
    words = find_words(reading.text, reading.holder)
    for name, prediction in reading:
        evidence = [(word.start, word.end) for word in prediction.evidence[:HIGHLIGHTED]]
        others = [word for word in words if word not in evidence]
        if evidence and len(others) >= len(evidence):
            drawn = seed.sample(others, len(evidence))
            found.append(Deletion(reading, name, evidence, drawn))
    return found


def delete(reading: Reading, spans: Sequence[Span]) -> str:
    text = reading.text
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return text


def measure(
    tagger: Tagger, deletions: Sequence[Deletion]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return, for evidence and for other words, each deletion's drop and whether it flips."""
    results = {}
    for kind in ("evidence", "others"):
        after = tagger.classify(
            [delete(each.reading, getattr(each, kind)) for each in deletions],
            [each.reading.holder for each in deletions],
        )
        left = [a.predictions[each.dimension] for a, each in zip(after, deletions, strict=True)]
        pairs = [(each.prediction, a) for each, a in zip(deletions, left, strict=True)]
        drops = np.array([p.probability - a.probabilities[p.label] for p, a in pairs])
        flips = np.array([float(p.label != a.label) for p, a in pairs])
        results[kind] = drops, flips
    return results


def interval(values: NDArray[np.float64]) -> str:
    """Return the mean with its 95% bootstrap interval."""
    draws = np.random.default_rng(0).integers(len(values), size=(SAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return f"{values.mean():.2f}\n{low:.2f}…{high:.2f}"


def report(tagger: Tagger, deletions: Sequence[Deletion]) -> None:
    heads = (f"{what}\n{kind}" for what in ("drop,", "flips,") for kind in ("evidence", "others"))
    table = Table("", "positions", *heads, box=box.SIMPLE_HEAD)
    for dimension in tagger.codebook.dimensions:
        chosen = [each for each in deletions if each.dimension == dimension.name]
        if chosen:
            results = measure(tagger, chosen)
            cells = [interval(results[kind][i]) for i in (0, 1) for kind in ("evidence", "others")]
            table.add_row(dimension.name, str(len(chosen)), *cells)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("statements", type=int, nargs="?", default=150, metavar="N")
    parser.add_argument("--model", help="a bundle folder; the bundled model if none is given")
    arguments = parser.parse_args()
    if arguments.statements < 1:
        parser.error("N must be 1 or more")
    seed, tagger = random.Random(0), Tagger.load(arguments.model)
    readings = read_statements(tagger, seed)
    names = [dimension.name for dimension in tagger.codebook.dimensions]
    chosen = choose(readings, arguments.statements, names)
    explained = tagger.classify(
        [reading.text for reading in chosen],
        [reading.holder for reading in chosen],
        explain=True,
        progress=True,
    )
    deletions = [each for reading in explained for each in plan_deletions(reading, seed)]
    positions = sum(p.takes_position for reading in explained for _, p in reading)
    report(tagger, deletions)
    print(
        f"{len(chosen)} statements; up to {HIGHLIGHTED} words deleted; {len(deletions)} of "
        f"{positions} positions have evidence and enough other words"
    )


if __name__ == "__main__":
    main()
