"""Times of any notation: which one a column has, and what its values are in UTC nanoseconds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.importing._options import UNITS, ImportOptions
from quantvista.data.importing._zones import to_utc
from quantvista.errors import MarketDataError
from quantvista.market import CalendarReachError, sessions

__all__ = ["Time", "closes", "guess_time", "parse_time"]

_DAY_NS = 86_400 * 10**9
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d-%b-%Y", "%b %d, %Y", "%Y-%m")
_CLOCKS = ("", " %H:%M:%S%.f", " %H:%M", " %I:%M:%S %p", " %I:%M %p")
_EITHER = tuple(  # which of the two only the values can tell
    (month + clock, day + clock)
    for month, day in (("%m/%d/%Y", "%d/%m/%Y"), ("%m-%d-%Y", "%d-%m-%Y"))
    for clock in _CLOCKS
)
_LOCAL = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d %H:%M",
    "%Y.%m.%d %H:%M:%S",
    "%Y.%m.%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
)
_DIGITS: Mapping[int, str] = MappingProxyType({12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"})
_HOURS = ("%H", "%I", "%T", "%R")
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d|:\d\d(?:\.\d+)? ?[+-]\d\d)$"
_MIDNIGHT = r"[ T]00:00(?::00(?:\.0+)?)? ?(?:Z|[+-]\d\d(?::?\d\d)?)$"
_PLAUSIBLE = (10**17, 7 * 10**18)  # 1973 to 2191
_YEARS = (1678, 2261)  # which nanoseconds since 1970 hold
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
    if dtype.is_float():
        return _of_numbers(name, series.drop_nans().cast(pl.Int64, strict=False), options)
    if dtype != pl.String:
        return None
    text = series.drop_nulls().str.strip_chars()
    text = text.filter(text != "")
    if not len(text):
        return None
    if options.time_format is not None:
        pattern = options.time_format
        hours = any(mark in pattern for mark in _HOURS)
        form = "instant" if "%z" in pattern else "local" if hours else "date"
        fits = _written(text, pattern, form).is_not_null().any()
        return Time(name, form, pattern, zone) if fits else None
    count = r"-?\d+" if options.unit is not None else r"\d{9,19}"
    if _share(text.str.contains(rf"^{count}(\.\d+)?$")) >= _ENOUGH:
        whole = text.str.extract(rf"^({count})(?:\.\d+)?$")
        return _of_numbers(name, whole.cast(pl.Int64, strict=False), options)
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
    pattern = _DIGITS.get(len(str(middle)))
    if pattern is not None:  # before milliseconds: those of 1976 have 12 digits too
        stamps = _written(known.cast(pl.String), pattern, "local")
        if _share(stamps.is_not_null()) >= _ENOUGH:
            form = "date" if _is_midnight(stamps) else "local"
            return Time(name, form, pattern, options.time_zone or "UTC")
    for unit, scale in UNITS.items():
        if _PLAUSIBLE[0] <= middle * scale <= _PLAUSIBLE[1]:
            return Time(name, "number", unit=unit)
    return None


def _of_text(name: str, text: pl.Series, zone: str, where: str) -> Time | None:
    for pattern in _DATES:
        if _fits(text, pattern, "date") >= _ENOUGH:
            return Time(name, "date", pattern)
    for pair in _EITHER:
        form = "local" if ":" in pair[0] else "date"
        month, day = (_written(text, pattern, form) for pattern in pair)
        if _share(month.is_not_null() | day.is_not_null()) >= _ENOUGH:
            found = pair[_month_first(name, text, (month, day), pair, where)]
            whole = form == "date" or _is_midnight(_written(text, found, form))
            return Time(name, "date" if whole else "local", found, zone)
    zoned = _share(text.str.contains(_OFFSET))
    if zoned >= 0.5:
        for pattern in _LOCAL:
            if _fits(text, f"{pattern}%z", "instant") >= 0.5:
                midnight = text.filter(text.str.contains(_MIDNIGHT))
                form = "date" if len(midnight) == len(text) else "instant"
                return Time(name, form, f"{pattern}%z")
        return None
    for pattern in _LOCAL:
        if _fits(text, pattern, "local") >= _ENOUGH:
            whole = _is_midnight(_written(text, pattern, "local"))
            return Time(name, "date" if whole else "local", pattern, zone)
    return None


def _month_first(
    name: str,
    text: pl.Series,
    read: tuple[pl.Series, pl.Series],
    pair: tuple[str, str],
    where: str,
) -> int:
    """0 if months come first, 1 if days do; refused where the values do not tell."""
    month, day = (each.is_not_null() for each in read)
    say = f"say --time-format '{pair[0]}' or '{pair[1]}'"
    rule = f"{where}: column '{name}' must say which is the month; found"
    only_month, only_day = text.filter(month & ~day), text.filter(day & ~month)
    if len(only_month) and len(only_day):
        raise MarketDataError(f"{rule} {only_month[0]!r} beside {only_day[0]!r}: {say}")
    if not len(only_month) and not len(only_day):
        first = text.filter(month)[0]
        raise MarketDataError(f"{rule} {first!r} and no day after the 12th: {say}")
    return 0 if len(only_month) else 1


def _is_midnight(stamps: pl.Series) -> bool:
    known = stamps.drop_nulls()
    return bool((known.dt.truncate("1d") == known).all())


def _fits(text: pl.Series, pattern: str, form: str) -> float:
    return _share(_written(text, pattern, form).is_not_null())


def _written(text: pl.Series, pattern: str, form: str) -> pl.Series:
    """Read text by a pattern; null where it is not written so, or of a year of two digits."""
    dtype: pl.Date | pl.Datetime = pl.Date() if form == "date" else pl.Datetime("us")
    if form == "instant":
        text, dtype = _plain_offset(text), pl.Datetime("us", "UTC")
    try:
        found = text.str.strptime(dtype, pattern, strict=False)
    except pl.exceptions.PolarsError:
        return pl.Series([None], dtype=dtype).new_from_index(0, len(text))
    return found.set(~found.dt.year().is_between(*_YEARS).fill_null(True), None)


def _plain_offset(text: pl.Series) -> pl.Series:
    """Write offsets as +0200."""
    text = text.str.replace(r"Z$", "+0000").str.replace(r"([+-]\d\d):(\d\d)$", "$1$2")
    text = text.str.replace(r"(:\d\d(?:\.\d+)? ?[+-]\d\d)$", "${1}00")
    return text.str.replace(r" ([+-]\d{4})$", "$1")


def _share(flags: pl.Series) -> float:
    return float(flags.fill_null(False).mean() or 0.0)  # type: ignore[arg-type]


def parse_time(
    frame: pl.DataFrame, time: Time, whose: pl.Series | None = None, once: bool = False
) -> tuple[pl.Series, pl.Series]:
    """Read the times of a batch.

    Parameters
    ----------
    frame : polars.DataFrame
        The batch.
    time : Time
        How they are written.
    whose, once : polars.Series or None, bool
        As of `to_utc`.

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
    elif series.dtype.is_float() and time.form != "number":
        series = series.cast(pl.Int64, strict=False)
    unclear: pl.Series | None = None
    if time.of_day:
        ms = frame[time.of_day].cast(pl.Float64, strict=False)
        inside = (ms >= 0) & (ms < _DAY_NS / 10**6) & (ms == ms.round(0))
        ns = _days(series, time) * _DAY_NS + ms.cast(pl.Int64, strict=False) * 10**6
        local = ns.cast(pl.Datetime("ns")).set(~inside.fill_null(False), None)
        found, unclear = to_utc(local, time.zone, whose, once)
        reason = f"'{time.column}' and '{time.of_day}' are no time of {time.zone}"
    elif time.form == "date":
        found, reason = _days(series, time), f"'{time.column}' is no date {time.pattern}".rstrip()
    elif time.form == "number":
        found, unclear, reason = _counted(series, time)
    elif time.form == "instant":
        found, reason = _instants(series, time), f"'{time.column}' is no time with a UTC offset"
    else:
        found, unclear = to_utc(_locals(series, time), time.zone, whose, once)
        reason = f"'{time.column}' is no time {time.pattern} that {time.zone} has".replace(
            "  ", " "
        )
    why = pl.lit(reason)
    if unclear is not None and unclear.any():
        why = pl.when(unclear).then(pl.lit(_unclear(time))).otherwise(why)
    why = pl.when(series.is_null()).then(pl.lit(f"'{time.column}' is empty")).otherwise(why)
    return found, pl.select(why).to_series()


def _unclear(time: Time) -> str:
    if time.form == "number":
        return (
            f"'{time.column}' is of 1970 or far off in {time.unit}, and of our time in another "
            "unit (--unit says one)"
        )
    return (
        f"'{time.column}' came twice when clocks of {time.zone} went back, and the rows are in no "
        "order that tells which (write an offset)"
    )


def _counted(series: pl.Series, time: Time) -> tuple[pl.Series, pl.Series, str]:
    """Nanoseconds since 1970; which of the counts are of another unit, by what comes out."""
    scale = UNITS[time.unit]
    digits = len(str(scale)) - 1
    part = pl.Series([0], dtype=pl.Int64).new_from_index(0, len(series))
    if series.dtype == pl.String:
        text = series.str.extract(r"^-?\d+\.(\d+)$").fill_null("").str.strip_chars_end("0")
        fits = series.str.contains(r"^-?\d+(\.\d*)?$") & (text.str.len_bytes() <= digits)
        part = ("0" + text.str.pad_end(digits, "0")).cast(pl.Int64, strict=False)
        part = (
            part * pl.select(pl.when(series.str.starts_with("-")).then(-1).otherwise(1)).to_series()
        )
        whole = series.str.extract(r"^(-?\d+)").cast(pl.Int64, strict=False).set(~fits, None)
    elif series.dtype.is_float():
        floor = series.floor()
        whole = floor.cast(pl.Int64, strict=False)
        fine = max(scale // 1000, 1)  # a double holds seconds of our time to the microsecond
        part = ((series - floor) * (scale // fine)).round(0).cast(pl.Int64, strict=False) * fine
    else:
        whole = series.cast(pl.Int64, strict=False)
    whole = whole.set(~whole.is_between(-(2**62) // scale, 2**63 // scale - 1), None)
    found = whole * scale + part
    odd = ~found.is_between(*_PLAUSIBLE)
    other = pl.Series([False]).new_from_index(0, len(series))
    for each in UNITS.values():
        if each != scale:
            other = other | whole.is_between(_PLAUSIBLE[0] // each, _PLAUSIBLE[1] // each)
    unclear = (odd & other).fill_null(False)
    reason = f"'{time.column}' is no number of {time.unit} since 1970"
    return found.set(unclear, None), unclear, reason


def _instants(series: pl.Series, time: Time) -> pl.Series:
    if series.dtype == pl.String:
        text = _plain_offset(series)
        return text.str.strptime(pl.Datetime("ns", "UTC"), time.pattern, strict=False).to_physical()
    return series.dt.cast_time_unit("ns").to_physical()


def _locals(series: pl.Series, time: Time) -> pl.Series:
    if series.dtype.is_integer():
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        return series.str.strptime(pl.Datetime("ns"), time.pattern, strict=False)
    return series.dt.cast_time_unit("ns")


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
    elif dtype.is_integer() and not any(mark in time.pattern for mark in _HOURS):
        days = series.cast(pl.String).str.to_date("%Y%m%d", strict=False)
    elif "%z" in time.pattern:
        written = re.split("[ T]", time.pattern)[0]
        days = series.str.extract("^([^ T]+)").str.to_date(written, strict=False)
        days = days.set(~series.str.contains(_MIDNIGHT).fill_null(True), None)
    elif any(mark in time.pattern for mark in _HOURS):
        stamps = series.cast(pl.String).str.strptime(pl.Datetime("us"), time.pattern, strict=False)
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
