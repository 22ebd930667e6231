"""The whole path with the real encoder and corpus: train, kill, go on, export, register, serve."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from detente import Tagger
from detente.bundle import MODEL, Bundle, pair_encoder, sha256
from detente.errors import BundleError, DetenteError, InputError
from detente.session import Session
from detente_training.config import EncoderConfig, load_config
from detente_training.encoder import WEIGHTS, locate_encoder
from detente_training.examples import PairCollator, build_dataset
from detente_training.export import export_run, write_model
from detente_training.loss import IGNORED
from detente_training.report import MODEL as MODEL_NAME
from detente_training.train import Run, load_classifier
from tests.conftest import Command, assert_one_line_error
from tests.training.conftest import QUICK


def test_the_report_sets_the_model_beside_its_baselines(trained: Path) -> None:
    report = json.loads((trained / "report.json").read_text())
    for scores in report["dimensions"].values():
        assert list(scores["systems"]) == [
            MODEL_NAME,
            "majority",
            "TF-IDF + logistic regression",
            "frozen encoder + logistic regression",
        ]
        for figures in scores["systems"].values():
            interval = figures["macro_f1"]
            assert interval["low"] <= interval["value"] <= interval["high"]
        assert [coverage for coverage, _ in scores["abstention"]] == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    stance = report["dimensions"]["stance"]["systems"]
    assert stance[MODEL_NAME]["macro_f1"]["value"] > stance["majority"]["macro_f1"]["value"]
    assert "Negotiations" in (trained / "report.md").read_text()
    manifest = json.loads((trained / "bundle" / "bundle.json").read_text())
    assert manifest["corpus"]["test"] == report["negotiations"]
    assert set(report["negotiations"]).isdisjoint(manifest["corpus"]["train"])


def test_the_bundle_serves(trained: Path) -> None:
    tagger = Tagger.load(trained / "bundle")
    assert tagger("The envoys met on Tuesday.").predictions.keys() == {
        "stance",
        "sequencing",
        "shift",
    }
    assert (trained / "bundle" / "README.md").read_text().startswith("# Negotiation stance")


def test_mlflow_holds_the_run_and_the_model(
    trained: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(workplace)
    mlflow.set_tracking_uri(f"sqlite:///{workplace / 'mlflow.db'}")
    (run,) = mlflow.search_runs(experiment_names=["detente"], output_format="list")
    assert run.info.status == "FINISHED"
    assert run.data.params["training.epochs"] == "2"
    assert run.data.tags["corpus_sha256"]
    client = mlflow.MlflowClient()
    history = client.get_metric_history(run.info.run_id, "eval_stance_macro_f1")
    assert [metric.step for metric in history] == [1, 2]
    figures = {artifact.path for artifact in client.list_artifacts(run.info.run_id, "figures")}
    assert figures == {
        f"figures/{dimension}_{kind}.png"
        for dimension in ("stance", "sequencing", "shift")
        for kind in ("confusion", "reliability")
    }
    assert {"config.yaml", "environment.txt", "unseen.jsonl", "report.json"} <= {
        artifact.path for artifact in client.list_artifacts(run.info.run_id)
    }
    assert run.data.tags["weights_sha256"] == sha256(trained / "model" / WEIGHTS)
    flips = json.loads((trained / "report.json").read_text())["invariance"]["all"]["stance"][
        "flips"
    ]
    assert run.data.metrics["test_stance_swap_flips"] == pytest.approx(flips)
    text = "The union is now ready to meet the company halfway."
    registered = Tagger.load("models:/detente/1")
    assert registered(text) == Tagger.load(trained / "bundle")(text)
    with pytest.raises(BundleError, match="not in the registry"):
        Tagger.load("models:/nobody@champion")


def test_a_finished_run_is_left_alone(detente: Command, trained: Path, workplace: Path) -> None:
    done = detente("train", QUICK, cwd=workplace)
    assert done.returncode == 0
    assert "is finished" in done.stdout
    assert "not applied" not in done.stdout
    done = detente("train", QUICK, "promotion.max_flips=0.05", cwd=workplace)
    assert "not applied to it, since it is finished: promotion.max_flips" in done.stdout
    assert_one_line_error(
        detente("train", QUICK, "seed=99", cwd=workplace), "another config", "--fresh"
    )


def test_export_again_and_evaluate(detente: Command, trained: Path, workplace: Path) -> None:
    target = workplace / "exported"
    done = detente("export", trained, "-o", target, cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert (target / MODEL).read_bytes() == (trained / "bundle" / MODEL).read_bytes()
    first = json.loads((trained / "report.json").read_text())
    records = workplace / "some"
    records.mkdir()
    for name in [*first["negotiations"], "bank-debt"]:
        shutil.copy(workplace / "data" / "corpus" / f"{name}.jsonl", records)
    done = detente("evaluate", target, records, "-o", "out", cwd=workplace)
    assert done.returncode == 0, done.stderr
    assert "left out:" in done.stdout
    assert "Name swaps of" in done.stdout
    report = json.loads((workplace / "out" / "report.json").read_text())
    for name, scores in report["dimensions"].items():
        for system, figures in scores["systems"].items():
            before = first["dimensions"][name]["systems"][system]["macro_f1"]
            assert figures["macro_f1"] == pytest.approx(before)
    seen = sum(len((records / f"{n}.jsonl").read_text().splitlines()) for n in ["bank-debt"])
    done = detente(
        *("evaluate", target, records, "-o", "all", "--no-baselines", "--include-seen"),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    assert "left out:" not in done.stdout
    everything = json.loads((workplace / "all" / "report.json").read_text())
    assert everything["records"] == report["records"] + seen
    done = detente("evaluate", target, records, "-o", "alone", "--no-baselines", cwd=workplace)
    assert done.returncode == 0, done.stderr
    alone = json.loads((workplace / "alone" / "report.json").read_text())
    for name, scores in alone["dimensions"].items():
        ours, *others = report["dimensions"][name]["systems"]
        assert others
        assert list(scores["systems"]) == [ours]


def test_the_served_model_follows_the_trained_one(
    trained: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(workplace)
    run = Run.open(trained)
    classifier = load_classifier(run, trained)
    write_model(classifier, tmp_path / MODEL)
    assert not any(module.training for module in classifier.modules())
    bundle = Bundle.load(trained / "bundle")
    records = run.split.test[:64]
    windows = [bundle.encoder.windows(record.text, record.holder)[0] for record in records]
    served = Session((tmp_path / MODEL).read_bytes(), run.codebook.size).logits(windows)
    dataset = build_dataset(records, run.codebook, bundle.encoder)
    batch = PairCollator(0)([dataset[i] for i in range(len(dataset))])
    with torch.no_grad():
        logits = classifier(**batch)["logits"].numpy()
    assert abs(served - logits).mean() < 0.05
    alone = Session((tmp_path / MODEL).read_bytes(), run.codebook.size).logits(
        windows, batch_size=1
    )
    assert abs(served - alone).max() < 1e-4


def test_a_smaller_model_learns_from_the_readings_of_a_run(
    detente: Command, trained: Path, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    done = detente("teach", trained, "-o", "teacher.parquet", cwd=workplace)
    assert done.returncode == 0, done.stderr
    settings = ["training.swapped_share=0.5", "distillation.readings=teacher.parquet"]
    run = Run(load_config(QUICK, settings))
    assert run.fingerprint != Run(load_config(QUICK, settings[:1])).fingerprint
    readings = run.training_readings()
    assert readings is not None
    assert readings.teacher == "quick"
    tokenizer = Tokenizer.from_file(str(trained / "model" / "tokenizer.json"))
    encoder = pair_encoder(tokenizer, run.window(0))
    records = run.training_records()
    dataset = build_dataset(records, run.codebook, encoder, teacher=readings)
    labelled, unlabelled = dataset[: len(records)], dataset[len(records) :]
    assert np.isfinite(labelled["teacher"]).all()
    assert np.isfinite(unlabelled["teacher"]).all()
    assert (np.array(unlabelled["labels"]) == IGNORED).all()
    pairs = list(zip(run.split.train, records, strict=True))
    swapped = next(i for i, (old, new) in enumerate(pairs) if old != new)
    old, _ = pairs[swapped]
    assert labelled["teacher"][swapped] == readings.of(old.text, old.holder)
    # The teacher follows its own readings as closely as half precision allows.
    classifier = load_classifier(Run.open(trained), trained)
    same = [i for i, (old, new) in enumerate(pairs) if old == new][:16]
    batch = PairCollator(0)([dataset[i] for i in same])
    with torch.no_grad():
        logits = classifier(batch["input_ids"], batch["attention_mask"], batch["token_type_ids"])
    assert (logits["logits"] - batch["teacher"]).abs().mean() < 0.05


def test_a_share_of_the_training_statements_names_other_parties(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    run = Run(load_config(QUICK, ["training.swapped_share=0.5"]))
    plain = Run(load_config(QUICK))
    assert run.fingerprint != plain.fingerprint
    records = run.training_records()
    assert plain.training_records() == plain.split.train
    changed = [(a, b) for a, b in zip(run.split.train, records, strict=True) if a != b]
    assert 0.1 < len(changed) / len(records) < 0.5
    for before, after in changed:
        assert before.labels == after.labels
        assert before.text != after.text
    texts: dict[str, set[str]] = {}
    for before, after in zip(run.split.train, records, strict=True):
        texts.setdefault(before.text, set()).add(after.text)
    assert all(len(found) == 1 for found in texts.values())


def test_an_export_that_strays_is_refused(
    trained: Path, workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace)
    run = Run.open(trained)
    limits = run.config.export.model_copy(update={"max_f1_loss": 0.0, "min_agreement": 1.0})
    run.config = run.config.model_copy(update={"export": limits})
    with pytest.raises(BundleError, match=r"export refused: on \w+ .* statements differ: \w"):
        export_run(run, trained, tmp_path / "bundle")
    assert not list(tmp_path.iterdir())
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="is no bundle"):
        export_run(run, trained, tmp_path / "papers")
    assert (tmp_path / "papers" / "thesis.txt").exists()
    (tmp_path / "papers" / "thesis.txt").rename(tmp_path / "papers" / "README.md")
    with pytest.raises(InputError, match="is no bundle"):
        export_run(run, trained, tmp_path / "papers")
    assert (tmp_path / "papers" / "README.md").exists()


def test_a_changed_corpus_is_noticed(
    trained: Path, workplace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "work"
    shutil.copytree(workplace, changed)
    monkeypatch.chdir(changed)
    path = changed / "data" / "corpus" / "bank-debt.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(InputError, match="have changed since the run"):
        Run.open(changed / "runs" / "quick")
    with pytest.raises(InputError, match="holds no trained run"):
        Run.open(tmp_path)


def test_a_corpus_of_one_class_cannot_be_trained(
    detente: Command, workplace: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for path in (workplace / "data" / "corpus").glob("*.jsonl"):
        records = [json.loads(line) for line in path.read_text().splitlines()]
        lines = (json.dumps({**record, "shift": "none"}) + "\n" for record in records)
        (corpus / path.name).write_text("".join(lines))
    done = detente("train", QUICK, f"corpus={corpus}", f"output={tmp_path}", cwd=workplace)
    assert_one_line_error(done, "shift", "only the label 'none'", "at least two")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["training.epoch=1"], ["training.epoch=1", "did you mean 'epochs'"]),
        (["codebook=none.yaml"], ["none.yaml", "no such file"]),
        (["corpus=none"], ["none", "no such file"]),
        (["split.test=[atlantis]"], ["atlantis", "known:"]),
        (["split.only=[atlantis]"], ["split.only", "atlantis", "known:"]),
        (["training.swapped_share=0.5", "parties=none.yaml"], ["none.yaml", "no such file"]),
        (["encoder.sha256=c0ffee"], ["does not match encoder.sha256"]),
        (["encoder.source=package:no_such_model"], ["pip install no-such-model"]),
        (["encoder.source=./nowhere"], ["./nowhere", "no such folder"]),
    ],
)
def test_a_run_that_cannot_start_says_why(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(workplace)
    with pytest.raises(DetenteError) as caught:
        Run(load_config(QUICK, overrides))
    assert "\n" not in str(caught.value)
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_run_that_cannot_be_tracked_says_why(detente: Command, workplace: Path) -> None:
    overrides = ["tracking.uri=sqlite:////dev/null/a.db", "name=untracked"]
    done = detente("train", QUICK, *overrides, cwd=workplace)
    assert_one_line_error(done, "tracking.uri", "cannot be used")


def test_encoders_come_from_folders_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = locate_encoder(EncoderConfig())
    copy = Path(shutil.copytree(source, tmp_path / "encoder"))
    assert locate_encoder(EncoderConfig(source=str(copy))) == copy
    (copy / WEIGHTS).rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match=f"has no {WEIGHTS}"):
        locate_encoder(EncoderConfig(source=str(copy)))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        InputError, match="neither a folder nor to be had from the Hugging Face hub"
    ):
        locate_encoder(EncoderConfig(source="nobody/no-such-encoder"))
