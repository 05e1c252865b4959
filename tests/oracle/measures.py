"""Layer 3: what a fund may carry, numbers 25 to 36 of ``docs/engine/gate.md``, section 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from oracle.exposure import Row
from oracle.forms import Figure, Forms
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


class Measures(Forms):
    """Figures of lines and rows with an order, and their limits."""

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

    def line_worst(self, line: tuple[int, int, int], bounds: tuple[int, int]) -> int:
        """The largest that a line may become; what closes a leg cannot open the other side."""
        high, low = bounds
        if not self.hedging or self.is_turned(line):
            return max(high, -low)
        return -low if line[2] else high

    def line_value(self, line: tuple[int, int, int], bounds: tuple[int, int]) -> int:
        return self.value(("instrument", line[1]), self.line_worst(line, bounds)) or 0

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
            self.line_value(line, bounds)
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
            after = self.line_worst(own, self.line_with(sums, order, q))
            return after > self.line_worst(own, sums.lines[own])

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
                lambda q: self.line_value(own, self.line_with(sums, order, q)),
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
        losses: list[int] = [0] * model["scenarios"]
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
        beyond = int(model["scenarios"]) * (RATE_ONE - model["confidence"]) // RATE_ONE
        loss: int = sorted(losses, reverse=True)[beyond]
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
