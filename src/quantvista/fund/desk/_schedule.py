"""When portfolio strategies decide."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import ConfigError
from quantvista.market import Sessions, session_dates, sessions

__all__ = ["DecisionSchedule", "decision_rows"]

_PERIODS = {"daily": "1d", "week_end": "1w", "month_end": "1mo", "quarter_end": "1q"}
_DAY = np.timedelta64(1, "D")
_AHEAD_DAYS = (31, 400)  # a calendar is asked for a month, and for more only where that is closed


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
    period = _periods(ts[rows], rebalance, calendar, time_zone)
    flags = np.zeros(len(ts), dtype=np.bool_)
    flags[rows[:-1]] = period[1:] != period[:-1]
    return flags


class DecisionSchedule:
    """The same for a fund that runs, one barrier at a time, with the calendar for what is to come.

    Parameters
    ----------
    rebalance : {"daily", "week_end", "month_end", "quarter_end"}
        How often.
    calendar, time_zone : str
        Of the fund.

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> schedule = DecisionSchedule("month_end", "24/7", "UTC")
    >>> schedule.decides(30 * day, True), schedule.decides(31 * day, True)
    (False, True)
    """

    def __init__(self, rebalance: str, calendar: str, time_zone: str) -> None:
        self._rebalance = rebalance
        self._calendar = calendar
        self._time_zone = time_zone
        self._known: Sessions | None = None

    def decides(self, ts: int, session_end: bool) -> bool:
        """Whether the sleeves decide after a barrier.

        Parameters
        ----------
        ts : int
            Of the barrier, UTC nanoseconds.
        session_end : bool
            Whether it ends its session; only then may it be.

        Raises
        ------
        ConfigError
            If the calendar does not reach as far as the session after it.
        """
        if not session_end:
            return False
        both = np.array([ts, self.next_close(ts)], dtype=np.int64)
        period = _periods(both, self._rebalance, self._calendar, self._time_zone)
        return bool(period[0] != period[1])

    def next_close(self, ts: int) -> int:
        """End of the first session that begins at a time or after it, UTC nanoseconds."""
        for days in _AHEAD_DAYS:
            if self._known is None or not self._reaches(self._known, ts):
                today = np.datetime64(ts, "ns").astype("M8[D]")
                self._known = sessions(self._calendar, today - 2 * _DAY, today + days * _DAY)
        assert self._known is not None, "it has been asked for"
        place = int(np.searchsorted(self._known.open_ns, ts))
        if place == len(self._known):
            raise ConfigError(
                f"`calendar` must have a session within {_AHEAD_DAYS[-1]} days; found none in "
                f"{self._calendar!r}"
            )
        return int(self._known.close_ns[place])

    @staticmethod
    def _reaches(known: Sessions, ts: int) -> bool:
        return bool(len(known)) and int(known.open_ns[0]) <= ts <= int(known.open_ns[-1])


def _periods(
    ts: NDArray[np.int64], rebalance: str, calendar: str, time_zone: str
) -> NDArray[np.generic]:
    """Period that each session, by its close, is of."""
    date = pl.Series(session_dates(ts, calendar, time_zone))
    return date.dt.truncate(_PERIODS[rebalance]).to_numpy()
