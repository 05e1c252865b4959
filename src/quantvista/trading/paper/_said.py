"""What a venue says: words for people beside its codes, and the parts of its reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quantvista.trading.gateway import Filled, MarketData, OrderState, Report, Status
from quantvista.trading.paper._terms import VenueTerms

__all__ = ["Effects", "Notice", "ended", "flows_back", "ids_of", "reason_text"]

_MONEY_DIGITS = 12

_WORDS = {
    "cash": "the account does not have the money for it",
    "no_short": "the account does not have so much to sell",
    "margin": "the account does not have the margin for it",
    "locate": "there is nothing to borrow for a short sale",
    "lot": "the quantity must be positive and whole lots",
    "tick": "a price is missing, or must not be there, or is no whole tick",
    "form": "these terms do not go together",
    "trigger": "the trigger is missing, or must not be there, or is no whole tick",
    "time_in_force": "this kind of order does not go with this time in force",
    "needs_data": "this instrument does not have the data that the order needs",
    "needs_ohlc": "this instrument does not have the data that the order needs",
    "post_only": "post-only goes with limit orders that may rest",
    "reduce_only": "it would open or enlarge a position",
    "halted": "the instrument is halted; such an order cannot wait",
    "no_price": "the instrument has no price yet",
    "no_rate": "a currency of the account has no price yet",
    "not_listed": "the instrument is not listed now",
    "price_band": "the price is too far away",
    "finished": "the order is finished, or was never there",
    "unknown": "there is no such order",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A report to an account, with its number there."""

    account: int
    sequence: int
    report: Report


@dataclass(slots=True)
class Effects:
    """What one record led to.

    ``orders`` are the orders that changed, as they are now; ``refused`` says why nothing happened.
    """

    notices: list[Notice] = field(default_factory=list)
    orders: dict[tuple[int, str], OrderState] = field(default_factory=dict)
    market: list[tuple[int, MarketData | Status]] = field(default_factory=list)
    refused: str = ""


def reason_text(code: str) -> str:
    """Say a code in words.

    Examples
    --------
    >>> reason_text("cash")
    'the account does not have the money for it'
    """
    return _WORDS.get(code, code.replace("_", " "))


def ids_of(state: OrderState) -> dict[str, Any]:
    """Both ids of an order."""
    return {
        "client_order_id": state.client_order_id,
        "venue_order_id": state.venue_order_id,
    }


def ended(state: OrderState, body: Mapping[str, Any]) -> dict[str, Any]:
    """Say how an order ended."""
    return {**ids_of(state), "reason": body["reason"], "ts": body["ts"]}


def flows_back(fill: Filled, terms: VenueTerms) -> list[tuple[int, int]]:
    """Money that undoes a fill in a pair: places of currencies, and amounts in 1e-12."""
    listed = next(each for each in terms.instruments if each.id == fill.instrument)
    scale = _MONEY_DIGITS - listed.quantity_precision
    base = fill.quantity * 10**scale
    quote = fill.price * fill.quantity * listed.multiplier
    quote *= 10 ** (scale - listed.price_precision)
    sign = 1 if fill.side == "buy" else -1
    return [
        (terms.currencies.index(listed.base), -sign * base),
        (terms.currencies.index(listed.currency), sign * quote + fill.fee),
    ]
