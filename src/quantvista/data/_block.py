"""One file in any layout to matrices over time and instrument."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data._columns import dates, instants, numbers, texts
from quantvista.data._names import (
    PRICES,
    check_time,
    close_hint,
    instrument_hint,
    instrument_id,
    long_hint,
    resolve,
    some,
)
from quantvista.data._read import Table
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["Block", "show_stamp", "to_block"]


@dataclass(frozen=True, slots=True)
class Block:
    """The prices of one file.

    Parameters
    ----------
    where : str
        The file, as messages name it.
    daily : bool
        Whether ``stamps`` are days since 1970, else UTC nanoseconds.
    stamps : int64, shape (k,)
        Strictly increasing.
    ids : tuple of str, length n
        Instrument ids, in no order.
    values : dict of str to float64, shape (k, n)
        ``close`` and what else there is; NaN where missing.
    rows : int64, shape (k, n)
        Row in the file, 0 where there is none.
    names : dict of str to tuple of str, length n
        The file's column behind each value.
    unused : tuple of str
        Columns that were not read.
    sectors : dict of str to str
        Sector by instrument, from a column of the file.
    """

    where: str
    daily: bool
    stamps: NDArray[np.int64]
    ids: tuple[str, ...]
    values: dict[str, NDArray[np.float64]]
    rows: NDArray[np.int64]
    names: dict[str, tuple[str, ...]]
    unused: tuple[str, ...] = ()
    sectors: dict[str, str] = field(default_factory=dict)

    def place(self, value: str, at: tuple[int, int]) -> str:
        """Words for where a value stands in the file."""
        name, row = self.names[value][at[1]], self.rows[at]
        return f"row {row}, column '{name}' (instrument '{self.ids[at[1]]}')"


def to_block(
    table: Table,
    columns: Mapping[str, str],
    venue: str | None,
    *,
    exact: bool = True,
    instrument: str | None = None,
) -> Block:
    """Arrange a table, whichever layout it has.

    Parameters
    ----------
    table : Table
        Long (time, ``instrument``, ``close``), of one instrument (time, ``close``; the file is
        named after it), or wide (time and a column of closes per instrument). The time is
        ``date`` or ``ts``. Column names count without regard to case.
    columns : mapping of str to str
        Our name to the file's, where they differ; empty for a column that is not to be used.
    venue : str or None
        Appended to each name of an instrument, with a point between.
    exact : bool
        Refuse prices with more digits than a double holds.
    instrument : str or None
        Instead of the name of a file of one instrument.

    Returns
    -------
    Block
        Sorted by time; rows in any order are welcome.

    Raises
    ------
    ConfigError
        If ``columns`` names something that does not exist.
    MarketDataError
        If columns are missing, or a row is there twice.
    """
    found = resolve(table, columns)
    check_time(table, found)
    daily = "date" in found
    stamps = dates(table, found["date"]) if daily else instants(table, found["ts"])
    if "close" not in found and "instrument" not in found:
        if hint := long_hint(table, found):
            rule = "must have a column 'close', and 'instrument' for the names"
            raise MarketDataError(
                f"{table.where}: {rule}; found {some(table.frame.columns)}; {hint}"
            )
        return _wide(table, found, stamps, daily, venue, exact)
    if instrument is not None:
        if "instrument" in found:
            rule = "must be left out where the file has a column for it"
            raise ConfigError(f"`data.instrument` {rule}; found {instrument!r} and {table.where}")
        table = replace(table, stem=instrument)
    return _long(table, found, stamps, daily, venue if instrument is None else None, exact)


def _wide(
    table: Table,
    found: dict[str, str],
    stamps: NDArray[np.int64],
    daily: bool,
    venue: str | None,
    exact: bool,
) -> Block:
    names = [name for name in table.frame.columns if name not in found.values()]
    if stray := [ours for ours in found if ours not in ("date", "ts")]:
        raise MarketDataError(
            f"{table.where}: column '{found[stray[0]]}' needs a column 'close' beside it; "
            f"found {some(table.frame.columns)}"
        )
    ids = tuple(instrument_id(name, venue, table.where) for name in names)
    close = np.column_stack([numbers(table, name, exact=exact) for name in names])
    rows = np.arange(len(stamps), dtype=np.int64) + table.row_first
    order = np.argsort(stamps, kind="stable")
    stamps, rows = stamps[order], rows[order]
    if len(twice := np.flatnonzero(np.diff(stamps) == 0)):
        raise _duplicate(table, stamps[twice[0]], daily, rows[twice[0]], rows[twice[0] + 1])
    shape = close.shape
    return Block(
        table.where,
        daily,
        stamps,
        ids,
        {"close": close[order]},
        np.broadcast_to(rows[:, None], shape),
        {"close": tuple(names)},
    )


def _long(
    table: Table,
    found: dict[str, str],
    stamps: NDArray[np.int64],
    daily: bool,
    venue: str | None,
    exact: bool,
) -> Block:
    if "close" not in found:
        found_close = close_hint(table, found)
        raise MarketDataError(f"{table.where}: must have a column 'close'{found_close}")
    present = [price for price in PRICES if price in found]
    if 1 < len(present) < 4:
        missing = ", ".join(price for price in PRICES if price not in found)
        raise MarketDataError(
            f"{table.where}: must have all of open, high and low, or none; missing {missing}"
        )
    if "instrument" in found:
        text = texts(table, found["instrument"])
        names = text.unique().sort()
        codes = text.replace_strict(names, pl.int_range(len(names), eager=True)).to_numpy()
    else:
        names, codes = pl.Series([table.stem]), np.zeros(len(stamps), dtype=np.int64)
    hint = "" if "instrument" in found else instrument_hint(table, found)
    ids = tuple(instrument_id(name, venue, table.where, hint) for name in names)
    unique, index = np.unique(stamps, return_inverse=True)
    shape = (len(unique), len(ids))
    rows = np.zeros(shape, dtype=np.int64)
    numbered = np.arange(len(stamps), dtype=np.int64) + table.row_first
    flat = index * shape[1] + codes
    first = np.unique(flat, return_index=True)[1]
    if len(first) != len(flat):
        again = int(np.setdiff1d(np.arange(len(flat)), first)[0])
        before = int(np.flatnonzero(flat == flat[again])[0])
        raise _duplicate(
            table,
            stamps[again],
            daily,
            numbered[before],
            numbered[again],
            f" of '{ids[codes[again]]}'",
            hint,
        )
    rows.reshape(-1)[flat] = numbered
    values = {}
    for ours in (*present, *(["volume"] if "volume" in found else [])):
        matrix = np.full(shape, np.nan)
        exactly = exact and ours != "volume"
        matrix.reshape(-1)[flat] = numbers(table, found[ours], exact=exactly)
        values[ours] = matrix
    sectors = {}
    if "sector" in found:
        sectors = _sectors(table, found["sector"], ids, codes)
    unused = tuple(name for name in table.frame.columns if name not in found.values())
    column_names = {ours: (found[ours],) * len(ids) for ours in values}
    return Block(table.where, daily, unique, ids, values, rows, column_names, unused, sectors)


def _sectors(
    table: Table, column: str, ids: tuple[str, ...], codes: NDArray[np.int64]
) -> dict[str, str]:
    """Sector of each instrument, refused where it changes."""
    text = texts(table, column).to_numpy()
    first = np.unique(codes, return_index=True)[1]
    other = np.flatnonzero(text != text[first][codes])
    if len(other):
        at, before = int(other[0]), int(first[codes[other[0]]])
        raise MarketDataError(
            f"{table.where}: column '{column}' must hold one sector per instrument; found "
            f"{str(text[before])!r} in row {before + table.row_first} and {str(text[at])!r} in row "
            f"{at + table.row_first} for '{ids[codes[at]]}'"
        )
    return {name: str(text[index]) for name, index in zip(ids, first, strict=True)}


def _duplicate(
    table: Table,
    stamp: np.int64,
    daily: bool,
    row: int,
    again: int,
    whose: str = "",
    hint: str = "",
) -> MarketDataError:
    return MarketDataError(
        f"{table.where}: every time must be there once; "
        f"found {show_stamp(stamp, daily)}{whose} in rows {row} and {again}{hint}"
    )


def show_stamp(stamp: np.int64 | int, daily: bool) -> str:
    """Write a stamp as an ISO date or instant."""
    if daily:
        return str(np.datetime64(int(stamp), "D"))
    return f"{np.datetime64(int(stamp), 'ns').astype('datetime64[us]')}Z"
