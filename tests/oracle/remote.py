"""Layer 11: what venues outside report. ``docs/engine/remote.md``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oracle.books import Line
from oracle.numbers import InputError
from oracle.targets import Targets
from oracle.terms import Order

LARGEST = 2**60
NAMES_KEPT = 65_536


class Remote(Targets):
    """Orders that leave, and the reports that move them."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.trades: dict[tuple[int, str], bool] = {}
        """Names of trades that venues have told, oldest first, and whether each stands."""

    # What is an error.

    def _check_report(self, report: Mapping[str, Any], _ts: int) -> None:
        ((name, terms),) = report.items()
        if name not in ("filled", "busted"):
            return
        if not 0 <= terms["sleeve"] < len(self.sleeves):
            raise InputError(f"no sleeve {terms['sleeve']}")
        if not 0 <= terms["instrument"] < len(self.instruments):
            raise InputError(f"no instrument {terms['instrument']}")
        instrument, price = self.instruments[terms["instrument"]], terms["price"]
        if not self.is_remote(instrument):
            raise InputError(f"{instrument.id} is matched here")
        if not terms["trade"]:
            raise InputError("a trade without a name")
        if not 1 <= terms["quantity"] <= LARGEST:
            raise InputError(f"a trade of {terms['quantity']}")
        if abs(price) > LARGEST or (price <= 0 and not instrument.negative_prices):
            raise InputError(f"a trade at {price}")
        if abs(terms["fee"]) > LARGEST:
            raise InputError(f"a fee of {terms['fee']}")
        if (terms["leg"] == "net") == self.hedging:
            raise InputError(f"no leg {terms['leg']}")

    # What each report does.

    def report(self, report: Mapping[str, Any]) -> None:
        ((name, terms),) = report.items()
        self.happened[f"report {name}"] += 1
        used = getattr(self, f"_{name}_told")(terms)
        if not used:
            self.emit_ts("report_ignored", report=name, order=terms["order"])

    def _known_remote(self, terms: Mapping[str, Any]) -> Order | None:
        """Find the order that a report names, if it works at a remote venue."""
        order = self.orders.get(terms["order"])
        return order if order is not None and order.working and order.remote else None

    @staticmethod
    def _unconfirmed(order: Order | None) -> bool:
        return order is not None and order.status in ("submitted", "unknown")

    def _accepted_told(self, terms: Mapping[str, Any]) -> bool:
        order = self._known_remote(terms)
        if order is None or not self._unconfirmed(order):
            return False
        order.move("accepted")
        self.emit("order_accepted", order.record())
        return True

    def _unknown_told(self, terms: Mapping[str, Any]) -> bool:
        order = self._known_remote(terms)
        if order is None or order.status != "submitted":
            return False
        order.move("unknown")
        self.emit_ts("order_unknown", order=order.id)
        return True

    def _rejected_told(self, terms: Mapping[str, Any]) -> bool:
        order = self._known_remote(terms)
        if order is None or not self._unconfirmed(order):
            return self._cancelled_told(terms)
        order.move("rejected")
        order.asked = None
        self.emit("order_rejected", {"order": order.record(), "rule": "venue"})
        self.rejection_counted()
        self._ended(order, rejected=True)
        return True

    def _cancelled_told(self, terms: Mapping[str, Any]) -> bool:
        order = self._known_remote(terms)
        return order is not None and self._finish_order(order, "cancelled", order.asked or "venue")

    def _expired_told(self, terms: Mapping[str, Any]) -> bool:
        order = self._known_remote(terms)
        if order is None:
            return False
        return self._finish_order(order, "expired", "venue" if order.tif == "gtc" else order.tif)

    def _cancel_rejected_told(self, terms: Mapping[str, Any]) -> bool:
        order = self._known_remote(terms)
        if order is None or order.asked is None:
            return False
        order.asked = None
        self.emit_ts("cancel_rejected", order=order.id)
        return True

    def _finish_order(self, order: Order, status: str, reason: str) -> bool:
        order.move(status)
        order.asked = None
        self.emit_ts(f"order_{status}", order=order.id, reason=reason)
        self._ended(order)
        return True

    # Trades.

    def _remember(self, terms: Mapping[str, Any], stands: bool) -> None:
        name = (self.instruments[terms["instrument"]].venue, terms["trade"])
        self.trades[name] = stands
        if len(self.trades) > NAMES_KEPT:
            del self.trades[next(iter(self.trades))]

    def _stands(self, terms: Mapping[str, Any]) -> bool | None:
        """None of a trade that nobody has told."""
        return self.trades.get((self.instruments[terms["instrument"]].venue, terms["trade"]))

    @staticmethod
    def _line_told(terms: Mapping[str, Any]) -> Line:
        return (terms["sleeve"], terms["instrument"], 1 if terms["leg"] == "short" else 0)

    def _filled_told(self, terms: Mapping[str, Any]) -> bool:
        if self._stands(terms) is not None:
            return False
        self._remember(terms, True)
        order, left, fee = self._known_remote(terms), terms["quantity"], terms["fee"]
        same = ("sleeve", "instrument", "side", "leg")
        if order is not None and any(getattr(order, each) != terms[each] for each in same):
            order = None
        if order is not None:
            self._accepted_told(terms)
            quantity = min(order.unfilled, left)
            self._fill_told(order, quantity, terms)
            left, fee = left - quantity, 0
        if left:
            self._book_told(terms, terms["side"], left, fee, "external")
        if order is not None and not order.working:
            self._ended(order)
        self._traded_outside(self._line_told(terms))
        return True

    def _fill_told(self, order: Order, quantity: int, terms: Mapping[str, Any]) -> None:
        price, fee, line = terms["price"], terms["fee"], self.line_of(order)
        order.filled += quantity
        self.book(line, order.side, quantity, price, fee)
        order.move("filled" if order.unfilled == 0 else "partially_filled")
        if not order.working:
            order.asked = None
        kind = "liquidation" if order.origin == "liquidation" else "trade"
        self.emit_fill(
            line, order.id, order.side, quantity, price, fee, 0, kind, terms["liquidity"]
        )
        self.happened[f"fill {kind} {terms['liquidity']}"] += 1
        self._after_fill(order, quantity)

    def _book_told(
        self, terms: Mapping[str, Any], side: str, quantity: int, fee: int, kind: str
    ) -> None:
        """Book a trade that is of no order that works."""
        line, price = self._line_told(terms), terms["price"]
        if terms["instrument"] not in self.marks:
            self.set_mark(terms["instrument"], price)
        self.book(line, side, quantity, price, fee)
        id = terms["order"] if terms["order"] in self.orders else None
        self.emit_fill(line, id, side, quantity, price, fee, 0, kind, terms["liquidity"])
        self.happened[f"fill {kind} {terms['liquidity']}"] += 1

    def _busted_told(self, terms: Mapping[str, Any]) -> bool:
        stood = self._stands(terms)
        self._remember(terms, False)
        if not stood:
            return False
        side = "sell" if terms["side"] == "buy" else "buy"
        self._book_told(terms, side, terms["quantity"], -terms["fee"], "bust")
        self._traded_outside(self._line_told(terms))
        return True

    # What follows.

    def _ended(self, order: Order, *, rejected: bool = False) -> None:
        self.check_margin([order.sleeve])
        if "flatten" in self.causes:
            if not rejected:
                self.flatten_anew(self.line_of(order))
        else:
            self.apply_waiting(order.sleeve)

    def _traded_outside(self, line: Line) -> None:
        if "flatten" in self.causes:
            self.flatten_anew(line)
        if not self.instruments[line[1]].is_exchange:
            for side in ("buy", "sell"):
                self._hold_to_position(line, side)
        self.check_margin_after_mark(line[1])

    def _hold_to_position(self, line: Line, side: str) -> None:
        """Ask for the cancel of what would close more than there is."""
        excess = self.flight(line, side) - self.against(line, side)
        for order in reversed(self.in_flight(line[0])):
            if excess <= 0:
                return
            if self.line_of(order) != line or order.side != side:
                continue
            if self.bound_to_reduce(order) or (self.hedging and order.closes_leg):
                self.end(order, "cancelled", "reduce_only")
                excess -= order.unfilled
