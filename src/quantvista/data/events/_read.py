"""From entries of ``[[data.events]]`` to records."""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from quantvista.data._event_source import FORMATS, SET_ASIDE, USES, EventSource
from quantvista.data._load import source_files
from quantvista.data._read import SUFFIXES, Table, read_table
from quantvista.data.events._binance import read_binance
from quantvista.data.events._canonical import guess_kind, read_records, rename
from quantvista.data.events._freqtrade import read_freqtrade_trades
from quantvista.data.events._lean import (
    read_lean_quote_bars,
    read_lean_quotes,
    read_lean_trades,
    read_quote_bars,
)
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import SCHEMAS, Records, check_instrument_id

__all__ = ["read_event_table", "read_events"]

_RECORDINGS = (".jsonl", ".jsonl.gz")
_READERS = {
    "lean_quotes": read_lean_quotes,
    "lean_trades": read_lean_trades,
    "lean_quote_bars": read_lean_quote_bars,
    "quote_bars": read_quote_bars,
    "freqtrade_trades": read_freqtrade_trades,
}


def read_events(source: EventSource, base: Path) -> list[Records]:
    """Read the records of an entry, leaving out what it sets aside.

    Parameters
    ----------
    source : EventSource
        The entry.
    base : pathlib.Path
        Folder that relative paths start from.

    Returns
    -------
    list of Records
        Per file and kind, not checked yet.

    Raises
    ------
    MarketDataError
        If a file is missing or malformed.
    ConfigError
        If the entry asks for something that does not exist.
    """
    _check(source)
    suffixes = (*SUFFIXES, *_RECORDINGS)
    files = source_files(source.source, base, suffixes, "data.events.source")
    recorded = [path.name.lower().endswith(_RECORDINGS) for path, _ in files]
    if any(recorded) or source.format == "binance":
        if not all(recorded):
            other = next(name for (_, name), of in zip(files, recorded, strict=True) if not of)
            raise MarketDataError(f"{source.source}: must hold recordings only; found {other}")
        if source.format not in (None, "binance"):
            raise ConfigError(
                f"`data.events.format` must be binance for a recording; found {source.format!r}"
            )
        found = read_binance(files, source)
    else:
        found = [_table(read_table(path, where), source) for path, where in files]
    return [_without_crossed(records, source) for records in found]


def read_event_table(table: Table, source: EventSource) -> Records:
    """Read the records of a table that is in memory.

    Parameters
    ----------
    table : Table
        The table.
    source : EventSource
        How to read it.

    Returns
    -------
    Records
        Not checked yet.

    Raises
    ------
    MarketDataError
        If it is malformed.
    ConfigError
        If the entry asks for something that does not exist.
    """
    _check(source)
    return _without_crossed(_table(table, source), source)


def _check(source: EventSource) -> None:
    for name, given, known in (
        ("format", (source.format,) if source.format else (), FORMATS),
        ("set_aside", source.set_aside, SET_ASIDE),
        ("use", source.use, USES),
        ("stamp", (source.stamp,) if source.stamp else (), ("open", "close")),
    ):
        for each in given:
            if each not in known:
                rule = f"must be one of {', '.join(known)}"
                raise ConfigError(f"`data.events.{name}` {rule}; found {each!r}")
    if source.instrument is not None:
        check_instrument_id(source.instrument)
    if source.time_zone is not None:
        try:
            ZoneInfo(source.time_zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            rule = "must be an IANA time zone such as America/New_York"
            found = f"found {source.time_zone!r}"
            raise ConfigError(f"`data.events.time_zone` {rule}; {found}") from None
    if source.delay_us < 0 or source.period_s < 1:
        raise ConfigError(
            "`data.events.delay_us` must not be negative and `period_s` at least 1; "
            f"found {source.delay_us} and {source.period_s}"
        )


def _table(table: Table, source: EventSource) -> Records:
    table = rename(table, source.columns)
    name = source.format or _guess(table)
    if name in SCHEMAS:
        return read_records(table, source, name)
    return _READERS[name](table, source)


def _guess(table: Table) -> str:
    """Tell the format by the columns."""
    names = set(table.frame.columns)
    lean = {"date", "ms"} <= names
    if {"bid_close", "ask_close"} <= names:
        return "lean_quote_bars" if lean else "quote_bars"
    if lean:
        if names & {"bid", "bid_e4"} and names & {"ask", "ask_e4"}:
            return "lean_quotes"
        if names & {"price", "price_e4"}:
            return "lean_trades"
    if {"timestamp", "side", "price", "amount"} <= names:
        return "freqtrade_trades"
    if kind := guess_kind(names):
        return kind
    found = ", ".join(table.frame.columns)
    raise MarketDataError(
        f"{table.where}: must have columns of quotes, trades, a book or another known format; "
        f"found {found} (map them with columns = {{ ... }}, or set format)"
    )


def _without_crossed(records: Records, source: EventSource) -> Records:
    if records.kind != "quotes" or "crossed" not in source.set_aside:
        return records
    frame = records.frame
    if "row" not in frame.columns:
        frame = frame.with_row_index("row", records.row_first)
    kept = frame.filter((pl.col("bid") <= pl.col("ask")).fill_null(True))
    left = frame.height - kept.height
    note = f"{records.where}: {left} of {frame.height} quotes, which are crossed, are left out."
    notes = (*records.notes, note) if left else records.notes
    return Records(records.kind, kept, records.where, records.row_first, notes)
