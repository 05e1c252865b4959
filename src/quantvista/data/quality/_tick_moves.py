"""Checks of how quotes and trades move: bad prints, other units, wide spreads, frozen feeds."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.quality._each import Findings, Rows, chance_run, in_runs, local_scale
from quantvista.data.quality._shape import find_magnitude

__all__ = ["check_frozen", "check_jumps", "check_spread"]

type Bools = NDArray[np.bool_]
type Floats = NDArray[np.float64]

_SIDE = 25  # rows before, and after, that say where the price is
_LEAST = 5  # of them
_AROUND = 501  # rows that say how far it usually strays
_DEVIATIONS = 10.0
_JUMP_LEAST = 0.005
_TO_DEVIATION = 1.4826
_SPREAD_AROUND = 2001
_SPREAD_TIMES = 15.0
_REPEATS = 20
_CLUSTERED = 4.0  # times the run that chance gives; quiet hours repeat more than busy ones


def check_jumps(rows: Rows, prices: tuple[str, ...], usable: Bools, found: Findings) -> Bools:
    """Flag prices that are away from those before and after, and stretches in other units.

    Parameters
    ----------
    rows : Rows
        Quotes or trades of an instrument, in order.
    prices : tuple of str
        Columns of prices.
    usable : bool, shape (n,)
        Rows to look at.
    found : Findings
        Collects.

    Returns
    -------
    bool, shape (n,)
        False in those stretches.
    """
    same_units = np.ones(len(rows), dtype=np.bool_)
    places = np.flatnonzero(usable)
    if len(places) < 2 * _LEAST:
        return same_units
    part = rows.kept(places)
    columns = [np.log(part.columns[name]) for name in prices]
    level = np.mean(columns, axis=0)
    moves = np.full(len(part), np.nan)
    moves[1:] = np.diff(level)
    other = find_magnitude(part, prices[0], columns[0], moves, local_scale(moves), found)
    for name, column in zip(prices, columns, strict=True):
        away, expected = _away(column, ~other)
        found.add(
            "outlier",
            part,
            away,
            name,
            "away from the prices before and after",
            expected=np.exp(expected),
        )
    same_units[places[other]] = False
    return same_units


def check_spread(quotes: Rows, usable: Bools, found: Findings) -> None:
    """Flag spreads that are many times those around."""
    places = np.flatnonzero(usable & (quotes.columns["bid"] <= quotes.columns["ask"]))
    part = quotes.kept(places)
    bid, ask = part.columns["bid"], part.columns["ask"]
    if not len(part):
        return
    spread = (ask - bid) / (ask + bid) * 2
    series = pl.Series(spread)
    local = series.rolling_median(_SPREAD_AROUND, min_samples=1, center=True).to_numpy()
    overall = float(np.median(spread))
    usual = np.maximum(local, overall / 2)
    wide = (usual > 0) & (spread > _SPREAD_TIMES * usual)
    expected = bid + usual * (ask + bid) / 2
    found.add("wide_spread", part, wide, "ask", "far wider than usual", expected=expected)


def check_frozen(rows: Rows, columns: tuple[str, ...], found: Findings) -> None:
    """Flag rows that repeat themselves at one time after another."""
    if len(rows) < _REPEATS:
        return
    same = np.ones(len(rows), dtype=np.bool_)
    for name in columns:
        each = rows.columns[name]
        same[1:] &= (each[1:] == each[:-1]) | (np.isnan(each[1:]) & np.isnan(each[:-1]))
    same[0] = False
    first = np.flatnonzero(np.r_[True, np.diff(rows.ts) != 0])
    still = np.logical_and.reduceat(same, first)  # by time: nothing changed in any of its rows
    usual = still[~in_runs(still, _REPEATS)]  # a frozen feed must not say what is usual
    longest = max(_REPEATS, _CLUSTERED * chance_run(usual[1:]))
    stale = in_runs(still, int(np.ceil(min(longest, len(still) + 1))))
    counts = np.diff(np.r_[first, len(rows)])
    text = "repeats itself for longer than chance"
    found.add("stale", rows, np.repeat(stale, counts), columns[0], text)


def _away(level: Floats, usable: Bools) -> tuple[Bools, Floats]:
    """Rows off the medians before and after them, both on the same side; and what they were at."""
    shown = np.where(usable, level, np.nan)
    before = _median_before(shown)
    after = _median_before(shown[::-1])[::-1]
    down, up = shown - before, shown - after
    stray = np.where(np.sign(down) == np.sign(up), np.minimum(np.abs(down), np.abs(up)), 0.0)
    size = pl.Series(np.abs(down)).fill_nan(None)
    overall = float(size.median() or 0.0)  # type: ignore[arg-type]
    usual = size.rolling_median(_AROUND, min_samples=1, center=True).fill_null(overall).to_numpy()
    limit = np.maximum(_DEVIATIONS * _TO_DEVIATION * np.maximum(usual, overall / 2), _JUMP_LEAST)
    with np.errstate(invalid="ignore"):
        away: Bools = stray > limit
    return away, (before + after) / 2


def _median_before(level: Floats) -> Floats:
    series = pl.Series(level).fill_nan(None)
    found = series.rolling_median(_SIDE, min_samples=_LEAST).shift(1)
    median: Floats = found.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return median
