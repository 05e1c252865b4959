"""Layer 5: orders are cancelled, changed and replaced, and time goes on. ``orders.md``, 6 and 8."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from oracle.forms import Failure
from oracle.gate import ALL, AMENDED
from oracle.life import Life
from oracle.terms import Order


class Commands(Life):
    """What is asked of orders that there are, and when it comes to them."""

    # Commands.

    def cancel(self, id: int) -> None:
        order = self.orders.get(id)
        if order is None or not order.working:
            self.emit_ts("cancel_rejected", order=id)
            return
        arrival = self.now if order.status == "held" else self.arrival_of(order, "cancel")
        if arrival > self.now:
            self.send(order, "cancel", arrival)
        else:
            self.end(order, "cancelled", "requested")

    def cancel_at_venue(self, order: Order) -> None:
        if order.working:
            self.end(order, "cancelled", "requested")
        else:
            self.emit_ts("cancel_rejected", order=order.id)

    def amend(self, terms: Mapping[str, Any]) -> None:
        order = self.orders.get(terms["order"])
        if order is None or not order.working:
            self.emit_ts("amend_rejected", order=terms["order"], rule="unknown")
            return
        arrival = self.now if order.status == "held" else self.arrival_of(order, "amend")
        if arrival > self.now:
            self.send(order, "amend", arrival, terms)
        else:
            self.amend_at_venue(order, terms)

    def amend_at_venue(self, order: Order, terms: Mapping[str, Any]) -> None:
        if not order.working:
            self.emit_ts("amend_rejected", order=order.id, rule="unknown")
            return
        if order.remote:
            self.emit_ts("amend_rejected", order=order.id, rule="venue")
            self.say(order, "rejected", Failure("venue"))
            return
        names = ("quantity", "limit_price", "trigger_price", "trail", "expire_at")
        new = {name: terms[name] for name in names if terms.get(name) is not None}
        changed = {name: value for name, value in new.items() if value != getattr(order, name)}
        trial = self._amended_trial(order, new)
        failure = self._amend_failure(order, new, changed, trial)
        if failure is not None:
            self.emit_ts("amend_rejected", order=order.id, rule=failure.rule)
            self.say(order, "rejected", failure)
            return
        only_less = set(changed) == {"quantity"} and changed["quantity"] < order.quantity
        for name, value in new.items():
            setattr(order, name, value)
        if order.status == "held" and changed:
            order.arrival = self.now
            order.asked_trigger, order.reference = trial.asked_trigger, trial.reference
            if "trail" in new:
                order.trigger_price = trial.trigger_price
        if not changed or only_less or order.status == "held":
            self._tell_amended(order)
            return
        order.asked_trigger = trial.asked_trigger
        order.trigger_price = trial.trigger_price
        order.reference, order.mark = trial.reference, trial.mark
        order.arrival = self.now
        order.new_trail = "trail" in changed
        order.rested = False
        order.fresh = True
        self.leave(order)
        self.choose(order.group)
        self._tell_amended(order)
        if order.at_venue and not self.of(order).on_bars:
            self.arrive(order)
            self.act_released()

    def _tell_amended(self, order: Order) -> None:
        self.amended(order)
        self.say(order, "accepted")

    def _amended_trial(self, order: Order, new: Mapping[str, Any]) -> Order:
        """The order as it would be asked for now."""
        trial = copy(order)
        trial.status = "initialised"
        for name, value in new.items():
            setattr(trial, name, value)
        if "trigger_price" in new:
            trial.asked_trigger = new["trigger_price"]
        trial.quantity, trial.filled = trial.quantity - order.filled, 0
        if trial.display_quantity is not None:
            trial.display_quantity = min(trial.display_quantity, max(trial.quantity, 1))
        before = trial.trigger_price
        self.prepare(trial)
        if order.kind == "trailing_stop" and "trail" not in new:
            # Only new terms of the trail give a new first trigger.
            trial.trigger_price = before
        return trial

    def _amend_failure(
        self,
        order: Order,
        new: Mapping[str, Any],
        changed: Mapping[str, Any],
        trial: Order,
    ) -> Failure | None:
        quantity = new.get("quantity", order.quantity)
        if quantity <= order.filled:
            return Failure("lot", {"quantity": quantity}, {"quantity": order.filled})
        lot = self.of(order).lot_size
        if trial.quantity % lot:
            return Failure("lot", {"quantity": quantity}, {"quantity": lot})
        if "quantity" in changed and (order.group is not None or order.parent is not None):
            return Failure("linked")
        if "trail" in new and order.triggered:
            return Failure("trigger")
        if "trigger_price" in new and (order.triggered or order.kind == "trailing_stop"):
            return Failure("trigger")
        if not changed:
            return None
        if order.status == "held":
            return self.judge_form(trial, band=False)
        if set(changed) == {"quantity"} and changed["quantity"] < order.quantity:
            return None
        ids = [order.id] if order.group is None else [o.id for o in self.members(order.group)]
        with self.without(ids):
            return self.judge(trial, AMENDED)

    def replace(self, id: int, request: Mapping[str, Any]) -> None:
        order = self.orders.get(id)
        arrival = self.now
        if order is not None and order.working and order.status != "held":
            arrival = self.arrival_of(order, "amend")
        if arrival > self.now and order is not None:
            self.send(order, "replace", arrival, request)
        else:
            self.replace_at_venue(order, request)

    def replace_at_venue(self, order: Order | None, request: Mapping[str, Any]) -> None:
        new = self.make(request)
        if order is None or not order.working:
            self.reject(new, Failure("unknown"))
            return
        if order.remote:
            self.reject(new, Failure("venue"))
            return
        hangs = order.parent is not None or order.group is not None or bool(order.children)
        same = ("sleeve", "instrument", "side", "leg")
        if hangs or any(getattr(order, name) != getattr(new, name) for name in same):
            self.reject(new, Failure("linked"))
            return
        with self.without([order.id]):
            failure = self.judge(new, ALL)
        if failure is not None:
            self.reject(new, failure)
            return
        self.end(order, "cancelled", "replaced")
        self.remember(new)
        self.accept(new, arrival=self.now)
        self.come(new)

    # Time.

    def do_due(self, until: int) -> None:
        """Do expiries and arrivals up to a time, in the order of (time, expiries first, id)."""
        while True:
            due: list[tuple[int, int, int, int, Any]] = [
                (order.expire_at, 0, order.id, 0, order)
                for order in self.working()
                if order.expire_at is not None and order.expire_at <= until and not order.remote
            ]
            due += [
                (arrival, 1, id, number, (kind, terms))
                for arrival, id, number, kind, terms in self.transit
                if arrival <= until
            ]
            if not due:
                return
            ts, which, id, number, what = min(due, key=lambda each: each[:4])
            self.now = max(self.now, ts)
            if which == 0:
                self.end(what, "expired", "gtd")
                continue
            self.transit = [each for each in self.transit if each[2] != number]
            self._reach(self.orders[id], *what)

    def _reach(self, order: Order, kind: str, terms: Any) -> None:  # noqa: ANN401 - by kind
        if kind == "submit":
            if order.status == "submitted":
                order.move("accepted")
                self.emit("order_accepted", order.record())
                self.come(order)
        elif kind == "cancel":
            self.cancel_at_venue(order)
        elif kind == "amend":
            self.amend_at_venue(order, terms)
        else:
            self.replace_at_venue(order, terms)
