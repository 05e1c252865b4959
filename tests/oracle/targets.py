"""Layer 10: from targets to orders. ``docs/engine/bars.md``, section 3."""

from __future__ import annotations

from collections.abc import Sequence

from oracle.forms import Failure
from oracle.numbers import RATE_ONE
from oracle.states import States


class Targets(States):
    """Weights of a sleeve's equity become market orders."""

    def target_portfolio(self, sleeve: int, targets: Sequence[Sequence[int]]) -> None:
        for order in self.working():
            if order.working and order.sleeve == sleeve and order.origin == "target":
                self.end(order, "cancelled", "superseded")
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
