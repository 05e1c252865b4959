"""Triangular arbitrage: three pairs of three currencies, round and back with a gain."""

from dataclasses import dataclass

from pydantic import Field

from quantvista.errors import ConfigError
from quantvista.strategies._arbitrage import (
    Orders,
    are_fresh,
    are_new,
    has_ended,
    known_size,
    send,
    whole_lots,
)
from quantvista.strategies._base import EventStrategy
from quantvista.strategies._context import Book, Context, OrderEvent, Quote, QuoteView, Side
from quantvista.strategies._params import StrategyParams

__all__ = ["TriangularArbitrage"]

_CASH_SHARE = 0.99
"""Of the balances that there are, so that fees do not make the gate refuse."""


class TriangularArbitrage(EventStrategy):
    """Go round three pairs when their prices do not agree by more than the costs.

    For the pairs ``first`` = X/Q, ``cross`` = Y/X and ``second`` = Y/Q with the fund's currency Q::

        forward  = bid_second / (ask_first * ask_cross)     Q -> X -> Y -> Q
        backward = bid_first * bid_cross / ask_second       Q -> Y -> X -> Q

    If one of them is at least ``1 + costs + edge_min``, all three orders are sent at once,
    immediate-or-cancel at the prices seen, for the largest round that the sizes shown,
    ``notional_max`` and the balances allow: the strategy holds a working balance of each
    currency (``stock_first`` of X, ``stock_second`` of Y), which it buys at the start. When a
    round is over, a balance that is off by more than ``drift_max`` of its stock is brought back
    with a market order.

    Notes
    -----
    The pairs must exchange currencies (kind ``pair`` or ``spot`` with a ``base``), so that what
    the one buys is what the other sells.

    Sending all three at once keeps the time at risk short, at the price of the balances, which
    gain and lose with their currencies; sending one after the other needs none but waits for
    three latencies.

    Missing data: without a price on any side nothing is done, and prices older than
    ``age_max_ms`` are not traded on. A size that is not known limits nothing. What was traded on is
    traded on again only when it has been quoted anew.
    """

    class Params(StrategyParams):
        """Parameters of `TriangularArbitrage`."""

        first: str = Field(description="X in the fund's currency")
        second: str = Field(description="Y in the fund's currency")
        cross: str = Field(description="Y in X")
        notional_max: float = Field(1_000.0, gt=0, description="of a round, fund's currency")
        stock_first: float = Field(gt=0, description="working balance of X, whole lots")
        stock_second: float = Field(gt=0, description="working balance of Y, whole lots")
        drift_max: float = Field(0.1, ge=0, lt=1, description="of a stock, before it is restored")
        costs_bps: float = Field(3.0, ge=0, description="fees and slippage of all three trades")
        edge_min_bps: float = Field(1.0, gt=0, description="least gain, beyond costs")
        age_max_ms: int = Field(1_000, gt=0, description="of the oldest price")
        pause_ms: int = Field(1_000, ge=0, description="after the gate has refused an order")

    @dataclass
    class State(Orders):
        """Orders under way."""

    params: Params
    state: State

    def __init__(self, params: StrategyParams | None = None, /, **values: object) -> None:
        """Refuse pairs that are named twice."""
        super().__init__(params, **values)
        if len(set(self.universe)) < len(self.universe):
            raise ConfigError(
                f"`first`, `cross` and `second` must differ; found {', '.join(self.universe)}"
            )

    @property
    def universe(self) -> tuple[str, str, str]:
        """The three pairs: first, cross, second."""
        return self.params.first, self.params.cross, self.params.second

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Look at the triangle at each new quote."""
        self._look(ctx)

    def on_book(self, ctx: Context, book: Book) -> None:
        """Look at the triangle at each new state of a book."""
        self._look(ctx)

    def on_order(self, ctx: Context, order: OrderEvent) -> None:
        """Bring balances back as soon as a round has ended."""
        self.state.traded[order.instrument] = order.ts
        if self.state.unsettled and order.is_final and has_ended(ctx, self.state):
            self.state.unsettled = False
            self._restock(ctx)

    def _look(self, ctx: Context) -> None:
        quotes = [quote for quote in map(ctx.quote, self.universe) if quote is not None]
        if len(quotes) < len(self.universe) or ctx.clock.now < self.state.quiet_until:
            return
        if not are_fresh(quotes, ctx.clock.now, self.params.age_max_ms):
            return
        if not has_ended(ctx, self.state) or self._restock(ctx):
            return
        if not are_new(quotes, self.state):
            return
        first, cross, second = quotes
        least = 1 + (self.params.costs_bps + self.params.edge_min_bps) * 1e-4
        if second.bid / (first.ask * cross.ask) >= least:
            self._round(ctx, first, cross, second, forward=True)
        elif first.bid * cross.bid / second.ask >= least:
            self._round(ctx, first, cross, second, forward=False)

    def _restock(self, ctx: Context) -> bool:
        """Bring the balances of X and Y to what they should be; true if an order was sent."""
        for pair, stock in (
            (self.params.first, self.params.stock_first),
            (self.params.second, self.params.stock_second),
        ):
            lot, held = ctx.lot_size(pair), ctx.position(pair)
            quantity = whole_lots(abs(stock - held), lot)
            if quantity > 0 and quantity >= self.params.drift_max * stock:
                side: Side = "buy" if held < stock else "sell"
                send(ctx, self.state, [(pair, side, quantity, None)], self.params.pause_ms)
        return bool(self.state.orders)

    def _round(
        self, ctx: Context, first: QuoteView, cross: QuoteView, second: QuoteView, *, forward: bool
    ) -> None:
        """Send the three orders of a round, sized in Y."""
        price = cross.ask if forward else cross.bid
        if forward:  # X is bought and spent, Y bought and sold
            sizes = (first.ask_size / price, cross.ask_size, second.bid_size)
        else:
            sizes = (first.bid_size / price, cross.bid_size, second.ask_size)
        x, y = ctx.position(first.instrument) / price, ctx.position(second.instrument)
        money = min(self.params.notional_max, ctx.available_cash) / second.ask
        most = min(*map(known_size, sizes), *(_CASH_SHARE * each for each in (x, y, money)))
        lot = max(ctx.lot_size(cross.instrument), ctx.lot_size(second.instrument))
        quantity = whole_lots(most, lot)
        first_lot = ctx.lot_size(first.instrument)
        converted = round(quantity * price / first_lot) * first_lot
        if quantity <= 0 or converted <= 0:
            return
        self.state.unsettled = True
        there: Side = "buy" if forward else "sell"
        back: Side = "sell" if forward else "buy"
        legs: list[tuple[str, Side, float, float | None]] = [
            (first.instrument, there, converted, first.ask if forward else first.bid),
            (cross.instrument, there, quantity, price),
            (second.instrument, back, quantity, second.bid if forward else second.ask),
        ]
        send(ctx, self.state, legs, self.params.pause_ms)
