"""Scoring whole articles end to end: statements, speakers, holders, labels, and all at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from detente.article import Article, Holder, Statement
from detente.codebook import Codebook
from detente_training.gold import GoldArticle, GoldParty, GoldStatement
from detente_training.metrics import Interval

_OVERLAP = 0.5  # characters shared of those covered, for two statements to be the same one
_RESAMPLES = 2000
# What follows a phrase's head: "for the port", "briefed on the talks".
_TAIL = re.compile(r"\b(?:\w+(?:ed|ing) )?(?:at|by|for|from|in|of|on|to|who|with)\b")
_RELATIVE = re.compile(r"(?:who|which)\b")
_ARTICLES = re.compile(r"^(?:the|a|an|its|their|his|her)\s+|[’']s?$", re.IGNORECASE)

Counts = Counter[str]


def score_articles(
    articles: Sequence[Article], golds: Sequence[GoldArticle], codebook: Codebook
) -> dict[str, Any]:
    """Score tagged articles against their gold annotation.

    Returns:
        JSON-ready figures with 95% intervals (bootstrap over articles), for all articles and for
        each split: F1 of statements that take a position, of their holders, and of triples
        (holder, first and second dimension), the share of speakers and kinds of attribution that
        are right in found statements, and label accuracy given statement and holder.
    """
    counts = [_count(a, g, codebook) for a, g in zip(articles, golds, strict=True)]
    groups: dict[str, list[Counts]] = {"all": counts}
    for gold, count in zip(golds, counts, strict=True):
        groups.setdefault(gold.split, []).append(count)
    return {
        "articles": len(articles),
        "splits": {name: _figures(group, codebook) for name, group in groups.items()},
    }


def score_tables(report: Mapping[str, Any]) -> list[tuple[str, list[list[str]]]]:
    """Return the figures as a titled table; its first row is the head."""
    splits = report["splits"]
    rows = [["figure", *(f"{name} ({s['articles']} articles)" for name, s in splits.items())]]
    for key in splits["all"]["figures"]:
        cells = []
        for split in splits.values():
            figure = split["figures"][key]
            cells.append(
                f"{Interval.read(figure)} of {figure['of']}" if figure["of"] else "none to score"
            )
        rows.append([key, *cells])
    return [("End to end [95% interval]", rows)]


def _figures(counts: Sequence[Counts], codebook: Codebook) -> dict[str, Any]:
    names = {
        "statements found": ("found", "gold"),
        "statement F1": ("statement", None),
        "statement recall": ("statement hit", "statement gold"),
        "attribution": ("attribution", "found"),
        "speaker": ("speaker", "spoken"),
        "holder recall, any label": ("holder seen", "holder gold"),
        "holder F1": ("holder", None),
        **{f"{d.name} accuracy": (f"label {d.name}", "labelled") for d in codebook.dimensions},
        "triple F1": ("triple", None),
    }
    generator = np.random.default_rng(0)
    draws = generator.multinomial(
        len(counts), np.full(len(counts), 1 / len(counts)), size=_RESAMPLES
    )
    figures = {}
    for name, (part, whole) in names.items():
        if whole is None:
            top = np.array([2 * count[f"{part} hit"] for count in counts])
            bottom = np.array([count[f"{part} gold"] + count[f"{part} called"] for count in counts])
            size = sum(count[f"{part} gold"] for count in counts)
        else:
            top = np.array([count[part] for count in counts])
            bottom = np.array([count[whole] for count in counts])
            size = int(bottom.sum())
        whole_drawn = draws @ bottom
        samples = (draws @ top)[whole_drawn > 0] / whole_drawn[whole_drawn > 0]
        value, low, high = np.nan, np.nan, np.nan
        if len(samples):
            value = top.sum() / bottom.sum()
            low, high = np.percentile(samples, [2.5, 97.5])
        figures[name] = {"value": float(value), "low": float(low), "high": float(high), "of": size}
    return {"articles": len(counts), "figures": figures}


def _count(article: Article, gold: GoldArticle, codebook: Codebook) -> Counts:
    counts: Counts = Counter()
    pairs = dict(match_statements(article.statements, gold.statements))
    first, second, *_ = [d.name for d in codebook.dimensions] * 2
    called = {
        s.number: [h for h in s.holders if h.reading.takes_position] for s in article.statements
    }
    counts["gold"] = len(gold.statements)
    counts["found"] = len(pairs)
    counts["statement gold"] = sum(bool(s.positions) for s in gold.statements)
    counts["statement called"] = sum(bool(holders) for holders in called.values())
    counts["holder gold"] = counts["triple gold"] = sum(len(s.positions) for s in gold.statements)
    counts["holder called"] = counts["triple called"] = sum(map(len, called.values()))
    for number, true in enumerate(gold.statements):
        statement = pairs.get(number)
        if statement is None:
            continue
        counts["attribution"] += statement.attribution == true.attribution
        if true.speaker is not None:
            counts["spoken"] += 1
            names = gold.speakers[true.speaker].names
            counts["speaker"] += is_speaker(statement.speaker, names)
        counts["statement hit"] += bool(true.positions and called[statement.number])
        for key, labels in true.positions.items():
            seen = [h for h in statement.holders if is_party(h, gold.parties[key])]
            counts["holder seen"] += bool(seen)
            if seen:
                # A party found twice is judged by a mention with a position, if one has any.
                holder = max(seen, key=lambda h: h.reading.takes_position)
                counts["labelled"] += 1
                for dimension in codebook.dimensions:
                    right = (
                        holder.reading.predictions[dimension.name].label == labels[dimension.name]
                    )
                    counts[f"label {dimension.name}"] += right
                if holder.reading.takes_position:
                    counts["holder hit"] += 1
                    counts["triple hit"] += all(
                        holder.reading.predictions[name].label == labels[name]
                        for name in (first, second)
                    )
    return counts


def match_statements(
    found: Sequence[Statement], gold: Sequence[GoldStatement]
) -> Iterator[tuple[int, Statement]]:
    """Yield (number of a gold statement, the statement that is it), one to one, best first."""
    scored = []
    for number, true in enumerate(gold):
        for statement in found:
            shared = min(statement.end, true.end) - max(statement.start, true.start)
            covered = max(statement.end, true.end) - min(statement.start, true.start)
            if shared >= _OVERLAP * covered:
                scored.append((-shared / covered, number, statement.number))
    by_number = {statement.number: statement for statement in found}
    taken: set[int] = set()
    matched: set[int] = set()
    for _, number, other in sorted(scored):
        if number not in matched and other not in taken:
            matched.add(number)
            taken.add(other)
            yield number, by_number[other]


def is_party(holder: Holder, party: GoldParty) -> bool:
    """Whether a holder is a party: by actor, or else by one of the party's names."""
    actor = holder.mention.actor if holder.mention else None
    if actor is not None and party.actor is not None:
        return actor == party.actor
    names = {_plain(name) for name in party.names}
    found = {holder.party, holder.mention.text if holder.mention else None} - {None}
    return any(_plain(str(name)) in names for name in found)


def is_speaker(found: str | None, names: Sequence[str]) -> bool:
    """Whether a speaker is named by one of the names: by it, or by a longer or shorter form.

    Of a person's name a part will do. Other forms must have one head: "the spokesman for the port"
    is a spokesman and not a port.
    """
    if found is None:
        return False
    said = _parts(found)
    return any(_is_form(part, other) for name in names for other in _parts(name) for part in said)


def _parts(name: str) -> list[str]:
    """Return what stands between commas: a person, and what he or she is."""
    parts = [" ".join(part.split()) for part in name.split(",")]
    return [part for part in parts if _plain(part) and not _RELATIVE.match(part)]


def _is_form(name: str, other: str) -> bool:
    short, long = sorted((_plain(name), _plain(other)), key=len)
    if short == long:
        return True
    longer = name if _plain(name) == long else other
    called = " ".join(_called(longer))
    return f" {short} " in f" {_plain(called)} " or (
        f" {short} " in f" {long} " and _head(short) == _head(long)
    )


def _called(name: str) -> list[str]:
    """Return the capitalised words, as a person's, that a phrase ends with before its tail."""
    words = _before_tail(name)
    lower = [n for n, word in enumerate(words) if not word[:1].isupper()]
    return words[lower[-1] + 1 :] if lower else words


def _head(name: str) -> str:
    words = _before_tail(name)
    return words[-1] if words else name


def _before_tail(name: str) -> list[str]:
    return _TAIL.split(name, maxsplit=1)[0].split()


def _plain(name: str) -> str:
    return _ARTICLES.sub("", " ".join(name.replace("’", "'").split())).casefold().strip(" ,.'\"")
