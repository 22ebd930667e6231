"""The `detente` command."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer

from detente import __version__
from detente.errors import DetenteError, InputError

app = typer.Typer(
    name="detente",
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
_Threads = Annotated[int, typer.Option(min=0, help="Inference threads; 0 takes every core.")]
_BatchSize = Annotated[int, typer.Option(min=1, help="Statements run together.")]


def main() -> None:
    """Run the command; errors the user can mend are one line on stderr and exit status 2."""
    debug = "--debug" in sys.argv
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
    except DetenteError as error:
        if debug:
            raise
        print(f"detente: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        print("detente: interrupted; nothing was written", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


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
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
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
        typer.Option("--input", "-i", help="JSON lines with text and, if known, id and holder."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write the JSON lines.")
    ] = None,
    model: _Model = None,
    batch_size: _BatchSize = 32,
    threads: _Threads = 0,
) -> None:
    """Label statements one by one: a text, or a file of them."""
    from detente.tagger import Tagger

    if (text is None) == (input is None):
        raise InputError(
            "classify: give either one text or --input FILE; see detente classify --help"
        )
    if input is None:
        if output is not None:
            raise InputError("classify: --output goes with --input; one text is printed")
        tagger = Tagger.load(model, threads=threads)
        print(json.dumps(tagger(text or "", holder).to_dict(), ensure_ascii=False, indent=1))
        return
    if holder is not None:
        raise InputError(
            "classify: --holder goes with one text; in a file, give each line its holder"
        )
    with ExitStack() as stack:
        write = sys.stdout.write
        if output is not None:
            from detente.files import replacing

            temporary = stack.enter_context(replacing(output))
            write = stack.enter_context(temporary.open("w", encoding="utf-8")).write
        records = list(_read_statements(input))
        tagger = Tagger.load(model, threads=threads)
        readings = tagger.classify(
            [record["text"] for record in records],
            [record.get("holder") for record in records],
            batch_size=batch_size,
            progress=sys.stderr.isatty(),
        )
        for record, reading in zip(records, readings, strict=True):
            row = {"id": record["id"], **reading.to_dict()}
            write(json.dumps(row, ensure_ascii=False) + "\n")


def _read_statements(path: Path) -> Iterator[dict[str, Any]]:
    from detente.files import read_jsonl
    from detente.tagger import check_pair

    for number, (place, record) in enumerate(read_jsonl(path), start=1):
        if isinstance(record, InputError):
            raise record
        check_pair(record.get("text", ""), record.get("holder"), place)
        identifier = record.get("id")
        yield {**record, "id": number if identifier is None else identifier}


@app.command(
    epilog="Examples:  detente tag article.txt  |  detente tag articles/ a.jsonl -o tags.csv  |  "
    "detente tag articles/*.txt -o tags.parquet --table"
)
def tag(
    paths: Annotated[
        list[Path], typer.Argument(help="Articles: .txt, .jsonl with a text field, or folders.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Table to write: .jsonl, .csv or .parquet."),
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Print the table of positions besides writing it.")
    ] = False,
    model: _Model = None,
    batch_size: _BatchSize = 32,
    threads: _Threads = 0,
) -> None:
    """Tag articles: one row for each statement and each party in it.

    Without --output the positions found are printed as a table. Articles that cannot be read
    are reported at the end, and the exit status is then 1.
    """
    from detente.article import columns
    from detente.progress import tracking
    from detente.reader import Failure, list_files, read_articles
    from detente.table import writing
    from detente.tagger import Tagger

    files = list_files(paths)
    tagger = Tagger.load(model, threads=threads)
    failures, shown, articles, rows = [], [], 0, 0
    with ExitStack() as stack:
        write = stack.enter_context(writing(output, columns(tagger.codebook))) if output else None
        total = len(files) if all(file.suffix == ".txt" for file in files) else None
        advance = stack.enter_context(tracking("tagging", total, show=sys.stderr.isatty()))
        for source in read_articles(files):
            advance(1)
            if isinstance(source, Failure):
                failures.append(source.message)
                continue
            article = tagger.tag(source.text, name=source.name, batch_size=batch_size)
            articles += 1
            rows += len(article.rows())
            if write:
                write(article.rows())
            if table or not write:
                shown.append(article)
        if not articles:
            raise InputError("; ".join(failures))
    _print_table(shown, tagger)
    for failure in failures:
        print(f"detente: skipped: {failure}", file=sys.stderr)
    written = f", written to {output}" if output else ""
    counts = f"{articles} article{'s' * (articles != 1)}, {rows} row{'s' * (rows != 1)}"
    print(f"{counts}{written}; {len(failures)} skipped", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


@app.command(
    epilog="Examples:  detente show article.txt  |  detente show article.txt --svg article.svg"
)
def show(
    path: Annotated[Path, typer.Argument(help="One article, .txt.")],
    svg: Annotated[Path | None, typer.Option(help="Write the picture here instead.")] = None,
    model: _Model = None,
    threads: _Threads = 0,
) -> None:
    """Show an article with its positions highlighted and labelled."""
    from rich.console import Console

    from detente.files import read_text
    from detente.picture import article_text, save_svg
    from detente.tagger import Tagger

    text = read_text(path)
    tagger = Tagger.load(model, threads=threads)
    picture = article_text(tagger.tag(text, name=str(path)), tagger.codebook)
    if svg:
        save_svg(picture, svg, title=f"detente show {path.name}")
    else:
        Console().print(picture)


def _print_table(articles: Sequence[Any], tagger: Any) -> None:
    if articles:
        from rich.console import Console

        from detente.picture import tag_table

        Console().print(tag_table(articles, tagger.codebook))


if __name__ == "__main__":
    main()
