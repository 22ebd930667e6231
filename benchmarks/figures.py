"""Put the figures of `detente evaluate` into the tables of README.md.

    detente evaluate default data/corpus -o unseen
    detente evaluate default REAL.jsonl -o real
    detente evaluate default data/contrast -o contrast
    python benchmarks/figures.py --unseen unseen --real real --contrast contrast
    python benchmarks/figures.py --row "the larger model it learnt from" --unseen teacher-unseen

A table is found by the line above it. Rows of systems that a report has are written anew, others
stay; with --row the report's model goes into the row of that name, and nothing else is written.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from detente.files import replacing
from detente_training.report import MODEL, tables

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "README.md"
TITLES = {
    "unseen": "**Our own text, negotiations never seen**",
    "real": "**Real text, never trained on**",
    "contrast": "**Contrast pairs**",
}
F1, PAIRS = "Macro-F1 [95% interval]", "Contrast pairs, both right"


def main() -> None:
    """Read the reports that are given and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in TITLES:
        parser.add_argument(f"--{name}", type=Path, help=f"evaluate's folder for {name}")
    parser.add_argument("--row", help="write only the model's row, and this one")
    options = vars(parser.parse_args())
    written: dict[str, Mapping[str, list[str]]] = {}
    for name, title in TITLES.items():
        if folder := options[name]:
            rows = figures(json.loads((folder / "report.json").read_text(encoding="utf-8")))
            written[title] = {options["row"]: rows[MODEL]} if options["row"] else rows
    lines = PAGE.read_text(encoding="utf-8").split("\n")
    if options["row"] and not any(line.startswith(f"| {options['row']} |") for line in lines):
        parser.error(f"no row {options['row']!r} in {PAGE.name}")
    text = "\n".join(rewrite(lines, written))
    with replacing(PAGE) as temporary:
        temporary.write_text(text, encoding="utf-8")


def figures(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return every system's cells: shares of contrast pairs if it has any, macro-F1 otherwise."""
    titled = dict(tables(report))
    if PAIRS not in titled:
        return {system: cells for system, *cells in titled[F1][1:]}
    (_, _, *systems), (_, _, *shares), *_ = titled[PAIRS]
    return {system: [share] for system, share in zip(systems, shares, strict=True)}


def rewrite(lines: list[str], written: Mapping[str, Mapping[str, list[str]]]) -> Iterator[str]:
    """Yield the lines of a page with the rows of its tables written anew."""
    rows: Mapping[str, list[str]] = {}
    for line in lines:
        if line.startswith(("**", "#")):
            rows = next((each for title, each in written.items() if line.startswith(title)), {})
        name = line.split("|")[1].strip() if line.startswith("|") else None
        yield f"| {name} | {' | '.join(rows[name])} |" if name in rows else line


if __name__ == "__main__":
    main()
