"""Engine and oracle, one flat record at a time, for tests of bars in a cash account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from oracle import Oracle
from quantvista._native import RawEngine
from support.engine_records import engine_config, from_engine, to_engine


@dataclass
class State:
    """What the outputs have said of an order."""

    quantity: int
    status: str
    filled: int = 0
    reason: str = ""


class Machine(Protocol):
    """What engine and oracle have in common."""

    def apply(self, record: Mapping[str, Any], /) -> list[dict[str, Any]]: ...
    def cash(self, sleeve: int) -> int: ...
    def balance(self, sleeve: int, account: str) -> int: ...
    def position(self, sleeve: int, instrument: int) -> int: ...
    def cost(self, sleeve: int, instrument: int) -> int: ...
    def sleeve_equity(self, sleeve: int) -> int: ...
    def equity(self) -> int: ...


class OracleMachine:
    """The oracle's balances, asked for as the engine's are."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.oracle = Oracle(config)
        self.apply = self.oracle.apply
        self.sleeve_equity = self.oracle.sleeve_equity
        self.equity = self.oracle.equity

    def cash(self, sleeve: int) -> int:
        return self.balance(sleeve, "cash")

    def balance(self, sleeve: int, account: str) -> int:
        return self.oracle.balances[sleeve, 0, account]

    def position(self, sleeve: int, instrument: int) -> int:
        return self.oracle.quantities[sleeve, instrument, 0]

    def cost(self, sleeve: int, instrument: int) -> int:
        return self.oracle.costs[sleeve, instrument, 0]


class Adapter:
    """An ``Implementation``; orders are followed through the outputs, as a user would."""

    def __init__(self, machine: Machine) -> None:
        self.engine = machine
        self.orders: dict[int, State] = {}

    def apply(self, input: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take one input; return its outputs in order."""
        outputs = [from_engine(output) for output in self.engine.apply(to_engine(input))]
        for output in outputs:
            match output["type"]:
                case "order_accepted":
                    output["reason"] = ""
                    self.orders[output["order_id"]] = State(output["quantity"], "accepted")
                case "order_rejected":
                    output["reason"] = rule = output.pop("rule")
                    state = State(output["quantity"], "rejected", reason=rule)
                    self.orders[output["order_id"]] = state
                case "order_filled" if output["order_id"] is not None:
                    state = self.orders[output["order_id"]]
                    state.filled += output["quantity"]
                    whole = state.filled == state.quantity
                    state.status = "filled" if whole else "partially_filled"
                case "order_cancelled" | "order_expired":
                    state = self.orders[output["order_id"]]
                    state.status = output["type"].removeprefix("order_")
                    state.reason = output["reason"]
        return outputs

    def cash(self, sleeve: int) -> int:
        """Cash of a sleeve."""
        return int(self.engine.cash(sleeve))

    def position(self, sleeve: int, instrument: int) -> int:
        """Quantity that a sleeve holds."""
        return int(self.engine.position(sleeve, instrument))

    def cost(self, sleeve: int, instrument: int) -> int:
        """What that position cost."""
        return int(self.engine.cost(sleeve, instrument))

    def fees(self, sleeve: int) -> int:
        """Fees paid by a sleeve."""
        return int(self.engine.balance(sleeve, "fees"))

    def realised(self, sleeve: int) -> int:
        """Gains realised by a sleeve: the engine gives the balance, where a gain is a credit."""
        return -int(self.engine.balance(sleeve, "realised"))

    def sleeve_equity(self, sleeve: int) -> int:
        """Equity of a sleeve."""
        return int(self.engine.sleeve_equity(sleeve))

    def equity(self) -> int:
        """Equity of the fund."""
        return int(self.engine.equity())


class EngineAdapter(Adapter):
    """The engine."""

    engine: RawEngine

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(RawEngine(engine_config(config)))


class OracleAdapter(Adapter):
    """The oracle."""

    engine: OracleMachine

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(OracleMachine(engine_config(config)))
