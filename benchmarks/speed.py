"""Speed and memory of tagging, beside `transformers.pipeline` on the same encoder.

    python benchmarks/speed.py data/articles/river-talks.txt

Each figure is the median of several processes or passes, taken in turns with its peer. The peer
gets the same statements with one linear layer's less work: it only embeds them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

PEER = """
import sys
from transformers import pipeline
from detente.statements import split_statements
from detente.files import read_text
text = read_text(sys.argv[1])
embed = pipeline("feature-extraction", model=sys.argv[2], device="cpu")
embed([text[start:end] for start, end in split_statements(text)], batch_size=32)
"""


# A process inherits its parent's peak, so the measured one is started from a small one.
STARTER = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def run_process(command: list[str]) -> tuple[float, float]:
    """Return the seconds and the peak megabytes of a process."""
    done = subprocess.run(
        [sys.executable, "-c", STARTER, *command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def run_pass(work: Callable[[], object]) -> float:
    """Return the seconds one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("article", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if not arguments.article.is_file():
        raise SystemExit(f"{arguments.article}: no such article")

    from transformers import pipeline

    from detente import Tagger
    from detente_training.config import EncoderConfig
    from detente_training.encoder import locate_encoder

    encoder = str(locate_encoder(EncoderConfig()))
    ours = [sys.executable, "-m", "detente.cli", "tag", str(arguments.article)]
    peer = [sys.executable, "-c", PEER, str(arguments.article), encoder]
    processes: list[list[tuple[float, float]]] = [[], []]
    for _ in range(arguments.repeats):
        for command, results in zip((ours, peer), processes, strict=True):
            results.append(run_process(command))

    tagger = Tagger.load()
    article = tagger.tag(arguments.article.read_text(encoding="utf-8"))
    statements = [statement.text for statement in article.statements] * 10
    embed = pipeline("feature-extraction", model=encoder, device="cpu")
    passes: list[list[float]] = [[], []]
    for _ in range(arguments.repeats):
        passes[0].append(run_pass(lambda: tagger.classify(statements)))
        passes[1].append(run_pass(lambda: embed(statements, batch_size=32)))

    table = Table("", "détente", "transformers.pipeline", "ratio")
    rows = {
        "whole process, s": [statistics.median(t for t, _ in results) for results in processes],
        "peak memory, MB": [statistics.median(m for _, m in results) for results in processes],
        "ms a statement": [1000 * statistics.median(p) / len(statements) for p in passes],
    }
    for name, (own, other) in rows.items():
        table.add_row(name, f"{own:.2f}", f"{other:.2f}", f"{other / own:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
