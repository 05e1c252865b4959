"""What the guard knows of the node, by what that said itself; no I/O, no clock."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

__all__ = ["NodeView"]


@dataclass(slots=True)
class NodeView:
    """What the node said last."""

    status: dict[str, Any] = field(default_factory=dict)
    heard_at: float | None = None
    skew_ns: int = 0
    journal: tuple[int, float] = (0, 0.0)
    journal_bytes: int = 0
    is_running: bool = False

    def hear(self, status: dict[str, Any], at: float, now_ns: int) -> None:
        """Take an answer; ``now_ns`` is the middle between question and answer."""
        self.status, self.heard_at = status, at
        self.skew_ns = int(status["now"]) - now_ns if "now" in status else 0
        tail = status.get("journal") or {}
        sequence = int(tail.get("sequence", 0))
        if sequence != self.journal[0]:
            self.journal = (sequence, at)
        self.journal_bytes = int(tail.get("bytes", 0))

    @property
    def epoch(self) -> int | None:
        """Of the node that answers."""
        found = self.status.get("epoch")
        return None if found is None else int(found)

    @property
    def health(self) -> str:
        """As it says itself."""
        return str(self.status.get("health", "unknown"))

    @property
    def positions(self) -> dict[str, Decimal]:
        """Over all sleeves, by instrument."""
        found: dict[str, Decimal] = {}
        for row in self.status.get("positions", ()):
            name = str(row["instrument"])
            found[name] = found.get(name, Decimal(0)) + Decimal(str(row["quantity"]))
        return {name: quantity for name, quantity in found.items() if quantity}

    @property
    def balances(self) -> dict[str, Decimal]:
        """Money by currency."""
        return {
            str(row["currency"]): Decimal(str(row["amount"]))
            for row in self.status.get("balances", ())
        }
