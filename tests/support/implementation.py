"""What a simulator must offer to be compared; the adapters of engine and oracle do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class OrderState(Protocol):
    """The end of an order's story so far."""

    @property
    def status(self) -> str:
        """State of the order."""
        ...

    @property
    def filled(self) -> int:
        """Quantity filled, crosses too."""
        ...

    @property
    def reason(self) -> str:
        """Why it was rejected, cancelled or expired; else of no matter."""
        ...


class Implementation(Protocol):
    """A simulator of one fund; inputs and outputs as in ``support.engine_records``."""

    def apply(self, input: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take one input; return its outputs in order."""
        ...

    def cash(self, sleeve: int) -> int:
        """Cash of a sleeve."""
        ...

    def position(self, sleeve: int, instrument: int) -> int:
        """Quantity that a sleeve holds."""
        ...

    def cost(self, sleeve: int, instrument: int) -> int:
        """What that position cost."""
        ...

    def fees(self, sleeve: int) -> int:
        """Fees paid by a sleeve."""
        ...

    def realised(self, sleeve: int) -> int:
        """Gains realised by a sleeve."""
        ...

    def sleeve_equity(self, sleeve: int) -> int:
        """Equity of a sleeve."""
        ...

    def equity(self) -> int:
        """Equity of the fund."""
        ...

    @property
    def orders(self) -> Mapping[int, OrderState]:
        """All orders by id."""
        ...


def balances(simulator: Implementation, config: Mapping[str, Any]) -> dict[str, int]:
    """Read every balance of a simulator, by a name that a failing test can show."""
    found = {"equity": simulator.equity()}
    for sleeve, name in enumerate(config["sleeves"]):
        found[f"{name} cash"] = simulator.cash(sleeve)
        found[f"{name} fees"] = simulator.fees(sleeve)
        found[f"{name} realised"] = simulator.realised(sleeve)
        found[f"{name} equity"] = simulator.sleeve_equity(sleeve)
        for index, instrument in enumerate(config["instruments"]):
            found[f"{name} {instrument['id']} position"] = simulator.position(sleeve, index)
            found[f"{name} {instrument['id']} cost"] = simulator.cost(sleeve, index)
    return found
