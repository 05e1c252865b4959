"""Closes as of a row, so that one missing bar does not change a decision.

Features leave missing bars out, so that their windows reach further back; the windows of the
shipped strategies are counted in rows. So they compute their features on `carried` closes, and
take no view where a close that they go by is not recent.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["RECENT_BARS", "carried", "delayed", "recent_close"]

RECENT_BARS = 5
"""A close counts for this many rows, its own included; after that the instrument has none."""


def recent_close(close: NDArray[np.float64], row: int) -> NDArray[np.float64]:
    """Last close of each instrument as of a row, at most `RECENT_BARS` rows old.

    Parameters
    ----------
    close : float64, shape (bars, n)
        Prices, NaN where there is no bar.
    row : int
        Index of the row, from 0; negative counts from the end. The ``RECENT_BARS - 1`` rows
        before it must exist, so that the answer does not depend on where the panel starts.

    Returns
    -------
    float64, shape (n,)
        NaN where none of these rows has a close.

    Examples
    --------
    >>> nan = float("nan")
    >>> close = np.array([[1.0, nan], [2.0, nan], [3.0, nan], [4.0, nan], [nan, nan]])
    >>> recent_close(close, 4)
    array([ 4., nan])
    """
    last = row if row >= 0 else len(close) + row
    assert RECENT_BARS - 1 <= last < len(close), "row must have RECENT_BARS - 1 rows before it"
    found: NDArray[np.float64] = close[last].copy()
    for back in range(1, RECENT_BARS):
        np.copyto(found, close[last - back], where=np.isnan(found))
    return found


def carried(close: NDArray[np.float64]) -> NDArray[np.float64]:
    """Carry closes forward over all missing bars; NaN before the first.

    Parameters
    ----------
    close : float64, shape (bars, n)
        Prices, NaN where there is no bar.

    Returns
    -------
    float64, shape (bars, n)
        Where there is a `recent_close`, it is that.

    Examples
    --------
    >>> carried(np.array([[np.nan], [2.0], [np.nan], [3.0]]))[:, 0]
    array([nan,  2.,  2.,  3.])
    """
    missing = np.isnan(close)
    if not missing.any():
        return close
    rows = np.where(missing, 0, np.arange(len(close))[:, None])
    found: NDArray[np.float64] = np.take_along_axis(
        close, np.maximum.accumulate(rows, axis=0), axis=0
    )
    return found


def delayed(column: str, bars: int) -> str:
    """Write a column some bars ago as an expression.

    Examples
    --------
    >>> delayed("close", 21), delayed("close", 0)
    ('delay(close, 21)', 'close')
    """
    return f"delay({column}, {bars})" if bars else column
