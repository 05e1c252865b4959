"""Closes as of a row, so that one missing bar does not change a decision."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["RECENT_BARS", "recent_close"]

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
