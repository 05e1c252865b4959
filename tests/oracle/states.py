"""Layer 9: states, commands, crossed limits and breakers. ``docs/engine/gate.md``, 6 and 7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oracle.actions import Actions
from oracle.books import Line
from oracle.forms import Failure, Figure
from oracle.measures import money
from oracle.numbers import RATE_ONE, InputError
from oracle.terms import Order

STRICTNESS = {"active": 0, "on": 0, "reduce_only": 1, "halted": 2, "off": 2}
BREAKERS = ("drawdown", "day_loss", "rejects", "dislocation", "order_rate")

LIMITS = [
    "price_band",
    "fat_finger_quantity",
    "fat_finger_notional",
    "fat_finger_volume",
    "position_max",
    "weight_max",
    "sector_max",
    "gross_max",
    "leverage_max",
    "net_max",
    "volatility_max",
    "instrument_volatility_max",
    "correlation_max",
    "regimes_blocked",
    "bar_age_max_ns",
    "quote_age_max_ns",
    "duplicate_window_ns",
]
NESTED = {
    "value_at_risk": ("value_at_risk", "max"),
    "incremental_value_at_risk": ("value_at_risk", "step_max"),
    "order_rate": ("order_rate", "count"),
}


class States(Actions):
    """What the fund and its sleeves may do, and who says so."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.causes: dict[str, str] = {}
        self.sleeve_states: dict[int, str] = {}
        self.references: dict[int, tuple[int, int]] = {}
        self.last_marks: dict[int, tuple[int, int]] = {}
        self.tripped: dict[str, Failure] = {}
        self.rejects: list[int] = []
        self.verdicts: list[int] = []
        super().__init__(config)
        self.limits = {**self.limits, "breakers": dict(self.limits.get("breakers") or {})}
        for name in ("value_at_risk", "order_rate"):
            if self.limits.get(name) is not None:
                self.limits[name] = dict(self.limits[name])
        self.peak = self.open = self.equity()
        self.sleeve_peaks = [self.sleeve_equity(s) for s in range(len(self.sleeves))]

    # States.

    def fund_state(self) -> str:
        return max(["active", *self.causes.values()], key=lambda state: STRICTNESS[state])

    def sleeve_state(self, sleeve: int) -> str:
        return self.sleeve_states.get(sleeve, "on")

    def new_risk_allowed(self, sleeve: int) -> bool:
        return self.fund_state() == "active" and self.sleeve_state(sleeve) == "on"

    def begin(self, cause: str, state: str, failure: Failure | None = None) -> None:
        """Let a cause hold, unless it holds as strictly; flatten is always told."""
        if cause != "flatten" and STRICTNESS[self.causes.get(cause, "active")] >= STRICTNESS[state]:
            return
        before = self.fund_state()
        self.causes[cause] = state
        self._tell_state(cause, failure)
        after = self.fund_state()
        if cause == "flatten" or STRICTNESS[after] > STRICTNESS[before]:
            self._tidy(after, None)

    def _tell_state(self, cause: str, failure: Failure | None = None) -> None:
        told = failure or Failure("all")
        self.happened[f"state {self.fund_state()}"] += 1
        self.happened[f"cause {cause}"] += 1
        self.emit_ts(
            "state_changed",
            state=self.fund_state(),
            cause=cause,
            rule=told.rule,
            figure=told.figure,
            limit=told.limit,
        )

    def cease(self, cause: str) -> None:
        before = self.fund_state()
        if self.causes.pop(cause, None) is not None and self.fund_state() != before:
            self._tell_state(cause)

    def _tidy(self, state: str, sleeve: int | None) -> None:
        """Cancel what may not work in a state."""
        for order in self.working():
            if not order.working or sleeve not in (None, order.sleeve):
                continue
            # Those of a Flatten live on while a sleeve is off.
            if order.origin == "liquidation" or (order.origin == "operator" and sleeve is not None):
                continue
            if state in ("halted", "off"):
                self.end(order, "cancelled", "state")
            elif order.status != "held" and not self._may_stay(order):
                self.end(order, "cancelled", "reduce_only")

    def _may_stay(self, order: Order) -> bool:
        """Say whether an order may go on when fund or sleeve turns reduce-only."""
        if order.remote and not self.of(order).is_exchange:
            line = self.line_of(order)
            return self.flight(line, order.side) <= self.against(line, order.side)
        room = self.room(order, flagged=True)
        return room is None or room > 0

    def change_sleeve(self, sleeve: int, state: str, cause: str = "operator") -> None:
        before = self.sleeve_state(sleeve)
        if state == "on" and not self.has_unknown(sleeve):
            self.sleeve_peaks[sleeve] = self.sleeve_equity(sleeve)
        if state == before:
            return
        self.sleeve_states[sleeve] = state
        self.happened[f"sleeve {state}"] += 1
        self.emit_ts("sleeve_changed", sleeve=sleeve, state=state, cause=cause)
        if STRICTNESS[state] > STRICTNESS[before]:
            self._tidy(state, sleeve)

    # Commands.

    def forget_targets(self) -> None:
        raise NotImplementedError

    def command(self, command: Any) -> None:  # noqa: ANN401 - a name or a dictionary
        name, terms = (command, {}) if isinstance(command, str) else next(iter(command.items()))
        self.happened[f"command {name}"] += 1
        match name:
            case "halt":
                self.begin("operator", "halted")
            case "reduce":
                self.begin("operator", "reduce_only")
            case "resume":
                self._resume()
            case "flatten":
                self.forget_targets()
                self.begin("flatten", "halted")
                self._flatten()
            case "sleeve":
                self.change_sleeve(terms["sleeve"], terms["state"])
            case "change_limit":
                self._change_limit(terms["name"], terms["value"])
            case _:
                raise InputError(f"unknown command {name}")

    def _resume(self) -> None:
        before = self.fund_state()
        ended = [cause for cause in self.causes if cause != "limit_crossed"]
        for cause in ended:
            del self.causes[cause]
        found = self._crossed(True) if self.limit("crossed") == "reduce_only" else None
        if found is None:
            self.causes.pop("limit_crossed", None)
        if self.fund_state() != before:
            self._tell_state("operator" if ended else "limit_crossed")
        if not self.any_unknown():
            self.peak = self.open = self.equity()
        self.rejects, self.verdicts = [], []
        self.references, self.last_marks = {}, {}
        if found is not None:
            self.begin("limit_crossed", "reduce_only", found)

    def _flatten(self) -> None:
        self.closing: list[Order] = []
        for line in self.all_lines():
            self._flatten_at(line)
        for order in self.closing:
            self.come(order)

    def flatten_anew(self, line: Line) -> None:
        """Close what is left of a line, once an order in it has ended."""
        self.closing = []
        self._flatten_at(line)
        for order in self.closing:
            self.come(order)

    def _flatten_at(self, line: Line) -> None:
        instrument = self.instruments[line[1]]
        held = self.quantities[line]
        if instrument.base is not None:
            if line[2] == 0 and instrument.currency == 0:
                self._flatten_exchange(line, instrument.base)
        elif held:
            left = abs(held)
            if self.is_remote(instrument):
                left = instrument.lots(left - self.flight(line, "sell" if held > 0 else "buy"))
            if left > 0:
                self._flatten_line(line, left)

    def _flatten_exchange(self, line: Line, base: int) -> None:
        instrument = self.instruments[line[1]]
        out = sum(
            self.of(each).base_money(each.unfilled)
            for each in self.in_flight(line[0])
            if not each.buys and self.of(each).base == base
        )
        left = self.money_of(line[0], base) - out
        lots = left // instrument.base_money(instrument.lot_size)
        if lots > 0:
            self._flatten_line(line, lots * instrument.lot_size)

    def _flatten_line(self, line: Line, quantity: int) -> None:
        request = self.closing_request(line, quantity)
        if self.instruments[line[1]].is_exchange:
            request["side"] = "sell"
        order = self.make(request, "operator")
        instrument = self.of(order)
        if not instrument.listed(self.now) or line[1] in self.ended:
            self.reject(order, Failure("not_listed"))
        elif line[1] not in self.marks:
            self.reject(order, Failure("no_price"))
        else:
            self.accept(order)
            self.closing.append(order)

    def check_limit(self, name: str, value: int | None) -> None:
        signed = name in ("correlation_max", "regimes_blocked")
        low = value is not None and value <= 0 and not signed
        if name in LIMITS:
            wide = name == "price_band" and (value is None or value >= RATE_ONE)
            if low or wide:
                raise InputError(f"`{name}` out of range")
        elif name in NESTED:
            if low or self.limits.get(NESTED[name][0]) is None:
                raise InputError(f"`{name}` out of range")
        elif name in ("drawdown", "day_loss"):
            if low or value is None or self.limits["breakers"].get(name) is None:
                raise InputError(f"`{name}` out of range")
        else:
            raise InputError(f"no limit {name}")

    def _change_limit(self, name: str, value: int | None) -> None:
        if name in LIMITS:
            self.limits[name] = value
        elif name in NESTED:
            outer, inner = NESTED[name]
            self.limits[outer][inner] = value
        else:
            self.limits["breakers"][name] = {**self.limits["breakers"][name], "limit": value}
        self.emit_ts("limit_changed", name=name, value=value)

    # Limits that the market crosses.

    def look_for_crossed(self, *, whole: bool) -> None:
        if self.limit("crossed") != "reduce_only":
            return
        found = self._crossed(whole)
        if found is not None:
            self.begin("limit_crossed", "reduce_only", found)
        elif whole:
            self.cease("limit_crossed")

    def _crossed(self, whole: bool) -> Failure | None:
        sums = self.sums()

        def over(rule: str, figure: int, most: int | None) -> Failure | None:
            if most is None or figure <= most:
                return None
            return Failure(rule, money(figure), money(most))

        looks: list[Failure | None] = []
        if whole:
            for rule, most in (
                ("position", self.limit("position_max")),
                ("concentration", self.share(self.limit("weight_max"))),
            ):
                looks += [
                    over(rule, self.worst_value(row, bounds), most)
                    for row, bounds in sums.rows.items()
                ]
            for sector in sorted({each.sector for each in self.instruments}):
                figure = self.gross_of(sums.rows, sector)
                looks.append(over("sector", figure, self.share(self.limit("sector_max"))))
        looks.append(over("gross", self.gross_of(sums.rows), self.share(self.limit("gross_max"))))
        looks.append(
            over("leverage", self.lines_value(sums.lines), self.share(self.limit("leverage_max")))
        )
        looks.append(over("net", self.net_of(sums.rows), self.share(self.limit("net_max"))))
        model = self.limit("value_at_risk")
        if whole and model is not None:
            known = self.value_at_risk(sums.rows, [])
            if known is not None:
                looks.append(over("value_at_risk", known, self.share(model["max"])))
        return next((look for look in looks if look is not None), None)

    # Breakers.

    def breaker(self, name: str) -> Mapping[str, Any] | None:
        model: Mapping[str, Any] | None = self.limits["breakers"].get(name)
        return model

    def trip(self, name: str, figure: Figure, limit: Figure) -> None:
        if name not in self.causes and name not in self.tripped:
            self.tripped[name] = Failure("all", figure, limit)

    def take_effect(self) -> None:
        """Let what has tripped take effect, in the order of the table."""
        for name in BREAKERS:
            failure = self.tripped.pop(name, None)
            model = self.breaker(name)
            if failure is not None and model is not None and name not in self.causes:
                self.begin(name, model["state"], failure)

    def look_at_equity(self) -> None:
        """Drawdown and day loss of the fund, and the sleeves' drawdowns."""
        if not self.any_unknown():
            equity = self.equity()
            for name, base in (("drawdown", self.peak), ("day_loss", self.open)):
                model = self.breaker(name)
                if model is None:
                    continue
                most = base * model["limit"] // RATE_ONE
                if base - equity > most:
                    self.trip(name, money(base - equity), money(most))

    def look_at_sleeves(self) -> None:
        for sleeve in range(len(self.sleeves)):
            rate = (self.sleeves[sleeve].get("limits") or {}).get("drawdown_max")
            if rate is None or self.has_unknown(sleeve):
                continue
            peak = self.sleeve_peaks[sleeve]
            lost = peak - self.sleeve_equity(sleeve)
            if lost > peak * rate // RATE_ONE and self.sleeve_state(sleeve) == "on":
                self.change_sleeve(sleeve, "reduce_only", "drawdown")

    def look_at_losses(self) -> None:
        """At the start of an input: what trips takes effect at once."""
        self.look_at_equity()
        self.take_effect()
        self.look_at_sleeves()

    def raise_peaks(self) -> None:
        if not self.any_unknown():
            self.peak = max(self.peak, self.equity())
        for sleeve in range(len(self.sleeves)):
            if not self.has_unknown(sleeve):
                peak = max(self.sleeve_peaks[sleeve], self.sleeve_equity(sleeve))
                self.sleeve_peaks[sleeve] = peak

    def capital_moved(self, sleeve: int, amount: int) -> None:
        self.peak += amount
        self.open += amount
        self.sleeve_peaks[sleeve] += amount

    def open_day(self) -> None:
        """End a day loss that holds, and measure from now on."""
        self.cease("day_loss")
        if not self.any_unknown():
            self.open = self.equity()

    def verdict_counted(self, outcome: str, rule: str) -> None:
        self.verdicts.append(self.now)
        self._count("order_rate", self.verdicts)
        if outcome == "rejected" and rule not in ("state", "sleeve_state"):
            self.rejection_counted()

    def rejection_counted(self) -> None:
        self.rejects.append(self.now)
        self._count("rejects", self.rejects)

    def _count(self, name: str, times: list[int]) -> None:
        model = self.breaker(name)
        if model is None:
            return
        found = sum(1 for ts in times if ts > self.now - model["window_ns"])
        if found > model["limit"]:
            self.trip(name, {"count": found}, {"count": model["limit"]})

    def mark_set(self, index: int, before: tuple[int, int] | None) -> None:
        model = self.breaker("dislocation") if "breakers" in self.limits else None
        previous = self.last_marks.get(index)
        self.last_marks[index] = (self.marks[index], self.now)
        if model is None:
            return
        mark, window = self.marks[index], model["window_ns"]
        reference = self.references.get(index)
        if reference is None or self.now - reference[1] > window:
            reference = previous
            if reference is None or self.now - reference[1] > window:
                self.references[index] = (mark, self.now)
                return
            self.references[index] = reference
        moved = abs(mark - reference[0]) * RATE_ONE
        if moved > model["limit"] * abs(reference[0]):
            rate = moved // abs(reference[0]) if reference[0] else 2**63 - 1
            self.trip("dislocation", {"rate": rate}, {"rate": model["limit"]})

    def mark_restated(self, index: int) -> None:
        self.references.pop(index, None)
        self.last_marks.pop(index, None)
