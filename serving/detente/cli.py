"""The `detente` command."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from enum import Enum
from functools import partial
from importlib.metadata import entry_points
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from detente import __version__
from detente.errors import DetenteError, InputError

if TYPE_CHECKING:
    from detente.codebook import Codebook
    from detente.intake.source import Columns, Failure, Source
    from detente.parts import Totals
    from detente.reading import Reading
    from detente.table import Row

_FAILURES_SHOWN = 5
_NOTES_SHOWN = 5  # of each kind
_PARTIES_SHOWN = 12
_PARTICULARS = re.compile(r"^.*?: |'.*'|\d+")  # of a note: its place, names and numbers
_ENDINGS_SHOWN = 5
_SUMMARY_PARTIES = 20
_WIDE = 100  # columns of a terminal that has room for all of a summary's
_TIMELINE_PARTIES = 6
_SLICE = 1000  # statements classified at once, for memory


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run a command; typer itself would say nothing of an interruption."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _say("interrupted")
            raise typer.Exit(130) from None


app = typer.Typer(
    name="detente",
    cls=_Commands,
    help="Read negotiation positions from news: who is accommodating, who must move first, "
    "and whose position is shifting.",
    epilog="Examples:  detente tag article.txt  |  detente tag articles/ -o tags.parquet  |  "
    'detente classify "We could accept that." --holder we',
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_Model = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="A bundle folder or models:/name@alias. Default: the bundled model."
    ),
]
_Threads = Annotated[
    int,
    typer.Option(
        min=0, help="Inference threads of a process; 0: all cores, shared by --jobs; with ray, 1."
    ),
]
_BatchSize = Annotated[int, typer.Option(min=1, help="Statements run together.")]


def main() -> None:
    """Run the command; errors the user can mend are one line on stderr and exit status 2."""
    sys.argv[1:], debug = _without_debug(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        for entry in entry_points(group="detente.commands"):
            command = entry.load()
            if isinstance(command, typer.Typer):
                app.add_typer(command, name=entry.name)
            else:
                app.command(entry.name)(command)
        app()
    except KeyboardInterrupt:
        _say("interrupted")
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if debug:
            raise
        _say(str(error) if isinstance(error, DetenteError) else _describe_unforeseen(error))
        raise SystemExit(2) from None


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Return the arguments without --debug, which may stand anywhere, and whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--debug"]
    return options + arguments[end:], len(options) < end


def _describe_unforeseen(error: Exception) -> str:
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return f"unforeseen {words} (--debug shows where)"


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"detente {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks; may stand anywhere.")
    ] = False,
) -> None:
    pass


@app.command(
    epilog='Examples:  detente classify "The union dropped its demand." --holder "The union"  |  '
    "detente classify -i statements.jsonl -o labels.jsonl"
)
def classify(
    text: Annotated[str | None, typer.Argument(help="One statement.")] = None,
    holder: Annotated[
        str | None, typer.Option(help="The party whose position is asked for.")
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option(
            "--input",
            "-i",
            help="JSON lines with text and, if known, id and holder; other fields are copied. "
            "- for those on stdin.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the JSON lines.")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Add the words that carry each position: their offsets, and how far its "
            "probability drops without them. Of one text, a terminal also shows the three "
            "weightiest highlighted, on stderr; stdout has only the JSON.",
        ),
    ] = False,
    model: _Model = None,
    batch_size: _BatchSize = 32,
    threads: _Threads = 0,
) -> None:
    """Label statements one by one: a text, or a file of them."""
    from detente.progress import tracking
    from detente.tagger import Tagger

    if (text is None) == (input is None):
        raise InputError(
            "classify: give either one text or --input FILE; see detente classify --help"
        )
    if input is None:
        if output is not None:
            raise InputError("classify: --output goes with --input; one text is printed")
        tagger = Tagger.load(model, threads=threads)
        (reading,) = tagger.classify([text or ""], [holder], batch_size=batch_size, explain=explain)
        print(json.dumps(reading.to_dict(), ensure_ascii=False, indent=1))
        if explain and reading.takes_position and sys.stderr.isatty():
            _show_evidence(reading, tagger.codebook)
        return
    if holder is not None:
        raise InputError(
            "classify: --holder goes with one text; in a file, give each line its holder"
        )
    _refuse_own(input, output)
    with ExitStack() as stack:
        write = sys.stdout.write
        if output is not None:
            from detente.files import replacing

            temporary = stack.enter_context(replacing(output))
            write = stack.enter_context(temporary.open("w", encoding="utf-8")).write
        statements = list(_read_statements(input))
        fields = set[str]().union(*(record for _, record in statements))
        tagger = Tagger.load(model, threads=threads)
        advance = stack.enter_context(
            tracking("reading", len(statements), show=sys.stderr.isatty())
        )
        for start in range(0, len(statements), _SLICE):
            places, records = zip(*statements[start : start + _SLICE], strict=True)
            readings = tagger.classify(
                [record["text"] for record in records],
                [record.get("holder") for record in records],
                batch_size=batch_size,
                explain=explain,
                places=places,
            )
            if start == 0 and (taken := [n for n in readings[0].to_dict() if n in fields]):
                _say(f"{input}: fields named like those of labels are left out: {', '.join(taken)}")
            for record, reading in zip(records, readings, strict=True):
                row = {"id": record["id"], **record, **reading.to_dict()}
                write(json.dumps(row, ensure_ascii=False) + "\n")
            advance(len(records))


def _show_evidence(reading: Reading, codebook: Codebook) -> None:
    from rich.console import Console

    from detente.picture import reading_text

    sys.stdout.flush()
    Console(stderr=True).print(reading_text(reading, codebook))


def _read_statements(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    from detente.files import parse_lines, read_jsonl
    from detente.intake.listing import STDIN, TABLES, ending
    from detente.tagger import check_pair

    if ending(path) in set(TABLES) - {".jsonl"}:
        raise InputError(
            f"{path}: is no file of JSON lines; write each of its rows as one, for example "
            '{"text": "We agree.", "holder": "We"}'
        )
    records = parse_lines(sys.stdin.buffer, "-") if path == STDIN else read_jsonl(path)
    for number, (place, record) in enumerate(records, start=1):
        if isinstance(record, InputError):
            raise record
        check_pair(record.get("text", ""), record.get("holder"), place)
        identifier = record.get("id")
        yield place, {**record, "id": number if identifier is None else identifier}


class _Engine(str, Enum):
    local = "local"
    ray = "ray"


@app.command(
    epilog="Examples:  detente tag article.txt  |  detente tag articles/ a.jsonl.gz -o tags.csv  "
    "|  detente tag 'news/**/*.html' -o tags.parquet --jobs 4  |  detente tag archive.parquet "
    "--text-column body -o tags.parquet --resume  |  detente tag @list.txt -o tags.parquet "
    "--only-positions"
)
def tag(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Articles: files, folders, globs, @LIST (a file of paths), or - for text on "
            "stdin. Texts (.txt .md .html), tables with a text column (.jsonl .csv .tsv "
            ".parquet), any of these but parquet as .gz; .docx and .pdf with detente\\[articles]."
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="Table to write: .parquet, .csv or .jsonl."),
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Print the table of positions besides writing it.")
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="Processes. Default: 1; with ray, one for each core."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was killed or stopped.")
    ] = False,
    only_positions: Annotated[
        bool, typer.Option("--only-positions", help="Leave out rows that take no position.")
    ] = False,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Keep only rows with a position of at least this probability; 0 keeps all.",
        ),
    ] = 0.0,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add a column for each label's probability.")
    ] = False,
    text_column: Annotated[
        str | None,
        typer.Option(help="In tables: the column with the article's text. Default: found by name."),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(help="In tables: the column with the article's id. Default: found by name."),
    ] = None,
    date_column: Annotated[
        str | None,
        typer.Option(help="In tables: the column with the article's date. Default: found by name."),
    ] = None,
    date_format: Annotated[
        str | None,
        typer.Option(help="In tables: how dates such as 11/02/2026 are written: %m/%d/%Y."),
    ] = None,
    title_column: Annotated[
        str | None,
        typer.Option(
            help="In tables: the column with the article's title. Default: found by name."
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="In tables: a column to copy, as text, into the table written; repeatable.",
        ),
    ] = None,
    actors: Annotated[
        Path | None, typer.Option(help="YAML file of parties to know besides the bundled ones.")
    ] = None,
    engine: Annotated[
        _Engine, typer.Option(help="ray: on a Ray cluster; needs detente\\[cluster].")
    ] = _Engine.local,
    address: Annotated[
        str | None,
        typer.Option(help="Of the Ray cluster. Default: RAY_ADDRESS, or one started here."),
    ] = None,
    model: _Model = None,
    batch_size: _BatchSize = 32,
    threads: _Threads = 0,
) -> None:
    """Tag articles: one row for each statement and each party whose position it may tell.

    Without --output the positions found are printed as a table. With it, what is done is kept in
    OUTPUT.parts until the table is complete, so that a killed run can go on with --resume.
    Articles that cannot be read or tagged go to OUTPUT.errors.jsonl.

    Exit status: 0 all done; 1 done, but some articles could not be read; 2 no table written;
    130 interrupted.
    """
    from detente.article import takes_position
    from detente.batch import Batch, Outcomes, describe_failures, tally
    from detente.bundle import read_manifest
    from detente.files import followed
    from detente.intake.listing import STDIN, TABLES, ending, is_url, named_files
    from detente.intake.reader import Columns, check_tables, count_articles, entries, list_files
    from detente.parts import See, Totals, parts_folder, without_output
    from detente.progress import tracking
    from detente.remote import File, placing
    from detente.tagger import locate_model
    from detente.worker import Settings, tag_locally

    if resume and output is None:
        raise InputError("tag: --resume needs --output, where the killed run's parts lie")
    if address is not None and engine is not _Engine.ray:
        raise InputError("tag: --address goes with --engine ray")
    if actors is not None:
        from detente.parties.actors import read_actors

        read_actors(actors)  # or else every article would fail for it
    if output is not None and not is_url(output):
        output = str(followed(output))  # parts and errors go where the table goes
    folder = locate_model(model)
    manifest = read_manifest(folder)
    kept = tuple(keep or ())
    columns = Columns(
        text=text_column,
        id=id_column,
        date=date_column,
        title=title_column,
        keep=kept,
        date_format=date_format,
    )
    settings = Settings(
        # What an alias names may change: fetched once here, checked by each node of a cluster.
        model=model if model is None or engine is _Engine.ray else str(folder),
        model_digest=manifest.digest,
        actors=actors,
        probabilities=probabilities,
        only_positions=only_positions,
        min_confidence=min_confidence,
        keep=kept,
        batch_size=batch_size,
        threads=threads or (0 if jobs in (None, 1) else max(1, _count_cores() // jobs)),
    )
    files: Sequence[File]
    others = Counter[str]()
    notes = _Notes()
    start_engine: Callable[[tuple[int, int]], Outcomes]
    if engine is _Engine.ray:
        from detente.cluster import Cluster

        cluster = Cluster(replace(settings, threads=threads), columns, jobs=jobs, address=address)
        files = cluster.list_files(paths, output, others, notes)
        start_engine = partial(cluster.tag, files)
    else:
        table_path = Path(output) if output else None
        listed = list_files(paths, others, notes)
        local = without_output(listed, table_path, named_files(paths), notes)
        if columns != Columns() and not any(ending(file) in TABLES for file in local):
            hint = "; save what comes on stdin as a .csv or .jsonl file" if STDIN in local else ""
            raise InputError(
                f"{' '.join(paths)}: holds no table, and the options for columns and dates are for "
                f"tables alone{hint}"
            )
        files = local

        def start_engine(start: tuple[int, int]) -> Outcomes:
            articles = entries(local, columns, start=start, say=notes)
            return tag_locally(articles, settings, jobs or 1)

    if resume and STDIN in files:
        raise InputError("tag: --resume cannot read stdin again; save it as a file and tag that")
    if not files:
        raise InputError(f"{' '.join(paths)}: holds only what detente tag wrote, and no article")
    local_files = [file for file in files if isinstance(file, Path)]
    check_tables(local_files, named_files(paths), columns, notes)
    shown: list[Row] = []
    place: Path | None = None

    def show_positions(rows: Sequence[Row]) -> None:
        shown.extend(row for row in rows if takes_position(row, manifest.codebook))

    see: See = show_positions if table else lambda _: None
    try:
        with tracking("tagging", count_articles([Path(file.name) for file in files])) as advance:
            if output is not None:
                with placing(output) as place:
                    batch = Batch(files, place, settings, manifest, columns)
                    totals = batch.run(
                        start_engine, resume=resume, advance=advance, say=notes, see=see
                    )
            else:
                totals = Totals()
                outcomes = start_engine((0, 0))
                for outcome, counts in tally(outcomes, manifest.codebook, advance, notes):
                    show_positions(outcome.rows)
                    totals.add(counts)
    except KeyboardInterrupt:
        if output is None or STDIN in files:
            raise
        if place is None or not parts_folder(place).exists():
            _say("interrupted before anything was done; give the same command again")
        else:
            _say("interrupted; what is done is kept, and the same command with --resume goes on")
        raise typer.Exit(130) from None
    if output is None and not totals.articles:
        raise InputError(describe_failures(totals.failures))
    if shown:
        from rich.console import Console

        from detente.picture import tag_table

        Console().print(tag_table(shown, manifest.codebook))
    notes.sum_up()
    filters = {"--only-positions": only_positions, "--min-confidence": min_confidence > 0}
    _print_totals(totals, output, others, [name for name, given in filters.items() if given])
    if totals.failures:
        raise typer.Exit(1)


class _Notes:
    """Notes on stderr: of each kind the first few, and at the end how many there were."""

    def __init__(self) -> None:
        self._kinds = Counter[str]()
        self._firsts: dict[str, str] = {}

    def __call__(self, note: str) -> None:
        kind = _PARTICULARS.sub("", note)
        self._kinds[kind] += 1
        self._firsts.setdefault(kind, note)
        if self._kinds[kind] <= _NOTES_SHOWN:
            _say(note)

    def sum_up(self) -> None:
        """Tell how many more notes of each kind there were."""
        for kind, count in self._kinds.items():
            if count > _NOTES_SHOWN:
                _say(f"{_some(count - _NOTES_SHOWN, 'more note')} like: {self._firsts[kind]}")


def _say(note: str) -> None:
    _tell(f"detente: {note}")


def _tell(line: str) -> None:
    from detente.intake.source import without_halves
    from detente.picture import printable

    # Names of files and parties could drive the terminal.
    print(" ".join(printable(without_halves(line)).splitlines()), file=sys.stderr)


def _print_totals(
    totals: Totals, output: str | None, others: Counter[str], filters: Sequence[str]
) -> None:
    from detente.parts import errors_place

    _say_skipped([reason for _, reason in totals.failures])
    parties = sorted(totals.positions.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"{party or 'no party'} {n}" for party, n in parties[:_PARTIES_SHOWN])
    if named:
        _tell(f"positions: {named}{', ...' * (len(parties) > _PARTIES_SHOWN)}")
    if others:
        kinds = ", ".join(f"{ending} {n}" for ending, n in others.most_common(_ENDINGS_SHOWN))
        kinds += ", ..." * (len(others) > _ENDINGS_SHOWN)
        count = _some(others.total(), "file")
        _tell(f"left alone: {count} of other kinds ({kinds})")
    errors = f" (see {errors_place(output)})" if output and totals.failures else ""
    kept = f" kept by {' and '.join(filters)}" if filters else ""
    written = f"; written to {output}" if output else ""
    _tell(
        f"{_some(totals.articles, 'article')}, besides {len(totals.failures):,} skipped{errors}; "
        f"{_some(totals.statements, 'statement')}, {totals.skipped:,} of them skipped for no sign "
        f"of a position or no party; {_some(totals.rows, 'row')}{kept}, "
        f"{sum(totals.positions.values()):,} of them with a position{written}"
    )


def _say_skipped(reasons: Sequence[str]) -> None:
    for reason in reasons[:_FAILURES_SHOWN]:
        _say(f"skipped: {reason}")
    more = len(reasons) - _FAILURES_SHOWN
    if more > 0:
        _say(f"skipped: {more} more")


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


@app.command(
    epilog="Examples:  detente show article.txt  |  detente show article.txt --svg article.svg  |  "
    "detente show page.html --html tagged.html  |  detente show archive.csv --id 4711"
)
def show(
    path: Annotated[
        str, typer.Argument(help="An article, or a table or folder of them, that tag reads.")
    ],
    svg: Annotated[Path | None, typer.Option(help="Write a picture here instead.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a web page here instead.")] = None,
    identifier: Annotated[
        str | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Which of several articles: its value in the column article of tag's tables. "
            "Default: the first.",
        ),
    ] = None,
    text_column: Annotated[
        str | None,
        typer.Option(
            help="In a table: the column with the article's text. Default: found by name."
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(help="In a table: the column with the article's id. Default: found by name."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Highlight the words that carry each position.")
    ] = False,
    actors: Annotated[
        Path | None, typer.Option(help="YAML file of parties to know besides the bundled ones.")
    ] = None,
    model: _Model = None,
    threads: _Threads = 0,
) -> None:
    """Show an article with its positions highlighted and labelled."""
    from rich.console import Console

    from detente.files import replacing
    from detente.intake.listing import list_files
    from detente.intake.source import Columns
    from detente.picture import article_text, save_svg
    from detente.tagger import Tagger

    for file in list_files([path], say=lambda _: None):  # _pick_article says it
        _refuse_own(file, html, svg)
    source = _pick_article(path, Columns(text_column, id_column), identifier)
    tagger = Tagger.load(model, threads=threads, actors=actors)
    article = tagger.tag(source, explain=explain)
    if html:
        from detente.webview import article_page

        with replacing(html) as temporary:
            temporary.write_text(article_page(article), encoding="utf-8")
    if svg:
        title = f"detente show {Path(path).name}"
        save_svg(article_text(article, tagger.codebook), svg, title=title)
    if not svg and not html:
        Console().print(article_text(article, tagger.codebook))


def _count_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _refuse_own(path: str | Path, *outputs: Path | None) -> None:
    """Refuse to write over what is read."""
    for output in outputs:
        if output is not None and Path(path).resolve() == output.resolve():
            raise InputError(f"{path}: would be written over; give another file to write to")


def _pick_article(path: str, columns: Columns, identifier: str | None) -> Source:
    from detente.batch import describe_failures
    from detente.intake.reader import read_articles

    failures: list[Failure] = []
    notes = _Notes()
    articles = read_articles([path], columns, on_failure=failures.append, say=notes)
    first = next(articles, None)
    if first is None:
        raise InputError(describe_failures([(each.name, each.message) for each in failures]))
    if identifier is None:
        _say_skipped([failure.message for failure in failures])
        notes.sum_up()
        if next(articles, None):
            _say(f"{first.name}: the first of several articles; --id picks another")
        return first
    found = (article for article in chain([first], articles) if article.name == identifier)
    picked = next(found, None)
    notes.sum_up()
    if picked is None:
        bad = f", and {_some(len(failures), 'article')} cannot be read" if failures else ""
        raise InputError(f"{path}: no article is {identifier!r}; the first is {first.name!r}{bad}")
    return picked


class _Period(str, Enum):
    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"
    none = "none"


@app.command(
    epilog="Examples:  detente summarize tags.parquet  |  detente summarize tags.parquet --period "
    "week -o weeks.csv  |  detente summarize 'tags-*.parquet' -o timeline.svg --top 4"
)
def summarize(
    tables: Annotated[
        list[str], typer.Argument(help="Tables that tag wrote: files and globs, summed together.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="A table (.csv .parquet .jsonl) or timeline (.svg .png) to write.",
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="party: parties without an actor are gathered by name over all articles, so that "
            '"the union" of five disputes is one. actor: those that no list knows are one group. '
            "Or a column of text, such as one that tag --keep copied.",
        ),
    ] = "party",
    period: Annotated[_Period, typer.Option(help="How time is divided.")] = _Period.month,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Only the parties with most positions. Default: "
            f"{_SUMMARY_PARTIES} in the terminal, {_TIMELINE_PARTIES} in a timeline, "
            "all in a table.",
        ),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Labels less probable than this count as none.")
    ] = 0.0,
    drop_abstained: Annotated[
        bool,
        typer.Option("--drop-abstained", help="Labels of abstained dimensions count as none."),
    ] = False,
    model: _Model = None,
) -> None:
    """Sum up tables of tags: where each party stands and how it moves, period by period.

    The mean of an ordinal scale runs from 0, its first label, to 1, its last.
    """
    from detente.bundle import read_manifest
    from detente.summary import summarize, summary_table
    from detente.table import check_ending, writing
    from detente.tagger import locate_model
    from detente.tagtable import list_tables
    from detente.timeline import ENDINGS, check_picture, save_timeline

    is_picture = output is not None and output.suffix.lower() in ENDINGS
    if output and is_picture:
        check_picture(output)
    elif output:
        check_ending(output)
    codebook = read_manifest(locate_model(model)).codebook
    summary = summarize(
        list_tables(tables, output),
        codebook,
        by=by,
        period=period.value,
        min_confidence=min_confidence,
        drop_abstained=drop_abstained,
    )
    for remark in summary.remarks():
        _say(remark)
    if output and is_picture:
        save_timeline(summary, output, top=top or _TIMELINE_PARTIES)
    elif output:
        summary = summary.top(top)
        with writing(output, summary.columns()) as write:
            write(summary.rows())
    else:
        from rich.console import Console

        console = Console()
        shortened = summary.top(top or _SUMMARY_PARTIES)
        console.print(summary_table(shortened, articles=console.width >= _WIDE))
        if top is None and len(summary.parties) > _SUMMARY_PARTIES:
            sys.stdout.flush()
            shown = f"{_SUMMARY_PARTIES} of {len(summary.parties)} {summary.noun} shown"
            _say(f"{shown}; --top N or -o FILE for all")


if __name__ == "__main__":
    main()
