"""Layer 3: the checks of ``docs/engine/gate.md``, section 2, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oracle.exposure import Row
from oracle.forms import Failure, Figure, Forms
from oracle.numbers import RATE_ONE
from oracle.terms import Order

type Amount = int | None


@dataclass(frozen=True)
class Check:
    """One rule: what it measures of a quantity, and its limit."""

    rule: str
    passes: Callable[[int], bool]
    figure: Callable[[int], Figure] = lambda _: "none"
    limit: Figure = "none"


@dataclass(frozen=True)
class Sums:
    """Bounds of lines and rows without the order."""

    lines: dict[tuple[int, int, int], tuple[int, int]]
    rows: dict[Row, tuple[int, int]]


def money(amount: int) -> Figure:
    return {"money": amount}


def fact(rule: str, holds: bool, figure: Figure = "none", limit: Figure = "none") -> Check:
    return Check(rule, lambda _: holds, lambda _: figure, limit)


ALL = frozenset({"all"})
FORM_ONLY = frozenset({"form", "band"})
AMENDED = frozenset({"all", "amend"})
RELEASED = frozenset({"all", "release"})


class Gate(Forms):
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

    def judge_member(self, order: Order, group: int) -> Failure | None:
        """Later members of a group: 3 to 8, 12, 17, then what their hold adds."""
        failure = self.judge_form(order, band=True)
        if failure is not None:
            return failure
        for check in (self._halted(order), *self._self_trade(order)):
            if not check.passes(order.quantity):
                return Failure(check.rule, check.figure(0), check.limit)
        return self._added_hold(order, group)

    def _added_hold(self, order: Order, group: int) -> Failure | None:
        chosen = self.orders[self.chosen[group]]
        instrument = self.of(order)
        if not self.by_margin(instrument):
            if not order.buys:
                return None
            added = self.reserve(order, order.quantity) - self.reserve(chosen, chosen.unfilled)
            available = self.available(order.sleeve, instrument.currency)
            if added <= max(0, available) or added <= 0:
                return None
            return Failure("cash", money(added), money(max(available, 0)))
        if self.margin_hold(order, order.quantity) <= self.margin_hold(chosen, chosen.unfilled):
            return None
        with self.without([each.id for each in self.members(group)]):
            room = self.room(order)
            if room is None or order.quantity <= room:
                return None
            required = self.required(order.sleeve, order, order.quantity)
        equity = self.sleeve_equity(order.sleeve)
        if required <= equity:
            return None
        return Failure("margin", money(required), money(equity))

    # The checks.

    def _checks(self, order: Order, which: frozenset[str]) -> Iterator[Check]:
        room = self.room(order) if self._known(order) else 0

        def free(q: int) -> bool:
            return room is None or q <= room

        yield from self._states(order, free)
        for failure in self.form_failures(order):
            if failure.rule == "lot":
                yield self._whole_lots(order)
            else:
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

    def _whole_lots(self, order: Order) -> Check:
        lot = self.of(order).lot_size
        return Check(
            "lot",
            lambda q: q > 0 and q % lot == 0,
            lambda q: {"quantity": q},
            {"quantity": lot},
        )

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
                yield fact(rule, False)

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
                flown = 0 if order.reduce_only else self.flight(self.line_of(order), "sell")
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

    # Numbers 25 to 32.

    def sums(self) -> Sums:
        lines = self.line_bounds()
        return Sums(lines, self.row_bounds(lines))

    def rows_with(self, sums: Sums, order: Order, q: int) -> dict[Row, tuple[int, int]]:
        rows = dict(sums.rows)
        if self.of(order).is_exchange:
            self.add_exchange(rows, order, q)
        else:
            row = ("instrument", order.instrument)
            high, low = rows[row]
            rows[row] = (high + q, low) if order.buys else (high, low - q)
        return rows

    def line_with(self, sums: Sums, order: Order, q: int) -> tuple[int, int]:
        high, low = sums.lines[self.line_of(order)]
        return (high + q, low) if order.buys else (high, low - q)

    def worst_value(self, row: Row, bounds: tuple[int, int]) -> int:
        return self.value(row, max(bounds[0], -bounds[1])) or 0

    def share(self, rate: Amount) -> Amount:
        return None if rate is None else rate * max(0, self.equity()) // RATE_ONE

    def sleeve_share(self, sleeve: int, name: str) -> Amount:
        rate = (self.sleeves[sleeve].get("limits") or {}).get(name)
        if rate is None:
            return None
        return int(rate) * max(0, self.sleeve_equity(sleeve)) // RATE_ONE

    def gross_of(self, rows: Mapping[Row, tuple[int, int]], sector: str | None = None) -> int:
        return sum(
            self.worst_value(row, bounds)
            for row, bounds in rows.items()
            if sector is None
            or (row[0] == "instrument" and self.instruments[row[1]].sector == sector)
        )

    def lines_value(
        self, lines: Mapping[tuple[int, int, int], tuple[int, int]], sleeve: int | None = None
    ) -> int:
        return sum(
            self.worst_value(("instrument", line[1]), bounds)
            for line, bounds in lines.items()
            if sleeve is None or line[0] == sleeve
        )

    def net_of(self, rows: Mapping[Row, tuple[int, int]]) -> int:
        high = sum(self.value(row, bounds[0]) or 0 for row, bounds in rows.items())
        low = sum(self.value(row, bounds[1]) or 0 for row, bounds in rows.items())
        return max(high, -low)

    def _exposure_checks(self, order: Order, free: Callable[[int], bool]) -> Iterator[Check]:
        sums = self.sums()
        touched = self.touched(order)

        def size(bounds: tuple[int, int]) -> int:
            return max(bounds[0], -bounds[1])

        def raised(row: Row, q: int) -> bool:
            return size(self.rows_with(sums, order, q)[row]) > size(sums.rows[row])

        def of_row(row: Row) -> Callable[[int], int]:
            return lambda q: self.worst_value(row, self.rows_with(sums, order, q)[row])

        for rule, most in (
            ("position", self.limit("position_max")),
            ("concentration", self.share(self.limit("weight_max"))),
        ):
            for row in touched:
                yield from self._raising(rule, lambda q, row=row: raised(row, q), of_row(row), most)  # type: ignore[misc]
        on_line = not self.of(order).is_exchange
        own = self.line_of(order)

        def line_raised(q: int) -> bool:
            return size(self.line_with(sums, order, q)) > size(sums.lines[own])

        def lines_with(q: int) -> dict[tuple[int, int, int], tuple[int, int]]:
            return sums.lines | {own: self.line_with(sums, order, q)}

        def any_raised(q: int) -> bool:
            return any(raised(row, q) for row in touched)

        def gross(q: int) -> int:
            return self.gross_of(self.rows_with(sums, order, q))

        if on_line:
            yield from self._raising(
                "sleeve_concentration",
                line_raised,
                lambda q: self.worst_value(
                    ("instrument", order.instrument), self.line_with(sums, order, q)
                ),
                self.sleeve_share(order.sleeve, "weight_max"),
            )
            yield from self._raising(
                "sector",
                any_raised,
                lambda q: self.gross_of(self.rows_with(sums, order, q), self.of(order).sector),
                self.share(self.limit("sector_max")),
            )
        yield from self._raising("gross", any_raised, gross, self.share(self.limit("gross_max")))
        if on_line:
            yield from self._raising(
                "sleeve_gross",
                line_raised,
                lambda q: self.lines_value(lines_with(q), order.sleeve),
                self.sleeve_share(order.sleeve, "gross_max"),
            )
            yield from self._raising(
                "leverage",
                line_raised,
                lambda q: self.lines_value(lines_with(q)),
                self.share(self.limit("leverage_max")),
            )
        net_max = self.share(self.limit("net_max"))
        if net_max is not None:
            before = self.net_of(sums.rows)

            def net(q: int) -> int:
                return self.net_of(self.rows_with(sums, order, q))

            yield Check(
                "net",
                lambda q: free(q) or net(q) <= before or net(q) <= net_max,
                lambda q: money(net(q)),
                money(net_max),
            )

    @staticmethod
    def _raising(
        rule: str, raised: Callable[[int], bool], figure: Callable[[int], int], most: Amount
    ) -> Iterator[Check]:
        if most is not None:
            yield Check(
                rule,
                lambda q: not raised(q) or figure(q) <= most,
                lambda q: money(figure(q)),
                money(most),
            )

    # Numbers 33 to 36.

    def _statistics(self, order: Order, free: Callable[[int], bool]) -> Iterator[Check]:
        asked = [
            ("volatility_max", "fund_volatility", None),
            ("instrument_volatility_max", "volatility", order.instrument),
        ]
        for name, kind, index in asked:
            most = self.limit(name)
            found = self.valid_figure(kind, index)
            if most is not None and (found is None or found > most):
                figure: Figure = "none" if found is None else {"rate": found}
                yield Check("volatility", free, lambda _, f=figure: f, {"rate": most})  # type: ignore[misc]
        most = self.limit("correlation_max")
        if most is not None:
            found = self.valid_figure("correlation", order.instrument)
            signed = None if found is None else order.sign * found
            if signed is None or signed > most:
                figure = "none" if signed is None else {"rate": signed}
                yield Check("correlation", free, lambda _, f=figure: f, {"rate": most})  # type: ignore[misc]

    def returns_of(self, row: Row) -> list[int] | None:
        kind, index = row
        if kind == "currency":
            found = [
                each.index for each in self.instruments if each.base == index and each.currency == 0
            ]
            if not found:
                return None
            index = found[0]
        returns, expires_at = self.scenarios.get(index, ([], 0))
        return returns if returns and self.now < expires_at else None

    def value_at_risk(self, rows: Mapping[Row, tuple[int, int]], touched: list[Row]) -> int | None:
        model = self.limits["value_at_risk"]
        losses = [0] * model["scenarios"]
        for row, bounds in rows.items():
            if self.value(row, 0) is None:
                continue
            if bounds == (0, 0) and row not in touched:
                continue
            returns = self.returns_of(row)
            if returns is None:
                return None
            high, low = self.value(row, bounds[0]) or 0, self.value(row, bounds[1]) or 0
            for k, r in enumerate(returns):
                losses[k] += max(-high * r, -low * r)
        beyond = model["scenarios"] * (RATE_ONE - model["confidence"]) // RATE_ONE
        loss = sorted(losses, reverse=True)[beyond]
        return max(0, -(-loss // RATE_ONE))

    def _var_checks(self, order: Order, free: Callable[[int], bool]) -> Iterator[Check]:
        model = self.limit("value_at_risk")
        if model is None:
            return
        sums, touched = self.sums(), self.touched(order)
        before = self.value_at_risk(sums.rows, touched)

        def after(q: int) -> int | None:
            return self.value_at_risk(self.rows_with(sums, order, q), touched)

        def figure(amount: int | None) -> Figure:
            return "none" if amount is None else money(amount)

        most = self.share(model["max"])
        if most is not None:

            def within(q: int) -> bool:
                found = after(q)
                if found is None:
                    return False
                return found <= most or (before is not None and found <= before)

            yield Check(
                "value_at_risk",
                lambda q: free(q) or within(q),
                lambda q: figure(after(q)),
                money(most),
            )
        step = self.share(model["step_max"])
        if step is not None:

            def added(q: int) -> int | None:
                found = after(q)
                return None if found is None or before is None else found - before

            def small(q: int) -> bool:
                found = added(q)
                return found is not None and found <= step

            yield Check(
                "incremental_value_at_risk",
                lambda q: free(q) or small(q),
                lambda q: figure(added(q)),
                money(step),
            )

    # Answers of later layers.

    def fund_state(self) -> str:
        raise NotImplementedError

    def sleeve_state(self, sleeve: int) -> str:
        raise NotImplementedError
