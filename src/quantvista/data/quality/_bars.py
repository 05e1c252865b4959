"""Bars of one instrument as arrays, and the words of what is wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.quality._types import CHECKS, FLAGS
from quantvista.errors import MarketDataError

__all__ = ["PRICES", "Bars", "Findings", "each_instrument", "local_scale"]

PRICES = ("open", "high", "low", "close")
type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]

_WINDOW = 63  # bars that say what is usual
_SCALE_LEAST = 0.003
_TO_DEVIATION = 1.4826  # median of absolute values to standard deviation, normal distribution


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one instrument, ordered by time, each time once.

    Parameters
    ----------
    instrument : str
        Id.
    row : int64, shape (n,)
        Where each bar stands in the table.
    ts : int64, shape (n,)
        UTC nanoseconds.
    columns : mapping of str to float64, shape (n,)
        Those of open, high, low, close and volume that there are; NaN where missing.
    """

    instrument: str
    row: NDArray[np.int64]
    ts: NDArray[np.int64]
    columns: Mapping[str, Floats]

    @property
    def close(self) -> Floats:
        """Closes."""
        return self.columns["close"]

    def __len__(self) -> int:
        return len(self.ts)

    def kept(self, rows: Bools) -> "Bars":
        """Leave some bars out."""
        columns = {name: each[rows] for name, each in self.columns.items()}
        return Bars(self.instrument, self.row[rows], self.ts[rows], columns)


@dataclass
class Findings:
    """Collects flags as columns."""

    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(
        self,
        check: str,
        bars: Bars,
        at: Bools | NDArray[np.int64],
        column: str,
        text: str,
        *,
        expected: Floats | None = None,
        value: Floats | None = None,
    ) -> None:
        """Flag bars of an instrument."""
        rows = np.flatnonzero(at) if at.dtype == np.bool_ else at
        if not len(rows):
            return
        found = value if value is not None else bars.columns.get(column)
        nothing = np.full(len(rows), np.nan)
        self.parts.append(
            _frame(
                check,
                bars.instrument,
                bars.ts[rows],
                bars.row[rows],
                column,
                nothing if found is None else found[rows],
                nothing if expected is None else expected[rows],
                text,
            )
        )

    def add_missing(self, check: str, instrument: str, ts: NDArray[np.int64], text: str) -> None:
        """Flag times at which there is no bar."""
        nothing = np.full(len(ts), np.nan)
        row = np.full(len(ts), -1, dtype=np.int64)
        self.parts.append(_frame(check, instrument, ts, row, "", nothing, nothing, text))

    def table(self) -> pl.DataFrame:
        """All flags, in the order of checks, instruments and times."""
        if not self.parts:
            return pl.DataFrame(schema=FLAGS)
        order = {name: place for place, name in enumerate(CHECKS)}
        found = pl.concat(self.parts)
        place = pl.col("check").replace_strict(order, return_dtype=pl.Int64)
        return found.sort(place, "instrument", "ts", "row", "column", maintain_order=True)


def _frame(
    check: str,
    instrument: str,
    ts: NDArray[np.int64],
    row: NDArray[np.int64],
    column: str,
    value: Floats,
    expected: Floats,
    text: str,
) -> pl.DataFrame:
    severity = CHECKS[check].severity
    size = len(ts)
    return pl.DataFrame(
        {
            "check": [check] * size,
            "severity": [severity] * size,
            "instrument": [instrument] * size,
            "ts": ts,
            "row": row,
            "column": [column] * size,
            "value": value,
            "expected": expected,
            "text": [text] * size,
        },
        schema=FLAGS,
    ).with_columns(pl.col("value", "expected").fill_nan(None))


def each_instrument(frame: pl.DataFrame) -> Iterator[tuple[Bars, Bars]]:
    """Give the bars of each instrument as they stand, and ordered with each time once.

    Parameters
    ----------
    frame : polars.DataFrame
        With ``ts`` (Int64), ``instrument`` and float columns.

    Raises
    ------
    MarketDataError
        If there is no close.
    """
    if "close" not in frame.columns:
        raise MarketDataError(f"`bars` must have a close; found {', '.join(frame.columns[:20])}")
    names = [name for name in (*PRICES, "volume") if name in frame.columns]
    numbered = frame.select("ts", "instrument", *names).with_row_index("row")
    for (instrument,), part in numbered.group_by("instrument", maintain_order=True):
        columns = {n: part[n].cast(pl.Float64).fill_null(np.nan).to_numpy() for n in names}
        row, ts = part["row"].cast(pl.Int64).to_numpy(), part["ts"].to_numpy()
        raw = Bars(str(instrument), row, ts, columns)
        order = np.argsort(ts, kind="stable")
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = ts[order][1:] != ts[order][:-1]
        chosen = order[first]
        sorted_columns = {n: each[chosen] for n, each in columns.items()}
        yield raw, Bars(str(instrument), row[chosen], ts[chosen], sorted_columns)


def local_scale(moves: Floats) -> Floats:
    """Robust deviation of moves around each one.

    Parameters
    ----------
    moves : float64, shape (n,)
        Log returns; NaN is left out.

    Returns
    -------
    float64, shape (n,)
        1.4826 times the median of the sizes of 63 moves, 31 on each side; at least 0.3 % and half
        of that of all moves, so that a quiet time makes no outlier of an ordinary day.
    """
    size = pl.Series(np.abs(moves)).fill_nan(None)
    overall = _TO_DEVIATION * float(size.median() or 0.0)  # type: ignore[arg-type]
    local = size.rolling_median(_WINDOW, min_samples=1, center=True)
    floor = max(_SCALE_LEAST, 0.5 * overall)
    scaled = (local * _TO_DEVIATION).fill_null(floor).to_numpy()
    usual: Floats = np.maximum(scaled, floor)
    return usual
