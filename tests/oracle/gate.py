"""Layer 3: the checks of ``docs/engine/gate.md``, section 2, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from oracle.forms import Failure, Figure
from oracle.measures import Check, Measures, fact, money
from oracle.numbers import RATE_ONE
from oracle.terms import Order

ALL = frozenset({"all"})
FORM_ONLY = frozenset({"form", "band"})
AMENDED = frozenset({"all", "amend"})
RELEASED = frozenset({"all", "release"})


class Gate(Measures):
    """Judges orders; changes nothing."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self.counted: list[tuple[int, int]] = []
        """(time, sleeve) of what was let through."""
        self.remembered: dict[tuple[int, int, str, str], tuple[int, tuple[Any, ...]]] = {}

    # What callers ask.

    def judge(self, order: Order, checks: frozenset[str] = ALL) -> Failure | None:
        """Pass an order whole, or name the first check that fails."""
        for check in self._checks(order, checks):
            if not check.passes(order.quantity):
                return Failure(check.rule, check.figure(order.quantity), check.limit)
        return None

    def size(self, order: Order, checks: frozenset[str] = ALL) -> Failure | None:
        """Pass an order whole, or name the check that allows least and what that is."""
        worst: Failure | None = None
        for check in self._checks(order, checks):
            if check.passes(order.quantity):
                continue
            most = self.most_lots(self.of(order), order.quantity, check.passes)
            if worst is None or most < worst.quantity:
                worst = Failure(check.rule, check.figure(order.quantity), check.limit, most)
            if most == 0:
                break
        return worst

    def judge_form(self, order: Order, *, band: bool) -> Failure | None:
        """Numbers 3 to 8."""
        failure = next(self.form_failures(order), None)
        return failure or (self.band_failure(order) if band else None)

    # The checks.

    def _checks(self, order: Order, which: frozenset[str]) -> Iterator[Check]:
        room = self.room(order) if self._known(order) else 0

        def free(q: int) -> bool:
            return room is None or q <= room

        yield from self._states(order, free)
        for failure in self.form_failures(order):
            yield fact(failure.rule, False, failure.figure, failure.limit)
            return
        band = self.band_failure(order)
        if band is not None:
            yield fact(band.rule, False, band.figure, band.limit)
        if order.reduce_only:
            limit: Figure = "none" if room is None else {"quantity": room}
            yield Check("reduce_only", free, lambda q: {"quantity": q}, limit)
        if self.hedging and order.closes_leg:
            limit = {"quantity": room or 0}
            yield Check("leg", free, lambda q: {"quantity": q}, limit)
        yield from self._market_checks(order, free, which)
        yield from self._size_checks(order, free)
        yield from self._funds_checks(order, free)
        yield from self._exposure_checks(order, free)
        yield from self._statistics(order, free)
        yield from self._var_checks(order, free)

    def _known(self, order: Order) -> bool:
        return 0 <= order.instrument < len(self.instruments)

    def _states(self, order: Order, free: Callable[[int], bool]) -> Iterator[Check]:
        for rule, state in (
            ("state", self.fund_state()),
            ("sleeve_state", self.sleeve_state(order.sleeve)),
        ):
            if state == "reduce_only":
                yield Check(rule, free)
            elif state in ("halted", "off"):
                yield Check(rule, lambda q: q <= 0)

    def _halted(self, order: Order) -> Check:
        return fact("halted", not (order.instrument in self.halted and order.tif in ("ioc", "fok")))

    def _market_checks(
        self, order: Order, free: Callable[[int], bool], which: frozenset[str]
    ) -> Iterator[Check]:
        instrument = self.of(order)
        rated = self.rate(instrument.currency) is not None and not self.any_unknown()
        if instrument.base is not None:
            rated = rated and self.rate(instrument.base) is not None
        if not rated:
            yield Check("no_rate", free)
        yield self._halted(order)
        age_max = self.limit("bar_age_max_ns" if instrument.on_bars else "quote_age_max_ns")
        age = self.now - self.mark_times[order.instrument]
        if age_max is not None and age > age_max:
            yield Check("stale_price", free, lambda _: {"duration": age}, {"duration": age_max})
        blocked = self.limit("regimes_blocked")
        if blocked is not None:
            label = self.valid_figure("regime", None)
            if label is None or blocked >> label & 1:
                figure: Figure = "none" if label is None else {"count": label}
                yield Check("regime", free, lambda _: figure)
        if "release" not in which:
            yield from self._rates(order)
            if "amend" not in which:
                yield from self._duplicate(order)
        yield from self._self_trade(order)

    def _rates(self, order: Order) -> Iterator[Check]:
        own = (self.sleeves[order.sleeve].get("limits") or {}).get("order_rate")
        for rule, model, sleeve in (
            ("order_rate", self.limit("order_rate"), None),
            ("sleeve_order_rate", own, order.sleeve),
        ):
            if model is None:
                continue
            since = self.now - model["window_ns"]
            found = sum(
                1 for ts, of in self.counted if ts > since and (sleeve is None or of == sleeve)
            )
            if found >= model["count"]:
                yield fact(rule, False, {"count": model["count"]}, {"count": model["count"]})

    def identity(self, order: Order) -> tuple[Any, ...]:
        trail = None if order.trail is None else tuple(order.trail.items())
        return (
            order.kind,
            order.tif,
            order.expire_at,
            order.quantity,
            order.limit_price,
            None if order.kind == "trailing_stop" else order.trigger_price,
            trail,
            order.trigger_by,
            order.display_quantity,
            order.post_only,
            order.reduce_only,
        )

    def remember(self, order: Order) -> None:
        key = (order.sleeve, order.instrument, order.leg, order.side)
        self.remembered[key] = (self.now, self.identity(order))

    def _duplicate(self, order: Order) -> Iterator[Check]:
        window = self.limit("duplicate_window_ns")
        if window is None or order.origin != "strategy":
            return
        key = (order.sleeve, order.instrument, order.leg, order.side)
        if key not in self.remembered:
            return
        ts, identity = self.remembered[key]
        since = self.now - ts
        if identity == self.identity(order) and since < window:
            yield fact("duplicate", False, {"duration": since}, {"duration": window})

    def _self_trade(self, order: Order) -> Iterator[Check]:
        if not self.limit("self_trade") or self.of(order).on_bars:
            return
        if order.waits_for_trigger:
            return
        found = []
        for other in self.working():
            if other.instrument != order.instrument or other.side == order.side:
                continue
            if other.status == "held" or other.id in self.excluded or not other.unfilled:
                continue
            price = other.limit_price
            if price is None or other.waits_for_trigger:
                continue
            own = order.limit_price
            if own is None or (price <= own if order.buys else price >= own):
                found.append(price)
        if found:
            met = min(found) if order.buys else max(found)
            limit: Figure = "none" if order.limit_price is None else {"price": order.limit_price}
            yield fact("self_trade", False, {"price": met}, limit)

    def _size_checks(self, order: Order, free: Callable[[int], bool]) -> Iterator[Check]:
        instrument = self.of(order)
        units = self.limit("fat_finger_quantity")

        def quantity(q: int) -> Figure:
            return {"quantity": q}

        if units is not None:
            most = units * 10**instrument.quantity_precision
            yield Check("fat_finger_quantity", lambda q: q <= most, quantity, {"quantity": most})
        notional_max = self.limit("fat_finger_notional")
        if notional_max is not None:

            def worth(q: int) -> int:
                notional = abs(instrument.notional(q, order.reference))
                return self.convert(notional, instrument.currency)

            yield Check(
                "fat_finger_notional",
                lambda q: worth(q) <= notional_max,
                lambda q: money(worth(q)),
                money(notional_max),
            )
        share = self.limit("fat_finger_volume")
        if share is not None:
            volume = self.valid_figure("average_volume", order.instrument)
            if volume is None:
                yield Check("fat_finger_volume", free, quantity)
            else:
                most_volume = share * volume // RATE_ONE
                yield Check(
                    "fat_finger_volume",
                    lambda q: q <= most_volume,
                    quantity,
                    {"quantity": most_volume},
                )

    def _funds_checks(self, order: Order, free: Callable[[int], bool]) -> Iterator[Check]:
        instrument = self.of(order)
        margined = self.account["kind"] == "margin"
        if instrument.settlement == "asset" and not order.buys:
            if not margined or self.shortable[order.instrument] == 0:
                held = self.quantities[self.line_of(order)]
                cut_there = order.reduce_only and not order.remote
                flown = 0 if cut_there else self.flight(self.line_of(order), "sell")
                limit: Figure = {"quantity": held - flown}
                yield Check("no_short", free, lambda q: {"quantity": q}, limit)
            else:
                yield self._locate(order, free)
        if self.by_margin(instrument):
            if not self.has_unknown(order.sleeve):
                equity = self.sleeve_equity(order.sleeve)
                yield Check(
                    "margin",
                    lambda q: free(q) or self.required(order.sleeve, order, q) <= equity,
                    lambda q: money(self.required(order.sleeve, order, q)),
                    money(equity),
                )
        else:
            yield from self._cash(order)

    def _locate(self, order: Order, free: Callable[[int], bool]) -> Check:
        lines = {
            line: bounds
            for line, bounds in self.line_bounds().items()
            if line[1] == order.instrument
            if not self.hedging or line[2] == 1 or self.is_turned(line)
        }
        own = self.line_of(order)

        def short(q: int) -> int:
            return sum(
                max(0, -(low - (q if line == own else 0))) for line, (_, low) in lines.items()
            )

        most = self.shortable[order.instrument]
        before = short(0)
        return Check(
            "locate",
            lambda q: free(q) or short(q) <= before or short(q) <= most,
            lambda q: {"quantity": short(q)},
            {"quantity": most},
        )

    def _cash(self, order: Order) -> Iterator[Check]:
        instrument = self.of(order)
        if order.buys:
            available = self.available(order.sleeve, instrument.currency)
            yield Check(
                "cash",
                lambda q: self._cost(order, q) <= available,
                lambda q: money(self._cost(order, q)),
                money(max(available, 0)),
            )
        elif instrument.base is not None:
            base = instrument.base
            left = self.spendable(order.sleeve, base) - self.reserved(order.sleeve, base)
            yield Check(
                "cash",
                lambda q: instrument.base_money(q) <= left,
                lambda q: money(instrument.base_money(q)),
                money(max(left, 0)),
            )

    def _cost(self, order: Order, quantity: int) -> int:
        instrument = self.of(order)
        fee = self.fee_worst(instrument, quantity, order.reference, order.charged)
        return instrument.notional(quantity, max(order.reference, 0)) + fee

    # Answers of later layers.

    def fund_state(self) -> str:
        raise NotImplementedError

    def sleeve_state(self, sleeve: int) -> str:
        raise NotImplementedError
