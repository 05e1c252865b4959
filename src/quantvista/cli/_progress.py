"""How far the work is: a bar where somebody looks on, else a line now and then."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["Advance", "progress_bar"]

type Advance = Callable[[int, int, str], None]
"""Told what is done, of how much (0 where nobody knows), and in words."""

_FIRST_S = 10.0
_NEXT_S = 30.0


@contextmanager
def progress_bar(*, enabled: bool) -> Iterator[Advance]:
    """Show on standard error how far the work is.

    Parameters
    ----------
    enabled : bool
        Not for ``--json`` and ``--quiet``.

    Yields
    ------
    callable
        Takes done, total and words. A terminal shows a bar with the time left; elsewhere, in logs
        and pipes, there is a line after 10 s and every 30 s from then on.
    """
    err = Console(stderr=True)
    if enabled and not err.is_terminal:
        with _lines() as advance:
            yield advance
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=err,
        transient=True,
        disable=not enabled,
    )
    with bar:
        task = bar.add_task("loading", total=None)

        def advance(done: int, total: int, text: str) -> None:
            if total:
                bar.update(task, completed=done, total=total, description=text)
            else:  # of unknown length: the bar stays as it is
                bar.update(task, description=text)

        yield advance


@contextmanager
def _lines() -> Iterator[Advance]:
    """Say it from a thread, so that one long step is told of too."""
    state: tuple[int, int, str] = (0, 0, "loading")
    ended = threading.Event()

    def advance(done: int, total: int, text: str) -> None:
        nonlocal state
        state = (done, total, text)

    def tell() -> None:
        wait, waited = _FIRST_S, 0.0
        while not ended.wait(wait):
            waited += wait
            done, total, text = state
            share = f", {100 * done / total:.0f} %" if total else ""
            sys.stderr.write(f"{text}{share}, {waited:.0f} s so far\n")
            sys.stderr.flush()
            wait = _NEXT_S

    teller = threading.Thread(target=tell, name="progress", daemon=True)
    teller.start()
    try:
        yield advance
    finally:
        ended.set()
        teller.join()
