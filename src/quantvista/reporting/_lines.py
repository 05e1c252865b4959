"""A line over time with marked points, as inline SVG that needs no script."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

__all__ = ["line_chart", "paths", "spoken_time", "ticks"]

type Floats = NDArray[np.float64]

_LEFT, _WIDTH, _TOP = 66, 640, 22
_POINTS_MOST = 1200


def line_chart(
    ts: NDArray[np.int64],
    values: Floats,
    label: str,
    *,
    marks: Sequence[int] = (),
    expected: Floats | None = None,
    height: int = 120,
    zero: bool = False,
    ends: tuple[str, str] | None = None,
) -> Markup:
    """Draw one series over time.

    Parameters
    ----------
    ts : int64, shape (T,)
        UTC nanoseconds, ascending.
    values : float64, shape (T,)
        NaN leaves a gap.
    label : str
        What it is, above the line.
    marks : sequence of int
        Rows to mark: on the line, or on the grey one where the line has a gap.
    expected : float64, shape (T,), or None
        A second, grey line.
    height : int
        Of the plot, in units of a width of 720.
    zero : bool
        Whether the axis must show zero.
    ends : tuple of str or None
        What stands below the first and the last row; ``None`` writes their times.

    Returns
    -------
    Markup
        Empty where there is nothing to draw. Long series are thinned so that the least and the
        greatest value of each step stay.
    """
    lines = [values] if expected is None else [values, expected]
    known = np.concatenate([each[np.isfinite(each)] for each in lines])
    if not known.size or len(ts) < 2:
        return Markup("")
    low, high = float(known.min()), float(known.max())
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = low - 0.5, high + 0.5

    def y(value: float) -> float:
        return round(_TOP + (high - value) / (high - low) * height, 1)

    def x(row: int) -> float:
        return round(_LEFT + row / (len(ts) - 1) * _WIDTH, 1)

    levels = ticks(low, high)
    digits = max(0, -math.floor(math.log10(levels[1] - levels[0]))) if len(levels) > 1 else 2
    parts = [f'<text class="name ours" x="{_LEFT}" y="{_TOP - 9}">{escape(label)}</text>']
    for tick in levels:
        kind = "zero" if tick == 0 else "grid"
        written = f"{tick:,.{digits}f}".replace("-", "\N{MINUS SIGN}")
        across = f'x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y(tick)}" y2="{y(tick)}"'
        parts.append(
            f'<line class="{kind}" {across}/>'
            f'<text class="tick end" x="{_LEFT - 8}" y="{y(tick) + 4}">{written}</text>'
        )
    below = ends or tuple(spoken_time(int(ts[row]), daily=_daily(ts)) for row in (0, -1))
    for row, anchor, when in zip((0, len(ts) - 1), ("start tick", "tick end"), below, strict=True):
        parts.append(f'<text class="{anchor}" x="{x(row)}" y="{_TOP + height + 18}">{when}</text>')
    for tone, line in zip(
        ("theirs", "ours"), lines[::-1] if len(lines) == 2 else [None, values], strict=True
    ):
        if line is not None:
            parts += [f'<path class="{tone}" d="M{d}"/>' for d in paths(line, x, y)]
    for row in marks:
        at = next((float(line[row]) for line in lines if math.isfinite(line[row])), None)
        if at is not None:
            when = spoken_time(int(ts[row]), daily=_daily(ts))
            found = f"{values[row]:g}" if math.isfinite(values[row]) else "nothing"
            parts.append(
                f'<circle class="loss" cx="{x(row)}" cy="{y(at)}" r="4.5">'
                f"<title>{when}: {found}</title></circle>"
            )
    box = f"0 0 720 {_TOP + height + 24}"
    return Markup(
        f'<svg class="figure" viewBox="{box}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def spoken_time(ts: int, *, daily: bool) -> str:
    """Write a time: the date, and within a day the time in UTC."""
    when = datetime.fromtimestamp(ts // 10**9, UTC)
    return when.strftime("%Y-%m-%d" if daily else "%Y-%m-%d %H:%M UTC")


def _daily(ts: NDArray[np.int64]) -> bool:
    return float(np.median(np.diff(ts))) >= 20 * 3600e9


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers between two, about as many as asked for."""
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def paths(values: Floats, x: Callable[[int], float], y: Callable[[float], float]) -> list[str]:
    """Stretches without gaps, thinned to what can be seen."""
    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) > 2 * _POINTS_MOST:
        kept = []
        for part in np.array_split(rows, _POINTS_MOST):
            kept += sorted({int(part[values[part].argmin()]), int(part[values[part].argmax()])})
        chosen = np.array(kept)
        breaks = np.flatnonzero(np.diff(chosen) > 4 * len(values) / _POINTS_MOST)
    else:
        chosen = rows
        breaks = np.flatnonzero(np.diff(chosen) > 1)
    return [
        " L".join(f"{x(row)} {y(float(values[row]))}" for row in part.tolist())
        for part in np.split(chosen, breaks + 1)
        if len(part)
    ]
