"""What the bundled gate lets pass: recall of statements with a position, and what it spares.

    python benchmarks/gate.py [REAL.jsonl] [FOLDER_OF_TEXTS]

REAL.jsonl holds labelled statements of real news, FOLDER_OF_TEXTS plain articles; neither is
part of the project, and each is left out when absent.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from detente.bundle import Bundle
from detente.statements import split_statements
from detente_training.gate import positions
from detente_training.gold import read_gold
from detente_training.record import read_records

DATA = Path(__file__).parent.parent / "data"


def main() -> None:
    bundle = Bundle.load()
    gate, codebook, corpus = bundle.gate, bundle.manifest.codebook, bundle.manifest.corpus
    assert gate is not None
    used = {*corpus.train, *corpus.validation, *corpus.taught}
    unseen = [r for r in read_records(DATA / "corpus", codebook) if r.negotiation not in used]
    sets: dict[str, dict[str, bool]] = {"unseen negotiations": positions(unseen, codebook)}
    for split in ("dev", "test"):
        sets[f"articles, {split}"] = {
            gold.text[s.start : s.end]: bool(s.positions)
            for gold in read_gold(DATA / "articles", codebook)
            if gold.split == split
            for s in gold.statements
        }
    for path in map(Path, sys.argv[1:2]):
        sets["real news"] = positions(read_records(path, codebook), codebook)
    print("| statements | with a position | recall | without | skipped |\n" + "| --- " * 5 + "|")
    for name, statements in sets.items():
        taking = [gate.passes(text) for text, takes in statements.items() if takes]
        quiet = [gate.passes(text) for text, takes in statements.items() if not takes]
        print(
            f"| {name} | {len(taking)} | {sum(taking) / len(taking):.3f} | {len(quiet)} | "
            f"{1 - sum(quiet) / max(len(quiet), 1):.3f} |"
        )
    for folder in map(Path, sys.argv[2:3]):
        texts = [
            text[start:end]
            for file in sorted(folder.glob("*.txt"))
            for text in [file.read_text(encoding="utf-8")]
            for start, end in split_statements(text)
        ]
        begun = time.perf_counter()
        skipped = sum(not gate.passes(text) for text in texts)
        each = (time.perf_counter() - begun) / len(texts)
        print(
            f"{folder.name}: {len(texts)} statements, {skipped / len(texts):.3f} skipped, "
            f"{each * 1e6:.0f} microseconds each"
        )


if __name__ == "__main__":
    main()
