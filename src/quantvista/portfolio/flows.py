"""Returns of a fund that money is paid into and taken out of."""

import math

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import ConfigError

__all__ = ["money_weighted_return", "time_weighted_index"]

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

_YEAR_NS = 365.25 * 86_400e9


def time_weighted_index(ts: Ints, equity: Floats, flow_ts: Ints, flow: Floats) -> Floats:
    """Chain the returns between rows, each on what the fund had after the flows before it.

    Parameters
    ----------
    ts : int64, shape (rows,)
        UTC nanoseconds, ascending.
    equity : float64, shape (rows,)
        Equity after everything at that time.
    flow_ts : int64, shape (flows,)
        When money came or went; flows at or before the first row are in its equity.
    flow : float64, shape (flows,)
        Positive was paid in.

    Returns
    -------
    float64, shape (rows,)
        Starts at the first equity; NaN from where the fund had nothing. Without flows it is the
        equity itself, to the last bit.

    Notes
    -----
    A flow counts at the beginning of its interval, the time from the row before it: exact for flows
    that come before the market moves, as those of a fund file do.

    Examples
    --------
    >>> ts, equity = np.array([1, 2, 3]), np.array([100.0, 210.0, 231.0])
    >>> index = time_weighted_index(ts, equity, np.array([2]), np.array([100.0]))
    >>> [round(each, 6) for each in index.tolist()]
    [100.0, 105.0, 115.5]
    """
    if not flow_ts.size:
        return equity
    paid = np.zeros(ts.size)
    row = np.searchsorted(ts, flow_ts, side="left")
    inside = (row > 0) & (row < ts.size)
    np.add.at(paid, row[inside], flow[inside])
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = equity[1:] / (equity[:-1] + paid[1:])
    growth[~((equity[:-1] + paid[1:]) > 0)] = math.nan
    index: Floats = np.cumprod(np.concatenate([equity[:1], growth]))
    return index


def money_weighted_return(
    start: int, end: int, equity: tuple[float, float], flow_ts: Ints, flow: Floats
) -> float:
    """Find the rate a year at which all that was paid in grows to what there is at the end.

    Parameters
    ----------
    start, end : int
        UTC nanoseconds.
    equity : (float, float)
        At the start and at the end.
    flow_ts : int64, shape (flows,)
        When money came or went; flows outside ``(start, end]`` do not count.
    flow : float64, shape (flows,)
        Positive was paid in.

    Returns
    -------
    float
        Effective, a year of 365.25 days; NaN where there is no such rate above -100 %, or where
        more than one could be.

    Raises
    ------
    ConfigError
        If it does not end after it starts.

    Notes
    -----
    The internal rate of return, by bisection. It is unique while the balance stays positive
    along the way, which is checked at the rate found.

    Examples
    --------
    >>> year = int(365.25 * 86_400e9)
    >>> none = np.empty(0, np.int64), np.empty(0)
    >>> round(money_weighted_return(0, year, (100.0, 110.0), *none), 6)
    0.1
    """
    if end <= start:
        raise ConfigError(f"`end` must be after `start`; found {end} and {start}")
    inside = (flow_ts > start) & (flow_ts <= end)
    when = np.concatenate([[0.0], (flow_ts[inside] - start) / _YEAR_NS])
    paid = np.concatenate([[equity[0]], flow[inside]])
    years = (end - start) / _YEAR_NS

    def left_over(rate: float) -> float:
        return float(np.sum(paid * (1.0 + rate) ** (years - when))) - equity[1]

    low, high = -0.999999, 1e6
    if not (left_over(low) < 0.0 < left_over(high)):
        return math.nan
    for _ in range(200):
        middle = math.expm1((math.log1p(low) + math.log1p(high)) / 2)
        if left_over(middle) < 0.0:
            low = middle
        else:
            high = middle
    balance, at = 0.0, 0.0
    for moment, amount in zip(when.tolist(), paid.tolist(), strict=True):
        balance = balance * (1.0 + high) ** (moment - at) + amount
        at = moment
        if balance <= 0.0:
            return math.nan
    return (low + high) / 2
