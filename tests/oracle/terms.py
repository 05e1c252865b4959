"""Instruments, venues and orders: what the state is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oracle.numbers import InputError

type Record = dict[str, Any]

STOPS = ("stop", "stop_limit", "trailing_stop")
TOUCHED = ("market_if_touched", "limit_if_touched")
TRIGGERED = STOPS + TOUCHED
LIMITED = ("limit", "stop_limit", "limit_if_touched")
AUCTIONS = ("on_open", "on_close")
ENDED = ("filled", "cancelled", "expired", "rejected")

TRANSITIONS = {
    "initialised": {"held", "submitted", "accepted", "rejected"},
    "held": {"accepted", "rejected", "cancelled", "expired"},
    "submitted": {"accepted", "cancelled", "expired", "rejected", "unknown"},
    "unknown": {"accepted", "cancelled", "expired", "rejected"},
    "accepted": {"triggered", "partially_filled", "filled", "cancelled", "expired"},
    "triggered": {"partially_filled", "filled", "cancelled", "expired"},
    "partially_filled": {"partially_filled", "filled", "cancelled", "expired"},
}


@dataclass(eq=False)
class Instrument:
    """As configured, and as actions have changed it since."""

    index: int
    id: str
    price_precision: int
    quantity_precision: int
    tick_size: int
    lot_size: int
    multiplier: int
    sector: str
    currency: int = 0
    kind: str = "equity"
    settlement: Any = "asset"
    matching: str = "bars"
    venue: int = 0
    effective_from: int | None = None
    effective_to: int | None = None
    close_only: bool = False
    has_auctions: bool = False
    negative_prices: bool = False
    margin_initial: int = 10**9
    margin_maintenance: int = 10**9
    shortable: int = 0
    borrow_rate: int = 0
    settlement_days: int = 0
    expiry: int | None = None
    average_volume: int | None = None
    volatility: int | None = None

    @property
    def unit(self) -> int:
        scale: int = 10 ** (12 - self.price_precision - self.quantity_precision)
        return self.multiplier * scale

    @property
    def base(self) -> int | None:
        """Index of the base currency of an exchange instrument."""
        return self.settlement["exchange"]["base"] if isinstance(self.settlement, dict) else None

    @property
    def is_exchange(self) -> bool:
        return self.base is not None

    @property
    def on_bars(self) -> bool:
        return self.matching == "bars"

    @property
    def on_book(self) -> bool:
        return self.matching in ("l2", "l3")

    def base_money(self, quantity: int) -> int:
        scale: int = 10 ** (12 - self.quantity_precision)
        return quantity * scale

    def notional(self, quantity: int, price: int) -> int:
        return quantity * price * self.unit

    def lots(self, quantity: int) -> int:
        return max(0, quantity // self.lot_size * self.lot_size)

    def listed(self, ts: int) -> bool:
        after = self.effective_from is None or self.effective_from <= ts
        return after and (self.effective_to is None or ts < self.effective_to)


@dataclass(eq=False)
class Order:
    """One order and all that is remembered of it."""

    id: int
    ts: int
    sleeve: int
    instrument: int
    side: str
    quantity: int
    kind: str
    tif: str
    limit_price: int | None = None
    trigger_price: int | None = None
    trail: dict[str, int] | None = None
    trigger_by: str | None = None
    expire_at: int | None = None
    display_quantity: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    leg: str = "net"
    origin: str = "strategy"
    filled: int = 0
    reference: int = 0
    mark: int = 0
    """The mark at acceptance."""
    asked_trigger: int | None = None
    """The trigger price as it was asked for; that of a trailing stop is the engine's."""
    arrival: int = 0
    status: str = "initialised"
    triggered: bool = False
    due: bool = False
    reason: str = "day"
    parent: int | None = None
    group: int | None = None
    children: list[int] = field(default_factory=list)
    rested: bool = False
    rank: int = 0
    resting: bool = False
    fresh: bool = True
    """On trades: it has met none yet."""
    ahead: int = 0
    ahead_ids: set[int] = field(default_factory=set)
    shown: int = 0
    held_said: bool = False
    new_trail: bool = True
    """Whether its first trigger has yet to meet a price that stands."""
    raw_fees: int = 0
    charged: bool = False
    """Whether a fill of it has paid a fee."""
    last_command: int = 0
    remote: bool = False
    """Whether it is for a venue outside, where nothing but reports moves it."""
    asked: str | None = None
    """Why a remote venue was asked to cancel it, while that is open."""
    history: list[tuple[str, str]] = field(default_factory=list)

    @property
    def buys(self) -> bool:
        return self.side == "buy"

    @property
    def sign(self) -> int:
        return 1 if self.side == "buy" else -1

    @property
    def unfilled(self) -> int:
        return self.quantity - self.filled

    @property
    def working(self) -> bool:
        return self.status not in ENDED and self.status != "initialised"

    @property
    def at_venue(self) -> bool:
        """Say whether it is at a simulated venue."""
        return self.working and not self.remote and self.status not in ("held", "submitted")

    @property
    def waits_for_trigger(self) -> bool:
        return self.kind in TRIGGERED and not self.triggered

    @property
    def legs(self) -> int:
        """Place of its position."""
        return 1 if self.leg == "short" else 0

    @property
    def closes_leg(self) -> bool:
        return (self.leg, self.side) in (("long", "sell"), ("short", "buy"))

    def move(self, status: str) -> None:
        assert status in TRANSITIONS[self.status], f"order {self.id}: {self.status} to {status}"
        self.history.append((self.status, status))
        self.status = status

    def record(self) -> Record:
        """What an output tells of it."""
        names = (
            "id ts arrival sleeve instrument side kind tif limit_price trigger_price trail "
            "trigger_by expire_at display_quantity post_only reduce_only leg origin quantity "
            "filled reference status triggered parent group"
        )
        return {name: getattr(self, name) for name in names.split()}


REQUEST = [
    "sleeve",
    "instrument",
    "side",
    "quantity",
    "kind",
    "tif",
    "limit_price",
    "trigger_price",
    "trail",
    "trigger_by",
    "expire_at",
    "display_quantity",
    "post_only",
    "reduce_only",
    "leg",
]


def order_of(request: Mapping[str, Any], id: int, ts: int, origin: str = "strategy") -> Order:
    terms = {name: request[name] for name in REQUEST if name in request}
    order = Order(id=id, ts=ts, arrival=ts, origin=origin, **terms)
    order.last_command = ts
    order.asked_trigger = order.trigger_price
    return order


def instrument_of(index: int, entry: Mapping[str, Any]) -> Instrument:
    try:
        return Instrument(index=index, **entry)
    except TypeError as error:
        raise InputError(f"instrument {index}: {error}") from None
