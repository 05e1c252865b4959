"""Which orders of two runs are the same, and where the two first part."""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from quantvista.trading.divergence._track import Order

__all__ = ["Matching", "Pair", "match_orders"]


@dataclass(frozen=True, slots=True)
class Pair:
    """An order on paper beside the one of the backtest; None where one has none.

    Parameters
    ----------
    paper, backtest : Order or None
        At least one of them is there.
    difference : {"", "quantity", "price", "terms", "refused", "only on paper", "only in backtest"}
        What is not the same; empty where nothing is.
    """

    paper: Order | None
    backtest: Order | None
    difference: str

    @property
    def of(self) -> Order:
        """The one on paper, or the one that there is."""
        found = self.paper or self.backtest
        assert found is not None, "a pair has one of them"
        return found

    @property
    def ts(self) -> int:
        """When the earlier one was wanted, UTC ns."""
        return min(each.ts for each in (self.paper, self.backtest) if each is not None)


@dataclass(frozen=True, slots=True)
class Matching:
    """Orders of both sides.

    Parameters
    ----------
    same : int
        Pairs that agree in time, instrument, side, quantity and price.
    pairs : tuple of Pair
        All that do not, in order of time.
    """

    same: int
    pairs: tuple[Pair, ...]

    @property
    def first(self) -> Pair | None:
        """Where the two part."""
        return self.pairs[0] if self.pairs else None

    def count(self, difference: str) -> int:
        """Count the pairs with a difference."""
        return sum(each.difference == difference for each in self.pairs)


def match_orders(paper: Sequence[Order], backtest: Sequence[Order], tolerance_ns: int) -> Matching:
    """Match the intents of two runs: time, sleeve, instrument, side, quantity, price.

    Parameters
    ----------
    paper, backtest : sequence of Order
        In order of time.
    tolerance_ns : int
        How far apart in time two orders may be that are taken for the same.

    Returns
    -------
    Matching
        Each order is in one pair. First those that agree in all, then, of what is left, those of
        one sleeve, instrument and side, the nearest in order of time.

    Examples
    --------
    >>> from decimal import Decimal
    >>> one = Order(5, 1, "a", "X.Y", "buy", Decimal(10), None, "market", "")
    >>> other = Order(6, 1, "a", "X.Y", "buy", Decimal(12), None, "market", "")
    >>> match_orders([one], [other], 2).first.difference
    'quantity'
    """
    exact = _paired(paper, backtest, tolerance_ns, _whole)
    taken = ({id(one) for one, _ in exact}, {id(other) for _, other in exact})
    rest = [
        [each for each in orders if id(each) not in known]
        for orders, known in zip((paper, backtest), taken, strict=True)
    ]
    near = _paired(rest[0], rest[1], tolerance_ns, _rough)
    known = {id(one) for one, _ in near}, {id(other) for _, other in near}
    pairs = [Pair(one, other, _difference(one, other)) for one, other in (*exact, *near)]
    pairs += [Pair(each, None, "only on paper") for each in rest[0] if id(each) not in known[0]]
    pairs += [Pair(None, each, "only in backtest") for each in rest[1] if id(each) not in known[1]]
    parted = sorted((each for each in pairs if each.difference), key=lambda each: each.ts)
    return Matching(len(pairs) - len(parted), tuple(parted))


def _whole(order: Order) -> tuple[Hashable, ...]:
    return (*_rough(order), order.quantity, order.limit_price, order.kind)


def _rough(order: Order) -> tuple[Hashable, ...]:
    return order.sleeve, order.instrument, order.side


def _paired(
    paper: Sequence[Order],
    backtest: Sequence[Order],
    tolerance_ns: int,
    key: Callable[[Order], Hashable],
) -> list[tuple[Order, Order]]:
    """Take the first of the other side, in order of time, that has the key and is near enough."""
    waiting: dict[Hashable, deque[Order]] = defaultdict(deque)
    for each in backtest:
        waiting[key(each)].append(each)
    found = []
    for one in paper:
        others = waiting[key(one)]
        while others and others[0].ts < one.ts - tolerance_ns:
            others.popleft()
        if others and others[0].ts <= one.ts + tolerance_ns:
            found.append((one, others.popleft()))
    return found


def _difference(one: Order, other: Order) -> str:
    if one.quantity != other.quantity:
        return "quantity"
    if one.limit_price != other.limit_price:
        return "price"
    if one.kind != other.kind:
        return "terms"
    return "refused" if bool(one.refused) != bool(other.refused) else ""
