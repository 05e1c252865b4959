"""What must hold in every session, whatever the rules say in detail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from oracle import Oracle
from oracle.books import ACCOUNTS, Line
from quantvista._native import RawEngine
from support.engine_figures import figures_of

type Record = Mapping[str, Any]

COMMANDS = (
    "target_portfolio",
    "submit_order",
    "submit_list",
    "amend_order",
    "replace_order",
    "cancel_order",
)

WATCHED = (
    "locate",
    "margin",
    "position",
    "concentration",
    "sleeve_concentration",
    "sector",
    "gross",
    "sleeve_gross",
    "leverage",
    "net",
    "value_at_risk",
    "incremental_value_at_risk",
)
"""Rules whose figures no command may take beyond their limits."""

FREE = ("net", "locate", "margin", "value_at_risk", "incremental_value_at_risk")
"""Figures that an order which reduces its sleeve's position may raise (gate.md, 2)."""

OF_CURRENCIES = (
    *("gross", "net", "position", "concentration"),
    *("value_at_risk", "incremental_value_at_risk"),
)
"""Figures in which the balance of a currency may stand."""


class Watch:
    """Follows an engine from outside; `step` after every input."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.remote = any(oracle.is_remote(each) for each in oracle.instruments)
        self.cash_only = oracle.account["kind"] == "cash" and not self.remote
        self.positions: Counter[Line] = Counter()
        self.held: dict[Line, list[int]] = {}
        """What positions have been within the input at hand."""
        self.flagged: set[int] = set()
        self.lines: dict[int, Line] = {}
        self.fund_active = True
        self.sleeves_on: dict[int, bool] = {}
        self.moves_currencies = any(each.base is not None for each in oracle.instruments)
        self.figures = figures_of(oracle)
        self.raised: Counter[str] = Counter()
        """How often a command raised a figure that has a limit, by the rule of the limit."""

    def step(self, input: Record, outputs: Sequence[Record], engine: RawEngine) -> None:
        """Look at the outputs of one input, and at the state after it."""
        self.held = {line: [quantity] for line, quantity in self.positions.items()}
        for output in outputs:
            ((name, body),) = output.items()
            if name == "order_filled":
                self._fill(body)
            else:
                self._tell(name, body)
        self.positions = Counter(self.oracle.quantities)
        self._balances(engine)
        self._limits(input, outputs)
        if self.remote:
            self._outside(input, outputs)

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
        base = self.oracle.instruments[line[1]].base
        if base is not None:
            simulated = not self.oracle.is_remote(self.oracle.instruments[line[1]])
            if simulated and fill["order"] in self.flagged and fill["side"] == "sell":
                left = self.oracle.money_of(fill["sleeve"], base)
                assert left >= 0, f"more was sold than there was: {left} by {fill}"
            return
        before = self.positions[line]
        after = before + (fill["quantity"] if fill["side"] == "buy" else -fill["quantity"])
        self.positions[line] = after
        self.held.setdefault(line, []).append(after)
        if fill["order"] is None or self.oracle.is_remote(self.oracle.instruments[line[1]]):
            return
        free = self.fund_active and self.sleeves_on.get(fill["sleeve"], True)
        if fill["order"] in self.flagged or not free:
            assert abs(after) < abs(before), f"enlarged: {before} to {after} by {fill}"
            assert before * after >= 0, f"flipped: {before} to {after} by {fill}"

    # Venues outside.

    def _outside(self, input: Record, outputs: Sequence[Record]) -> None:
        """Nothing but a report ends or fills an order there; a trade leaves no excess unasked."""
        reported = "report" in input["event"]
        for output in outputs:
            ((name, body),) = output.items()
            if reported or name not in ("order_filled", "order_cancelled", "order_expired"):
                continue
            order = self.oracle.orders.get(body["order"])
            assert order is None or not order.remote, f"moved without a report: {output}"
        told = next(iter(input["event"]["report"].values())) if reported else {}
        if "trade" not in told or not any("order_filled" in output for output in outputs):
            return
        line = (told["sleeve"], told["instrument"], int(told["leg"] == "short"))
        if self.oracle.instruments[line[1]].base is not None:
            return
        for side, held in (("buy", -self.positions[line]), ("sell", self.positions[line])):
            free = sum(
                order.quantity - order.filled
                for order in self.oracle.orders.values()
                if order.id in self.flagged and order.working and order.asked is None
                if order.side == side and self.lines[order.id] == line
            )
            assert free <= max(0, held), f"{free} may close {held} of {line} unasked"

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

    def _limits(self, input: Record, outputs: Sequence[Record]) -> None:
        """No command crosses a limit, or worsens what is beyond one, whatever then fills."""
        before, self.figures = self.figures, figures_of(self.oracle)
        if next(iter(input["event"])) not in COMMANDS:
            return
        reduces = any(self._reduces(output) for output in outputs)
        filled = any("order_filled" in output for output in outputs)
        for name, (figure, most) in self.figures.items():
            if most is None or name not in before:
                continue
            kind = name.split()[0]
            if reduces and kind in FREE:
                continue
            if filled and (kind == "margin" or (self.moves_currencies and kind in OF_CURRENCIES)):
                # A price and a fee that nobody knew before have become money.
                continue
            # Fees and slippage lower equity, and with it the limits.
            limits = [most, *([before[name][1] or 0] if filled else [])]
            bound = max(*limits, before[name][0])
            if kind == "incremental_value_at_risk":
                # Each order may add a step.
                bound = before[name][0] + max(limits) * sum(map(_is_taken, outputs))
            self.raised[kind] += figure > before[name][0]
            assert figure <= bound, f"{name}: {before[name]} to {figure}, limit {most}"

    def _reduces(self, output: Record) -> bool:
        """Say whether an order came or changed that was, then, against its position."""
        ((name, body),) = output.items()
        order = body.get("order") if name == "order_amended" else body
        if name not in ("order_accepted", "order_submitted", "order_amended"):
            return False
        instrument = self.oracle.instruments[order["instrument"]]
        buys = order["side"] == "buy"
        if instrument.base is not None:
            return bool(instrument.base == 0 if buys else instrument.currency == 0)
        line = (order["sleeve"], order["instrument"], int(order["leg"] == "short"))
        held = self.held.get(line, [])
        return any(position < 0 if buys else position > 0 for position in held)


def _is_taken(output: Record) -> bool:
    """Say whether it is a verdict that lets an order, or more of one, through."""
    verdict = output.get("verdict")
    return verdict is not None and verdict["outcome"] in ("accepted", "cut")
