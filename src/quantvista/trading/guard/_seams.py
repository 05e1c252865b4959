"""What the guard stands on besides gateways and a clock; real ones live in thin shells."""

from dataclasses import dataclass
from typing import Any, Protocol

from quantvista.trading.guard._watch import Firm

__all__ = ["Halts", "NodeHandle", "Other", "Standing"]


class NodeHandle(Protocol):
    """The node's process, and its control socket."""

    async def ask(self, command: str, reason: str) -> dict[str, Any] | None:
        """Ask the node for something; None where there is no answer in time."""
        ...

    async def is_running(self) -> bool:
        """Say whether there is a process that may send orders."""
        ...

    async def kill(self) -> bool:
        """End it at once, and say whether it is gone."""
        ...

    async def tail(self) -> tuple[int, int] | None:
        """Read the last sequence of its journal and its size in bytes; None where neither is."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody ordered while nobody answered: ``reduce``, ``halt`` or ``flatten``."""

    command: str
    by: str
    reason: str


class Halts(Protocol):
    """Orders to halt that were left for us: ``state/run/halt.json``."""

    def read(self) -> Standing | None:
        """Read it; None if there is none."""
        ...

    def clear(self) -> None:
        """Take it away, as a person's ``resume`` does."""
        ...


class Other(Protocol):
    """The other funds of the firm."""

    async def firm(self) -> Firm | None:
        """Add them up; None where there are none."""
        ...
