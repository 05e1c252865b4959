"""Commands to a venue, in whole units of the instrument's precision."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = [
    "AmendOrder",
    "CancelOrder",
    "ClientOrderId",
    "SubmitOrder",
    "parse_client_order_id",
]

type Side = Literal["buy", "sell"]

_FORM = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,39})-([1-9][0-9]{0,9})-([0-9]{6,15})")


class ClientOrderId(NamedTuple):
    """Who sent an order: the fund, its epoch, and a number in it.

    Two writers of one fund have different epochs, so that no id is ever used twice, and an order
    that is sent again is recognisably the same.

    Examples
    --------
    >>> str(ClientOrderId("demo", 3, 17))
    'demo-3-000017'
    """

    fund: str
    epoch: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.fund}-{self.epoch}-{self.sequence:06d}"


def parse_client_order_id(text: str) -> ClientOrderId | None:
    """Read a client order id; None if it is not one of ours.

    Examples
    --------
    >>> parse_client_order_id("my-fund-3-000017").sequence
    17
    >>> parse_client_order_id("@manual-1") is None
    True
    """
    found = _FORM.fullmatch(text)
    return ClientOrderId(found[1], int(found[2]), int(found[3])) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrder:
    """Send an order.

    Parameters
    ----------
    client_order_id : str
        As `ClientOrderId` writes it. The same id with the same terms is the same order; with
        other terms it is refused.
    instrument : str
        Its permanent id.
    side : {"buy", "sell"}
        Of the order.
    quantity : int
        In units of the instrument's quantity precision.
    kind, tif : str
        As the engine names them: ``market``, ``limit``, ``stop`` ...; ``gtc``, ``ioc`` ...
    limit_price, trigger_price : int or None
        In units of the price precision.
    trigger_by : str or None
        Which price is watched: ``last``, ``bid``, ``ask`` or ``mark``; None for the venue's own.
    trail_amount, trail_rate : int or None
        How far a trailing stop follows: in price units, or as a share in 1e-9.
    expire_at : int or None
        UTC nanoseconds, for ``gtd``.
    display_quantity : int or None
        What an iceberg shows.
    post_only, reduce_only : bool
        Never take; never open.
    """

    client_order_id: str
    instrument: str
    side: Side
    quantity: int
    kind: str = "market"
    tif: str = "gtc"
    limit_price: int | None = None
    trigger_price: int | None = None
    trigger_by: str | None = None
    trail_amount: int | None = None
    trail_rate: int | None = None
    expire_at: int | None = None
    display_quantity: int | None = None
    post_only: bool = False
    reduce_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel a working order."""

    client_order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendOrder:
    """Change a working order; what is None stays.

    ``quantity`` is the whole one, what is filled included.
    """

    client_order_id: str
    quantity: int | None = None
    limit_price: int | None = None
    trigger_price: int | None = None
    trail_amount: int | None = None
    trail_rate: int | None = None
    expire_at: int | None = None
