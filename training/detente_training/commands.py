"""The subcommands that training adds to `detente`. Heavy imports wait until one runs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detente.errors import DetenteError, InputError

if TYPE_CHECKING:
    from detente.tagger import Tagger

_NEEDED = (
    "torch",
    "transformers",
    "datasets",
    "sklearn",
    "mlflow",
    "onnx",
    "datasketch",
    "krippendorff",
)

_Corpus = Annotated[Path, typer.Argument(help="A folder of <negotiation>.jsonl or .csv files.")]
_Codebook = Annotated[
    Path | None,
    typer.Option(help="The codebook. Default: codebook.yaml beside the corpus folder."),
]

corpus = typer.Typer(help="Look after a corpus of labelled records.", no_args_is_help=True)


def _require_training() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise DetenteError(
            f"this command needs {', '.join(missing)}; install them with: "
            "pip install 'detente[train]'"
        )


def train(
    config: Annotated[Path, typer.Argument(help="The run's YAML config.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Settings that win over the file: key=value.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace an earlier run of the same name.")
    ] = False,
) -> None:
    """Train, export and evaluate a model as a config says.

    A run that was killed goes on from its last epoch when started again. Results lie in
    runs/NAME: the bundle, report.md, and all of it in MLflow (see `mlflow ui`).

    Examples:  detente train configs/default.yaml  |  detente train configs/quick.yaml
    training.epochs=2 seed=7
    """
    _require_training()
    from detente.tagger import Tagger
    from detente_training.config import load_config
    from detente_training.export import export_run
    from detente_training.report import predict, print_report
    from detente_training.tracking import EpochLogger, log_outcome, tracked
    from detente_training.train import (
        Run,
        bundle_folder,
        changed_settings,
        fit,
        holding,
        open_folder,
        read_state,
        write_state,
    )

    run = Run(load_config(config, overrides or ()))
    with holding(run.config):
        folder = open_folder(run, fresh=fresh)
        state = read_state(folder)
        bundle = bundle_folder(folder)
        if state.get("finished"):
            print(f"{folder} is finished; see {folder}/report.md, or train again with --fresh")
            if others := changed_settings(run.config, folder):
                print(f"not applied to it, since it is finished: {', '.join(others)}")
            return
        split = run.split
        articles = f" and {len(run.article_records)} of articles" if run.article_records else ""
        print(
            f"{run.config.name}: {len(split.train)} records{articles} to train on, "
            f"{len(split.validation)} to "
            f"validate, {len(split.test)} unseen ({', '.join(split.negotiations('test'))})"
        )
        with tracked(run, state.get("mlflow_run")) as mlflow_run:
            write_state(folder, mlflow_run=mlflow_run)
            fit(run, folder, [EpochLogger()])
            report = export_run(run, folder, bundle)
            probabilities = predict(Tagger.load(bundle), split.test)
            log_outcome(run, report, probabilities, folder, bundle)
        write_state(folder, finished=True)
        print_report(report, f"{run.config.name}, unseen negotiations")
        print(f"bundle: {bundle}   report: {folder / 'report.md'}   runs: mlflow ui")


def evaluate(
    model: Annotated[
        str, typer.Argument(help="A bundle folder, models:/name@alias, or 'default'.")
    ],
    data: Annotated[
        Path,
        typer.Argument(
            help="Labelled records, a .jsonl or .csv file or a folder; or a folder of annotated "
            "articles."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for report.json and report.md.")
    ] = Path("evaluation"),
    corpus: Annotated[
        Path, typer.Option(help="The training corpus, to fit the baselines on.")
    ] = Path("data/corpus"),
    parties: Annotated[
        Path | None,
        typer.Option(
            help="Parties to swap names with, to see that names do not matter. Default: "
            "data/parties.yaml, where it is there."
        ),
    ] = None,
    baselines: Annotated[
        bool, typer.Option(help="Fit baselines beside the model, some minutes on a large corpus.")
    ] = True,
    include_seen: Annotated[
        bool,
        typer.Option("--include-seen", help="Keep what the model was trained on."),
    ] = False,
) -> None:
    """Measure a model on labelled records, beside its baselines, and with names swapped.

    Records of negotiations the model was trained or calibrated on are left out, and others with
    the same text as one of those. Baselines are fitted on those same negotiations of the training
    corpus. A folder of annotated articles (NAME.txt with NAME.json) is scored end to end instead:
    statements, speakers, holders, labels; those the model was trained on are left out.

    Examples:  detente evaluate default data/corpus  |  detente evaluate runs/default/bundle
    mine.jsonl -o mine-report  |  detente evaluate default mine.jsonl --no-baselines
    """
    _require_training()
    from detente.files import make_folder
    from detente.tagger import Tagger
    from detente_training.baseline import fit_baselines
    from detente_training.config import EncoderConfig
    from detente_training.encoder import locate_encoder
    from detente_training.export import FrozenEmbedder
    from detente_training.gold import is_gold
    from detente_training.invariance import measure_names
    from detente_training.negotiation import read_negotiations
    from detente_training.record import corpus_knows, flatten, read_records
    from detente_training.report import MODEL, build_report, predict, print_report, save_report
    from detente_training.swap import Swapper, read_parties

    tagger = Tagger.load(None if model == "default" else model)
    if is_gold(data):
        _evaluate_articles(tagger, data, output, include_seen=include_seen)
        return
    manifest = tagger.manifest
    used = manifest.corpus.seen
    records = read_records(data, tagger.codebook)
    swaps = parties or Path("data/parties.yaml")
    others = read_parties(swaps) if parties or swaps.exists() else None
    train = []
    if corpus.exists() and corpus_knows(corpus, tagger.codebook):
        train = [r for r in read_records(corpus, tagger.codebook) if r.negotiation in used]
    if not include_seen:
        unseen = [record for record in records if record.negotiation not in used]
        _tell_left_out(records, unseen, "records, whose negotiations")
        known = {flatten(record.text) for record in train}
        records = [record for record in unseen if flatten(record.text) not in known]
        _tell_left_out(unseen, records, "records, whose texts")
    if not records:
        raise InputError(f"{data}: every record was seen in training; give other records")
    make_folder(output)
    show = sys.stderr.isatty()
    systems = {MODEL: predict(tagger, records, progress=show)}
    if baselines and train:
        source = EncoderConfig(source=manifest.encoder.source, sha256=manifest.encoder.sha256)
        embedder = None
        try:
            embedder = FrozenEmbedder(locate_encoder(source), manifest.window, progress=show)
        except InputError as error:
            print(f"no baseline of the frozen encoder: {error}")
        systems |= fit_baselines(train, tagger.codebook, embedder, records, progress=show)
    elif baselines:
        print(
            f"no baselines: {corpus} holds no record the model was trained on; name the training "
            "corpus with --corpus"
        )
    report = build_report(
        records, tagger.codebook, systems, manifest.set_thresholds, manifest.thresholds
    )
    if others:
        report |= measure_names(
            tagger,
            records,
            systems[MODEL],
            Swapper(read_negotiations(data)),
            others,
            progress=show,
        )
    title = f"{manifest.name} on {data.name}"
    save_report(report, output, title)
    print_report(report, title)
    print(f"report: {output / 'report.md'}")


def _evaluate_articles(tagger: Tagger, folder: Path, output: Path, *, include_seen: bool) -> None:
    from detente.files import make_folder
    from detente.progress import tracking
    from detente_training.gold import read_gold
    from detente_training.report import markdown_table, print_tables, write_report
    from detente_training.scoring import score_articles, score_tables

    golds = read_gold(folder, tagger.codebook)
    used = tagger.manifest.corpus.articles
    if used is None:
        print("the bundle does not tell which articles it was trained on; these may be among them")
    if not include_seen:
        unseen = [gold for gold in golds if gold.name not in (used or ())]
        _tell_left_out(golds, unseen, "articles, which")
        golds = unseen
    if not golds:
        raise InputError(f"{folder}: every article was seen in training; give other articles")
    make_folder(output)
    articles = []
    with tracking("tagging", len(golds), show=sys.stderr.isatty()) as advance:
        for article in tagger.tag_many(gold.text for gold in golds):
            articles.append(article)
            advance(1)
    report = score_articles(articles, golds, tagger.codebook)
    tables = score_tables(report)
    lines = [
        line for heading, rows in tables for line in (f"# {heading}", "", *markdown_table(rows))
    ]
    write_report(report, "\n".join(lines) + "\n", output)
    print_tables(tables)
    print(f"report: {output / 'report.md'}")


def _tell_left_out(given: Sequence[object], unseen: Sequence[object], which: str) -> None:
    if count := len(given) - len(unseen):
        print(
            f"left out: {count} of {len(given)} {which} the model was trained on "
            "(--include-seen keeps them)"
        )


def export(
    run: Annotated[Path, typer.Argument(help="The folder of a trained run.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Settings that win over the run's: export.* and calibration.*"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Bundle folder. Default: RUN/bundle.")
    ] = None,
) -> None:
    """Write a trained run's bundle again: int8 ONNX, tokenizer, calibration, card.

    The export fails, and says where, if the int8 model strays from the trained one. A run whose own
    export failed is finished by detente train CONFIG export.min_agreement=..., not by this.

    Examples:  detente export runs/default -o my-model  |  detente export runs/default
    export.min_agreement=0.95
    """
    _require_training()
    from detente_training.export import export_run
    from detente_training.report import print_report
    from detente_training.train import Run, bundle_folder

    target = output or bundle_folder(run)
    opened = Run.open(run, overrides or ())
    print_report(export_run(opened, run, target), f"{opened.config.name}, unseen negotiations")
    print(f"bundle: {target}")


def teach(
    run: Annotated[Path, typer.Argument(help="The folder of a finished training run.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where to write the readings, as Parquet. Default: readings.parquet in the run's "
            "folder.",
        ),
    ] = None,
    views: Annotated[
        int,
        typer.Option(min=0, help="How often each is also read with some words replaced."),
    ] = 0,
) -> None:
    """Read a run's training statements with its model, for a smaller one to learn from.

    Each statement is read for every party it names and without one, labelled or not. A config
    learns from the readings by distillation.readings=FILE.

    Examples:  detente teach runs/accurate --views 1 -o mine.parquet  |  detente train
    configs/default.yaml name=student distillation.readings=mine.parquet
    """
    _require_training()
    from detente.files import check_writable
    from detente_training.distillation import pairs_to_read, write_readings
    from detente_training.train import Run, load_classifier, read_logits

    opened = Run.open(run)
    target = output or run / "readings.parquet"
    check_writable(target)
    # As they stand in the corpus: who learns from them may be told of other parties.
    records = [*opened.split.train, *opened.article_records]
    pairs = pairs_to_read(records, views=views, seed=opened.config.seed)
    logits = read_logits(
        opened,
        load_classifier(opened, run),
        run,
        pairs,
        fast=True,
        progress=sys.stderr.isatty(),
    )
    write_readings(
        target,
        opened.codebook,
        pairs,
        logits.tolist(),
        opened.config.name,
        opened.seen_negotiations,
        opened.seen_articles,
    )
    print(f"{target}: {len(pairs)} readings of {len({text for text, _ in pairs})} statements")


@corpus.command("check")
def check(
    path: _Corpus,
    codebook: _Codebook = None,
) -> None:
    """Check every record: schema, labels, duplicates, holders; print the label counts.

    Every problem names its file and line; with any, the exit status is 2. A folder of annotated
    articles is checked for its own form instead, and the annotators' agreement printed.

    Examples:  detente corpus check data/corpus  |  detente corpus check mine --codebook my.yaml
    """
    _require_training()
    from rich.console import Console
    from rich.table import Table

    from detente.codebook import Codebook
    from detente_training.corpus import check_corpus, contrasting_statements
    from detente_training.gold import gold_tables, is_gold, read_gold, read_second
    from detente_training.report import print_tables

    book = Codebook.load(codebook or _beside(path))
    if is_gold(path):
        golds = read_gold(path, book)
        print_tables(gold_tables(golds, read_second(path, golds, book), book))
        return
    report = check_corpus(path, book)
    counts = report.counts(book)
    keys = [(d.name, label) for d in book.dimensions for label in d.label_names]
    table = Table("negotiation", "records", title="Labels by negotiation", title_justify="left")
    for name, label in keys:
        table.add_column(f"{name}\n{label}", justify="right")
    for negotiation, found in counts.items():
        size = sum(record.negotiation == negotiation for record in report.records)
        table.add_row(negotiation or "(none)", str(size), *(str(found[key]) for key in keys))
    totals = [sum(found[key] for found in counts.values()) for key in keys]
    table.add_row("all", str(len(report.records)), *map(str, totals), style="bold")
    Console(width=max(120, 24 + 13 * len(keys))).print(table)
    print(
        f"{len(report.records)} records, {len({r.text for r in report.records})} statements, "
        f"{contrasting_statements(report.records)} with holders whose labels differ"
    )
    for problem in report.problems:
        print(problem, file=sys.stderr)
    if report.problems:
        raise DetenteError(f"{path}: {len(report.problems)} problem(s) found")


@corpus.command("stats")
def stats(
    path: _Corpus,
    codebook: _Codebook = None,
    against: Annotated[
        Path | None,
        typer.Option(help="JSON lines with a text each, to compare the texture with."),
    ] = None,
    probe: Annotated[
        bool, typer.Option(help="Fit a bag of words on unseen negotiations, some minutes.")
    ] = True,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
) -> None:
    """Print what a corpus is made of: sizes, labels, holders, texture, agreement.

    Examples:  detente corpus stats data/corpus  |  detente corpus stats data/corpus --against
    news.jsonl --markdown
    """
    _require_training()
    from detente.codebook import Codebook
    from detente_training.composition import composition_tables
    from detente_training.negotiation import read_negotiations
    from detente_training.record import read_records, read_texts
    from detente_training.report import markdown_table, print_tables

    book = Codebook.load(codebook or _beside(path))
    tables = composition_tables(
        read_records(path, book),
        book,
        read_negotiations(path),
        against=read_texts(against) if against else (),
        probe=probe,
    )
    if markdown:
        for heading, rows in tables:
            print(f"### {heading}\n", *markdown_table(rows), "", sep="\n")
    else:
        print_tables(tables)


def _beside(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path}: no such corpus folder")
    folder = path if path.is_dir() else path.parent
    return folder.absolute().parent / "codebook.yaml"


def init(
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.")],
) -> None:
    """Start a project of your own: a codebook, example records, a config and a README.

    Examples:  detente init my-project && cd my-project && detente train config.yaml
    """
    from detente_training.template import start_project

    files = start_project(folder)
    print(f"{folder}: {', '.join(files)}")
    print(f"next: cd {folder} && detente train config.yaml")


def promote(
    run: Annotated[str, typer.Argument(help="A run's folder, or its MLflow run id.")],
) -> None:
    """Make a run's model the champion of the registry, if it passes the gate.

    No dimension may be worse than the present champion's beyond the 95% interval on records that
    neither has seen, at least half of the champion's; name-swap flips, of all names and of each
    group, and calibration error must keep to the bounds that the run's config sets (`promotion`),
    and what was not measured fails; a group of names and a calibration error may exceed them by
    what chance explains.
    The first champion has to keep to the bounds alone.

    Examples:  detente promote runs/default  |  detente classify "We agree." -m
    models:/detente@champion
    """
    _require_training()
    from detente_training.check import check_table, failures
    from detente_training.logbook import find_run, read_run
    from detente_training.promotion import Evidence, judge
    from detente_training.registry import crown, find_champion, find_version
    from detente_training.report import print_tables

    logged = find_run(run)
    config = logged.config
    if config.tracking.registered_model is None:
        raise InputError(f"{run}: its config registers no model (tracking.registered_model)")
    version = find_version(config.tracking.registered_model, logged.id)
    champion = find_champion(version.model)
    if champion == version:
        print(f"{version} is the champion already")
        return
    rival = None
    if champion is not None:
        before = read_run(champion.run_id or "")
        if before is None or not before.report:
            raise InputError(
                f"{champion}: the champion's run logged no figures to compare with; take the alias "
                "from it in the MLflow UI, and promote again"
            )
        rival = Evidence(before.report, before.answers)
    checks = judge(Evidence(logged.report, logged.answers), rival, config.promotion)
    against = f"against {champion}" if champion else "the first champion"
    print_tables([(f"{version}, {against}", check_table(checks))])
    if failed := failures(checks):
        raise DetenteError(f"{run}: not promoted; failed: {failed}")
    crown(version)
    print(f"{version} is the champion now" + (f"; {champion} was it before" if champion else ""))


def reproduce(
    run: Annotated[str, typer.Argument(help="A run's folder, or its MLflow run id.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder to keep the new run in. Default: none is kept."
        ),
    ] = None,
) -> None:
    """Train a run again from its logged config, and compare: macro-F1, and weights if they can be.

    Says what has changed since: corpus, codebook, git commit, packages, machine. The exit status
    is 0 when every figure lies in the interval that was logged (and, where nothing has changed,
    the weights are equal), else 1. Run it in the folder where the run was made.

    Examples:  detente reproduce runs/default  |  detente reproduce runs/default -o again
    """
    _require_training()
    from contextlib import ExitStack
    from tempfile import TemporaryDirectory

    from detente.bundle import sha256
    from detente_training.check import check_table, failures
    from detente_training.config import ExportConfig
    from detente_training.encoder import WEIGHTS
    from detente_training.export import export_run
    from detente_training.logbook import find_run
    from detente_training.report import print_tables
    from detente_training.reproduction import (
        compare_results,
        find_changes,
        on_same_machine,
        refuse_trained,
    )
    from detente_training.tracking import EpochPrinter
    from detente_training.train import Run, bundle_folder, fit, holding, open_folder

    logged = find_run(run)
    # An int8 model that strays is told by its figures, beside all others.
    bounds = ExportConfig(min_agreement=0, max_f1_loss=1)
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        changed = {"output": output or Path(temporary), "export": bounds}
        config = logged.config.model_copy(update=changed)
        stack.enter_context(holding(config))
        refuse_trained(config.folder)
        again = Run(config)
        changes = find_changes(logged, again)
        for change in changes:
            print(f"changed: {change}")
        if not changes:
            print("corpus, codebook, git commit and packages are as they were")
        threads = config.training.threads
        if not on_same_machine(logged, threads):
            print("changed: the machine, or torch's threads; weights are not compared")
        folder = open_folder(again, fresh=False)
        fit(again, folder, [EpochPrinter()])
        report = export_run(again, folder, bundle_folder(folder))
        weights = sha256(folder / "model" / WEIGHTS)
    checks = compare_results(logged, report, weights, changed=bool(changes), threads=threads)
    print_tables([(f"{run}, trained again", check_table(checks))])
    if failed := failures(checks):
        print(f"not reproduced: {failed}")
        raise typer.Exit(1)
    print("reproduced")
