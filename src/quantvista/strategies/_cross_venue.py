"""Cross-venue arbitrage: buy where a thing is cheap and sell it where it is dear."""

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

__all__ = ["CrossVenueArbitrage"]


class CrossVenueArbitrage(Arbitrage):
    """Trade one thing on two venues when their prices are further apart than the costs.

    With the best prices of the instruments ``a`` and ``b``::

        edge(buy a, sell b) = bid_b / ask_a - 1 - costs

    If an edge is at least ``edge_min_bps``, both sides are sent at once, immediate-or-cancel at
    the prices seen, for the smallest of the sizes shown, ``quantity_max``, what the cash buys and
    what ``stock_max`` leaves. What one side fills more than the other is closed with a market
    order as soon as both have ended: sold where most is held, bought where least is.

    On a cash account only what is held can be sold: the strategy first buys ``stock`` on each
    venue, and counts from there. On a margin account ``stock`` may be 0.

    Notes
    -----
    What is bought on one venue cannot be sold on the other: holdings pile up where it is cheap
    until prices lie the other way round. ``stock_max`` says how far; moving them between venues
    is not modelled.

    Costs are the taker fees of both venues and what slippage is expected, as one share of the
    price: the strategy does not know the venues' schedules.
    """

    class Params(ArbitrageParams):
        """Parameters of `CrossVenueArbitrage`."""

        a: str = Field(description="instrument on the one venue")
        b: str = Field(description="the same thing on the other")
        quantity_max: float = Field(1.0, gt=0, description="of one trade, whole lots of both")
        stock: float = Field(0.0, ge=0, description="to hold on each venue from the start")
        stock_max: float = Field(10.0, gt=0, description="how far each may be away from `stock`")
        costs_bps: float = Field(2.0, ge=0, description="fees and slippage of both trades")

    @dataclass
    class State(Orders):
        """Orders under way."""

    params: Params

    markets = ("a", "b")

    def balance(self, ctx: Context) -> bool:
        """Bring holdings to twice ``stock`` in sum; true if there was something to do."""
        held = {each: ctx.position(each) for each in self.universe}
        lot = max(map(ctx.lot_size, self.universe))
        short_of = {name: self.params.stock - quantity for name, quantity in held.items()}
        excess = -sum(short_of.values())
        if whole_lots(abs(excess), lot) <= 0:
            return False
        if excess > 0:
            names = [max(self.universe, key=held.__getitem__)]
        elif min(short_of.values()) > 0:
            names = list(self.universe)  # the start: each buys its own stock
        else:
            names = [min(self.universe, key=held.__getitem__)]
        side: Side = "sell" if excess > 0 else "buy"
        for name in names:
            missing = short_of[name] if len(names) > 1 else abs(excess)
            quantity = whole_lots(missing, lot)
            if quantity > 0:
                self.send(ctx, [(name, side, quantity, None)])
        return True

    def trade(self, ctx: Context, quotes: Sequence[QuoteView]) -> None:
        """Trade one way or the other."""
        a, b = quotes
        if not self._trade(ctx, a, b):
            self._trade(ctx, b, a)

    def _trade(self, ctx: Context, buy: QuoteView, sell: QuoteView) -> bool:
        """Send both sides if the edge is large enough."""
        params = self.params
        edge = sell.bid / buy.ask - 1 - params.costs_bps * 1e-4
        if edge < params.edge_min_bps * 1e-4:
            return False
        room = (
            params.stock + params.stock_max - ctx.position(buy.instrument),
            ctx.position(sell.instrument) - max(params.stock - params.stock_max, self._least()),
        )
        sizes = (known_size(buy.ask_size), known_size(sell.bid_size))
        affordable = ctx.available_cash * CASH_SHARE / buy.ask
        lot = max(ctx.lot_size(buy.instrument), ctx.lot_size(sell.instrument))
        quantity = whole_lots(min(params.quantity_max, affordable, *sizes, *room), lot)
        if quantity <= 0:
            return False
        self.state.unsettled = True
        self.send(
            ctx,
            [
                (buy.instrument, "buy", quantity, buy.ask),
                (sell.instrument, "sell", quantity, sell.bid),
            ],
        )
        return True

    def _least(self) -> float:
        """Who starts with a stock sells from it, and is never short."""
        return 0.0 if self.params.stock > 0 else -self.params.stock_max
