"""Tables to matrices of bars, and features back to tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data import MarketData
from quantvista.data.universes import MEMBER_COLUMN, Membership
from quantvista.errors import ConfigError, MarketDataError
from quantvista.features._shipped import FEATURES
from quantvista.features._time import TIME_COLUMNS, time_columns
from quantvista.market import Panel

__all__ = ["BarTable", "FeatureData", "long_frame", "to_matrices"]

type FeatureData = pl.DataFrame | MarketData | Panel

_TIMES = ("ts", "ts_received", "date", "time", "timestamp", "datetime")
_OHLCV = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class BarTable:
    """Bars as matrices.

    Parameters
    ----------
    instruments, sectors : tuple of str, length n
        Ids in ascending order, and the sector of each, empty where unknown.
    time : polars.Series, length T
        Ascending, of the type that the data has.
    columns : mapping of str to float64, shape (T, n)
        NaN where there is no value.
    there : bool, shape (T, n)
        Where the data has a row.
    """

    instruments: tuple[str, ...]
    sectors: tuple[str, ...]
    time: pl.Series
    columns: Mapping[str, NDArray[np.float64]]
    there: NDArray[np.bool_]


def to_matrices(
    data: FeatureData, needed: tuple[str, ...], universe: Membership | None = None
) -> BarTable:
    """Lay bars out by time and instrument.

    Parameters
    ----------
    data : polars.DataFrame, MarketData or Panel
        See `FeatureSet.compute`.
    needed : tuple of str
        Columns that must be there.
    universe : Membership or None
        Whose members are marked in a column of their own.

    Raises
    ------
    MarketDataError
        If one is missing, is not numeric, or a time stands twice.
    """
    if universe is not None:
        table = to_matrices(data, tuple(each for each in needed if each != MEMBER_COLUMN))
        member = universe.column(_nanoseconds(table.time), table.instruments)
        return replace(table, columns={**table.columns, MEMBER_COLUMN: member})
    if isinstance(data, pl.DataFrame):
        return _with_time(_of_frame(data, _of_data(needed)), needed)
    if isinstance(data, Panel):
        there = {"close": data.close}
        instruments, ts = data.instruments, data.ts
    else:
        fields = {name: getattr(data, name) for name in _OHLCV}
        there = {name: matrix for name, matrix in fields.items() if matrix is not None}
        if data.benchmark is not None:
            shape = data.close.shape
            there["benchmark"] = np.broadcast_to(data.benchmark[:, None], shape)
        instruments, ts = data.ids, data.ts
    for name in _of_data(needed):
        if name not in there:
            found = ", ".join(there)
            hint = _hint(name, there)
            raise MarketDataError(f"`data` must have {name!r}; found {found}{hint}")
    columns = {name: np.ascontiguousarray(there[name]) for name in _of_data(needed)}
    bars = ~np.isnan(there["close"])
    return _with_time(
        BarTable(instruments, data.sectors, pl.Series("ts", ts), columns, bars), needed
    )


def long_frame(
    table: BarTable, names: tuple[str, ...], values: NDArray[np.float64]
) -> pl.DataFrame:
    """Turn features into a table with a row for each bar that the data has.

    Parameters
    ----------
    table : BarTable
        What they were computed from.
    names : tuple of str, length f
        Of the features.
    values : float64, shape (f, T, n)
        NaN becomes null.
    """
    if table.time.name in names:
        rule = "must not be called like the column of times"
        raise ConfigError(f"`features` {rule}; found {table.time.name!r}")
    row, column = np.nonzero(table.there)
    frame = pl.DataFrame(
        {
            table.time.name: table.time.gather(pl.Series(row)),
            "instrument": pl.Series(table.instruments, dtype=pl.String).gather(pl.Series(column)),
        }
    )
    features = [pl.Series(name, values[k][row, column]) for k, name in enumerate(names)]
    return frame.with_columns([each.fill_nan(None) for each in features])


def _nanoseconds(time: pl.Series) -> NDArray[np.int64]:
    """Give the times of bars; a date does not say when its session ends, and is refused."""
    if isinstance(time.dtype, pl.Datetime):
        time = time.dt.cast_time_unit("ns").to_physical()
    if not time.dtype.is_integer():
        raise MarketDataError(
            "`ts` must hold instants where there is a universe, UTC nanoseconds or timestamps; "
            f"found type {time.dtype}"
        )
    return time.cast(pl.Int64).to_numpy()


def _of_data(needed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in needed if name not in TIME_COLUMNS)


def _with_time(table: BarTable, needed: tuple[str, ...]) -> BarTable:
    """Add the columns that a bar has by its time alone."""
    asked = [name for name in needed if name in TIME_COLUMNS]
    if not asked:
        return table
    known = time_columns(table.time)
    shape = table.there.shape
    spread = {
        name: np.ascontiguousarray(np.broadcast_to(known[name][:, None], shape)) for name in asked
    }
    return replace(table, columns={**table.columns, **spread})


def _of_frame(frame: pl.DataFrame, needed: tuple[str, ...]) -> BarTable:
    lower = {name.lower(): name for name in frame.columns}
    time_name = next((lower[each] for each in _TIMES if each in lower), None)
    if time_name is None:
        found = ", ".join(frame.columns[:20])
        raise MarketDataError(f"`data` must have a column ts or date; found {found}")
    instrument = next((lower[each] for each in ("instrument", "symbol") if each in lower), None)
    names = (
        frame[instrument].cast(pl.String)
        if instrument
        else pl.Series(["instrument"]).new_from_index(0, frame.height)
    )
    if names.null_count() or frame[time_name].null_count():
        raise MarketDataError("`data` must have a time and an instrument in each row; found none")
    times = frame[time_name].unique().sort()
    instruments = names.unique().sort()
    row = times.search_sorted(frame[time_name]).to_numpy()
    column = instruments.search_sorted(names).to_numpy()
    shape = (len(times), len(instruments))
    there = np.zeros(shape, dtype=np.bool_)
    there[row, column] = True
    if int(there.sum()) != frame.height:
        flat = row * shape[1] + column
        values, counts = np.unique(flat, return_counts=True)
        at = int(values[counts > 1][0])
        time, name = times[at // shape[1]], instruments[at % shape[1]]
        raise MarketDataError(f"`data` must have each time once; found {name!r} twice at {time}")
    columns = {}
    for each in needed:
        if each not in lower:
            found = ", ".join(frame.columns[:20])
            hint = _hint(each, lower)
            raise MarketDataError(f"`data` must have a column {each!r}; found {found}{hint}")
        series = frame[lower[each]]
        if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
            rule = f"column {each!r} of `data` must hold numbers"
            raise MarketDataError(f"{rule}; found type {series.dtype}")
        matrix = np.full(shape, np.nan)
        matrix[row, column] = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        columns[each] = matrix
    sectors = _sectors(frame, lower, column, len(instruments))
    return BarTable(tuple(instruments), sectors, times.alias(time_name), columns, there)


def _hint(name: str, columns: Iterable[str]) -> str:
    """Propose what was meant: whatever is no feature and no operator is read as a column."""
    nearest = get_close_matches(name, [*columns, *FEATURES], 1, 0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


def _sectors(
    frame: pl.DataFrame, lower: Mapping[str, str], column: NDArray[np.int64], n: int
) -> tuple[str, ...]:
    if "sector" not in lower:
        return ("",) * n
    texts = frame[lower["sector"]].cast(pl.String).fill_null("").to_numpy()
    sectors = np.full(n, "", dtype=object)
    sectors[column] = texts
    if bool((sectors[column] != texts).any()):
        raise MarketDataError("`sector` must be the same in all rows of an instrument; found two")
    return tuple(str(each) for each in sectors)
