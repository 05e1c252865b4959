"""Units that a unit held from the start has become: what adjusts raw prices as of a decision."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quantvista.data._types import MarketData
from quantvista.errors import MarketDataError
from quantvista.market import CorporateAction

__all__ = ["growth"]


def growth(
    bars: MarketData, actions: Sequence[CorporateAction], times: Sequence[int]
) -> NDArray[np.float64]:
    """Follow one unit of each instrument through its splits and reinvested dividends.

    Parameters
    ----------
    bars : MarketData
        Raw prices.
    actions : sequence of CorporateAction
        Of the run, in order of time.
    times : sequence of int
        Instant of each action, UTC nanoseconds.

    Returns
    -------
    float64, shape (T, n)
        Units at each bar, 1 at the start. As of bar ``t``, the adjusted close of bar ``s`` is
        ``close[s] * growth[s] / growth[t]``.

    Raises
    ------
    MarketDataError
        If more is paid for a unit than it was worth at the close before.

    Notes
    -----
    Causality: a row depends on actions up to its bar and on closes before them, so later actions
    and prices change no earlier row. A dividend of ``d`` gives ``close / (close - d)`` units for
    one, ``close`` being the last before the ex-date; a spin-off likewise for the worth of what is
    received. What ends an instrument changes nothing. An action before the first close counts
    for nothing.
    """
    column = {name: index for index, name in enumerate(bars.ids)}
    units = np.ones(bars.close.shape)
    for action, ts in zip(actions, times, strict=True):
        at = column.get(action.instrument)
        if at is None:
            continue
        row = int(np.searchsorted(bars.ts, ts, side="right"))
        multiple = _multiple(bars, action, row, at, column)
        units[row:, at] *= multiple
    units.setflags(write=False)
    return units


def _multiple(
    bars: MarketData, action: CorporateAction, row: int, at: int, column: dict[str, int]
) -> float:
    """Units after an action for one before."""
    ratio = (action.numerator or 0) / (action.denominator or 1)
    if action.kind == "split":
        return ratio
    if action.kind == "stock_dividend":
        return 1.0 + ratio
    before = _last(bars.close[:row, at])
    if action.kind == "cash_dividend":
        paid = float(action.amount or 0)
    elif action.kind == "spin_off":
        if action.into_price is not None:
            price = float(action.into_price)
        else:
            price = _last(bars.close[:row, column[action.into or ""]])
        paid = price * ratio
    else:
        return 1.0
    if np.isnan(before) or np.isnan(paid):
        return 1.0
    if paid >= before:
        raise MarketDataError(
            f"`amount` must be less than the close before; found {paid} and {before} for "
            f"{action.kind} of '{action.instrument}' on {action.ex_date}"
        )
    return before / (before - paid)


def _last(values: NDArray[np.float64]) -> float:
    there = np.flatnonzero(~np.isnan(values))
    return float(values[there[-1]]) if len(there) else float("nan")
