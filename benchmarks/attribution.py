"""Quality of attribution on a folder annotated as PolNeAR is (Newell, Margolin & Ruths 2018).

    python benchmarks/attribution.py DIR

DIR holds ``text/NAME.txt`` and ``attributions/NAME_ANNOTATOR.ann`` (brat stand-off). Where several
annotators read a text, the first by name counts. Figures are micro-averages over articles with 95%
intervals from 1000 bootstrap samples of articles. Only words are compared, not punctuation.

A word of content is found when it lies in some content of either side; contents are exact when
they have the same words. Each annotated content is matched with the found one that shares most of
its words, at least half; the sources of such pairs are exact, or have the same syntactic head.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from detente.speech.parser import Paragraph, Parser
from detente.speech.quotation import Quotation, find_quotations
from detente.statements import Span, split_paragraphs

KINDS = ("direct", "mixed", "indirect")
SAMPLES = 1000
WORD = re.compile(r"\w+")
QUOTED = re.compile(r"“[^“”]*”|\"[^\"]*\"|''.*?''|‘[^‘]*?’(?!\w)", re.DOTALL)


@dataclass(frozen=True)
class Gold:
    """One annotated attribution, as the offsets of its words."""

    kind: str
    content: frozenset[int]
    source: tuple[int, ...]
    source_span: Span | None


@dataclass
class Counts:
    """What is added up over articles: name of a count to its value."""

    values: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __add__(self, other: Counts) -> Counts:
        total = Counts()
        for counts in (self, other):
            for name, value in counts.values.items():
                total.values[name] += value
        return total


def read_annotations(path: Path, text: str) -> list[Gold]:
    """Return the attributions of an .ann file that have content."""
    spans: dict[str, list[Span]] = {}
    events: list[list[tuple[str, str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if line.startswith("T"):
            pieces = fields[1].split(" ", 1)[1].split(";")
            spans[fields[0]] = [(int(a), int(b)) for a, b in (piece.split() for piece in pieces)]
        elif line.startswith("E"):
            roles = (role.split(":", 1) for role in fields[1].split())
            events.append([(name.rstrip("0123456789"), target) for name, target in roles])
    quoted = {place for match in QUOTED.finditer(text) for place in range(*match.span())}
    return [gold for event in events if (gold := read_event(event, spans, text, quoted))]


def read_event(
    event: Iterable[tuple[str, str]], spans: dict[str, list[Span]], text: str, quoted: set[int]
) -> Gold | None:
    roles: dict[str, list[Span]] = defaultdict(list)
    for name, target in event:
        roles[name].extend(spans[target])
    content = words(text, roles["Content"])
    source = words(text, roles["Source"])
    if not content:
        return None
    within = sum(place in quoted for place in content)
    kind = "indirect" if not within else "direct" if within == len(content) else "mixed"
    extent = (
        (min(start for start, _ in roles["Source"]), max(end for _, end in roles["Source"]))
        if source
        else None
    )
    return Gold(kind, frozenset(content), tuple(source), extent)


def words(text: str, spans: Iterable[Span]) -> list[int]:
    """Return where the words of some spans begin."""
    return sorted({match.start() for a, b in spans for match in WORD.finditer(text, a, b)})


def head(paragraphs: Sequence[Paragraph], span: Span) -> int | None:
    """Return where the syntactic head of a span begins."""
    for paragraph in paragraphs:
        start, end = span[0] - paragraph.start, span[1] - paragraph.start
        if 0 <= start < len(paragraph.doc.text):
            phrase = paragraph.doc.char_span(start, end, alignment_mode="expand")
            return paragraph.start + phrase.root.idx if phrase else None
    return None


def compare(
    text: str, paragraphs: Sequence[Paragraph], golds: list[Gold], found: list[Quotation]
) -> Counts:
    """Count an article's hits; gold and found contents by kind."""
    counts = Counts()
    contents = [frozenset(words(text, one.contents)) for one in found]
    gold_words: frozenset[int] = frozenset().union(*(gold.content for gold in golds))
    found_words: frozenset[int] = frozenset().union(*contents)
    exact = set(contents)
    counts.values["token hit"] = len(gold_words & found_words)
    counts.values["token gold"] = len(gold_words)
    counts.values["token found"] = len(found_words)
    counts.values["exact found"] = len(exact)
    counts.values["exact hit"] = len(exact & {gold.content for gold in golds})
    counts.values["exact gold"] = len({gold.content for gold in golds})
    for gold in golds:
        kind = gold.kind
        counts.values[f"{kind} gold"] += 1
        counts.values[f"{kind} token gold"] += len(gold.content)
        counts.values[f"{kind} token hit"] += len(gold.content & found_words)
        counts.values[f"{kind} exact hit"] += gold.content in exact
        best = best_match(gold.content, contents)
        if best is None or not gold.source_span:
            continue
        verdict = match_source(text, paragraphs, gold, found[best])
        for name in (kind, "all"):
            counts.values[f"{name} source gold"] += 1
            counts.values[f"{name} source exact"] += verdict == "exact"
            counts.values[f"{name} source hit"] += verdict != "wrong"
    return counts


def best_match(content: frozenset[int], candidates: Sequence[frozenset[int]]) -> int | None:
    """Return the candidate that shares most words, at least half of ``content``."""
    scored = [
        (len(content & candidate), -len(candidate), -number)
        for number, candidate in enumerate(candidates)
    ]
    best = max(scored, default=(0, 0, 0))
    return -best[2] if best[0] * 2 >= len(content) else None


def match_source(
    text: str, paragraphs: Sequence[Paragraph], gold: Gold, quotation: Quotation
) -> str:
    if quotation.source is None or gold.source_span is None:
        return "wrong"
    if tuple(words(text, [quotation.source])) == gold.source:
        return "exact"
    heads = head(paragraphs, quotation.source), head(paragraphs, gold.source_span)
    return "head" if heads[0] is not None and heads[0] == heads[1] else "wrong"


def share(part: str, whole: str) -> Callable[[Counts], float]:
    return lambda counts: counts.values[part] / max(1.0, counts.values[whole])


def f1(name: str) -> Callable[[Counts], float]:
    return lambda counts: (
        2
        * counts.values[f"{name} hit"]
        / max(1.0, counts.values[f"{name} gold"] + counts.values[f"{name} found"])
    )


def measures() -> dict[str, Callable[[Counts], float]]:
    """Return what is reported, by name."""
    found: dict[str, Callable[[Counts], float]] = {
        "content words: precision": share("token hit", "token found"),
        "content words: recall": share("token hit", "token gold"),
        "content words: F1": f1("token"),
        "content exact: F1": f1("exact"),
        "source exact or head, given content": share("all source hit", "all source gold"),
        "source exact, given content": share("all source exact", "all source gold"),
    }
    for kind in KINDS:
        found[f"{kind}: words recalled"] = share(f"{kind} token hit", f"{kind} token gold")
        found[f"{kind}: contents exact"] = share(f"{kind} exact hit", f"{kind} gold")
        found[f"{kind}: content matched"] = share(f"{kind} source gold", f"{kind} gold")
        found[f"{kind}: source exact or head"] = share(f"{kind} source hit", f"{kind} source gold")
        found[f"{kind}: source exact"] = share(f"{kind} source exact", f"{kind} source gold")
    return found


def interval(articles: Sequence[Counts], measure: Callable[[Counts], float]) -> tuple[float, float]:
    generator = random.Random(0)
    values = sorted(
        measure(total(generator.choices(articles, k=len(articles)))) for _ in range(SAMPLES)
    )
    return values[int(0.025 * SAMPLES)], values[int(0.975 * SAMPLES) - 1]


def total(articles: Iterable[Counts]) -> Counts:
    return sum(articles, Counts())


def annotation_files(folder: Path) -> tuple[list[tuple[Path, Path]], int]:
    """Return (text, annotation) paths, and how many texts have several annotators."""
    pairs, several = [], 0
    for text in sorted((folder / "text").glob("*.txt")):
        files = sorted((folder / "attributions").glob(f"{text.stem}_*.ann"))
        several += len(files) > 1
        if files:
            pairs.append((text, files[0]))
    return pairs, several


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds text/ and attributions/")
    folder = parser.parse_args().folder
    pairs, several = annotation_files(folder) if folder.is_dir() else ([], 0)
    if not pairs:
        raise SystemExit(
            f"{folder}: no text/*.txt with attributions/*.ann there; PolNeAR is distributed at "
            "github.com/networkdynamics/PolNeAR, give the path of its dev folder"
        )
    pipeline = Parser()
    articles, seconds, size = [], 0.0, 0
    for path, marked in pairs:
        text = path.read_bytes().decode("utf-8")
        begin = time.perf_counter()
        paragraphs = list(pipeline.parse(text, split_paragraphs(text)))
        found = find_quotations(text, paragraphs)
        seconds += time.perf_counter() - begin
        size += len(text.split())
        articles.append(compare(text, paragraphs, read_annotations(marked, text), found))
    report(articles, size, seconds, several)


def report(articles: Sequence[Counts], size: int, seconds: float, several: int) -> None:
    table = Table("measure", "value", "95% interval")
    for name, measure in measures().items():
        low, high = interval(articles, measure)
        table.add_row(name, f"{measure(total(articles)):.3f}", f"{low:.3f} to {high:.3f}")
    console = Console()
    console.print(table)
    numbers = total(articles).values
    kinds = ", ".join(f"{numbers[f'{kind} gold']:.0f} {kind}" for kind in KINDS)
    console.print(
        f"{len(articles)} articles, {size} words, {size / seconds:.0f} words a second (parse and "
        f"extraction); gold: {kinds}. "
        f"{several} texts have several annotators; the first by name counts."
    )


if __name__ == "__main__":
    main()
