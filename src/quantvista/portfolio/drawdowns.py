"""Drawdowns: how far below its highest level an equity curve fell, and for how long."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Drawdown", "drawdown_curve", "drawdowns"]

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

_DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One fall below the highest level so far, until that level is reached again.

    Parameters
    ----------
    start, trough, recovery : int
        Bar numbers: the last bar at the peak, the lowest one, and the first one back at the peak's
        level (None while it is not).
    depth : float
        Return from peak to trough, negative.
    days : int
        Calendar days from the peak to the recovery, or to the last bar.
    """

    start: int
    trough: int
    recovery: int | None
    depth: float
    days: int


def drawdown_curve(equity: Floats) -> Floats:
    """Return of each bar against the highest level so far; zero at a peak.

    Examples
    --------
    >>> drawdown_curve(np.array([100.0, 80.0, 120.0])).tolist()
    [0.0, -0.19999999999999996, 0.0]
    """
    peak = np.maximum.accumulate(equity)
    return np.divide(equity, peak, out=np.ones_like(equity), where=peak > 0) - 1.0


def drawdowns(ts: Ints, equity: Floats) -> list[Drawdown]:
    """Find every drawdown, deepest first; of equal depths the earlier comes first.

    Parameters
    ----------
    ts : int64, shape (bars,)
        UTC nanoseconds, strictly increasing.
    equity : float64, shape (bars,)
        Finite, positive at the start.

    Returns
    -------
    list of Drawdown
        Disjoint in time; empty if the curve never fell.

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> worst = drawdowns(np.arange(4) * day, np.array([100.0, 80.0, 120.0, 90.0]))
    >>> [(d.start, d.trough, d.recovery, round(d.depth, 2), d.days) for d in worst]
    [(2, 3, None, -0.25, 1), (0, 1, 2, -0.2, 2)]
    """
    curve = drawdown_curve(equity)
    below = np.concatenate(([False], curve < 0, [False]))
    edges = np.flatnonzero(below[1:] != below[:-1])
    found = []
    for first, after in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
        trough = first + int(np.argmin(curve[first:after]))
        recovered = after < equity.size
        end = after if recovered else equity.size - 1
        days = round((int(ts[end]) - int(ts[first - 1])) / _DAY_NS)
        depth = float(curve[trough])
        found.append(Drawdown(first - 1, trough, after if recovered else None, depth, days))
    return sorted(found, key=lambda each: (each.depth, each.start))
