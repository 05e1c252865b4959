"""A market of random orders: a book that Poisson arrivals build, take from and cancel."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Flow", "FlowTerms", "random_walk"]

_SECOND = 10**9
_BID, _ASK = 0, 1
_STANDING = 40  # orders that the book starts with
_EVERYTHING = 2**62


@dataclass(frozen=True, slots=True)
class FlowTerms:
    """How orders arrive at one venue.

    Parameters
    ----------
    limit_rate, market_rate : float
        Limit and market orders a second, both sides together.
    cancel_rate : float
        Cancels a second of each order that stands.
    half_spread : int
        Ticks from the value to the best price at which orders are placed, at least 1.
    depth : float
        Mean ticks behind that price.
    size : float
        Mean lots of an order.
    """

    limit_rate: float
    market_rate: float
    cancel_rate: float
    half_spread: int
    depth: float
    size: float


def random_walk(
    rng: np.random.Generator, start: int, rate: float, span_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw a value that moves one tick up or down at random times, and never below one tick.

    Parameters
    ----------
    rng : numpy.random.Generator
        Only its uniform doubles are used, which are the same in every version.
    start : int
        Ticks.
    rate : float
        Moves a second.
    span_ns : int
        Length.

    Returns
    -------
    (int64, int64), shape (n,) each
        Nanoseconds from the start, and ticks from then on; the first is 0 and ``start``.
    """
    expected = rate * span_ns / _SECOND
    count = int(expected + 6 * math.sqrt(expected) + 10)
    gaps = -np.log1p(-rng.random(count)) / rate * _SECOND
    times = np.cumsum(gaps).astype(np.int64)
    times = times[times < span_ns]
    steps = np.where(rng.random(len(times)) < 0.5, -1, 1)
    ticks = start + np.concatenate([[0], np.cumsum(steps)])
    return np.concatenate([[0], times]), np.maximum(ticks, 1)


@dataclass
class Flow:
    """The book of one venue, event by event.

    Rows are (nanoseconds, message, ...): ``orders`` with action, side, price, size and id,
    ``levels`` with side, price and size, ``quotes`` with the best of both sides, ``trades`` with
    price, size and aggressor; prices in ticks, sizes in lots.

    Parameters
    ----------
    terms : FlowTerms
        Rates and sizes.
    rng : numpy.random.Generator
        As of `random_walk`.
    """

    terms: FlowTerms
    rng: np.random.Generator
    orders: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)
    levels: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    quotes: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    trades: list[tuple[int, int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start with an empty book."""
        self._of: dict[int, list[int]] = {}  # id to side, price, size, place in _ids
        self._ids: list[int] = []
        self._queues: tuple[dict[int, deque[int]], dict[int, deque[int]]] = ({}, {})
        self._sizes: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._next, self._message, self._now = 1, 0, 0
        self._touched: set[tuple[int, int]] = set()
        self._best: tuple[int, int, int, int] | None = None
        self._uniform = self._draws()

    def _draws(self) -> Iterator[float]:
        while True:
            yield from self.rng.random(4096).tolist()

    def run(self, times: NDArray[np.int64], values: NDArray[np.int64], span_ns: int) -> None:
        """Let orders arrive while the value moves.

        Parameters
        ----------
        times, values : int64, shape (n,)
            When the value changes, and to what, in ticks: bids stand at most ``half_spread - 1``
            below or at it, asks above it. What a move leaves on the wrong side is taken at once
            by one who knew, which is what hurts a market maker.
        span_ns : int
            Length.
        """
        moves = zip(times.tolist(), values.tolist(), strict=True)
        now, value = next(moves)
        for _ in range(_STANDING):
            self._place(value)
        self._publish()
        upcoming = next(moves, None)
        while True:
            terms = self.terms
            cancels = terms.cancel_rate * len(self._ids)
            total = terms.limit_rate + terms.market_rate + cancels
            now += max(1, int(-math.log1p(-next(self._uniform)) / total * _SECOND))
            while upcoming is not None and upcoming[0] <= now:
                self._now, value = upcoming
                self._revalue(value)
                upcoming = next(moves, None)
            if now >= span_ns:
                return
            self._now = now
            pick = next(self._uniform) * total
            if pick < terms.limit_rate:
                self._place(value)
            elif pick < terms.limit_rate + terms.market_rate:
                self._take(_ASK if next(self._uniform) < 0.5 else _BID, self._lots())
            else:
                self._cancel()
            self._publish()

    def _lots(self) -> int:
        return 1 + int(-math.log1p(-next(self._uniform)) * (self.terms.size - 0.5))

    def _place(self, value: int) -> None:
        side = _BID if next(self._uniform) < 0.5 else _ASK
        behind = int(-math.log1p(-next(self._uniform)) * self.terms.depth)
        half = self.terms.half_spread
        price = value + 1 - half - behind if side == _BID else value + half + behind
        if price < 1:
            return
        number, size = self._next, self._lots()
        self._next += 1
        self._of[number] = [side, price, size, len(self._ids)]
        self._ids.append(number)
        self._queues[side].setdefault(price, deque()).append(number)
        self._sizes[side][price] = self._sizes[side].get(price, 0) + size
        self._touch(0, number, side, price, size)

    def _touch(self, action: int, number: int, side: int, price: int, size: int) -> None:
        self._touched.add((side, price))
        self.orders.append((self._now, self._message, action, side, price, size, number))

    def _take(self, side: int, lots: int, limit: int | None = None) -> None:
        """Trade against the orders of a side, the best first, up to a price."""
        queues = self._queues[side]
        while lots and queues:
            price = max(queues) if side == _BID else min(queues)
            if limit is not None and (price > limit if side == _ASK else price < limit):
                return
            number = queues[price][0]
            traded = min(lots, self._of[number][2])
            lots -= traded
            self.trades.append((self._now, price, traded, side))
            self._reduce(number, traded)

    def _reduce(self, number: int, by: int) -> None:
        side, price, size, place = self._of[number]
        self._sizes[side][price] -= by
        if size > by:
            self._of[number][2] = size - by
            self._touch(1, number, side, price, size - by)
            return
        queue = self._queues[side][price]
        if queue[0] == number:
            queue.popleft()
        else:
            queue.remove(number)
        if not queue:
            del self._queues[side][price]
        last = self._ids.pop()
        if last != number:
            self._ids[place] = last
            self._of[last][3] = place
        del self._of[number]
        self._touch(2, number, side, price, 0)

    def _cancel(self) -> None:
        if self._ids:
            number = self._ids[int(next(self._uniform) * len(self._ids))]
            self._reduce(number, self._of[number][2])

    def _revalue(self, value: int) -> None:
        half = self.terms.half_spread
        self._take(_ASK, _EVERYTHING, value + half - 1)
        self._take(_BID, _EVERYTHING, value + 2 - half)
        self._publish()

    def _publish(self) -> None:
        """Write what has changed as one message."""
        if not self._touched:
            return
        for side, price in sorted(self._touched):
            size = self._sizes[side].get(price, 0)
            if not size:
                self._sizes[side].pop(price, None)
            self.levels.append((self._now, self._message, side, price, size))
        bids, asks = self._sizes
        bid, ask = max(bids, default=0), min(asks, default=0)
        best = (bid, bids.get(bid, 0), ask, asks.get(ask, 0))
        if best != self._best and (bid or ask):
            self._best = best
            self.quotes.append((self._now, *best))
        self._touched.clear()
        self._message += 1
