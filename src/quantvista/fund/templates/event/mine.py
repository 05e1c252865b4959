"""An event strategy of your own: it answers bars and fills with orders.

The fund file names it as ``mine.py:BuyDips``. In a notebook, give the class itself.
"""

from dataclasses import dataclass, field

from pydantic import Field

import quantvista as qv


class BuyDips(qv.EventStrategy):
    """Bid for what fell sharply in a day, and sell it some sessions later."""

    class Params(qv.StrategyParams):
        """What the fund file may set below ``params``."""

        drop: float = Field(0.02, gt=0, lt=1, description="fall in one session, as a share")
        hold: int = Field(10, ge=1, description="sessions")
        stake: float = Field(0.1, gt=0, le=1, description="of the sleeve's equity per purchase")

    @dataclass
    class State:
        """What it remembers; saved with the engine, so that a restart goes on where it was."""

        close: dict[str, float] = field(default_factory=dict)
        held: dict[str, int] = field(default_factory=dict)  # sessions since the purchase

    params: Params
    state: State

    def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
        """Answer each bar of each instrument, after its close."""
        before = self.state.close.get(bar.instrument)
        self.state.close[bar.instrument] = bar.close
        if bar.instrument in self.state.held:
            self.state.held[bar.instrument] += 1
            if self.state.held[bar.instrument] >= self.params.hold:
                quantity = ctx.position(bar.instrument)
                if quantity:
                    ctx.submit(bar.instrument, "sell", quantity)
        elif before is not None and bar.close <= before * (1.0 - self.params.drop):
            quantity = ctx.equity * self.params.stake // bar.close
            if quantity:  # whole shares; the sample's tick is a millionth
                limit = round(bar.close, 6)
                ctx.submit(bar.instrument, "buy", quantity, type="limit", limit_price=limit)

    def on_fill(self, ctx: qv.Context, fill: qv.Fill) -> None:
        """Note what was bought and what is gone; orders may fill in parts."""
        if fill.side == "buy":
            self.state.held[fill.instrument] = 0
        elif not ctx.position(fill.instrument):
            self.state.held.pop(fill.instrument, None)
