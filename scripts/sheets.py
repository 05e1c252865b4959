"""Pictures for the documentation: SVG files that stand by themselves, in the product's colours."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from quantvista.reporting._lines import paths, ticks

TOKENS = Path(__file__).parents[1] / "dashboard" / "src" / "styles" / "tokens.css"
type Floats = NDArray[np.float64]

_USED = ("bg", "line", "control", "ink", "ink-3", "accent", "benchmark", "loss")
_RULES = """\
text{font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums;fill:var(--ink-3)}
.name{font-weight:600;fill:var(--ink)}
.tick{font-size:11px}
.end{text-anchor:end}
line{stroke:var(--line)}
.zero{stroke:var(--control)}
path{fill:none;stroke-width:1.3;stroke-linejoin:round}
path.ours{stroke:var(--accent)}
path.theirs{stroke:var(--benchmark)}
rect.ours,rect.theirs{stroke-width:1.3}
rect.ours{stroke:var(--accent);fill:var(--accent)}
rect.theirs{stroke:var(--benchmark);fill:var(--benchmark)}
rect.rising{fill:var(--bg)}
circle{fill:var(--loss);stroke:var(--bg);stroke-width:1.5}
"""
_COLUMNS, _WIDTH, _GUTTER, _LEFT = 3, 304, 24, 48
_TITLE, _PRICE, _GAP, _FEATURE, _BELOW = 20, 34, 8, 50, 20


@dataclass(frozen=True, slots=True)
class Cell:
    """One feature: its name, and its values at the bars of the sheet.

    ``candles`` are the bars around a shape (open, high, low, close in four rows), with the column
    at which the shape ends in ``at``; they are drawn instead of price and values.
    """

    name: str
    values: Floats
    candles: Floats | None = None
    at: int = 0


def style() -> str:
    """Tokens and rules of a picture; light or dark as the reader's system is."""
    text = TOKENS.read_text("utf-8").split("}")[0]
    found = {
        name: (light, dark)
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", text)
    }
    light, dark = (";".join(f"--{n}:{found[n][side]}" for n in _USED) for side in (0, 1))
    scheme = f":root{{{light}}}\n@media(prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return f"<style>\n{scheme}{_RULES}</style>"


def picture(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    """Put parts into a file of SVG."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" role="img" aria-label="{escape(label)}">\n{style()}\n'
        '<rect width="100%" height="100%" style="fill:var(--bg)"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def feature_sheet(cells: Sequence[Cell], price: Floats, label: str) -> str:
    """Draw small multiples: the price above, a feature below.

    Parameters
    ----------
    cells : sequence of Cell
        What to draw, in order, three to a row.
    price : float64, shape (T,)
        Closes, the same in every cell.
    label : str
        What it is, for those who cannot see it.
    """
    tall = _TITLE + _PRICE + _GAP + _FEATURE + _BELOW
    rows = math.ceil(len(cells) / _COLUMNS)
    width = _COLUMNS * _WIDTH + (_COLUMNS - 1) * _GUTTER
    shared = _line(price, _TITLE, _PRICE, "theirs")
    parts = [f'<defs><g id="p">{shared}</g></defs>']
    for place, cell in enumerate(cells):
        row, column = divmod(place, _COLUMNS)
        at = f"translate({column * (_WIDTH + _GUTTER)} {row * tall})"
        parts.append(f'<g transform="{at}">{_cell(cell)}</g>')
    return picture(width, rows * tall, label, parts)


def _cell(cell: Cell) -> str:
    top = _TITLE + _PRICE + _GAP
    parts = [f'<text class="name" x="{_LEFT}" y="13">{escape(cell.name)}</text>']
    if cell.candles is not None:
        return "".join([*parts, *_candles(cell.candles, cell.at)])
    parts.append('<use href="#p"/>')
    known = cell.values[np.isfinite(cell.values)]
    if not known.size:
        raise SystemExit(f"{cell.name} has no value to draw")
    low, high = float(known.min()), float(known.max())
    marks = set(np.unique(known).tolist()) == {0.0, 1.0}
    if marks:
        low, high = 0.0, 1.0
    elif low == high:
        low, high = low - 0.5, high + 0.5
    parts += _axis(low, high, top)
    parts.append(_marks(cell.values, top) if marks else _line(cell.values, top, _FEATURE, "ours"))
    return "".join(parts)


def _candles(bars: Floats, at: int) -> list[str]:
    """Draw bars as candles, hollow where they rise, with a mark below the one that counts."""
    tall, wide = _PRICE + _GAP + _FEATURE - 8, (_WIDTH - _LEFT) / bars.shape[1]
    low, high = float(bars[2].min()), float(bars[1].max())

    def y(value: float) -> float:
        return round(_TITLE + (high - value) / (high - low) * tall, 1)

    parts = []
    for column, (opened, top, bottom, closed) in enumerate(bars.T.tolist()):
        x = round(_LEFT + (column + 0.5) * wide, 1)
        tone = "ours" if column == at else "theirs"
        upper, lower = y(max(opened, closed)), y(min(opened, closed))
        kind = "rising" if closed > opened else "falling"
        parts.append(
            f'<path class="{tone}" d="M{x} {y(top)}V{upper}M{x} {lower}V{y(bottom)}"/>'
            f'<rect class="{tone} {kind}" x="{x - 4:.1f}" y="{upper}" width="8"'
            f' height="{max(0.5, lower - upper):.1f}"/>'
        )
        if column == at:
            parts.append(f'<circle cx="{x}" cy="{_TITLE + tall + 10}" r="4"/>')
    return parts


def _axis(low: float, high: float, top: int) -> list[str]:
    # One tick alone says nothing about the scale.
    levels = next((found for count in range(2, 8) if len(found := ticks(low, high, count)) > 1), [])
    step = levels[1] - levels[0] if len(levels) > 1 else high - low
    parts = []
    for level in levels:
        y = round(top + (high - level) / (high - low) * _FEATURE, 1)
        kind = "zero" if level == 0 else "grid"
        parts.append(
            f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}"/>'
            f'<text class="tick end" x="{_LEFT - 6}" y="{y + 4:.1f}">{_written(level, step)}</text>'
        )
    return parts


def _written(level: float, step: float) -> str:
    if level == 0:
        return "0"
    units = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"), (1.0, ""))
    fits = (each for each in units if abs(level) >= each[0] and step >= each[0] / 10)
    unit, suffix = next(fits, (1.0, ""))
    level, step = level / unit, step / unit
    if step < 1e-3:
        return f"{level:.0e}".replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{level:.{digits}f}{suffix}".replace("-", "\N{MINUS SIGN}")


def _line(values: Floats, top: int, height: int, tone: str) -> str:
    known = values[np.isfinite(values)]
    low, high = float(known.min()), float(known.max())
    if low == high:
        low, high = low - 0.5, high + 0.5

    def y(value: float) -> float:
        return round(top + (high - value) / (high - low) * height, 1)

    return "".join(
        f'<path class="{tone}" d="M{d}"/>' for d in paths(values, lambda row: _x(row, values), y)
    )


def _marks(values: Floats, top: int) -> str:
    """Draw what holds or does not: a mark at each bar at which it holds."""
    rows = np.flatnonzero(values == 1.0).tolist()
    d = "".join(f"M{_x(row, values)} {top + _FEATURE}v-{_FEATURE}" for row in rows)
    return f'<path class="ours" d="{d}"/>'


def _x(row: int, values: Floats) -> float:
    return round(_LEFT + row / (len(values) - 1) * (_WIDTH - _LEFT), 1)
