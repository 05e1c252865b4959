"""What must hold in every run, worked out again from inputs and outputs alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from support.implementation import Implementation

NEXT = {
    "order_accepted": {"order_filled", "order_cancelled", "order_expired"},
    "order_filled": {"order_filled", "order_cancelled", "order_expired"},
    "order_cancelled": set[str](),
    "order_expired": set[str](),
    "order_rejected": set[str](),
}
"""Which event of an order may follow which."""

type Message = Mapping[str, Any]


class Audit:
    """Follows a run from outside; ``step`` after every input, ``finish`` at the end."""

    def __init__(self, config: Message) -> None:
        self.config = config
        self.instruments = config["instruments"]
        self.cash = list(config["cash"])
        self.positions: Counter[tuple[int, int]] = Counter()
        self.fees: Counter[int] = Counter()
        self.marks: dict[int, int] = {}
        self.orders: dict[int, Message] = {}
        self.last_event: dict[int, str] = {}
        self.filled: Counter[int] = Counter()
        self.verdicts: Counter[int] = Counter()
        self.bars: dict[int, Message] = {}
        self.fills = 0

    def step(self, input: Message, outputs: list[dict[str, Any]], engine: Implementation) -> None:
        """Check the outputs of one input, and the balances after it."""
        if input["type"] == "bar":
            self.marks[input["instrument"]] = input["close"]
            self.bars[input["instrument"]] = input
        for output in outputs:
            assert output["ts"] == input["ts"]
            if output["type"] == "verdict":
                self.verdicts[output["order_id"]] += 1
            if not output["type"].startswith("order_"):
                continue
            self._order_event(output)
            if output["type"] == "order_filled":
                self._fill(output)
        if input["type"] == "barrier":
            self._crosses(outputs)
            self._volume(outputs)
            self.bars = {}
        if input["type"] in ("barrier", "instrument_ended"):
            self._balances(engine)

    def finish(self, engine: Implementation) -> None:
        """Check the orders at the end of a run."""
        assert sorted(self.orders) == list(range(1, len(self.orders) + 1))
        assert sorted(engine.orders) == sorted(self.orders)
        for order_id, order in self.orders.items():
            assert self.verdicts[order_id] >= 1
            state, last = engine.orders[order_id], self.last_event[order_id]
            assert state.filled == self.filled[order_id] <= max(0, order["quantity"])
            if last == "order_filled":
                whole = state.filled == order["quantity"]
                assert state.status == ("filled" if whole else "partially_filled")
            else:
                assert state.status == last.removeprefix("order_")

    def _order_event(self, output: Message) -> None:
        order_id, kind = output["order_id"], output["type"]
        if order_id is None:
            assert output["kind"] == "settlement"
            return
        if order_id not in self.orders:
            assert kind in ("order_accepted", "order_rejected")
            assert order_id == len(self.orders) + 1
            self.orders[order_id] = output
        else:
            assert kind in NEXT[self.last_event[order_id]]
            assert self.filled[order_id] < self.orders[order_id]["quantity"]
        self.last_event[order_id] = kind

    def _fill(self, fill: Message) -> None:
        self.fills += 1
        assert fill["fill_id"] == self.fills
        sleeve, index, quantity = fill["sleeve"], fill["instrument"], fill["quantity"]
        instrument = self.instruments[index]
        assert quantity > 0
        assert quantity % instrument["lot_size"] == 0
        assert fill["price"] > 0
        assert fill["fee"] >= 0
        assert fill["slippage"] >= 0
        if fill["kind"] != "trade":
            assert fill["fee"] == fill["slippage"] == 0
        notional = self._notional(index, quantity, fill["price"])
        sign = 1 if fill["side"] == "buy" else -1
        self.cash[sleeve] -= sign * notional + fill["fee"]
        self.positions[sleeve, index] += sign * quantity
        self.fees[sleeve] += fill["fee"]
        order = self.orders.get(fill["order_id"])
        if order is None:
            assert self.positions[sleeve, index] == 0
            return
        self.filled[fill["order_id"]] += quantity
        assert (order["sleeve"], order["instrument"], order["side"]) == (
            sleeve,
            index,
            fill["side"],
        )
        assert order["ts"] < fill["ts"]
        assert index in self.bars
        if order["limit_price"] is not None:
            assert sign * fill["price"] <= sign * order["limit_price"]
        if fill["kind"] == "trade":
            assert fill["price"] % instrument["tick_size"] == 0

    def _crosses(self, outputs: list[dict[str, Any]]) -> None:
        net: Counter[int] = Counter()
        for output in outputs:
            if output["type"] == "order_filled" and output["kind"] == "cross":
                sign = 1 if output["side"] == "buy" else -1
                net[output["instrument"]] += sign * output["quantity"]
                assert output["price"] == self.bars[output["instrument"]]["close"]
        assert not any(net.values())

    def _volume(self, outputs: list[dict[str, Any]]) -> None:
        cap = self.config["venue"]["participation_max"]
        traded: Counter[int] = Counter()
        for output in outputs:
            if output["type"] == "order_filled" and output["kind"] == "trade":
                traded[output["instrument"]] += output["quantity"]
        for index, quantity in traded.items():
            if cap is not None:
                assert quantity <= Fraction(self.bars[index]["volume"] * cap, 10**9)

    def _balances(self, engine: Implementation) -> None:
        """Compare the engine's own balances with those rebuilt from its fills."""
        total = 0
        for sleeve, cash in enumerate(self.cash):
            assert engine.cash(sleeve) == cash
            assert cash >= 0
            value, cost = 0, 0
            for index in range(len(self.instruments)):
                position = self.positions[sleeve, index]
                assert engine.position(sleeve, index) == position >= 0
                value += self._notional(index, position, self.marks.get(index, 0))
                cost += engine.cost(sleeve, index)
                assert position > 0 or engine.cost(sleeve, index) == 0
            assert engine.sleeve_equity(sleeve) == cash + value
            assert engine.fees(sleeve) == self.fees[sleeve]
            # All accounts of the sleeve sum to zero.
            capital = self.config["cash"][sleeve]
            assert cash + cost + engine.fees(sleeve) - engine.realised(sleeve) == capital
            total += cash + value
        assert engine.equity() == total

    def _notional(self, index: int, quantity: int, price: int) -> int:
        entry = self.instruments[index]
        scale: int = 10 ** (12 - entry["price_precision"] - entry["quantity_precision"])
        return quantity * price * int(entry["multiplier"]) * scale
