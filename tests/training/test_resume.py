"""Runs that are killed, stopped early or refused at their end; the encoder is a tiny one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import BertProcessing
from transformers import BertConfig, BertModel, TrainerCallback

from detente.bundle import read_manifest
from detente.errors import BundleError, InputError
from detente.mask import Mask
from detente_training import export
from detente_training import train as training
from detente_training.commands import teach
from detente_training.config import ExportConfig, load_config
from detente_training.distillation import write_readings
from detente_training.encoder import WEIGHTS, load_encoder
from detente_training.export import check_parity, export_run
from detente_training.record import Record, flatten
from detente_training.template import start_project
from detente_training.tracking import _unseen_answers
from detente_training.train import Run, fit, holding, open_folder, read_state, write_state

# No epoch is better than the first.
STUCK = ["training.learning_rate=1e-12", "training.head_learning_rate=1e-12", "training.epochs=6"]


class Epochs(TrainerCallback):  # type: ignore[misc]
    """Counts the epochs trained, and dies when one is saved."""

    def __init__(self, killed_after: int = 0) -> None:
        self.trained = 0
        self.killed_after = killed_after

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.trained += 1
        if round(state.epoch) == self.killed_after:
            raise KeyboardInterrupt


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project with a tiny encoder of its own."""
    folder = tmp_path / "project"
    start_project(folder)
    texts = "".join(path.read_text() for path in (folder / "corpus").iterdir())
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted(set(texts.split()))]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder / "encoder")
    tokenizer.save(str(folder / "encoder" / "tokenizer.json"))
    monkeypatch.chdir(folder)
    return folder


def tiny(*overrides: str) -> Run:
    return Run(load_config("config.yaml", ["encoder.source=./encoder", *overrides]))


def train(run: Run, killed_after: int = 0) -> int:
    """Train, and return the number of epochs that took."""
    epochs = Epochs(killed_after)
    folder = open_folder(run, fresh=False)
    if killed_after:
        with pytest.raises(KeyboardInterrupt):
            fit(run, folder, [epochs])
    else:
        fit(run, folder, [epochs])
    return epochs.trained


def test_a_resumed_run_is_as_patient_as_one_that_went_through(project: Path) -> None:
    run = tiny(*STUCK, "training.patience=2")
    assert train(run, killed_after=2) == 2
    assert train(run) == 1


def test_a_run_that_stopped_early_does_not_train_on(project: Path) -> None:
    run = tiny(*STUCK, "training.patience=2")
    assert train(run) == 3
    weights = (run.config.folder / "model" / WEIGHTS).read_bytes()
    assert train(run) == 0
    # As after a kill between the last checkpoint and the model.
    shutil.rmtree(run.config.folder / "model")
    assert train(run) == 0
    assert (run.config.folder / "model" / WEIGHTS).read_bytes() == weights


def test_a_resumed_run_ends_like_one_that_went_through(project: Path) -> None:
    settings = ["training.epochs=3", "training.dropout=0.3"]
    whole, cut = tiny(*settings, "name=whole"), tiny(*settings, "name=cut")
    train(whole)
    train(cut, killed_after=1)
    assert train(cut) == 2
    weights = [(run.config.folder / "model" / WEIGHTS).read_bytes() for run in (whole, cut)]
    assert weights[0] == weights[1]


def test_the_weights_of_the_best_epoch_are_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.9, 0.1])
    monkeypatch.setattr(training, "_validation_scores", lambda *_: {"macro_f1": next(scores)})
    run = tiny("training.epochs=3", "training.patience=9")
    train(run)
    states = run.config.folder.glob("checkpoints/*/trainer_state.json")
    folders = {json.loads(state.read_text())["epoch"]: state.parent for state in states}
    kept, second = (load_file(f / WEIGHTS) for f in (run.config.folder / "model", folders[2]))
    assert all((kept[name] == second[name]).all() for name in kept)


def test_labels_of_unseen_negotiations_shape_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # These alone may know them: they only measure.
    monkeypatch.setattr(export, "fit_baselines", lambda *_, **__: {})
    monkeypatch.setattr(export, "check_parity", lambda *_: None)
    monkeypatch.setattr(export, "_measure_names", lambda *_: {})
    learnt: set[str] = set()

    def watch(module: Any, name: str) -> None:
        function = getattr(module, name)

        def watched(records: Sequence[Record], *given: Any, **options: Any) -> Any:
            learnt.update(record.negotiation for record in records)
            return function(records, *given, **options)

        monkeypatch.setattr(module, name, watched)

    watch(training, "build_dataset")
    watch(training, "gold_labels")
    watch(export, "gold_labels")
    watch(export, "fit_gate")
    made = []
    for name in ("one", "other"):
        run = tiny(f"name={name}", "training.epochs=2", "seed=3")
        train(run)
        export_run(run, run.config.folder, run.config.folder / "bundle")
        manifest = read_manifest(run.config.folder / "bundle")
        weights = (run.config.folder / "model" / WEIGHTS).read_bytes()
        scaling = manifest.temperatures, manifest.biases
        made.append((weights, scaling, manifest.thresholds, manifest.set_thresholds))
        first, *_ = run.codebook.dimensions
        labels = first.label_names
        turned = dict(zip(labels, labels[1:] + labels[:1], strict=True))
        for unseen in run.split.negotiations("test"):
            path = Path("corpus", f"{unseen}.jsonl")
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            lines = (json.dumps({**row, first.name: turned[row[first.name]]}) for row in rows)
            path.write_text("\n".join(lines) + "\n")
    assert made[0] == made[1]
    assert learnt == {*run.split.negotiations("train"), *run.split.negotiations("validation")}


def test_a_teacher_of_unseen_negotiations_is_refused(project: Path) -> None:
    run = tiny()
    text, (seen,) = run.split.train[0].text, run.split.negotiations("test")[:1]
    logits = [[0.0] * run.codebook.size]
    write_readings(Path("t.parquet"), run.codebook, [(text, None)], logits, "large", [seen])
    with pytest.raises(InputError, match=rf"t\.parquet: .* trained on {seen}, which split\.test"):
        tiny("distillation.readings=t.parquet")


def test_what_a_teacher_has_seen_counts_as_seen(project: Path) -> None:
    run = tiny()
    text, logits = run.split.train[0].text, [[0.0] * run.codebook.size]
    seen = ["elsewhere"], ["strike"]
    write_readings(Path("t.parquet"), run.codebook, [(text, None)], logits, "large", *seen)
    taught = tiny("distillation.readings=t.parquet")
    assert taught.seen_articles == ["strike"]
    assert {*taught.seen_negotiations} == {*run.seen_negotiations, "elsewhere"}
    assert not run.seen_articles


@pytest.mark.parametrize("cut", [None, '{"epoch": 2'])
def test_a_checkpoint_cut_short_is_made_again(project: Path, cut: str | None) -> None:
    run = tiny("training.epochs=3")
    assert train(run, killed_after=2) == 2
    folder = run.config.folder / "checkpoints"
    last = max(folder.iterdir(), key=lambda path: int(path.name.rpartition("-")[2]))
    (last / "trainer_state.json").unlink()
    if cut:
        (last / "trainer_state.json").write_text(cut)
    assert train(run) == 2


@pytest.mark.parametrize(
    ("served", "agreement", "loss", "words"),
    [
        ([0, 0, 0, 1, 1, 1], 1.0, 0.0, None),
        ([0, 0, 1, 1, 1, 1], 0.9, 1.0, r"in 83\.3% of labels \(at least 90\.0%\)"),
        ([0, 0, 1, 1, 1, 1], 0.8, 0.1, r"loses 0\.1\d+ macro-F1 \(at most 0\.1\)"),
        ([0, 0, 1, 1, 1, 1], 0.8, 0.2, None),
    ],
)
def test_an_export_is_held_to_each_bound(
    project: Path, served: list[int], agreement: float, loss: float, words: str | None
) -> None:
    run = tiny(f"export.min_agreement={agreement}", f"export.max_f1_loss={loss}")
    (dimension,) = run.codebook.dimensions
    names = dimension.label_names
    made = [
        replace(run.split.test[0], id=str(n), labels={dimension.name: names[label]})
        for n, label in enumerate([0, 0, 0, 1, 1, 1])
    ]
    trained = np.eye(len(names))[[0, 0, 0, 1, 1, 1]]
    refusal = pytest.raises(BundleError, match=words) if words else nullcontext()
    with refusal:
        check_parity(run, trained, np.eye(len(names))[served], made)
    # What is gained is no loss.
    check_parity(
        run.__class__(run.config.model_copy(update={"export": ExportConfig(min_agreement=0)})),
        np.eye(len(names))[[0, 0, 1, 1, 1, 1]],
        trained,
        made,
    )


def test_after_a_refused_export_the_bounds_may_change(project: Path) -> None:
    run = tiny("training.epochs=1")
    train(run)
    folder = run.config.folder
    limits = run.config.export.model_copy(update={"max_f1_loss": -1.0})
    run.config = run.config.model_copy(update={"export": limits})
    with pytest.raises(BundleError, match="export refused"):
        export_run(run, folder, folder / "bundle")
    assert train(tiny("training.epochs=1", "calibration.coverage=0.5")) == 0
    opened = Run.open(folder, ["export.min_agreement=0", "export.max_f1_loss=1"])
    assert opened.config.calibration.coverage == 0.5
    assert opened.config.export.max_f1_loss == 1
    export_run(opened, folder, folder / "bundle")
    assert read_manifest(folder / "bundle").name == "first"
    with pytest.raises(InputError, match=r"'seed=3': only export\.\* and calibration\.\*"):
        Run.open(folder, ["seed=3"])
    with pytest.raises(InputError, match=r"export\.min_agreement=2: "):
        Run.open(folder, ["export.min_agreement=2"])


def test_what_a_run_depends_on_is_told_apart(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    masked = tiny("encoder.mask_names=true").fingerprint
    plain = tiny().fingerprint
    (tmp_path / "actors.yaml").write_text("other: names")
    monkeypatch.setattr("detente_training.train.ACTORS", tmp_path / "actors.yaml")
    assert tiny("encoder.mask_names=true").fingerprint != masked
    assert tiny().fingerprint == plain


def test_a_run_is_told_from_one_of_other_inputs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = [tiny().fingerprint]
    path = Path("corpus", f"{tiny().split.negotiations('train')[0]}.jsonl")
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*others, first]))
    prints.append(tiny().fingerprint)
    path.write_text("".join([*others, json.dumps({**json.loads(first), "implied": True}) + "\n"]))
    prints.append(tiny().fingerprint)
    weights = load_file(Path("encoder") / WEIGHTS)
    changed = {name: tensor + 1 for name, tensor in weights.items()}
    save_file(changed, Path("encoder") / WEIGHTS, metadata={"format": "pt"})
    prints.append(tiny().fingerprint)
    Path("codebook.yaml").write_text(Path("codebook.yaml").read_text() + "title: Other\n")
    prints.append(tiny().fingerprint)
    assert len(set(prints)) == len(prints)
    before = tiny("encoder.mask_names=true").fingerprint
    monkeypatch.setattr(Mask, "hide", lambda *_: ("Norvia agrees.", "Norvia"))
    assert tiny("encoder.mask_names=true").fingerprint != before
    assert tiny().fingerprint == prints[-1]


def test_a_run_is_told_from_one_of_other_parties_or_articles(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Record] = []
    monkeypatch.setattr(training, "article_records", lambda *_: said)
    prints = []
    for other, label in (("Chile", "opposes"), ("Chad", "supports")):
        parties = [{"name": name, "group": "a"} for name in ("Peru", other)]
        Path("parties.yaml").write_text(json.dumps({"parties": parties}))
        run = tiny("training.swapped_share=0.5", "parties=parties.yaml")
        said[:] = [replace(run.split.train[0], text="We agree.", labels={"support": label})]
        prints += [run.fingerprint, tiny("articles=corpus").fingerprint]
    assert len(set(prints)) == len(prints)


def test_a_config_of_another_version_is_one_clear_error(project: Path) -> None:
    run = tiny("training.epochs=1")
    train(run)
    path = run.config.folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sed": 1}))
    with pytest.raises(InputError, match=r"config\.json:\d+: unknown key 'sed'"):
        Run.open(run.config.folder)


def test_a_finished_run_keeps_its_config(project: Path) -> None:
    run = tiny("training.epochs=1")
    folder = open_folder(run, fresh=False)
    write_state(folder, finished=True)
    before = (folder / "config.json").read_text(), read_state(folder)
    assert open_folder(tiny("training.epochs=1", "tracking.uri=sqlite:///other.db"), fresh=False)
    assert ((folder / "config.json").read_text(), read_state(folder)) == before


def test_a_fresh_run_keeps_nothing_of_the_one_before(project: Path) -> None:
    train(tiny("training.epochs=1"))
    folder = tiny().config.folder
    before = (folder / "model" / WEIGHTS).read_bytes()
    write_state(folder, finished=True, mlflow_run="1")
    other = tiny("training.epochs=1", "seed=5")
    assert open_folder(other, fresh=True) == folder
    assert read_state(folder) == {"fingerprint": other.fingerprint}
    assert train(other) == 1
    assert (folder / "model" / WEIGHTS).read_bytes() != before


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_of_something_else_is_left_alone(project: Path, *, fresh: bool) -> None:
    before = {path.name: path.read_bytes() for path in Path("encoder").iterdir()}
    with pytest.raises(InputError, match="encoder: is no run's folder; choose another name="):
        open_folder(tiny("name=encoder", "output=."), fresh=fresh)
    assert {path.name: path.read_bytes() for path in Path("encoder").iterdir()} == before


def test_only_what_is_trained_on_is_learnt_from_readings(project: Path) -> None:
    run = tiny()
    kept = [run.split.negotiations(part)[0] for part in ("train", "validation", "test")]
    split = [f"split.only=[{', '.join(kept)}]", f"split.test=[{kept[-1]}]"]
    split.append(f"split.validation=[{kept[1]}]")
    texts = [record.text for record in run.split.train]
    pairs = [(text, None) for text in [*texts, f"{texts[0]} A view."]]
    logits = [[0.0] * run.codebook.size] * len(pairs)
    write_readings(Path("teacher.parquet"), run.codebook, pairs, logits, "large")
    taught = "distillation.readings=teacher.parquet"
    whole = tiny(taught).training_readings()
    assert whole is not None
    assert set(whole.logits) == set(pairs)
    less = tiny(*split, taught)
    readings = less.training_readings()
    assert readings is not None
    assert {text for text, _ in readings.logits} == {record.text for record in less.split.train}
    write_readings(Path("teacher.parquet"), run.codebook, pairs[-1:], logits[-1:], "large")
    with pytest.raises(InputError, match="holds no reading of the training statements"):
        tiny(*split, taught)


def test_a_teacher_reads_what_the_corpus_says(project: Path) -> None:
    for path in Path("corpus").glob("*.jsonl"):
        path.write_text(path.read_text().replace('"text": "', '"text": "In Peru: '))
    for file, names in (("one.yaml", ("Volmar", "Castora")), ("two.yaml", ("Lumbria", "Odessol"))):
        parties = [{"name": name, "group": "invented"} for name in names]
        Path(file).write_text(json.dumps({"parties": parties}))
    swapped = "training.swapped_share=1"
    run = tiny("training.epochs=1", swapped, "parties=one.yaml")
    train(run)
    teach(run.config.folder)
    taught_by = f"distillation.readings={run.config.folder / 'readings.parquet'}"
    taught = tiny("name=student", swapped, "parties=two.yaml", taught_by)
    assert taught.readings is not None
    texts = {text for text, _ in taught.readings.logits}
    assert texts == {record.text for record in run.split.train}
    readings = taught.training_readings()
    assert readings is not None
    told = taught.training_records()
    assert not {record.text for record in told} & texts
    for record in told:
        assert (record.text, record.holder) in readings.logits


def test_a_missing_list_of_parties_is_told_before_training(project: Path) -> None:
    with pytest.raises(InputError, match=r"partis\.yaml: no such file"):
        tiny("parties=partis.yaml")


def test_an_encoder_with_missing_weights_is_refused(project: Path) -> None:
    weights = load_file(Path("encoder") / WEIGHTS)

    def save(prefix: str) -> None:
        kept = {prefix + name: w for name, w in weights.items() if not name.startswith("pooler.")}
        save_file(kept, Path("encoder") / WEIGHTS, metadata={"format": "pt"})

    save("")
    assert load_encoder(Path("encoder"))
    save("encoder.")  # as a trained run keeps them
    with pytest.raises(InputError, match=r"encoder/model\.safetensors lacks \d+ .* package:NAME"):
        load_encoder(Path("encoder"))


@pytest.mark.parametrize("name", ["..", ".", ".hidden", "-fresh", "a/b", ""])
def test_a_run_is_named_by_a_folder_of_its_own(project: Path, name: str) -> None:
    with pytest.raises(InputError, match="name: "):
        tiny(f"name={name!r}")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("encoder.max_length=32", "encoder.stride=40: stride must be at least 8 below"),
        ("encoder.max_length=513", "encoder.max_length=513: ./encoder reads at most 512 tokens"),
        ("training.frozen_layers=2", "training.frozen_layers=2: ./encoder has only 1"),
        ("training.swapped_with=names.yaml", "names.yaml is not used without a share"),
    ],
)
def test_settings_that_cannot_train_are_refused(project: Path, setting: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        tiny(setting)
    assert tiny("encoder.max_length=512", "training.frozen_layers=1")
    assert not Path("runs").exists()


def test_two_trainings_of_one_run_keep_out_of_each_others_way(project: Path) -> None:
    config = tiny().config
    refused = pytest.raises(InputError, match="another training of this run")
    with holding(config), refused, holding(config):
        pass
    with holding(config):
        pass


def test_answers_of_texts_in_training_are_not_logged_as_unseen(project: Path) -> None:
    run = tiny()
    (seen,), known = run.split.negotiations("test")[:1], run.split.train[0]
    copy = {**known.labels, "id": "copy", "holder": known.holder, "negotiation": seen}
    with Path("corpus", f"{seen}.jsonl").open("a") as stream:
        stream.write(json.dumps({**copy, "text": known.text.upper()}) + "\n")
    run = tiny("split.shared_texts=true")
    assert run.shared_texts == {flatten(known.text)}
    sizes = {dimension.name: len(dimension.labels) for dimension in run.codebook.dimensions}
    probabilities = {name: np.ones((len(run.split.test), size)) for name, size in sizes.items()}
    answers = _unseen_answers(run, probabilities)
    assert len(answers) == len(run.split.test) - 1
    assert "copy" not in {answer.id for answer in answers}


def test_a_statement_is_swapped_for_all_its_holders_or_none(project: Path) -> None:
    path = Path("corpus", f"{tiny().split.negotiations('train')[0]}.jsonl")
    line = json.loads(path.read_text().splitlines()[0])
    copies = [
        {**line, "id": "a", "text": "Norway agreed.", "holder": "Norway"},
        {
            **line,
            "id": "b",
            "text": "Norway agreed.",
            "holder": "Norwegian unions",
            "implied": True,
        },
        {**line, "id": "c", "text": "Japan agreed.", "holder": "Japan"},
    ]
    with path.open("a") as stream:
        stream.writelines(json.dumps(copy) + "\n" for copy in copies)
    parties = [{"name": name, "group": "invented"} for name in ("Volmar", "Castora")]
    Path("parties.yaml").write_text(json.dumps({"parties": parties}))
    run = tiny("parties=parties.yaml", "training.swapped_share=1")
    texts = {record.id: record.text for record in run.training_records()}
    assert texts["a"] == texts["b"] == "Norway agreed."
    assert texts["c"] != "Japan agreed."
