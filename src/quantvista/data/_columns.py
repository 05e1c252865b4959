"""Columns to numbers and instants, naming the row of whatever is neither."""

from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data._read import Table
from quantvista.errors import MarketDataError

__all__ = ["dates", "instants", "numbers", "texts"]

_PLAUSIBLE_NS = 10**15  # eleven days after 1970: below it the unit cannot be nanoseconds


def numbers(table: Table, column: str) -> NDArray[np.float64]:
    """Parse a column of numbers; empty and NaN are missing.

    Parameters
    ----------
    table : Table
        The file.
    column : str
        The file's name of the column.

    Returns
    -------
    float64, shape (rows,)
        NaN where missing. Decimal literals give the nearest double. A float32 column is widened
        to the doubles nearest to its shortest decimals.

    Raises
    ------
    MarketDataError
        If something is not a finite number.
    """
    series = table.frame[column]
    if series.dtype == pl.Float32:
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
    return cast("NDArray[np.int64]", parsed.cast(pl.Int32).to_numpy().astype(np.int64))


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
        whole = text.cast(pl.Int64, strict=False)
        if whole.null_count() == 0:
            return _nanoseconds(table, column, whole)
        text = text.str.replace(" ", "T", literal=True)
        parsed = text.str.to_datetime("%+", time_unit="ns", time_zone="UTC", strict=False)
        rule = "must have a UTC offset, as in 2024-01-31T16:00:00-05:00"
        _refuse(table, column, text, parsed.is_null(), rule)
        return cast("NDArray[np.int64]", parsed.to_physical().to_numpy())
    if isinstance(series.dtype, pl.Datetime):
        if series.dtype.time_zone is None:
            raise MarketDataError(
                f"{table.where}: column '{column}' must have a time zone; found naive timestamps"
            )
        _refuse(table, column, series, series.is_null(), "must not be empty")
        return cast("NDArray[np.int64]", series.dt.cast_time_unit("ns").to_physical().to_numpy())
    if series.dtype.is_integer():
        return _nanoseconds(table, column, series.cast(pl.Int64, strict=False))
    found = f"found type {series.dtype}"
    raise MarketDataError(f"{table.where}: column '{column}' must hold timestamps; {found}")


def _nanoseconds(table: Table, column: str, whole: pl.Series) -> NDArray[np.int64]:
    bad = (whole < _PLAUSIBLE_NS).fill_null(True)
    _refuse(table, column, whole, bad, "must be nanoseconds since 1970 UTC")
    return cast("NDArray[np.int64]", whole.to_numpy())


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
