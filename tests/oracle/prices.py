"""Layer 6: prices, cuts and levels. ``docs/engine/matching.md``, 2, 5 and 10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

from oracle.commands import Commands
from oracle.exposure import Trial
from oracle.market import Level, Market
from oracle.numbers import RATE_ONE, up
from oracle.terms import TRIGGERED, Instrument, Order, Record


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


class Prices(Commands):
    """What things cost, and what may be paid for."""

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
        ticks += sign * int(model.get("ticks", 0))
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
