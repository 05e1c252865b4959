"""Rows of tables as the columns that the kernel takes."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import ConfigError, MarketDataError

__all__ = ["ROWS", "columns_of", "rows_of"]

ROWS = ("trades", "quotes", "bars", "quote_bars")
"""Kinds of rows that bars are made of."""

_OHLC = ("open", "high", "low", "close")
_SUMS = ("volume", "value", "buy_volume", "sell_volume")
_SIGNS = {"buy": 1, "b": 1, "sell": -1, "s": -1}


def rows_of(columns: list[str]) -> str:
    """Tell what rows are by their columns.

    Raises
    ------
    MarketDataError
        If they are none of `ROWS`.
    """
    there = set(columns)
    for kind, needed in (
        ("trades", {"price"}),
        ("quotes", {"bid", "ask"}),
        ("bars", {"close"}),
        ("quote_bars", {"bid_close", "ask_close"}),
    ):
        if needed <= there:
            return kind
    raise MarketDataError(
        "`rows` must be trades (price, size), quotes (bid, ask) or bars (close); found columns "
        f"{', '.join(columns)}"
    )


def columns_of(frame: pl.DataFrame, rows: str, price: str, *, sides: bool) -> dict[str, Any]:
    """Columns for the kernel, but for the instrument.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows.
    rows : str
        One of `ROWS`.
    price : str
        Of quotes: mid, bid or ask.
    sides : bool
        Whether the column ``aggressor`` is read.

    Returns
    -------
    dict of str to numpy.ndarray
        Shape (n,) each; missing values are NaN.

    Raises
    ------
    MarketDataError
        If a column is missing or of another type.
    """
    found: dict[str, Any] = {"ts_event": _instants(frame, "ts_event")}
    for name, before in (("ts_received", "ts_event"), ("known_at", "ts_received")):
        if name in frame.columns:
            stamps = _instants(frame, name)
            if not np.array_equal(stamps, found.get(before, found["ts_event"])):
                found[name] = stamps
    if rows == "trades":
        found["close"], found["volume"] = _numbers(frame, "price"), _numbers(frame, "size")
        if sides:
            found["side"] = _signs(frame)
    elif rows == "quotes":
        found["close"] = _of_quotes(frame, price, "")
    elif rows == "quote_bars":
        for name in _OHLC:
            found[name] = _of_quotes(frame, price, f"_{name}")
    else:
        there = [name for name in _OHLC if name in frame.columns]
        if there != ["close"] and len(there) < len(_OHLC):
            rule = "must have open, high, low and close, or close alone"
            raise MarketDataError(f"`rows` {rule}; found {', '.join(there)}")
        for name in (*there, *(each for each in _SUMS if each in frame.columns)):
            found[name] = _numbers(frame, name)
        if "ticks" in frame.columns:
            found["ticks"] = frame["ticks"].fill_null(0).cast(pl.Int64).to_numpy()
    if rows in ("bars", "quote_bars") and "ts_start" in frame.columns:
        found["start"] = _instants(frame, "ts_start")
    return found


def _of_quotes(frame: pl.DataFrame, price: str, end: str) -> NDArray[np.float64]:
    if price != "mid":
        return _numbers(frame, price + end)
    mid: NDArray[np.float64] = (_numbers(frame, "bid" + end) + _numbers(frame, "ask" + end)) / 2.0
    return mid


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        found = ", ".join(frame.columns)
        raise MarketDataError(f"`rows` must have a column '{name}'; found {found}")
    return frame[name]


def _instants(frame: pl.DataFrame, name: str) -> NDArray[np.int64]:
    series = _column(frame, name)
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is not None:
        series = series.dt.cast_time_unit("ns").to_physical()
    if not series.dtype.is_integer():
        rule = "must hold UTC nanoseconds or timestamps with a time zone"
        raise MarketDataError(f"column '{name}' {rule}; found type {series.dtype}")
    if series.null_count():
        row = int(series.is_null().arg_max() or 0) + 1
        raise MarketDataError(f"column '{name}' must not be empty; found no time in row {row}")
    return np.ascontiguousarray(series.cast(pl.Int64).to_numpy())


def _numbers(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    series = _column(frame, name)
    if not (series.dtype.is_numeric() or series.dtype == pl.Null):
        raise MarketDataError(f"column '{name}' must hold numbers; found type {series.dtype}")
    return np.ascontiguousarray(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())


def _signs(frame: pl.DataFrame) -> NDArray[np.int8]:
    """+1 where a buyer took, -1 a seller, 0 where nobody says."""
    if "aggressor" not in frame.columns:
        raise ConfigError(
            "`sides` = given needs a column 'aggressor' of buy and sell; found none: tick_rule "
            "takes the side from the last change of the price (--sides tick_rule)"
        )
    text = frame["aggressor"].cast(pl.String).str.to_lowercase()
    return text.replace_strict(_SIGNS, default=0, return_dtype=pl.Int8).to_numpy()
