"""Layer 4: the life of orders, lists and changes. ``docs/engine/orders.md``, 4, 7, 8 and 9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from oracle.forms import Failure
from oracle.gate import RELEASED, Gate
from oracle.terms import Order, order_of

ENGINES = ("liquidation", "operator")


class Life(Gate):
    """Orders come, hang together, change and end."""

    # Making.

    def make(self, request: Mapping[str, Any], origin: str = "strategy") -> Order:
        order = order_of(request, len(self.orders) + 1, self.now, origin)
        order.remote = self.is_remote(self.of(order))
        self.orders[order.id] = order
        self.prepare(order)
        return order

    def prepare(self, order: Order) -> None:
        """Fix the reference price, and the first trigger of a trailing stop."""
        known = self.marks.get(order.instrument)
        mark = order.mark = known or 0
        if order.kind == "trailing_stop" and order.trail is not None and known is not None:
            order.trigger_price = self.trailing_price(order, mark)
        price = order.limit_price if order.limit_price is not None else order.trigger_price
        order.reference = mark if price is None else price

    def reject(self, order: Order, failure: Failure, *, held_trigger: int | None = None) -> None:
        if order.kind == "trailing_stop":
            order.trigger_price = order.asked_trigger if held_trigger is None else held_trigger
        order.move("rejected")
        self.emit("order_rejected", {"order": order.record(), "rule": failure.rule})
        self.say(order, "rejected", failure)

    def say(
        self, order: Order, outcome: str, failure: Failure | None = None, *, count: bool = True
    ) -> None:
        """Give the gate's verdict, and count it."""
        if failure is None:
            self.verdict(order, outcome, "all")
        else:
            self.verdict(order, outcome, failure.rule, failure.figure, failure.limit)
        rule = "all" if failure is None else failure.rule
        self.judged(order, outcome, rule, count=count)

    def judged(self, order: Order, outcome: str, rule: str, *, count: bool = True) -> None:
        """Count a verdict of the gate."""
        self.verdict_counted(outcome, rule)
        if outcome in ("accepted", "cut") and count:
            self.counted.append((self.now, order.sleeve))

    def accept(
        self,
        order: Order,
        failure: Failure | None = None,
        *,
        travel: bool = True,
        arrival: int | None = None,
    ) -> None:
        """Let an order work, or send it on its way; `failure` is what cut it."""
        self.alive.append(order)
        if arrival is None:
            arrival = self.arrival_of(order, "submit") if travel else self.now
        if order.remote:
            order.move("submitted")
            order.arrival = self.now
            self.emit("order_submitted", order.record())
        elif arrival > self.now:
            order.move("submitted")
            self.send(order, "submit", arrival)
            order.arrival = arrival
            self.emit("order_submitted", order.record())
        else:
            order.move("accepted")
            order.arrival = self.now
            self.emit("order_accepted", order.record())
        if order.origin == "liquidation":
            # Nobody asked the gate for it.
            self.verdict(order, "accepted", "all")
            return
        self.say(order, "accepted" if failure is None else "cut", failure)

    def come(self, order: Order) -> None:
        """Let an order that was accepted at the venue act there."""
        if order.status == "accepted" and not self.of(order).on_bars:
            self.arrive(order)
            self.act_released()

    def act_released(self) -> None:
        """Let released children of event instruments arrive, in the order of their release."""
        while True:
            waiting = [o for o in self.released if not self.of(o).on_bars]
            if not waiting:
                return
            self.released.remove(waiting[0])
            if waiting[0].working:
                self.arrive(waiting[0])

    def submit(self, request: Mapping[str, Any]) -> None:
        order = self.make(request)
        failure = self.judge(order)
        if failure is not None:
            self.reject(order, failure)
            return
        self.remember(order)
        self.accept(order)
        self.come(order)

    # Lists.

    def submit_list(self, requests: Sequence[Mapping[str, Any]], link: str) -> None:
        orders = [self.make(request) for request in requests]
        failed = self._judge_list(orders, link)
        if failed is not None:
            place, failure = failed
            for number, order in enumerate(orders):
                whole = place is None or number == place
                self.reject(order, failure if whole else Failure("linked"))
            return
        arrival = self.arrival_of(orders[0], "submit")
        for order in orders:
            if order.parent is None:
                self.remember(order)
                self.accept(order, arrival=arrival)
            else:
                self.alive.append(order)
                order.move("held")
                # A trailing stop has no trigger before its release.
                order.trigger_price = order.asked_trigger
                self.emit("order_held", order.record())
                # A child counts when it is released.
                self.say(order, "accepted", count=False)
        self.choose(orders[0].group)
        for order in orders:
            if order.parent is None and order.working:
                self.come(order)

    def _judge_list(self, orders: list[Order], link: str) -> tuple[int | None, Failure] | None:
        """None if all pass; else the place of the first refused and why (None: all of it)."""
        if not self._well_formed(orders, link):
            return (None, Failure("linked"))
        if orders[0].remote:
            return (0, Failure("venue"))
        if link == "oco":
            for order in orders:
                order.group = orders[0].id
        else:
            for order in orders[1:]:
                order.parent = orders[0].id
            orders[0].children = [order.id for order in orders[1:]]
            if link == "bracket":
                orders[1].group = orders[2].group = orders[1].id
        if link == "oco":
            return self._judge_members(orders)
        failure = self.judge(orders[0])
        if failure is not None:
            return (0, failure)
        for place, order in enumerate(orders[1:], 1):
            failure = self.judge_form(order, band=False)
            if failure is not None:
                return (place, failure)
        return None

    def _judge_members(self, orders: list[Order]) -> tuple[int, Failure] | None:
        """Members of a new group, each as if it stood alone."""
        for place, order in enumerate(orders):
            failure = self.judge(order)
            if failure is not None:
                return (place, failure)
        return None

    def _well_formed(self, orders: list[Order], link: str) -> bool:
        first = orders[0] if orders else None
        if first is None or not 2 <= len(orders) <= 8:
            return False
        for order in orders:
            same = (order.sleeve, order.instrument, order.leg, order.quantity)
            if same != (first.sleeve, first.instrument, first.leg, first.quantity):
                return False
        brief = [order.tif in ("ioc", "fok") for order in orders]
        if any(brief[1:]) or (link == "oco" and brief[0]):
            return False
        if link == "oto":
            return True
        exits = orders if link == "oco" else orders[1:]
        if any(order.side != exits[0].side or order.kind == "market" for order in exits):
            return False
        if link == "oco":
            return True
        return len(orders) == 3 and first.side != exits[0].side

    # Fills and what follows from them.

    def fill(
        self,
        order: Order,
        quantity: int,
        price: int,
        *,
        reference: int,
        kind: str = "trade",
        liquidity: str = "taker",
    ) -> None:
        assert 0 < quantity <= order.unfilled, f"order {order.id} overfilled by {quantity}"
        instrument = self.of(order)
        fee = self.fee_of(order, quantity, price, liquidity)
        if liquidity != "none":
            rate = self.tier_of(instrument)[liquidity]
            order.raw_fees += self.raw_fee(instrument, rate, quantity, price)
            order.charged = True
            notional = abs(instrument.notional(quantity, price))
            self.traded[instrument.venue] += self.convert(notional, instrument.currency)
        if kind == "trade" and order.origin == "liquidation":
            kind = "liquidation"
        order.filled += quantity
        line = self.line_of(order)
        self.book(line, order.side, quantity, price, fee)
        whole = order.unfilled == 0 and not self._parent_works(order)
        order.move("filled" if whole else "partially_filled")
        if whole:
            self.leave(order)
        slippage = abs(instrument.notional(quantity, price - reference))
        self.emit_fill(line, order.id, order.side, quantity, price, fee, slippage, kind, liquidity)
        self.happened[f"fill {kind} {liquidity}"] += 1
        self._after_fill(order, quantity)

    def emit_fill(
        self,
        line: tuple[int, int, int],
        order: int | None,
        side: str,
        quantity: int,
        price: int,
        fee: int = 0,
        slippage: int = 0,
        kind: str = "settlement",
        liquidity: str = "none",
    ) -> None:
        self.fills += 1
        self.emit_ts(
            "order_filled",
            id=self.fills,
            order=order,
            instrument=line[1],
            sleeve=line[0],
            leg=line[2],
            side=side,
            quantity=quantity,
            price=price,
            fee=fee,
            slippage=slippage,
            kind=kind,
            liquidity=liquidity,
        )

    def _parent_works(self, order: Order) -> bool:
        return order.parent is not None and self.orders[order.parent].working

    def bound_to_reduce(self, order: Order) -> bool:
        """Say whether an order is reduce-only, by its flag or by the state of fund or sleeve."""
        return order.reduce_only or not self.new_risk_allowed(order.sleeve)

    def reducible(self, order: Order) -> int | None:
        """Whole lots that may come off the position; None is unlimited."""
        room = self.room(order, flagged=True)
        return None if room is None else self.of(order).lots(room)

    def _after_fill(self, order: Order, quantity: int) -> None:
        if order.group is not None:
            for sibling in self.members(order.group):
                if sibling is order or not sibling.working or sibling.status == "held":
                    continue
                sibling.quantity -= quantity
                if sibling.unfilled <= 0 and not self._parent_works(sibling):
                    self.end(sibling, "cancelled", "linked")
                else:
                    self.amended(sibling)
        bound = self.bound_to_reduce(order) or (self.hedging and order.closes_leg)
        if order.working and bound and self.reducible(order) == 0:
            self.end(order, "cancelled", "reduce_only")
        if order.children:
            self._release(order)
            self._enlarge(order, quantity)
            if order.status == "filled":
                for id in order.children:
                    child = self.orders[id]
                    if not child.working or child.status == "held" or child.unfilled > 0:
                        continue
                    if child.filled == 0:
                        self.end(child, "cancelled", "linked")
                        continue
                    child.move("filled")
                    self.leave(child)

    def amended(self, order: Order) -> None:
        self.emit_ts("order_amended", order=order.record())

    def _release(self, parent: Order) -> None:
        """Let the held children work: the first of a group in sizing form, its others whole."""
        leaders: dict[int, Order] = {}
        held = [c for c in parent.children if self.orders[c].status == "held"]
        for id in held:
            child = self.orders[id]
            if child.status != "held":
                continue
            child.quantity = parent.filled
            held_trigger = child.trigger_price
            self.prepare(child)
            leader = leaders.get(child.group) if child.group is not None else None
            if leader is None:
                failure = self.size(child, RELEASED)
                refused = failure is not None and failure.quantity == 0
                if failure is not None and not refused:
                    child.quantity = failure.quantity
            else:
                child.quantity = leader.quantity
                group = [each.id for each in self.members(child.group or 0)]
                with self.without(group):
                    failure = self.judge(child, RELEASED)
                refused = failure is not None
            if refused and failure is not None:
                self.reject(child, failure, held_trigger=held_trigger)
                continue
            child.move("accepted")
            child.arrival = child.last_command = self.now
            if child.group is not None:
                leaders.setdefault(child.group, child)
            self.choose(child.group)
            self.emit("order_accepted", child.record())
            self.say(child, "accepted" if failure is None else "cut", failure)
            self.released.append(child)
        self._newly = set(held)

    def _enlarge(self, parent: Order, quantity: int) -> None:
        """Let children that were released before grow with their parent."""
        groups: dict[int, list[Order]] = {}
        for id in parent.children:
            child = self.orders[id]
            if child.working and child.status != "held" and id not in self._newly:
                groups.setdefault(child.group or child.id, []).append(child)
        for members in groups.values():
            self._enlarge_together(members, quantity)

    def _enlarge_together(self, members: list[Order], quantity: int) -> None:
        said: list[tuple[Order, str, Failure | None]] = []
        grow, refused = quantity, False
        for place, child in enumerate(members):
            trial = copy(child)
            trial.quantity, trial.filled, trial.status = grow, 0, "initialised"
            if trial.display_quantity is not None:
                trial.display_quantity = min(trial.display_quantity, grow)
            if place == 0:
                failure = self.size(trial, RELEASED)
                refused = failure is not None and failure.quantity == 0
                if failure is not None and not refused:
                    grow = failure.quantity
                said.append((child, "cut" if failure else "accepted", failure))
            else:
                failure = self.judge(trial, RELEASED)
                refused = failure is not None
                said.append((child, "accepted", failure))
            if refused:
                said[-1] = (child, "rejected", failure)
                break
        # All or none: of a group that may not grow, only the refusal is told.
        for child, outcome, failure in said[-1:] if refused else said:
            if not refused:
                child.quantity += grow
                self.amended(child)
                if not self.of(child).on_bars:
                    # It comes to the venue anew.
                    self.leave(child)
                self.released.append(child)
            self.say(child, outcome, failure)

    # Ends.

    def end(self, order: Order, status: str, reason: str) -> None:
        """Cancel or expire a working order, and end what hangs on it.

        A remote venue is asked for it instead, and works the order on.
        """
        if order.remote:
            if order.asked is None:
                order.asked = reason
                self.emit_ts("cancel_requested", order=order.id, reason=reason)
            return
        order.move(status)
        self.leave(order)
        self.emit_ts(f"order_{status}", order=order.id, reason=reason)
        if order.group is not None:
            for sibling in self.members(order.group):
                if sibling.working:
                    self.end(sibling, "cancelled", "linked")
        for id in order.children:
            child = self.orders[id]
            if child.working and (child.status == "held" or child.unfilled <= 0):
                self.end(child, "cancelled", "linked")

    def verdict_counted(self, outcome: str, rule: str) -> None:
        raise NotImplementedError
