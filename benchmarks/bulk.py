"""Tag a large JSONL in one go: articles a second, and the memory of the command at its highest.

    python benchmarks/bulk.py [--articles 100000] [--jobs 2] [--words 60]

The articles are cut from the project's own example articles, each with a number in it so that no
two are equal. Memory is the resident memory of the command and its processes together, sampled
four times a second.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ARTICLES = Path(__file__).parent.parent / "data" / "articles"
PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--words", type=int, default=60, help="words in an article, at least")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "many.jsonl", Path(folder) / "tags.parquet"
        words = write_articles(source, options.articles, options.words)
        command = [sys.executable, "-m", "detente.cli", "tag", str(source), "-o", str(target)]
        begun = time.monotonic()
        process = subprocess.Popen(
            [*command, "--jobs", str(options.jobs)], stderr=subprocess.PIPE, text=True
        )
        peak, half = 0, 0
        while process.poll() is None:
            used = memory(process.pid)
            peak = max(peak, used)
            if time.monotonic() - begun < 60:
                half = max(half, used)
            time.sleep(0.25)
        seconds = time.monotonic() - begun
        assert process.stderr is not None
        print(process.stderr.read().strip())
        if process.returncode:
            raise SystemExit(process.returncode)
        print(
            f"{options.articles:,} articles, {words:,} words, {source.stat().st_size / 1e6:,.0f} MB"
            f" with --jobs {options.jobs}: {seconds:,.0f} s, {options.articles / seconds:,.1f} "
            f"articles/s, {words / seconds:,.0f} words/s; peak memory {peak / 1e6:,.0f} MB "
            f"({half / 1e6:,.0f} MB in the first minute)"
        )


def write_articles(path: Path, count: int, least: int) -> int:
    """Write the articles and return their words."""
    paragraphs = [
        " ".join(paragraph.split())
        for file in sorted(ARTICLES.glob("*.txt"))
        for paragraph in file.read_text(encoding="utf-8").split("\n\n")
        if len(paragraph.split()) > 15
    ]
    supply = itertools.cycle(paragraphs)
    total = 0
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            text = f"Report {number}."
            while len(text.split()) < least:
                text += "\n\n" + next(supply)
            total += len(text.split())
            stream.write(json.dumps({"id": number, "text": text}) + "\n")
    return total


def memory(pid: int) -> int:
    """Return the resident bytes of a process and its descendants."""
    total = 0
    pending = [pid]
    while pending:
        current = pending.pop()
        try:
            total += int(Path(f"/proc/{current}/statm").read_text().split()[1]) * PAGE
            for task in Path(f"/proc/{current}/task").iterdir():
                pending.extend(map(int, (task / "children").read_text().split()))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


if __name__ == "__main__":
    main()
