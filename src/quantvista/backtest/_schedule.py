"""When portfolio strategies decide."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.backtest._sessions import session_dates

__all__ = ["decision_rows"]

_PERIODS = {"daily": "1d", "week_end": "1w", "month_end": "1mo", "quarter_end": "1q"}


def decision_rows(
    ts: NDArray[np.int64],
    session_end: NDArray[np.bool_],
    rebalance: str,
    calendar: str,
    time_zone: str,
) -> NDArray[np.bool_]:
    """Rows after whose close the sleeves decide: the last session of each period.

    Parameters
    ----------
    ts : int64, shape (T,)
        Closes in UTC nanoseconds, with every session of the calendar, so that a session is seen
        to be the last of its month from the calendar alone.
    session_end : bool, shape (T,)
        Only these rows can decide.
    rebalance : {"daily", "week_end", "month_end", "quarter_end"}
        How often.
    calendar, time_zone : str
        Of the fund, by which a session's date is read.

    Returns
    -------
    bool, shape (T,)
        Never true on the last row: nothing could be filled after it.

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> ts, ends = np.arange(1, 41) * day, np.ones(40, bool)
    >>> decision_rows(ts, ends, "month_end", "24/7", "UTC").nonzero()[0]
    array([30])
    """
    rows = np.flatnonzero(session_end)
    date = pl.Series(session_dates(ts[rows], calendar, time_zone))
    period = date.dt.truncate(_PERIODS[rebalance]).to_numpy()
    flags = np.zeros(len(ts), dtype=np.bool_)
    flags[rows[:-1]] = period[1:] != period[:-1]
    return flags
