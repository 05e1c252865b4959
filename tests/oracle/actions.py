"""Layer 8: corporate actions and ends of instruments. ``docs/engine/actions.md``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any

from oracle.books import Line
from oracle.days import Days
from oracle.numbers import RATE_ONE, InputError, nearest, reduced, towards_zero, up
from oracle.terms import STOPS, TOUCHED, Instrument, Order


class Actions(Days):
    """What companies and exchanges do to instruments."""

    def action(self, action: Mapping[str, Any]) -> None:
        ((name, terms),) = action.items()
        index = terms["instrument"]
        instrument = self.instruments[index]
        self.happened[f"action {name}"] += 1
        getattr(self, f"_{name}")(instrument, terms)
        self.emit_ts("action_applied", instrument=index, action=name)
        if name != "symbol_change":
            self.mark_restated(index)
        self.drop_market(index)
        self.check_margin(range(len(self.sleeves)))

    def _check_action(self, action: Mapping[str, Any], _ts: int) -> None:
        ((name, terms),) = action.items()
        instrument = self.instruments[terms["instrument"]]
        self._check_terms(name, terms, instrument)
        check = {
            "precision": self._check_precision,
            "cash_dividend": self._check_dividend,
            "spin_off": self._check_spin_off,
        }.get(name)
        if check is not None:
            check(instrument, terms)

    def _check_terms(self, name: str, terms: Mapping[str, Any], instrument: Instrument) -> None:
        if instrument.index in self.ended:
            raise InputError(f"{instrument.id} has ended")
        if name == "precision":
            if instrument.is_exchange:
                raise InputError(f"no precision of {instrument.id}")
        elif name != "delisting" and instrument.settlement != "asset":
            raise InputError(f"{name} needs an asset; found {instrument.id}")
        if "into" in terms:
            into = self.instruments[terms["into"]]
            bad = into is instrument or into.index in self.ended or into.settlement != "asset"
            if bad or into.currency != instrument.currency:
                raise InputError(f"{instrument.id} cannot go into {into.id}")
            if into.index not in self.marks and terms.get("into_price") is None:
                raise InputError(f"{into.id} has no price")
        for field in ("numerator", "denominator", "amount", "price", "into_price"):
            if terms.get(field) is not None and terms[field] <= 0:
                raise InputError(f"`{field}` must be positive; found {terms[field]}")

    def _lines(self, index: int) -> list[Line]:
        """Positions in an instrument, by sleeve, then leg."""
        return sorted(line for line, q in self.quantities.items() if line[1] == index and q)

    def _restate(self, index: int, mark: int) -> None:
        """Set a mark that is no move of the market."""
        if not self.instruments[index].negative_prices:
            mark = max(1, mark)
        self.marks[index] = mark
        self.refresh_rates(index)

    # Section 1.

    def _split(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        a, b = terms["numerator"], terms["denominator"]
        self._rescale(instrument, (a, b), (b, a), lambda: None)

    def _stock_dividend(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        a, b = terms["numerator"] + terms["denominator"], terms["denominator"]
        self._rescale(instrument, (a, b), (b, a), lambda: None)

    def _precision(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        quantities = terms["quantity_precision"] - instrument.quantity_precision
        prices = terms["price_precision"] - instrument.price_precision

        def ratio(digits: int) -> tuple[int, int]:
            return (10**digits, 1) if digits >= 0 else (1, 10**-digits)

        def change() -> None:
            for name in ("price_precision", "quantity_precision", "tick_size", "lot_size"):
                setattr(instrument, name, terms[name])

        self._rescale(instrument, ratio(quantities), ratio(prices), change)

    @staticmethod
    def _check_precision(_: Instrument, new: Mapping[str, Any]) -> None:
        digits = (new["price_precision"], new["quantity_precision"])
        if sum(digits) > 12 or max(digits) > 9 or min(digits) < 0:
            raise InputError("too many digits")
        if new["tick_size"] <= 0 or new["lot_size"] <= 0:
            raise InputError("`tick_size` and `lot_size` must be positive")

    def _rescale(
        self,
        instrument: Instrument,
        quantities: tuple[int, int],
        prices: tuple[int, int],
        change: Callable[[], None],
    ) -> None:
        index = instrument.index
        (a, b), (c, d) = reduced(*quantities), reduced(*prices)
        mark, unit = self.marks.get(index), instrument.unit
        change()
        for line in self._lines(index):
            assert mark is not None
            self._rescale_line(instrument, line, a, b, mark * unit)
        if mark is not None:
            self._restate(index, nearest(mark * c, d))
        for order in self.working():
            if order.working and order.instrument == index:
                self._rescale_order(instrument, order, (a, b), (c, d))
        self.shortable[index] = self.shortable[index] * a // b
        if instrument.average_volume is not None:
            instrument.average_volume = instrument.average_volume * a // b
        figure = self.figures.get(("average_volume", index))
        if figure is not None:
            self.figures["average_volume", index] = (figure[0] * a // b, figure[1])
        if index in self.felt:
            felt, since = self.felt[index]
            self.felt[index] = (towards_zero(felt * a, b), since)

    def _rescale_line(self, instrument: Instrument, line: Line, a: int, b: int, money: int) -> None:
        held = self.quantities[line]
        sign = 1 if held > 0 else -1
        lot = instrument.lot_size
        new = abs(held) * a // (b * lot) * lot
        rest = abs(held) * a - new * b
        cost = sign * self.costs[line]
        relieved = cost if new == 0 else cost * rest // (abs(held) * a)
        value = rest * money // a if held > 0 else up(rest * money, a)
        self.quantities[line] = sign * new
        if rest:
            self._pay(instrument, line, sign, relieved, value, instrument)

    def _pay(
        self,
        instrument: Instrument,
        line: Line,
        sign: int,
        relieved: int,
        value: int,
        of: Instrument,
    ) -> None:
        """Book money for a part of a position, like closing that part."""
        self.costs[line] -= sign * relieved
        gain = sign * (value - relieved)
        currency = instrument.currency
        if instrument.settlement == "difference":
            self.post(
                line[0],
                currency,
                -sign * relieved,
                contra=sign * relieved,
                realised=-gain,
                cash=gain,
            )
            money = gain
        else:
            money = sign * value
            self.post(line[0], currency, -sign * relieved, realised=-gain, cash=money)
        if money:
            self.posted(line[0], currency, "in_lieu", money, of.index)

    # Section 4.

    def _rescale_order(
        self,
        instrument: Instrument,
        order: Order,
        quantities: tuple[int, int],
        prices: tuple[int, int],
    ) -> None:
        if order.remote:
            self.end(order, "cancelled", "action")
            return
        (a, b), (c, d) = quantities, prices
        tick, lot = instrument.tick_size, instrument.lot_size
        before = self._terms(order)

        def down(price: int) -> int:
            return price * c // (d * tick) * tick

        def upwards(price: int) -> int:
            return up(price * c, d * tick) * tick

        if order.limit_price is not None:
            order.limit_price = (down if order.buys else upwards)(order.limit_price)
        if order.trigger_price is not None:
            falls = order.buys == (order.kind in TOUCHED)
            order.trigger_price = (down if falls else upwards)(order.trigger_price)
        if order.trail is not None and "amount" in order.trail:
            order.trail = {"amount": max(tick, upwards(order.trail["amount"]))}
        order.reference = self._at_least_one(instrument, nearest(order.reference * c, d))
        order.mark = self._at_least_one(instrument, nearest(order.mark * c, d))
        unfilled = order.unfilled * a // b // lot * lot
        order.quantity = order.filled + unfilled
        if order.display_quantity is not None:
            order.display_quantity = max(lot, order.display_quantity * a // b // lot * lot)
        self._tell(order, before)

    def _lower_orders(self, instrument: Instrument, drop: int) -> None:
        tick = instrument.tick_size
        for order in self.working():
            if not order.working or order.instrument != instrument.index:
                continue
            if order.remote:
                self.end(order, "cancelled", "action")
                continue
            before = self._terms(order)
            # Those that would trade only because the price falls by the dividend.
            if order.buys != (order.kind in STOPS):
                if order.limit_price is not None:
                    order.limit_price = (order.limit_price - drop) // tick * tick
                if order.trigger_price is not None:
                    order.trigger_price = (order.trigger_price - drop) // tick * tick
            order.reference = self._at_least_one(instrument, order.reference - drop)
            order.mark = self._at_least_one(instrument, order.mark - drop)
            self._tell(order, before)

    @staticmethod
    def _at_least_one(instrument: Instrument, price: int) -> int:
        return price if instrument.negative_prices else max(1, price)

    @staticmethod
    def _terms(order: Order) -> tuple[object, ...]:
        return (
            order.limit_price,
            order.trigger_price,
            order.trail,
            order.quantity,
            order.display_quantity,
        )

    def _tell(self, order: Order, before: tuple[object, ...]) -> None:
        prices = [p for p in (order.limit_price, order.trigger_price) if p is not None]
        if order.kind != "trailing_stop":
            order.asked_trigger = order.trigger_price
        gone = order.unfilled <= 0 and before[3] != order.quantity
        if gone or any(not self.valid_price(price, order) for price in prices):
            self.end(order, "cancelled", "action")
        elif self._terms(order) != before:
            self.amended(order)

    # Section 2.

    def _cash_dividend(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        amount, index = terms["amount"], instrument.index
        if index not in self.marks:
            return
        whole = 10**instrument.quantity_precision
        for line in self._lines(index):
            paid = self.quantities[line] * amount // whole
            if paid:
                self.post(line[0], instrument.currency, cash=paid, dividends=-paid)
                self.posted(line[0], instrument.currency, "dividend", paid, index)
        drop = nearest(amount, instrument.unit * whole)
        self._restate(index, self.marks[index] - drop)
        self._lower_orders(instrument, drop)

    def _check_dividend(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        mark = self.marks.get(instrument.index)
        if mark is None:
            return
        if terms["amount"] >= mark * instrument.unit * 10**instrument.quantity_precision:
            raise InputError("`amount` must be less than the price")

    # Section 3.

    def _symbol_change(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        self.emit_ts("symbol_changed", instrument=instrument.index, symbol=terms["symbol"])

    def _merger_cash(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        self._finish(instrument, terms["price"], "action")

    def _delisting(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        price = terms.get("price")
        self._finish(instrument, 0 if price is None else price, "action")

    def _check_instrument_ended(self, terms: Mapping[str, Any], _ts: int) -> None:
        instrument, price = self.instruments[terms["instrument"]], terms.get("price")
        if instrument.index in self.ended:
            raise InputError(f"{instrument.id} ended before")
        if price is not None and price < 0 and not instrument.negative_prices:
            raise InputError("`price` must not be negative")

    def end_instrument(self, index: int, price: int | None) -> None:
        self._finish(self.instruments[index], price, "instrument_ended")
        self.mark_restated(index)
        self.drop_market(index)
        self.check_margin(range(len(self.sleeves)))

    def _cancel_all(self, index: int, reason: str) -> None:
        for order in self.working():
            if order.working and order.instrument == index:
                self.end(order, "cancelled", reason)

    def _finish(self, instrument: Instrument, price: int | None, reason: str) -> None:
        index = instrument.index
        self._cancel_all(index, reason)
        if price is not None and index in self.marks:
            self.marks[index] = price
            self.refresh_rates(index)
        for line in self._lines(index):
            held = self.quantities[line]
            side = "sell" if held > 0 else "buy"
            self.book(line, side, abs(held), self.marks[index], 0, to_cash=True)
            self.emit_fill(line, None, side, abs(held), self.marks[index])
            self.happened["fill settlement none"] += 1
        self.ended.add(index)
        at = self.marks.get(index, price)
        self.emit_ts("instrument_settled", instrument=index, price=at)

    def _into(self, terms: Mapping[str, Any]) -> Instrument:
        into: Instrument = self.instruments[terms["into"]]
        if into.index not in self.marks:
            self.marks[into.index] = terms["into_price"]
            self.mark_times[into.index] = self.now
        return into

    def _units_of_into(
        self, instrument: Instrument, into: Instrument, terms: Mapping[str, Any], held: int
    ) -> tuple[Fraction, int]:
        exact = Fraction(
            abs(held) * terms["numerator"] * 10**into.quantity_precision,
            terms["denominator"] * 10**instrument.quantity_precision,
        )
        lots: int = floor(exact / into.lot_size)
        return exact, lots * into.lot_size

    def _merger_stock(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        self._cancel_all(instrument.index, "action")
        into = self._into(terms)
        money = self.marks[into.index] * into.unit
        for line in self._lines(instrument.index):
            held = self.quantities[line]
            sign = 1 if held > 0 else -1
            rounded = floor if held > 0 else ceil
            per = terms["denominator"] * 10**instrument.quantity_precision
            paid = rounded(Fraction(abs(held) * terms["cash"], per))
            exact, new = self._units_of_into(instrument, into, terms, held)
            rest = rounded((exact - new) * money)
            cost = sign * self.costs[line]
            relieved = cost
            if new:
                gone = paid + (exact - new) * money
                relieved = floor(cost * gone / (paid + exact * money))
            self.close_position(
                line, abs(held), paid + rest, 0, 0, relieved=relieved, moved=cost - relieved
            )
            self._leave_or_come(line, -sign, abs(held))
            if paid:
                self.posted(line[0], into.currency, "merger", sign * paid, instrument.index)
            if rest:
                self.posted(line[0], into.currency, "in_lieu", sign * rest, into.index)
            if new:
                self._move_in((line[0], into.index, line[2]), sign, new, cost - relieved)
        self.ended.add(instrument.index)

    def _leave_or_come(self, line: Line, sign: int, quantity: int) -> None:
        side = "buy" if sign > 0 else "sell"
        self.emit_fill(line, None, side, quantity, 0, kind="action")
        self.happened["fill action none"] += 1

    def _move_in(self, line: Line, sign: int, quantity: int, cost: int) -> None:
        held = self.quantities[line]
        if held * sign >= 0:
            self.quantities[line] += sign * quantity
            self.costs[line] += sign * cost
        else:
            m = min(quantity, abs(held))
            own = -sign * self.costs[line]
            first = own if m == abs(held) else own * m // abs(held)
            second = cost if m == quantity else cost * m // quantity
            self.quantities[line] += sign * quantity
            self.costs[line] += sign * (first + cost - second)
            gain = first - second if sign > 0 else second - first
            currency = self.instruments[line[1]].currency
            self.post(line[0], currency, gain, realised=-gain)
        self._leave_or_come(line, sign, quantity)

    def _spin_off(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        index, drop = instrument.index, self._spun_off(instrument, terms)
        into = self._into(terms)
        if index not in self.marks:
            return
        money = self.marks[into.index] * into.unit
        for line in self._lines(index):
            held = self.quantities[line]
            sign = 1 if held > 0 else -1
            exact, new = self._units_of_into(instrument, into, terms, held)
            value = (floor if held > 0 else ceil)((exact - new) * money)
            gone = sign * self.costs[line] * terms["cost_share"] // RATE_ONE
            relieved = gone if new == 0 else floor(gone * (exact - new) / exact)
            self._pay(instrument, line, sign, relieved, value, into)
            if new:
                self.costs[line] -= sign * (gone - relieved)
                self._move_in((line[0], into.index, line[2]), sign, new, gone - relieved)
        self._restate(index, self.marks[index] - drop)
        self._lower_orders(instrument, drop)

    def _spun_off(self, instrument: Instrument, terms: Mapping[str, Any]) -> int:
        """By how much the mark falls."""
        into = self.instruments[terms["into"]]
        price = self.marks.get(into.index, terms.get("into_price"))
        assert price is not None
        gone = terms["numerator"] * 10**into.quantity_precision * price * into.unit
        whole = terms["denominator"] * 10**instrument.quantity_precision * instrument.unit
        return nearest(gone, whole)

    def _check_spin_off(self, instrument: Instrument, terms: Mapping[str, Any]) -> None:
        if not 0 <= terms["cost_share"] <= RATE_ONE:
            raise InputError("`cost_share` must be a share")
        mark = self.marks.get(instrument.index)
        if mark is not None and self._spun_off(instrument, terms) >= mark:
            raise InputError("what is spun off must be worth less than the whole")

    def mark_restated(self, index: int) -> None:
        raise NotImplementedError

    def drop_market(self, index: int) -> None:
        market = self.markets.get(index)
        if market is not None:
            market.clear()
            market.before = {}
            self.place_anew(index)
