"""Runs of less than a month: what happened within their sessions, and how long they lasted."""

from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quantvista.portfolio.metrics import SHORTEST_YEARS, years_between

__all__ = [
    "MINUS",
    "extremes",
    "instant",
    "is_brief",
    "lasting",
    "period_within",
    "profit_share",
    "sample_period",
    "within",
]

type Ints = NDArray[np.int64]
type Floats = NDArray[np.float64]

_SAMPLES: Final = 2_000
_COLUMNS: Final = 1_000  # each keeps at most four points
_SMALL: Final = 2e-3  # below that a percentage with one decimal says too little
_SPANS: Final = (
    (86_400.0 * 2, 86_400.0, "day"),
    (7_200.0, 3_600.0, "hour"),
    (120.0, 60.0, "minute"),
)
MINUS: Final = "\N{MINUS SIGN}"


def is_brief(ts: Ints) -> bool:
    """Tell whether there is less than a month between the first time and the last."""
    return ts.size < 2 or years_between(int(ts[0]), int(ts[-1])) < SHORTEST_YEARS


def sample_period(ts: Ints) -> int | None:
    """Choose how often the accounts of a run of events are written down between barriers.

    Parameters
    ----------
    ts : int64, shape (n,)
        When its events were received, UTC nanoseconds, ascending.

    Returns
    -------
    int or None
        Nanoseconds, so that there are some 2,000 samples; None for runs of a month and more,
        whose barriers are enough.
    """
    if ts.size < 2 or not is_brief(ts):
        return None
    return max(1, ceil((int(ts[-1]) - int(ts[0])) / _SAMPLES))


def within(ts: Ints, ends: NDArray[np.bool_], level: Floats) -> NDArray[np.bool_] | None:
    """Choose what to draw of a brief run beside its session ends; None where there is no more.

    Parameters
    ----------
    ts : int64, shape (T,)
        All recorded times.
    ends : bool, shape (T,)
        Which of them end a session.
    level : float64, shape (T,)
        Equity.

    Returns
    -------
    bool, shape (T,), or None
        At most some 4,000 times: of each of a thousand spans the first, the last, the lowest and
        the highest, so that drawdowns are those of all.
    """
    if not is_brief(ts) or bool(ends.all()):
        return None
    span = max(1, int(ts[-1]) - int(ts[0]))
    column = (ts - ts[0]) // ceil(span / _COLUMNS)
    keep = ends.copy()
    keep[extremes(column, level)] = True
    return keep


def extremes(column: Ints, values: Floats) -> Ints:
    """Find the first, least, greatest and last value of each column, so that no spike vanishes.

    Examples
    --------
    >>> extremes(np.array([0, 0, 0, 0, 1]), np.array([2.0, 1.0, 3.0, 2.0, 5.0])).tolist()
    [0, 1, 2, 3, 4]
    """
    starts = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
    kept: set[int] = set()
    for start, stop in zip(starts, [*starts[1:], len(column)], strict=True):
        part = values[start:stop]
        kept |= {int(start), int(start + part.argmin()), int(start + part.argmax()), int(stop) - 1}
    return np.array(sorted(kept), dtype=np.int64)


def lasting(seconds: float) -> str:
    """Say how long something took, in the unit that fits.

    Examples
    --------
    >>> lasting(659), lasting(23_400), lasting(3 * 86_400), lasting(41), lasting(1)
    ('11 minutes', '6.5 hours', '3 days', '41 seconds', '1 second')
    """
    size, unit = next(
        ((size, unit) for least, size, unit in _SPANS if seconds >= least), (1.0, "second")
    )
    text = f"{seconds / size:.1f}".removesuffix(".0") if unit == "hour" else f"{seconds / size:.0f}"
    return f"{text} {unit}{'' if text == '1' else 's'}"


def profit_share(value: float) -> str:
    """Write a return in per cent, or in basis points where one decimal would say nothing.

    Examples
    --------
    >>> profit_share(0.0123), profit_share(0.000025), profit_share(0.0)
    ('1.2 %', '0.25 bp', '0.0 %')
    """
    if value == 0.0 or abs(value) >= _SMALL:
        return f"{value * 100:.1f} %".replace("-", MINUS)
    return f"{value * 10_000:.2g} bp".replace("-", MINUS)


def instant(ts: int) -> str:
    """Write UTC nanoseconds to the second."""
    return f"{np.datetime64(ts, 'ns').astype('M8[s]')}Z"


def period_within(ts: Ints) -> dict[str, Any]:
    """Say when a brief run began and ended, and how long it took."""
    first, last = int(ts[0]), int(ts[-1])
    return {"first": instant(first), "last": instant(last), "seconds": (last - first) / 1e9}
