"""Tables of bars, quotes and trades with the columns that checks read."""

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from quantvista.data.quality._types import PRICES
from quantvista.errors import MarketDataError

__all__ = ["IDS", "TIMES", "VALUES", "prepared"]

TIMES = ("ts", "ts_event", "date", "time", "timestamp", "datetime")
"""Names of a column of times, the first that is there."""
IDS = ("id", "trade_id", "tradeid", "trade id", "tid", "agg_trade_id", "match_number")
"""Names of a column of ids, the first that is there."""
VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bars": (*PRICES["bars"], "volume"),
        "quotes": ("bid", "bid_size", "ask", "ask_size"),
        "trades": ("price", "size"),
    }
)
"""Columns of numbers of each kind."""
_WHOLE_MOST = 2**53  # of the whole numbers that doubles have all of
_NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"bars": ("close",), "quotes": ("bid", "ask"), "trades": ("price",)}
)


def prepared(rows: pl.DataFrame, kind: str = "bars") -> pl.DataFrame:
    """Give a table the columns ``ts``, ``instrument`` and floats, rows as they stand.

    Parameters
    ----------
    rows : polars.DataFrame
        Bars, quotes or trades.
    kind : str
        Which of them.

    Returns
    -------
    polars.DataFrame
        Those of `VALUES` that there are; and ``id`` of trades: what it is where all are whole
        numbers up to 2**53, else -2, -3, ... for one text after the other.

    Raises
    ------
    MarketDataError
        If a column is missing, or a price is no number.
    """
    lower = {name.lower(): name for name in rows.columns}
    time = next((lower[each] for each in TIMES if each in lower), None)
    found = ", ".join(rows.columns[:20])
    if time is None:
        raise MarketDataError(f"`{kind}` must have a column ts or date; found {found}")
    for name in _NEEDED[kind]:
        if name not in lower:
            raise MarketDataError(f"`{kind}` must have a {name}; found {found}")
    instrument = next((lower[each] for each in ("instrument", "symbol") if each in lower), None)
    columns = [_stamps(rows[time], kind)]
    if instrument is None:
        columns.append(pl.Series("instrument", [kind] * rows.height, dtype=pl.String))
    else:
        if rows[instrument].null_count():
            raise MarketDataError(f"`{kind}` must have an instrument in every row; found a null")
        columns.append(rows[instrument].cast(pl.String).alias("instrument"))
    for name in VALUES[kind]:
        if name in lower:
            series = rows[lower[name]]
            if not (series.dtype.is_numeric() or series.dtype == pl.Null):
                rule = f"column {name!r} must hold numbers"
                raise MarketDataError(f"{rule}; found type {series.dtype}")
            if series.dtype == pl.Float32:
                series = series.cast(pl.String)  # its shortest decimals, not their long doubles
            columns.append(series.cast(pl.Float64).alias(name))
    own = next((lower[each] for each in IDS if each in lower), None)
    if kind == "trades" and own is not None:
        columns.append(_ids(rows[own]).alias("id"))
    return pl.DataFrame(columns)


def _ids(series: pl.Series) -> pl.Series:
    numbers = series.cast(pl.Int64, strict=False)
    small = numbers.is_between(0, _WHOLE_MOST).all() and numbers.null_count() == series.null_count()
    if small and not series.dtype.is_float():
        return numbers.cast(pl.Float64)
    return -1.0 - series.cast(pl.String).rank("dense").cast(pl.Float64)


def _stamps(series: pl.Series, kind: str) -> pl.Series:
    if series.null_count():
        raise MarketDataError(f"`{kind}` must have a time in every row; found a null")
    if series.dtype == pl.Date:
        return series.cast(pl.Datetime("ns")).dt.epoch("ns").alias("ts")
    if isinstance(series.dtype, pl.Datetime):
        return series.dt.epoch("ns").alias("ts")
    if series.dtype == pl.String:
        return _parsed(series)
    if series.dtype.is_integer():
        return series.cast(pl.Int64).alias("ts")
    raise MarketDataError(f"`ts` must hold dates, timestamps or nanoseconds; found {series.dtype}")


def _parsed(series: pl.Series) -> pl.Series:
    """Read times that are text; the first that is none is named."""
    try:
        stamps = series.str.to_datetime(time_unit="ns", strict=False)
    except pl.exceptions.PolarsError:  # no form of time fits even the first
        stamps = pl.Series([None] * len(series), dtype=pl.Datetime("ns"))
    if stamps.null_count():
        row = int(stamps.is_null().arg_max() or 0)
        rule = "`ts` must hold dates, timestamps or nanoseconds, all in one form"
        raise MarketDataError(f"{rule}; found {series[row]!r} in row {row + 1}")
    return stamps.dt.epoch("ns").alias("ts")
