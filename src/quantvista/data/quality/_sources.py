"""Checks against something else: another source, or known corporate actions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quantvista.data.quality._each import Findings, Rows, local_scale
from quantvista.market import CorporateAction

__all__ = ["check_dividends", "check_other", "split_times"]

_DAY_NS = 86_400 * 10**9
_LEAST = 0.005
_DEVIATIONS = 8.0
_WINDOW = 21
_SHARED_LEAST = 5


def check_other(bars: Rows, other: Rows, found: Findings) -> int:
    """Flag closes that another source has otherwise; returns how many bars were compared.

    Fewer than five shared times say nothing about what is usual, and are not compared. The median
    of the log ratio of 21 bars around is taken off first, so that one source may be adjusted and
    the other not.
    """
    shared, mine, theirs = np.intersect1d(bars.ts, other.ts, return_indices=True)
    if len(shared) < _SHARED_LEAST:
        return 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(bars.close[mine]) - np.log(other.close[theirs])
    ratio[~np.isfinite(ratio)] = np.nan
    size = _WINDOW // 2
    padded = np.concatenate([np.full(size, np.nan), ratio, np.full(size, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)
    known = np.isfinite(windows).any(axis=1)
    middle = np.full(len(ratio), np.nan)
    middle[known] = np.nanmedian(windows[known], axis=1)
    gap = np.abs(ratio - middle)
    usual = 1.4826 * float(np.nanmedian(gap)) if np.isfinite(gap).any() else 0.0
    differ = gap > max(_LEAST, _DEVIATIONS * usual)
    expected = np.full(len(bars), np.nan)
    expected[mine] = other.close[theirs] * np.exp(np.nan_to_num(middle))
    text = "another source has another close"
    found.add("disagreement", bars, mine[differ], "close", text, expected=expected)
    return len(shared)


def split_times(bars: Rows, actions: Sequence[CorporateAction]) -> frozenset[int]:
    """Find the times of the first bars from which known splits and stock dividends count."""
    times = set()
    for each in actions:
        if each.instrument == bars.instrument and each.kind in ("split", "stock_dividend"):
            row = _first_row(bars.ts, each)
            if row is not None:
                times.add(int(bars.ts[row]))
    return frozenset(times)


def check_dividends(bars: Rows, actions: Sequence[CorporateAction], found: Findings) -> None:
    """Flag ex-dates at which closes that are said to be adjusted fall by the dividend.

    Only dividends of more than 2 % and three robust deviations can be told from a bad day; of
    those, one that is found in the price to within a half of it is flagged.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.log(bars.close)
    moves = np.full(len(bars), np.nan)
    moves[1:] = np.diff(level)
    scale = local_scale(np.where(np.isfinite(moves), moves, np.nan))
    start = "open" if "open" in bars.columns else "close"
    at: list[int] = []
    expected = np.full(len(bars), np.nan)
    for each in actions:
        if each.instrument != bars.instrument or each.kind != "cash_dividend":
            continue
        row = _first_row(bars.ts, each)
        if row is None or row == 0 or each.amount is None:
            continue
        share = float(each.amount) / float(bars.close[row - 1])
        night = float(bars.columns[start][row] / bars.close[row - 1]) - 1.0
        if share > max(0.02, 3 * float(scale[row])) and abs(night + share) < share / 2:
            at.append(row)
            expected[row] = bars.close[row] / (1.0 - share)
    text = "falls by the dividend of this day: not adjusted for it"
    rows: NDArray[np.int64] = np.array(sorted(set(at)), dtype=np.int64)
    found.add("unadjusted_dividend", bars, rows, "close", text, expected=expected)


def _first_row(ts: NDArray[np.int64], action: CorporateAction) -> int | None:
    """Row of the first bar on or after an ex-date."""
    day = np.datetime64(action.ex_date, "D").astype(np.int64) * _DAY_NS
    row = int(np.searchsorted(ts, day))
    return row if row < len(ts) else None
