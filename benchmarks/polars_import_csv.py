"""The same CSV file through the reader of Polars, which parses dates and numbers."""

import polars as pl
from _common import Found, Stopwatch, main
from _files import bar_file


def work(rows: int) -> Found:
    """Read all columns into memory."""
    with bar_file(rows, ".csv") as path:
        watch = Stopwatch()
        with watch:
            found = pl.read_csv(path, try_parse_dates=True)
    agreed = f"{found['close'].sum():.2f}"
    return watch.seconds, found.height, pl.__version__, agreed, agreed


if __name__ == "__main__":
    main(work)
