"""What arbitrages do alike: read prices of several markets, and send orders together."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, inf, isfinite, isnan
from typing import ClassVar

from pydantic import Field

from quantvista.errors import ConfigError
from quantvista.strategies._base import EventStrategy
from quantvista.strategies._context import Book, Context, OrderEvent, Quote, QuoteView, Side
from quantvista.strategies._params import StrategyParams

__all__ = [
    "CASH_SHARE",
    "Arbitrage",
    "ArbitrageParams",
    "Orders",
    "known_size",
    "whole_lots",
]

type Terms = tuple[str, Side, float, float | None]
"""Instrument, side, quantity and limit, None for a market order."""

CASH_SHARE = 0.99
"""Of the cash that there is, so that fees and a price that moves do not make the gate refuse."""

_MS = 1_000_000


class ArbitrageParams(StrategyParams):
    """Parameters that all arbitrages have."""

    edge_min_bps: float = Field(1.0, gt=0, description="least gain, beyond costs")
    age_max_ms: int = Field(1_000, gt=0, description="of the oldest price")
    pause_ms: int = Field(1_000, ge=0, description="after the gate has refused an order")


@dataclass
class Orders:
    """Orders under way, and what was learnt of them."""

    orders: list[int] = field(default_factory=list)
    unsettled: bool = False
    """Whether a trade has been sent and not been looked at since."""
    traded: dict[str, int] = field(default_factory=dict)
    """When an instrument last was traded, UTC ns: sizes shown before may be used up."""
    quiet_until: int = 0
    """After a rejection, UTC ns: what the gate refuses now it will refuse again at once."""


class Arbitrage(EventStrategy):
    """Trade several markets at once when their prices do not agree.

    Derived classes say which markets (``markets``, names of parameters), when to trade them, and
    what holdings to bring back once all orders have ended. Orders are immediate-or-cancel.

    Notes
    -----
    Missing data: without a price on any side nothing is done, and prices older than
    ``age_max_ms`` are not traded on. A size that is not known limits nothing. What was traded on is
    traded on again only when it has been quoted anew.
    """

    markets: ClassVar[tuple[str, ...]]

    params: ArbitrageParams
    state: Orders

    def __init__(self, params: StrategyParams | None = None, /, **values: object) -> None:
        """Refuse an instrument that is named twice."""
        super().__init__(params, **values)
        if len(set(self.universe)) < len(self.universe):
            *some, last = (f"`{market}`" for market in self.markets)
            raise ConfigError(
                f"{', '.join(some)} and {last} must differ; found {', '.join(self.universe)}"
            )

    @property
    def universe(self) -> tuple[str, ...]:
        """The instruments, in the order of ``markets``."""
        return tuple(getattr(self.params, market) for market in self.markets)

    @abstractmethod
    def balance(self, ctx: Context) -> bool:
        """Bring holdings to where they should be; true if there was something to do."""

    @abstractmethod
    def trade(self, ctx: Context, quotes: Sequence[QuoteView]) -> None:
        """Send orders if the prices, in the order of ``markets``, are far enough apart."""

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        """Look at all markets at each new quote of one."""
        self._look(ctx)

    def on_book(self, ctx: Context, book: Book) -> None:
        """Look at all markets at each new state of a book."""
        self._look(ctx)

    def on_order(self, ctx: Context, order: OrderEvent) -> None:
        """Bring holdings back as soon as all orders of a trade have ended."""
        self.state.traded[order.instrument] = order.ts
        if self.state.unsettled and order.is_final and self._has_ended(ctx):
            self.state.unsettled = False
            self.balance(ctx)

    def send(self, ctx: Context, orders: Sequence[Terms]) -> None:
        """Send orders together."""
        now = ctx.clock.now
        for instrument, side, quantity, price in orders:
            order_id = ctx.submit(
                instrument,
                side,
                quantity,
                type="market" if price is None else "limit",
                tif="ioc",
                limit_price=price,
            )
            self.state.orders.append(order_id)
            self.state.traded[instrument] = now
            if ctx.order(order_id).status == "rejected":
                self.state.quiet_until = now + self.params.pause_ms * _MS

    def _look(self, ctx: Context) -> None:
        quotes = [quote for quote in map(ctx.quote, self.universe) if quote is not None]
        if len(quotes) < len(self.universe) or ctx.clock.now < self.state.quiet_until:
            return
        if not self._are_fresh(quotes, ctx.clock.now):
            return
        if not self._has_ended(ctx) or self.balance(ctx):
            return
        if all(quote.ts > self.state.traded.get(quote.instrument, 0) for quote in quotes):
            self.trade(ctx, quotes)

    def _are_fresh(self, quotes: Sequence[QuoteView], now: int) -> bool:
        """Tell whether all sides have a price that was received lately."""
        prices = [price for quote in quotes for price in (quote.bid, quote.ask)]
        oldest = min(quote.ts for quote in quotes)
        return all(map(isfinite, prices)) and now - oldest <= self.params.age_max_ms * _MS

    def _has_ended(self, ctx: Context) -> bool:
        """Tell whether nothing is under way, and forget orders that are done."""
        if any(ctx.order(each).is_working for each in self.state.orders):
            return False
        self.state.orders.clear()
        return True


def known_size(size: float) -> float:
    """Return a size as far as it limits anything: without sizes in the data there is enough."""
    return inf if isnan(size) else size


def whole_lots(quantity: float, lot: float) -> float:
    """Round a quantity down to lots; noise of floats does not cost one."""
    return floor(quantity / lot + 1e-9) * lot
