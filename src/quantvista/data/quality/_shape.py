"""Checks of how prices move: stale runs, outliers, splits, wrong units."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from quantvista.data.quality._each import Findings, Rows, chance_run, in_runs, local_scale
from quantvista.data.quality._events import MARKET_EVENTS
from quantvista.data.quality._types import PRICES

__all__ = ["check_moves", "check_stale", "find_magnitude"]

_OHLC = PRICES["bars"]

type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]

_DEVIATIONS = 10.0
_JUMP_LEAST = math.log(1.08)
_RATIOS = (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50)
_UNITS = (100.0, 1000.0)
_NEAR = 10  # bars on each side that say where a price stood
_REPEATS = 3
_NEW_YORK = ZoneInfo("America/New_York")


def check_stale(bars: Rows, found: Findings) -> None:
    """Flag bars that repeat themselves."""
    n = len(bars)
    if n < _REPEATS + 2:
        return
    same = np.ones(n, dtype=np.bool_)
    same[0] = False
    for name in _OHLC:
        if name in bars.columns:
            column = bars.columns[name]
            same[1:] &= column[1:] == column[:-1]
    # A bar of four equal prices repeats by chance where little trades; then the close decides.
    alive = np.ones(n, dtype=np.bool_)
    if "high" in bars.columns and "low" in bars.columns:
        alive = bars.columns["high"] > bars.columns["low"]
        found.add("stale", bars, in_runs(same & alive, _REPEATS), "close", "the bar repeats itself")
    close = bars.close
    still = np.zeros(n, dtype=np.bool_)
    still[1:] = close[1:] == close[:-1]
    if still.any() and not still[1:].all():
        longest = max(6, math.ceil(chance_run(still[1:])))
        rows = in_runs(still, longest) & ~in_runs(same & alive, _REPEATS)
        found.add("stale", bars, rows, "close", "the close repeats itself for longer than chance")


def check_moves(bars: Rows, found: Findings, *, split_days: frozenset[int] = frozenset()) -> None:
    """Flag jumps: back at once, by a whole ratio, or into other units.

    Parameters
    ----------
    bars : Rows
        Of one instrument; rows with prices that are not positive are left out.
    found : Findings
        Collects.
    split_days : frozenset of int
        Times of bars from which a known split counts; jumps there are no surprise.
    """
    good = np.isfinite(bars.close) & (bars.close > 0)
    for name in _OHLC:
        if name in bars.columns:
            good &= bars.columns[name] > 0
    bars = bars.kept(good)
    n = len(bars)
    if n < 8:
        return
    level = np.log(bars.close)
    moves = np.full(n, np.nan)
    moves[1:] = np.diff(level)
    scale = local_scale(moves)
    taken = find_magnitude(bars, "close", level, moves, scale, found)
    taken |= _splits(bars, level, moves, scale, found, taken, split_days)
    _outliers(bars, moves, scale, found, taken)
    _events(bars, moves, scale, found)


def find_magnitude(
    rows: Rows, column: str, level: Floats, moves: Floats, scale: Floats, found: Findings
) -> Bools:
    """Flag stretches whose prices are a hundred or a thousand times those around them.

    Parameters
    ----------
    rows : Rows
        Of one instrument.
    column : str
        That stands for its prices.
    level, moves, scale : float64, shape (n,)
        Its logarithm, the steps of that, and their usual size.
    found : Findings
        Collects.

    Returns
    -------
    bool, shape (n,)
        Rows that are flagged.
    """
    n = len(rows)
    wrong = np.zeros(n, dtype=np.bool_)
    expected = np.full(n, np.nan)
    for unit in _UNITS:
        step = math.log(unit)
        jumps = np.flatnonzero(np.abs(np.abs(moves) - step) < 0.2 + 3 * scale)
        at = 0
        while at < len(jumps):
            start = int(jumps[at])
            way = math.copysign(step, moves[start])
            back = [int(j) for j in jumps[at + 1 :] if moves[j] * way < 0]
            if back and back[0] - start < n // 2:
                end = back[0]
                at = int(np.searchsorted(jumps, end)) + 1
            elif n - start < n // 2:
                end, at = n, len(jumps)  # it stays so: the shorter part is taken for the wrong one
            else:
                start, end, way, at = 0, start, -way, at + 1
            wrong[start:end] = True
            expected[start:end] = np.exp(level[start:end] - way)
    found.add("magnitude", rows, wrong, column, "other units than around it", expected=expected)
    return wrong


def _splits(
    bars: Rows,
    level: Floats,
    moves: Floats,
    scale: Floats,
    found: Findings,
    taken: Bools,
    split_days: frozenset[int],
) -> Bools:
    """Jumps by a whole ratio that stay."""
    n = len(bars)
    flagged = np.zeros(n, dtype=np.bool_)
    expected = np.full(n, np.nan)
    night = moves.copy()
    if "open" in bars.columns:
        night[1:] = np.log(bars.columns["open"][1:]) - level[:-1]
    candidates = np.flatnonzero(
        (np.abs(moves) > np.maximum(6 * scale, 0.3)) & (np.abs(night) > 0.3) & ~taken
    )
    for row in candidates.tolist():
        if int(bars.ts[row]) in split_days:
            continue
        near = min(0.05, 0.015 + 1.5 * float(scale[row]))
        sizes = [math.log(ratio) for ratio in _RATIOS]
        size = next((each for each in sizes if abs(abs(night[row]) - each) < near), None)
        if size is None:
            continue
        way = math.copysign(size, night[row])
        before, after = level[max(0, row - _NEAR) : row], level[row : row + _NEAR]
        stays = abs(float(np.median(after) - np.median(before)) - way)
        if len(after) < 2 or stays > 0.12 + 4 * float(scale[row]):
            continue
        if not _volume_agrees(bars, row, way):
            continue
        flagged[row] = True
        expected[row] = math.exp(level[row] - way)
    text = "opens at a whole ratio of the last close and stays there"
    found.add("unadjusted_split", bars, flagged, "close", text, expected=expected)
    return flagged


def _volume_agrees(bars: Rows, row: int, way: float) -> bool:
    """Whether as much money as before changes hands, in more or fewer units."""
    if "volume" not in bars.columns:
        return True
    volume = bars.columns["volume"]
    before, after = volume[max(0, row - 60) : row], volume[row + 1 : row + 61]
    before, after = before[before > 0], after[after > 0]
    if len(before) < 5 or len(after) < 5:
        return True
    change = math.log(float(np.median(after)) / float(np.median(before)))
    return change / -way > 0.4


def _outliers(bars: Rows, moves: Floats, scale: Floats, found: Findings, taken: Bools) -> None:
    """Jumps that are taken back at the next bar."""
    n = len(bars)
    limit = np.maximum(_DEVIATIONS * scale, _JUMP_LEAST)
    following = np.full(n, np.nan)
    following[:-1] = moves[1:]
    with np.errstate(invalid="ignore"):
        spike = (
            (np.abs(moves) > limit)
            & (np.abs(following) > limit)
            & (np.sign(moves) != np.sign(following))
            & (np.abs(moves + following) < 0.4 * np.minimum(np.abs(moves), np.abs(following)))
        )
    spike &= ~taken
    middle = np.full(n, np.nan)
    middle[1:-1] = np.sqrt(bars.close[:-2] * bars.close[2:])
    found.add("outlier", bars, spike, "close", "jumps and is back at once", expected=middle)
    if "high" not in bars.columns or "open" not in bars.columns:
        return
    calm = ~spike & ~taken & ~_known(bars)
    top = np.maximum(bars.columns["open"], bars.close)
    bottom = np.minimum(bars.columns["open"], bars.close)
    for name, reach, body in (
        ("high", np.log(bars.columns["high"] / top), top),
        ("low", np.log(bottom / bars.columns["low"]), bottom),
    ):
        usual = np.maximum(scale, local_scale(np.where(reach > 0, reach, np.nan)))
        far = calm & (reach > np.maximum(_DEVIATIONS * usual, math.log(1.15)))
        text = f"{name} far beyond open and close"
        found.add("outlier", bars, far, name, text, expected=body)


def _known(bars: Rows) -> Bools:
    dates = [datetime.fromtimestamp(ts / 1e9, UTC).astimezone(_NEW_YORK).date() for ts in bars.ts]
    same = [datetime.fromtimestamp(ts / 1e9, UTC).date() for ts in bars.ts]
    return np.array(
        [a in MARKET_EVENTS or b in MARKET_EVENTS for a, b in zip(dates, same, strict=True)]
    )


def _events(bars: Rows, moves: Floats, scale: Floats, found: Findings) -> None:
    large = np.flatnonzero(_known(bars) & (np.abs(moves) > 5 * scale))
    found.add("market_event", bars, large, "close", "a large move on a day known for it")
