"""Progress on stderr: what is done, how fast, and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LINE_SECONDS = 30.0  # between lines where stderr is no terminal


@contextmanager
def tracking(
    title: str, total: int | None, *, show: bool = True
) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the number of steps just done.

    A terminal shows a bar; a file gets a line now and then.

    Args:
        title: what is going on.
        total: the number of steps; None when it is not known.
        show: draw nothing when false.
    """
    if not show:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    class Rate(ProgressColumn):
        def render(self, task: Task) -> str:
            return f"{task.speed:,.1f}/s" if task.speed else ""

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    if not console.is_terminal:
        lines = Progress(*(c for c in columns if not isinstance(c, BarColumn)), console=console)
        task = lines.add_task(title, total=total)
        said = time.monotonic()

        def advance(steps: int) -> None:
            nonlocal said
            lines.advance(task, steps)
            if time.monotonic() - said > _LINE_SECONDS:
                said = time.monotonic()
                console.print(lines.get_renderable())

        yield advance
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda steps: bar.advance(task, steps)
