"""A strategy of your own: it holds a coin while that is cheap against its recent average.

The fund file names it as ``mine.py:Swing``. It runs the same on generated data and at a venue.
"""

from dataclasses import dataclass
from math import exp, isfinite

from pydantic import Field

import quantvista as qv

NS = 1_000_000_000


class Swing(qv.EventStrategy):
    """Buy below a moving average, sell above it, and look again after a while."""

    class Params(qv.StrategyParams):
        """What the fund file may set below ``params``."""

        instrument: str = Field(description="what to trade")
        quantity: float = Field(1.0, gt=0, description="units to hold, whole lots")
        average_s: float = Field(30.0, gt=0, description="seconds that the average looks back on")
        every_s: float = Field(1.0, gt=0, description="least seconds between two looks")
        band_bps: float = Field(0.5, ge=0, description="how far from the average prices must be")

    @dataclass
    class State:
        """What it remembers; saved with the engine, so that a restart goes on where it was."""

        average: float = 0.0
        began: int = 0
        looked: int = 0

    params: Params
    state: State

    @property
    def universe(self) -> tuple[str, ...]:
        """Hear of this one only."""
        return (self.params.instrument,)

    def on_quote(self, ctx: qv.Context, quote: qv.Quote) -> None:
        """Follow the average with every quote; act now and then."""
        state, params = self.state, self.params
        seconds = (quote.ts - state.looked) / NS
        if not isfinite(quote.mid) or seconds < params.every_s:
            return
        if state.began == 0:
            state.average, state.began, state.looked = quote.mid, quote.ts, quote.ts
            return
        state.looked = quote.ts
        keep = exp(-seconds / params.average_s)
        state.average = keep * state.average + (1.0 - keep) * quote.mid
        if (quote.ts - state.began) / NS < params.average_s or ctx.orders(params.instrument):
            return  # too early to say, or still waiting for the last order
        lot = ctx.lot_size(params.instrument)
        held = ctx.position(params.instrument)
        off = quote.mid / state.average - 1.0
        if off <= -params.band_bps / 1e4 and held < params.quantity - lot / 2:
            ctx.submit(params.instrument, "buy", params.quantity - held, tif="ioc")
        elif off >= params.band_bps / 1e4 and held > lot / 2:
            ctx.submit(params.instrument, "sell", held, tif="ioc")
