"""Methods that the recipe benchmark tries and the project does not use.

Each puts a class or function of its own in the place of one that training uses, for one run.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from datasets import Dataset
from spacy.tokens import Token
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import WeightedRandomSampler
from transformers import AutoModelForMaskedLM, TrainerCallback

from detente.bundle import pair_encoder
from detente_training.encoder import locate_encoder
from detente_training.examples import PairCollator, build_dataset
from detente_training.loss import IGNORED, CodebookLoss
from detente_training.model import PairClassifier
from detente_training.record import Record
from detente_training.train import PairTrainer, Run, pad_id, uses_bf16
from detente_training.view import holder_tokens, is_plain, tagged

_TRAIN = "detente_training.train"
_BATCH = 32
_IGNORED_TOKEN = -100


def _as_it_is(run: Run, folder: Path) -> Path | None:
    return None


@dataclass(frozen=True)
class Variant:
    """What differs from the project's training.

    Attributes:
        run: reads the run's inputs.
        parts: what to replace, by dotted name, and by what.
        encoder: trains the encoder before the classifier; returns its folder, None for no step.
        callbacks: follow the training.
    """

    run: type[Run] = Run
    parts: Mapping[str, Any] = field(default_factory=dict)
    encoder: Callable[[Run, Path], Path | None] = _as_it_is
    callbacks: Sequence[type[TrainerCallback]] = ()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Replace the parts while the context lasts."""
        with ExitStack() as stack:
            for name, part in self.parts.items():
                stack.enter_context(patch(name, part))
            yield

    def prepare(self, run: Run, folder: Path) -> None:
        """Train the run's encoder, if the variant has a step before."""
        source = self.encoder(run, folder)
        if source is not None:
            settings = run.config.encoder.model_copy(update={"source": str(source), "sha256": None})
            run.config = run.config.model_copy(update={"encoder": settings})


class FirstToken(PairClassifier):
    """Reads the vector of the first token (Devlin et al., 2019)."""

    def pool(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Return the first token's vector, shape (batch, hidden size)."""
        return self.encode(input_ids, attention_mask, token_type_ids)[:, 0]


class Marks(PairClassifier):
    """Reads the marks around the holder (Baldini Soares et al., 2019), or all where none stand."""

    def pool(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Return the mean vector of the marks, shape (batch, hidden size)."""
        hidden = self.encode(input_ids, attention_mask, token_type_ids)
        marks = input_ids == self.encoder.config.mark_id
        chosen = torch.where(marks.any(1, keepdim=True), marks, attention_mask.bool())
        mask = chosen.unsqueeze(-1).to(hidden.dtype)
        mean: Tensor = (hidden * mask).sum(1) / mask.sum(1)
        return mean

    @classmethod
    def from_pretrained(cls, folder: Path, *arguments: Any, **settings: Any) -> PairClassifier:
        """Build on an encoder's folder, whose tokenizer knows the mark."""
        classifier = super().from_pretrained(folder, *arguments, **settings)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        classifier.encoder.config.mark_id = tokenizer.token_to_id("@")
        return classifier


class ManyDropouts(PairClassifier):
    """Averages the loss over five dropout masks (Inoue, 2019)."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        teacher: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return logits and, given labels, the mean loss."""
        pooled = self.pool(input_ids, attention_mask, token_type_ids)
        drawn = [self.score(self.dropout(pooled)) for _ in range(5)]
        outputs = {"logits": drawn[0]}
        if labels is not None and self.loss is not None:
            losses = [self.loss(logits, labels, teacher) for logits in drawn]
            outputs["loss"] = torch.stack(losses).mean()
        return outputs


class Conditional(PairClassifier):
    """Reads an ordered scale as "beyond this label, given that it got so far".

    CORN (Shi, Cao and Raschka, 2023). The one label outside the scale is decided first. The
    logits are turned into the labels' log-probabilities, so that cross-entropy on them is the
    loss of that paper.
    """

    def score(self, pooled: Tensor) -> Tensor:
        """Return log-probabilities in the logits' place."""
        return torch.cat(list(self._log_probabilities(super().score(pooled))), dim=1)

    def _log_probabilities(self, logits: Tensor) -> Iterator[Tensor]:
        for dimension in self.codebook.dimensions:
            own = logits[:, self.codebook.slices[dimension.name]]
            if not dimension.scale:
                yield own
                continue
            (outside,) = set(range(own.shape[1])) - set(dimension.scale)
            columns = {outside: functional.logsigmoid(own[:, outside])}
            so_far = functional.logsigmoid(-own[:, outside])
            for index, following in zip(dimension.scale, dimension.scale[1:], strict=False):
                columns[index] = so_far + functional.logsigmoid(-own[:, following])
                so_far = so_far + functional.logsigmoid(own[:, following])
            columns[dimension.scale[-1]] = so_far
            yield torch.stack([columns[i] for i in range(own.shape[1])], dim=1)


class FocalLoss(CodebookLoss):
    """Weighs a record by how far off it is (Lin et al., 2017, gamma 2)."""

    def forward(self, logits: Tensor, labels: Tensor, teacher: Tensor | None = None) -> Tensor:
        """Return the scalar loss; see `CodebookLoss`."""
        losses = []
        for number, columns in enumerate(self.slices):
            known = labels[:, number] != IGNORED
            if bool(known.any()):
                gold = labels[known, number]
                log_p = torch.log_softmax(logits[known, columns], dim=-1)
                own = log_p.gather(1, gold[:, None])[:, 0]
                weights = self.weights[columns][gold]
                losses.append(-(weights * (1 - own.exp()) ** 2 * own).sum() / weights.sum())
        return torch.stack(losses).mean() if losses else logits.sum() * 0


class Layered(PairTrainer):
    """A lower learning rate for lower layers (Howard and Ruder, 2018)."""

    decay = 0.7

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Build AdamW with a group for each parameter."""
        model = model or self.model
        layers = model.encoder.config.num_hidden_layers
        groups = []
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            layer = re.search(r"\.layer\.(\d+)\.", name)
            below = layers - 1 - int(layer[1]) if layer else layers
            rate = self.args.learning_rate * self.decay**below
            if name.startswith("heads."):
                rate = self.head_learning_rate
            decay = self.args.weight_decay if parameter.ndim > 1 else 0.0
            groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
        self.optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer


class Soup(PairTrainer):
    """Averages the weights of three trainings that begin alike (Wortsman et al., 2022).

    They differ in the order of the records and in what dropout hides.
    """

    def train(self, **_: Any) -> None:
        """Train three times, each from the beginning, and leave the mean of the best weights."""
        assert self.model is not None
        start = _copy(self.model)
        trained = []
        for _number in range(3):
            self.model.load_state_dict(start)
            self.optimizer = self.lr_scheduler = None
            super().train()
            trained.append(_copy(self.model))
        self.model.load_state_dict(
            {
                name: torch.stack([weights[name] for weights in trained]).mean(0)
                for name, value in start.items()
                if value.is_floating_point()
            },
            strict=False,
        )


class EvenBatches(PairTrainer):
    """Draws records so that rare labels come up more often, by the sum over dimensions."""

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> WeightedRandomSampler:
        labels = torch.tensor((train_dataset or self.train_dataset)["labels"])
        weights = torch.zeros(len(labels))
        for column in labels.T:
            known = column != IGNORED
            counts = torch.bincount(column[known])
            weights[known] += 1 / counts[column[known]]
        generator = torch.Generator().manual_seed(self.args.data_seed)
        return WeightedRandomSampler(weights.tolist(), len(labels), generator=generator)


class BothAnnotators(Run):
    """Trains a record on which annotators differed with the labels of each of them, too."""

    def training_records(self) -> list[Record]:
        """Return the training records, each followed by how else it was labelled."""
        return [each for record in super().training_records() for each in _as_labelled(record)]


class OtherTopics(Run):
    """Tells half of the statements of other topics.

    Nouns that few negotiations use give way to such nouns of others, as names do in
    `detente_training.swap`.
    """

    def training_records(self) -> list[Record]:
        """Return the training records, those of half of the statements with other nouns."""
        records = super().training_records()
        negotiations = {record.text: record.negotiation for record in records}
        docs = dict(zip(negotiations, tagged(list(negotiations)), strict=True))
        users: dict[tuple[str, str], set[str]] = {}
        for text, doc in docs.items():
            for token in filter(_is_noun, doc):
                users.setdefault((token.tag_, token.lower_), set()).add(negotiations[text])
        few = max(2, len(set(negotiations.values())) // 10)
        topics: dict[str, list[str]] = {"NN": [], "NNS": []}
        for (tag, word), seen in users.items():
            if len(seen) <= few:
                topics[tag].append(word)
        draw = random.Random(self.config.seed)
        kept: dict[str, set[int]] = {text: set() for text in docs}
        for record in records:
            kept[record.text] |= holder_tokens(docs[record.text], record.holder)
        told = {
            text: "".join(
                draw.choice(topics[token.tag_]) + token.whitespace_
                if _is_noun(token)
                and token.i not in kept[text]
                and len(users[token.tag_, token.lower_]) <= few
                else token.text_with_ws
                for token in docs[text]
            )
            for text in draw.sample(sorted(docs), len(docs) // 2)
        }
        return [replace(record, text=told.get(record.text, record.text)) for record in records]


class Averaging(TrainerCallback):
    """Leaves a moving average of the weights instead of the last (Izmailov et al., 2018)."""

    def __init__(self) -> None:
        self._average: AveragedModel | None = None

    def on_step_end(self, *state: Any, model: nn.Module, **_: Any) -> None:
        """Add the step's weights."""
        if self._average is None:
            self._average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.98))
        self._average.update_parameters(model)

    def on_train_end(self, *state: Any, model: nn.Module, **_: Any) -> None:
        """Put the average in the model's place."""
        assert self._average is not None
        model.load_state_dict(self._average.module.state_dict())


def contrast_labels(run: Run, folder: Path) -> Path:
    """Draw records with equal labels together, for an epoch, before a head is put on.

    Supervised contrastive loss (Khosla et al., 2020), the idea of SetFit's first step (Tunstall et
    al., 2022); records are alike if they agree in every dimension.
    """
    source = locate_encoder(run.config.encoder)
    classifier = PairClassifier.from_pretrained(source, run.codebook)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    encoder = pair_encoder(tokenizer, run.window(pad_id(source)))
    rows = list(build_dataset(run.training_records(), run.codebook, encoder))
    collate = PairCollator(pad_id(source))

    def loss(batch: Sequence[dict[str, Any]]) -> Tensor:
        inputs = collate(batch)
        labels = inputs.pop("labels")
        vectors = functional.normalize(classifier.pool(**inputs).float(), dim=1)
        near = vectors @ vectors.T / 0.1
        near.fill_diagonal_(-1e9)
        alike = (labels[:, None] == labels[None]).all(-1).fill_diagonal_(False)
        log_p = torch.log_softmax(near, dim=1)
        own = alike.any(1)
        return -((log_p * alike).sum(1)[own] / alike.sum(1)[own]).mean()

    classifier.freeze_layers(run.config.training.frozen_layers)
    _epoch(run, classifier, rows, loss, batch_size=2 * _BATCH)
    return _keep(classifier.encoder, source, folder / "encoder")


def guess_words(run: Run, folder: Path) -> Path:
    """Train the encoder to guess hidden words of the training text, for two epochs.

    Task-adaptive pretraining (Gururangan et al., 2020). The encoder comes without the head that
    guesses words, so that is drawn anew and learns along with it.
    """
    source = locate_encoder(run.config.encoder)
    torch.manual_seed(run.config.seed)
    model = AutoModelForMaskedLM.from_pretrained(
        source, use_safetensors=True, trust_remote_code=False
    )
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(run.config.encoder.max_length)
    tokenizer.no_padding()
    hidden, padding = tokenizer.token_to_id("[MASK]"), pad_id(source)
    texts = sorted({record.text for record in run.split.train})
    rows = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    marks = torch.tensor([tokenizer.token_to_id(mark) for mark in ("[CLS]", "[SEP]")])

    def loss(batch: Sequence[list[int]]) -> Tensor:
        tensors = [torch.tensor(ids) for ids in batch]
        ids = nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=padding)
        words = ids != padding
        chosen = words & ~torch.isin(ids, marks) & (torch.rand(ids.shape) < 0.15)
        found: Tensor = model(
            input_ids=ids.masked_fill(chosen, hidden),
            attention_mask=words.long(),
            labels=ids.masked_fill(~chosen, _IGNORED_TOKEN),
        ).loss
        return found

    for number in range(2):
        _epoch(run, model, rows, loss, batch_size=_BATCH, number=number)
    return _keep(model.base_model, source, folder / "encoder")


VARIANTS: Mapping[str, Variant] = {
    "project": Variant(),
    "unmarked": Variant(parts={"detente.encoding.mark_holder": lambda statement, _: statement}),
    "first-token": Variant(parts={f"{_TRAIN}.PairClassifier": FirstToken}),
    "marks": Variant(parts={f"{_TRAIN}.PairClassifier": Marks}),
    "many-dropouts": Variant(parts={f"{_TRAIN}.PairClassifier": ManyDropouts}),
    "conditional": Variant(parts={f"{_TRAIN}.PairClassifier": Conditional}),
    "focal": Variant(parts={f"{_TRAIN}.CodebookLoss": FocalLoss}),
    "soup": Variant(parts={f"{_TRAIN}.PairTrainer": Soup}),
    "layered": Variant(parts={f"{_TRAIN}.PairTrainer": Layered}),
    "even-batches": Variant(parts={f"{_TRAIN}.PairTrainer": EvenBatches}),
    "both-annotators": Variant(run=BothAnnotators),
    "other-topics": Variant(run=OtherTopics),
    "averaging": Variant(callbacks=[Averaging]),
    "contrast-labels": Variant(encoder=contrast_labels),
    "guess-words": Variant(encoder=guess_words),
}


def _is_noun(token: Token) -> bool:
    return token.tag_ in {"NN", "NNS"} and is_plain(token)


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _as_labelled(record: Record) -> Iterable[Record]:
    yield record
    for annotation in record.annotations:
        labels = {name: annotation.get(name) for name in record.labels}
        if labels != record.labels:
            yield replace(record, labels=labels)


def _epoch(
    run: Run,
    model: nn.Module,
    rows: Sequence[Any],
    loss: Callable[[Sequence[Any]], Tensor],
    *,
    batch_size: int,
    number: int = 0,
) -> None:
    settings = run.config.training
    # Another seed for each epoch, or it would see the same batches and the same hidden words.
    seed = run.config.seed + 1000 * number
    torch.manual_seed(seed)
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate / 3, fused=True)
    bf16 = uses_bf16(settings.precision, gpu=False)
    model.train()
    for start in range(0, len(order), batch_size):
        batch = [rows[i] for i in order[start : start + batch_size]]
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            value = loss(batch)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()


def _keep(encoder: Any, source: Path, folder: Path) -> Path:
    encoder.save_pretrained(folder)
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    return folder
