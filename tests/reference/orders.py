"""An order, and the states that it may go through."""

from __future__ import annotations

from dataclasses import dataclass

TRANSITIONS = {
    "new": {"accepted", "rejected"},
    "accepted": {"partially_filled", "filled", "cancelled", "expired"},
    "partially_filled": {"partially_filled", "filled", "cancelled", "expired"},
    "filled": set[str](),
    "cancelled": set[str](),
    "expired": set[str](),
    "rejected": set[str](),
}


@dataclass
class Order:
    """One order; ``reference_price`` is the document's P, fixed when the order is accepted."""

    id: int
    ts: int
    sleeve: int
    instrument: int
    side: str
    quantity: int
    order_type: str
    tif: str
    limit_price: int | None
    from_target: bool
    reference_price: int = 0
    status: str = "new"
    filled: int = 0
    reason: str = ""
    due: bool = False

    @property
    def working(self) -> bool:
        """Whether it can still fill."""
        return self.status in ("accepted", "partially_filled")

    @property
    def unfilled(self) -> int:
        """Quantity left."""
        return self.quantity - self.filled

    @property
    def rank(self) -> tuple[int, int]:
        """Sleeve, then order id: the order of cash, allocation and fills within a group."""
        return (self.sleeve, self.id)

    def move(self, status: str, reason: str = "") -> None:
        """Change the state, legally."""
        assert status in TRANSITIONS[self.status], f"order {self.id}: {self.status} to {status}"
        self.status = status
        self.reason = reason

    def fill(self, quantity: int) -> None:
        """Take a fill."""
        assert 0 < quantity <= self.unfilled, f"order {self.id} overfilled by {quantity}"
        self.filled += quantity
        self.move("partially_filled" if self.unfilled else "filled", self.reason)
