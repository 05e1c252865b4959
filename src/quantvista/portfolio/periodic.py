"""Returns by calendar month and over a rolling window."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from quantvista.portfolio.metrics import simple_returns

__all__ = ["MonthlyReturns", "monthly_returns", "rolling_sharpe", "rolling_volatility"]

type Floats = NDArray[np.float64]
type Dates = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class MonthlyReturns:
    """A year by month table.

    Parameters
    ----------
    years : tuple of int
        Every year from the first bar to the last.
    months : float64, shape (years, 12)
        Return of the month; NaN where there is none.
    totals : float64, shape (years,)
        Return of the year: its months compounded. Part years count as far as they go.
    """

    years: tuple[int, ...]
    months: Floats
    totals: Floats


def monthly_returns(dates: Dates, equity: Floats) -> MonthlyReturns:
    """Return of every calendar month, from the last bar of one month to the last of the next.

    Parameters
    ----------
    dates : datetime64[D], shape (bars,)
        Dates of the sessions, ascending.
    equity : float64, shape (bars,)
        Levels. The first month counts from the first bar. A month without a bar is NaN and its move
        falls into the month of the next bar.

    Examples
    --------
    >>> dates = np.array(["2020-01-31", "2020-02-03", "2020-02-28"], "M8[D]")
    >>> table = monthly_returns(dates, np.array([100.0, 104.0, 110.0]))
    >>> table.years, round(float(table.months[0, 1]), 4), round(float(table.totals[0]), 4)
    ((2020,), 0.1, 0.1)
    """
    if dates.size == 0:
        return MonthlyReturns((), np.empty((0, 12)), np.empty(0))
    month = dates.astype("M8[M]").astype(np.int64)
    last = np.flatnonzero(np.append(month[1:] != month[:-1], True))
    before = np.concatenate(([0], last[:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where(equity[before] > 0, equity[last] / equity[before], np.nan)
    first_year = int(month[0]) // 12
    years = int(month[-1]) // 12 - first_year + 1
    table = np.full((years, 12), np.nan)
    table[month[last] // 12 - first_year, month[last] % 12] = growth - 1.0
    if last[0] == 0:  # a first month of one bar has no return
        table[0, month[0] % 12] = np.nan
    totals = np.array([_compound(row) for row in table])
    return MonthlyReturns(tuple(range(1970 + first_year, 1970 + first_year + years)), table, totals)


def rolling_volatility(equity: Floats, window: int, periods: float) -> Floats:
    """Annualised standard deviation of the last `window` returns; NaN until there are as many."""
    return _rolling(equity, window)[1] * math.sqrt(periods)


def rolling_sharpe(equity: Floats, window: int, periods: float) -> Floats:
    """Annualised Sharpe ratio of the last `window` returns, by bar.

    NaN until there are as many returns, and where their volatility is zero.
    """
    mean, deviation = _rolling(equity, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(deviation > 1e-14, mean / deviation, np.nan) * math.sqrt(periods)


def _rolling(equity: Floats, window: int) -> tuple[Floats, Floats]:
    mean, deviation = np.full(equity.size, np.nan), np.full(equity.size, np.nan)
    returns = simple_returns(equity)
    if window < 2 or returns.size < window:
        return mean, deviation
    # Windows, not running sums: those cancel badly once a large return has passed through. In
    # blocks, so that a long history at one bar a minute does not need window times its memory.
    view = np.lib.stride_tricks.sliding_window_view(returns, window)
    edges = [*range(0, view.shape[0], 65_536), view.shape[0]]
    for start, stop in pairwise(edges):
        mean[window + start : window + stop] = view[start:stop].mean(axis=1)
        deviation[window + start : window + stop] = view[start:stop].std(axis=1, ddof=1)
    return mean, deviation


def _compound(months: Floats) -> float:
    known = months[np.isfinite(months)]
    return float(np.prod(1.0 + known) - 1.0) if known.size else math.nan
