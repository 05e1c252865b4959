"""Equity curves at session ends, taken from the tables of a run."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.backtest._frames import RunFrames

__all__ = ["Curve", "curves"]

type Ints = NDArray[np.int64]
type Floats = NDArray[np.float64]

_INTRADAY_NS: Final = 20 * 3_600_000_000_000
_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True)
class Curve:
    """An equity curve at session ends: UTC nanoseconds and levels, NaN where there is none."""

    ts: Ints
    level: Floats


def curves(frames: RunFrames) -> dict[str, Curve]:
    """Collect curves at session ends: ``fund``, ``benchmark`` if there is one, each comparison.

    Bars closer than 20 hours are thinned to the last one of each UTC day.
    """
    equity = frames.equity.select(
        pl.col("ts").cast(pl.Int64),
        fund=pl.col("equity").cast(pl.Float64),
        benchmark=pl.col("benchmark").cast(pl.Float64),
    )
    for (name,), part in frames.comparisons.group_by("name", maintain_order=True):
        other = part.select(
            pl.col("ts").cast(pl.Int64), pl.col("equity").cast(pl.Float64).alias(str(name))
        )
        equity = equity.join(other, on="ts", how="left", maintain_order="left")
    ts = equity["ts"].to_numpy()
    if ts.size > 1 and float(np.median(np.diff(ts))) < _INTRADAY_NS:
        day = ts // _DAY_NS
        equity = equity.filter(pl.Series(np.append(day[1:] != day[:-1], True)))
        ts = equity["ts"].to_numpy()
    levels = {
        name: equity[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        for name in equity.columns[1:]
    }
    return {
        name: Curve(ts, level)
        for name, level in levels.items()
        if name == "fund" or bool(np.isfinite(level).any())
    }
