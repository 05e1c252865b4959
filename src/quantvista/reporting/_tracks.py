"""Lines over one time axis, each named at its end, as inline SVG that needs no script."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from quantvista.reporting._lines import paths, ticks

__all__ = ["TrackLine", "tracks_chart"]

type Floats = NDArray[np.float64]

_LEFT, _WIDTH, _RIGHT, _TOP = 104, 440, 176, 14
_ROW = 20  # between the names of lines, in the figure's units


@dataclass(frozen=True, slots=True)
class TrackLine:
    """A line.

    Parameters
    ----------
    name : str
        Beside its end.
    values : float64, shape (T,)
        NaN leaves a gap.
    token : str
        Of its colour, such as ``accent`` or ``category-1``.
    text : str
        Its last value as people read it.
    """

    name: str
    values: Floats
    token: str
    text: str


def tracks_chart(
    ends: tuple[str, str],
    lines: Sequence[TrackLine],
    label: str,
    *,
    height: int = 200,
    zero: bool = False,
) -> Markup:
    """Draw several lines with direct names.

    Parameters
    ----------
    ends : (str, str)
        What stands below the first and the last time.
    lines : sequence of TrackLine
        Over the same times, the most important first: it is drawn last, over the others.
    label : str
        What it is, for those who do not see it.
    height : int
        Of the plot, in units of a width of 720.
    zero : bool
        Whether the axis must show zero.

    Returns
    -------
    Markup
        Empty where there is nothing to draw.
    """
    known = np.concatenate([each.values[np.isfinite(each.values)] for each in lines])
    if not known.size or len(lines[0].values) < 2:
        return Markup("")
    low, high = float(known.min()), float(known.max())
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    last = len(lines[0].values) - 1

    def y(value: float) -> float:
        return round(_TOP + (high - value) / (high - low) * height, 1)

    def x(row: int) -> float:
        return round(_LEFT + row / last * _WIDTH, 1)

    parts = _axis(low, high, y)
    for row, anchor, when in zip((0, last), ("start tick", "tick end"), ends, strict=True):
        parts.append(f'<text class="{anchor}" x="{x(row)}" y="{_TOP + height + 20}">{when}</text>')
    for each in reversed(lines):
        wide = 2.2 if each is lines[0] else 1.6
        look = f"stroke:var(--{each.token});stroke-width:{wide}"
        parts += [f'<path style="{look}" d="M{d}"/>' for d in paths(each.values, x, y)]
    parts += _names(lines, y, height)
    box = f"0 0 {_LEFT + _WIDTH + _RIGHT} {_TOP + height + 26}"
    return Markup(
        f'<svg class="figure" viewBox="{box}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _axis(low: float, high: float, y: Callable[[float], float]) -> list[str]:
    levels = ticks(low, high)
    digits = max(0, -math.floor(math.log10(levels[1] - levels[0]))) if len(levels) > 1 else 2
    parts = []
    for tick in levels:
        kind, written = "zero" if tick == 0 else "grid", f"{tick:,.{digits}f}"
        across = f'x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y(tick)}" y2="{y(tick)}"'
        parts.append(
            f'<line class="{kind}" {across}/><text class="tick end" x="{_LEFT - 8}" '
            f'y="{y(tick) + 4}">{written.replace("-", "\N{MINUS SIGN}")}</text>'
        )
    return parts


def _names(lines: Sequence[TrackLine], y: Callable[[float], float], height: int) -> list[str]:
    """Name the lines at their ends, apart from each other."""
    at = {each.name: _last(each.values) for each in lines}
    drawn = [each for each in lines if math.isfinite(at[each.name])]
    order = sorted(drawn, key=lambda each: -at[each.name])
    places: list[float] = [y(at[each.name]) + 4 for each in order]
    for k in range(1, len(places)):
        places[k] = max(places[k], places[k - 1] + _ROW)
    floor: float = _TOP + height + 4
    for k in range(len(places) - 1, -1, -1):
        places[k] = min(places[k], floor)
        floor = places[k] - _ROW
    return [
        f'<text class="start" style="fill:var(--{each.token});font-weight:600" '
        f'x="{_LEFT + _WIDTH + 8}" y="{place:.1f}">{escape(each.name)}'
        f"<title>{escape(each.text)}</title></text>"
        for each, place in zip(order, places, strict=True)
    ]


def _last(values: Floats) -> float:
    found = values[np.isfinite(values)]
    return float(found[-1]) if found.size else math.nan
