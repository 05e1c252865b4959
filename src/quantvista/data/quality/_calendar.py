"""Checks against the sessions of a calendar: missing bars, and times in the wrong zone."""

import numpy as np
from numpy.typing import NDArray

from quantvista.data.quality._each import Findings, Rows
from quantvista.market import Sessions, sessions

__all__ = ["DAY_NS", "check_gaps", "check_zone", "is_daily", "sessions_of"]

DAY_NS = 86_400 * 10**9
_HOUR_NS = 3_600 * 10**9
_LONGEST = 3  # missing bars in a row within a day that are still called by one flag each


def sessions_of(calendar: str, first: int, last: int) -> Sessions:
    """Sessions that touch a span of time, a day more on each side."""
    days = [
        np.datetime64((each + side * DAY_NS) // DAY_NS, "D")
        for each, side in ((first, -1), (last, 1))
    ]
    return sessions(calendar, days[0], days[1])


def is_daily(bars: Rows) -> bool:
    """Whether there is at most one bar a day."""
    return len(bars) < 2 or float(np.median(np.diff(bars.ts))) >= 0.9 * DAY_NS


def check_gaps(bars: Rows, known: Sessions, found: Findings) -> None:
    """Flag sessions without a bar between the first and the last one, and holes within days."""
    if len(bars) < 2:
        return
    there = np.isfinite(bars.close)
    ts = bars.ts[there]
    if len(ts) < 2:
        return
    daily = is_daily(bars)
    session = _session_of(ts, known, daily)
    inside = session[session >= 0]
    if not len(inside):
        return
    every = np.arange(inside.min(), inside.max() + 1)
    missing = every[~np.isin(every, inside)]
    stamps = known.labels[missing].astype("datetime64[ns]").astype(np.int64)
    stamps = stamps if daily else known.close_ns[missing]
    found.add_missing("gap", bars.instrument, stamps, "no bar in this session")
    if daily or len(ts) < 20:
        return
    steps = np.diff(ts)
    same_day = (session[1:] == session[:-1]) & (session[1:] >= 0)
    if not same_day.any():
        return
    values, counts = np.unique(steps[same_day], return_counts=True)
    usual, share = int(values[counts.argmax()]), counts.max() / counts.sum()
    if share < 0.9:
        return  # bars only where something traded: a hole says nothing
    for place in np.flatnonzero(same_day & (steps > usual)).tolist():
        count = int(steps[place] // usual) - 1
        lost = ts[place] + usual * np.arange(1, min(count, _LONGEST) + 1)
        found.add_missing("gap", bars.instrument, lost, f"{count} missing in a row")


def check_zone(bars: Rows, known: Sessions, found: Findings) -> None:
    """Flag rows within the day that fit the sessions only after a shift of whole hours."""
    if is_daily(bars) or len(bars) < 20:
        return
    shares = {}
    for hours in range(-14, 15):
        session = _session_of(bars.ts + hours * _HOUR_NS, known, daily=False)
        shares[hours] = float((session >= 0).mean())
    best = max(shares, key=lambda hours: (shares[hours], -abs(hours)))
    if shares[0] < 0.9 and shares[best] > max(0.98, shares[0] + 0.1):
        session = _session_of(bars.ts, known, daily=False)
        text = f"outside the sessions; {best:+d} h would fit {shares[best]:.0%} of all rows"
        shifted = (bars.ts + best * _HOUR_NS).astype(np.float64)
        stamps = bars.ts.astype(np.float64)
        found.add("time_zone", bars, session < 0, "ts", text, expected=shifted, value=stamps)


def _session_of(ts: NDArray[np.int64], known: Sessions, daily: bool) -> NDArray[np.int64]:
    """Place of the session of each time, -1 outside all."""
    if daily:
        labels = known.labels.astype("datetime64[D]").astype(np.int64)
        midnight = ts % DAY_NS == 0
        if midnight.mean() > 0.5:
            day = ts // DAY_NS
            place = np.searchsorted(labels, day)
            fits = (place < len(labels)) & (labels[np.minimum(place, len(labels) - 1)] == day)
            return np.where(fits, place, -1)
    place = np.searchsorted(known.close_ns, ts)
    last = np.minimum(place, len(known) - 1)
    fits = (place < len(known)) & (known.open_ns[last] <= ts)
    return np.where(fits, place, -1)
