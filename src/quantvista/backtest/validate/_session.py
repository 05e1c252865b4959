"""What both systems are given: instruments, a tape of the market, orders with their times."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

__all__ = [
    "CONDITIONAL",
    "KINDS",
    "LIMITED",
    "MORE",
    "PASSIVE",
    "Account",
    "Command",
    "Kind",
    "Mark",
    "Models",
    "Order",
    "Row",
    "Session",
    "Traded",
    "opposite",
]

type Kind = Literal["bars", "quotes", "trades", "books"]
type Side = Literal["buy", "sell"]

KINDS: tuple[Kind, ...] = ("bars", "quotes", "trades", "books")
MORE = 128
"""Flag of a book row: more rows of the same message follow."""

PASSIVE = frozenset({"limit", "stop_limit", "market_if_touched", "limit_if_touched"})
"""Order types that may rest until the market comes to them, at a price that is not worse."""

CONDITIONAL = frozenset(
    {"stop", "stop_limit", "market_if_touched", "limit_if_touched", "trailing_stop"}
)
"""Order types that wait for a trigger."""

LIMITED = frozenset({"stop_limit", "limit_if_touched"})
"""Those of them that are limit orders once they have triggered."""


@dataclass(frozen=True, slots=True)
class Traded:
    """An instrument; prices and quantities are in units of its last digits everywhere."""

    symbol: str
    kind: Literal["equity", "pair", "spot", "perpetual"]
    base: str
    quote: str
    price_precision: int
    quantity_precision: int
    tick_size: int
    lot_size: int
    maker_fee: str
    taker_fee: str


@dataclass(frozen=True, slots=True)
class Account:
    """The account: cash or margin, with the money of each currency as decimal text."""

    kind: Literal["cash", "margin"]
    cash: tuple[tuple[str, str], ...]
    single_currency: bool
    leverage: str = "10"


@dataclass(frozen=True, slots=True)
class Models:
    """Models of the venue that both systems have."""

    limit_fill: Literal["touch", "through"] = "touch"
    reject_stop_orders: bool = False
    liquidity_consumption: bool = True
    queue_position: bool = False
    adaptive_path: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """One order as it is sent."""

    id: int
    instrument: int
    side: Side
    quantity: int
    type: str = "market"
    tif: str = "gtc"
    limit: int | None = None
    trigger: int | None = None
    trail: int | None = None
    trail_unit: Literal["price", "bps"] = "price"
    expires: int | None = None
    post_only: bool = False
    reduce_only: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Something sent at a time: an order, a group of linked ones, a cancel or an amendment."""

    ts: int
    do: Literal["submit", "group", "cancel", "amend"]
    order: Order | None = None
    orders: tuple[Order, ...] = ()
    kind: Literal["bracket", "pair", ""] = ""
    id: int = 0
    instrument: int = 0
    quantity: int | None = None
    limit: int | None = None
    trigger: int | None = None

    def sent(self) -> tuple[Order, ...]:
        """Orders that it sends."""
        return self.orders if self.order is None else (self.order,)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the tape, with the columns of the engine's event feed."""

    ts: int
    kind: Literal["quote", "trade", "level", "clear", "bar"]
    flag: int
    instrument: int
    a: int = 0
    b: int = 0
    c: int = 0
    d: int = 0
    e: int = 0


@dataclass(frozen=True, slots=True)
class Mark:
    """A look at the account, with a mark price for each instrument."""

    ts: int
    prices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """A whole session, which one seed makes.

    ``tags`` name what was drawn for it, so that the report can count them.
    """

    seed: int
    kind: Kind
    account: Account
    models: Models
    instruments: tuple[Traded, ...]
    tape: tuple[Row, ...]
    commands: tuple[Command, ...]
    marks: tuple[Mark, ...]
    bar_ns: int = 0
    open_delay_ns: int = 0
    tags: tuple[str, ...] = ()
    day_ends: tuple[int, ...] = field(default=())

    @property
    def start(self) -> int:
        """Time before everything."""
        return min(self.tape[0].ts, self.commands[0].ts) - 1 if self.commands else self.tape[0].ts

    @property
    def end(self) -> int:
        """Time after everything."""
        return self.marks[-1].ts + 1

    def orders(self) -> dict[int, Order]:
        """All orders by their number."""
        return {order.id: order for command in self.commands for order in command.sent()}

    def without(self, dropped: frozenset[int]) -> "Session":
        """Leave commands out by position; what refers to an order not sent goes with it."""
        kept = [each for index, each in enumerate(self.commands) if index not in dropped]
        sent = {order.id for command in kept for order in command.sent()}
        kept = [each for each in kept if each.do in ("submit", "group") or each.id in sent]
        return replace(self, commands=tuple(kept))

    def to_json(self) -> dict[str, Any]:
        """Write it as the child process reads it."""
        value = asdict(self) | {"start": self.start, "end": self.end}
        value["tape"] = [
            [row.ts, row.kind, row.flag, row.instrument, row.a, row.b, row.c, row.d, row.e]
            for row in self.tape
        ]
        return value


def opposite(side: Side) -> Side:
    """Return the other side.

    Examples
    --------
    >>> opposite("buy")
    'sell'
    """
    return "sell" if side == "buy" else "buy"
