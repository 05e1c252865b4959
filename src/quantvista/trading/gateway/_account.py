"""What a venue knows of an account and of itself."""

from dataclasses import dataclass

from quantvista.trading.gateway._orders import Side
from quantvista.trading.gateway._reports import Filled

__all__ = [
    "FINAL",
    "AccountSnapshot",
    "Balance",
    "Capabilities",
    "FillPage",
    "Listing",
    "OrderState",
    "Position",
]

FINAL = frozenset({"filled", "cancelled", "expired", "rejected"})
"""States of an order after which nothing changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """An order as the venue has it.

    ``status`` is as the engine names it: ``submitted`` (on its way), ``accepted``, ``triggered``,
    ``partially_filled``, or one of `FINAL`. ``fees`` are the sum of its fills', in 1e-12.
    """

    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    quantity: int
    filled: int
    kind: str
    tif: str
    limit_price: int | None
    trigger_price: int | None
    expire_at: int | None
    post_only: bool
    reduce_only: bool
    status: str
    reason: str
    fees: int
    ts: int

    @property
    def is_final(self) -> bool:
        """Whether it can still change."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Money of one currency in 1e-12: all of it, and what waits for its settlement of that."""

    currency: str
    total: int
    unsettled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Signed quantity of one instrument; none where a trade only exchanges currencies."""

    instrument: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSnapshot:
    """An account as of one moment: after the report ``sequence`` and before the next."""

    account: str
    sequence: int
    ts: int
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    orders: tuple[OrderState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillPage:
    """Fills after a report, in order, and the report after which to go on.

    ``busted`` are the trade ids among them that the venue has undone since.
    """

    fills: tuple[Filled, ...]
    busted: tuple[str, ...]
    next: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An instrument as the venue lists it; steps in units of its precision."""

    instrument: str
    kind: str
    settlement: str
    currency: str
    base: str
    price_precision: int
    quantity_precision: int
    tick_size: int
    lot_size: int
    multiplier: int
    data: str
    halted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a venue can do; all else is refused by name before it is sent.

    ``orders`` are pairs of kind and time in force by way of matching (``quotes``, ``l2`` ...),
    as ``kind/tif/data``. ``submit_window_ns`` is how long a command that we sent may still take
    effect; without an answer it is dead after that. ``dead_man_max_ns`` is the longest time for
    which a dead-man switch can be set; None where there is none.
    """

    venue: str
    orders: frozenset[str]
    post_only: bool
    reduce_only: bool
    iceberg: bool
    amend: bool
    fill_page_max: int
    orders_per_second: int | None
    submit_window_ns: int
    dead_man_max_ns: int | None = None
