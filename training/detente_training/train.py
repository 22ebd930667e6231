"""Training runs: config in, best weights in the run's folder out; killed runs go on."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import EvalPrediction, get_last_checkpoint

from detente.bundle import Window, pair_encoder, sha256
from detente.codebook import Codebook
from detente.document import read_document
from detente.encoding import prepare
from detente.errors import InputError
from detente.files import locked, make_folder, replacing
from detente.mask import Mask
from detente.parties.actors import DEFAULT as ACTORS
from detente.parties.gazetteer import Gazetteer
from detente.progress import tracking
from detente_training import metrics
from detente_training.config import RunConfig
from detente_training.distillation import Readings
from detente_training.encoder import FILES, WEIGHTS, locate_encoder
from detente_training.examples import PairCollator, build_dataset, gold_labels, pad_windows
from detente_training.gold_records import article_records
from detente_training.loss import CodebookLoss, label_weights
from detente_training.model import PairClassifier
from detente_training.negotiation import read_negotiations
from detente_training.record import Pair, Record, corpus_hash, flatten, read_records
from detente_training.split import Split, select_records, split_records
from detente_training.swap import Swapper, read_parties

_BATCH = 64
_CONFIG, _STATE, _WEIGHTS = "config.json", "run.json", "model.safetensors"
_AFTER_TRAINING = ("export", "calibration")  # settings that the weights do not depend on
# Encoders whose positions are counted from behind the padding token's id.
_LATE = ("camembert", "mpnet", "roberta", "xlm-roberta")


class Run:
    """A run's inputs, all read and checked before anything is trained.

    Raises:
        InputError, CodebookError: an input cannot be read, or one does not fit the others.

    Attributes:
        config: what the run depends on.
        codebook: the label scheme.
        records: the corpus, or what the config uses of it.
        split: the records by what they are used for.
        article_records: records of annotated articles that are trained on, too.
        corpus_sha: hash of the corpus and of those records.
        readings: what a larger model says of training statements, if the config names some; see
            `training_readings`.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.window(0)  # refuses windows that cannot be
        _refuse_unused_parties(config)
        self.codebook = Codebook.load(config.codebook)
        self.records = select_records(read_records(config.corpus, self.codebook), config.split)
        self.split: Split = split_records(self.records, config.split, config.seed)
        _refuse_single_labels(self.split.train, self.codebook)
        swaps = config.training.swapped_share > 0
        names = config.training.swapped_with or config.parties
        self._parties = read_parties(names).parties if swaps else ()
        self._negotiations = read_negotiations(config.corpus) if swaps else {}
        self.article_records: Sequence[Record] = ()
        if config.articles is not None:
            self.article_records = article_records(config.articles, self.codebook)
            _refuse_known_articles(self.article_records, self.split, config)
        self.corpus_sha = corpus_hash([*self.records, *self.article_records])
        self.readings: Readings | None = None
        if config.distillation.readings is not None:
            unseen = [*self.split.validation, *self.split.test]
            if config.split.shared_texts:
                own = {flatten(r.text) for r in [*self.split.train, *self.article_records]}
                unseen = [record for record in unseen if flatten(record.text) not in own]
            self.readings = Readings.load(config.distillation.readings, self.codebook, unseen)
            if known := {*self.readings.negotiations} & {*self.split.negotiations("test")}:
                raise InputError(
                    f"{config.distillation.readings}: the larger model was trained on "
                    f"{', '.join(sorted(known))}, which split.test keeps unseen; it needs the same "
                    "split"
                )
        if self.readings and config.split.only:
            # A view looks like any statement of a negotiation that is not used.
            trained = [*self.split.train, *self.article_records]
            self.readings = self.readings.within({record.text for record in trained})
            if not self.readings.logits:
                raise InputError(
                    f"{config.distillation.readings}: holds no reading of the training statements "
                    "that split.only leaves; make others with: detente teach"
                )
        _refuse_unfit_encoder(config)
        if config.parties.exists() or config.parties != RunConfig.model_fields["parties"].default:
            read_parties(config.parties)
        read_negotiations(config.corpus)

    @classmethod
    def open(cls, folder: Path, overrides: Sequence[str] = ()) -> Run:
        """Open the folder of an earlier run.

        Args:
            folder: the run's.
            overrides: ``export.key=value`` and ``calibration.key=value`` strings that win over
                the run's config.

        Raises:
            InputError: it is no run's folder, has no trained model, or was made with another
                config, corpus or defaults; or another setting is to be overridden.
        """
        if not (folder / _CONFIG).is_file() or not is_trained(folder):
            raise InputError(f"{folder}: holds no trained run; make one with: detente train")
        for override in overrides:
            if override.partition("=")[0].partition(".")[0].strip() not in _AFTER_TRAINING:
                raise InputError(
                    f"{override!r}: only {' and '.join(f'{key}.*' for key in _AFTER_TRAINING)} can "
                    "be set after training; train again for another"
                )
        run = cls(read_document(folder / _CONFIG, RunConfig, overrides=overrides))
        if run.fingerprint != read_state(folder).get("fingerprint"):
            raise InputError(
                f"{folder}: its config, its corpus or other files it was made from, or this "
                "version's defaults have changed since the run; train again"
            )
        return run

    @property
    def seen_negotiations(self) -> list[str]:
        """Those that the model is trained or validated on, or a larger model was before it."""
        own = {*self.split.negotiations("train"), *self.split.negotiations("validation")}
        return sorted(own.union(self.readings.negotiations if self.readings else ()))

    @property
    def seen_articles(self) -> list[str]:
        """Likewise the annotated articles."""
        own = {record.negotiation for record in self.article_records}
        return sorted(own.union(self.readings.articles if self.readings else ()))

    def training_records(self) -> list[Record]:
        """Return the training records, a share of them about other parties than they name.

        Statements of annotated articles come last, if the config names some.
        """
        return [*self._corpus_records, *self.article_records]

    def training_readings(self) -> Readings | None:
        """Return the larger model's readings.

        A statement told of other parties is read as before, by the holder of each record.
        """
        if self.readings is None:
            return None
        pairs = zip(self.split.train, self._corpus_records, strict=True)
        return self.readings.also(
            {(new.text, new.holder): (old.text, old.holder) for old, new in pairs if new is not old}
        )

    @cached_property
    def _corpus_records(self) -> list[Record]:
        if not self._parties:
            return self.split.train
        share = self.config.training.swapped_share
        swapper = Swapper(self._negotiations)
        # One statement's records are swapped together or not at all: their holders must still be
        # told apart.
        texts = sorted({record.text for record in self.split.train})
        drawn = random.Random(self.config.seed).sample(texts, round(share * len(texts)))
        chosen = set(drawn)
        pairs = [
            (
                record,
                swapper.swap(record, self._parties, self.config.seed)
                if record.text in chosen
                else None,
            )
            for record in self.split.train
        ]
        kept = {old.text for old, new in pairs if new is None}
        return [old if new is None or old.text in kept else new for old, new in pairs]

    def window(self, pad_id: int) -> Window:
        """Return how the run cuts statements to its model's input.

        Raises:
            InputError: its windows would not move on, or are too long.
        """
        settings = self.config.encoder
        try:
            return Window(
                max_length=settings.max_length,
                stride=settings.stride,
                pad_id=pad_id,
                mask_names=settings.mask_names,
            )
        except ValidationError as error:
            fault = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise InputError(
                f"encoder.max_length={settings.max_length} with encoder.stride={settings.stride}: "
                f"{fault}"
            ) from None

    @property
    def shared_texts(self) -> set[str]:
        """Texts of unseen records that are trained or validated on, too; see `flatten`."""
        known = [*self.split.train, *self.split.validation, *self.article_records]
        return {flatten(r.text) for r in known} & {flatten(r.text) for r in self.split.test}

    @property
    def fingerprint(self) -> str:
        """A hash of all that weights depend on: equal ones give equal models on one machine."""
        apart = {"output", "tracking", "promotion", *_AFTER_TRAINING}
        parts = [
            self.config.model_dump_json(exclude=apart),
            self.codebook.model_dump_json(),
            self.corpus_sha,
            self._inputs_digest,
        ]
        source, pinned = locate_encoder(self.config.encoder), self.config.encoder.sha256
        parts += [sha256(source / file) for file in FILES if not (pinned and file == WEIGHTS)]
        if self.readings:
            parts.append(self.readings.digest)
        if self._parties:
            parts += [repr(self._parties), repr(sorted(self._negotiations.items()))]
        if self.config.encoder.mask_names or self._parties:
            parts.append(sha256(ACTORS))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def _inputs_digest(self) -> str:
        """A SHA-256 of the records trained and validated on, in order, swapped and masked.

        Names are found by code, which changes from version to version; here it shows.
        """
        mask = Mask(Gazetteer.load()) if self.config.encoder.mask_names else None
        digest = hashlib.sha256()
        for record in [*self.training_records(), *self.split.validation]:
            read = prepare(record.text), prepare(record.holder or "")
            hidden = mask.hide(*read) if mask else None
            digest.update(repr((record.text, record.holder, record.implied, hidden)).encode())
        return digest.hexdigest()


def read_state(folder: Path) -> dict[str, Any]:
    """Return what a run's folder remembers; empty for a folder without a run."""
    try:
        state: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return state


def write_state(folder: Path, **changes: Any) -> None:
    """Add to what a run's folder remembers, atomically."""
    with replacing(folder / _STATE) as temporary:
        temporary.write_text(json.dumps({**read_state(folder), **changes}), encoding="utf-8")


@contextmanager
def holding(config: RunConfig) -> Iterator[None]:
    """Keep every other training of the same run out for the block.

    Raises:
        InputError: one is going on.
    """
    make_folder(config.output)
    refusal = f"{config.folder}: another training of this run is going on; wait for it, or name=NEW"
    with locked(config.output / f".{config.name}.lock", refusal):
        yield


def changed_settings(config: RunConfig, folder: Path) -> list[str]:
    """Return the settings, as dotted keys, that are not those a run's folder was made with."""
    before = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    changed = []
    for name, value in config.model_dump(mode="json").items():
        if isinstance(value, dict):
            known = before.get(name) or {}
            changed += [f"{name}.{key}" for key in value if value[key] != known.get(key)]
        elif value != before.get(name):
            changed.append(name)
    return changed


def open_folder(run: Run, *, fresh: bool) -> Path:
    """Return the run's folder, made or found from a killed run of the same config and corpus.

    A finished run's folder stays as it is.

    Raises:
        InputError: the folder holds another run.
    """
    make_folder(run.config.output)
    folder = run.config.folder
    if folder.is_dir():
        # Hidden is what a run killed at its first breath leaves.
        others = (path for path in folder.iterdir() if not path.name.startswith("."))
        is_run = (folder / _STATE).is_file()
        if not is_run and any(others):
            raise InputError(f"{folder}: is no run's folder; choose another name=")
        if is_run and fresh:
            shutil.rmtree(folder)
    state = read_state(folder)
    if state.get("fingerprint") not in (None, run.fingerprint):
        raise InputError(
            f"{folder}: holds a run of another config, corpus or version's defaults; give name=NEW "
            "to keep it, or --fresh to replace it"
        )
    if state.get("finished"):
        return folder
    make_folder(folder)
    write_state(folder, fingerprint=run.fingerprint)
    with replacing(folder / _CONFIG) as temporary:
        temporary.write_text(run.config.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return folder


def bundle_folder(folder: Path) -> Path:
    """Return where the bundle of a run's folder lies."""
    return folder / "bundle"


def is_trained(folder: Path) -> bool:
    """Whether a run's folder holds trained weights, which come last of all and whole."""
    return (folder / "model" / _WEIGHTS).is_file()


def fit(run: Run, folder: Path, callbacks: list[TrainerCallback]) -> None:
    """Train, and leave the best epoch's weights in ``folder/model``.

    Goes on from the last checkpoint in ``folder/checkpoints`` if there is one; does nothing where
    the weights are there already.
    """
    if is_trained(folder):
        return
    config, settings = run.config, run.config.training
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.set_seed(config.seed)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    source = locate_encoder(config.encoder)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    encoder = pair_encoder(tokenizer, run.window(pad_id(source)))
    gold = gold_labels(run.split.train, run.codebook)
    weights = label_weights(gold, run.codebook, settings.class_weighting)
    classifier = PairClassifier.from_pretrained(
        source,
        run.codebook,
        dropout=settings.dropout,
        loss=CodebookLoss(
            run.codebook,
            weights,
            settings.ordinal_softness,
            teacher_weight=config.distillation.weight,
            teacher_temperature=config.distillation.temperature,
        ),
    )
    classifier.freeze_layers(settings.frozen_layers)
    trainer = PairTrainer(
        head_learning_rate=settings.head_learning_rate,
        model=classifier,
        args=_arguments(config, folder),
        train_dataset=build_dataset(
            run.training_records(),
            run.codebook,
            encoder,
            holder_free_share=settings.holder_free_share,
            seed=config.seed,
            teacher=run.training_readings(),
        ),
        eval_dataset=build_dataset(run.split.validation, run.codebook, encoder),
        data_collator=PairCollator(pad_id(source)),
        compute_metrics=lambda prediction: _validation_scores(prediction, run.codebook),
        callbacks=[EarlyStoppingCallback(settings.patience), *callbacks],
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = _last_checkpoint(folder / "checkpoints")
    if checkpoint is not None:
        state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
        if state.stateful_callbacks["TrainerControl"]["args"]["should_training_stop"]:
            # A resumed trainer forgets that early stopping ended it, and would train on.
            trainer.args.num_train_epochs = round(state.epoch)
    trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
    _save(classifier, source, folder / "model")


def load_classifier(run: Run, folder: Path) -> PairClassifier:
    """Return the trained classifier of a run's folder, in evaluation mode."""
    # Eager attention is the one whose ONNX graph onnxruntime knows how to fuse.
    config = AutoConfig.from_pretrained(
        folder / "model", attn_implementation="eager", trust_remote_code=False
    )
    classifier = PairClassifier(AutoModel.from_config(config, dtype=torch.float32), run.codebook)
    classifier.load_state_dict(load_file(folder / "model" / _WEIGHTS))
    return classifier.eval()


def read_logits(
    run: Run,
    classifier: PairClassifier,
    folder: Path,
    pairs: Sequence[Pair],
    *,
    fast: bool = False,
    progress: bool = False,
) -> NDArray[np.float64]:
    """Return a trained model's logits of (statement, holder) pairs, shape (pairs, width).

    A statement longer than the window is read by its first window, as in training.

    Args:
        run: the run's inputs.
        classifier: its trained model; see `load_classifier`.
        folder: its folder.
        pairs: what to read.
        fast: compute in the run's precision; in fp32 otherwise.
        progress: show a progress bar on stderr.
    """
    pad = pad_id(folder / "model")
    tokenizer = Tokenizer.from_file(str(folder / "model" / "tokenizer.json"))
    encoder = pair_encoder(tokenizer, run.window(pad))
    windows = [encoder.windows(text, holder)[0] for text, holder in pairs]
    order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
    logits = np.zeros((len(windows), run.codebook.size))
    bf16 = fast and uses_bf16(run.config.training.precision, gpu=False)
    with (
        torch.no_grad(),
        torch.autocast("cpu", torch.bfloat16, enabled=bf16),
        tracking("reading", len(windows), show=progress) as advance,
    ):
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            inputs = pad_windows([windows[i] for i in batch], pad)
            logits[batch] = classifier(**inputs)["logits"].numpy()
            advance(len(batch))
    return logits


def pad_id(folder: Path) -> int:
    """Return the padding token's id of an encoder's folder."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return int(config.get("pad_token_id") or 0)


class PairTrainer(Trainer):  # type: ignore[misc]
    """A transformers Trainer with a learning rate of its own for the heads."""

    def __init__(self, *, head_learning_rate: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.head_learning_rate = head_learning_rate

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Build AdamW with three groups: decayed weights, biases and norms, heads."""
        model = model or self.model
        groups: dict[str, list[nn.Parameter]] = {"heads": [], "decayed": [], "plain": []}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                kind = "heads" if name.startswith("heads.") else "decayed"
                groups[kind if kind == "heads" or parameter.ndim > 1 else "plain"].append(parameter)
        rate, decay = self.args.learning_rate, self.args.weight_decay
        self.optimizer = torch.optim.AdamW(
            [
                {"params": groups["heads"], "lr": self.head_learning_rate, "weight_decay": decay},
                {"params": groups["decayed"], "lr": rate, "weight_decay": decay},
                {"params": groups["plain"], "lr": rate, "weight_decay": 0.0},
            ],
            fused=True,
        )
        return self.optimizer


def _arguments(config: RunConfig, folder: Path) -> TrainingArguments:
    settings = config.training
    gpu = torch.cuda.is_available()
    bf16 = uses_bf16(settings.precision, gpu=gpu)
    return TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size * 2,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_ratio,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_strategy="epoch",
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        greater_is_better=True,
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        label_names=["labels"],
        seed=config.seed,
        data_seed=config.seed,
        report_to="none",
        disable_tqdm=not sys.stderr.isatty(),
        dataloader_pin_memory=False,
        bf16=bf16,
        use_cpu=bf16 and not gpu,
    )


def _last_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint; those that a kill cut short are removed."""
    for checkpoint in folder.glob("checkpoint-*"):
        try:
            # The state is what transformers writes last.
            json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            shutil.rmtree(checkpoint)
    last = get_last_checkpoint(str(folder))
    return Path(last) if last else None


def uses_bf16(precision: str, *, gpu: bool) -> bool:
    """Whether matrix products on the CPU, or a GPU, are in bf16, by ``training.precision``."""
    if precision != "auto":
        return precision == "bf16"
    if gpu:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _validation_scores(prediction: EvalPrediction, codebook: Codebook) -> dict[str, float]:
    logits, gold = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    scores = {}
    for number, dimension in enumerate(codebook.dimensions):
        chosen = logits[:, codebook.slices[dimension.name]].argmax(axis=1)
        scores[f"{dimension.name}_macro_f1"] = metrics.macro_f1(
            gold[:, number], chosen, len(dimension.labels)
        )
    return {**scores, "macro_f1": float(np.nanmean(list(scores.values())))}


def _refuse_single_labels(records: list[Record], codebook: Codebook) -> None:
    for dimension in codebook.dimensions:
        used = {record.labels[dimension.name] for record in records} - {None}
        if len(used) < 2:
            raise InputError(
                f"{dimension.name}: the training records have "
                + (f"only the label '{min(map(str, used))}'" if used else "no label")
                + "; a classifier needs at least two, so label more records or drop the dimension"
            )


def _refuse_unused_parties(config: RunConfig) -> None:
    """Refuse parties that no statement is told of; a share of 0 that is given is meant."""
    settings = config.training
    if settings.swapped_with and "swapped_share" not in settings.model_fields_set:
        raise InputError(
            f"training.swapped_with: {settings.swapped_with} is not used without a share of the "
            "statements; set training.swapped_share as well"
        )


def _refuse_unfit_encoder(config: RunConfig) -> None:
    """Refuse an encoder that has fewer positions or layers than the config asks for."""
    settings, frozen = config.encoder, config.training.frozen_layers
    encoder = AutoConfig.from_pretrained(locate_encoder(settings), trust_remote_code=False)
    positions = getattr(encoder, "max_position_embeddings", settings.max_length)
    if encoder.model_type in _LATE:
        positions -= encoder.pad_token_id + 1
    if settings.max_length > positions:
        raise InputError(
            f"encoder.max_length={settings.max_length}: {settings.source} reads at most "
            f"{positions} tokens"
        )
    layers = getattr(encoder, "num_hidden_layers", frozen)
    if frozen > layers:
        raise InputError(f"training.frozen_layers={frozen}: {settings.source} has only {layers}")


def _refuse_known_articles(articles: Sequence[Record], split: Split, config: RunConfig) -> None:
    """Refuse articles with a statement of the corpus that is not to be trained on."""
    if config.split.shared_texts:
        return
    unseen = {flatten(record.text): record for record in [*split.validation, *split.test]}
    for record in articles:
        if known := unseen.get(flatten(record.text)):
            raise InputError(
                f"{known.place}: is not to be trained on, but stands in article {record.place}, "
                "too; drop it, or set split.shared_texts=true"
            )


def _save(classifier: PairClassifier, source: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    classifier.encoder.config.save_pretrained(folder)
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    weights = {name: tensor.contiguous() for name, tensor in classifier.state_dict().items()}
    with replacing(folder / _WEIGHTS) as temporary:
        save_file(weights, temporary)
