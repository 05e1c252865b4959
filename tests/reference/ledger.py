"""Double entry, per sleeve: every event's entries must sum to zero. Debits are positive."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

type Account = tuple[int, str] | tuple[int, str, int]
"""(sleeve, name), or (sleeve, "position", instrument)."""


@dataclass
class Ledger:
    """Balances of all accounts, and the quantity behind each position account."""

    balances: Counter[Account] = field(default_factory=Counter)
    quantities: Counter[tuple[int, int]] = field(default_factory=Counter)

    def post(self, entries: dict[Account, int]) -> None:
        """Book one event."""
        assert sum(entries.values()) == 0, f"entries do not balance: {entries}"
        for account, amount in entries.items():
            self.balances[account] += amount
        for account in entries:
            assert account[1] != "cash" or self.balances[account] >= 0, f"overdrawn: {entries}"

    def start(self, sleeve: int, cash: int) -> None:
        """Pay the capital of a sleeve in."""
        self.post({(sleeve, "cash"): cash, (sleeve, "capital"): -cash})

    def buy(self, sleeve: int, instrument: int, quantity: int, notional: int, fee: int) -> None:
        """Book a purchase: the position at what it cost, the fee apart."""
        self.quantities[sleeve, instrument] += quantity
        self.post(
            {
                (sleeve, "position", instrument): notional,
                (sleeve, "fees"): fee,
                (sleeve, "cash"): -(notional + fee),
            }
        )

    def sell(self, sleeve: int, instrument: int, quantity: int, notional: int, fee: int) -> None:
        """Book a sale: it relieves its share of the cost, rounded down; the last one the rest."""
        held = self.quantities[sleeve, instrument]
        assert quantity <= held, f"sleeve {sleeve} sells {quantity} of {held}"
        cost = self.balances[sleeve, "position", instrument]
        relieved = cost if quantity == held else math.floor(Fraction(cost * quantity, held))
        self.quantities[sleeve, instrument] -= quantity
        self.post(
            {
                (sleeve, "cash"): notional - fee,
                (sleeve, "fees"): fee,
                (sleeve, "position", instrument): -relieved,
                (sleeve, "realised"): -(notional - relieved),
            }
        )

    def cash(self, sleeve: int) -> int:
        """Cash of a sleeve."""
        return self.balances[sleeve, "cash"]

    def position(self, sleeve: int, instrument: int) -> int:
        """Quantity that a sleeve holds."""
        return self.quantities[sleeve, instrument]
