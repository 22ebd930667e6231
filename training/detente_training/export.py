"""Export: trained weights to a calibrated int8 ONNX bundle, refused when it strays."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from tokenizers import Encoding, Tokenizer

from detente import __version__
from detente.bundle import (
    CARD,
    FORMAT,
    GATE,
    MANIFEST,
    MODEL,
    TOKENIZER,
    CorpusSource,
    EncoderSource,
    Manifest,
    Window,
    pair_encoder,
    sha256,
    write_manifest,
)
from detente.errors import BundleError, InputError
from detente.files import make_folder
from detente.progress import tracking
from detente.session import Session
from detente.tagger import Tagger, calibrate
from detente_training import metrics
from detente_training.baseline import Probabilities, fit_baselines
from detente_training.calibration import (
    choose_penalty,
    choose_threshold,
    fit_label_sets,
    fit_scaling,
)
from detente_training.card import write_card
from detente_training.encoder import WEIGHTS, load_encoder, locate_encoder
from detente_training.examples import gold_labels, pad_windows
from detente_training.gate import fit_gate
from detente_training.invariance import measure_names
from detente_training.model import LogitsOnly, PairClassifier
from detente_training.negotiation import read_negotiations
from detente_training.record import Record, corpus_hash
from detente_training.report import MODEL as MODEL_NAME
from detente_training.report import build_report, predict, save_report, summary
from detente_training.swap import Swapper, read_parties
from detente_training.train import Run, bundle_folder, load_classifier, pad_id, read_logits

_OPSET = 17
_INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
_SHOWN = 10
_BLOCK = 64
_INT8_INPUTS = 4  # onnxruntime's accuracy level with int8 inputs to the multiplication
_LARGE_TABLE = 1_000_000


def export_run(run: Run, folder: Path, target: Path) -> dict[str, Any]:
    """Export a trained run, measure it on the unseen negotiations, and write card and report.

    Args:
        run: the run's inputs.
        folder: the run's folder, with the trained weights.
        target: the bundle's folder; it appears complete or not at all.

    Returns:
        The evaluation report on the unseen negotiations, baselines and name swaps included. It
        is written to the run's folder as well when its bundle goes there.

    Raises:
        BundleError: the int8 model strays from the trained one; says which statements differ.
        InputError: ``target`` exists and is no bundle, or cannot be written.
    """
    _refuse_foreign_folder(target)
    classifier = load_classifier(run, folder)
    make_folder(target.parent)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        draft = Path(name) / target.name
        draft.mkdir()
        write_model(classifier, draft / MODEL)
        shutil.copyfile(folder / "model" / TOKENIZER, draft / TOKENIZER)
        gate = fit_gate([*run.split.train, *run.split.validation], run.codebook)
        if gate:
            (draft / GATE).write_text(gate.model_dump_json() + "\n", encoding="utf-8")
        manifest = _calibrate(run, classifier, folder, draft)
        write_manifest(draft, manifest)
        tagger = Tagger.load(draft)
        systems = {MODEL_NAME: predict(tagger, run.split.test)}
        train = [*run.split.train, *run.split.validation]
        show = sys.stderr.isatty()
        source = locate_encoder(run.config.encoder)
        embedder = FrozenEmbedder(source, manifest.window, progress=show)
        systems |= fit_baselines(train, run.codebook, embedder, run.split.test, progress=show)
        report = build_report(
            run.split.test, run.codebook, systems, manifest.set_thresholds, manifest.thresholds
        )
        report |= _measure_names(run, tagger, systems[MODEL_NAME])
        report["shared_texts"] = len(run.shared_texts)
        manifest = manifest.model_copy(update={"metrics": summary(report)})
        write_manifest(draft, manifest)
        write_card(draft / CARD, manifest, report)
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
    if target.resolve() == bundle_folder(folder).resolve():
        save_report(report, folder, f"{run.config.name}: unseen negotiations")
    return report


def _measure_names(run: Run, tagger: Tagger, probabilities: Probabilities) -> dict[str, Any]:
    config = run.config
    if not config.parties.exists():
        return {}
    return measure_names(
        tagger,
        run.split.test,
        probabilities,
        Swapper(read_negotiations(config.corpus)),
        read_parties(config.parties),
        size=config.promotion.swapped_records,
        seed=config.seed,
    )


def write_model(classifier: PairClassifier, path: Path) -> None:
    """Write a classifier as int8 ONNX with fused attention and layer norms.

    Matrix weights are int8 in blocks of `_BLOCK`, each with a scale of its own, and their inputs
    are quantised on the fly by block as well, so that one outlying value spoils neither its row
    nor the statements that share its batch (LLM.int8(): Dettmers et al., NeurIPS 2022). The
    embedding table is int8 with a scale for each token.
    """
    example = torch.ones((2, 8), dtype=torch.int64)
    names = _INPUTS if classifier.takes_types else _INPUTS[:2]
    axes = {name: {0: "batch", 1: "sequence"} for name in names} | {"logits": {0: "batch"}}
    with tempfile.TemporaryDirectory() as folder, _quiet():
        plain = Path(folder) / "plain.onnx"
        # The tracing exporter is used because onnxruntime's fusion knows its patterns.
        torch.onnx.export(
            LogitsOnly(classifier).eval(),
            (example,) * len(names),
            str(plain),
            input_names=names,
            output_names=["logits"],
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
        model = _fuse(plain, classifier.encoder.config)
        _quantize_embeddings(model)
        quantizer = MatMulNBitsQuantizer(
            model, bits=8, block_size=_BLOCK, is_symmetric=True, accuracy_level=_INT8_INPUTS
        )
        quantizer.process()
        quantizer.model.save_model_to_file(str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporters, whose notes say nothing to the user."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _fuse(plain: Path, config: Any) -> onnx.ModelProto:
    options = FusionOptions("bert")
    # Other fusions of attention and embeddings hide weights from the quantiser.
    options.use_multi_head_attention = True
    options.enable_embed_layer_norm = False
    optimized = optimize_model(
        str(plain),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        opt_level=0,
        optimization_options=options,
    )
    model: onnx.ModelProto = optimized.model
    return model


def _quantize_embeddings(model: onnx.ModelProto) -> None:
    """Replace the lookup in each large table by one in an int8 table and one of its scales."""
    graph = model.graph
    tables = {table.name: table for table in graph.initializer}
    for position, node in reversed(list(enumerate(graph.node))):
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or np.prod(table.dims) < _LARGE_TABLE:
            continue
        values = onnx.numpy_helper.to_array(table)
        scales = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / 127
        names = {
            kind: f"{table.name}_{kind}" for kind in ("int8", "scales", "row", "cast", "scale")
        }
        graph.initializer.extend(
            [
                onnx.numpy_helper.from_array(
                    np.rint(values / scales).astype(np.int8), names["int8"]
                ),
                onnx.numpy_helper.from_array(scales.astype(np.float32), names["scales"]),
            ]
        )
        graph.initializer.remove(table)
        ids, (output,) = node.input[1], node.output
        make = onnx.helper.make_node
        replacement = [
            make("Gather", [names["int8"], ids], [names["row"]], axis=0),
            make("Cast", [names["row"]], [names["cast"]], to=onnx.TensorProto.FLOAT),
            make("Gather", [names["scales"], ids], [names["scale"]], axis=0),
            make("Mul", [names["cast"], names["scale"]], [output]),
        ]
        del graph.node[position]
        for new in reversed(replacement):
            graph.node.insert(position, new)


def check_parity(
    run: Run, trained: NDArray[np.float64], served: NDArray[np.float64], records: Sequence[Record]
) -> None:
    """Compare the labels of two models' logits, shape (records, width), on unseen records.

    Raises:
        BundleError: fewer labels agree, or more macro-F1 is lost, than the config allows.
    """
    gold = gold_labels(records, run.codebook)
    limits = run.config.export
    for number, dimension in enumerate(run.codebook.dimensions):
        columns = run.codebook.slices[dimension.name]
        before, after = (logits[:, columns].argmax(axis=1) for logits in (trained, served))
        agreement = float((before == after).mean())
        size = len(dimension.labels)
        loss = metrics.macro_f1(gold[:, number], before, size) - metrics.macro_f1(
            gold[:, number], after, size
        )
        if agreement < limits.min_agreement or loss > limits.max_f1_loss:
            differing = np.flatnonzero(before != after)
            shown = "; ".join(
                f"{records[i].id} ({dimension.label_names[before[i]]} became "
                f"{dimension.label_names[after[i]]})"
                for i in differing[:_SHOWN]
            )
            raise BundleError(
                f"export refused: on {dimension.name} the int8 model agrees with the trained one "
                f"in {agreement:.1%} of labels (at least {limits.min_agreement:.1%}) and loses "
                f"{loss:.4f} macro-F1 (at most {limits.max_f1_loss}); {len(differing)} of "
                f"{len(records)} statements differ: {shown}"
            )


class FrozenEmbedder:
    """Embeds records with the pretrained encoder as it comes: mean-pooled pair vectors."""

    def __init__(self, source: Path, window: Window, *, progress: bool = False) -> None:
        self._progress = progress
        tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
        self._encoder = pair_encoder(tokenizer, window)
        self._pad_id = window.pad_id
        self._model = load_encoder(source).eval()

    def __call__(self, records: Sequence[Record]) -> NDArray[np.float64]:
        """Return vectors of shape (records, hidden size)."""
        windows = [self._encoder.windows(r.text, r.holder)[0] for r in records]
        order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
        vectors = np.zeros((len(windows), self._model.config.hidden_size))
        with tracking("frozen encoder", len(order), show=self._progress) as advance:
            for start in range(0, len(order), 64):
                batch = order[start : start + 64]
                vectors[batch] = self._embed([windows[i] for i in batch])
                advance(len(batch))
        return vectors

    def _embed(self, windows: Sequence[Encoding]) -> NDArray[np.float64]:
        inputs = pad_windows(windows, self._pad_id)
        mask = inputs["attention_mask"].unsqueeze(-1)
        with torch.no_grad():
            hidden = self._model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
            )[0]
        pooled: NDArray[np.float64] = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
        return pooled


def _calibrate(run: Run, classifier: PairClassifier, folder: Path, draft: Path) -> Manifest:
    settings = run.config.encoder
    window = run.window(pad_id(folder / "model"))
    tokenizer = Tokenizer.from_file(str(draft / TOKENIZER))
    encoder = pair_encoder(tokenizer, window)
    session = Session((draft / MODEL).read_bytes(), run.codebook.size, pad_id=window.pad_id)

    def served(records: Sequence[Record]) -> NDArray[np.float64]:
        windows = [encoder.windows(record.text, record.holder)[0] for record in records]
        return session.logits(windows).astype(np.float64)

    check_parity(
        run,
        read_logits(run, classifier, folder, [(r.text, r.holder) for r in run.split.test]),
        served(run.split.test),
        run.split.test,
    )
    logits = served(run.split.validation)
    gold = gold_labels(run.split.validation, run.codebook)
    slices = run.codebook.slices
    penalty = choose_penalty(
        [(logits[:, columns], gold[:, number]) for number, columns in enumerate(slices.values())],
        [record.negotiation for record in run.split.validation],
    )
    temperatures, biases, thresholds, set_thresholds = {}, {}, {}, {}
    for number, (name, columns) in enumerate(slices.items()):
        scaling = fit_scaling(logits[:, columns], gold[:, number], penalty)
        temperatures[name] = scaling.temperature
        biases[name] = tuple(scaling.biases.round(4).tolist())
        raw = logits[:, columns].astype(np.float32)
        probabilities = calibrate(raw, scaling.temperature, biases[name]).astype(np.float64)
        thresholds[name] = choose_threshold(probabilities, run.config.calibration.coverage)
        set_thresholds[name] = fit_label_sets(
            probabilities, gold[:, number], run.config.calibration.set_coverage
        )
    return Manifest(
        format=FORMAT,
        name=run.config.name,
        package_version=__version__,
        codebook=run.codebook,
        window=window,
        temperatures=temperatures,
        biases=biases,
        thresholds=thresholds,
        set_thresholds=set_thresholds,
        encoder=EncoderSource(
            source=settings.source, sha256=sha256(locate_encoder(settings) / WEIGHTS)
        ),
        teacher=run.readings.teacher if run.readings else None,
        corpus=CorpusSource(
            sha256=corpus_hash(run.records),
            records=len(run.records),
            train=run.split.negotiations("train"),
            validation=run.split.negotiations("validation"),
            test=run.split.negotiations("test"),
            articles=tuple(run.seen_articles),
            taught=run.readings.negotiations if run.readings else (),
        ),
        files={
            name: sha256(draft / name)
            for name in (MODEL, TOKENIZER, GATE)
            if (draft / name).exists()
        },
    )


def _refuse_foreign_folder(target: Path) -> None:
    if (
        target.is_symlink()
        or target.is_file()
        or (target.is_dir() and not _is_bundle({file.name for file in target.iterdir()}))
    ):
        raise InputError(f"{target}: exists and is no bundle; choose another folder")


def _is_bundle(names: set[str]) -> bool:
    """Whether a folder of these files is empty, or a bundle and nothing else."""
    return not names or (MANIFEST in names and names <= {MANIFEST, MODEL, TOKENIZER, GATE, CARD})
