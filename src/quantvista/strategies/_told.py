"""What an event strategy is told. Typing only: runs and live trading supply the objects."""

from typing import Literal, Protocol

__all__ = [
    "Bar",
    "Book",
    "Fill",
    "FillKind",
    "FundState",
    "Leg",
    "Link",
    "Liquidity",
    "OrderEvent",
    "OrderStatus",
    "OrderType",
    "OrderView",
    "Quote",
    "QuoteView",
    "Side",
    "SleeveState",
    "TimeInForce",
    "Timer",
    "Trade",
    "TriggerBy",
]

Side = Literal["buy", "sell"]
OrderType = Literal[
    "market",
    "limit",
    "stop",
    "stop_limit",
    "trailing_stop",
    "market_if_touched",
    "limit_if_touched",
    "on_open",
    "on_close",
]
TimeInForce = Literal["day", "gtc", "gtd", "ioc", "fok"]
TriggerBy = Literal["last", "bid", "ask", "mark"]
Leg = Literal["net", "long", "short"]
Link = Literal["oco", "oto", "bracket"]
FillKind = Literal["trade", "cross", "settlement", "liquidation", "action", "external", "bust"]
FundState = Literal["active", "reduce_only", "halted"]
SleeveState = Literal["on", "reduce_only", "off"]
Liquidity = Literal["maker", "taker", "none"]
OrderStatus = Literal[
    "held",
    "submitted",
    "unknown",
    "accepted",
    "triggered",
    "partially_filled",
    "filled",
    "cancelled",
    "expired",
    "rejected",
]


class OrderView(Protocol):
    """One order of this sleeve as it stood when it was asked for."""

    @property
    def order_id(self) -> int:
        """The id that ``ctx.submit`` returned."""

    @property
    def instrument(self) -> str:
        """Instrument id."""

    @property
    def side(self) -> Side:
        """``"buy"`` or ``"sell"``."""

    @property
    def quantity(self) -> float:
        """Quantity that was ordered, in units of the instrument."""

    @property
    def filled(self) -> float:
        """Quantity filled so far, in units of the instrument."""

    @property
    def ts(self) -> int:
        """When it was made, UTC ns."""

    @property
    def type(self) -> OrderType:
        """Kind of order."""

    @property
    def tif(self) -> TimeInForce:
        """How long it works."""

    @property
    def limit_price(self) -> float | None:
        """Limit price; None for other orders."""

    @property
    def trigger_price(self) -> float | None:
        """Trigger price; None for other orders. That of a trailing stop moves."""

    @property
    def status(self) -> OrderStatus:
        """Where the order is in its life."""

    @property
    def reason(self) -> str:
        """Rule or cause of a rejection, cancellation or expiry; else empty."""

    @property
    def is_working(self) -> bool:
        """Whether something may still happen to it."""

    @property
    def is_final(self) -> bool:
        """Whether it is filled, cancelled, expired or rejected."""


class OrderEvent(Protocol):
    """A change of an order of this sleeve."""

    @property
    def order_id(self) -> int:
        """The order."""

    @property
    def instrument(self) -> str:
        """Instrument id."""

    @property
    def change(self) -> str:
        """The status that it came to, or ``amended``, ``amend_rejected``, ``cancel_rejected``."""

    @property
    def status(self) -> OrderStatus:
        """The status that it then had."""

    @property
    def reason(self) -> str:
        """Rule or cause; empty where there is none."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to it."""

    @property
    def ts(self) -> int:
        """When it changed, UTC ns."""


class QuoteView(Protocol):
    """The best prices of an instrument. NaN where a side is absent or a size is not known."""

    @property
    def instrument(self) -> str:
        """Instrument id."""

    @property
    def ts(self) -> int:
        """When it was received, UTC ns."""

    @property
    def bid(self) -> float:
        """Best price that someone pays."""

    @property
    def bid_size(self) -> float:
        """Units wanted there."""

    @property
    def ask(self) -> float:
        """Best price that someone asks."""

    @property
    def ask_size(self) -> float:
        """Units offered there."""

    @property
    def mid(self) -> float:
        """Halfway between bid and ask."""


class Quote(QuoteView, Protocol):
    """A new best bid and ask."""


class Book(QuoteView, Protocol):
    """A book after a complete message."""

    @property
    def bids(self) -> list[tuple[float, float]]:
        """Price and size of the levels asked for, the best first."""

    @property
    def asks(self) -> list[tuple[float, float]]:
        """The same of those who sell."""


class Trade(Protocol):
    """A trade of others."""

    @property
    def instrument(self) -> str:
        """Instrument id."""

    @property
    def ts(self) -> int:
        """When it was received, UTC ns."""

    @property
    def price(self) -> float:
        """Price."""

    @property
    def size(self) -> float:
        """Units traded."""

    @property
    def aggressor(self) -> Side | None:
        """Side of the order that came in; None where it is not known."""


class Bar(Protocol):
    """A bar, stamped at its close. NaN where the data have no such field."""

    @property
    def instrument(self) -> str:
        """Instrument id."""

    @property
    def ts(self) -> int:
        """Close of the bar, UTC ns."""

    @property
    def open(self) -> float:
        """First price; NaN on close-only data."""

    @property
    def high(self) -> float:
        """Highest price; NaN on close-only data."""

    @property
    def low(self) -> float:
        """Lowest price; NaN on close-only data."""

    @property
    def close(self) -> float:
        """Last price."""

    @property
    def volume(self) -> float:
        """Units traded; NaN where the data have none."""


class Fill(Protocol):
    """An execution of part of an order of this sleeve."""

    @property
    def order_id(self) -> int:
        """The order; 0 for a settlement, which has none."""

    @property
    def instrument(self) -> str:
        """Instrument id."""

    @property
    def side(self) -> Side:
        """``"buy"`` or ``"sell"``."""

    @property
    def quantity(self) -> float:
        """Unsigned quantity, in units of the instrument."""

    @property
    def price(self) -> float:
        """Price with slippage."""

    @property
    def fee(self) -> float:
        """Fee; positive is a cost."""

    @property
    def kind(self) -> FillKind:
        """``"trade"`` at the venue, ``"cross"`` between sleeves, ``"settlement"``, and others.

        ``"liquidation"`` meets a margin call, ``"action"`` comes of a corporate action.
        """

    @property
    def liquidity(self) -> Liquidity:
        """Whether the order rested (``"maker"``) or came to what rested (``"taker"``)."""

    @property
    def ts(self) -> int:
        """Time of the fill, UTC ns."""


class Timer(Protocol):
    """A timer that has come due."""

    @property
    def name(self) -> str:
        """The name given to ``ctx.set_timer``."""

    @property
    def ts(self) -> int:
        """When it came due, UTC ns; on bars the barrier."""
