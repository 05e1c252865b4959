"""What both arbitrages do alike: read prices of several markets, and send orders together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, inf, isfinite, isnan

from quantvista.strategies._context import Context, QuoteView, Side

__all__ = [
    "Orders",
    "are_fresh",
    "are_new",
    "has_ended",
    "known_size",
    "send",
    "whole_lots",
]

_MS = 1_000_000


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


def are_fresh(quotes: Sequence[QuoteView], now: int, age_max_ms: int) -> bool:
    """Tell whether all sides have a price that was received lately."""
    prices = [price for quote in quotes for price in (quote.bid, quote.ask)]
    oldest = min(quote.ts for quote in quotes)
    return all(map(isfinite, prices)) and now - oldest <= age_max_ms * _MS


def are_new(quotes: Sequence[QuoteView], state: Orders) -> bool:
    """Tell whether all of them were quoted since the last orders in them."""
    return all(quote.ts > state.traded.get(quote.instrument, 0) for quote in quotes)


def known_size(size: float) -> float:
    """Return a size as far as it limits anything: without sizes in the data there is enough."""
    return inf if isnan(size) else size


def whole_lots(quantity: float, lot: float) -> float:
    """Round a quantity down to lots; noise of floats does not cost one."""
    return floor(quantity / lot + 1e-9) * lot


def has_ended(ctx: Context, state: Orders) -> bool:
    """Tell whether nothing is under way, and forget orders that are done."""
    if any(ctx.order(each).is_working for each in state.orders):
        return False
    state.orders.clear()
    return True


def send(
    ctx: Context,
    state: Orders,
    legs: Sequence[tuple[str, Side, float, float | None]],
    pause_ms: int,
) -> None:
    """Send immediate-or-cancel orders: instrument, side, quantity and limit, None for market."""
    now = ctx.clock.now
    for instrument, side, quantity, price in legs:
        order_id = ctx.submit(
            instrument,
            side,
            quantity,
            type="market" if price is None else "limit",
            tif="ioc",
            limit_price=price,
        )
        state.orders.append(order_id)
        state.traded[instrument] = now
        if ctx.order(order_id).status == "rejected":
            state.quiet_until = now + pause_ms * _MS
