"""Triangular arbitrage: three pairs of three currencies, round and back with a gain."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from quantvista.strategies._arbitrage import (
    CASH_SHARE,
    Arbitrage,
    ArbitrageParams,
    Orders,
    known_size,
    whole_lots,
)
from quantvista.strategies._context import Context, QuoteView, Side

__all__ = ["TriangularArbitrage"]


class TriangularArbitrage(Arbitrage):
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
    """

    class Params(ArbitrageParams):
        """Parameters of `TriangularArbitrage`."""

        first: str = Field(description="X in the fund's currency")
        second: str = Field(description="Y in the fund's currency")
        cross: str = Field(description="Y in X")
        notional_max: float = Field(1_000.0, gt=0, description="of a round, fund's currency")
        stock_first: float = Field(gt=0, description="working balance of X, whole lots")
        stock_second: float = Field(gt=0, description="working balance of Y, whole lots")
        drift_max: float = Field(0.1, ge=0, lt=1, description="of a stock, before it is restored")
        costs_bps: float = Field(3.0, ge=0, description="fees and slippage of all three trades")

    @dataclass
    class State(Orders):
        """Orders under way."""

    params: Params

    markets = ("first", "cross", "second")

    def balance(self, ctx: Context) -> bool:
        """Bring the balances of X and Y to what they should be; true if an order was sent."""
        for pair, stock in (
            (self.params.first, self.params.stock_first),
            (self.params.second, self.params.stock_second),
        ):
            lot, held = ctx.lot_size(pair), ctx.position(pair)
            quantity = whole_lots(abs(stock - held), lot)
            if quantity > 0 and quantity >= self.params.drift_max * stock:
                side: Side = "buy" if held < stock else "sell"
                self.send(ctx, [(pair, side, quantity, None)])
        return bool(self.state.orders)

    def trade(self, ctx: Context, quotes: Sequence[QuoteView]) -> None:
        """Go round the one way or the other."""
        first, cross, second = quotes
        least = 1 + (self.params.costs_bps + self.params.edge_min_bps) * 1e-4
        if second.bid / (first.ask * cross.ask) >= least:
            self._round(ctx, first, cross, second, forward=True)
        elif first.bid * cross.bid / second.ask >= least:
            self._round(ctx, first, cross, second, forward=False)

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
        most = min(*map(known_size, sizes), *(CASH_SHARE * each for each in (x, y, money)))
        lot = max(ctx.lot_size(cross.instrument), ctx.lot_size(second.instrument))
        quantity = whole_lots(most, lot)
        first_lot = ctx.lot_size(first.instrument)
        converted = round(quantity * price / first_lot) * first_lot
        if quantity <= 0 or converted <= 0:
            return
        self.state.unsettled = True
        there: Side = "buy" if forward else "sell"
        back: Side = "sell" if forward else "buy"
        self.send(
            ctx,
            [
                (first.instrument, there, converted, first.ask if forward else first.bid),
                (cross.instrument, there, quantity, price),
                (second.instrument, back, quantity, second.bid if forward else second.ask),
            ],
        )
