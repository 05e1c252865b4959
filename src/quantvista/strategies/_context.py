"""What an event strategy is given. Typing only: runs and live trading supply the objects.

Units: money and prices are in the currency of the fund, quantities in units of the instrument,
times in integer nanoseconds since 1970-01-01 UTC. All are floats made from the engine's exact
integers; what the engine books never comes from them.
"""

from datetime import datetime
from typing import Literal, Protocol

from numpy.random import Generator

__all__ = [
    "Bar",
    "Clock",
    "Context",
    "Fill",
    "FillKind",
    "OrderStatus",
    "OrderType",
    "OrderView",
    "Side",
    "TimeInForce",
    "Timer",
]

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "on_open", "on_close"]
TimeInForce = Literal["day", "gtc", "ioc"]
FillKind = Literal["trade", "cross", "settlement"]
OrderStatus = Literal["accepted", "partially_filled", "filled", "cancelled", "expired", "rejected"]


class Clock(Protocol):
    """The only clock of a strategy: the time of the event that is being handled."""

    @property
    def now(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""

    @property
    def utc(self) -> datetime:
        """The same as an aware ``datetime``, to the microsecond."""


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
    def limit_price(self) -> float | None:
        """Limit price; None for other orders."""

    @property
    def status(self) -> OrderStatus:
        """Where the order is in its life."""

    @property
    def reason(self) -> str:
        """Rule or cause of a rejection, cancellation or expiry; else empty."""


class Context(Protocol):
    """What a handler may ask and do; one per sleeve."""

    @property
    def clock(self) -> Clock:
        """The time of the event."""

    @property
    def rng(self) -> Generator:
        """Random numbers, seeded from the fund's seed and the sleeve's id, saved with snapshots."""

    @property
    def instruments(self) -> tuple[str, ...]:
        """Ids of the fund's instruments, ascending."""

    @property
    def cash(self) -> float:
        """Cash of the sleeve."""

    @property
    def equity(self) -> float:
        """Cash of the sleeve plus its positions at their last closes."""

    @property
    def available_cash(self) -> float:
        """What new buys may cost now.

        Cash, less what working buys reserve, plus the least that working market sales bring.
        """

    def mark_price(self, instrument: str) -> float:
        """Last close of an instrument; NaN before its first bar."""

    def position(self, instrument: str) -> float:
        """Quantity that the sleeve holds, never negative on a cash account."""

    def order(self, order_id: int) -> OrderView:
        """Look up an order of this sleeve."""

    def submit(
        self,
        instrument: str,
        side: Side,
        quantity: float,
        *,
        type: OrderType = "market",
        tif: TimeInForce = "day",
        limit_price: float | None = None,
    ) -> int:
        """Send an order through the gate, and return its id.

        ``quantity`` must be a whole number of lots, ``limit_price`` (for limit orders only) a
        whole number of ticks. The gate passes the order whole or rejects it: a rejection is
        no exception, read ``ctx.order(order_id).status``.
        """

    def cancel(self, order_id: int) -> None:
        """Cancel what is left of an order of this sleeve; one that is done stays as it is."""

    def set_timer(self, at_ns: int, name: str) -> None:
        """Ask for one ``on_timer`` at the first barrier at or after ``at_ns`` (UTC ns)."""


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
        """``"trade"`` at the venue, ``"cross"`` between sleeves, or ``"settlement"``."""

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
        """The barrier at which it came due, UTC ns."""
