"""Bars for the engine: float prices become whole price units here and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista._native import Session
from quantvista.errors import MarketDataError
from quantvista.market import Instrument

__all__ = ["BarArrays", "bar_feed"]

_EXACT_MAX = 2.0**53  # above this, neighbouring floats are more than one unit apart


@dataclass(frozen=True, slots=True)
class BarArrays:
    """Bars of n instruments on one time axis.

    Parameters
    ----------
    ts : int64, shape (T,)
        UTC nanoseconds of the closes.
    session_start, session_end : bool, shape (T,)
        First and last bar of each session.
    close : float64, shape (T, n)
        NaN where there is no bar.
    open, high, low, volume : float64, shape (T, n), or None
        Open, high and low go together.
    """

    ts: NDArray[np.int64]
    session_start: NDArray[np.bool_]
    session_end: NDArray[np.bool_]
    close: NDArray[np.float64]
    open: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    low: NDArray[np.float64] | None = None
    volume: NDArray[np.float64] | None = None


def bar_feed(bars: BarArrays, instruments: Sequence[Instrument]) -> dict[str, Any]:
    """Turn bars into the engine's columns.

    Parameters
    ----------
    bars : BarArrays
        Prices are rounded to the nearest price unit of their instrument, ties to even.
    instruments : sequence of Instrument, length n
        In the order of the columns.

    Returns
    -------
    dict
        What ``Session`` takes as ``feed``.

    Raises
    ------
    MarketDataError
        If a price is infinite or too large to be exact.
    """
    price_scale = np.array([10.0**each.price_precision for each in instruments])
    quantity_scale = np.array([10.0**each.quantity_precision for each in instruments])
    columns = {
        "open": (bars.open, price_scale),
        "high": (bars.high, price_scale),
        "low": (bars.low, price_scale),
        "close": (bars.close, price_scale),
        "volume": (bars.volume, quantity_scale),
    }
    feed: dict[str, Any] = {
        name: None if values is None else _units(name, values, scale)
        for name, (values, scale) in columns.items()
    }
    feed["ts"] = np.ascontiguousarray(bars.ts, dtype=np.int64)
    feed["session_start"] = np.asarray(bars.session_start, dtype=np.uint8).tobytes()
    feed["session_end"] = np.asarray(bars.session_end, dtype=np.uint8).tobytes()
    return feed


def _units(name: str, values: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.int64]:
    scaled = np.rint(values * scale)
    if bool(np.any(np.abs(scaled) >= _EXACT_MAX)):  # false for NaN
        raise MarketDataError(
            f"`{name}` must be finite and below 2**53 price units; found {np.nanmax(values)}"
        )
    missing = np.isnan(scaled)
    units = np.where(missing, 0.0, scaled).astype(np.int64)
    units[missing] = Session.MISSING
    return units.ravel()
