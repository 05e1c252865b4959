"""Triangular arbitrage: three pairs of three currencies, round and back with a gain."""

from dataclasses import dataclass, field
from math import floor, isfinite

from pydantic import Field

from quantvista.strategies._base import EventStrategy
from quantvista.strategies._context import Book, Context, Quote, QuoteView, Side
from quantvista.strategies._params import StrategyParams

__all__ = ["TriangularArbitrage"]


class TriangularArbitrage(EventStrategy):
    """Go round three pairs when their prices do not agree by more than the costs.

    For the pairs ``first`` = X/Q, ``cross`` = Y/X and ``second`` = Y/Q with the fund's currency Q::

        forward  = bid_second / (ask_first * ask_cross)     Q -> X -> Y -> Q
        backward = bid_first * bid_cross / ask_second       Q -> Y -> X -> Q

    If one of them is at least ``1 + costs + edge_min``, all three orders are sent at once,
    immediate-or-cancel at the prices seen, for the largest round that the sizes shown,
    ``notional_max`` and the balances allow: the strategy holds a working balance of each
    currency (``stock_first`` of X, ``stock_second`` of Y), which it buys at the start. When a
    round is over, balances that have drifted by more than a lot are brought back with market
    orders.

    Notes ----- Sending all three at once keeps the time at risk short, at the price of the
    balances; sending one after the other needs none but waits for three latencies. Missing
    data: without a price on any side nothing is done.
    """

    class Params(StrategyParams):
        """Parameters of `TriangularArbitrage`."""

        first: str = Field(description="X in the fund's currency")
        second: str = Field(description="Y in the fund's currency")
        cross: str = Field(description="Y in X")
        notional_max: float = Field(1_000.0, gt=0, description="of a round, fund's currency")
        stock_first: float = Field(gt=0, description="working balance of X, whole lots")
        stock_second: float = Field(gt=0, description="working balance of Y, whole lots")
        costs_bps: float = Field(3.0, ge=0, description="fees and slippage of all three trades")
        edge_min_bps: float = Field(1.0, gt=0, description="least gain, beyond costs")
        age_max_ms: int = Field(1_000, gt=0, description="of the oldest price")

    @dataclass
    class State:
        """Orders under way."""

        orders: list[int] = field(default_factory=list)

    params: Params
    state: State

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Look at the triangle at each new quote."""
        self._look(ctx)

    def on_book(self, ctx: Context, book: Book) -> None:
        """Look at the triangle at each new state of a book."""
        self._look(ctx)

    def _look(self, ctx: Context) -> None:
        names = (self.params.first, self.params.cross, self.params.second)
        quotes = [quote for quote in map(ctx.quote, names) if quote is not None]
        if len(quotes) < len(names) or not self._is_fresh(ctx, quotes):
            return
        if any(ctx.order(each).is_working for each in self.state.orders):
            return
        self.state.orders.clear()
        if self._restock(ctx):
            return
        first, cross, second = quotes
        least = 1 + (self.params.costs_bps + self.params.edge_min_bps) * 1e-4
        if second.bid / (first.ask * cross.ask) >= least:
            self._round(ctx, first, cross, second, forward=True)
        elif first.bid * cross.bid / second.ask >= least:
            self._round(ctx, first, cross, second, forward=False)

    def _is_fresh(self, ctx: Context, quotes: list[QuoteView]) -> bool:
        prices = [price for quote in quotes for price in (quote.bid, quote.ask)]
        age = ctx.clock.now - min(quote.ts for quote in quotes)
        return all(map(isfinite, prices)) and age <= self.params.age_max_ms * 1_000_000

    def _restock(self, ctx: Context) -> bool:
        """Bring the balances of X and Y to what they should be; true if an order was sent."""
        for pair, stock in (
            (self.params.first, self.params.stock_first),
            (self.params.second, self.params.stock_second),
        ):
            lot = ctx.lot_size(pair)
            lots = floor(abs(stock - ctx.position(pair)) / lot + 1e-9)
            if lots > 0:
                side: Side = "buy" if ctx.position(pair) < stock else "sell"
                self.state.orders.append(ctx.submit(pair, side, lots * lot, tif="ioc"))
        return bool(self.state.orders)

    def _round(
        self, ctx: Context, first: QuoteView, cross: QuoteView, second: QuoteView, *, forward: bool
    ) -> None:
        """Send the three orders of a round, sized in Y."""
        params = self.params
        if forward:
            sizes = (first.ask_size / cross.ask, cross.ask_size, second.bid_size)
            balances = (params.stock_first / cross.ask, params.stock_second)
        else:
            sizes = (first.bid_size / cross.bid, cross.bid_size, second.ask_size)
            balances = (params.stock_first / cross.bid, params.stock_second)
        money = min(params.notional_max, ctx.available_cash * 0.99)
        most = min(*sizes, *balances, money / second.ask)
        lot = max(ctx.lot_size(cross.instrument), ctx.lot_size(second.instrument))
        quantity = floor(most / lot + 1e-9) * lot
        price = cross.ask if forward else cross.bid
        first_lot = ctx.lot_size(first.instrument)
        converted = floor(quantity * price / first_lot + 1e-9) * first_lot
        if quantity <= 0 or converted <= 0:
            return
        there: Side = "buy" if forward else "sell"
        back: Side = "sell" if forward else "buy"
        legs = ((first, there, converted), (cross, there, quantity), (second, back, quantity))
        for quote, side, amount in legs:
            order = ctx.submit(
                quote.instrument,
                side,
                amount,
                type="limit",
                tif="ioc",
                limit_price=quote.ask if side == "buy" else quote.bid,
            )
            self.state.orders.append(order)
