"""Strategies of different habits, each with a state that a restart must not lose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from quantvista.strategies import EventStrategy, Fill, OrderEvent, Quote, Timer
from support.gateway_worlds import PAIR, STOCK

__all__ = ["HABITS"]


class Taker(EventStrategy):
    """Takes what is there, at the market or at a limit that must fill at once."""

    @dataclass
    class State:
        seen: int = 0
        filled: float = 0.0

    state: State

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        if quote.instrument != PAIR:
            return
        self.state.seen += 1
        dice = ctx.rng.random()
        if dice > 0.75:
            return
        side = "buy" if ctx.rng.random() < 0.5 else "sell"
        size = round(0.001 * int(1 + 20 * ctx.rng.random()), 3)
        if dice < 0.4:
            ctx.submit(PAIR, side, size, tif="ioc")
        else:
            price = quote.ask if side == "buy" else quote.bid
            ctx.submit(PAIR, side, size, type="limit", tif="ioc", limit_price=price)

    def on_fill(self, ctx: Any, fill: Fill) -> None:  # noqa: ANN401
        self.state.filled += fill.quantity


class Maker(EventStrategy):
    """Rests on both sides, near enough to be met, and moves when the price has moved."""

    @dataclass
    class State:
        at: float = 0.0
        rejected: int = 0

    state: State

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        if quote.instrument != PAIR:
            return
        middle = round((quote.bid + quote.ask) / 2, 2)
        working = ctx.orders(PAIR)
        if working and abs(middle - self.state.at) < 2:
            return
        for order in working:
            ctx.cancel(order.order_id)
        if len(working) > 6:
            return
        self.state.at = middle
        for side, away in (("buy", -1.0), ("sell", 1.0)):
            price = round(middle + away, 2)
            ctx.submit(PAIR, side, 0.02, type="limit", tif="gtc", limit_price=price)

    def on_order(self, ctx: Any, order: OrderEvent) -> None:  # noqa: ANN401
        self.state.rejected += order.change == "rejected"


class Churner(EventStrategy):
    """Sends what will not fill, and takes most of it back at once."""

    @dataclass
    class State:
        mine: list[int] = field(default_factory=list)

    state: State

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        if quote.instrument != PAIR:
            return
        if ctx.rng.random() < 0.5:
            price = round(quote.bid - 40 - 10 * ctx.rng.random(), 2)
            order = ctx.submit(PAIR, "buy", 0.003, type="limit", tif="gtc", limit_price=price)
            self.state.mine.append(order)
        known = {each.order_id for each in ctx.orders(PAIR)}
        self.state.mine = [each for each in self.state.mine if each in known][-20:]
        if self.state.mine and ctx.rng.random() < 0.5:
            ctx.cancel(self.state.mine[int(ctx.rng.random() * len(self.state.mine))])
        elif len(self.state.mine) > 8:
            ctx.cancel_all(PAIR)


class Clockwork(EventStrategy):
    """Acts when its timers fire, and undoes its fills; holds a stock too."""

    @dataclass
    class State:
        rounds: int = 0
        armed: bool = False

    state: State

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        if not self.state.armed:
            self.state.armed = True
            ctx.set_timer(ctx.clock.now + 50_000_000, "tick")

    def on_timer(self, ctx: Any, timer: Timer) -> None:  # noqa: ANN401
        self.state.rounds += 1
        pause = 40_000_000 + int(60_000_000 * ctx.rng.random())
        ctx.set_timer(ctx.clock.now + pause, "tick")
        if ctx.rng.random() < 0.3:
            held = ctx.position(STOCK)
            ctx.submit(STOCK, "sell" if held > 3 else "buy", 1.0, tif="ioc")
        else:
            ctx.submit(PAIR, "buy" if self.state.rounds % 2 else "sell", 0.002, tif="ioc")

    def on_fill(self, ctx: Any, fill: Fill) -> None:  # noqa: ANN401
        if fill.instrument == PAIR and fill.side == "buy" and ctx.rng.random() < 0.3:
            ctx.submit(PAIR, "sell", fill.quantity, tif="ioc")


HABITS: dict[str, type[EventStrategy]] = {
    "churner": Churner,
    "clockwork": Clockwork,
    "maker": Maker,
    "taker": Taker,
}
"""By the sleeve that they have."""
