"""When a universe is decided, and from when the decision holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantvista.market import CalendarReachError, Sessions, sessions

__all__ = ["Schedule", "make_schedule"]

_DAY_NS = 86_400 * 10**9
_AHEAD = np.timedelta64(
    500, "D"
)  # until the end of the quarter of the last bar, and the longest lag after it
_PERIODS = {"daily": "D", "week": "W", "month": "M", "quarter": "M"}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Sessions, and those that decide.

    Parameters
    ----------
    close_ns : int64, shape (S,)
        Ends of the sessions, UTC nanoseconds.
    rows : int64, shape (k,)
        Sessions at whose end it is decided.
    effective : int64, shape (k,)
        From when each decision holds: the end of a session.
    """

    close_ns: NDArray[np.int64]
    rows: NDArray[np.int64]
    effective: NDArray[np.int64]


def make_schedule(
    calendar: str, first: int, last: int, rebalance: str, session: str, lag: int
) -> Schedule:
    """Find the sessions that decide.

    Parameters
    ----------
    calendar : str
        As of `sessions`.
    first, last : int
        Between which there are bars, UTC nanoseconds.
    rebalance : {"daily", "week", "month", "quarter"}
        How often.
    session : {"first", "last"}
        Of each period.
    lag : int
        Sessions until it holds.

    Returns
    -------
    Schedule
        Of decisions from ``first`` to ``last``.

    Notes
    -----
    Which session is the last of its period is read from the calendar, which knows closings that
    nobody expected; ``first`` does not depend on them.
    """
    days = _sessions(calendar, first, last)
    labels = days.labels.astype(f"datetime64[{_PERIODS[rebalance]}]").astype(np.int64)
    if rebalance == "week":  # NumPy's weeks begin on Thursday, as 1970 did
        labels = (days.labels.astype(np.int64) + 3) // 7
    elif rebalance == "quarter":
        labels //= 3
    changes = labels[1:] != labels[:-1]
    flags = np.append(changes, False) if session == "last" else np.append(False, changes)
    close = days.close_ns
    flags &= (close >= first) & (close <= last)
    rows = np.flatnonzero(flags)
    rows = rows[rows + lag < len(close)]
    return Schedule(close, rows, close[rows + lag])


def _sessions(calendar: str, first: int, last: int) -> Sessions:
    """Sessions from some days before the first bar on, as far ahead as the calendar knows."""
    start = np.datetime64(first // _DAY_NS - 35, "D")  # a month, so that a first one is seen
    end = np.datetime64(last // _DAY_NS, "D")
    try:
        return sessions(calendar, start, end + _AHEAD)
    except CalendarReachError as error:
        return sessions(calendar, max(start, error.first), min(end + _AHEAD, error.last))
