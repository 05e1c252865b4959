"""Our engine over the shared bars: the set-up that our programs have in common."""

from decimal import Decimal
from typing import Any

import numpy as np
from _common import SECTORS, Bars, symbols

from quantvista.engine import LimitRates, SleeveCash, VenueRates, engine_config
from quantvista.market import Instrument

CASH = Decimal("10000000000.00")


def config(limits: LimitRates) -> dict[str, Any]:
    """A fund of one sleeve over all instruments, with fees and slippage."""
    instruments = [
        Instrument(id=f"{name}.SIM", sector=f"sector {number % SECTORS}")
        for number, name in enumerate(symbols())
    ]
    return engine_config(
        fund="bench",
        currency="USD",
        instruments=instruments,
        close_only=False,
        sleeves=[SleeveCash("load", CASH)],
        venue=VenueRates(fee_rate=100_000, slippage=200_000),
        limits=limits,
    )


def feed(made: Bars) -> dict[str, Any]:
    """Columns as the session takes them: one long session, so that nothing expires."""
    rows = len(made.ts)
    start, end = np.zeros(rows, np.uint8), np.zeros(rows, np.uint8)
    start[0], end[-1] = 1, 1
    return {
        "ts": made.ts,
        "session_start": start.tobytes(),
        "session_end": end.tobytes(),
        "open": made.open.ravel(),
        "high": made.high.ravel(),
        "low": made.low.ravel(),
        "close": made.close.ravel(),
        "volume": None,
    }
