"""A divergence in words, for terminal and page alike."""

from decimal import Decimal

from quantvista.trading.divergence._attribution import Divergence
from quantvista.trading.divergence._matching import Matching
from quantvista.trading.divergence._track import Order

__all__ = ["bps_text", "counted_text", "money_text", "order_text", "verdict"]

_MINUS = "\N{MINUS SIGN}"
_NONE = "\N{EN DASH}"
_KINDS = {
    "only on paper": "only on paper",
    "only in backtest": "only in backtest",
    "quantity": "of another size",
    "price": "at another price",
    "terms": "on other terms",
    "refused": "refused on one side",
}


def verdict(found: Divergence) -> str:
    """Say in a sentence what came out."""
    if not found.gap:
        if any(each.amount for each in found.causes):
            return f"{found.fund} earned what its backtest earns, by causes that cancel out."
        same = "" if found.matching.pairs else ", with the same orders"
        return f"{found.fund} earned on paper what its backtest earns{same}."
    size = bps_text(abs(found.gap), found)
    than = "more" if found.gap > 0 else "less"
    most = max(found.causes, key=lambda each: abs(each.amount))
    return (
        f"{found.fund} earned {found.currency} {money_text(abs(found.gap), found)} ({size} bp) "
        f"{than} on paper than in its backtest, most by {most.name}."
    )


def order_text(order: Order | None, *, with_instrument: bool = True) -> str:
    """Write the terms of an order."""
    if order is None:
        return "no such order"
    limit = "" if order.limit_price is None else f" at {order.limit_price:f}"
    refused = f", refused by {order.refused}" if order.refused else ""
    name = f" {order.instrument}" if with_instrument else ""
    return f"{order.side} {order.quantity:f}{name} {order.kind}{limit}{refused}"


def counted_text(matching: Matching) -> str:
    """Say how many orders differ in what."""
    counts = {each: matching.count(each) for each in _KINDS}
    return ", ".join(f"{count:,} {_KINDS[each]}" for each, count in counts.items() if count)


def money_text(amount: int, found: Divergence) -> str:
    """Write 1e-12 of the fund's currency with at most two decimals."""
    return _signed(f"{Decimal(amount).scaleb(-12):,.{min(2, found.digits)}f}")


def bps_text(amount: int, found: Divergence) -> str:
    """Write it as basis points of the equity at the beginning."""
    size = found.bps(amount)
    return _NONE if size is None else _signed(f"{size:,.2f}")


def _signed(text: str) -> str:
    if not any(each in "123456789" for each in text):
        return text.replace("-", "")
    return text.replace("-", _MINUS)
