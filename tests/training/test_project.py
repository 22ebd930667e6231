"""A user's own project, from `init` to a promoted and reproduced model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from detente.errors import InputError
from detente_training.logbook import find_run
from detente_training.report import MODEL
from tests.conftest import Command, assert_one_line_error

TEXT = "The traders said they would back the plan for a car-free square."


@pytest.fixture(scope="module")
def project(detente: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project with its first model trained; figures of so few records bound nothing."""
    folder = tmp_path_factory.mktemp("user") / "town hall"
    done = detente("init", folder)
    assert done.returncode == 0, done.stderr
    overrides = ["training.epochs=2", "promotion.max_calibration_error=1"]
    done = detente("train", "config.yaml", *overrides, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_new_project_is_complete(detente: Command, project: Path) -> None:
    assert {"README.md", "codebook.yaml", "config.yaml", "corpus"} <= {
        path.name for path in project.iterdir()
    }
    done = detente("corpus", "check", "corpus", cwd=project)
    assert done.returncode == 0, done.stderr
    assert len((project / "codebook.yaml").read_text().splitlines()) == 4


def test_a_folder_that_holds_files_is_refused(detente: Command, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert_one_line_error(detente("init", tmp_path), "holds files (thesis.txt)")
    assert_one_line_error(detente("init", tmp_path / "thesis.txt"), "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_its_model_serves(detente: Command, project: Path) -> None:
    done = detente(
        "classify", TEXT, "--holder", "The traders", "-m", "runs/first/bundle", cwd=project
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["support"]["probabilities"]) == {
        *("opposes", "undecided", "supports")
    }


def test_its_model_tags_articles(detente: Command, project: Path, tmp_path: Path) -> None:
    """A codebook without a label for no position: no gate, and every statement counts."""
    article, tags = tmp_path / "a.txt", tmp_path / "tags.csv"
    article.write_text("Norway refused to sign. The union backed the plan.\n")
    model = ["-m", "runs/first/bundle"]
    assert not (project / "runs" / "first" / "bundle" / "gate.json").exists()
    done = detente("tag", article, *model, "-o", tags, "--probabilities", cwd=project)
    assert done.returncode == 0, done.stderr
    with tags.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["holder"] for row in rows] == ["Norway", "The union"]
    for row in rows:
        odds = {
            name: float(row[f"support_{name}"]) for name in ("opposes", "undecided", "supports")
        }
        assert sum(odds.values()) == pytest.approx(1, abs=1e-3)
        assert row["support"] == max(odds, key=lambda name: odds[name])
    done = detente("summarize", tags, "--period", "none", *model, cwd=project)
    assert done.returncode == 0, done.stderr
    assert "NOR" in done.stdout
    done = detente("show", article, *model, "--html", tmp_path / "a.html", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "Norway" in (tmp_path / "a.html").read_text()


def test_the_gate_decides_who_is_champion(
    detente: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    done = detente("promote", "runs/first", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "detente version 1 is the champion now" in done.stdout
    assert "at most 1" in done.stdout
    done = detente("classify", TEXT, "-m", "models:/detente@champion", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "already" in detente("promote", "runs/first", cwd=project).stdout

    monkeypatch.chdir(project)
    rival = _rival(json.loads((project / "runs" / "first" / "run.json").read_text())["mlflow_run"])
    done = detente("promote", rival, cwd=project)
    assert_one_line_error(done, "not promoted; failed: support calibration error (0.")
    assert "support macro-F1" in done.stdout
    assert "+0.000 [+0.000," in done.stdout
    aliases = mlflow.MlflowClient().get_registered_model("detente").aliases
    assert str(aliases["champion"]) == "1"


def _rival(first: str) -> str:
    """Log the first run again, under a bound that nothing can keep to; give the new run's id."""
    import mlflow
    import yaml

    from detente_training.store import quiet

    quiet()
    mlflow.set_tracking_uri(f"sqlite:///{Path.cwd() / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    config = yaml.safe_load(mlflow.artifacts.load_text(f"runs:/{first}/config.yaml"))
    config["promotion"]["max_calibration_error"] = 0.0
    with mlflow.start_run(experiment_id=client.get_run(first).info.experiment_id) as run:
        mlflow.log_dict(config, "config.yaml")
        answers = mlflow.artifacts.load_text(f"runs:/{first}/unseen.jsonl")
        mlflow.log_text(answers, "unseen.jsonl")
        report = json.loads(mlflow.artifacts.load_text(f"runs:/{first}/report.json"))
        for scores in report["dimensions"].values():
            del scores["systems"][MODEL]["calibration_chance"]  # of six records, explains any error
        mlflow.log_dict(report, "report.json")
        source = client.get_model_version("detente", "1").source
        client.create_model_version("detente", source=source, run_id=run.info.run_id)
    return str(run.info.run_id)


def test_the_run_is_reproduced_to_the_last_bit(detente: Command, project: Path) -> None:
    done = detente("reproduce", "runs/first", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "corpus, codebook, git commit and packages are as they were"
    assert lines[-1] == "reproduced"
    (weights,) = (line for line in lines if "weights" in line)
    assert "equal" in weights
    assert "passed" in weights


def test_what_is_no_run_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    monkeypatch.chdir(project)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")  # as in a new process
    with pytest.raises(InputError, match="0123: no such run in sqlite"):
        find_run("0123")
    with pytest.raises(InputError, match="corpus: holds no run"):
        find_run("corpus")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no MLflow database"):
        find_run("0123")
    assert not list(tmp_path.iterdir())
