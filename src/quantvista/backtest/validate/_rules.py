"""Differences that are known: each rule has a name, says who is right and why, and is recognised.

``docs/validation.md`` explains each at length; a test holds the page to this list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from quantvista.backtest.validate._compare import Difference
from quantvista.backtest.validate._result import Fill, Result
from quantvista.backtest.validate._session import PASSIVE, Order, Row, Session

__all__ = ["RULES", "Case", "Rule", "classify"]


@dataclass(frozen=True, slots=True)
class Case:
    """A difference with everything that may explain it."""

    session: Session
    ours: Result
    theirs: Result
    difference: Difference

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

    def sent(self, order: Order) -> int:
        """When an order was sent."""
        return next(c.ts for c in self.session.commands if order in c.sent())

    def row(self, order: Order) -> Row | None:
        """Newest row of the tape of the order's instrument at that time."""
        rows = [
            row
            for row in self.session.tape
            if row.instrument == order.instrument and row.ts <= self.difference.ts
        ]
        return rows[-1] if rows else None


@dataclass(frozen=True, slots=True)
class Rule:
    """A known difference.

    Parameters
    ----------
    name : str
        Its heading in ``docs/validation.md``.
    right : {"ours", "theirs", "either"}
        Who decides as a market would; ``either`` where both are conventions.
    why : str
        In a line.
    holds : callable
        Whether it explains a difference.
    """

    name: str
    right: Literal["ours", "theirs", "either"]
    why: str
    holds: Callable[[Case], bool]


def classify(case: Case) -> Rule | None:
    """Find the rule that explains a difference, if there is one.

    Parameters
    ----------
    case : Case
        The difference.

    Returns
    -------
    Rule or None
        The first that holds.
    """
    return next((rule for rule in RULES if rule.holds(case)), None)


def _any(case: Case, holds: Callable[[Case, Order], bool]) -> bool:
    return case.difference.what == "fills" and any(holds(case, each) for each in case.differing())


def _rested_at_the_open(case: Case, order: Order) -> bool:
    row, mine = case.row(order), case.mine(order)
    if row is None or row.kind != "bar" or order.limit is None or not mine:
        return False
    rested = case.sent(order) < row.ts - case.session.bar_ns
    return rested and all(fill.price == row.a and fill.liquidity == "taker" for fill in mine)


def _one_resting_fill_an_event(case: Case, order: Order) -> bool:
    """We fill an order that NautilusTrader leaves, where it filled one before it in its list."""
    if order.type not in PASSIVE or not case.mine(order) or case.other(order):
        return False
    orders = case.session.orders()
    return any(
        fill.liquidity == "maker"
        and fill.side == order.side
        and orders[fill.order].instrument == order.instrument
        for fill in case.difference.theirs
    )


def _expired_after_the_event(case: Case, order: Order) -> bool:
    late = order.expires is not None and case.difference.ts >= order.expires
    return late and bool(case.other(order)) and not case.mine(order)


def _crossed_within_the_fund(case: Case, order: Order) -> bool:
    return any(fill.liquidity == "none" for fill in case.mine(order))


RULES: tuple[Rule, ...] = (
    Rule(
        "expired_after_the_event",
        "ours",
        "NautilusTrader matches the first event after an order's expiry before it expires it",
        lambda case: _any(case, _expired_after_the_event),
    ),
    Rule(
        "crossed_within_the_fund",
        "either",
        "opposite market orders meet at the close without a fee before they go to the market",
        lambda case: _any(case, _crossed_within_the_fund),
    ),
    Rule(
        "rested_at_the_open",
        "ours",
        "an opening beyond a resting limit fills at the opening price, not at the limit",
        lambda case: _any(case, _rested_at_the_open),
    ),
    Rule(
        "one_resting_fill_an_event",
        "ours",
        "in NautilusTrader a resting fill moves its own quote, and hides the orders behind it",
        lambda case: _any(case, _one_resting_fill_an_event),
    ),
)
