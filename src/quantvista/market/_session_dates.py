"""Which session a bar belongs to, and the date that the session is called by."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import ConfigError
from quantvista.market._calendar import sessions
from quantvista.market._continuous import calendar_zone

__all__ = ["session_dates", "session_ends"]

type Ints = NDArray[np.int64]
type Dates = NDArray[np.datetime64]

_SHORTEST_GAP_NS: Final = 20 * 3_600_000_000_000  # between the closes of two sessions


def session_dates(ts: Ints, calendar: str, time_zone: str) -> Dates:
    """Date of each bar's session. A close at midnight belongs to the day before.

    Parameters
    ----------
    ts : int64, shape (T,)
        Closes in UTC nanoseconds.
    calendar, time_zone : str
        Of the fund. Dates are read in the time zone, unless the calendar has one by its name.

    Returns
    -------
    datetime64[D], shape (T,)

    Examples
    --------
    >>> midnight = np.array(["2024-01-02"], "M8[ns]").astype("i8")
    >>> session_dates(midnight, "24/7", "Europe/Berlin").astype(str).tolist()
    ['2024-01-01']
    """
    stamps = pl.from_epoch(pl.Series(ts - 1, dtype=pl.Int64), time_unit="ns")
    zone = calendar_zone(calendar) or time_zone
    local = stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return local.dt.date().to_numpy().astype("M8[D]")


def session_ends(ts: Ints, calendar: str, time_zone: str) -> NDArray[np.bool_]:
    """Whether each bar is the last of its session.

    Sessions are those of the calendar; without one (or if bars lie outside its sessions), bars of
    one date are a session.

    Examples
    --------
    >>> hour = 3_600_000_000_000
    >>> session_ends(np.array([12, 24, 36]) * hour, "24/7", "UTC").tolist()
    [False, True, True]
    """
    if ts.size < 2 or int(np.diff(ts).min()) >= _SHORTEST_GAP_NS:
        return np.ones(ts.size, dtype=np.bool_)
    number = _numbers(ts, calendar)
    if number is None:
        number = session_dates(ts, calendar, time_zone).astype(np.int64)
    return np.append(number[1:] != number[:-1], True)


def _numbers(ts: Ints, calendar: str) -> Ints | None:
    """Find the session of each bar, ``open < ts <= close``; None where that is not known."""
    if not calendar:
        return None
    days = ts[[0, -1]].astype("M8[ns]").astype("M8[D]")
    week = np.timedelta64(7, "D")
    try:
        known = sessions(calendar, days[0] - week, days[1] + week)
    except ConfigError:  # a folder may come from where there are other calendars
        return None
    number = np.searchsorted(known.open_ns, ts, side="left").astype(np.int64) - 1
    inside = (number >= 0) & (ts <= known.close_ns[np.maximum(number, 0)])
    return number if bool(inside.all()) else None
