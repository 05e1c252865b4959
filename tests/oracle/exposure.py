"""Layer 2: fees, what is in flight, what it holds, rows, cash to spend and margin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import ceil
from typing import Any

from oracle.books import Books, Line
from oracle.numbers import RATE_ONE, largest, up
from oracle.terms import Instrument, Order

type Row = tuple[str, int]
"""("instrument", index) or ("currency", index)."""

type Trial = tuple[Line, int, int, int]
"""A fill that is tried: line, signed quantity, price, fee."""


class Exposure(Books):
    """From scratch, at every question."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.chosen: dict[int, int] = {}
        """The member that counts, by group."""
        super().__init__(config)
        moved = {
            currency
            for each in self.instruments
            if each.is_exchange
            for currency in (each.base, each.currency)
        }
        self.currency_rows = sorted(c for c in moved if c is not None and c != 0)

    # Fees.

    def tier_of(self, instrument: Instrument) -> Mapping[str, Any]:
        fee = self.venue(instrument)["fee"]
        if "rate" in fee:
            return {"maker": fee["rate"], "taker": fee["rate"]}
        tier: Mapping[str, Any] = fee["tiers"][self.tiers[instrument.venue]]
        return tier

    def raw_fee(self, instrument: Instrument, rate: int, quantity: int, price: int) -> int:
        per_unit = self.venue(instrument)["fee"].get("per_unit", 0)
        exact = Fraction(abs(instrument.notional(quantity, price)) * rate, RATE_ONE)
        exact += Fraction(per_unit * quantity, 10**instrument.quantity_precision)
        minor: int = 10 ** (12 - self.currencies[instrument.currency]["precision"])
        coins: int = ceil(exact / minor)
        return coins * minor

    def fee_worst(self, instrument: Instrument, quantity: int, price: int, paid: bool) -> int:
        """The most that the schedule may ask."""
        fee = self.venue(instrument)["fee"]
        tiers = [self.tier_of(instrument)] if "rate" in fee else fee["tiers"]
        rate = max(0, *(max(tier["maker"], tier["taker"]) for tier in tiers))
        raw = self.raw_fee(instrument, rate, quantity, price)
        return raw if paid else max(raw, fee.get("minimum", 0))

    def fee_of(self, order: Order, quantity: int, price: int, liquidity: str) -> int:
        """What a fill costs, after what the order has paid."""
        if liquidity == "none":
            return 0
        instrument = self.of(order)
        raw = self.raw_fee(instrument, self.tier_of(instrument)[liquidity], quantity, price)
        minimum = int(self.venue(instrument)["fee"].get("minimum", 0))
        if not minimum:
            return raw
        known, charged = order.raw_fees, order.charged
        return max(minimum, known + raw) - (max(minimum, known) if charged else 0)

    # In flight.

    def line_of(self, order: Order) -> Line:
        return (order.sleeve, order.instrument, order.legs)

    def counts(self, order: Order) -> bool:
        """Say whether an order is in flight: of a group one is."""
        if not order.working or order.status == "held" or order.id in self.excluded:
            return False
        return order.group is None or self.chosen.get(order.group) == order.id

    def in_flight(self, sleeve: int | None = None) -> list[Order]:
        return [
            order
            for order in self.working()
            if self.counts(order) and (sleeve is None or order.sleeve == sleeve)
        ]

    def members(self, group: int) -> list[Order]:
        return [order for order in self.working() if order.group == group]

    def choose(self, group: int | None) -> None:
        """Let the member of a group with the largest hold count."""
        if group is None:
            return
        members = [order for order in self.members(group) if order.status != "held"]
        if members:
            self.chosen[group] = max(members, key=lambda o: (self.hold_of(o), -o.id)).id

    def hold_of(self, order: Order) -> int:
        if self.by_margin(self.of(order)):
            return self.margin_hold(order, order.unfilled)
        return self.reserve(order, order.unfilled) if order.buys else 0

    def by_margin(self, instrument: Instrument) -> bool:
        return self.account["kind"] == "margin" and not instrument.is_exchange

    def reserve(self, order: Order, quantity: int) -> int:
        """What a buy may need of its currency."""
        instrument = self.of(order)
        fee = self.fee_worst(instrument, quantity, order.reference, order.charged)
        return instrument.notional(quantity, max(order.reference, 0)) + max(0, fee)

    def margin_hold(self, order: Order, quantity: int) -> int:
        instrument = self.of(order)
        loss = max(0, order.sign * (order.reference - order.mark))
        fee = self.fee_worst(instrument, quantity, order.reference, order.charged)
        return max(0, fee) + instrument.notional(quantity, loss)

    def flight(self, line: Line, side: str) -> int:
        return sum(
            order.unfilled
            for order in self.in_flight(line[0])
            if self.line_of(order) == line and order.side == side
        )

    def is_turned(self, line: Line) -> bool:
        """Say whether trades outside have left a leg with the sign of the other."""
        return self.hedging and self.quantities[line] * (-1 if line[2] else 1) < 0

    def against(self, line: Line, side: str) -> int:
        """Size of the position that orders of a side of a line are against."""
        return max(0, self.quantities[line] * (1 if side == "sell" else -1))

    # Lines and rows.

    def all_lines(self) -> list[Line]:
        return [
            (sleeve, index, leg)
            for sleeve in range(len(self.sleeves))
            for index in range(len(self.instruments))
            for leg in range(self.legs)
        ]

    def flows(self) -> tuple[Counter[Line], Counter[Line]]:
        """Bought and sold quantities in flight, by line."""
        bought: Counter[Line] = Counter()
        sold: Counter[Line] = Counter()
        for order in self.in_flight():
            if not self.of(order).is_exchange:
                (bought if order.buys else sold)[self.line_of(order)] += order.unfilled
        return bought, sold

    def line_bounds(self) -> dict[Line, tuple[int, int]]:
        """U and L of the lines of assets and differences."""
        bought, sold = self.flows()
        return {
            line: (self.quantities[line] + bought[line], self.quantities[line] - sold[line])
            for line in self.all_lines()
            if not self.instruments[line[1]].is_exchange
        }

    def row_bounds(self, lines: Mapping[Line, tuple[int, int]]) -> dict[Row, tuple[int, int]]:
        """U and L of the rows."""
        rows: dict[Row, tuple[int, int]] = {
            ("instrument", each.index): (0, 0) for each in self.instruments if not each.is_exchange
        }
        for line, (high, low) in lines.items():
            before = rows["instrument", line[1]]
            rows["instrument", line[1]] = (before[0] + high, before[1] + low)
        for currency in self.currency_rows:
            held = sum(self.money_of(s, currency) for s in range(len(self.sleeves)))
            rows["currency", currency] = (held, held)
        for order in self.in_flight():
            if self.of(order).is_exchange:
                self.add_exchange(rows, order, order.unfilled)
        return rows

    def add_exchange(self, rows: dict[Row, tuple[int, int]], order: Order, quantity: int) -> None:
        instrument = self.of(order)
        moves = (
            (instrument.base, order.sign * instrument.base_money(quantity)),
            (instrument.currency, -order.sign * instrument.notional(quantity, order.reference)),
        )
        for currency, amount in moves:
            row = ("currency", currency or 0)
            if row in rows:
                high, low = rows[row]
                rows[row] = (high + max(0, amount), low + min(0, amount))

    def touched(self, order: Order) -> list[Row]:
        instrument = self.of(order)
        if not instrument.is_exchange:
            return [("instrument", instrument.index)]
        both = (instrument.base, instrument.currency)
        return [("currency", c) for c in both if c is not None and c in self.currency_rows]

    def value(self, row: Row, quantity: int) -> int | None:
        """Value of a quantity in the fund's currency, signed; None if there is no price for it."""
        kind, index = row
        if kind == "currency":
            if self.rate(index) is None:
                return None
            size = self.convert(abs(quantity), index)
        else:
            instrument = self.instruments[index]
            if index not in self.marks or self.rate(instrument.currency) is None:
                return None
            money = abs(quantity) * instrument.unit * abs(self.marks[index])
            size = self.convert(money, instrument.currency)
        return size if quantity >= 0 else -size

    # Room.

    def room(self, order: Order, flagged: bool | None = None) -> int | None:
        """What an order may take off its line; None is unlimited."""
        instrument = self.of(order)
        # A remote venue does not cut an order at its match.
        flag = order.reduce_only and not order.remote if flagged is None else flagged
        if instrument.is_exchange:
            return self._exchange_room(order, instrument, flag)
        held = self.quantities[self.line_of(order)]
        if held * order.sign >= 0:
            return 0
        if flag:
            return abs(held)
        return max(0, abs(held) - self.flight(self.line_of(order), order.side))

    def _exchange_room(self, order: Order, instrument: Instrument, flag: bool) -> int | None:
        base = instrument.base
        assert base is not None
        if order.buys:
            return None if base == 0 else 0
        if instrument.currency != 0:
            return 0
        out = 0
        if not flag:
            out = sum(
                self.of(each).base_money(each.unfilled)
                for each in self.in_flight(order.sleeve)
                if not each.buys and self.of(each).base == base
            )
        lot = instrument.base_money(instrument.lot_size)
        return max(0, self.money_of(order.sleeve, base) - out) // lot * instrument.lot_size

    # Cash.

    def payable(self, sleeve: int, currency: int) -> int:
        return sum(-amount for amount, _ in self.pending[sleeve, currency] if amount < 0)

    def spendable(self, sleeve: int, currency: int) -> int:
        if self.account["trade_on_unsettled"]:
            return self.money_of(sleeve, currency)
        return self.balances[sleeve, currency, "cash"] - self.payable(sleeve, currency)

    def reserved(self, sleeve: int, currency: int) -> int:
        total = 0
        for order in self.in_flight(sleeve):
            instrument = self.of(order)
            if order.buys and instrument.currency == currency:
                if not self.by_margin(instrument):
                    total += self.reserve(order, order.unfilled)
            elif not order.buys and instrument.base == currency:
                total += instrument.base_money(order.unfilled)
        return total

    def expected(self, sleeve: int, currency: int) -> int:
        if self.account["kind"] == "margin":
            return 0
        total = 0
        for order in self.in_flight(sleeve):
            instrument = self.of(order)
            if order.buys or order.kind != "market" or instrument.currency != currency:
                continue
            if order.reduce_only or not instrument.on_bars or order.remote:
                continue
            if instrument.settlement_days and not self.account["trade_on_unsettled"]:
                continue
            worst = self.band(order.reference)[0] // RATE_ONE
            fee = self.fee_worst(instrument, order.unfilled, worst, order.charged)
            total += max(0, instrument.notional(order.unfilled, worst) - fee)
        return total

    def available(self, sleeve: int, currency: int) -> int:
        free = self.spendable(sleeve, currency) - self.reserved(sleeve, currency)
        return free + self.expected(sleeve, currency)

    # Margin.

    def margin(self, sizes: Iterable[tuple[int, int]], rate: str) -> int:
        """Margin of (instrument, quantity) pairs: exact sums a currency, then rounded up."""
        exact: Counter[int] = Counter()
        for index, quantity in sizes:
            instrument = self.instruments[index]
            value = abs(quantity * self.marks.get(index, 0) * instrument.unit)
            exact[instrument.currency] += value * int(getattr(instrument, rate))
        return sum(self.convert_up(up(total, RATE_ONE), c) for c, total in exact.items())

    def held_sizes(self, sleeve: int, trials: Iterable[Trial] = ()) -> list[tuple[int, int]]:
        held = Counter({line: self.quantities[line] for line in self.lines_of(sleeve)})
        for line, signed, _, _ in trials:
            held[line] += signed
        return [(line[1], quantity) for line, quantity in held.items()]

    def initial(self, sleeve: int, trials: Iterable[Trial] = ()) -> int:
        return self.margin(self.held_sizes(sleeve, trials), "margin_initial")

    def equity_after(self, sleeve: int, trials: Iterable[Trial]) -> int:
        """Equity less fees and what is lost against the mark."""
        lowered: Counter[int] = Counter()
        for (_, index, _), signed, price, fee in trials:
            instrument = self.instruments[index]
            lost = max(0, (price - self.marks[index]) * (1 if signed > 0 else -1))
            lowered[instrument.currency] += fee + instrument.notional(abs(signed), lost)
        return self.sleeve_equity(sleeve, lowered)

    def required(self, sleeve: int, order: Order | None = None, quantity: int = 0) -> int:
        """Margin of the worst that what is in flight may lead to, and what its orders hold."""
        bought: Counter[Line] = Counter()
        sold: Counter[Line] = Counter()
        holds: Counter[int] = Counter()
        flying = [(each, each.unfilled) for each in self.in_flight(sleeve)]
        if order is not None:
            flying.append((order, quantity))
        for each, amount in flying:
            instrument = self.of(each)
            if not instrument.is_exchange:
                (bought if each.buys else sold)[self.line_of(each)] += amount
                holds[instrument.currency] += self.margin_hold(each, amount)
        sizes = []
        for index in range(len(self.instruments)):
            lines = [(sleeve, index, leg) for leg in range(self.legs)]
            for line in lines:
                held = self.quantities[line]
                up, down = held + bought[line], sold[line] - held
                if not self.hedging or self.is_turned(line):
                    sizes.append((index, max(up, down)))
                else:
                    sizes.append((index, down if line[2] else up))
        total = self.margin(sizes, "margin_initial")
        return total + sum(self.convert(amount, c) for c, amount in holds.items())

    def liquidating(self, sleeve: int) -> Counter[Line]:
        """Quantities that working liquidation orders will close."""
        found: Counter[Line] = Counter()
        for order in self.working():
            line = self.line_of(order)
            if order.sleeve == sleeve and order.origin == "liquidation":
                # A trade outside may have turned the position round since.
                found[line] += order.unfilled if self.against(line, order.side) else 0
        return found

    def left_to_close(self, sleeve: int) -> dict[Line, int]:
        """Positions less what liquidation orders close, in whole lots."""
        closing = self.liquidating(sleeve)
        return {
            line: self.instruments[line[1]].lots(abs(self.quantities[line]) - closing[line])
            for line in self.lines_of(sleeve)
        }

    def most_lots(self, instrument: Instrument, most: int, passes: Callable[[int], bool]) -> int:
        """Largest number of whole lots, as a quantity, up to `most` that passes."""
        lot = instrument.lot_size
        return lot * largest(most // lot, lambda lots: passes(lots * lot))
