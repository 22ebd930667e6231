"""Training records from annotated articles: what serving asks of the model, and the answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detente.article import Holder, Statement
from detente.codebook import Codebook
from detente.discourse import Discourse, Told
from detente.holder import Candidate
from detente.scene import pronoun
from detente_training.gold import GoldArticle, GoldStatement, read_gold
from detente_training.record import Record
from detente_training.scoring import is_party, match_statements

SPLIT = "dev"
_UNSURE = frozenset({"we", "our", "us", "it", "they", "he", "she"})


def article_records(folder: Path, codebook: Codebook) -> list[Record]:
    """Return a record for each party that serving finds in the articles of split dev.

    A party with a gold position has its labels, any other takes none. Left out are pronouns and
    implied parties of statements whose true holder was not found: they may well stand for it.
    """
    discourse = Discourse.load()
    articles = [gold for gold in read_gold(folder, codebook) if gold.split == SPLIT]
    return [record for gold in articles for record in _records(gold, discourse, codebook)]


def _records(gold: GoldArticle, discourse: Discourse, codebook: Codebook) -> Iterator[Record]:
    told = discourse.read(gold.text, lambda _: True)
    statements = [
        Statement(number, *statement.span, "", ()) for number, statement in enumerate(told)
    ]
    true = {
        statement.number: gold.statements[number]
        for number, statement in match_statements(statements, gold.statements)
    }
    quiet = {dimension.name: dimension.no_position for dimension in codebook.dimensions}
    for number, statement in enumerate(told):
        for candidate, labels in _answers(statement, true.get(number), gold):
            text = " ".join(gold.text[slice(*statement.span)].split())
            yield Record(
                id=f"{gold.name}-{number}-{candidate.party.id}",
                text=text,
                holder=" ".join(candidate.mention.text.split()),
                labels=labels or quiet,
                negotiation=gold.name,
                place=gold.name,
            )


def _answers(
    told: Told, true: GoldStatement | None, gold: GoldArticle
) -> Iterator[tuple[Candidate, dict[str, str | None] | None]]:
    positions = dict(true.positions) if true else {}
    owners: list[str | None] = [
        next((key for key in positions if _stands_for(candidate, gold, key)), None)
        for candidate in told.candidates
    ]
    missed = bool(set(positions) - set(owners))
    for candidate, owner in zip(told.candidates, owners, strict=True):
        if owner is not None:
            yield candidate, dict(positions[owner])
        elif not missed or (
            candidate.mention.start is not None and pronoun(candidate.mention.text) not in _UNSURE
        ):
            yield candidate, None


def _stands_for(candidate: Candidate, gold: GoldArticle, key: str) -> bool:
    holder = Holder(candidate.mention, reading=None, party=candidate.party.id)  # type: ignore[arg-type]
    return is_party(holder, gold.parties[key])
