"""Training records from annotated articles: what serving asks of the model, and the answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detente.article import Holder, Mention, Statement
from detente.codebook import Codebook
from detente.discourse import Discourse, Told
from detente.errors import InputError
from detente.holder import Candidate
from detente.scene import pronoun
from detente_training.gold import GoldArticle, GoldStatement, read_gold
from detente_training.record import Record
from detente_training.scoring import is_party, is_speaker, match_statements

SPLIT = "dev"
_UNSURE = frozenset(
    {"both", "either", "he", "her", "hers", "him", "his", "i", "it", "its", "me", "my", "neither",
     "our", "ours", "ourselves", "she", "their", "theirs", "them", "they", "us", "we"}
)  # fmt: skip


def article_records(folder: Path, codebook: Codebook) -> list[Record]:
    """Return a record for each party that serving finds in the articles of split dev.

    A party with a gold position, or one who speaks for it, has its labels; any other takes none. A
    party that serving misses is asked for by name. Left out are statements that serving cuts
    otherwise than the gold ones with a position; and, where the true holder was not found, pronouns
    and implied parties, which may well stand for it.

    Raises:
        InputError: an annotation is broken, or no article is of split dev.
    """
    discourse = Discourse.load()
    articles = [gold for gold in read_gold(folder, codebook) if gold.split == SPLIT]
    if not articles:
        raise InputError(f"{folder}: holds no article of split {SPLIT}, which alone is trained on")
    return [record for gold in articles for record in _records(gold, discourse, codebook)]


def _records(gold: GoldArticle, discourse: Discourse, codebook: Codebook) -> Iterator[Record]:
    told = discourse.read(gold.text, lambda _: True)
    statements = [
        Statement(number, *statement.span, "", ()) for number, statement in enumerate(told)
    ]
    matched = {
        statement.number: number
        for number, statement in match_statements(statements, gold.statements)
    }
    cut = [
        statement
        for number, statement in enumerate(gold.statements)
        if statement.positions and number not in matched.values()
    ]
    quiet = {dimension.name: dimension.no_position for dimension in codebook.dimensions}
    for number, statement in enumerate(told):
        true = gold.statements[matched[number]] if number in matched else None
        start, end = statement.span
        if true is None and any(other.start < end and start < other.end for other in cut):
            continue
        text = " ".join(gold.text[slice(*statement.span)].split())
        for holder, key, labels in _answers(statement, true, gold):
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
    pairs = list(zip(told.candidates, owners, strict=True))
    known = {candidate.mention.text for candidate, owner in pairs if owner is not None}
    for candidate, owner in pairs:
        mention = candidate.mention
        if owner is not None:
            yield mention.text, candidate.party.id, dict(positions[owner])
        elif mention.text not in known and not (missed and _is_unsure(mention)):
            yield mention.text, candidate.party.id, None
    for key in missed:
        yield gold.parties[key].names[0], f"missed-{key}", dict(positions[key])


def _is_unsure(mention: Mention) -> bool:
    """Whether it may stand for anybody: an implied party, a pronoun, "both sides"."""
    return mention.start is None or pronoun(mention.text.split()[0]) in _UNSURE


def _stands_for(candidate: Candidate, gold: GoldArticle, key: str) -> bool:
    """Whether a candidate is a party, or else somebody who speaks for it."""
    mention = candidate.mention
    holder = Holder(mention, reading=None, party=candidate.party.id)  # type: ignore[arg-type]
    owners = [name for name, party in gold.parties.items() if is_party(holder, party)]
    if owners:
        return key in owners
    return any(
        is_speaker(mention.text, speaker.names)
        for speaker in gold.speakers.values()
        if speaker.party == key
    )
