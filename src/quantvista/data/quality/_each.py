"""Rows of one instrument as arrays, and the words of what is wrong with them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.quality._catalogue import CHECKS_OF
from quantvista.data.quality._types import FLAGS

__all__ = ["Findings", "Rows", "chance_run", "each_instrument", "in_runs", "local_scale"]

type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]

_WINDOW = 63  # bars that say what is usual
_SCALE_LEAST = 0.003
_CHANCE = 1e-7
_TO_DEVIATION = 1.4826  # median of absolute values to standard deviation, normal distribution


@dataclass(frozen=True, slots=True)
class Rows:
    """Bars, quotes or trades of one instrument.

    Parameters
    ----------
    instrument : str
        Id.
    row : int64, shape (n,)
        Where each stands in the table.
    ts : int64, shape (n,)
        UTC nanoseconds.
    columns : mapping of str to float64, shape (n,)
        Those that there are; NaN where missing.
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

    def kept(self, rows: Bools | NDArray[np.int64]) -> "Rows":
        """Leave some out, or put them into an order."""
        columns = {name: each[rows] for name, each in self.columns.items()}
        return Rows(self.instrument, self.row[rows], self.ts[rows], columns)


@dataclass
class Findings:
    """Collects flags of rows of a kind as columns."""

    kind: str = "bars"
    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(
        self,
        check: str,
        rows: Rows,
        at: Bools | NDArray[np.int64],
        column: str,
        text: str | Sequence[str],
        *,
        expected: Floats | None = None,
        value: Floats | None = None,
    ) -> None:
        """Flag rows of an instrument."""
        places = np.flatnonzero(at) if at.dtype == np.bool_ else at
        if not len(places):
            return
        found = value if value is not None else rows.columns.get(column)
        nothing = np.full(len(places), np.nan)
        self.parts.append(
            self._frame(
                check,
                rows.instrument,
                rows.ts[places],
                rows.row[places],
                column,
                nothing if found is None else found[places],
                nothing if expected is None else expected[places],
                text,
            )
        )

    def add_missing(self, check: str, instrument: str, ts: NDArray[np.int64], text: str) -> None:
        """Flag times at which there is nothing."""
        nothing = np.full(len(ts), np.nan)
        row = np.full(len(ts), -1, dtype=np.int64)
        self.parts.append(self._frame(check, instrument, ts, row, "", nothing, nothing, text))

    def table(self) -> pl.DataFrame:
        """All flags, in the order of checks, instruments and times."""
        if not self.parts:
            return pl.DataFrame(schema=FLAGS)
        order = {name: place for place, name in enumerate(CHECKS_OF[self.kind])}
        found = pl.concat(self.parts)
        place = pl.col("check").replace_strict(order, return_dtype=pl.Int64)
        return found.sort(place, "instrument", "ts", "row", "column", maintain_order=True)

    def _frame(
        self,
        check: str,
        instrument: str,
        ts: NDArray[np.int64],
        row: NDArray[np.int64],
        column: str,
        value: Floats,
        expected: Floats,
        text: str | Sequence[str],
    ) -> pl.DataFrame:
        severity = CHECKS_OF[self.kind][check].severity
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
                "text": [text] * size if isinstance(text, str) else text,
            },
            schema=FLAGS,
        ).with_columns(pl.col("value", "expected").fill_nan(None))


def each_instrument(frame: pl.DataFrame, *, once: bool = True) -> Iterator[tuple[Rows, Rows]]:
    """Give the rows of each instrument as they stand, and ordered by time.

    Parameters
    ----------
    frame : polars.DataFrame
        With ``ts`` (Int64), ``instrument`` and columns of numbers.
    once : bool
        Leave out all but the first row of each time in what is ordered.
    """
    names = [name for name in frame.columns if name not in ("ts", "instrument")]
    numbered = frame.select("ts", "instrument", *names).with_row_index("row")
    for (instrument,), part in numbered.group_by("instrument", maintain_order=True):
        columns = {n: part[n].cast(pl.Float64).fill_null(np.nan).to_numpy() for n in names}
        row, ts = part["row"].cast(pl.Int64).to_numpy(), part["ts"].to_numpy()
        raw = Rows(str(instrument), row, ts, columns)
        order = np.argsort(ts, kind="stable")
        if once:
            first = np.ones(len(order), dtype=np.bool_)
            first[1:] = ts[order][1:] != ts[order][:-1]
            order = order[first]
        yield raw, raw.kept(order)


def in_runs(same: Bools, least: int) -> Bools:
    """Rows in runs of at least so many.

    Examples
    --------
    >>> in_runs(np.array([True, False, True, True]), 2).tolist()
    [False, False, True, True]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    rows = np.zeros(len(same), dtype=np.bool_)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= least:
            rows[start:end] = True
    return rows


def chance_run(same: Bools) -> float:
    """Length of a run that chance gives once in ten million tables like this.

    Each row is taken for one of a run with the share that all of them are.
    """
    share = float(same.mean()) if len(same) else 0.0
    if not 0.0 < share < 1.0:
        return math.inf if share == 1.0 else 0.0
    return math.log(_CHANCE / len(same)) / math.log(share)


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
