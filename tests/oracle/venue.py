"""Layer 5: matching of event instruments. ``docs/engine/matching.md``, 2 to 10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

from oracle.exposure import Trial
from oracle.life import Life
from oracle.market import Level, Market
from oracle.numbers import RATE_ONE, up
from oracle.terms import AUCTIONS, TRIGGERED, Instrument, Order, Record


@dataclass
class Purse:
    """What the orders of a group before this one have claimed."""

    spent: dict[tuple[int, int], int]
    trials: dict[int, list[Trial]]

    @classmethod
    def empty(cls) -> Purse:
        return cls({}, {})


@dataclass(frozen=True)
class Cut:
    """What funds allow; `rule` is empty if that is all."""

    quantity: int
    rule: str = ""
    figure: Record | str = "none"
    limit: Record | str = "none"


class Venue(Life):
    """The simulated venue."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.markets = {
            each.index: Market(each.matching) for each in self.instruments if not each.on_bars
        }

    # Prices.

    def volume_felt(self, index: int) -> int:
        """Our signed volume as far as it is still felt."""
        volume, since = self.felt.get(index, (0, self.now))
        half = self.venue(self.instruments[index])["impact"]["half_life_ns"]
        k, r = divmod(self.now - since, half)
        if k > 62:
            return 0
        size: int = abs(volume) * (2 * half - r) // (2 * half << k)
        return size if volume >= 0 else -size

    def impact(self, instrument: Instrument, sign: int, quantity: int, extra: int = 0) -> int:
        """Rate by which our own trading moves the price; `extra` is volume not yet booked."""
        model = self.venue(instrument).get("impact")
        if model is None:
            return 0
        after = self.volume_felt(instrument.index) + sign * (quantity + extra)
        if after * sign <= 0:
            return 0
        sigma, volume = self.sigma_and_volume(instrument)
        assert sigma is not None
        assert volume is not None
        root = isqrt(abs(after) * 10**18 // volume)
        return min(RATE_ONE - 1, up(model["coefficient"] * sigma * root, 10**18))

    def add_impact(self, instrument: Instrument, sign: int, quantity: int) -> None:
        if self.venue(instrument).get("impact") is not None:
            felt = self.volume_felt(instrument.index) + sign * quantity
            self.felt[instrument.index] = (felt, self.now)

    def taking_price(
        self, instrument: Instrument, sign: int, reference: int, quantity: int, extra: int = 0
    ) -> int:
        model = self.venue(instrument)["slippage"]
        e = model.get("rate", 0) + self.impact(instrument, sign, quantity, extra)
        if sign < 0:
            e = min(e, RATE_ONE - 1)
        if reference < 0:
            e = -e
        tick = instrument.tick_size
        exact = reference * (RATE_ONE + sign * e)
        whole = RATE_ONE * tick
        ticks = up(exact, whole) if sign > 0 else exact // whole
        ticks += sign * model.get("ticks", 0)
        if not instrument.negative_prices:
            ticks = max(1, ticks)
        return ticks * tick

    def price_for(self, order: Order, reference: int, quantity: int, extra: int = 0) -> int:
        """Slipped and moved, never worse than the order's limit."""
        price = self.taking_price(self.of(order), order.sign, reference, quantity, extra)
        return self.clamped(order, price)

    @staticmethod
    def clamped(order: Order, price: int) -> int:
        if order.limit_price is None:
            return price
        return min(price, order.limit_price) if order.buys else max(price, order.limit_price)

    @staticmethod
    def worse(order: Order, price: int) -> bool:
        """Say whether a price is worse than the order's limit."""
        limit = order.limit_price
        if limit is None:
            return False
        return price > limit if order.buys else price < limit

    def banded(self, order: Order) -> bool:
        return order.limit_price is None and order.kind not in TRIGGERED

    def out_of_band(self, order: Order, price: int) -> int | None:
        """The edge that a price is beyond, or None."""
        low, high = self.band(order.reference)
        if order.buys:
            return high // RATE_ONE if price * RATE_ONE > high else None
        return up(low, RATE_ONE) if price * RATE_ONE < low else None

    def hold_back(self, order: Order, price: int, edge: int) -> None:
        self.verdict(order, "held", "price_band", {"price": price}, {"price": edge})
        order.reason = "price_band"

    # Cuts.

    def cut_to_position(self, order: Order, quantity: int, before: int = 0) -> int:
        """What a reduce-only order, or one that closes a leg, may still do."""
        if not (self.bound_to_reduce(order) or (self.hedging and order.closes_leg)):
            return quantity
        most = self.reducible(order)
        return quantity if most is None else max(0, min(quantity, most - before))

    def cut_to_funds(
        self,
        order: Order,
        quantity: int,
        price: int,
        liquidity: str,
        purse: Purse | None = None,
    ) -> Cut:
        claimed = purse or Purse.empty()
        instrument = self.of(order)
        if self.by_margin(instrument):
            return self._cut_to_margin(order, quantity, price, liquidity, claimed)
        return self._cut_to_cash(order, quantity, price, liquidity, claimed)

    def _cut_to_cash(
        self, order: Order, quantity: int, price: int, liquidity: str, purse: Purse
    ) -> Cut:
        instrument, sleeve = self.of(order), order.sleeve
        if order.buys:
            currency: int | None = instrument.currency

            def cost(q: int) -> int:
                fee = self.fee_of(order, q, price, liquidity) if q else 0
                return instrument.notional(q, price) + fee

        else:
            currency = instrument.base

            def cost(q: int) -> int:
                return instrument.base_money(q)

        if currency is None:
            return Cut(quantity)
        left = self.spendable(sleeve, currency) - purse.spent.get((sleeve, currency), 0)
        most = self.most_lots(instrument, quantity, lambda q: cost(q) <= left)
        spent = purse.spent.get((sleeve, currency), 0) + cost(most)
        purse.spent[sleeve, currency] = spent
        if most == quantity:
            return Cut(quantity)
        return Cut(most, "cash", {"money": cost(quantity)}, {"money": left})

    def _cut_to_margin(
        self, order: Order, quantity: int, price: int, liquidity: str, purse: Purse
    ) -> Cut:
        instrument, sleeve, line = self.of(order), order.sleeve, self.line_of(order)
        trials = purse.trials.setdefault(sleeve, [])
        held = self.quantities[line] + sum(signed for at, signed, _, _ in trials if at == line)

        def trial(q: int) -> Trial:
            fee = self.fee_of(order, q, price, liquidity) if q else 0
            return (line, order.sign * q, price, fee)

        def after(q: int) -> tuple[int, int]:
            whole = [*trials, trial(q)]
            return self.initial(sleeve, whole), self.equity_after(sleeve, whole)

        def passes(q: int) -> bool:
            if held * order.sign < 0 and q <= abs(held):
                return True
            needed, equity = after(q)
            return needed <= equity

        if self.has_unknown(sleeve):
            most = quantity
        else:
            most = self.most_lots(instrument, quantity, passes)
        cut = Cut(quantity)
        if most < quantity:
            needed, equity = after(quantity)
            cut = Cut(most, "margin", {"money": needed}, {"money": equity})
        if most:
            trials.append(trial(most))
        return cut

    def fee_uncovered(self, order: Order, quantity: int, price: int, liquidity: str) -> bool:
        """Refuse a sale whose fee would take the sleeve's cash below zero; say so."""
        instrument = self.of(order)
        if order.buys or self.by_margin(instrument):
            return False
        fee = self.fee_of(order, quantity, price, liquidity)
        covered = self.spendable(order.sleeve, instrument.currency)
        covered += instrument.notional(quantity, price)
        if covered >= fee:
            return False
        self.verdict(order, "cut", "cash", {"money": fee}, {"money": covered})
        return True

    # Levels.

    def offer(self, instrument: Instrument, size: int | None) -> int | None:
        if size is None:
            return None
        cap = self.venue(instrument).get("participation_max")
        return instrument.lots(size if cap is None else size * int(cap) // RATE_ONE)

    def left_of(self, instrument: Instrument, level: Level) -> int | None:
        offer = self.offer(instrument, level.size)
        return None if offer is None else instrument.lots(offer - level.taken)

    def far(self, order: Order) -> list[Level]:
        """Levels that an order takes from, best first; none of a crossed market."""
        market = self.markets[order.instrument]
        if market.crossed:
            return []
        return market.levels("sell" if order.buys else "buy")

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
                order.trigger_price = self.trailing_price(order, price)
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
            if order.limit_price is None:
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
            if order.reason != "price_band":
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
        fees, raw, charged = 0, order.raw_fees, order.charged
        trials: list[Trial] = []
        rate = self.tier_of(instrument)["taker"]
        minimum = self.venue(instrument)["fee"].get("minimum", 0)
        for q, price in slices:
            more = self.raw_fee(instrument, rate, q, price)
            fee = more
            if minimum:
                fee = max(minimum, raw + more) - (max(minimum, raw) if charged else 0)
            raw, charged = raw + more, True
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
        if order.reason == "price_band":
            order.reason = "volume"
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
        if order.working and order.display_quantity is not None and filled:
            if self.of(order).on_book and order.unfilled > 0:
                if filled >= before:
                    self._rank(order)
                    self._place(order)
                else:
                    order.shown = before - filled
        return filled

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

    def told_standing(self, index: int) -> dict[str, int]:
        """Prices that stand: none of a crossed market."""
        market = self.markets[index]
        told: dict[str, int] = {}
        if market.crossed:
            return told
        for name, side in (("bid", "buy"), ("ask", "sell")):
            best = market.best(side)
            if best is not None:
                told[name] = best
        if index in self.marks:
            told["mark"] = self.marks[index]
        return told

    def source_of(self, order: Order) -> str:
        if order.trigger_by is not None:
            return order.trigger_by
        if self.of(order).matching == "trades":
            return "last"
        return "ask" if order.buys else "bid"

    def _standing_watched(self, order: Order) -> int | None:
        return self.told_standing(order.instrument).get(self.source_of(order))

    def fire(self, index: int, told: Mapping[str, int]) -> list[Order]:
        """Trigger what is met, by id; return those with a limit, which arrive later."""
        later = []
        for order in self.working():
            if order.instrument != index or not order.at_venue or not order.waits_for_trigger:
                continue
            price = told.get(self.source_of(order))
            if price is None or order.unfilled <= 0:
                continue
            if self.trigger_met(order, price):
                self.trigger(order)
                self._rank(order)
                if order.limit_price is None:
                    order.resting, order.reason = True, "volume"
                else:
                    later.append(order)
            elif order.kind == "trailing_stop":
                self.follow(order, price)
        return later

    def follow(self, order: Order, price: int) -> None:
        """Move a trailing trigger that was not met."""
        assert order.trigger_price is not None
        new = self.trailing_price(order, price)
        pick = min if order.buys else max
        order.trigger_price = pick(order.trigger_price, new)

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
        if price < limit if order.buys else price > limit:
            return "through"
        if price == limit and aggressor != order.side:
            return "touch"
        return ""

    def _touched(
        self, order: Order, price: int, size: int, offer: int, used: int, aggressor: str | None
    ) -> int:
        how = self.how_reached(order, price, aggressor)
        if not how:
            return 0
        instrument = self.of(order)
        if how == "touch" and not instrument.on_book:
            if not self.venue(instrument).get("limit_fill_on_touch"):
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
                if order.working and order.kind in AUCTIONS and order.reason != "price_band":
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
        if q <= 0:
            return 0
        if order.tif == "fok":
            if q < order.unfilled:
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
        if order.reason == "price_band":
            order.reason = "volume"
        return self._checked_fill(order, q, price, price, "taker")
