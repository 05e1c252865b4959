"""Checks that need no more than a row, or its neighbours in the file."""

import numpy as np
from numpy.typing import NDArray

from quantvista.data.quality._each import Findings, Rows
from quantvista.data.quality._types import PRICES

__all__ = ["check_order", "check_rows", "check_twice", "usable"]

_OHLC = PRICES["bars"]

_TOLERANCE = 1e-6  # single precision files disagree with themselves by that much
type Bools = NDArray[np.bool_]


def check_order(raw: Rows, found: Findings) -> None:
    """Flag rows that stand after later ones."""
    if len(raw) == 0:
        return
    latest = np.maximum.accumulate(raw.ts)
    late = np.zeros(len(raw), dtype=np.bool_)
    late[1:] = raw.ts[1:] < latest[:-1]
    found.add("time_order", raw, late, "ts", "stands after a later row", value=raw.ts.astype(float))


def check_twice(raw: Rows, found: Findings) -> None:
    """Flag times that stand more than once."""
    order = np.argsort(raw.ts, kind="stable")
    again = np.zeros(len(raw), dtype=np.bool_)
    again[order[1:]] = raw.ts[order[1:]] == raw.ts[order[:-1]]
    found.add("duplicate", raw, again, "ts", "the time stands before already")


def check_rows(bars: Rows, found: Findings, *, volume_expected: bool) -> None:
    """Flag rows that contradict themselves."""
    prices = [name for name in _OHLC if name in bars.columns]
    there = np.isfinite(bars.close)
    some = np.zeros(len(bars), dtype=np.bool_)
    for name in prices:
        some |= np.isfinite(bars.columns[name])
    for name in prices:
        lonely = some & ~np.isfinite(bars.columns[name])
        found.add("missing_value", bars, lonely, name, "missing beside other prices")
        found.add("price_sign", bars, bars.columns[name] <= 0, name, "not positive")
    swapped = _swapped(bars, found)
    if len(prices) == len(_OHLC):
        whole = usable(bars) & ~swapped
        high, low = bars.columns["high"], bars.columns["low"]
        slack = _TOLERANCE * high
        for name in ("open", "close"):
            value = bars.columns[name]
            above, below = whole & (value > high + slack), whole & (value < low - slack)
            found.add("ohlc_order", bars, above, name, "above the high", expected=high)
            found.add("ohlc_order", bars, below, name, "below the low", expected=low)
    if "volume" in bars.columns:
        volume = bars.columns["volume"]
        found.add("negative_volume", bars, volume < 0, "volume", "negative")
        if volume_expected:
            moved = np.zeros(len(bars), dtype=np.bool_)
            moved[1:] = bars.close[1:] != bars.close[:-1]
            if "high" in bars.columns and "low" in bars.columns:
                moved |= bars.columns["high"] > bars.columns["low"]
            zero = there & (volume == 0) & moved
            found.add("zero_volume", bars, zero, "volume", "zero in a bar that moved")


def usable(bars: Rows) -> Bools:
    """Rows whose prices are all positive numbers."""
    good = np.ones(len(bars), dtype=np.bool_)
    for name in _OHLC:
        if name in bars.columns:
            good &= bars.columns[name] > 0
    return good


def _swapped(bars: Rows, found: Findings) -> Bools:
    """High and low, or a price and the volume, in each other's place."""
    swapped = np.zeros(len(bars), dtype=np.bool_)
    whole = usable(bars)
    if "high" in bars.columns and "low" in bars.columns:
        high, low = bars.columns["high"], bars.columns["low"]
        turned = whole & (low > high * (1 + _TOLERANCE))
        for name in ("open", "close"):
            if name in bars.columns:
                value = bars.columns[name]
                fits = (value >= high * (1 - _TOLERANCE)) & (value <= low * (1 + _TOLERANCE))
                turned &= fits
        found.add("swapped", bars, turned, "high", "high and low have changed places", expected=low)
        crossed = whole & (low > high * (1 + _TOLERANCE)) & ~turned
        found.add("ohlc_order", bars, crossed, "low", "above the high", expected=high)
        swapped |= turned | crossed
    known = whole & np.isfinite(bars.columns.get("volume", np.full(len(bars), np.nan)))
    if known.any():
        volume = bars.columns["volume"]
        middle = float(np.median(bars.close[whole]))
        usual = float(np.median(volume[known]))
        if usual > 50 * middle:  # else the two are too alike to tell
            for name in (each for each in _OHLC if each in bars.columns):
                value = bars.columns[name]
                like_price = (volume > middle / 20) & (volume < middle * 20)
                like_volume = (value > 50 * middle) & (value > usual / 1000)
                both = whole & like_price & like_volume
                text = f"{name} and volume have changed places"
                found.add("swapped", bars, both, name, text, expected=volume)
                swapped |= both
    return swapped
