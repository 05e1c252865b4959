"""Calendars of markets that do not close for the night: days of a zone, and the currency week."""

import re
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import ConfigError

__all__ = ["CURRENCY_WEEK", "boundaries", "calendar_zone", "continuous_days", "continuous_parts"]

CURRENCY_WEEK = "FX"
"""Name of the calendar of currencies."""

_ZONED = re.compile(r"24/7@([A-Za-z0-9_+/-]{1,40})(?: (\d\d):(\d\d))?")
_NEW_YORK = "America/New_York"
_CLOSE_MINUTES = 17 * 60
_CLOSED = ("01-01", "12-25")  # on which banks are shut everywhere
_UTC_DAYS = frozenset({"24/7", "24/5"})
_HOUR_NS = 3_600 * 10**9
_DAY = np.timedelta64(1, "D")

type Days = NDArray[np.datetime64]
type Ints = NDArray[np.int64]


def calendar_zone(name: str) -> str | None:
    """Time zone that a calendar's dates are of by its name, where the fund's does not matter.

    Parameters
    ----------
    name : str
        As of `sessions`.

    Returns
    -------
    str or None
        None for exchanges, whose dates are read in the zone of the fund.

    Examples
    --------
    >>> calendar_zone("24/7"), calendar_zone("FX"), calendar_zone("24/7@Asia/Tokyo")
    ('UTC', 'America/New_York', 'Asia/Tokyo')
    """
    if name in _UTC_DAYS:
        return "UTC"
    found = continuous_parts(name)
    return None if found is None else found[0]


@lru_cache(maxsize=64)
def continuous_parts(name: str) -> tuple[str, int] | None:
    """Read the zone and the minute at which days end from a name; None of other calendars.

    Raises
    ------
    ConfigError
        If there is no such zone, or no such time of day.
    """
    if name == CURRENCY_WEEK:
        return _NEW_YORK, _CLOSE_MINUTES
    if name == "24/7":
        return "UTC", 0
    if not name.startswith("24/7@"):
        return None
    found = _ZONED.fullmatch(name)
    hour, minute = (0, 0) if found is None else (int(found[2] or 0), int(found[3] or 0))
    if found is None or hour > 23 or minute > 59:
        raise ConfigError(
            "`calendar` must be like 24/7@Europe/Berlin or 24/7@America/New_York 17:00; "
            f"found {name[:60]!r}"
        )
    try:
        pl.Series([0]).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(found[1])
    except pl.exceptions.PolarsError:
        raise ConfigError(
            f"`calendar` must name an IANA time zone such as Europe/Berlin; found {found[1]!r}"
        ) from None
    return found[1], hour * 60 + minute


def boundaries(days: Days, zone: str, minutes: int) -> Ints:
    """Find the instants of a time of day.

    Parameters
    ----------
    days : datetime64[D], shape (n,)
        Dates.
    zone : str
        IANA name.
    minutes : int
        Since midnight, by the clock on the wall.

    Returns
    -------
    int64, shape (n,)
        UTC nanoseconds. Of a time that comes twice the first; a time that daylight saving skips
        is one hour later.

    Examples
    --------
    >>> days = np.array(["2024-03-08", "2024-03-10"], "M8[D]")
    >>> ends = boundaries(days, "America/New_York", 17 * 60).astype("M8[ns]")
    >>> ends.astype("M8[h]").astype(str).tolist()
    ['2024-03-08T22', '2024-03-10T21']
    """
    wall = days.astype(np.int64) * (24 * _HOUR_NS) + minutes * (_HOUR_NS // 60)
    local, later = (
        pl.Series(each)
        .cast(pl.Datetime("ns"))
        .dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        .to_physical()
        for each in (wall, wall + _HOUR_NS)
    )
    return local.fill_null(later).to_numpy()


def continuous_days(
    name: str, first: np.datetime64, last: np.datetime64
) -> tuple[Days, Ints, Ints]:
    """Dates, opens and closes of a calendar that `continuous_parts` knows.

    Parameters
    ----------
    name : str
        The calendar.
    first, last : datetime64[D]
        Dates, both included.

    Returns
    -------
    (datetime64[D], int64, int64), shape (n,) each
        A day that ends at midnight has the date that it had; one that ends at another time, the
        date on which it ends.
    """
    parts = continuous_parts(name)
    assert parts is not None, "the caller has looked"
    zone, minutes = parts
    labels = np.arange(first, last + _DAY)
    ends = boundaries(np.arange(first - _DAY, last + 2 * _DAY), zone, minutes)
    opens, closes = (ends[1:-1], ends[2:]) if minutes == 0 else (ends[:-2], ends[1:-1])
    if name != CURRENCY_WEEK:
        return labels, opens, closes
    weekday = (labels.astype(np.int64) + 3) % 7  # Monday is 0
    shut = np.isin(np.array([str(day)[5:] for day in labels]), _CLOSED)
    traded = (weekday < 5) & ~shut
    return labels[traded], opens[traded], closes[traded]
