"""What the bundled gate lets pass: recall of statements with a position, and what it spares.

    python benchmarks/gate.py
    python benchmarks/gate.py --real REAL.jsonl --texts FOLDER

REAL.jsonl holds labelled statements of real text, FOLDER plain articles; neither is part of the
project.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from detente.bundle import Bundle
from detente.statements import split_statements
from detente_training.gate import positions
from detente_training.gold import read_gold
from detente_training.record import read_records

DATA = Path(__file__).parent.parent / "data"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, help="labelled statements of real text")
    parser.add_argument("--texts", type=Path, help="a folder of .txt articles")
    options = parser.parse_args()
    bundle = Bundle.load()
    gate, codebook, corpus = bundle.gate, bundle.manifest.codebook, bundle.manifest.corpus
    assert gate is not None
    records = read_records(DATA / "corpus", codebook)
    unseen = [record for record in records if record.negotiation not in corpus.seen]
    sets: dict[str, dict[str, bool]] = {"unseen negotiations": positions(unseen, codebook)}
    for split in ("dev", "test"):
        sets[f"articles, {split}"] = {
            gold.text[s.start : s.end]: bool(s.positions)
            for gold in read_gold(DATA / "articles", codebook)
            if gold.split == split
            for s in gold.statements
        }
    if options.real:
        sets["real text"] = positions(read_records(options.real, codebook), codebook)
    print("| statements | with a position | recall | without | skipped |\n" + "| --- " * 5 + "|")
    for name, statements in sets.items():
        taking = [gate.passes(text) for text, takes in statements.items() if takes]
        quiet = [gate.passes(text) for text, takes in statements.items() if not takes]
        print(
            f"| {name} | {len(taking)} | {sum(taking) / max(len(taking), 1):.3f} | {len(quiet)} | "
            f"{1 - sum(quiet) / max(len(quiet), 1):.3f} |"
        )
    if options.texts:
        texts = [
            text[start:end]
            for file in sorted(options.texts.glob("*.txt"))
            for text in [file.read_text(encoding="utf-8")]
            for start, end in split_statements(text)
        ]
        if not texts:
            parser.error(f"{options.texts}: holds no .txt file with a statement")
        begun = time.perf_counter()
        skipped = sum(not gate.passes(text) for text in texts)
        each = (time.perf_counter() - begun) / len(texts)
        print(
            f"{options.texts.name}: {len(texts)} statements, {skipped / len(texts):.3f} skipped, "
            f"{each * 1e6:.0f} microseconds each"
        )


if __name__ == "__main__":
    main()
