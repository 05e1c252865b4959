"""The gap between what a fund earned on paper and its backtest, divided among causes.

The method is a chain of counterfactuals, each with one more thing made as it is in the backtest, as
implementation shortfall (Perold 1988, "The implementation shortfall: paper versus reality",
Journal of Portfolio Management 14(3)) is divided among its causes, and as contributions in a
sequential decomposition always are. What a cause has cost is the equity at the end of one member
of the chain less that of the next, so that the parts are whole numbers that sum to the gap by
construction: nothing is left unexplained, and nothing is scaled to fit.

===========  =======================================================================
reality      the node's journal, done again
own          without trades that the fund did not order
costs        the same fills, at the fees of the backtest
fills        the same orders when the venue had them, filled by the backtest's venue
timing       the same orders when they were wanted, after the backtest's latency
left alone   the same, without what others ended or held back
decided      strategies and settings of the journal decide again, operators act as they did
undisturbed  the same, and nobody acts
signal       strategies and settings of the backtest
data         the backtest: on the history that the user named
===========  =======================================================================

The order matters, as in every sequential decomposition; it goes from what happened last (a fee) to
what came first (a price), so that each cause is measured on the orders that there really were.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantvista.trading.divergence._incidents import Incident
from quantvista.trading.divergence._matching import Matching, Pair
from quantvista.trading.divergence._track import Order, Track

__all__ = ["CAUSES", "Cause", "Chain", "Divergence", "Side", "attribute"]

CAUSES: Mapping[str, str] = {
    "data": "other prices than the node saw",
    "signal": "other strategies or settings",
    "reactions": "other orders, after other fills",
    "timing": "orders reached the venue sooner or later",
    "fills": "other prices and quantities at the venue",
    "costs": "other fees",
    "interventions": "halts, holds, restarts, trades of others",
}
"""Causes with what they are in a few words, in the order in which they act."""

_STEPS = (
    ("own", "interventions"),
    ("costs", "costs"),
    ("fills", "fills"),
    ("timing", "timing"),
    ("left alone", "interventions"),
    ("decided", "reactions"),
    ("undisturbed", "interventions"),
    ("signal", "signal"),
    ("data", "data"),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """What one cause contributed; positive where it earned more on paper than in the backtest.

    Parameters
    ----------
    name : str
        One of `CAUSES`.
    amount : int
        In 1e-12 of the fund's currency.
    of_instruments, of_sleeves : mapping of str to int
        The same divided; what is of no instrument, such as money at changed rates, is missing
        from the first.
    curve : tuple of int
        The same as of each time of the grid.
    """

    name: str
    amount: int
    of_instruments: Mapping[str, int]
    of_sleeves: Mapping[str, int]
    curve: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared; money in 1e-12 of the fund's currency.

    Parameters
    ----------
    profit : int
        From the beginning to the end.
    equity : tuple of int
        At each time of the grid.
    of_instruments, of_sleeves : mapping of str to int
        What was earned by instrument; equity at the end by sleeve.
    orders, fills : int
        How many.
    fees : int
        Paid.
    """

    profit: int
    equity: tuple[int, ...]
    of_instruments: Mapping[str, int]
    of_sleeves: Mapping[str, int]
    orders: int
    fills: int
    fees: int


@dataclass
class Chain:
    """Tracks from reality to the backtest.

    Parameters
    ----------
    reality : Track
        What happened.
    steps : dict of str to Track
        By the names of the table above; one that is missing is as the one before it.
    folded : dict of str to str
        Causes that cannot be told apart from another, under which they are counted.
    """

    reality: Track
    steps: dict[str, Track] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)

    @property
    def backtest(self) -> Track:
        """The last of them."""
        return next(
            (self.steps[name] for name, _ in reversed(_STEPS) if name in self.steps), self.reality
        )


@dataclass(frozen=True)
class Divergence:
    """How what a fund did on paper differs from its backtest.

    Parameters
    ----------
    fund, currency : str
        Which.
    digits : int
        Decimals of the currency.
    ts : tuple of int
        The grid, UTC ns.
    base : int
        Equity before the first order, in 1e-12, of which basis points are.
    paper, backtest : Side
        Both.
    causes : tuple of Cause
        All of `CAUSES`, in their order.
    matching : Matching
        Of the orders.
    incidents : tuple of Incident
        What a backtest does not have; `incident_count` counts also those that were not kept.
    notes : tuple of str
        What to know when reading the figures.
    data : str
        What the backtest ran on, in words.
    """

    fund: str
    currency: str
    digits: int
    ts: tuple[int, ...]
    base: int
    paper: Side
    backtest: Side
    causes: tuple[Cause, ...]
    matching: Matching
    incidents: tuple[Incident, ...]
    incident_count: int
    notes: tuple[str, ...]
    data: str

    @property
    def gap(self) -> int:
        """Profit on paper less that of the backtest, in 1e-12."""
        return self.paper.profit - self.backtest.profit

    def bps(self, amount: int) -> float | None:
        """Money as basis points of the equity at the beginning; None where that is not positive."""
        return amount * 10_000 / self.base if self.base > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Make plain values of it, for ``--json``; money as decimal text."""
        return {
            "fund": self.fund,
            "currency": self.currency,
            "data": self.data,
            "start": self.ts[0],
            "end": self.ts[-1],
            "equity_at_start": money(self.base),
            "paper": _side(self.paper),
            "backtest": _side(self.backtest),
            "gap": money(self.gap),
            "gap_bps": self.bps(self.gap),
            "causes": [
                {
                    "name": each.name,
                    "amount": money(each.amount),
                    "bps": self.bps(each.amount),
                    "by_instrument": {key: money(of) for key, of in each.of_instruments.items()},
                    "by_sleeve": {key: money(of) for key, of in each.of_sleeves.items()},
                }
                for each in self.causes
            ],
            "orders": {
                "same": self.matching.same,
                "first": _pair(self.matching.first),
                "differing": [_pair(each) for each in self.matching.pairs],
            },
            "incidents": [
                {name: getattr(each, name) for name in Incident.__slots__}
                for each in self.incidents
            ],
            "incident_count": self.incident_count,
            "notes": list(self.notes),
            "curves": {
                "ts": list(self.ts),
                "paper": [money(each) for each in self.paper.equity],
                "backtest": [money(each) for each in self.backtest.equity],
                **{each.name: [money(of) for of in each.curve] for each in self.causes},
            },
        }


def money(amount: int) -> str:
    """Write 1e-12 as exact decimal text.

    Examples
    --------
    >>> money(-1_500_000_000_000), money(2 * 10**12)
    ('-1.5', '2')
    """
    sign, rest = "-" if amount < 0 else "", abs(amount)
    whole, part = divmod(rest, 10**12)
    return f"{sign}{whole}.{part:012d}".rstrip("0").rstrip(".")


def _side(side: Side) -> dict[str, Any]:
    return {
        "profit": money(side.profit),
        "equity": money(side.equity[-1]),
        "orders": side.orders,
        "fills": side.fills,
        "fees": money(side.fees),
        "by_instrument": {name: money(each) for name, each in side.of_instruments.items()},
        "equity_by_sleeve": {name: money(each) for name, each in side.of_sleeves.items()},
    }


def _pair(pair: Pair | None) -> dict[str, Any] | None:
    if pair is None:
        return None
    return {
        "difference": pair.difference,
        "paper": _order(pair.paper),
        "backtest": _order(pair.backtest),
    }


def _order(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    found = {name: getattr(order, name) for name in Order.__slots__}
    limit = found["limit_price"]
    return found | {
        "quantity": f"{found['quantity']:f}",
        "limit_price": None if limit is None else f"{limit:f}",
    }


def attribute(chain: Chain) -> tuple[Cause, ...]:
    """Divide the gap between the ends of a chain among causes.

    Parameters
    ----------
    chain : Chain
        From reality to the backtest, over one grid.

    Returns
    -------
    tuple of Cause
        All of `CAUSES`; their amounts sum to the equity of reality at the end less that of the
        backtest, exactly, and so do their curves at each time, and their parts by sleeve.
    """
    steps: dict[str, list[tuple[Track, Track]]] = {name: [] for name in CAUSES}
    before = chain.reality
    for name, cause in _STEPS:
        after = chain.steps.get(name, before)
        steps[chain.folded.get(cause, cause)].append((before, after))
        before = after
    none = [(before, before)]  # of a cause that is counted elsewhere
    return tuple(_cause(name, pairs or none) for name, pairs in steps.items())


def _cause(name: str, pairs: Sequence[tuple[Track, Track]]) -> Cause:
    def summed(of: Callable[[Track], Mapping[str, int]]) -> dict[str, int]:
        found: dict[str, int] = {}
        for track, sign in [each for pair in pairs for each in zip(pair, (1, -1), strict=True)]:
            for key, amount in of(track).items():
                found[key] = found.get(key, 0) + sign * amount
        return found

    curves = [
        [one - other for one, other in zip(before.equity, after.equity, strict=True)]
        for before, after in pairs
    ]
    return Cause(
        name=name,
        amount=sum(before.end - after.end for before, after in pairs),
        of_instruments=summed(lambda track: track.of_instruments),
        of_sleeves=summed(lambda track: track.of_sleeves),
        curve=tuple(sum(column) for column in zip(*curves, strict=True)),
    )
