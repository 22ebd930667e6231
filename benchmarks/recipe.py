"""What each step of the training recipe is worth: trainings with it and without, over seeds.

    python benchmarks/recipe.py --steps longer soup
    python benchmarks/recipe.py REAL.jsonl --seeds 1 2 3 4 5 --answers mine

Every step is a few settings that differ from the base (benchmarks/recipe.yaml), or a method of
benchmarks/variants.py. Each is trained with each seed, and measured on the unseen negotiations,
the contrast pairs and, where given, real text. What a training read there is kept in --answers, a
digit for each record, and not trained again: a killed benchmark goes on with the training that it
was at, and a step whose answers the project has (benchmarks/answers) is printed at once. Figures
are means over seeds; intervals are 95%, by a bootstrap over statements and seeds, paired with the
base.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from variants import VARIANTS, Variant

from detente.bundle import sha256
from detente.codebook import Codebook
from detente.files import make_folder, replacing
from detente_training.config import RunConfig, load_config
from detente_training.examples import gold_labels
from detente_training.gold_records import SPLIT
from detente_training.metrics import Resampler, difference
from detente_training.record import Pair, Record, read_records
from detente_training.report import find_pairs, markdown_table, pairs_right
from detente_training.tracking import EpochPrinter
from detente_training.train import Run, fit, load_classifier, open_folder, read_logits

ROOT = Path(__file__).parent.parent
BASE = "base"
APART = {"name", "output", "articles", "tracking", "promotion", "export", "calibration"}

Labels = NDArray[np.int64]
Answers = Mapping[str, Labels]  # by evaluation set


def main() -> None:
    """Train what is not trained yet, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("real", type=Path, nargs="?", help="records of real text")
    parser.add_argument("--recipe", type=Path, default=ROOT / "benchmarks" / "recipe.yaml")
    parser.add_argument("--steps", nargs="*", help="only these, and the base")
    parser.add_argument("--seeds", nargs="*", type=int, default=[1, 2, 3])
    parser.add_argument("--answers", type=Path, default=ROOT / "benchmarks" / "answers")
    parser.add_argument("--folder", type=Path, default=Path("runs/recipe"), help="for trainings")
    options = parser.parse_args()
    recipe = yaml.safe_load(options.recipe.read_text(encoding="utf-8"))
    steps = {BASE: {}, **recipe["steps"]}
    if unknown := set(options.steps or ()) - set(steps):
        parser.error(f"no step {sorted(unknown)[0]!r}; there are: {', '.join(steps)}")
    if options.steps:
        steps = {name: steps[name] for name in (BASE, *options.steps)}
    base = Run(load_config(ROOT / recipe["config"], recipe["base"]))
    sets = evaluation_sets(base, options.real)
    runs: dict[str, list[Answers]] = {name: [] for name in steps}
    for seed in options.seeds:
        for name, step in steps.items():
            path = options.answers / f"{name}-{seed}.json"
            settings = [*recipe["base"], *step.get("set", ()), f"seed={seed}"]
            way = step.get("variant", "project")
            place = [f"name={name}-{seed}", f"output={options.folder}"]
            config = load_config(ROOT / recipe["config"], [*settings, *place])
            training = describe(config, way, base.corpus_sha)
            if not path.exists():
                variant = VARIANTS[way]
                with variant.in_place():
                    answers = train(config, variant, sets)
                write_answers(path, base.codebook, sets, training, answers)
            runs[name].append(read_answers(path, base.codebook, sets, training))
    for title, records in sets.items():
        print(f"\n### {title}, {len(records)} records\n")
        predicted = {
            name: np.array([answers[title] for answers in each]) for name, each in runs.items()
        }
        print("\n".join(markdown_table(compare(records, base.codebook, predicted))))


def train(config: RunConfig, variant: Variant, sets: Mapping[str, Sequence[Record]]) -> Answers:
    """Train one model and return its labels, by evaluation set, shape (records, dimensions)."""
    run = variant.run(config)
    print(config.name, flush=True)
    # A variant may remember things that no checkpoint holds, so a killed training is begun anew.
    place = open_folder(run, fresh=True)
    variant.prepare(run, place)
    fit(run, place, [EpochPrinter(), *(callback() for callback in variant.callbacks)])
    classifier = load_classifier(run, place)
    answers = {}
    for title, records in sets.items():
        logits = read_logits(run, classifier, place, pairs(records), fast=True)
        chosen = [logits[:, columns].argmax(axis=1) for columns in run.codebook.slices.values()]
        answers[title] = np.stack(chosen, axis=1)
    shutil.rmtree(place)
    return answers


def evaluation_sets(run: Run, real: Path | None) -> dict[str, list[Record]]:
    """Return what every model is measured on."""
    sets = {
        "unseen": run.split.test,
        "contrast": read_records(ROOT / "data" / "contrast", run.codebook),
    }
    return {**sets, "real": read_records(real, run.codebook)} if real else sets


def write_answers(
    path: Path,
    codebook: Codebook,
    sets: Mapping[str, Sequence[Record]],
    training: str,
    answers: Answers,
) -> None:
    """Write a model's labels as digits, with hashes of its training and of the records read."""
    parts: dict[str, Any] = {"training": training}
    parts |= {
        title: {
            "records": digest(pairs(sets[title])),
            **{
                dimension.name: "".join(map(str, labels[:, number]))
                for number, dimension in enumerate(codebook.dimensions)
            },
        }
        for title, labels in answers.items()
    }
    make_folder(path.parent)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")


def read_answers(
    path: Path, codebook: Codebook, sets: Mapping[str, Sequence[Record]], training: str
) -> Answers:
    """Return a model's labels; see `train`.

    Raises:
        SystemExit: they are of other records than those in ``sets``, or of another training.
    """
    parts = json.loads(path.read_text(encoding="utf-8"))
    if parts["training"] != training:
        raise SystemExit(f"{path}: is of another training; give another --answers")
    for title, records in sets.items():
        if parts.get(title, {}).get("records") != digest(pairs(records)):
            raise SystemExit(
                f"{path}: its answers are of other {title} records; give another --answers"
            )
    return {
        title: np.array([list(parts[title][d.name]) for d in codebook.dimensions], dtype=int).T
        for title in sets
    }


def pairs(records: Sequence[Record]) -> list[Pair]:
    """Return what a model reads of records; their labels may be mended."""
    return [(record.text, record.holder) for record in records]


def describe(config: RunConfig, way: str, corpus_sha: str) -> str:
    """Return a hash of a training's settings that are not defaults, its corpus and its articles.

    Code, defaults, second annotators' labels and the lists of names are not in it: where one of
    these changes, the answers of the steps that depend on it have to be removed by hand.
    """
    settings = config.model_dump(mode="json", exclude_defaults=True, exclude=APART)
    golds = sorted(config.articles.glob("*.json")) if config.articles else []
    trained = [path for path in golds if json.loads(path.read_text("utf-8"))["split"] == SPLIT]
    articles = [file for path in trained for file in (path, path.with_suffix(".txt"))]
    return digest([settings, way, corpus_sha, *(sha256(path) for path in articles)])


def digest(value: Any) -> str:
    """Return a SHA-256 of a value's JSON."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def compare(
    records: Sequence[Record], codebook: Codebook, predicted: Mapping[str, Labels]
) -> list[list[str]]:
    """Return a table of the base's macro-F1 and of each step's gain over it.

    Args:
        records: the evaluation set.
        codebook: its dimensions.
        predicted: each step's labels, shape (seeds, records, dimensions).
    """
    gold = gold_labels(records, codebook)
    resampler = Resampler([record.text for record in records])
    samples = {
        name: [
            _macro_f1(resampler, gold[:, number], labels[:, :, number], len(dimension.labels))
            for number, dimension in enumerate(codebook.dimensions)
        ]
        for name, labels in predicted.items()
    }
    rows = [["step", *(dimension.name for dimension in codebook.dimensions)]]
    for name, dimensions in samples.items():
        cells = []
        for (value, drawn), (base_value, base_drawn) in zip(dimensions, samples[BASE], strict=True):
            if name == BASE:
                cells.append(str(difference(value, drawn, np.zeros_like(drawn))))
                continue
            cells.append(f"{difference(value - base_value, drawn, base_drawn):+.3f}")
        rows.append([name, *cells])
    if found := find_pairs(records):
        rows[0].append("both of a pair right")
        for row, labels in zip(rows[1:], predicted.values(), strict=True):
            shares = [np.mean(pairs_right(found, gold, each)) for each in labels]
            row.append(f"{np.mean(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})")
    return rows


def _macro_f1(
    resampler: Resampler, gold: Labels, predicted: Labels, size: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the mean over seeds, and its value in resamples of statements and of seeds.

    Drawn with replacement, n seeds vary by (n - 1) / n of what they vary; their deviations are
    drawn larger for it.
    """
    scores = [resampler.macro_f1(gold, labels, size) for labels in predicted]
    drawn = np.stack([samples for _, samples in scores])
    # The same seeds are drawn for every step, so that differences stay paired.
    count = len(drawn)
    seeds = np.random.default_rng(0).integers(0, count, size=(count, drawn.shape[1]))
    middle = drawn.mean(axis=0)
    deviations = np.take_along_axis(drawn, seeds, axis=0).mean(axis=0) - middle
    means = middle + deviations * np.sqrt(count / max(count - 1, 1))
    return float(np.mean([interval.value for interval, _ in scores])), means


if __name__ == "__main__":
    main()
