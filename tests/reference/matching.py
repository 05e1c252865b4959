"""Matching at a barrier: sections 5 and 6 of ``docs/engine/bars.md``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from reference.book import Book
from reference.orders import Order
from reference.rules import Instrument, allocate, largest, share_of


@dataclass(frozen=True)
class Bar:
    """One bar; ``open``, ``high`` and ``low`` are missing where it is close-only."""

    open: int | None
    high: int | None
    low: int | None
    close: int
    volume: int | None


@dataclass
class Barrier:
    """One barrier and the bars that waited for it."""

    book: Book
    bars: dict[int, Bar]
    session_start: bool
    session_end: bool
    planned: dict[int, int] = field(default_factory=dict)
    """Quantity of each market order that is to cross, by order id."""
    external: dict[int, int] = field(default_factory=dict)
    """Quantity of each market order that goes to the venue, by order id."""
    volume_left: dict[int, int] = field(default_factory=dict)

    def run(self) -> None:
        """Match everything, then close what does not stay."""
        self.eligible = [order for order in self.book.working() if self._can_match(order)]
        for order in self.eligible:
            order.reason = "limit" if order.order_type == "limit" else ""
            if order.instrument not in self.bars:
                order.reason = "no_bar"
        for index in sorted(self.bars):
            self._measure_volume(index)
            self._plan_crosses(index)
        for side in ("sell", "buy"):
            for index in self._with_bars(close_only=False):
                self._open(index, side)
        for index in self._with_bars(close_only=False):
            self._inside(index)
        self._close("sell")
        for index in sorted(self.bars):
            self._cross(index)
        self._close("buy")
        self._end()

    # Section 5: who may match, and what happens to those who are left.

    def _can_match(self, order: Order) -> bool:
        if order.ts >= self.book.now:
            return False
        allowed = True
        if order.order_type == "on_open":
            allowed = self.session_start
        elif order.order_type == "on_close":
            cutoff = self.book.now - self.book.rules.venue.on_close_cutoff_ns
            allowed = self.session_end and order.ts <= cutoff
        order.due = order.due or allowed
        return allowed

    def _end(self) -> None:
        for order in self.book.working():
            if not order.due:
                continue
            if order.tif == "ioc":
                self.book.close(order, "cancelled", "ioc")
            elif order.tif == "day" and self.session_end:
                self.book.close(order, "expired", order.reason or "day")

    # Section 6, step 0.

    def _measure_volume(self, index: int) -> None:
        cap = self.book.rules.venue.participation_max
        volume = self.bars[index].volume
        if cap is not None and volume is not None:
            lot = self.book.instrument(index).lot_size
            self.volume_left[index] = share_of(cap, volume) // lot * lot

    def _plan_crosses(self, index: int) -> None:
        sides = [self._of(index, side, "market") for side in ("buy", "sell")]
        total = min(sum(order.unfilled for order in orders) for orders in sides)
        for orders in sides:
            shares = self._allocate(index, total, [order.unfilled for order in orders])
            for order, share in zip(orders, shares, strict=True):
                self.planned[order.id] = share
                self.external[order.id] = order.unfilled - share

    # Steps 1 to 3.

    def _open(self, index: int, side: str) -> None:
        price = self.bars[index].open
        assert price is not None
        group = self._of(index, side, "market", "on_open")
        self._fill_auction(group, price)
        self._fill_marketable(index, side, price)

    def _inside(self, index: int) -> None:
        """Walk the path of the bar: the nearer extreme first, the low where both are as near."""
        bar = self.bars[index]
        assert bar.open is not None
        assert bar.high is not None
        assert bar.low is not None
        extremes = [bar.low, bar.high]
        if bar.high - bar.open < bar.open - bar.low:
            extremes.reverse()
        path = [bar.open, *extremes, bar.close]
        waiting = [*self._of(index, "sell", "limit"), *self._of(index, "buy", "limit")]
        for start, end in pairwise(path):
            met = sorted(
                (abs(self._met_at(order, start) - start), order.id, order)
                for order in waiting
                if self._is_met(order, start, end)
            )
            for _, _, order in met:
                waiting.remove(order)
                limit = order.limit_price
                assert limit is not None
                self._fill_group([(order, order.unfilled)], limit, limit, banded=False)

    def _is_met(self, order: Order, start: int, end: int) -> bool:
        """Whether the market goes through a limit, or to it where that is enough."""
        limit = order.limit_price
        assert limit is not None
        touch = self.book.rules.venue.limit_fill == "touch"
        if order.side == "buy":
            return end < start and (end < limit or (touch and end == limit))
        return end > start and (end > limit or (touch and end == limit))

    @staticmethod
    def _met_at(order: Order, start: int) -> int:
        assert order.limit_price is not None
        bound = min if order.side == "buy" else max
        return bound(order.limit_price, start)

    def _close(self, side: str) -> None:
        for index in sorted(self.bars):
            price = self.bars[index].close
            if self.book.instrument(index).close_only:
                self._fill_auction(self._of(index, side, "market", "on_close"), price)
                self._fill_marketable(index, side, price)
            else:
                self._fill_auction(self._of(index, side, "on_close"), price)

    def _cross(self, index: int) -> None:
        book, instrument, price = self.book, self.book.instrument(index), self.bars[index].close
        sales = [o for o in self._planned(index, "sell") if self._in_band(o, price)]
        buys = [o for o in self._planned(index, "buy") if self._in_band(o, price)]
        wanted = [(order, self.planned[order.id]) for order in buys]
        paid, cut = self._admit(instrument, wanted, price, banded=False, free=True)
        buying = [quantity for _, quantity in paid]
        selling = [self.planned[order.id] for order in sales]
        total = min(sum(buying), sum(selling))
        filled = self._allocate(index, total, selling) + self._allocate(index, total, buying)
        for order, quantity in zip(sales + buys, filled, strict=True):
            if quantity < self.planned[order.id]:
                order.reason = "uncrossed"
            if quantity > 0:
                book.trade(order, quantity, price, reference=price, kind="cross")
        self._cancel(cut)

    # Filling.

    def _fill_marketable(self, index: int, side: str, reference: int) -> None:
        slipped = self.book.rules.slipped(self.book.instrument(index), side, reference)
        bound = max if side == "sell" else min
        for order in sorted(self._of(index, side, "limit"), key=lambda order: order.id):
            limit = order.limit_price
            assert limit is not None
            if limit <= reference if side == "sell" else limit >= reference:
                price = bound(slipped, limit)
                self._fill_group([(order, order.unfilled)], price, reference, banded=False)

    def _fill_auction(self, orders: list[Order], reference: int) -> None:
        """Fill market, on-open and on-close orders of one instrument and side."""
        group = [(order, self.external.get(order.id, order.unfilled)) for order in orders]
        group = [(order, quantity) for order, quantity in group if quantity > 0]
        if not group:
            return
        first = group[0][0]
        instrument = self.book.instrument(first.instrument)
        price = self.book.rules.slipped(instrument, first.side, reference)
        self._fill_group(group, price, reference, banded=True)

    def _in_band(self, order: Order, price: int) -> bool:
        """Say whether an order's band contains the price, else hold the order."""
        rules = self.book.rules
        if order.side == "sell":
            low = rules.band_low(order.reference_price)
            inside, edge = low <= price, math.ceil(low)
        else:
            high = rules.band_high(order.reference_price)
            inside, edge = price <= high, math.floor(high)
        if not inside:
            self.book.verdict(order, "held", "price_band", price, edge)
            order.reason = "price_band"
        return inside

    def _fill_group(
        self, group: list[tuple[Order, int]], price: int, reference: int, *, banded: bool
    ) -> None:
        """Fill a group of orders of one instrument and side."""
        if not group:
            return
        book = self.book
        instrument = book.instrument(group[0][0].instrument)
        group, cut = self._admit(instrument, group, price, banded=banded, free=False)
        total = sum(quantity for _, quantity in group)
        left = self.volume_left.get(instrument.index, total)
        shares = [quantity for _, quantity in group]
        if total > left:
            shares = self._allocate(instrument.index, left, shares)
        for (order, quantity), share in zip(group, shares, strict=True):
            if share < quantity:
                order.reason = "volume"
            if share == 0:
                continue
            fee = book.rules.fee(instrument, share, price)
            covered = book.ledger.cash(order.sleeve) + instrument.notional(share, price)
            if order.side == "sell" and covered < fee:
                book.verdict(order, "cut", "cash", fee, covered)
                cut.append(order)
                continue
            book.trade(order, share, price, reference=reference, kind="trade")
            if instrument.index in self.volume_left:
                self.volume_left[instrument.index] -= share
        self._cancel(cut)

    def _admit(
        self,
        instrument: Instrument,
        group: list[tuple[Order, int]],
        price: int,
        *,
        banded: bool,
        free: bool,
    ) -> tuple[list[tuple[Order, int]], list[Order]]:
        """Rules 1 and 2: who may fill how much; also the buys that were cut to the cash."""
        rules, lot = self.book.rules, instrument.lot_size
        spent: dict[int, int] = {}
        admitted, cut = [], []

        def cost(quantity: int) -> int:
            fee = 0 if free else rules.fee(instrument, quantity, price)
            return instrument.notional(quantity, price) + fee

        def covered(wanted: int, left: int) -> int:
            return lot * largest(wanted // lot, lambda lots: cost(lots * lot) <= left)

        for order, wanted in group:
            if banded and not self._in_band(order, price):
                continue
            if order.side == "sell":
                admitted.append((order, wanted))
                continue
            left = self.book.ledger.cash(order.sleeve) - spent.get(order.sleeve, 0)
            quantity = covered(wanted, left)
            if quantity < wanted:
                self.book.verdict(order, "cut", "cash", cost(wanted), left)
                cut.append(order)
            admitted.append((order, quantity))
            spent[order.sleeve] = spent.get(order.sleeve, 0) + cost(quantity)
        return admitted, cut

    def _cancel(self, orders: Iterable[Order]) -> None:
        for order in orders:
            self.book.close(order, "cancelled", "cash")

    # Small helpers.

    def _with_bars(self, *, close_only: bool) -> list[int]:
        return [i for i in sorted(self.bars) if self.book.instrument(i).close_only == close_only]

    def _of(self, index: int, side: str, *types: str) -> list[Order]:
        """Eligible orders that still work, by sleeve and order id."""
        orders = [
            order
            for order in self.eligible
            if order.working
            and (order.instrument, order.side) == (index, side)
            and order.order_type in types
        ]
        return sorted(orders, key=lambda order: order.rank)

    def _planned(self, index: int, side: str) -> list[Order]:
        return [order for order in self._of(index, side, "market") if self.planned[order.id] > 0]

    def _allocate(self, index: int, total: int, quantities: list[int]) -> list[int]:
        lot = self.book.instrument(index).lot_size
        shares = allocate(total // lot, [quantity // lot for quantity in quantities])
        return [share * lot for share in shares]
