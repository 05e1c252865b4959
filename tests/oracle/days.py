"""Layer 7: money in and out, days, funding, margin calls. ``docs/engine/accounts.md``, 3, 5, 6."""

from __future__ import annotations

from collections.abc import Iterable

from oracle.barrier import Barrier
from oracle.books import Line
from oracle.numbers import MONEY_ONE, RATE_ONE, up
from oracle.terms import Order

YEAR = RATE_ONE * 365
LEGS = ("long", "short")


class Days(Barrier):
    """What moves money without a trade, and what follows if there is too little."""

    def posted(
        self, sleeve: int, currency: int, kind: str, amount: int, instrument: int | None = None
    ) -> None:
        self.happened[f"posting {kind}"] += 1
        self.emit_ts(
            "posted",
            sleeve=sleeve,
            currency=currency,
            kind=kind,
            instrument=instrument,
            amount=amount,
            equity=None,
        )

    # Deposits and withdrawals.

    def cash_flow(self, sleeve: int, currency: int, amount: int) -> None:
        if amount < 0:
            available = self._withdrawable(sleeve, currency, -amount)
            if available is not None:
                self.emit_ts(
                    "cash_flow_rejected",
                    sleeve=sleeve,
                    currency=currency,
                    amount=amount,
                    available=available,
                )
                return
        before = self.sleeve_equity(sleeve)
        self.post(sleeve, currency, cash=amount, capital=-amount)
        self.posted(sleeve, currency, "deposit" if amount > 0 else "withdrawal", amount)
        self.outputs[-1]["posted"]["equity"] = before
        self.capital_moved(sleeve, self.convert(amount, currency))
        self.check_margin(range(len(self.sleeves)))

    def _withdrawable(self, sleeve: int, currency: int, amount: int) -> int | None:
        """None if the amount may be taken out, else what could be."""
        free = self.balances[sleeve, currency, "cash"] - self.payable(sleeve, currency)
        free -= self.reserved(sleeve, currency)
        rate = self.rate(currency)
        if rate is None or self.has_unknown(sleeve):
            return 0
        if amount > free:
            return free
        if self.account["kind"] == "margin":
            spare = self.sleeve_equity(sleeve) - self.required(sleeve)
            if self.convert_up(amount, currency) > spare:
                return spare * MONEY_ONE // rate
        return None

    # Days.

    def day_ended(self, trading: bool) -> None:
        sleeves = range(len(self.sleeves))
        if trading:
            for sleeve in sleeves:
                for line in self.lines_of(sleeve):
                    self._variation(line)
        for sleeve in sleeves:
            for currency in range(len(self.currencies)):
                self._interest(sleeve, currency)
        for sleeve in sleeves:
            for line in self.lines_of(sleeve):
                self._borrow_fee(line)
        if trading:
            for sleeve in sleeves:
                for currency in range(len(self.currencies)):
                    self._settle(sleeve, currency)
        self._end_turnover()
        self.check_margin(sleeves)

    def _variation(self, line: Line) -> None:
        instrument = self.instruments[line[1]]
        if instrument.kind != "future" or line[1] not in self.marks:
            return
        value = instrument.notional(self.quantities[line], self.marks[line[1]])
        change = value - self.costs[line]
        if change:
            self.costs[line] = value
            self.post(
                line[0],
                instrument.currency,
                change,
                contra=-change,
                cash=change,
                realised=-change,
            )
            self.posted(line[0], instrument.currency, "variation", change, line[1])

    def _interest(self, sleeve: int, currency: int) -> None:
        cash = self.balances[sleeve, currency, "cash"]
        credit, debit = self.interest[currency]
        amount = cash * credit // YEAR if cash > 0 else -up(-cash * debit, YEAR)
        if amount:
            self.post(sleeve, currency, cash=amount, interest=-amount)
            self.posted(sleeve, currency, "interest", amount)

    def _borrow_fee(self, line: Line) -> None:
        instrument = self.instruments[line[1]]
        held = self.quantities[line]
        if instrument.settlement != "asset" or held >= 0:
            return
        value = abs(instrument.notional(held, self.marks[line[1]]))
        fee = up(value * self.borrow[line[1]], YEAR)
        if fee:
            self.post(line[0], instrument.currency, cash=-fee, borrow=fee)
            self.posted(line[0], instrument.currency, "borrow", -fee, line[1])

    def _settle(self, sleeve: int, currency: int) -> None:
        waiting = self.pending[sleeve, currency]
        for each in waiting:
            each[1] -= 1
        amount = sum(each[0] for each in waiting if each[1] <= 0)
        self.pending[sleeve, currency] = [each for each in waiting if each[1] > 0]
        if amount:
            self.post(sleeve, currency, cash=amount, unsettled=-amount)
            self.posted(sleeve, currency, "settled", amount)

    def _end_turnover(self) -> None:
        """Complete a day of the fee schedules, and find their tiers."""
        for index, venue in enumerate(self.venues):
            tiers = venue["fee"].get("tiers")
            days = self.traded_days[index]
            days.append(self.traded[index])
            self.traded[index] = 0
            if not tiers:
                continue
            volume = sum(days[-venue["fee"].get("window_days", 30) :])
            reached = [k for k, tier in enumerate(tiers) if tier.get("volume_from", 0) <= volume]
            self.tiers[index] = reached[-1]

    def funding(self, index: int, rate: int) -> None:
        instrument = self.instruments[index]
        for sleeve in range(len(self.sleeves)):
            for line in self.lines_of(sleeve):
                if line[1] != index:
                    continue
                exact = instrument.notional(self.quantities[line], self.marks[index]) * rate
                paid = up(exact, RATE_ONE)
                if paid:
                    self.post(sleeve, instrument.currency, cash=-paid, funding=paid)
                    self.posted(sleeve, instrument.currency, "funding", -paid, index)
        self.check_margin(range(len(self.sleeves)))

    # Margin calls.

    def check_margin(self, sleeves: Iterable[int]) -> None:
        if self.account["kind"] == "cash" or self.bars_wait():
            return
        for sleeve in sleeves:
            if not self._closable(sleeve) or self.has_unknown(sleeve):
                continue
            if self._cancels_open(sleeve):
                continue
            equity, needed = self.sleeve_equity(sleeve), self._of_rest(sleeve, "maintenance")
            if equity < needed:
                self.emit_ts("margin_called", sleeve=sleeve, equity=equity, required=needed)
                self._liquidate(sleeve)

    def bars_wait(self) -> bool:
        raise NotImplementedError

    def check_margin_after_mark(self, index: int) -> None:
        """After a mark of an event instrument moved, and the matching that followed."""
        feeds_rate = any(
            isinstance(each.get("source"), dict) and each["source"]["pair"]["instrument"] == index
            for each in self.currencies
        )
        self.check_margin(
            sleeve
            for sleeve in range(len(self.sleeves))
            if feeds_rate or any(line[1] == index for line in self.lines_of(sleeve))
        )

    def _closable(self, sleeve: int) -> dict[Line, int]:
        """What a margin call can close."""
        return {
            line: left
            for line, left in self.left_to_close(sleeve).items()
            if left > 0 and line[1] not in self.ended and self.marks.get(line[1])
        }

    def _of_rest(self, sleeve: int, which: str) -> int:
        """Margin of the positions less what liquidation orders will close."""
        sizes = [(line[1], left) for line, left in self.left_to_close(sleeve).items()]
        return self.margin(sizes, f"margin_{which}")

    def _cancels_open(self, sleeve: int) -> bool:
        """Say whether a remote venue has yet to answer a request for a cancel."""
        return any(each.asked is not None for each in self.working() if each.sleeve == sleeve)

    def _liquidate(self, sleeve: int) -> None:
        for order in self.working():
            if order.sleeve == sleeve and order.origin != "liquidation" and order.working:
                self.end(order, "cancelled", "margin")
        if self._cancels_open(sleeve):
            # The reports look at it again.
            return
        sizes = self._closable(sleeve)

        def heaviest(line: Line) -> tuple[int, int, int]:
            margin = self.margin([(line[1], sizes[line])], "margin_maintenance")
            return (-margin, line[1], line[2])

        for line in sorted(sizes, key=heaviest):
            instrument = self.instruments[line[1]]
            short_of = self._of_rest(sleeve, "initial") - self.sleeve_equity(sleeve)
            if short_of <= 0:
                return
            left = self._closable(sleeve).get(line, 0)
            a_lot = self.margin([(line[1], instrument.lot_size)], "margin_initial")
            most = left // instrument.lot_size
            lots = min(most, max(1, up(short_of, a_lot))) if a_lot else most
            if lots > 0:
                self.close_line(line, lots * instrument.lot_size, "liquidation")

    def close_line(self, line: Line, quantity: int, origin: str) -> Order:
        """Send a market order that closes part of a position."""
        order = self.make(self.closing_request(line, quantity), origin)
        self.accept(order)
        self.come(order)
        return order

    def closing_request(self, line: Line, quantity: int) -> dict[str, object]:
        return {
            "sleeve": line[0],
            "instrument": line[1],
            "side": "sell" if self.quantities[line] > 0 else "buy",
            "quantity": quantity,
            "kind": "market",
            "tif": "gtc",
            "reduce_only": True,
            "leg": LEGS[line[2]] if self.hedging else "net",
        }
