"""Trades as freqtrade stores them."""

import polars as pl

from quantvista.data._columns import numbers
from quantvista.data._event_source import EventSource
from quantvista.data._read import Table
from quantvista.data.events._canonical import instrument_column
from quantvista.errors import MarketDataError
from quantvista.market import Records

__all__ = ["read_freqtrade_trades"]


def read_freqtrade_trades(table: Table, source: EventSource) -> Records:
    """Read trades with a time in milliseconds and the side that took.

    Parameters
    ----------
    table : Table
        Columns ``timestamp`` in milliseconds since 1970, ``side``, ``price``, ``amount``, and
        ``id`` where there is one.
    source : EventSource
        With ``instrument``.

    Returns
    -------
    Records
        Trades.
    """
    frame = table.frame
    side = frame["side"].cast(pl.String)
    bad = ~side.is_in(["buy", "sell"]).fill_null(False)
    if bad.any():
        index = bad.arg_max() or 0
        found = f"found {side[index]!r} in row {table.row_first + index}"
        raise MarketDataError(f"{table.where}: column 'side' must be buy or sell; {found}")
    stamps = frame["timestamp"].cast(pl.Int64, strict=False) * 1_000_000
    columns = {
        "ts_event": stamps,
        "ts_received": stamps + source.delay_us * 1_000,
        "price": numbers(table, "price"),
        "size": numbers(table, "amount"),
        "aggressor": side,
    }
    if "id" in frame.columns:
        columns["id"] = frame["id"]
    trades = pl.DataFrame(columns).with_columns(instrument_column(source, table.where))
    return Records("trades", trades, table.where, table.row_first)
