"""When portfolio strategies decide."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["decision_rows"]

_PERIODS = {"daily": "1d", "week_end": "1w", "month_end": "1mo", "quarter_end": "1q"}


def decision_rows(
    ts: NDArray[np.int64], session_end: NDArray[np.bool_], rebalance: str, time_zone: str
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
    time_zone : str
        In which a session's date is read.

    Returns
    -------
    bool, shape (T,)
        Never true on the last row: nothing could be filled after it.

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> decision_rows(np.arange(1, 41) * day, np.ones(40, bool), "month_end", "UTC").nonzero()[0]
    array([30])
    """
    rows = np.flatnonzero(session_end)
    # A close at midnight belongs to the day before.
    date = (
        pl.from_epoch(pl.Series(ts[rows] - 1), time_unit="ns")
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone(time_zone)
        .dt.date()
    )
    period = date.dt.truncate(_PERIODS[rebalance]).to_numpy()
    flags = np.zeros(len(ts), dtype=np.bool_)
    flags[rows[:-1]] = period[1:] != period[:-1]
    return flags
