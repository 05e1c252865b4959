"""Layer 10: from targets to orders. ``docs/engine/bars.md``, section 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oracle.forms import Failure
from oracle.numbers import RATE_ONE
from oracle.states import States
from oracle.terms import Order


class Targets(States):
    """Weights of a sleeve's equity become market orders."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.waiting: dict[int, Sequence[Sequence[int]]] = {}
        """Targets that wait for the end of orders at remote venues, by sleeve."""

    def target_portfolio(self, sleeve: int, targets: Sequence[Sequence[int]]) -> None:
        for order in self._of_targets(sleeve):
            if order.working:
                self.end(order, "cancelled", "superseded")
        self.waiting[sleeve] = targets
        self.apply_waiting(sleeve)

    def forget_targets(self) -> None:
        self.waiting.clear()

    def _of_targets(self, sleeve: int) -> list[Order]:
        return [o for o in self.working() if o.sleeve == sleeve and o.origin == "target"]

    def apply_waiting(self, sleeve: int) -> None:
        """Apply the targets of a sleeve, unless an order of those before them still works."""
        if sleeve not in self.waiting or self._of_targets(sleeve):
            return
        targets = self.waiting.pop(sleeve)
        equity = max(0, self.sleeve_equity(sleeve))
        deltas = {}
        for index, weight in sorted((index, weight) for index, weight in targets):
            delta = self._delta(sleeve, index, weight, equity)
            if delta:
                deltas[index] = delta
        sales = [(index, "sell", -delta) for index, delta in deltas.items() if delta < 0]
        buys = [(index, "buy", delta) for index, delta in deltas.items() if delta > 0]
        for index, side, quantity in sales + buys:
            self._send(sleeve, index, side, quantity)

    def _request(self, sleeve: int, index: int, side: str, quantity: int) -> dict[str, object]:
        return {
            "sleeve": sleeve,
            "instrument": index,
            "side": side,
            "quantity": quantity,
            "kind": "market",
            "tif": "day",
        }

    def _send(self, sleeve: int, index: int, side: str, quantity: int) -> None:
        order = self.make(self._request(sleeve, index, side, quantity), "target")
        failure = self.size(order)
        if failure is not None and failure.quantity == 0:
            self.reject(order, failure)
            return
        if failure is not None:
            order.quantity = failure.quantity
        self.accept(order, failure)
        self.come(order)

    def _refuse(self, sleeve: int, index: int, weight: int, failure: Failure) -> None:
        side = "buy" if weight > 0 else "sell"
        self.reject(self.make(self._request(sleeve, index, side, 0), "target"), failure)

    def _held(self, sleeve: int, index: int) -> int:
        """Position; of an exchange instrument the sleeve's balance in its base, in lots."""
        instrument = self.instruments[index]
        if instrument.base is None:
            return self.quantities[sleeve, index, 0]
        balance = self.money_of(sleeve, instrument.base)
        lot = instrument.base_money(instrument.lot_size)
        lots = abs(balance) // lot * instrument.lot_size
        return lots if balance >= 0 else -lots

    def _delta(self, sleeve: int, index: int, weight: int, equity: int) -> int:
        instrument = self.instruments[index]
        mark = self.marks.get(index)
        rule = ""
        if mark is None:
            rule = "no_price"
        elif index in self.ended or not instrument.listed(self.now):
            rule = "not_listed"
        elif mark == 0:
            rule = "no_price"
        elif self.rate(instrument.currency) is None:
            rule = "no_rate"
        if rule or mark is None:
            if weight:
                self._refuse(sleeve, index, weight, Failure(rule))
            return 0
        notional = instrument.notional(instrument.lot_size, abs(mark))
        a_lot = self.convert_up(notional, instrument.currency)
        lots = abs(weight) * equity // (RATE_ONE * a_lot)
        sign = 1 if weight > 0 else -1
        delta = sign * lots * instrument.lot_size - self._held(sleeve, index)
        if weight and lots == 0 and delta == 0:
            wanted = abs(weight) * equity // RATE_ONE
            self._refuse(sleeve, index, weight, Failure("lot", {"money": wanted}, {"money": a_lot}))
        return delta
