"""Our bars of generated trades, piece by piece."""

import polars as pl
from _common import Found, Stopwatch
from _ticks import ticks

import quantvista
from quantvista.data.bars import BarBuilder, BarSpec

__all__ = ["bars_of"]


def bars_of(count: int, spec: BarSpec, *, agree: bool) -> Found:
    """Make bars of so many trades; what all systems agree on are the closed bars' sums."""
    builder = BarBuilder([spec])
    watch = Stopwatch()
    bars, volume, closes = 0, 0.0, 0.0
    for stamps, price, size in ticks(count):
        frame = pl.DataFrame({"ts_event": stamps, "price": price, "size": size})
        with watch:
            made = builder.add(frame)[spec.name]
        bars += made.height
        volume += float(made["volume"].sum())
        closes += float(made["close"].sum())
    check = f"{bars} {volume:.0f} {closes:.2f}"
    return watch.seconds, count, quantvista.__version__, check, check if agree else ""
