"""Ticks and bars of quotes of LEAN's data folders, as tables with a header."""

from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data._columns import dates, numbers
from quantvista.data._event_source import EventSource
from quantvista.data._read import Table
from quantvista.data.events._canonical import instrument_column, times
from quantvista.errors import MarketDataError
from quantvista.market import Records

__all__ = ["read_lean_quote_bars", "read_lean_quotes", "read_lean_trades", "read_quote_bars"]

_DAY_NS = 86_400 * 10**9
_DECI_CENTS = 10_000.0

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


def read_lean_quotes(table: Table, source: EventSource) -> Records:
    """Read ticks of quotes, each of which changes one side of the market or both.

    A price of 0 means that the tick does not speak of this side, whose last price and size
    stand, as in LEAN. Before a side was first spoken of it is empty.

    Parameters
    ----------
    table : Table
        Columns ``date``, ``ms`` of the day, ``bid_e4`` and ``ask_e4`` in deci-cents (or ``bid``
        and ``ask``), and sizes and ``suspicious`` where there are any.
    source : EventSource
        With ``time_zone``.

    Returns
    -------
    Records
        Quotes.
    """
    stamps = _stamps(table, source)
    sides: dict[str, Floats] = {}
    for side in ("bid", "ask"):
        sides[side] = _prices(table, side)
        if f"{side}_size" in table.frame.columns:
            sides[f"{side}_size"] = numbers(table, f"{side}_size")
    silent = (sides["bid"] == 0) & (sides["ask"] == 0)
    if silent.any():
        row = table.row_first + int(np.argmax(silent))
        raise MarketDataError(
            f"{table.where}: must have a bid or an ask; found neither in row {row}"
        )
    frame = pl.DataFrame(
        {"ts_received": stamps + source.delay_us * 1_000, "ts_event": stamps, **sides}
    )
    frame, notes = _without_suspicious(table, source, _numbered(table, frame))
    changes = []
    for side in ("bid", "ask"):
        spoken = pl.col(side) != 0
        for name in (side, f"{side}_size"):
            if name in sides:
                changes.append(pl.when(spoken).then(name).forward_fill().alias(name))
    frame = frame.with_columns(*changes, instrument_column(source, table.where))
    return Records("quotes", frame, table.where, table.row_first, notes)


def read_lean_trades(table: Table, source: EventSource) -> Records:
    """Read ticks of trades; their conditions are not looked at.

    Parameters
    ----------
    table : Table
        Columns ``date``, ``ms``, ``price_e4`` (or ``price``), ``size``, and ``suspicious`` where
        there is one.
    source : EventSource
        With ``time_zone``.

    Returns
    -------
    Records
        Trades of which it is not known who took.
    """
    stamps = _stamps(table, source)
    frame = pl.DataFrame(
        {
            "ts_received": stamps + source.delay_us * 1_000,
            "ts_event": stamps,
            "price": _prices(table, "price"),
            "size": numbers(table, "size"),
        }
    )
    frame, notes = _without_suspicious(table, source, _numbered(table, frame))
    if "conditions" in table.frame.columns:
        notes += (f"{table.where}: trades of all sale conditions are used alike.",)
    frame = frame.with_columns(instrument_column(source, table.where))
    return Records("trades", frame, table.where, table.row_first, notes)


def read_lean_quote_bars(table: Table, source: EventSource) -> Records:
    """Read bars of quotes, stamped with their open, as the quotes at their closes.

    Parameters
    ----------
    table : Table
        Columns ``date``, ``ms``, ``bid_close``, ``ask_close`` and sizes where there are any.
    source : EventSource
        With ``time_zone`` and ``period_s``.

    Returns
    -------
    Records
        One quote for each bar.
    """
    opens = _stamps(table, source)
    return _closing_quotes(table, source, opens + source.period_s * 10**9)


def read_quote_bars(table: Table, source: EventSource) -> Records:
    """Read bars of quotes with a column ``ts`` as the quotes at their closes.

    Parameters
    ----------
    table : Table
        Columns ``ts``, ``bid_close``, ``ask_close`` and sizes where there are any.
    source : EventSource
        With ``stamp``, and ``period_s`` where that is the open.

    Returns
    -------
    Records
        One quote for each bar.
    """
    if source.stamp is None:
        raise MarketDataError(
            f"{table.where}: `data.events.stamp` must say whether a bar is stamped with its "
            "open or its close; found none"
        )
    _, stamps = times(table, 0)
    shift = source.period_s * 10**9 if source.stamp == "open" else 0
    return _closing_quotes(table, source, stamps + shift)


def _closing_quotes(table: Table, source: EventSource, stamps: Ints) -> Records:
    columns: dict[str, object] = {
        "ts_received": stamps + source.delay_us * 1_000,
        "ts_event": stamps,
    }
    for side in ("bid", "ask"):
        columns[side] = _prices(table, f"{side}_close")
        if f"{side}_size" in table.frame.columns:
            columns[f"{side}_size"] = numbers(table, f"{side}_size")
    frame = pl.DataFrame(columns, nan_to_null=True)
    frame = frame.with_columns(instrument_column(source, table.where))
    notes = (f"{table.where}: of each bar of quotes only the close is used, as one quote.",)
    return Records("quotes", frame, table.where, table.row_first, notes)


def _stamps(table: Table, source: EventSource) -> Ints:
    """Instants of a date and milliseconds of a local day, which daylight saving may lengthen."""
    if source.time_zone is None:
        raise MarketDataError(
            f"{table.where}: `data.events.time_zone` must say in which zone the day begins, such "
            'as "America/New_York" for US equities of LEAN or "UTC" for coins; found none'
        )
    for name in ("date", "ms"):
        if name not in table.frame.columns:
            found = ", ".join(table.frame.columns)
            raise MarketDataError(f"{table.where}: must have a column '{name}'; found {found}")
    days, ms = dates(table, "date"), numbers(table, "ms")
    bad = ~((ms >= 0) & (ms < _DAY_NS / 1e6) & (ms == np.rint(ms)))
    if bad.any():
        row = table.row_first + int(np.argmax(bad))
        found = f"found {ms[np.argmax(bad)]} in row {row}"
        raise MarketDataError(
            f"{table.where}: column 'ms' must be whole milliseconds of a day; {found}"
        )
    naive = days * _DAY_NS + ms.astype(np.int64) * 1_000_000
    ZoneInfo(source.time_zone)
    local = pl.Series(naive).cast(pl.Datetime("ns"))
    try:
        utc = local.dt.replace_time_zone(source.time_zone, ambiguous="earliest")
    except pl.exceptions.ComputeError as error:
        raise MarketDataError(
            f"{table.where}: a time that {source.time_zone} skips: {error}"
        ) from None
    return utc.to_physical().to_numpy()


def _prices(table: Table, name: str) -> Floats:
    """Prices in money; whole numbers are deci-cents, as LEAN writes those of equities."""
    columns = table.frame.columns
    if f"{name}_e4" in columns:
        return numbers(table, f"{name}_e4") / _DECI_CENTS
    if name not in columns:
        found = ", ".join(columns)
        raise MarketDataError(f"{table.where}: must have a column '{name}'; found {found}")
    values = numbers(table, name)
    return values / _DECI_CENTS if table.frame[name].dtype.is_integer() else values


def _numbered(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_row_index("row", table.row_first)


def _without_suspicious(
    table: Table, source: EventSource, frame: pl.DataFrame
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Leave out ticks that the vendor flags, if the entry says so."""
    if "suspicious" not in table.frame.columns:
        return frame, ()
    flagged = numbers(table, "suspicious") != 0
    if not flagged.any():
        return frame, ()
    if "suspicious" not in source.set_aside:
        row = table.row_first + int(np.argmax(flagged))
        raise MarketDataError(
            f"{table.where}: column 'suspicious' must be 0; found 1 in row {row} "
            '(set_aside = ["suspicious"] leaves such ticks out)'
        )
    note = f"{table.where}: {int(flagged.sum())} ticks that are flagged suspicious are left out."
    return frame.filter(~flagged), (note,)
