"""What a system made of a session."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

__all__ = ["End", "Fill", "Look", "Result"]


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill, in units; ``liquidity`` says whether the order rested, or met one of the fund."""

    ts: int
    order: int
    side: Literal["buy", "sell"]
    quantity: int
    price: int
    fee: Decimal
    liquidity: Literal["maker", "taker", "none"]


@dataclass(frozen=True, slots=True)
class Look:
    """The account at a time: equity in the first currency, and what is held."""

    ts: int
    equity: Decimal
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class End:
    """How an order ended that did not fill whole: a word and, where there is one, a reason."""

    ts: int
    how: Literal["rejected", "cancelled", "expired"]
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """Fills in the order in which they came, looks at the account, and how orders ended."""

    fills: tuple[Fill, ...]
    looks: tuple[Look, ...]
    ends: dict[int, End] = field(default_factory=dict)
    stopped: bool = False
    version: str = ""
