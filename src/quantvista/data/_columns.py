"""Columns to numbers and instants, naming the row of whatever is neither."""

import math
import re
from decimal import Decimal
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data._read import Table
from quantvista.errors import MarketDataError

__all__ = ["dates", "instants", "numbers", "texts"]

_YEARS = "must lie in the years 1900 to 2199"
_DAY_FIRST, _DAY_LAST = -25_567, 84_005  # 1900-01-01 and 2199-12-31
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second
# Whole numbers are nanoseconds from 1973 on: earlier ones are more likely of another unit.
_PLAUSIBLE = (10**17, 8 * 10**18)
_DIGITS_SAFE = 15  # so many significant digits always survive in a double


def numbers(table: Table, column: str, *, exact: bool = False) -> NDArray[np.float64]:
    """Parse a column of numbers; empty and NaN are missing.

    Parameters
    ----------
    table : Table
        The file.
    column : str
        The file's name of the column.
    exact : bool
        Refuse a decimal with more digits than a double holds, instead of taking the nearest.

    Returns
    -------
    float64, shape (rows,)
        NaN where missing. Decimal literals give the nearest double. A float32 column is widened
        to the doubles nearest to its shortest decimals.

    Raises
    ------
    MarketDataError
        If something is not a finite number, or not exact.
    """
    series = table.frame[column]
    if series.dtype == pl.Float32 or isinstance(series.dtype, pl.Decimal):
        series = series.cast(pl.String)  # 12.3 must not become 12.300000190734863
    if series.dtype == pl.String:
        text = series.str.strip_chars()
        text = text.set(text == "", None)
        parsed = text.cast(pl.Float64, strict=False)
        _refuse(table, column, text, parsed.is_null() & text.is_not_null(), "must be a number")
    elif series.dtype.is_numeric():
        parsed = series.cast(pl.Float64)
    elif series.dtype == pl.Null:
        parsed = pl.Series(column, [None] * len(series), dtype=pl.Float64)
    else:
        found = f"found type {series.dtype}"
        raise MarketDataError(f"{table.where}: column '{column}' must hold numbers; {found}")
    _refuse(table, column, series, parsed.is_infinite().fill_null(False), "must be finite")
    if exact and series.dtype == pl.String:
        rule = f"must have at most {_DIGITS_SAFE} significant digits, or data.round_prices = true"
        _refuse(table, column, text, _inexact(text, parsed), rule)
    return cast("NDArray[np.float64]", parsed.fill_null(float("nan")).to_numpy())


def texts(table: Table, column: str) -> pl.Series:
    """Strings of a column, stripped; empty ones are refused.

    Parameters
    ----------
    table : Table
        The file.
    column : str
        The file's name of the column.

    Returns
    -------
    polars.Series
        Of strings.

    Raises
    ------
    MarketDataError
        If one is missing or the column holds no text.
    """
    series = table.frame[column]
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum):
        found = f"found type {series.dtype}"
        raise MarketDataError(f"{table.where}: column '{column}' must hold text; {found}")
    text = series.cast(pl.String).str.strip_chars().fill_null("")
    _refuse(table, column, text, text == "", "must not be empty")
    return text


def dates(table: Table, column: str) -> NDArray[np.int64]:
    """Days since 1970 of a column of dates.

    Parameters
    ----------
    table : Table
        The file.
    column : str
        The file's name of the column; ISO text, dates, or midnights without time zone.

    Returns
    -------
    int64, shape (rows,)
        Days.

    Raises
    ------
    MarketDataError
        If one is missing or is not a date.
    """
    series = table.frame[column]
    if series.dtype == pl.String:
        text = series.str.strip_chars().fill_null("")
        parsed = text.str.to_date("%Y-%m-%d", strict=False)
        bad = parsed.is_null() | (parsed.cast(pl.String) != text)
        _refuse(table, column, text, bad, "must be an ISO date such as 2024-01-31")
    elif isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone is not None:
            raise MarketDataError(
                f"{table.where}: column '{column}' holds instants, not dates; "
                f'set data.columns = {{ ts = "{column}" }}'
            )
        parsed = series.cast(pl.Date)
        bad = (parsed.cast(series.dtype) != series).fill_null(True)
        _refuse(table, column, series, bad, "must be a date; times need a time zone")
    elif series.dtype == pl.Date:
        parsed = series
        _refuse(table, column, series, series.is_null(), "must not be empty")
    else:
        found = f"found type {series.dtype}"
        raise MarketDataError(f"{table.where}: column '{column}' must hold dates; {found}")
    days = parsed.cast(pl.Int32)
    _refuse(table, column, series, ~days.is_between(_DAY_FIRST, _DAY_LAST), _YEARS)
    return cast("NDArray[np.int64]", days.to_numpy().astype(np.int64))


def instants(table: Table, column: str) -> NDArray[np.int64]:
    """UTC nanoseconds of a column of instants.

    Parameters
    ----------
    table : Table
        The file.
    column : str
        The file's name of the column; whole nanoseconds since 1970, timestamps with a time zone,
        or ISO text with an offset.

    Returns
    -------
    int64, shape (rows,)
        UTC nanoseconds.

    Raises
    ------
    MarketDataError
        If one is missing, has no time zone, or is in another unit.
    """
    series = table.frame[column]
    if series.dtype == pl.String:
        text = series.str.strip_chars().fill_null("")
        if text.str.contains(r"^[+-]?\d+$").any():
            whole = text.cast(pl.Int128, strict=False)
            return _nanoseconds(table, column, text, whole)
        return _iso_instants(table, column, text)
    if isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone is None:
            raise MarketDataError(
                f"{table.where}: column '{column}' must have a time zone; found naive timestamps"
            )
        _refuse(table, column, series, series.is_null(), "must not be empty")
        _refuse_years(table, column, series, series)
        return cast("NDArray[np.int64]", series.dt.cast_time_unit("ns").to_physical().to_numpy())
    if series.dtype.is_integer():
        return _nanoseconds(table, column, series, series.cast(pl.Int128))
    found = f"found type {series.dtype}"
    raise MarketDataError(f"{table.where}: column '{column}' must hold timestamps; {found}")


def _iso_instants(table: Table, column: str, text: pl.Series) -> NDArray[np.int64]:
    iso = text.str.replace(" ", "T", literal=True)
    coarse = iso.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    rule = "must have a UTC offset, as in 2024-01-31T16:00:00-05:00"
    _refuse(table, column, text, coarse.is_null(), rule)
    _refuse_years(table, column, text, coarse)  # nanoseconds would overflow in 2262
    parsed = iso.str.to_datetime("%+", time_unit="ns", time_zone="UTC", strict=False)
    return cast("NDArray[np.int64]", parsed.to_physical().to_numpy())


def _refuse_years(table: Table, column: str, shown: pl.Series, stamps: pl.Series) -> None:
    assert isinstance(stamps.dtype, pl.Datetime)
    day = 86_400 * _UNITS[stamps.dtype.time_unit]
    inside = stamps.to_physical().is_between(
        _DAY_FIRST * day, min((_DAY_LAST + 1) * day, 2**63 - 1), closed="left"
    )
    _refuse(table, column, shown, ~inside, _YEARS)


def _nanoseconds(
    table: Table, column: str, shown: pl.Series, whole: pl.Series
) -> NDArray[np.int64]:
    rule = "must be nanoseconds since 1970 UTC, of 1973 or later"
    bad = ~whole.is_between(*_PLAUSIBLE).fill_null(False)
    if bad.any():
        index = bad.arg_max()
        assert index is not None
        _refuse(table, column, shown, bad, rule + _unit_hint(whole[index]))
    nanoseconds = whole.cast(pl.Int64)
    _refuse_years(table, column, shown, nanoseconds.cast(pl.Datetime("ns", "UTC")))
    return cast("NDArray[np.int64]", nanoseconds.to_numpy())


def _unit_hint(value: int | None) -> str:
    """Name the unit in which a number would be an instant of our time."""
    if value is None:
        return ""
    if re.fullmatch(r"(19|20|21)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", str(value)):
        return " (looks like a date: write it as 2024-01-31 in a column 'date')"
    names = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}
    for unit, name in names.items():
        factor = _UNITS["ns"] // _UNITS[unit]
        if 10**16 <= abs(value) * factor <= _PLAUSIBLE[1]:
            return f" (looks like {name}: multiply by {factor}, or store timestamps in UTC)"
    return ""


def _inexact(text: pl.Series, parsed: pl.Series) -> pl.Series:
    """Tell which decimals are not what their doubles print as; short ones always are."""
    long = text.str.len_bytes() > _DIGITS_SAFE + 1  # a point
    bad = np.zeros(len(text), dtype=np.bool_)
    for index in np.flatnonzero(long.fill_null(False).to_numpy()).tolist():
        value = parsed[index]
        bad[index] = not math.isnan(value) and Decimal(text[index]) != Decimal(repr(value))
    return pl.Series(bad)


def _refuse(table: Table, column: str, values: pl.Series, bad: pl.Series, rule: str) -> None:
    """Raise for the first row that is bad, if any."""
    if not bad.any():
        return
    index = bad.arg_max()
    assert index is not None
    row = table.row_first + index
    found = str(values[index])[:60] if values[index] not in (None, "") else "nothing"
    raise MarketDataError(
        f"{table.where}: column '{column}' {rule}; found {found!r} in row {row}"
        if found != "nothing"
        else f"{table.where}: column '{column}' {rule}; found nothing in row {row}"
    )
