"""Times of any notation: which one a column has, and what its values are in UTC nanoseconds."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.importing._options import UNITS, ImportOptions
from quantvista.errors import MarketDataError
from quantvista.market import CalendarReachError, sessions

__all__ = ["Time", "closes", "guess_time", "parse_time"]

_DAY_NS = 86_400 * 10**9
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d-%b-%Y", "%b %d, %Y", "%Y-%m")
_EITHER = ("%m/%d/%Y", "%d/%m/%Y")  # which of the two only the values can tell
_LOCAL = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d %H:%M",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
)
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"
_ENOUGH = 0.8  # of the sample must fit; the rest is rejected row by row


@dataclass(frozen=True, slots=True)
class Time:
    """How the times of a column are written.

    Parameters
    ----------
    column : str
        The file's name.
    form : {"date", "instant", "local", "number"}
        A day; an instant with its offset; a time of some zone; a count since 1970.
    pattern : str
        Of text, in the notation of ``strftime``; empty where the type says it.
    zone : str
        Of local times.
    unit : str
        Of numbers.
    of_day : str
        Column of milliseconds since the midnight of the date, as LEAN has it; empty for none.
    beside : str
        Column of text with the time of day beside one with the date; empty for none.
    """

    column: str
    form: str
    pattern: str = ""
    zone: str = "UTC"
    unit: str = "ns"
    of_day: str = ""
    beside: str = ""

    def words(self) -> str:
        """Say it."""
        text = f"column '{self.column}'" + (f" and '{self.beside}'" if self.beside else "")
        if self.of_day:
            return f"{text} and milliseconds '{self.of_day}' of a day in {self.zone}"
        if self.form == "number":
            return f"{text}, {self.unit} since 1970 UTC"
        pattern = f" written {self.pattern}" if self.pattern else ""
        if self.form == "date":
            return f"{text}, dates{pattern}"
        if self.form == "instant":
            return f"{text}, instants with their offset{pattern}"
        return f"{text}, times of {self.zone}{pattern}"


def guess_time(series: pl.Series, options: ImportOptions, where: str) -> Time | None:
    """Tell how times are written, by a sample of them.

    Parameters
    ----------
    series : polars.Series
        The sample.
    options : ImportOptions
        What was said of it.
    where : str
        The file.

    Returns
    -------
    Time or None
        None if these are no times.

    Raises
    ------
    MarketDataError
        If days and months cannot be told apart.
    """
    name, dtype, zone = series.name, series.dtype, options.time_zone or "UTC"
    if dtype == pl.Date:
        return Time(name, "date")
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return Time(name, "instant")
        known = series.drop_nulls()
        midnight = len(known) > 0 and bool((known.dt.truncate("1d") == known).all())
        return Time(name, "date") if midnight else Time(name, "local", zone=zone)
    if dtype.is_integer():
        return _of_numbers(name, series, options)
    if dtype != pl.String:
        return None
    text = series.drop_nulls().str.strip_chars()
    text = text.filter(text != "")
    if not len(text):
        return None
    if options.time_format is not None:
        form = "instant" if "%z" in options.time_format else "date"
        if any(mark in options.time_format for mark in ("%H", "%I", "%T")) and form == "date":
            form = "local"
        return Time(name, form, options.time_format, zone)
    if _share(text.str.contains(r"^\d{9,19}$")) >= _ENOUGH:
        return _of_numbers(name, text.cast(pl.Int64, strict=False), options)
    return _of_text(name, text, zone, where)


def _of_numbers(name: str, series: pl.Series, options: ImportOptions) -> Time | None:
    known = series.drop_nulls()
    if not len(known):
        return None
    middle = int(cast("float", known.median()))
    if options.unit is not None:
        return Time(name, "number", unit=options.unit)
    if 19_000_101 <= middle <= 21_991_231:
        return Time(name, "date", "%Y%m%d")
    for unit, scale in UNITS.items():  # seconds first: 1973 to 2191 in each
        if 10**17 <= middle * scale <= 7 * 10**18:
            return Time(name, "number", unit=unit)
    return None


def _of_text(name: str, text: pl.Series, zone: str, where: str) -> Time | None:
    for pattern in _DATES:
        if _fits(text, pattern, pl.Date()) >= _ENOUGH:
            return Time(name, "date", pattern)
    either = [pattern for pattern in _EITHER if _fits(text, pattern, pl.Date()) == 1]
    if len(either) == 2:
        raise MarketDataError(
            f"{where}: column '{name}' must say which is the month; found {text[0]!r} and no day "
            "after the 12th: say --time-format %m/%d/%Y or %d/%m/%Y"
        )
    if either:
        return Time(name, "date", either[0])
    zoned = _share(text.str.contains(_OFFSET))
    if zoned >= 0.5:
        plain = text.str.replace(r"Z$", "+0000").str.replace(r"([+-]\d\d):(\d\d)$", "$1$2")
        plain = plain.str.replace(r" ([+-]\d{4})$", "$1")
        for pattern in _LOCAL:
            if _fits(plain, f"{pattern}%z", pl.Datetime("us", "UTC")) >= 0.5:
                midnight = text.filter(text.str.contains(r"[ T]00:00:00(\.0+)?" + _OFFSET))
                form = "date" if len(midnight) == len(text) else "instant"
                return Time(name, form, f"{pattern}%z")
        return None
    for pattern in _LOCAL:
        if _fits(text, pattern, pl.Datetime("us")) >= _ENOUGH:
            stamps = text.str.to_datetime(pattern, strict=False).drop_nulls()
            whole = bool((stamps.dt.truncate("1d") == stamps).all())
            return Time(name, "date" if whole else "local", pattern, zone)
    return None


def _fits(text: pl.Series, pattern: str, dtype: pl.Date | pl.Datetime) -> float:
    try:
        return _share(text.str.strptime(dtype, pattern, strict=False).is_not_null())
    except pl.exceptions.PolarsError:
        return 0.0


def _share(flags: pl.Series) -> float:
    return float(flags.fill_null(False).mean() or 0.0)  # type: ignore[arg-type]


def parse_time(frame: pl.DataFrame, time: Time) -> tuple[pl.Series, pl.Series]:
    """Read the times of a batch.

    Parameters
    ----------
    frame : polars.DataFrame
        The batch.
    time : Time
        How they are written.

    Returns
    -------
    (polars.Series of int64, polars.Series of str)
        Days since 1970 for dates, UTC nanoseconds for the others, null where unreadable; and then
        why.
    """
    series = frame[time.column]
    if time.beside:
        series = series.cast(pl.String) + " " + frame[time.beside].cast(pl.String)
    if series.dtype == pl.String:
        series = series.str.strip_chars()
        series = series.set(series == "", None)
    found, reason = _values(series, time)
    if time.of_day:
        ms = frame[time.of_day].cast(pl.Float64, strict=False)
        inside = (ms >= 0) & (ms < _DAY_NS / 10**6) & (ms == ms.round(0))
        local = (found * _DAY_NS + ms.cast(pl.Int64, strict=False) * 10**6).cast(pl.Datetime("ns"))
        local = local.set(~inside.fill_null(False), None)
        found = _to_utc(local, time.zone)
        reason = f"'{time.column}' and '{time.of_day}' are no time of {time.zone}"
    missing = pl.select(
        pl.when(series.is_null())
        .then(pl.lit(f"'{time.column}' is empty"))
        .otherwise(pl.lit(reason))
    ).to_series()
    return found, missing


def _values(series: pl.Series, time: Time) -> tuple[pl.Series, str]:
    dtype = series.dtype
    if time.form == "date":
        return _days(series, time), f"'{time.column}' is no date {time.pattern}".rstrip()
    if time.form == "number":
        whole = series.cast(pl.Int64, strict=False)
        scale = UNITS[time.unit]
        whole = whole.set(~whole.is_between(-(2**62) // scale, 2**63 // scale - 1), None)
        return whole * scale, f"'{time.column}' is no whole number of {time.unit} since 1970"
    if time.form == "instant":
        if dtype == pl.String:
            text = series.str.replace(r"Z$", "+0000").str.replace(r"([+-]\d\d):(\d\d)$", "$1$2")
            text = text.str.replace(r" ([+-]\d{4})$", "$1")
            stamps = text.str.strptime(pl.Datetime("ns", "UTC"), time.pattern, strict=False)
            return stamps.to_physical(), f"'{time.column}' is no time with a UTC offset"
        return series.dt.cast_time_unit("ns").to_physical(), ""
    if dtype == pl.String:
        local = series.str.strptime(pl.Datetime("ns"), time.pattern, strict=False)
    else:
        local = series.dt.cast_time_unit("ns")
    reason = f"'{time.column}' is no time {time.pattern or ''} that {time.zone} has".replace(
        "  ", " "
    )
    return _to_utc(local, time.zone), reason


def _to_utc(local: pl.Series, zone: str) -> pl.Series:
    """UTC nanoseconds of local times; the first of the two that an hour back in autumn has."""
    utc = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return utc.to_physical()


def _days(series: pl.Series, time: Time) -> pl.Series:
    dtype = series.dtype
    if dtype == pl.Date:
        days = series
    elif isinstance(dtype, pl.Datetime):
        days = series.cast(pl.Date)
        days = days.set(
            days.cast(pl.Datetime("us"))
            != series.dt.replace_time_zone(None).dt.cast_time_unit("us"),
            None,
        )
    elif dtype.is_integer():
        days = series.cast(pl.String).str.to_date("%Y%m%d", strict=False)
    elif "%z" in time.pattern:
        days = series.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        days = days.set(
            ~series.str.contains(r"[ T]00:00:00(\.0+)?" + _OFFSET).fill_null(True), None
        )
    elif "%H" in time.pattern:
        stamps = series.str.strptime(pl.Datetime("us"), time.pattern, strict=False)
        days = stamps.cast(pl.Date)
        days = days.set(stamps != days.cast(pl.Datetime("us")), None)
    elif time.pattern == "%Y-%m":
        days = (series + "-01").str.to_date("%Y-%m-%d", strict=False)
    else:
        days = series.str.to_date(time.pattern, strict=False)
    whole = days.cast(pl.Int32).cast(pl.Int64)
    # Nanoseconds since 1970 hold the years 1678 to 2261.
    return whole.set(~whole.is_between(-106_000, 106_000), None)


def closes(days: pl.Series, calendar: str) -> NDArray[np.int64]:
    """UTC nanoseconds of the closes of sessions, -1 where a day is none.

    Parameters
    ----------
    days : polars.Series of int64
        Days since 1970, none missing.
    calendar : str
        Name of a calendar.

    Returns
    -------
    int64, shape (n,)
        In the order of the days.
    """
    if not len(days):
        return np.zeros(0, dtype=np.int64)
    wanted = days.to_numpy()
    first, last = (np.datetime64(int(day), "D") for day in (wanted.min(), wanted.max()))
    try:
        known = sessions(calendar, first, last)
    except CalendarReachError as error:
        if first > error.last or last < error.first:
            return np.full(len(wanted), -1, dtype=np.int64)
        known = sessions(calendar, max(first, error.first), min(last, error.last))
    labels = known.labels.astype(np.int64)
    if not len(labels):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(labels, wanted), len(labels) - 1)
    return np.where(labels[place] == wanted, known.close_ns[place], -1)
