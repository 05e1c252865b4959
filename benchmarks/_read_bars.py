"""Bars of a file through the reader of ``qv``."""

from _common import Found, Stopwatch
from _files import bar_file

import quantvista
from quantvista.data.importing import read_bars

__all__ = ["bars_read"]


def bars_read(rows: int, suffix: str) -> Found:
    """Understand, check and convert; every row comes with its three coordinates."""
    with bar_file(rows, suffix) as path:
        watch = Stopwatch()
        with watch:
            found = read_bars(path)
    agreed = f"{found.rows['close'].sum():.2f}"
    return watch.seconds, found.rows.height, quantvista.__version__, agreed, agreed
