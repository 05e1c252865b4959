"""The engine's orders and their names at venues."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from quantvista.trading.gateway import ClientOrderId, SubmitOrder, parse_client_order_id

__all__ = ["Orders", "submit_command"]

_OWNERS = 100_000


class Orders:
    """Client order ids: the fund, the epoch in which an order was made, the engine's number.

    Parameters
    ----------
    fund : str
        Name of the fund.
    epochs : sequence of (int, int)
        Each epoch with the number of its first order, ascending.
    owners : iterable of (int, int, int)
        Orders with the sleeves that they are of, and their instruments.
    """

    def __init__(
        self,
        fund: str,
        epochs: list[tuple[int, int]],
        owners: Iterable[tuple[int, int, int]] = (),
    ) -> None:
        self.fund = fund
        self.epochs = epochs
        # Many orders and few owners: each owner is there once.
        self._pairs: dict[tuple[int, int], tuple[int, int]] = {}
        self._owners: dict[int, tuple[int, int]] = {}
        for order, sleeve, at in owners:
            self.owned(order, sleeve, at)

    def client_id(self, order: int) -> str:
        """Name an order as venues know it."""
        place = bisect_right(self.epochs, order, key=lambda each: each[1]) - 1
        return str(ClientOrderId(self.fund, self.epochs[place][0], order))

    def number(self, client_id: str) -> int | None:
        """Find the order of a name; None if it is not of this fund, or was never made."""
        found = parse_client_order_id(client_id)
        if found is None or found.fund != self.fund or found.sequence < 1:
            return None
        return found.sequence if client_id == self.client_id(found.sequence) else None

    def is_ours(self, client_id: str) -> bool:
        """Whether a name is of this fund, whoever wrote it."""
        found = parse_client_order_id(client_id)
        return found is not None and found.fund == self.fund

    def owned(self, order: int, sleeve: int, instrument: int) -> None:
        """Remember whose an order is, and of what."""
        pair = sleeve, instrument
        self._owners[order] = self._pairs.setdefault(pair, pair)

    @property
    def is_full(self) -> bool:
        """Whether there are so many that old ones should be forgotten."""
        return len(self._owners) > _OWNERS

    def forget(self, working: Collection[int]) -> None:
        """Forget the oldest, a tenth; none that works, for it can still be filled or cancelled."""
        done = (order for order in self._owners if order not in working)
        for order in list(islice(done, _OWNERS // 10)):
            del self._owners[order]

    def owner(self, order: int | None) -> tuple[int, int] | None:
        """Sleeve and instrument of an order, if they are known."""
        return None if order is None else self._owners.get(order)

    def owners(self, count: int) -> list[tuple[int, int, int]]:
        """List the newest orders with their sleeves and instruments."""
        return [(order, *of) for order, of in list(self._owners.items())[-count:]]


def submit_command(order: Mapping[str, Any], client_id: str, instrument: str) -> SubmitOrder:
    """Write an order of the engine as venues take it."""
    names = (
        *("side", "quantity", "kind", "tif", "limit_price", "trigger_price", "trigger_by"),
        *("trail_amount", "trail_rate", "expire_at", "display_quantity"),
        *("post_only", "reduce_only"),
    )
    terms = {name: order[name] for name in names}
    return SubmitOrder(client_order_id=client_id, instrument=instrument, **terms)
