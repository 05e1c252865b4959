"""Checks of when quotes and trades come: twice, with ids that are missing, holes, sessions."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.quality._each import Findings, Rows, chance_run, in_runs
from quantvista.market import Sessions

__all__ = ["check_holes", "check_ids", "check_outside", "check_repeated"]

type Bools = NDArray[np.bool_]
type Ints = NDArray[np.int64]

_RARE = 0.01  # share of rows that may stand twice and still be told one by one
_STRETCH = 3.0  # times the run of doubled times that chance gives
_STRETCH_LEAST = 3
_IDS_SHARED = 0.2  # of rows whose id stands twice: then it is none of trades
_IDS_MISSING = 0.1  # of all ids in between: then they count more than these trades
_HOLE_LEAST = 60 * 10**9
_HOLE_TIMES = 6.0
_HOLE_QUANTILE = 0.99
_HOLE_AROUND = 2001
_HOLE_SAMPLES = 50


def check_repeated(rows: Rows, found: Findings) -> None:
    """Flag rows that stand twice at one time, one by one where that is rare, else in stretches."""
    if len(rows) < 2:
        return
    table = pl.DataFrame({"ts": rows.ts, **rows.columns})
    code = table.hash_rows(seed=1).to_numpy()
    again = ~table.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    text = "the whole row stands before at this time"
    if again.mean() <= _RARE:
        found.add("duplicate", rows, again, "ts", text)
        return
    first = np.flatnonzero(np.r_[True, np.diff(rows.ts) != 0])
    counts = np.diff(np.r_[first, len(rows)])
    half = np.repeat(counts // 2, counts)
    place = np.arange(len(rows)) - np.repeat(first, counts)
    partner = np.minimum(np.arange(len(rows)) + half, len(rows) - 1)
    equal = (place >= half) | (code == code[partner])
    doubled = np.logical_and.reduceat(equal, first) & (counts % 2 == 0)
    least = max(_STRETCH_LEAST, _STRETCH * chance_run(doubled))
    runs = in_runs(doubled, int(np.ceil(min(least, len(doubled) + 1))))
    twice = np.repeat(runs, counts) & (place >= half)
    found.add("duplicate", rows, twice, "ts", "this stretch of rows stands before")


def check_ids(trades: Rows, found: Findings) -> bool:
    """Flag ids that stand twice, and those that are left out.

    Returns
    -------
    bool
        Whether there are ids of trades.
    """
    ids = trades.columns.get("id")
    if ids is None or np.isnan(ids).any():
        return False
    order = np.argsort(ids, kind="stable")
    again = np.zeros(len(ids), dtype=np.bool_)
    again[order[1:]] = ids[order[1:]] == ids[order[:-1]]
    if again.mean() > _IDS_SHARED:
        return False
    found.add("duplicate", trades, again, "id", "the id stands before")
    single = order[~again[order]]
    steps = np.diff(ids[single])
    lost = steps.sum() - len(steps)
    if not len(steps) or ids[single[0]] < 0 or lost > _IDS_MISSING * (lost + len(single)):
        return True
    places = np.flatnonzero(steps > 1) + 1
    texts = [f"{int(steps[place - 1]) - 1:,} missing before it" for place in places.tolist()]
    found.add("id_gap", trades, single[places], "id", texts)
    return True


def check_holes(rows: Rows, known: Sessions, found: Findings) -> None:
    """Flag sessions without rows, and within them times without any for unusually long."""
    session = _session_of(rows.ts, known)
    inside = np.flatnonzero(session >= 0)
    if len(inside) < 2:
        return
    ts, place = rows.ts[inside], session[inside]
    every = np.arange(place[0], place[-1] + 1)
    empty = every[~np.isin(every, place)]
    name = rows.instrument
    found.add_missing("gap", name, known.open_ns[empty], "nothing in this session")
    wait, same = np.diff(ts), np.diff(place) == 0
    within = wait[same]
    if len(within) < _HOLE_SAMPLES:
        return
    usual = (
        pl.Series(within)
        .rolling_quantile(
            _HOLE_QUANTILE, window_size=_HOLE_AROUND, min_samples=_HOLE_SAMPLES, center=True
        )
        .backward_fill()
        .forward_fill()
        .to_numpy()
    )
    holes = (within > _HOLE_LEAST) & (within > _HOLE_TIMES * usual)
    start = ts[:-1][same]
    for row in np.flatnonzero(holes).tolist():
        text = f"nothing for {within[row] / 1e9:,.0f} s after this"
        found.add_missing("gap", name, start[row : row + 1], text)
    limit = max(_HOLE_LEAST, _HOLE_TIMES * float(np.quantile(within, _HOLE_QUANTILE)))
    turns = np.flatnonzero(~same)
    for turn in turns.tolist():
        late = int(ts[turn + 1] - known.open_ns[place[turn + 1]])
        early = int(known.close_ns[place[turn]] - ts[turn])
        if early > limit:
            text = f"nothing for {early / 1e9:,.0f} s before the close"
            found.add_missing("gap", name, ts[turn : turn + 1], text)
        if late > limit:
            text = f"nothing for {late / 1e9:,.0f} s after the open"
            opened = known.open_ns[place[turn + 1] : place[turn + 1] + 1]
            found.add_missing("gap", name, opened, text)


def check_outside(rows: Rows, known: Sessions, found: Findings) -> None:
    """Note rows outside the sessions."""
    stamps = rows.ts.astype(np.float64)
    outside = _session_of(rows.ts, known) < 0
    found.add("outside_session", rows, outside, "ts", "outside the sessions", value=stamps)


def _session_of(ts: Ints, known: Sessions) -> Ints:
    place = np.searchsorted(known.close_ns, ts)
    last = np.minimum(place, len(known) - 1)
    fits = (place < len(known)) & (known.open_ns[last] <= ts)
    return np.where(fits, place, -1)
