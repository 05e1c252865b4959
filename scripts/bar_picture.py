"""The picture of docs/guide/bars.md: the same trades as bars of time, volume and value.

Usage: python scripts/bar_picture.py, in a folder with the page's trades.parquet.
"""

import sys
from pathlib import Path

import polars as pl
from sheets import picture

from quantvista.data.bars import BarSpec, aggregate
from quantvista.reporting._lines import ticks

PATH = Path(__file__).parents[1] / "docs" / "images" / "bars.svg"
SHOWN = (
    (BarSpec("time", "30m"), "Every 30 minutes", "as many bars in quiet hours as in busy ones"),
    (BarSpec("volume", 20_000), "Every 20,000 units", "more bars where more is traded"),
    (
        BarSpec("dollar", 2.4e6),
        "Every 2.4 million dollars",
        "fewer units in each as prices rise",
    ),
)
_LEFT, _WIDTH, _TITLE, _TALL, _GAP, _BELOW = 44, 960, 40, 150, 22, 24
_DAY_NS = 86_400 * 10**9


def panel(bars: pl.DataFrame, start: int, bounds: tuple[float, float], top: int) -> list[str]:
    """Draw bars as candles as wide as they lasted, hollow where they rise."""
    low, high = bounds

    def x(ts: int) -> float:
        return round(_LEFT + (ts - start) / _DAY_NS * (_WIDTH - _LEFT - 8), 1)

    def y(price: float) -> float:
        return round(top + (high - price) / (high - low) * _TALL, 1)

    parts = []
    for level in ticks(low, high):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y(level)}" y2="{y(level)}"/>'
            f'<text class="tick end" x="{_LEFT - 6}" y="{y(level) + 4}">{level:g}</text>'
        )
    for bar in bars.iter_rows(named=True):
        left, right = x(bar["ts_start"]), x(bar["ts_event"])
        wide = max(1.0, right - left - 1.5)
        upper, lower = y(max(bar["open"], bar["close"])), y(min(bar["open"], bar["close"]))
        middle = round(left + wide / 2, 1)
        kind = "rising" if bar["close"] > bar["open"] else "falling"
        parts.append(
            f'<path class="ours" d="M{middle} {y(bar["high"])}V{upper}M{middle} {lower}'
            f'V{y(bar["low"])}"/><rect class="ours {kind}" x="{left}" y="{upper}" '
            f'width="{wide:.1f}" height="{max(0.5, lower - upper):.1f}"/>'
        )
    return parts


def main() -> None:
    """Draw it."""
    trades = pl.read_parquet("trades.parquet")
    made = aggregate(trades, [spec for spec, _, _ in SHOWN], partial=True).bars
    start = trades["ts_event"].dt.epoch("ns")[0] // _DAY_NS * _DAY_NS
    low, high = trades.select(pl.col("price").min(), pl.col("price").max().alias("high")).row(0)
    margin = (high - low) * 0.04
    parts, top = [], 0
    for spec, title, text in SHOWN:
        bars = made[spec.name]
        parts.append(
            f'<text class="name" x="{_LEFT}" y="{top + 16}">{title}: {bars.height} bars</text>'
            f'<text x="{_LEFT}" y="{top + 32}">{text}</text>'
        )
        parts += panel(bars, start, (low - margin, high + margin), top + _TITLE)
        top += _TITLE + _TALL + _GAP
    for hour in range(0, 25, 3):
        at = round(_LEFT + hour / 24 * (_WIDTH - _LEFT - 8), 1)
        end, zone = (" end", " UTC") if hour == 24 else ("", "")
        left = at if end else at - 14
        parts.append(f'<text class="tick{end}" x="{left}" y="{top + 2}">{hour:02d}:00{zone}</text>')
    label = "The same trades of one day as bars of time, volume and value; hours are UTC"
    PATH.write_text(picture(_WIDTH, top + _BELOW, label, parts), "utf-8")
    sys.stdout.write(f"wrote {PATH.name}\n")


if __name__ == "__main__":
    main()
