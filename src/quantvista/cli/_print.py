"""Words and tables on the terminal: 80 columns, colour only where it is welcome."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from quantvista.errors import OutputError

__all__ = [
    "MINUS",
    "NONE",
    "console",
    "money",
    "next_steps",
    "number",
    "percent",
    "print_json",
    "say",
    "table",
    "write_text",
]

MINUS = "\N{MINUS SIGN}"
NONE = "–"  # noqa: RUF001 - an en dash is how undefined is written
_WIDTH = 80


def console() -> Console:
    """Make a console for standard output, at most 80 columns wide."""
    found = Console(highlight=False)
    return found if found.width <= _WIDTH else Console(highlight=False, width=_WIDTH)


def say(text: str) -> None:
    """Print a line as it is."""
    sys.stdout.write(text + "\n")


def print_json(value: object) -> None:
    """Print JSON with sorted keys."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def next_steps(commands: Iterable[str]) -> None:
    """Say what to do next."""
    out = console()
    out.print("\nNext")
    for command in commands:
        out.print(Text(f"  {command}", style="cyan"), soft_wrap=True)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: words at the left, numbers at the right."""
    grid = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_edge=False)
    for index, name in enumerate(header):
        grid.add_column(
            escape(name),
            justify="right" if index else "left",
            header_style="bold" if index == 1 else "",
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    console().print(grid)


def percent(value: float | None, digits: int = 1) -> str:
    """Write a fraction as per cent without the sign, with one decimal unless told otherwise.

    Examples
    --------
    >>> percent(0.123)
    '12.3'
    """
    return number(None if value is None else value * 100.0, digits)


def number(value: float | None, digits: int) -> str:
    """Write a number with thousands separated and a real minus sign.

    Examples
    --------
    >>> number(1234.5, 1)
    '1,234.5'
    """
    if value is None:
        return NONE
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0.0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def money(value: Any, currency: str) -> str:  # noqa: ANN401 - decimal text, as summaries have it
    """Write money with its currency, two decimals.

    Examples
    --------
    >>> money("1234.5", "USD")
    'USD 1,234.50'
    """
    return f"{currency} {number(float(Decimal(str(value))), 2)}"


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all, or say why it cannot be."""
    place = path.resolve()
    # A device or a pipe, such as /dev/stdout, is no file that another could take the place of.
    aside = place.with_name(f".tmp-{os.getpid()}-{place.name}") if _replaceable(place) else place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        if aside != place:
            aside.replace(place)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"`out` must be writable; found {reason}: {path}") from None
    finally:
        if aside != place and place.parent.is_dir():
            aside.unlink(missing_ok=True)


def _replaceable(path: Path) -> bool:
    return path.is_file() or not path.exists()
