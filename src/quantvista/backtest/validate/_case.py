"""A difference with all that may explain it, as the rules look at it."""

from collections.abc import Callable
from dataclasses import dataclass

from quantvista.backtest.validate._compare import Difference
from quantvista.backtest.validate._result import Fill, Result
from quantvista.backtest.validate._session import Command, Order, Row, Session

__all__ = ["Case", "any_order"]


@dataclass(frozen=True, slots=True)
class Case:
    """A difference, the session, and what both sides made of it."""

    session: Session
    ours: Result
    theirs: Result
    difference: Difference

    @property
    def ts(self) -> int:
        """When the results part."""
        return self.difference.ts

    def differing(self) -> list[Order]:
        """Orders that were not filled alike at that time."""
        orders = self.session.orders()
        return [orders[number] for number in sorted(self.difference.orders())]

    def mine(self, order: Order) -> list[Fill]:
        """Our fills of an order at that time."""
        return [fill for fill in self.difference.ours if fill.order == order.id]

    def other(self, order: Order) -> list[Fill]:
        """NautilusTrader's fills of an order at that time."""
        return [fill for fill in self.difference.theirs if fill.order == order.id]

    def command(self, order: Order) -> Command:
        """Find what sent an order."""
        return next(each for each in self.session.commands if order in each.sent())

    def amendments(self, order: Order) -> list[Command]:
        """Find what changed an order before that time."""
        return [
            each
            for each in self.session.commands
            if each.do == "amend" and each.id == order.id and each.ts < self.ts
        ]

    def row(self, order: Order) -> Row:
        """Newest row of the tape of the order's instrument at that time."""
        return next(
            row
            for row in reversed(self.session.tape)
            if row.instrument == order.instrument and row.ts <= self.ts
        )

    def alive(self, order: Order) -> bool:
        """Look whether the order had not ended before that time, on either side."""
        ends = (self.ours.ends.get(order.id), self.theirs.ends.get(order.id))
        return all(end is None or end.ts >= self.ts for end in ends)

    def tick(self, order: Order) -> int:
        """Tick of the order's instrument."""
        return self.session.instruments[order.instrument].tick_size

    def instrument(self, fill: Fill) -> int:
        """Instrument of a fill."""
        return self.session.orders()[fill.order].instrument

    def of(self, fills: tuple[Fill, ...], order: Order) -> list[Fill]:
        """Those fills that are on the order's side of its instrument."""
        return [
            fill
            for fill in fills
            if fill.side == order.side and self.instrument(fill) == order.instrument
        ]

    def before(self, fills: tuple[Fill, ...], order: Order, since: int) -> list[Fill]:
        """Those fills of the order's instrument that came from ``since`` to that time."""
        return [
            fill
            for fill in fills
            if since <= fill.ts <= self.ts and self.instrument(fill) == order.instrument
        ]


def any_order(
    holds: Callable[[Case, Order], bool], *, alive: bool = True
) -> Callable[[Case], bool]:
    """Make of a condition on an order one on a difference of fills: that it holds for one.

    By default for one that had not ended before, on either side.
    """

    def inner(case: Case) -> bool:
        return case.difference.what == "fills" and any(
            holds(case, order) for order in case.differing() if not alive or case.alive(order)
        )

    return inner
