"""What a venue says of orders and money, as facts, and what we say when we do not know."""

from dataclasses import dataclass
from typing import Literal

from quantvista.trading.gateway._orders import Side

__all__ = [
    "Accepted",
    "Acknowledged",
    "AmendAccepted",
    "AmendRejected",
    "BalanceChanged",
    "Busted",
    "CancelRejected",
    "Cancelled",
    "Expired",
    "Filled",
    "Rejected",
    "Report",
    "Triggered",
    "Unknown",
]

# All times are UTC nanoseconds of the venue's clock; prices and quantities are in units of the
# instrument's precision; money is in 1e-12 of its currency.


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The venue has the command, durably; what becomes of it comes as reports.

    ``status`` is the order's at that moment, ``duplicate`` says that it had the same command
    before.
    """

    client_order_id: str
    venue_order_id: str
    status: str
    ts: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The order works."""

    client_order_id: str
    venue_order_id: str
    instrument: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """The venue did not take the order, and never will under this command.

    ``reason`` is a short code, ``text`` words for people. ``retry_after_ns`` is positive where the
    venue only asks us to wait.
    """

    client_order_id: str
    reason: str
    text: str
    ts: int
    retry_after_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """The price that the order waited for was there."""

    client_order_id: str
    venue_order_id: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Our execution of an order or a part of it.

    ``trade_id`` is unique at the venue for ever. ``fee`` is negative for a rebate. ``kind`` is
    ``trade`` but where the venue closed a position itself.
    """

    client_order_id: str
    venue_order_id: str
    trade_id: str
    instrument: str
    side: Side
    quantity: int
    price: int
    fee: int
    fee_currency: str
    liquidity: Literal["maker", "taker", "none"]
    ts: int
    kind: str = "trade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The rest of the order is gone."""

    client_order_id: str
    venue_order_id: str
    reason: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The rest of the order is gone by its time in force."""

    client_order_id: str
    venue_order_id: str
    reason: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendAccepted:
    """The order has new terms."""

    client_order_id: str
    venue_order_id: str
    quantity: int
    limit_price: int | None
    trigger_price: int | None
    expire_at: int | None
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendRejected:
    """The order stays as it was."""

    client_order_id: str
    reason: str
    text: str
    ts: int
    retry_after_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRejected:
    """There was nothing left to cancel, or the venue did not take the command."""

    client_order_id: str
    reason: str
    text: str
    ts: int
    retry_after_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Busted:
    """The venue has undone a trade: what it moved, fee included, was moved back."""

    client_order_id: str
    trade_id: str
    instrument: str
    side: Side
    quantity: int
    price: int
    fee: int
    fee_currency: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceChanged:
    """Money that moved without a trade: a deposit, interest, funding."""

    currency: str
    amount: int
    cause: str
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A command without an answer: the venue may or may not have it.

    Only ``Gateway.order`` resolves it; sending it again under another id never does. ``cause`` is
    ``timeout``, ``disconnected`` or ``server_error``.
    """

    client_order_id: str
    command: Literal["submit", "cancel", "amend"]
    cause: Literal["timeout", "disconnected", "server_error"]
    ts: int


type Report = (
    Accepted
    | Rejected
    | Triggered
    | Filled
    | Cancelled
    | Expired
    | AmendAccepted
    | AmendRejected
    | CancelRejected
    | Busted
    | BalanceChanged
)
