"""Layer 6: matching at a barrier. ``docs/engine/bars.md``, 5 and 6, ``orders.md``, 10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from oracle.events import Events
from oracle.numbers import RATE_ONE, allocate
from oracle.prices import Purse
from oracle.terms import AUCTIONS, STOPS, Order


@dataclass
class Session:
    """What one barrier has to remember."""

    starts: bool
    ends: bool
    bars: dict[int, Mapping[str, Any]]
    eligible: list[Order] = field(default_factory=list)
    planned: dict[int, int] = field(default_factory=dict)
    external: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    """Volume that may still be used, by instrument."""


@dataclass
class Path:
    """The way of a bar, and the orders on it."""

    index: int
    position: int
    orders: list[Order]
    done: set[int] = field(default_factory=set)
    """Limit orders that have had their fill."""


class Barrier(Events):
    """Bars that waited for their barrier are matched together."""

    def barrier(self, bars: dict[int, Mapping[str, Any]], starts: bool, ends: bool) -> None:
        matched = {index: bar for index, bar in bars.items() if index not in self.halted}
        s = self.session = Session(starts, ends, matched)
        s.eligible = [order for order in self.working() if self._can_match(order)]
        for order in s.eligible:
            order.reason = "day"
            if order.instrument in self.halted:
                order.reason = "halted"
            elif order.instrument not in bars:
                order.reason = "no_bar"
            elif order.waits_for_trigger:
                order.reason = "trigger"
            elif order.limit_price is not None:
                order.reason = "limit"
        indices = sorted(matched)
        for index in indices:
            self._measure(index)
            self._plan(index)
        whole = [index for index in indices if not self.instruments[index].close_only]
        for side in ("sell", "buy"):
            for index in whole:
                bar = matched[index]
                self._auction_group_at(index, side, bar["range"][0], "market", "on_open")
                self._singles(index, side, bar["range"][0])
        for index in whole:
            self._path(index, matched[index])
        for side in ("sell", "buy"):
            if side == "buy":
                for index in indices:
                    self._cross(index)
            for index in indices:
                self._close(index, side, matched[index]["close"])
        for index in indices:
            if self.instruments[index].close_only:
                for order in s.eligible:
                    if order.instrument != index or not order.working:
                        continue
                    if order.kind == "trailing_stop" and order.waits_for_trigger:
                        self.follow(order, matched[index]["close"])
        self.released = [o for o in self.released if not self.of(o).on_bars]
        self._end_of_barrier()

    def _can_match(self, order: Order) -> bool:
        if not self.of(order).on_bars or not order.at_venue or order.ts >= self.now:
            return False
        if order.arrival > self.now:
            return False
        allowed = True
        if order.kind == "on_open":
            allowed = self.session.starts
        elif order.kind == "on_close":
            cutoff = self.now - self.venue(self.of(order)).get("on_close_cutoff_ns", 0)
            allowed = self.session.ends and order.arrival <= cutoff
        order.due = order.due or allowed
        return allowed

    def _end_of_barrier(self) -> None:
        for order in self.working():
            if not order.working or not order.due or not order.at_venue:
                continue
            if self.of(order).on_bars:
                if order.tif in ("ioc", "fok"):
                    self.end(order, "cancelled", order.tif)
                elif order.tif == "day" and self.session.ends:
                    self.end(order, "expired", order.reason)
            elif order.tif == "day" and self.session.ends and self.now >= order.arrival:
                self.end(order, "expired", self._event_reason(order))

    def _event_reason(self, order: Order) -> str:
        if order.reason in ("volume", "price_band", "uncrossed"):
            return order.reason
        if order.waits_for_trigger:
            return "trigger"
        return "limit" if order.limit_price is not None else "day"

    # Step 0.

    def _measure(self, index: int) -> None:
        instrument = self.instruments[index]
        cap = self.venue(instrument).get("participation_max")
        volume = self.session.bars[index]["volume"]
        if cap is not None and volume is not None:
            self.session.left[index] = instrument.lots(volume * cap // RATE_ONE)

    def _plan(self, index: int) -> None:
        s = self.session
        orders = [
            order
            for order in self._of(index)
            if order.kind == "market"
            and order.tif != "fok"
            and not self.bound_to_reduce(order)
            and order.parent is None
            and not order.children
            and order.group is None
        ]
        sides = [[order for order in orders if order.side == side] for side in ("buy", "sell")]
        total = min(sum(order.unfilled for order in each) for each in sides)
        for each in sides:
            shares = self._allocate(index, total, [order.unfilled for order in each])
            for order, share in zip(each, shares, strict=True):
                s.planned[order.id] = share
                s.external[order.id] = order.unfilled - share

    def _allocate(self, index: int, total: int, quantities: list[int]) -> list[int]:
        lot = self.instruments[index].lot_size
        return [s * lot for s in allocate(total // lot, [q // lot for q in quantities])]

    def _of(self, index: int, side: str | None = None) -> list[Order]:
        """Eligible orders that still work, by sleeve and id."""
        found = [
            order
            for order in self.session.eligible
            if self._able(order) and order.instrument == index and side in (None, order.side)
        ]
        return sorted(found, key=lambda order: (order.sleeve, order.id))

    @staticmethod
    def _able(order: Order) -> bool:
        """Say whether an order may fill or trigger: a child may have nothing unfilled for now."""
        return order.working and order.unfilled > 0

    # Groups.

    def _auction_group_at(self, index: int, side: str, reference: int, *kinds: str) -> None:
        """Market orders, and those of the auction, of one instrument and side."""
        external = self.session.external
        group = [
            (order, external.get(order.id, order.unfilled))
            for order in self._of(index, side)
            if order.kind in kinds and not (order.kind == "market" and order.tif == "fok")
        ]
        group = [(order, min(q, order.unfilled)) for order, q in group if q > 0]
        if not group:
            return
        instrument = self.instruments[index]
        total = sum(q for _, q in group)
        price = self.taking_price(instrument, group[0][0].sign, reference, total)
        self._fill_group(group, price, reference, "taker")

    def _fill_group(
        self,
        group: list[tuple[Order, int]],
        price: int,
        reference: int,
        liquidity: str,
    ) -> None:
        """Fill orders of one instrument and side at one price."""
        instrument = self.of(group[0][0])
        index = instrument.index
        admitted, cut = self._admit(group, price, liquidity)
        total = sum(q for _, q in admitted)
        left = self.session.left.get(index, total)
        shares = [q for _, q in admitted]
        if total > left:
            shares = self._allocate(index, left, shares)
        for (order, q), share in zip(admitted, shares, strict=True):
            if share < q:
                order.reason = "volume"
            if share == 0 or not order.working:
                continue
            share = min(share, order.unfilled)
            if share <= 0:
                continue
            if self.fee_uncovered(order, share, price, liquidity):
                cut.append((order, "cash"))
                continue
            self.fill(order, share, price, reference=reference, liquidity=liquidity)
            if liquidity == "taker":
                self.add_impact(instrument, order.sign, share)
            if index in self.session.left:
                self.session.left[index] -= share
        self._cancel(cut)

    def _cancel(self, cut: list[tuple[Order, str]]) -> None:
        for order, reason in cut:
            if order.working:
                self.end(order, "cancelled", reason)

    def _admit(
        self, group: list[tuple[Order, int]], price: int, liquidity: str
    ) -> tuple[list[tuple[Order, int]], list[tuple[Order, str]]]:
        """Band, position and funds, by (sleeve, id), each after the ones before it."""
        purse = Purse.empty()
        reduced: dict[tuple[int, int, int], int] = {}
        admitted, cut = [], []
        for order, wanted in group:
            if self.banded(order) and liquidity == "taker":
                edge = self.out_of_band(order, price)
                if edge is not None:
                    self.hold_back(order, price, edge)
                    continue
            q = self._cut_in_group(order, wanted, reduced)
            if q == 0:
                self.end(order, "cancelled", "reduce_only")
                continue
            found = self.cut_to_funds(order, q, price, liquidity, purse)
            if found.rule:
                self.verdict(order, "cut", found.rule, found.figure, found.limit)
                cut.append((order, found.rule))
            admitted.append((order, found.quantity))
        return admitted, cut

    def _cut_in_group(
        self, order: Order, wanted: int, reduced: dict[tuple[int, int, int], int]
    ) -> int:
        line = self.line_of(order)
        q = self.cut_to_position(order, wanted, reduced.get(line, 0))
        reduced[line] = reduced.get(line, 0) + q
        return q

    # Singles.

    def _singles(self, index: int, side: str, first: int) -> None:
        """Those that match one at a time, by id, at the first price of a bar."""
        orders = sorted(self._of(index, side), key=lambda order: order.id)
        for order in orders:
            if not self._able(order) or order.kind in AUCTIONS:
                continue
            if order.kind == "market" and order.tif != "fok":
                continue
            if order.waits_for_trigger:
                if not self.trigger_met(order, first):
                    continue
                self._trigger_on_bar(order)
            self._act_at(order, first)

    def _trigger_on_bar(self, order: Order) -> None:
        self.trigger(order)
        order.reason = "limit" if order.limit_price is not None else "day"

    def _act_at(self, order: Order, first: int) -> None:
        """Act at a price of the bar, as a taker where it is marketable."""
        if order.unfilled <= 0:
            return
        if self.worse(order, first):
            order.rested = True
            return
        if not order.post_only:
            price = self.price_for(order, first, order.unfilled)
            self._fill_single(order, price, first, "taker")
        elif not order.rested:
            self.end(order, "cancelled", "post_only")
        else:
            assert order.limit_price is not None
            self._fill_single(order, order.limit_price, order.limit_price, "maker")

    def _fill_single(self, order: Order, price: int, reference: int, liquidity: str) -> None:
        if order.tif != "fok":
            self._fill_group([(order, order.unfilled)], price, reference, liquidity)
            return
        if self.banded(order):
            edge = self.out_of_band(order, price)
            if edge is not None:
                self.hold_back(order, price, edge)
                return
        whole = order.unfilled
        q = self.cut_to_position(order, whole)
        if q == 0:
            self.end(order, "cancelled", "reduce_only")
            return
        if q == whole:
            found = self.cut_to_funds(order, q, price, liquidity)
            if found.rule:
                self.verdict(order, "cut", found.rule, found.figure, found.limit)
            q = found.quantity
        left = self.session.left.get(order.instrument, q)
        if min(q, left) < whole or self.fee_uncovered(order, whole, price, liquidity):
            self.end(order, "cancelled", "fok")
            return
        self.fill(order, whole, price, reference=reference, liquidity=liquidity)
        if liquidity == "taker":
            self.add_impact(self.of(order), order.sign, whole)
        if order.instrument in self.session.left:
            self.session.left[order.instrument] -= whole

    # The path.

    def _path(self, index: int, bar: Mapping[str, Any]) -> None:
        s, (first, high, low) = self.session, bar["range"]
        turns = [first, low, high, bar["close"]]
        if high - first < first - low:
            turns = [first, high, low, bar["close"]]
        on_it = [
            order
            for order in s.eligible
            if order.working
            and order.instrument == index
            and order.kind not in ("market", *AUCTIONS)
            and (order.waits_for_trigger or order.limit_price is not None)
        ]
        path = Path(index, first, on_it)
        for order in on_it:
            if order.kind == "trailing_stop" and order.waits_for_trigger:
                self.follow(order, first)
        self._enter_released(path)
        for start, end in pairwise(turns):
            while True:
                event = self._next_event(path, start, end)
                if event is None:
                    break
                order, path.position = event
                self._happen(path, order)
                self._enter_released(path)
            path.position = end
            for order in path.orders:
                if order.working and order.kind == "trailing_stop" and order.waits_for_trigger:
                    self.follow(order, end)

    def _next_event(self, path: Path, start: int, end: int) -> tuple[Order, int] | None:
        found = []
        for order in path.orders:
            if not self._able(order) or order.id in path.done:
                continue
            event = self._event_of(order, path.position, start, end)
            if event is not None:
                price, phase = event
                found.append((abs(price - start), phase, order.id, price, order))
        if not found:
            return None
        _, _, _, price, order = min(found, key=lambda each: each[:3])
        return order, price

    def _event_of(self, order: Order, at: int, start: int, end: int) -> tuple[int, int] | None:
        """Price and phase of what an order will do on the rest of a segment."""
        if start == end:
            return None
        up = end > start
        if order.waits_for_trigger:
            trigger = order.trigger_price
            assert trigger is not None
            rising = order.buys == (order.kind in STOPS)
            if rising != up:
                return None
            met = at <= trigger <= end if up else end <= trigger <= at
            return (trigger, 0) if met else None
        limit = order.limit_price
        if limit is None or order.buys == up:
            return None
        touch = bool(self.venue(self.of(order)).get("limit_fill_on_touch"))
        beyond = end > limit if up else end < limit
        if not (beyond or (touch and end == limit)):
            return None
        return (max(limit, at) if up else min(limit, at)), (0 if touch else 1)

    def _happen(self, path: Path, order: Order) -> None:
        if order.waits_for_trigger:
            self._trigger_on_bar(order)
            self._act_at(order, path.position)
            if order.limit_price is None or not self.worse(order, path.position):
                path.done.add(order.id)
            return
        assert order.limit_price is not None
        path.done.add(order.id)
        self._fill_single(order, order.limit_price, order.limit_price, "maker")

    def _enter_released(self, path: Path) -> None:
        """Let released orders enter at the present position, by id."""
        while True:
            waiting = [order for order in self.released if order.instrument == path.index]
            if not waiting:
                return
            for order in sorted(waiting, key=lambda order: order.id):
                self.released.remove(order)
                if order.working and order.unfilled > 0:
                    self._enter(path, order)

    def _enter(self, path: Path, order: Order) -> None:
        at = path.position
        if order.kind in AUCTIONS:
            return
        if order not in path.orders:
            path.orders.append(order)
        path.done.discard(order.id)
        if not order.due:
            order.due = True
            order.reason = "limit" if order.limit_price is not None else "day"
            if order.kind == "trailing_stop":
                order.trigger_price = self.trailing_price(order, at)
            if order.waits_for_trigger:
                order.reason = "trigger"
        if order.waits_for_trigger:
            if not self.trigger_met(order, at):
                return
            self._trigger_on_bar(order)
        self._act_at(order, at)
        if order.limit_price is None or not self.worse(order, at):
            path.done.add(order.id)

    # Step 3.

    def _close(self, index: int, side: str, close: int) -> None:
        if self.instruments[index].close_only:
            self._auction_group_at(index, side, close, "market", "on_close")
            self._singles(index, side, close)
        else:
            self._auction_group_at(index, side, close, "on_close")

    def _cross(self, index: int) -> None:
        planned = self.session.planned
        price = self.session.bars[index]["close"]
        sides = []
        for side in ("sell", "buy"):
            here = [o for o in self._of(index, side) if planned.get(o.id, 0) > 0]
            inside = []
            for order in here:
                edge = self.out_of_band(order, price)
                if edge is None:
                    inside.append((order, min(planned[order.id], order.unfilled)))
                else:
                    self.hold_back(order, price, edge)
            sides.append(inside)
        purse = Purse.empty()
        cut: list[tuple[Order, str]] = []
        reduced: dict[tuple[int, int, int], int] = {}
        ready = [self._admit_cross(each, price, purse, reduced, cut) for each in sides]
        total = min(sum(q for _, q in each) for each in ready)
        for each in ready:
            shares = self._allocate(index, total, [q for _, q in each])
            for (order, _), share in zip(each, shares, strict=True):
                if share < planned[order.id]:
                    order.reason = "uncrossed"
                if share > 0:
                    self.fill(order, share, price, reference=price, kind="cross", liquidity="none")
        self._cancel(cut)

    def _admit_cross(
        self,
        orders: list[tuple[Order, int]],
        price: int,
        purse: Purse,
        reduced: dict[tuple[int, int, int], int],
        cut: list[tuple[Order, str]],
    ) -> list[tuple[Order, int]]:
        ready = []
        for order, wanted in orders:
            q = self._cut_in_group(order, wanted, reduced)
            if q == 0:
                self.end(order, "cancelled", "reduce_only")
                continue
            found = self.cut_to_funds(order, q, price, "none", purse)
            if found.rule:
                self.verdict(order, "cut", found.rule, found.figure, found.limit)
                cut.append((order, found.rule))
            ready.append((order, found.quantity))
        return ready
