"""Layer 8: what market data does. ``docs/engine/matching.md``, 4 and 6 to 9."""

from __future__ import annotations

from collections.abc import Mapping

from oracle.terms import AUCTIONS, Order
from oracle.venue import Venue


class Events(Venue):
    """Quotes, trades, books and auctions meet our orders."""

    # Events.

    def queued(self, index: int, side: str, *, limited: bool) -> list[Order]:
        """Waiting orders by rank, or resting ones by price and rank."""
        found = [
            order
            for order in self.working()
            if order.instrument == index
            and order.side == side
            and order.resting
            and order.at_venue
            and order.unfilled > 0
            and order.kind not in AUCTIONS
            and not order.waits_for_trigger
            and (order.limit_price is not None) == limited
        ]
        sign = -1 if side == "buy" else 1
        return sorted(found, key=lambda o: (sign * (o.limit_price or 0), o.rank))

    def fire(self, index: int, told: Mapping[str, int]) -> list[Order]:
        """Trigger what is met, by id; return those with a limit, which arrive later."""
        later = []
        for order in self.working():
            if order.instrument != index or not order.at_venue or not order.waits_for_trigger:
                continue
            price = told.get(self.source_of(order))
            if price is None:
                continue
            if self.trigger_met(order, price):
                if order.unfilled <= 0:
                    # A child that has nothing to trade while its parent works.
                    continue
                self.trigger(order)
                self._rank(order)
                if order.limit_price is None:
                    order.resting, order.reason = True, "volume"
                else:
                    later.append(order)
            elif order.kind == "trailing_stop":
                self.follow(order, price)
        return later

    def _arrive_later(self, orders: list[Order]) -> None:
        for order in orders:
            if order.working:
                self._act(order)
                self.act_released()

    def react(self, index: int) -> None:
        """The standing market changed, or counts as told: triggers, then all matches."""
        if index in self.halted:
            return
        later = self.fire(index, self.told_standing(index))
        for side in ("sell", "buy"):
            if self.markets[index].crossed:
                break
            for order in self.queued(index, side, limited=False):
                if order.working and self.markets[index].kind != "trades":
                    self.take(order)
            for order in self.queued(index, side, limited=True):
                if order.working:
                    self._reached(order)
            self.act_released()
        self._arrive_later(later)

    def _reached(self, order: Order) -> None:
        """The far side comes to a resting order."""
        for level in self.far(order):
            if not order.working or order.unfilled <= 0 or self.worse(order, level.price):
                return
            free = self.left_of(self.of(order), level)
            q = order.unfilled if free is None else min(order.unfilled, free)
            if q > 0:
                filled = self.maker_fill(order, q)
                level.taken += filled
                if filled < q:
                    return

    # Trades.

    def traded_at(self, index: int, price: int, size: int, aggressor: str | None) -> None:
        instrument, market = self.instruments[index], self.markets[index]
        if index in self.halted:
            self._pass_queues(index, price, size, aggressor)
            return
        told = {"last": price}
        if market.kind == "trades" or not market.had_both:
            told["mark"] = price
        later = self.fire(index, told)
        offer = self.offer(instrument, size) or 0
        used = 0
        for side in ("sell", "buy"):
            if market.kind == "trades":
                used = self._meet_trade(index, side, price, size, offer, used, aggressor)
            else:
                for order in self.queued(index, side, limited=True):
                    if order.working:
                        used += self._touched(order, price, size, offer, used, aggressor)
            self.act_released()
        self._pass_queues(index, price, size, aggressor)
        self._arrive_later(later)

    def how_reached(self, order: Order, price: int, aggressor: str | None) -> str:
        limit = order.limit_price
        assert limit is not None
        own = aggressor == order.side
        if price < limit if order.buys else price > limit:
            # Where the far side is shown, it is what an order meets, and not who takes from it.
            return "" if own and self.of(order).matching != "trades" else "through"
        return "touch" if price == limit and not own else ""

    def _touched(
        self, order: Order, price: int, size: int, offer: int, used: int, aggressor: str | None
    ) -> int:
        how = self.how_reached(order, price, aggressor)
        if not how:
            return 0
        instrument = self.of(order)
        touch = instrument.on_book or self.venue(instrument).get("limit_fill_on_touch")
        if how == "touch" and not touch:
            return 0
        ahead = self.ahead_of(order) if how == "touch" else 0
        q = instrument.lots(min(order.unfilled, offer - used, size - ahead - used))
        if how == "touch" and instrument.on_book and order.display_quantity is not None:
            q = min(q, order.shown)
        return self.maker_fill(order, q) if q > 0 else 0

    def _pass_queues(self, index: int, price: int, size: int, aggressor: str | None) -> None:
        if self.markets[index].kind != "l2":
            return
        for side in ("sell", "buy"):
            for order in self.queued(index, side, limited=True):
                how = self.how_reached(order, price, aggressor)
                if how == "through":
                    order.ahead = 0
                elif how == "touch":
                    order.ahead = max(0, order.ahead - size)

    def _meet_trade(
        self,
        index: int,
        side: str,
        price: int,
        size: int,
        offer: int,
        used: int,
        aggressor: str | None,
    ) -> int:
        """One side of an instrument on trades."""
        instrument = self.instruments[index]

        def free(order: Order) -> int:
            return instrument.lots(min(order.unfilled, offer - used, size - used))

        for order in self.queued(index, side, limited=False):
            if order.working:
                used += self._take_trade(order, free(order), price)
        limited = self.queued(index, side, limited=True)
        met_none = [order for order in limited if order.fresh]
        for order in met_none:
            if not order.working:
                continue
            order.fresh = False
            if self.worse(order, price):
                if order.tif in ("ioc", "fok"):
                    self.end(order, "cancelled", order.tif)
            elif order.post_only:
                self.end(order, "cancelled", "post_only")
            else:
                used += self._take_trade(order, free(order), price)
                if order.working:
                    self._place(order)
        for order in limited:
            if order.working and order not in met_none:
                used += self._touched(order, price, size, offer, used, aggressor)
        return used

    def _take_trade(self, order: Order, q: int, price: int) -> int:
        filled = 0
        if order.tif == "fok":
            filled = self._fok_at(order, q, price)
        elif q > 0:
            filled = self.taker_fill(order, q, price)
        if order.working and order.tif in ("ioc", "fok") and order.unfilled > 0:
            self.end(order, "cancelled", order.tif)
        return filled

    def _fok_at(self, order: Order, q: int, reference: int, price: int | None = None) -> int:
        """Fill a FOK order whole at one price, or cancel it."""
        at = self.price_for(order, reference, order.unfilled) if price is None else price
        banned = self.banded(order) and self.out_of_band(order, at) is not None
        if q < order.unfilled or banned:
            self.end(order, "cancelled", "fok")
            return 0
        if self.cut_to_position(order, q) < q:
            self.end(order, "cancelled", "reduce_only")
            return 0
        cut = self._fok_funds(order, [(q, at)])
        if cut.rule:
            self.verdict(order, "cut", cut.rule, cut.figure, cut.limit)
            self.end(order, "cancelled", cut.rule)
            return 0
        self.fill(order, q, at, reference=reference, liquidity="taker")
        if price is None:
            self.add_impact(self.of(order), order.sign, q)
        return q

    # Auctions.

    def auction(self, index: int, kind: str, price: int, volume: int | None) -> None:
        instrument = self.instruments[index]
        offer = self.offer(instrument, volume)
        used = 0
        cutoff = self.now - self.venue(instrument).get("on_close_cutoff_ns", 0)
        for side in ("sell", "buy"):
            for order in self._auction_group(index, side, kind, cutoff):
                if not order.working or self.worse(order, price):
                    continue
                q = order.unfilled
                if offer is not None:
                    q = instrument.lots(min(q, offer - used))
                filled = self._auction_fill(order, q, price)
                used += filled
                short = order.working and order.unfilled > 0
                if short and order.kind in AUCTIONS and order.reason != "price_band":
                    order.reason = "uncrossed"
            self.act_released()

    def _auction_group(self, index: int, side: str, kind: str, cutoff: int) -> list[Order]:
        called = [
            order
            for order in self.working()
            if (order.instrument, order.side, order.kind) == (index, side, f"on_{kind}")
            and order.resting
            and order.at_venue
            and (kind == "open" or order.arrival <= cutoff)
        ]
        unlimited = [*called, *self.queued(index, side, limited=False)]
        unlimited.sort(key=lambda order: order.rank)
        return [*unlimited, *self.queued(index, side, limited=True)]

    def _auction_fill(self, order: Order, q: int, price: int) -> int:
        if order.tif == "fok":
            outside = self.banded(order) and self.out_of_band(order, price) is not None
            if q < order.unfilled or outside:
                # It waits for its first trade, which an auction is not.
                return 0
            return self._fok_at(order, q, price, price)
        if self.banded(order):
            edge = self.out_of_band(order, price)
            if edge is not None:
                if not order.held_said:
                    self.verdict(order, "held", "price_band", {"price": price}, {"price": edge})
                    order.held_said = True
                order.reason = "price_band"
                return 0
        return self._checked_fill(order, q, price, price, "taker") if q > 0 else 0
