"""The reference simulator: inputs in, outputs out.

Inputs are dictionaries with ``type``, ``ts``, ``source`` and ``sequence``, and::

    bar                 instrument, open | None, high | None, low | None, close, volume | None
    bar_missing         instrument
    barrier             session_start, session_end
    instrument_ended    instrument
    target_portfolio    sleeve, targets [(instrument, weight_e9), ...]
    submit_order        sleeve, instrument, side, quantity, order_type, tif, limit_price | None
    cancel_order        order_id

Instruments and sleeves are numbered from zero. ``reference.rules`` shows the configuration,
``reference.book`` the outputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from reference.book import Book, Output
from reference.gate import judge, size
from reference.matching import Bar, Barrier
from reference.orders import Order
from reference.rules import RATE_ONE, ReferenceInputError, Rules, share_of

CLASSES = {
    "instrument_ended": 1,
    "bar": 2,
    "bar_missing": 2,
    "barrier": 3,
    "target_portfolio": 4,
    "submit_order": 5,
    "cancel_order": 5,
}
"""Class of each input, the second part of the canonical order."""

type Input = Mapping[str, Any]


class Reference:
    """One fund from its start on."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.rules = Rules.of(config)
        self.book = Book(self.rules)
        self.bars: dict[int, Bar] = {}
        self.bars_missing = 0
        self._last: tuple[int, int, int, int] | None = None
        for sleeve, cash in enumerate(self.rules.cash):
            self.book.ledger.start(sleeve, cash)

    def apply(self, input: Input) -> list[Output]:
        """Take one input; return what it brought about, in order."""
        kind = input["type"]
        self._check_order(input)
        self.book.now = input["ts"]
        self.book.outputs = []
        match kind:
            case "bar":
                self._bar(input)
            case "bar_missing":
                self.bars_missing += 1
                self.book.emit("bar_missed", instrument=input["instrument"])
            case "barrier":
                bars, self.bars = self.bars, {}
                Barrier(self.book, bars, input["session_start"], input["session_end"]).run()
            case "instrument_ended":
                self._end_instrument(input["instrument"])
            case "target_portfolio":
                self._target(input["sleeve"], [(i, w) for i, w in input["targets"]])
            case "submit_order":
                self._submit(input)
            case "cancel_order":
                self._cancel(input["order_id"])
        return self.book.outputs

    # What can be read.

    @property
    def orders(self) -> dict[int, Order]:
        """All orders by id, rejected ones too."""
        return self.book.orders

    def cash(self, sleeve: int) -> int:
        """Cash of a sleeve."""
        return self.book.ledger.cash(sleeve)

    def position(self, sleeve: int, instrument: int) -> int:
        """Quantity that a sleeve holds."""
        return self.book.ledger.position(sleeve, instrument)

    def cost(self, sleeve: int, instrument: int) -> int:
        """What a sleeve's position cost, fees apart."""
        return self.book.ledger.balances[sleeve, "position", instrument]

    def fees(self, sleeve: int) -> int:
        """Fees that a sleeve has paid."""
        return self.book.ledger.balances[sleeve, "fees"]

    def realised(self, sleeve: int) -> int:
        """Gains that a sleeve has realised, fees apart; a loss is negative."""
        return -self.book.ledger.balances[sleeve, "realised"]

    def sleeve_equity(self, sleeve: int) -> int:
        """Cash and positions of a sleeve at their marks."""
        return self.book.sleeve_equity(sleeve)

    def equity(self) -> int:
        """Equity of the fund."""
        return self.book.equity()

    # Section 2.

    def _check_order(self, input: Input) -> None:
        rank = CLASSES[input["type"]]
        key = (input["ts"], rank, input["source"], input["sequence"])
        if self._last is not None and key <= self._last:
            raise ReferenceInputError(f"out of order: {key} after {self._last}")
        if self.bars and (key[0] > self.book.now or rank > CLASSES["barrier"]):
            raise ReferenceInputError(f"bars wait for their barrier; found {dict(input)}")
        self._last = key

    def _bar(self, input: Input) -> None:
        index = input["instrument"]
        instrument = self.rules.instruments[index]
        bar = Bar(*(input[name] for name in ("open", "high", "low", "close", "volume")))
        if index in self.bars or index in self.book.ended:
            raise ReferenceInputError(f"a bar too many for {instrument.id}")
        if self.rules.venue.participation_max is not None and bar.volume is None:
            raise ReferenceInputError(f"a bar of {instrument.id} without volume")
        path = (bar.open, bar.high, bar.low)
        if instrument.close_only:
            if path != (None, None, None):
                raise ReferenceInputError(f"{instrument.id} has only closes")
        elif bar.open is None or bar.high is None or bar.low is None:
            raise ReferenceInputError(f"{instrument.id} needs open, high and low")
        elif not (0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high):
            raise ReferenceInputError(f"impossible bar for {instrument.id}: {bar}")
        if bar.close <= 0:
            raise ReferenceInputError(f"impossible bar for {instrument.id}: {bar}")
        self.bars[index] = bar
        self.book.marks[index] = bar.close

    def _end_instrument(self, index: int) -> None:
        book = self.book
        if index in book.ended:
            raise ReferenceInputError(f"{self.rules.instruments[index].id} ended before")
        for order in book.working():
            if order.instrument == index:
                book.close(order, "cancelled", "instrument_ended")
        for sleeve in range(len(self.rules.sleeves)):
            book.settle(sleeve, self.rules.instruments[index])
        book.ended.add(index)
        book.emit("instrument_settled", instrument=index, price=book.marks.get(index))

    def _cancel(self, order_id: int) -> None:
        order = self.book.orders.get(order_id)
        if order is not None and order.working:
            self.book.close(order, "cancelled", "requested")
        else:
            self.book.emit("cancel_rejected", order_id=order_id)

    # Section 3.

    def _target(self, sleeve: int, targets: list[tuple[int, int]]) -> None:
        book = self.book
        if len({index for index, _ in targets}) < len(targets):
            raise ReferenceInputError(f"an instrument named twice: {targets}")
        for order in book.working():
            if order.sleeve == sleeve and order.from_target:
                book.close(order, "cancelled", "superseded")
        equity = max(0, book.sleeve_equity(sleeve))
        deltas = {}
        for index, weight in sorted(targets):
            delta = self._delta(sleeve, index, weight, equity)
            if delta:
                deltas[index] = delta
        sales = [(index, "sell", -delta) for index, delta in deltas.items() if delta < 0]
        buys = [(index, "buy", delta) for index, delta in deltas.items() if delta > 0]
        for index, side, quantity in sales + buys:
            order = self._target_order(sleeve, index, side, quantity)
            failure = size(book, order)
            if failure is None:
                book.create(order, "accepted")
                book.verdict(order, "accepted", "all", None, None)
            elif failure.quantity == 0:
                book.create(order, "rejected", failure.rule)
                book.verdict(order, "rejected", failure.rule, failure.figure, failure.limit)
            else:
                order.quantity = failure.quantity
                book.create(order, "accepted")
                book.verdict(order, "cut", failure.rule, failure.figure, failure.limit)

    def _delta(self, sleeve: int, index: int, weight: int, equity: int) -> int:
        """Quantity to trade towards a weight; what cannot be traded is rejected here."""
        book, instrument = self.book, self.rules.instruments[index]
        side = "buy" if weight > 0 else "sell"
        mark = book.marks.get(index)
        if mark is None or index in book.ended or not instrument.listed(book.now):
            if weight != 0:
                rule = "no_price" if mark is None else "not_listed"
                order = self._target_order(sleeve, index, side, 0)
                book.create(order, "rejected", rule)
                book.verdict(order, "rejected", rule, None, None)
            return 0
        one_lot = instrument.notional(instrument.lot_size, mark)
        lots = math.floor(Fraction(abs(weight) * equity, RATE_ONE * one_lot))
        desired = lots * instrument.lot_size * (1 if weight > 0 else -1)
        delta = desired - book.ledger.position(sleeve, index)
        if weight != 0 and lots == 0 and delta == 0:
            order = self._target_order(sleeve, index, side, 0)
            book.create(order, "rejected", "lot")
            book.verdict(order, "rejected", "lot", share_of(abs(weight), equity), one_lot)
        return delta

    def _target_order(self, sleeve: int, index: int, side: str, quantity: int) -> Order:
        return Order(
            id=len(self.book.orders) + 1,
            ts=self.book.now,
            sleeve=sleeve,
            instrument=index,
            side=side,
            quantity=quantity,
            order_type="market",
            tif="day",
            limit_price=None,
            from_target=True,
        )

    # Section 4.

    def _submit(self, input: Input) -> None:
        book = self.book
        fields = ("sleeve", "instrument", "side", "quantity", "order_type", "tif", "limit_price")
        order = Order(
            id=len(book.orders) + 1,
            ts=book.now,
            from_target=False,
            **{name: input[name] for name in fields},
        )
        failure = judge(book, order)
        if failure is None:
            book.create(order, "accepted")
            book.verdict(order, "accepted", "all", None, None)
        else:
            book.create(order, "rejected", failure.rule)
            book.verdict(order, "rejected", failure.rule, failure.figure, failure.limit)
