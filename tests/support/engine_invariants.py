"""What must hold in every session, whatever the rules say in detail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from oracle import Oracle
from oracle.books import ACCOUNTS, Line
from quantvista._native import RawEngine

type Record = Mapping[str, Any]

COMMANDS = (
    "target_portfolio",
    "submit_order",
    "submit_list",
    "amend_order",
    "replace_order",
    "cancel_order",
)


class Watch:
    """Follows an engine from outside; `step` after every input."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.cash_only = oracle.account["kind"] == "cash"
        self.positions: Counter[Line] = Counter()
        self.flagged: set[int] = set()
        self.lines: dict[int, Line] = {}
        self.fund_active = True
        self.sleeves_on: dict[int, bool] = {}
        self.figures = self._figures()

    def step(self, input: Record, outputs: Sequence[Record], engine: RawEngine) -> None:
        """Look at the outputs of one input, and at the state after it."""
        filled = False
        for output in outputs:
            ((name, body),) = output.items()
            if name == "order_filled":
                filled = True
                self._fill(body)
            else:
                self._tell(name, body)
        self.positions = Counter(self.oracle.quantities)
        self._balances(engine)
        after = self._figures()
        if next(iter(input["event"])) in COMMANDS and not filled:
            for name, (figure, most) in after.items():
                if most is None:
                    continue
                before = self.figures.get(name, (0, None))[0]
                assert figure <= max(most, before), f"{name}: {before} to {figure}, limit {most}"
        self.figures = after

    # Reduce-only.

    def _tell(self, name: str, body: Record) -> None:
        if name in ("order_accepted", "order_submitted", "order_held"):
            self._order(body)
        elif name == "order_amended":
            self._order(body["order"])
        elif name == "state_changed":
            self.fund_active = body["state"] == "active"
        elif name == "sleeve_changed":
            self.sleeves_on[body["sleeve"]] = body["state"] == "on"

    def _order(self, order: Record) -> None:
        leg = 1 if order["leg"] == "short" else 0
        self.lines[order["id"]] = (order["sleeve"], order["instrument"], leg)
        closes = (order["leg"], order["side"]) in (("long", "sell"), ("short", "buy"))
        if order["reduce_only"] or closes:
            self.flagged.add(order["id"])

    def _fill(self, fill: Record) -> None:
        line = (fill["sleeve"], fill["instrument"], fill["leg"])
        if self.oracle.instruments[line[1]].is_exchange:
            return
        before = self.positions[line]
        after = before + (fill["quantity"] if fill["side"] == "buy" else -fill["quantity"])
        self.positions[line] = after
        if fill["order"] is None:
            return
        free = self.fund_active and self.sleeves_on.get(fill["sleeve"], True)
        if fill["order"] in self.flagged or not free:
            assert abs(after) < abs(before), f"enlarged: {before} to {after} by {fill}"
            assert before * after >= 0, f"flipped: {before} to {after} by {fill}"

    # Money.

    def _balances(self, engine: RawEngine) -> None:
        oracle = self.oracle
        for sleeve in range(len(oracle.sleeves)):
            for currency in range(len(oracle.currencies)):
                found = {name: engine.balance(sleeve, name, currency) for name in ACCOUNTS}
                costs = sum(
                    engine.cost(sleeve, each.index)
                    for each in oracle.instruments
                    if each.currency == currency
                )
                assert sum(found.values()) + costs == 0, f"out of balance: {found}, {costs}"
                if self.cash_only:
                    assert found["cash"] >= 0, f"overdrawn: {found}"
                    assert found["cash"] + found["unsettled"] >= 0, f"overdrawn: {found}"

    # Limits.

    def _figures(self) -> dict[str, tuple[int, int | None]]:
        """Figures with everything in flight, and their limits."""
        oracle = self.oracle
        sums = oracle.sums()
        share = oracle.share(oracle.limit("weight_max"))
        figures: dict[str, tuple[int, int | None]] = {
            "gross": (oracle.gross_of(sums.rows), oracle.share(oracle.limit("gross_max"))),
            "leverage": (
                oracle.lines_value(sums.lines),
                oracle.share(oracle.limit("leverage_max")),
            ),
        }
        for row, bounds in sums.rows.items():
            value = oracle.worst_value(row, bounds)
            figures[f"position {row}"] = (value, oracle.limit("position_max"))
            figures[f"concentration {row}"] = (value, share)
        for sector in {each.sector for each in oracle.instruments}:
            most = oracle.share(oracle.limit("sector_max"))
            figures[f"sector {sector}"] = (oracle.gross_of(sums.rows, sector), most)
        for sleeve in range(len(oracle.sleeves)):
            figures[f"sleeve {sleeve} gross"] = (
                oracle.lines_value(sums.lines, sleeve),
                oracle.sleeve_share(sleeve, "gross_max"),
            )
        return figures
