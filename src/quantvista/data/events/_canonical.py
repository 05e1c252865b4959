"""Tables of records as they are described in the guide, from CSV or Parquet."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from quantvista.data._columns import instants, numbers, texts
from quantvista.data._event_source import EventSource
from quantvista.data._names import instrument_id
from quantvista.data._read import Table
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import OPTIONAL, SCHEMAS, Records

__all__ = ["guess_kind", "read_records", "rename"]

_TEXTS = ("side", "aggressor", "action", "phase", "status")
# The first kind whose columns are all there; more particular ones come first.
_MARKS = {
    "orders": {"action", "order_id"},
    "levels": {"side", "price", "size", "message"},
    "quotes": {"bid", "ask"},
    "auctions": {"phase", "price"},
    "trades": {"price", "size"},
    "statuses": {"status"},
    "rates": {"currency", "rate"},
    "funding": {"rate"},
}


def rename(table: Table, columns: Mapping[str, str]) -> Table:
    """Give columns our names.

    Parameters
    ----------
    table : Table
        The file.
    columns : mapping of str to str
        Our name to the file's.

    Returns
    -------
    Table
        Names in lower case where they are ours.

    Raises
    ------
    ConfigError
        If a name is not in the file.
    """
    found = {name.lower(): name for name in table.frame.columns}
    mapping: dict[str, str] = {}
    for ours, theirs in columns.items():
        name = found.get(theirs.lower())
        if name is None:
            shown = ", ".join(table.frame.columns)
            raise ConfigError(
                f"`data.events.columns` must name columns of {table.where}; "
                f"found {theirs!r} for {ours}, there are {shown}"
            )
        mapping[name] = ours
    names = [mapping.get(name, name.lower()) for name in table.frame.columns]
    # A column that another one takes the name of is not read.
    taken = set(mapping.values())
    keep = [
        name
        for name, new in zip(table.frame.columns, names, strict=True)
        if name in mapping or new not in taken
    ]
    frame = table.frame.select(
        [pl.col(name).alias(mapping.get(name, name.lower())) for name in keep]
    )
    return Table(table.where, table.stem, frame, table.row_first)


def guess_kind(names: set[str]) -> str | None:
    """Find the kind of records that has these columns."""
    return next((kind for kind, needed in _MARKS.items() if needed <= names), None)


def read_records(table: Table, source: EventSource, kind: str) -> Records:
    """Read records of one kind, strictly.

    Parameters
    ----------
    table : Table
        With our column names.
    source : EventSource
        How to read it.
    kind : str
        A key of `SCHEMAS`.

    Returns
    -------
    Records
        Not checked yet.

    Raises
    ------
    MarketDataError
        If a column is missing or holds what it must not.
    """
    frame = table.frame
    received, happened = times(table, source.delay_us)
    columns: dict[str, object] = {"ts_event": happened, "ts_received": received}
    used = {"ts", "ts_event", "ts_received"}
    for name, dtype in SCHEMAS[kind].items():
        if name in columns:
            continue
        used.add(name)
        if name == "instrument":
            columns[name] = _instruments(table, source)
        elif name not in frame.columns:
            if name == "message" and kind == "levels":
                columns[name] = np.cumsum(np.diff(received, prepend=received[:1]) != 0)
            elif name not in OPTIONAL.get(kind, {}):
                found = ", ".join(frame.columns)
                rule = f"must have a column '{name}' for {kind}"
                raise MarketDataError(f"{table.where}: {rule}; found {found}")
        else:
            columns[name] = _column(table, name, dtype)
    unused = sorted(set(frame.columns) - used)
    notes = (f"{table.where}: columns that are not used: {', '.join(unused)}.",) if unused else ()
    return Records(kind, pl.DataFrame(columns), table.where, table.row_first, notes)


def times(table: Table, delay_us: int) -> tuple[np.ndarray, np.ndarray]:
    """Read when rows were received and when they happened, int64 of shape (rows,) each."""
    names = table.frame.columns
    if "ts_received" in names:
        received = instants(table, "ts_received")
        return received, instants(table, "ts_event") if "ts_event" in names else received
    for name in ("ts", "ts_event"):
        if name in names:
            happened = instants(table, name)
            return happened + delay_us * 1_000, happened
    found = ", ".join(names)
    raise MarketDataError(
        f"{table.where}: must have a column 'ts', or 'ts_event' and 'ts_received'; found {found} "
        "(columns = { ts = ... } maps yours)"
    )


def instrument_column(source: EventSource, where: str) -> pl.Expr:
    """Name the one instrument that the entry says."""
    if source.instrument is None:
        raise MarketDataError(
            f"{where}: `data.events.instrument` must say whose events these are; found none"
        )
    return pl.lit(source.instrument, dtype=pl.Categorical).alias("instrument")


def _instruments(table: Table, source: EventSource) -> object:
    if "instrument" not in table.frame.columns:
        if source.instrument is None:
            raise MarketDataError(
                f"{table.where}: must have a column 'instrument', or `data.events.instrument`; "
                "found neither"
            )
        return pl.Series([source.instrument], dtype=pl.Categorical).new_from_index(
            0, table.frame.height
        )
    text = texts(table, "instrument")
    used = text.unique()
    names = {name: instrument_id(name, source.venue, table.where) for name in used}
    return text.replace_strict(names, return_dtype=pl.String).cast(pl.Categorical)


def _column(table: Table, name: str, dtype: pl.DataType) -> object:
    if name in _TEXTS:
        return _words(table, name, dtype)
    if name in ("message", "order_id"):
        return _whole(table, name)
    if name == "snapshot":
        return _truth(table, name)
    if name == "currency":
        return texts(table, name)
    values = numbers(table, name)
    return pl.Series(name, values).fill_nan(None) if np.isnan(values).any() else values


def _words(table: Table, name: str, dtype: pl.DataType) -> pl.Series:
    assert isinstance(dtype, pl.Enum)
    allowed = dtype.categories.to_list()
    series = table.frame[name]
    if series.dtype == dtype:
        return series
    text = series.cast(pl.String).str.strip_chars().str.to_lowercase()
    text = text.set(text == "", None)
    bad = ~text.is_in(allowed).fill_null(True)
    if bad.any():
        index = bad.arg_max() or 0
        raise MarketDataError(
            f"{table.where}: column '{name}' must be {' or '.join(allowed)}; "
            f"found {text[index]!r} in row {table.row_first + index}"
        )
    return text.cast(dtype)


def _whole(table: Table, name: str) -> pl.Series:
    series = table.frame[name]
    whole = series.cast(pl.Int64, strict=False)
    bad = whole.is_null() & series.is_not_null()
    if series.dtype == pl.String:
        bad &= series.str.strip_chars() != ""
    if series.dtype.is_float() or bad.any():
        index = bad.arg_max() or 0
        raise MarketDataError(
            f"{table.where}: column '{name}' must hold whole numbers; "
            f"found {series[index]!r} in row {table.row_first + index}"
        )
    return whole


def _truth(table: Table, name: str) -> pl.Series:
    series = table.frame[name]
    if series.dtype == pl.Boolean:
        return series
    text = series.cast(pl.String).str.strip_chars().str.to_lowercase()
    known = {"true": True, "1": True, "false": False, "0": False, "": False}
    bad = ~text.is_in(list(known)).fill_null(True)
    if bad.any():
        index = bad.arg_max() or 0
        raise MarketDataError(
            f"{table.where}: column '{name}' must be true or false; "
            f"found {series[index]!r} in row {table.row_first + index}"
        )
    return text.replace_strict(known, default=False, return_dtype=pl.Boolean)
