"""Small figures that need no script: drawn once, in tokens, as inline SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from quantvista.backtest._within import extremes
from quantvista.reporting._format import number, percent, short

__all__ = ["Line", "bars_across", "curve", "histogram", "intervals", "steps"]

type Floats = NDArray[np.float64]

_BINS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 1.0, 10.0, 1e9)
_STRIDES = (1e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0, 10.0, 1e9)


def intervals(rows: Sequence[dict[str, Any]]) -> Markup:
    """Draw Sharpe ratios with one and two standard errors, on one axis that shows zero."""
    ends = [row["ratio"] + sign * 2 * row["error"] for row in rows for sign in (-1, 1)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    margin = (high - low) * 0.06 or 1.0
    low, high = low - margin, high + margin
    left, width, row_height = 4, 712, 54
    height = row_height * len(rows) + 30

    def x(value: float) -> float:
        return float(round(left + (value - low) / (high - low) * width, 1))

    step = next(s for s in (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 1e9) if (high - low) / s <= 8)
    ticks = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    parts = []
    for tick in ticks:
        kind = "zero" if tick == 0 else "grid"
        digits = 2 if step < 0.5 else 1
        parts.append(
            f'<text class="tick" x="{x(tick)}" y="{height - 6}">{number(tick, digits)}</text>'
        )
        # One piece a row, so that no line runs through a name.
        parts += [
            f'<line class="{kind}" x1="{x(tick)}" x2="{x(tick)}" y1="{y - 11}" y2="{y + 11}"/>'
            for y in range(40, row_height * len(rows) + 40, row_height)
        ]
    for k, row in enumerate(rows):
        y, ratio, error = k * row_height + 40, row["ratio"], row["error"]
        tone = "ours" if k == 0 else "theirs"
        text = f"{number(ratio, 2)} \N{PLUS-MINUS SIGN} {error:.2f}"
        thin, thick = (ratio - 2 * error, ratio + 2 * error), (ratio - error, ratio + error)
        parts.append(
            f'<text class="name {tone}" x="0" y="{y - 17}">{escape(row["label"])} '
            f'<tspan class="figures">{text}</tspan></text>'
            f'<line class="thin {tone}" x1="{x(thin[0])}" x2="{x(thin[1])}" y1="{y}" y2="{y}"/>'
            f'<line class="thick {tone}" x1="{x(thick[0])}" x2="{x(thick[1])}" y1="{y}" y2="{y}"/>'
            f'<circle class="{tone}" cx="{x(ratio)}" cy="{y}" r="5.5"/>'
        )
    return _figure(720, height, "Sharpe ratios with one and two standard errors", parts)


def histogram(returns: Floats, var: float | None, cvar: float | None) -> Markup:
    """Draw daily returns by size; the count is on a log scale, so that the tails can be seen."""
    known = returns[np.isfinite(returns)]
    extreme = float(np.max(np.abs(known))) if known.size else 0.0
    if extreme == 0.0:
        return Markup("")
    step = next(s for s in _BINS if extreme / s <= 36)
    reach = math.ceil(extreme / step)
    counts, edges = np.histogram(known, bins=np.arange(-reach, reach + 1) * step)
    left, top, width, height = 52, 30, 660, 290
    most = math.log10(1 + int(counts.max()))

    def x(value: float) -> float:
        return round(left + (value / (reach * step) + 1) / 2 * width, 1)

    def y(count: float) -> float:
        return round(top + (1 - math.log10(1 + count) / most) * height, 1)

    parts = []
    for power in range(math.floor(most) + 1):
        line = y(10**power)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{left + width}" y1="{line}" y2="{line}"/>'
            f'<text class="tick end" x="{left - 6}" y="{line + 4}">{10**power:,}</text>'
        )
    for count, low, high in zip(counts.tolist(), edges[:-1], edges[1:], strict=True):
        if count:
            tone = "loss" if high <= 1e-12 else "gain"
            name = f"{percent(float(low), 2)} to {percent(float(high), 2)}: {count:,}"
            wide, tall = max(1.0, x(high) - x(low) - 1), top + height - y(count)
            parts.append(
                f'<rect class="{tone}" x="{x(low) + 0.5:.1f}" width="{wide:.1f}" y="{y(count)}"'
                f' height="{tall:.1f}"><title>{name}</title></rect>'
            )
    for name, value, side, gap in (("VaR 95 %", var, "start", 5), ("CVaR", cvar, "end", -5)):
        if value is not None:
            at, text = x(value), f"{name} {percent(value)}"
            parts.append(
                f'<line class="mark" x1="{at}" x2="{at}" y1="{top - 24}" y2="{top + height}"/>'
                f'<text class="note {side}" x="{at + gap}" y="{top - 12}">{text}</text>'
            )
    stride = next(s for s in _STRIDES if reach * step / s <= 5)
    ends = int(reach * step / stride + 1e-9)
    for k in range(-ends, ends + 1):
        text = percent(k * stride, 1 if stride < 0.01 else 0)
        parts.append(
            f'<text class="tick" x="{x(k * stride)}" y="{top + height + 18}">{text}</text>'
        )
    return _figure(720, top + height + 26, "Number of days by size of return", parts)


def _figure(width: int, height: int, label: str, parts: Sequence[str], kind: str = "") -> Markup:
    names = f"figure {kind}".strip()
    return Markup(
        f'<svg class="{names}" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A line with a name: its values, NaN where there is none, and how they are written."""

    name: str
    values: Sequence[float]
    texts: Sequence[str]


def bars_across(rows: Sequence[tuple[str, str, float, float]], label: str) -> Markup:
    """Draw bars of what was added and taken: name, figure, and where each starts and ends."""
    ends = [value for _, _, start, end in rows for value in (start, end)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    span = (high - low) or 1.0
    left, width, row_height = 150, 255, 30
    height = row_height * len(rows) + 6

    def x(value: float) -> float:
        return float(round(left + (value - low) / span * width, 1))

    parts = [f'<line class="zero" x1="{x(0)}" x2="{x(0)}" y1="0" y2="{height - 4}"/>']
    for k, (name, text, start, end) in enumerate(rows):
        top, wide = k * row_height + 6, max(1.0, abs(x(end) - x(start)))
        tone = "gain" if end >= start else "loss"
        parts.append(
            f'<text class="start" x="0" y="{top + 16}">{escape(name)}</text>'
            f'<rect class="{tone}" x="{min(x(start), x(end)):.1f}" width="{wide:.1f}"'
            f' y="{top}" height="22"><title>{escape(text)}</title></rect>'
            f'<text class="note end" x="490" y="{top + 16}">{escape(text)}</text>'
        )
    return _figure(490, height, label, parts, "half")


def curve(seconds: Sequence[int], lines: Sequence[Line], label: str) -> Markup:
    """Draw lines over horizons, one column each; the last horizon bears the lines' names."""
    known = [value for line in lines for value in line.values if math.isfinite(value)]
    if not known:
        return Markup("")
    low, high = min(0.0, *known), max(0.0, *known)
    span = (high - low) or 1.0
    left, width, top, height = 34, 420 if len(lines) == 1 else 300, 26, 130

    def x(column: int) -> float:
        return round(left + column / (len(seconds) - 1) * width, 1)

    def y(value: float) -> float:
        return round(top + (high - value) / span * height, 1)

    parts = [f'<line class="zero" x1="0" x2="{left + width}" y1="{y(0)}" y2="{y(0)}"/>']
    parts.append(f'<text class="start tick" x="0" y="{y(0) - 5}">0</text>')
    for column, horizon in enumerate(seconds):
        name = "at the fill" if horizon == 0 else f"{horizon} s"
        anchor = "start tick" if column == 0 else "tick"
        at = 0 if column == 0 else x(column)
        parts.append(f'<text class="{anchor}" x="{at}" y="{top + height + 34}">{name}</text>')
    for k, line in enumerate(lines):
        tone = "ours" if k == 0 else "theirs"
        dots = [(c, v, t) for c, (v, t) in enumerate(zip(line.values, line.texts, strict=True))]
        dots = [dot for dot in dots if math.isfinite(dot[1])]
        path = " L".join(f"{x(column)} {y(value)}" for column, value, _ in dots)
        parts.append(f'<path class="{tone}" d="M{path}"/>')
        for column, value, text in dots:
            parts.append(
                f'<circle class="{tone}" cx="{x(column)}" cy="{y(value)}" r="4.5">'
                f"<title>{escape(line.name)}: {text} bp</title></circle>"
            )
            if len(lines) == 1:
                before = line.values[column - 1] if column else -math.inf
                at = y(value) + (20 if value < before else -10)
                parts.append(f'<text class="note" x="{x(column)}" y="{at:.1f}">{text}</text>')
        if dots and len(lines) > 1:
            column, value, text = dots[-1]
            parts.append(
                f'<text class="name {tone}" x="{x(column) + 12}" y="{y(value) + 4}">'
                f"{escape(line.name)}</text>"
            )
    return _figure(490, top + height + 42, label, parts, "half")


def steps(ts: NDArray[np.int64], values: Floats, span: tuple[int, int], label: str) -> Markup:
    """Draw what stays until it changes, with the time of day below; thinned by pixel columns."""
    first, last = span
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    if high == low:
        return Markup("")
    left, width, top, height = 0, 880, 10, 110
    column = (ts - first) / max(1, last - first) * width + left

    def y(value: float) -> float:
        return round(top + (high - value) / (high - low) * height, 1)

    kept = extremes(np.floor(column * 2).astype(np.int64), values)
    path = f"M{column[kept[0]]:.1f} {y(values[kept[0]])}"
    path += "".join(f" H{column[k]:.1f} V{y(values[k])}" for k in kept[1:].tolist())
    path += f" H{width + left}"
    parts = [
        f'<line class="zero" x1="{left}" x2="{left + width}" y1="{y(0)}" y2="{y(0)}"/>',
        f'<path class="ours" d="{path}"/>',
    ]
    ticks = [(value, _tick(value)) for value in sorted({low, 0.0, high})]
    near = 14 / height * (high - low)
    for value, text in ticks:
        if value == 0.0 or abs(value) > near:
            parts.append(
                f'<text class="start tick" x="{left + width + 8}" y="{y(value) + 4}">{text}</text>'
            )
    for share, anchor in ((0.0, "start"), (0.5, ""), (1.0, "end")):
        at = np.datetime64(first + round((last - first) * share), "ns").astype("M8[s]").item()
        parts.append(
            f'<text class="tick {anchor}" x="{left + width * share}" y="{top + height + 20}">'
            f"{at:%H:%M:%S}{' UTC' if share == 0 else ''}</text>"
        )
    return _figure(1000, top + height + 26, label, parts, "strip")


def _tick(value: float) -> str:
    if abs(value) >= 1000:
        return short(value)
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
