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
from detente_training.scoring import is_party, is_speaker, match_statements

SPLIT = "dev"
_UNSURE = frozenset({"we", "our", "us", "it", "they", "he", "she"})


def article_records(folder: Path, codebook: Codebook) -> list[Record]:
    """Return a record for each party that serving finds in the articles of split dev.

    A party with a gold position, or one who speaks for it, has its labels; any other takes none. A
    party that serving misses is asked for by name. Left out are pronouns and implied parties of
    statements whose true holder was not found: they may well stand for it.
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
        text = " ".join(gold.text[slice(*statement.span)].split())
        for holder, key, labels in _answers(statement, true.get(number), gold):
            yield Record(
                id=f"{gold.name}-{number}-{key}",
                text=text,
                holder=" ".join(holder.split()),
                labels=labels or quiet,
                negotiation=gold.name,
                place=gold.name,
            )


def _answers(
    told: Told, true: GoldStatement | None, gold: GoldArticle
) -> Iterator[tuple[str, str, dict[str, str | None] | None]]:
    """Yield the parties to ask for: a name, what tells them apart, and labels if any."""
    positions = dict(true.positions) if true else {}
    owners: list[str | None] = [
        next((key for key in positions if _stands_for(candidate, gold, key)), None)
        for candidate in told.candidates
    ]
    missed = [key for key in positions if key not in owners]
    for candidate, owner in zip(told.candidates, owners, strict=True):
        mention = candidate.mention
        if owner is not None:
            yield mention.text, candidate.party.id, dict(positions[owner])
        elif not missed or (mention.start is not None and pronoun(mention.text) not in _UNSURE):
            yield mention.text, candidate.party.id, None
    for key in missed:
        yield gold.parties[key].names[0], f"missed-{key}", dict(positions[key])


def _stands_for(candidate: Candidate, gold: GoldArticle, key: str) -> bool:
    """Whether a candidate is a party, or somebody who speaks for it."""
    mention = candidate.mention
    holder = Holder(mention, reading=None, party=candidate.party.id)  # type: ignore[arg-type]
    return is_party(holder, gold.parties[key]) or any(
        is_speaker(mention.text, speaker.names)
        for speaker in gold.speakers.values()
        if speaker.party == key
    )
