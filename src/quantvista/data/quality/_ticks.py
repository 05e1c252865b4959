"""Checks of quotes and trades that need no more than a row, or what is usual."""

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.quality._each import Findings, Rows

__all__ = ["check_both_sides", "check_numbers", "check_quote", "check_trade"]

type Bools = NDArray[np.bool_]
type Floats = NDArray[np.float64]

_BOTH_SIDES = 0.99  # of quotes that have them where one side alone is worth a word
_APART = 50.0  # times that sizes are above prices before the two can be told apart
_ALIKE = 20.0  # times that a price may be off the usual one in the wrong column
_SIZE_SHARE = 1e-3  # of the usual size that a size has at least in the wrong column
_AROUND = 501  # rows that say what the price is
_SAME = math.log(1.1)  # of it is the size that stands for it
_OTHER = math.log(1.5)  # off it is the price then


def check_numbers(rows: Rows, prices: tuple[str, ...], found: Findings) -> None:
    """Flag prices and sizes that are none: infinite, zero, negative."""
    for name in prices:
        column = rows.columns[name]
        found.add("missing_value", rows, np.isinf(column), name, "no finite number")
        found.add("price_sign", rows, column <= 0, name, "not positive")
    for name in (each for each in rows.columns if each.endswith("size")):
        size = rows.columns[name]
        if not (size[~np.isnan(size)] == 0).all():
            found.add("size_sign", rows, size <= 0, name, "not positive")


def check_trade(trades: Rows, found: Findings) -> Bools:
    """Flag trades without a price or size, and those where the two have changed places.

    Returns
    -------
    bool, shape (n,)
        Trades whose price can be used.
    """
    price, size = trades.columns["price"], trades.columns.get("size")
    found.add("missing_value", trades, np.isnan(price), "price", "no price")
    swapped = np.zeros(len(trades), dtype=np.bool_)
    if size is not None:
        found.add("missing_value", trades, np.isnan(size), "size", "no size")
        swapped = _in_place_of_size(trades, "price", "size", found)
    return np.isfinite(price) & (price > 0) & ~swapped


def check_quote(quotes: Rows, found: Findings) -> Bools:
    """Flag quotes without a price, crossed or locked, or with columns in each other's place.

    Returns
    -------
    bool, shape (n,)
        Quotes with both prices in their places, crossed ones among them.
    """
    bid, ask = quotes.columns["bid"], quotes.columns["ask"]
    found.add("missing_value", quotes, np.isnan(bid) & np.isnan(ask), "bid", "neither bid nor ask")
    swapped = np.zeros(len(quotes), dtype=np.bool_)
    for side in ("bid", "ask"):
        if f"{side}_size" in quotes.columns:
            swapped |= _in_place_of_size(quotes, side, f"{side}_size", found)
    whole = np.isfinite(bid) & np.isfinite(ask) & (bid > 0) & (ask > 0) & ~swapped
    crossed = whole & (bid > ask)
    turned = _turned(bid, ask, whole, crossed)
    found.add("swapped", quotes, turned, "bid", "bid and ask have changed places", expected=ask)
    found.add("crossed", quotes, crossed & ~turned, "bid", "above the ask", expected=ask)
    found.add("locked", quotes, whole & (bid == ask), "bid", "equal to the ask")
    return whole & ~turned


def check_both_sides(quotes: Rows, found: Findings) -> None:
    """Flag quotes of one side, where nearly all have both."""
    there = {side: ~np.isnan(quotes.columns[side]) for side in ("bid", "ask")}
    if (there["bid"] & there["ask"]).mean() < _BOTH_SIDES:
        return
    for side, other in (("bid", "ask"), ("ask", "bid")):
        found.add("one_sided", quotes, there[other] & ~there[side], side, f"no {side}")


def _turned(bid: Floats, ask: Floats, whole: Bools, crossed: Bools) -> Bools:
    """Crossed quotes that fit their neighbours once bid and ask change places."""
    turned = np.zeros(len(bid), dtype=np.bool_)
    sound = whole & ~crossed
    if crossed.sum() > sound.sum():  # the columns of the file have changed names
        return crossed
    before, after = _nearest(sound)
    for row in np.flatnonzero(crossed).tolist():
        near = [place for place in (before[row], after[row]) if place >= 0]
        spread = max(float(ask[place] - bid[place]) for place in near)
        off = min(abs(ask[row] - bid[place]) + abs(bid[row] - ask[place]) for place in near)
        own = float(bid[row] - ask[row])
        turned[row] = own <= 3 * spread and off <= max(own, spread)
    return turned


def _nearest(sound: Bools) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the last sound row up to each, and of the first from it on; -1 if there is none."""
    place = np.arange(len(sound))
    before = np.maximum.accumulate(np.where(sound, place, -1))
    after = np.minimum.accumulate(np.where(sound, place, len(sound))[::-1])[::-1]
    return before, np.where(after == len(sound), -1, after)


def _in_place_of_size(rows: Rows, price: str, size: str, found: Findings) -> Bools:
    """Rows where a price and its size have changed places, as far as the two can be told apart.

    Either sizes are far above prices, or far below, as a whole; or the size is what the price was
    around, and the price is not.
    """
    prices, sizes = rows.columns[price], rows.columns[size]
    known = (prices > 0) & (sizes > 0)
    swapped = np.zeros(len(rows), dtype=np.bool_)
    if not known.any():
        return swapped
    usual, usual_size = float(np.median(prices[known])), float(np.median(sizes[known]))
    apart = abs(math.log(usual_size / usual)) > math.log(_APART)
    if apart and usual_size > usual:
        swapped = (prices > usual * _ALIKE) & (prices > usual_size * _SIZE_SHARE)
    elif apart:
        swapped = (prices < usual / _ALIKE) & (prices < usual_size / _SIZE_SHARE)
    swapped &= known & (sizes > usual / _ALIKE) & (sizes < usual * _ALIKE)
    local = pl.Series(np.where(known, prices, np.nan)).fill_nan(None)
    around = local.rolling_median(_AROUND, min_samples=1, center=True).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        size_off, price_off = np.abs(np.log(sizes / around)), np.abs(np.log(prices / around))
        swapped |= known & (size_off < _SAME) & (price_off > max(_OTHER, 2 * _SAME))
    text = f"{price} and {size} have changed places"
    found.add("swapped", rows, swapped, price, text, expected=sizes)
    return swapped
