"""Bars of a minute by Polars: each piece grouped, then what fell into the same minute joined."""

import polars as pl
from _common import Found, Stopwatch, main
from _ticks import ticks

PARTS = (
    pl.col("price").first().alias("open"),
    pl.col("price").max().alias("high"),
    pl.col("price").min().alias("low"),
    pl.col("price").last().alias("close"),
    pl.col("size").sum().alias("volume"),
    (pl.col("price") * pl.col("size")).sum().alias("value"),
    pl.len().alias("ticks"),
)
JOINED = (
    pl.col("open").first(),
    pl.col("high").max(),
    pl.col("low").min(),
    pl.col("close").last(),
    pl.col("volume").sum(),
    pl.col("value").sum(),
    pl.col("ticks").sum(),
)


def work(count: int) -> Found:
    """Make the bars; the last minute is not over, as in ours."""
    watch = Stopwatch()
    parts = []
    for stamps, price, size in ticks(count):
        frame = pl.DataFrame({"ts": stamps, "price": price, "size": size})
        with watch:
            frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("ns")))
            parts.append(frame.group_by_dynamic("ts", every="1m").agg(PARTS))
    with watch:
        bars = pl.concat(parts).group_by("ts", maintain_order=True).agg(JOINED)
    bars = bars.head(-1)
    check = f"{bars.height} {bars['volume'].sum():.0f} {bars['close'].sum():.2f}"
    return watch.seconds, count, pl.__version__, check, check


if __name__ == "__main__":
    main(work)
