"""Equity curves at session ends, taken from the tables of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.backtest._frames import RunFrames
from quantvista.backtest._within import within
from quantvista.market import session_dates, session_ends
from quantvista.portfolio.flows import time_weighted_index

__all__ = ["Curve", "cash_flows", "curves", "curves_of"]

type Ints = NDArray[np.int64]
type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """An equity curve at session ends.

    Parameters
    ----------
    ts : int64, shape (points,)
        UTC nanoseconds.
    level : float64, shape (points,)
        NaN where there is none.
    date : datetime64[D], shape (points,)
        Dates of the sessions.
    opening : int
        1 if the first point is the first bar of a session that goes on, 0 if it is a session end.
        Nothing can be filled at a first bar, so the fund's first level is its starting cash.
    """

    ts: Ints
    level: Floats
    date: NDArray[np.datetime64]
    opening: int = 0
    within: bool = False
    """Whether the points are times within sessions, not session ends."""

    @property
    def sessions(self) -> int:
        """How many sessions it covers."""
        return int(self.ts.size) - self.opening


def curves(
    frames: RunFrames, calendar: str = "", time_zone: str = "UTC", *, fine: bool = False
) -> dict[str, Curve]:
    """Collect curves at session ends: ``fund``, ``benchmark`` if there is one, each comparison.

    A comparison that never moved, since it never traded, is left out.

    Bars within a session are thinned to its last one; the first bar of all stays, so that the
    result of the first session counts. Where money was paid in or out, the fund's curve is what its
    first equity would have become without that (time-weighted).

    Parameters
    ----------
    frames : RunFrames
        Tables of the run.
    calendar, time_zone : str
        Of the fund; without a calendar, bars of one date are a session.
    fine : bool
        Of a run of less than a month keep times within its sessions too, if there are.
    """
    equity = frames.equity.select(
        pl.col("ts").cast(pl.Int64),
        fund=pl.col("equity").cast(pl.Float64),
        benchmark=pl.col("benchmark").cast(pl.Float64),
    )
    flow_ts, flow = cash_flows(frames)
    if flow_ts.size:
        index = time_weighted_index(
            equity["ts"].to_numpy(), equity["fund"].to_numpy(), flow_ts, flow
        )
        equity = equity.with_columns(fund=index)
    for (name,), part in frames.comparisons.group_by("name", maintain_order=True):
        other = part.select(
            pl.col("ts").cast(pl.Int64), pl.col("equity").cast(pl.Float64).alias(str(name))
        )
        equity = equity.join(other, on="ts", how="left", maintain_order="left")
    ts = equity["ts"].to_numpy()
    keep = session_ends(ts, calendar, time_zone)
    more = within(ts, keep, equity["fund"].to_numpy()) if fine else None
    opening = int(ts.size > 0 and not keep[0])
    keep[:1] = True
    if more is not None:
        keep, opening = more, 0
    if not keep.all():
        equity = equity.filter(pl.Series(keep))
        ts = equity["ts"].to_numpy()
    date = session_dates(ts, calendar, time_zone)
    levels = {
        name: equity[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        for name in equity.columns[1:]
    }
    return {
        name: Curve(ts, level, date, opening, more is not None)
        for name, level in levels.items()
        if name == "fund" or _says_something(name, level)
    }


def _says_something(name: str, level: Floats) -> bool:
    """Whether a curve is there; a comparison that had no time to trade is none."""
    known = level[np.isfinite(level)]
    return bool(known.size) and (name == "benchmark" or float(np.ptp(known)) > 0)


def cash_flows(frames: RunFrames) -> tuple[Ints, Floats]:
    """Collect when money was paid in (positive) and out, in the fund's currency."""
    flows = frames.postings.filter(pl.col("kind").is_in(["deposit", "withdrawal"]))
    ts = flows["ts"].cast(pl.Int64).to_numpy()
    return ts, flows["amount"].cast(pl.Float64).to_numpy()


def curves_of(
    frames: RunFrames, summary: Mapping[str, Any], *, fine: bool = False
) -> dict[str, Curve]:
    """Collect the curves of a run that has been summed up."""
    fund = summary["fund"]
    return curves(frames, fund["calendar"], fund["time_zone"], fine=fine)
