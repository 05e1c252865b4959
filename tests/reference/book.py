"""The state of the fund, with the sums that the gate asks for, and the record of what happens.

Outputs are dictionaries, each with ``type`` and ``ts``::

    order_accepted, order_rejected   order_id, sleeve, instrument, side, quantity, order_type, tif,
                                     limit_price, from_target, reason (the rule, or "")
    verdict                          order_id, outcome, rule, figure | None, limit | None
    order_filled                     fill_id, order_id | None (settlement), sleeve, instrument,
                                     side, quantity, price, fee, slippage, kind
    order_cancelled, order_expired   order_id, reason
    cancel_rejected                  order_id
    bar_missed                       instrument
    instrument_settled               instrument, price | None
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from reference.ledger import Ledger
from reference.orders import Order
from reference.rules import Instrument, Rules

type Output = dict[str, Any]


@dataclass
class Book:
    """Ledger, marks and orders of one fund."""

    rules: Rules
    ledger: Ledger = field(default_factory=Ledger)
    marks: dict[int, int] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    orders: dict[int, Order] = field(default_factory=dict)
    perhaps_working: list[Order] = field(default_factory=list)
    """The orders that may still work, by id, so that finished ones are not looked at for ever."""
    now: int = 0
    fills: int = 0
    outputs: list[Output] = field(default_factory=list)

    def working(self) -> list[Order]:
        """Return the working orders by id."""
        self.perhaps_working = [order for order in self.perhaps_working if order.working]
        return self.perhaps_working

    def in_flight(self, side: str) -> list[Order]:
        """Working orders of one side."""
        return [order for order in self.working() if order.side == side]

    # What the gate asks.

    def sleeve_equity(self, sleeve: int) -> int:
        """Cash and positions at their marks."""
        value = sum(
            self.instrument(index).notional(self.ledger.position(sleeve, index), mark)
            for index, mark in self.marks.items()
        )
        return self.ledger.cash(sleeve) + value

    def equity(self) -> int:
        """Equity of the fund."""
        return sum(self.sleeve_equity(sleeve) for sleeve in range(len(self.rules.sleeves)))

    def exposure(self, index: int) -> int:
        """All that we hold of an instrument or have asked to buy, at the mark."""
        if index not in self.marks:
            return 0
        sleeves = range(len(self.rules.sleeves))
        held = sum(self.ledger.position(sleeve, index) for sleeve in sleeves)
        buys = sum(o.unfilled for o in self.in_flight("buy") if o.instrument == index)
        return self.instrument(index).notional(held + buys, self.marks[index])

    def available_cash(self, sleeve: int) -> int:
        """Cash less what working buys may need, plus what market sales bring at worst."""
        rules = self.rules
        reserved = expected = 0
        for order in self.working():
            if order.sleeve != sleeve:
                continue
            instrument = self.instrument(order.instrument)
            if order.side == "buy":
                price = order.reference_price
                reserved += instrument.notional(order.unfilled, price)
                reserved += rules.fee(instrument, order.unfilled, price)
            elif order.order_type == "market":
                worst = math.floor(rules.band_low(order.reference_price))
                proceeds = instrument.notional(order.unfilled, worst)
                expected += max(0, proceeds - rules.fee(instrument, order.unfilled, worst))
        return self.ledger.cash(sleeve) - reserved + expected

    def instrument(self, index: int) -> Instrument:
        """Return an instrument by its number."""
        return self.rules.instruments[index]

    # What is recorded.

    def emit(self, output: str, /, **fields: Any) -> None:  # noqa: ANN401 (outputs are JSON-like)
        """Record an output now."""
        self.outputs.append({"type": output, "ts": self.now, **fields})

    def verdict(
        self, order: Order, outcome: str, rule: str, figure: int | None, limit: int | None
    ) -> None:
        """Record what a rule said of an order."""
        self.emit(
            "verdict", order_id=order.id, outcome=outcome, rule=rule, figure=figure, limit=limit
        )

    def create(self, order: Order, status: str, reason: str = "") -> None:
        """Bring an order to life, or reject it at birth."""
        self.orders[order.id] = order
        self.perhaps_working.append(order)
        order.move(status, reason)
        order.reference_price = order.limit_price or self.marks.get(order.instrument, 0)
        self.emit(
            f"order_{status}",
            order_id=order.id,
            sleeve=order.sleeve,
            instrument=order.instrument,
            side=order.side,
            quantity=order.quantity,
            order_type=order.order_type,
            tif=order.tif,
            limit_price=order.limit_price,
            from_target=order.from_target,
            reason=reason,
        )

    def close(self, order: Order, status: str, reason: str) -> None:
        """Cancel or expire a working order."""
        order.move(status, reason)
        self.emit(f"order_{status}", order_id=order.id, reason=reason)

    def trade(self, order: Order, quantity: int, price: int, *, reference: int, kind: str) -> None:
        """Fill an order and book it."""
        instrument = self.instrument(order.instrument)
        fee = self.rules.fee(instrument, quantity, price) if kind == "trade" else 0
        order.fill(quantity)
        self._book(order.sleeve, instrument, order.side, quantity, price, fee)
        slippage = instrument.notional(quantity, abs(price - reference))
        self._emit_fill(
            order.id, order.sleeve, instrument, order.side, quantity, price, fee, slippage, kind
        )

    def settle(self, sleeve: int, instrument: Instrument) -> None:
        """Sell what a sleeve holds of an ended instrument at its last mark, free of charge."""
        quantity = self.ledger.position(sleeve, instrument.index)
        if quantity == 0:
            return
        mark = self.marks[instrument.index]
        self._book(sleeve, instrument, "sell", quantity, mark, 0)
        self._emit_fill(None, sleeve, instrument, "sell", quantity, mark, 0, 0, "settlement")

    def _book(
        self, sleeve: int, instrument: Instrument, side: str, quantity: int, price: int, fee: int
    ) -> None:
        post = self.ledger.buy if side == "buy" else self.ledger.sell
        post(sleeve, instrument.index, quantity, instrument.notional(quantity, price), fee)

    def _emit_fill(
        self,
        order_id: int | None,
        sleeve: int,
        instrument: Instrument,
        side: str,
        quantity: int,
        price: int,
        fee: int,
        slippage: int,
        kind: str,
    ) -> None:
        self.fills += 1
        self.emit(
            "order_filled",
            fill_id=self.fills,
            order_id=order_id,
            sleeve=sleeve,
            instrument=instrument.index,
            side=side,
            quantity=quantity,
            price=price,
            fee=fee,
            slippage=slippage,
            kind=kind,
        )
