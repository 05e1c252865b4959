"""Bars of a CSV file through the reader of ``qv``; the size is the number of rows."""

from _common import Found, Stopwatch, main
from _files import bar_file

import quantvista
from quantvista.data.importing import read_bars


def work(rows: int) -> Found:
    """Understand, check and convert; every row comes with its three coordinates."""
    with bar_file(rows, ".csv") as path:
        watch = Stopwatch()
        with watch:
            found = read_bars(path)
    agreed = f"{found.bars['close'].sum():.2f}"
    return watch.seconds, found.bars.height, quantvista.__version__, agreed, agreed


if __name__ == "__main__":
    main(work)
