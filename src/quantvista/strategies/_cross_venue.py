"""Cross-venue arbitrage: buy where a thing is cheap and sell it where it is dear."""

from dataclasses import dataclass, field
from math import floor, isfinite

from pydantic import Field

from quantvista.errors import ConfigError
from quantvista.strategies._base import EventStrategy
from quantvista.strategies._context import Book, Context, Quote, QuoteView, Side
from quantvista.strategies._params import StrategyParams

__all__ = ["CrossVenueArbitrage"]


class CrossVenueArbitrage(EventStrategy):
    """Trade one thing on two venues when their prices are further apart than the costs.

    With the best prices of the instruments ``a`` and ``b``::

        edge(buy a, sell b) = bid_b / ask_a - 1 - costs

    If an edge is at least ``edge_min``, both sides are sent at once, immediate-or-cancel at the
    prices seen, for the smallest of the sizes shown, ``quantity_max``, what the cash buys and
    what may be sold. What one side fills more than the other is closed with a market order on
    the side that filled, as soon as both have ended.

    On a cash account only what is held can be sold: the strategy first buys ``stock`` on each
    venue, and counts from there. On a margin account ``stock`` may be 0.

    Notes ----- Costs are the taker fees of both venues and what slippage is expected, as one
    share of the price: the strategy does not know the venues' schedules. Missing data: without
    a price on any side nothing is done. Prices older than ``age_max_ms`` are not traded on.
    """

    class Params(StrategyParams):
        """Parameters of `CrossVenueArbitrage`."""

        a: str = Field(description="instrument on the one venue")
        b: str = Field(description="the same thing on the other")
        quantity_max: float = Field(1.0, gt=0, description="of one trade, whole lots of both")
        stock: float = Field(0.0, ge=0, description="to hold on each venue from the start")
        costs_bps: float = Field(2.0, ge=0, description="fees and slippage of both trades")
        edge_min_bps: float = Field(1.0, gt=0, description="least gain, beyond costs")
        age_max_ms: int = Field(1_000, gt=0, description="of the older price")

    @dataclass
    class State:
        """Orders under way, and what they are to be balanced to."""

        orders: list[int] = field(default_factory=list)
        stocked: bool = False

    params: Params
    state: State

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Look at both venues at each new quote of either."""
        self._look(ctx)

    def on_book(self, ctx: Context, book: Book) -> None:
        """Look at both venues at each new state of either book."""
        self._look(ctx)

    def _look(self, ctx: Context) -> None:
        if self.params.a == self.params.b:
            raise ConfigError(f"`a` and `b` must differ; found {self.params.a!r} twice")
        a, b = ctx.quote(self.params.a), ctx.quote(self.params.b)
        if a is None or b is None or not self._is_fresh(ctx, a, b):
            return
        if any(ctx.order(each).is_working for each in self.state.orders):
            return
        self.state.orders.clear()
        if not self.state.stocked:
            self._stock(ctx)
        elif not self._balance(ctx):
            for buy, sell in ((a, b), (b, a)):
                if self._trade(ctx, buy, sell):
                    return

    def _is_fresh(self, ctx: Context, a: QuoteView, b: QuoteView) -> bool:
        prices = (a.bid, a.ask, b.bid, b.ask)
        age = ctx.clock.now - min(a.ts, b.ts)
        return all(map(isfinite, prices)) and age <= self.params.age_max_ms * 1_000_000

    def _stock(self, ctx: Context) -> None:
        """Buy what is to be held before the first trade."""
        self.state.stocked = True
        for instrument in (self.params.a, self.params.b):
            if self.params.stock > 0:
                order = ctx.submit(instrument, "buy", self.params.stock, tif="ioc")
                self.state.orders.append(order)

    def _balance(self, ctx: Context) -> bool:
        """Close what one venue filled more than the other; true if there was something."""
        excess = sum(ctx.position(each) for each in (self.params.a, self.params.b))
        excess -= 2 * self.params.stock
        lot = max(ctx.lot_size(each) for each in (self.params.a, self.params.b))
        if abs(excess) < lot:
            return False
        quantity = floor(abs(excess) / lot + 1e-9) * lot
        side: Side = "sell" if excess > 0 else "buy"
        positions = {each: ctx.position(each) for each in (self.params.a, self.params.b)}
        # The venue that holds most is sold on, the one that holds least bought on.
        pick = max if side == "sell" else min
        instrument = pick(sorted(positions), key=lambda each: positions[each])
        self.state.orders.append(ctx.submit(instrument, side, quantity, tif="ioc"))
        return True

    def _trade(self, ctx: Context, buy: QuoteView, sell: QuoteView) -> bool:
        """Send both sides if the edge is large enough."""
        edge = sell.bid / buy.ask - 1 - self.params.costs_bps * 1e-4
        if edge < self.params.edge_min_bps * 1e-4:
            return False
        lot = max(ctx.lot_size(buy.instrument), ctx.lot_size(sell.instrument))
        affordable = ctx.available_cash * 0.99 / buy.ask
        most = min(self.params.quantity_max, buy.ask_size, sell.bid_size, affordable)
        if self.params.stock > 0:
            most = min(most, ctx.position(sell.instrument))
        quantity = floor(most / lot + 1e-9) * lot
        if quantity <= 0:
            return False
        legs: tuple[tuple[QuoteView, Side, float], ...] = (
            (buy, "buy", buy.ask),
            (sell, "sell", sell.bid),
        )
        for quote, side, price in legs:
            order = ctx.submit(
                quote.instrument, side, quantity, type="limit", tif="ioc", limit_price=price
            )
            self.state.orders.append(order)
        return True
