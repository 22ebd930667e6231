"""How closely a run's int8 bundle follows the trained model, and whether the batch matters.

    detente train configs/default.yaml
    python benchmarks/fidelity.py runs/default

Measured on the run's unseen negotiations.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from detente.bundle import Bundle
from detente_training import metrics
from detente_training.examples import gold_labels
from detente_training.train import Run, bundle_folder, load_classifier, read_logits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    folder = parser.parse_args().run
    run = Run.open(folder)
    classifier, bundle = load_classifier(run, folder), Bundle.load(bundle_folder(folder))
    records = run.split.test
    trained = read_logits(run, classifier, folder, [(r.text, r.holder) for r in records])
    windows = [bundle.encoder.windows(r.text, r.holder)[0] for r in records]
    served = bundle.session.logits(windows)
    alone = bundle.session.logits(windows, batch_size=1)

    table = Table("", "labels that agree", "macro-F1, trained", "macro-F1, int8")
    gold = gold_labels(records, run.codebook)
    for number, (name, columns) in enumerate(run.codebook.slices.items()):
        first, second = (x[:, columns].argmax(axis=1) for x in (trained, served))
        size = columns.stop - columns.start
        f1 = (metrics.macro_f1(gold[:, number], x, size) for x in (first, second))
        table.add_row(name, f"{(first == second).mean():.3f}", *(f"{value:.3f}" for value in f1))
    Console().print(table)
    print(
        f"{len(records)} records; largest difference of a logit between batches of 32 and of 1: "
        f"{np.abs(served - alone).max():.1e}"
    )


if __name__ == "__main__":
    main()
