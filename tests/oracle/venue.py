"""Layer 7: what an order does that comes to the venue. ``docs/engine/matching.md``, 3 and 5."""

from __future__ import annotations

from oracle.exposure import Trial
from oracle.prices import Cut, Prices
from oracle.terms import AUCTIONS, Order


class Venue(Prices):
    """The simulated venue."""

    # Arrival.

    def arrive(self, order: Order) -> None:
        order.due = True
        if order.unfilled <= 0:
            return
        if order.kind in AUCTIONS:
            self._queue(order)
            return
        if order.waits_for_trigger:
            price = self._standing_watched(order)
            if price is None or order.instrument in self.halted:
                return
            if order.kind == "trailing_stop":
                if order.new_trail:
                    order.trigger_price = self.trailing_price(order, price)
                    order.new_trail = False
                elif not self.trigger_met(order, price):
                    self.follow(order, price)
            if not self.trigger_met(order, price):
                return
            self.trigger(order)
        self._rank(order)
        self._act(order)

    def _rank(self, order: Order) -> None:
        self.ranks[order.instrument] += 1
        order.rank = self.ranks[order.instrument]

    def _queue(self, order: Order) -> None:
        if order.kind in AUCTIONS:
            self._rank(order)
        order.resting = True

    def trigger(self, order: Order) -> None:
        order.triggered = True
        order.move("triggered")
        self.emit_ts("order_triggered", order=order.id)

    def _act(self, order: Order) -> None:
        """What an order does that has come to the venue."""
        if order.instrument in self.halted:
            self._stay(order)
            return
        if self.of(order).matching == "trades":
            order.fresh = True
            order.resting = True
            if order.limit_price is None and order.reason != "price_band":
                order.reason = "volume"
            return
        far = self.far(order)
        marketable = order.limit_price is None or (
            bool(far) and not self.worse(order, far[0].price)
        )
        if order.post_only and marketable:
            self.end(order, "cancelled", "post_only")
            return
        if marketable and (order.tif != "fok" or self._fok_passes(order)):
            self.take(order)
        if order.working:
            self._stay(order)

    def _stay(self, order: Order) -> None:
        """Rest, wait or end, with what is left after the arrival."""
        if order.tif in ("ioc", "fok"):
            self.end(order, "cancelled", order.tif)
            return
        order.resting = True
        if order.limit_price is None:
            if order.unfilled > 0 and order.reason != "price_band":
                order.reason = "volume"
            return
        self._place(order)

    def _place(self, order: Order) -> None:
        """Take a place in the queue."""
        assert order.limit_price is not None
        market = self.markets[order.instrument]
        if order.display_quantity is not None:
            order.shown = min(order.display_quantity, order.unfilled)
        if market.kind == "l3":
            order.ahead_ids = {
                id
                for id, (side, price, _) in market.entries.items()
                if (side, price) == (order.side, order.limit_price)
            }
        elif market.kind == "l2":
            order.ahead = market.displayed(order.side, order.limit_price)

    def place_anew(self, index: int) -> None:
        """After an action: the rank stays, what is ahead is counted anew."""
        for order in self.working():
            if order.instrument == index and order.resting and order.limit_price is not None:
                self._place(order)

    def ahead_of(self, order: Order) -> int:
        market = self.markets[order.instrument]
        if market.kind == "l2":
            return order.ahead
        if market.kind == "l3":
            return sum(market.entries[id][2] for id in order.ahead_ids if id in market.entries)
        return 0

    # Taking.

    def _fok_passes(self, order: Order) -> bool:
        instrument, left, extra = self.of(order), order.unfilled, 0
        slices: list[tuple[int, int]] = []
        for level in self.far(order):
            free = self.left_of(instrument, level)
            q = left if free is None else min(left, free)
            if q <= 0:
                continue
            if self.worse(order, level.price):
                break
            price = self.price_for(order, level.price, q, extra)
            if self.banded(order) and self.out_of_band(order, price) is not None:
                break
            slices.append((q, price))
            left, extra = left - q, extra + q
            if left == 0:
                break
        if left:
            self.end(order, "cancelled", "fok")
            return False
        if self.cut_to_position(order, order.unfilled) < order.unfilled:
            self.end(order, "cancelled", "reduce_only")
            return False
        cut = self._fok_funds(order, slices)
        if cut.rule:
            self.verdict(order, "cut", cut.rule, cut.figure, cut.limit)
            self.end(order, "cancelled", cut.rule)
            return False
        return True

    def _fok_funds(self, order: Order, slices: list[tuple[int, int]]) -> Cut:
        instrument, sleeve, line = self.of(order), order.sleeve, self.line_of(order)
        total = order.unfilled
        fees = 0
        trials: list[Trial] = []
        rate = self.tier_of(instrument)["taker"]
        minimum = self.venue(instrument)["fee"].get("minimum", 0)
        for q, price in slices:
            # Each as if it were the first fill.
            fee = self.raw_fee(instrument, rate, q, price)
            fee = max(minimum, fee) if minimum else fee
            fees += fee
            trials.append((line, order.sign * q, price, fee))
        notional = sum(instrument.notional(q, price) for q, price in slices)
        if self.by_margin(instrument):
            held = self.quantities[line]
            if (held * order.sign < 0 and total <= abs(held)) or self.has_unknown(sleeve):
                return Cut(total)
            needed, equity = self.initial(sleeve, trials), self.equity_after(sleeve, trials)
            if needed <= equity:
                return Cut(total)
            return Cut(0, "margin", {"money": needed}, {"money": equity})
        if order.buys:
            left = self.spendable(sleeve, instrument.currency)
            if notional + fees <= left:
                return Cut(total)
            return Cut(0, "cash", {"money": notional + fees}, {"money": left})
        if instrument.base is not None:
            left = self.spendable(sleeve, instrument.base)
            if instrument.base_money(total) > left:
                return Cut(0, "cash", {"money": instrument.base_money(total)}, {"money": left})
        covered = self.spendable(sleeve, instrument.currency) + notional
        if covered < fees:
            return Cut(0, "cash", {"money": fees}, {"money": covered})
        return Cut(total)

    def take(self, order: Order) -> None:
        """Take level by level, best first."""
        instrument = self.of(order)
        for level in self.far(order):
            if not order.working or order.unfilled <= 0:
                return
            free = self.left_of(instrument, level)
            q = order.unfilled if free is None else min(order.unfilled, free)
            if q <= 0:
                continue
            if self.worse(order, level.price):
                return
            taken = self.taker_fill(order, q, level.price)
            level.taken += taken
            if taken < q:
                return

    def taker_fill(self, order: Order, q: int, reference: int) -> int:
        """Fill as a taker at a price of the market; what was filled."""
        price = self.price_for(order, reference, q)
        if self.banded(order):
            edge = self.out_of_band(order, price)
            if edge is not None:
                if not order.held_said:
                    self.verdict(order, "held", "price_band", {"price": price}, {"price": edge})
                    order.held_said = True
                order.reason = "price_band"
                return 0
        filled = self._checked_fill(order, q, price, reference, "taker")
        self.add_impact(self.of(order), order.sign, filled)
        return filled

    def _checked_fill(
        self, order: Order, q: int, price: int, reference: int, liquidity: str
    ) -> int:
        """Cut to position and funds, then fill."""
        allowed = self.cut_to_position(order, q)
        if allowed == 0:
            self.end(order, "cancelled", "reduce_only")
            return 0
        cut = self.cut_to_funds(order, allowed, price, liquidity)
        if cut.rule:
            self.verdict(order, "cut", cut.rule, cut.figure, cut.limit)
        filled = cut.quantity
        if filled and self.fee_uncovered(order, filled, price, liquidity):
            self.end(order, "cancelled", "cash")
            return 0
        if filled:
            self.fill(order, filled, price, reference=reference, liquidity=liquidity)
        if cut.rule and order.working:
            self.end(order, "cancelled", cut.rule)
        return filled

    def maker_fill(self, order: Order, q: int) -> int:
        assert order.limit_price is not None
        before = order.shown
        filled = self._checked_fill(order, q, order.limit_price, order.limit_price, "maker")
        iceberg = order.display_quantity is not None and self.of(order).on_book
        if iceberg and filled and order.working and order.unfilled > 0:
            if filled >= before:
                self._rank(order)
                self._place(order)
            else:
                order.shown = before - filled
        return filled

    # Triggers.

    def told_standing(self, index: int) -> dict[str, int]:
        """Prices that stand; a crossed market has neither bid nor ask."""
        market = self.markets[index]
        told: dict[str, int] = {}
        if index in self.marks:
            told["mark"] = self.marks[index]
        for name, side in (("bid", "buy"), ("ask", "sell")):
            best = market.best(side)
            if best is not None and not market.crossed:
                told[name] = best
        return told

    def source_of(self, order: Order) -> str:
        if order.trigger_by is not None:
            return order.trigger_by
        if self.of(order).matching == "trades":
            return "last"
        return "ask" if order.buys else "bid"

    def _standing_watched(self, order: Order) -> int | None:
        return self.told_standing(order.instrument).get(self.source_of(order))

    def follow(self, order: Order, price: int) -> None:
        """Move a trailing trigger that was not met."""
        assert order.trigger_price is not None
        new = self.trailing_price(order, price)
        pick = min if order.buys else max
        order.trigger_price = pick(order.trigger_price, new)
