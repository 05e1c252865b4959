"""The same join by ``join_asof`` of Polars, by the time of publication alone."""

import polars as pl
from _common import Found, Stopwatch, main
from _files import asof_tables


def work(rows: int) -> Found:
    """Sort and join; the bars are in the order of time before, so that theirs is kept."""
    bars, series = asof_tables(rows)
    watch = Stopwatch()
    with watch:
        found = bars.join_asof(
            series.sort("known_at"),
            left_on="ts_received",
            right_on="known_at",
            by="instrument",
            check_sortedness=False,
        )
    agreed = f"{found['value'].sum():.6f}"
    return watch.seconds, rows, pl.__version__, agreed, agreed


if __name__ == "__main__":
    main(work)
