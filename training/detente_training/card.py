"""The model card that travels with a bundle (Mitchell et al., FAT* 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from detente.bundle import Manifest
from detente_training.report import markdown_table, tables


def write_card(path: Path, manifest: Manifest, report: Mapping[str, Any]) -> None:
    """Write the card: what the model reads, from what it learnt, and how well it does."""
    sections = [
        f"# {manifest.codebook.title or manifest.name}",
        f"An int8 ONNX classifier made by détente {manifest.package_version}. It reads a statement "
        "and a party (the holder), and says for that party:",
        "\n".join(
            f"- **{dimension.name}**: {', '.join(dimension.label_names)}. {dimension.question}"
            for dimension in manifest.codebook.dimensions
        ),
        "## Use",
        '```python\nfrom detente import Tagger\n\ntagger = Tagger.load("path/of/this/folder")  # '
        "the bundled model: Tagger.load()\n"
        'tagger("The union dropped its demand.", holder="The union")\n```',
        "Meant for reading many statements at once, with a person looking at what matters. Not for "
        "judging a person, and not for decisions without one.",
        "## Training",
        *_training(manifest, report.get("shared_texts", 0)),
        f"## Figures on unseen negotiations ({report['records']} records)",
        *(
            f"### {heading}\n\n" + "\n".join(markdown_table(rows))
            for heading, rows in tables(report)
        ),
        "## Limits",
        "It reads the language it was trained on; the default encoder knows English. The figures "
        "are of text like that of the corpus; on other text they may be much lower. The holder "
        "matters: without one the model reads the statement as a whole.",
    ]
    path.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _training(manifest: Manifest, shared: int) -> Iterator[str]:
    corpus = manifest.corpus
    train, others = len(corpus.train), len(set(corpus.validation) - set(corpus.train))
    # A single negotiation beside the unseen ones is split by statement.
    calibrated = f"{others} other{'s' * (others > 1)}" if others else "other statements of the same"
    unseen = f"other{'s' * (len(corpus.test) > 1)}" if shared else "it never saw"
    yield (
        f"Encoder `{manifest.encoder.source}` (sha256 `{manifest.encoder.sha256}`), fine-tuned on "
        f"{train} negotiation{'s' * (train > 1)} of a corpus of {corpus.records} records (sha256 "
        f"`{corpus.sha256}`), calibrated on {calibrated}, measured on {len(corpus.test)} {unseen}: "
        f"{', '.join(corpus.test)}."
    )
    if shared:
        yield (
            f"Of the texts it was measured on, {shared} stand among those it was trained or "
            "calibrated on, too, as its config allows."
        )
    if corpus.articles:
        yield (
            f"It was also trained on statements of {len(corpus.articles)} annotated articles: "
            f"{', '.join(corpus.articles)}."
        )
    if manifest.teacher:
        yield f"It also learnt from the readings of a larger model, `{manifest.teacher}`."
    if manifest.window.mask_names:
        yield (
            "Proper names are replaced by made-up ones before the model sees them, so that a "
            "reading hardly depends on who the parties are."
        )
