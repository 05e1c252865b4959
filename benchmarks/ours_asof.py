"""Bars beside a slow series, as it was known; the size is the number of bars."""

from _common import Found, Stopwatch, main
from _files import asof_tables

import quantvista
from quantvista.features import join


def work(rows: int) -> Found:
    """Join; the bars keep their order, and an earlier period never follows a later one."""
    bars, series = asof_tables(rows)
    watch = Stopwatch()
    with watch:
        found = join(bars, series)
    agreed = f"{found['value'].sum():.6f}"
    return watch.seconds, rows, quantvista.__version__, agreed, agreed


if __name__ == "__main__":
    main(work)
