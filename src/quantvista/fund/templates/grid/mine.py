"""An event strategy of your own: a ladder of limit orders, each with its own way out.

The fund file names it as ``mine.py:Grid``. In a notebook, give the class itself.
"""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

import quantvista as qv


class Grid(qv.EventStrategy):
    """Bid below the price and ask above it, in steps; sell what was bought a few steps higher.

    Each rung is a bracket: a limit order that waits for the price, and two orders that wait for its
    fill, of which one cancels the other: a limit order ``profit_steps`` further on, and a stop
    ``stop_steps`` on the wrong side. When one of these is done, the rung is laid again. When the
    price has left the ladder and nothing is held any more, the ladder moves to the price.
    """

    class Params(qv.StrategyParams):
        """What the fund file may set below ``params``."""

        step_ticks: int = Field(5, ge=1, description="between two rungs")
        rungs: int = Field(4, ge=1, le=50, description="on each side")
        quantity: float = Field(1.0, gt=0, description="of each rung, whole lots")
        profit_steps: int = Field(1, ge=1, description="from the entry to the take-profit")
        stop_steps: int = Field(4, ge=1, description="from the entry to the stop")
        short: bool = Field(True, description="whether to sell short above the price")
        interval_ms: int = Field(1_000, ge=0, description="least time between two looks")

    @dataclass
    class State:
        """What it remembers; saved with the engine, so that a restart goes on where it was."""

        centre: int = 0  # in ticks
        looked_ts: int = 0
        rungs: dict[int, list[int]] = field(default_factory=dict)  # entry, stop, take-profit

    params: Params
    state: State

    def on_quote(self, ctx: qv.Context, quote: qv.Quote) -> None:
        """Look at each new best bid and ask."""
        self.look(ctx, quote)

    def on_book(self, ctx: qv.Context, book: qv.Book) -> None:
        """Look at each new state of the book, where the data have one."""
        self.look(ctx, book)

    def look(self, ctx: qv.Context, market: qv.Quote | qv.Book) -> None:
        """Lay what is missing of the ladder."""
        if market.ts - self.state.looked_ts < self.params.interval_ms * 1_000_000:
            return
        if not market.bid < market.ask:  # a side is missing, or they are crossed
            return
        self.state.looked_ts = market.ts
        tick = ctx.tick_size(market.instrument)
        self.move(ctx, market, tick)
        for rung in self.levels():
            orders = self.state.rungs.get(rung, [])
            if not any(ctx.order(each).is_working for each in orders):
                self.lay(ctx, market, rung, tick)

    def levels(self) -> list[int]:
        """Rungs below the centre are negative, those above it positive."""
        above = self.params.rungs if self.params.short else 0
        return [rung for rung in range(-self.params.rungs, above + 1) if rung != 0]

    def move(self, ctx: qv.Context, market: qv.Quote | qv.Book, tick: float) -> None:
        """Put the ladder where the price is, at the start and when the price has left it."""
        mid = round(market.mid / tick)
        reach = (self.params.rungs + 1) * self.params.step_ticks
        if self.state.centre and abs(mid - self.state.centre) <= reach:
            return
        if ctx.position(market.instrument):
            return  # its take-profits and stops have the word
        ctx.cancel_all(market.instrument)
        self.state.centre = mid
        self.state.rungs.clear()

    def lay(self, ctx: qv.Context, market: qv.Quote | qv.Book, rung: int, tick: float) -> None:
        """Send the bracket of one rung, unless it would trade at once."""
        step, entry = self.params.step_ticks, self.state.centre + rung * self.params.step_ticks
        side: Literal["buy", "sell"] = "buy" if rung < 0 else "sell"
        sign = 1 if side == "buy" else -1
        would_take = entry * tick >= market.ask if side == "buy" else entry * tick <= market.bid
        stop = entry - sign * self.params.stop_steps * step
        if would_take or stop <= 0:
            return
        self.state.rungs[rung] = ctx.bracket(
            market.instrument,
            side,
            self.params.quantity,
            type="limit",
            tif="gtc",
            limit_price=entry * tick,
            stop_price=stop * tick,
            profit_price=(entry + sign * self.params.profit_steps * step) * tick,
        )
