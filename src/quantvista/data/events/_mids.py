"""Mid prices of a tape: halfway between the best bid and ask, whenever they change."""

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from quantvista.engine import MISSING, MORE, Tape
from quantvista.market import EventKind, Instrument

__all__ = ["tape_mids"]

type Ints = NDArray[np.int64]

_KINDS = {
    "quotes": (EventKind.QUOTE,),
    "l2": (EventKind.BOOK_LEVEL, EventKind.BOOK_CLEAR),
    "l3": (
        EventKind.BOOK_ORDER_ADDED,
        EventKind.BOOK_ORDER_MODIFIED,
        EventKind.BOOK_ORDER_DELETED,
        EventKind.BOOK_CLEAR,
    ),
}


def tape_mids(tape: Tape, index: int, instrument: Instrument) -> tuple[Ints, Ints]:
    """Follow the mid of one instrument, in the data that its orders are matched against.

    Parameters
    ----------
    tape : Tape
        Events in order.
    index : int
        Place of the instrument on the tape.
    instrument : Instrument
        Whose ``matching`` says which data count.

    Returns
    -------
    ts : int64, shape (n,)
        UTC ns of receipt, ascending; of events of the same time the last one counts.
    twice : int64, shape (n,)
        Bid plus ask in price units: twice the mid, and hence exact.

    Notes
    -----
    Missing data: while a side is absent, or the bid is above the ask, there is no new mid and the
    last one stands. Matching on bars or trades has no mids: both arrays are empty then.
    """
    kinds = _KINDS.get(instrument.matching, ())
    rows = np.flatnonzero((tape.instrument == index) & np.isin(tape.kind, kinds))
    part = tape.take(rows)
    if instrument.matching == "quotes":
        known = (part.a != MISSING) & (part.c != MISSING)
        known &= np.where(known, part.a, 0) <= np.where(known, part.c, 0)
        ts, twice = part.ts_received[known], part.a[known] + part.c[known]
    else:
        ts, twice = _of_book(part)
    if not len(ts):
        return ts, twice
    last = np.concatenate([ts[1:] != ts[:-1], [True]])
    return ts[last], twice[last]


class _Side:
    """Sizes by price, and the best price; bids are kept negated so that the least is best."""

    def __init__(self) -> None:
        self.sizes: dict[int, int] = {}
        self._heap: list[int] = []

    def put(self, price: int, size: int) -> None:
        if size <= 0:
            self.sizes.pop(price, None)
            return
        if price not in self.sizes:
            heappush(self._heap, price)
        self.sizes[price] = size

    def best(self) -> int | None:
        while self._heap and self._heap[0] not in self.sizes:
            heappop(self._heap)
        return self._heap[0] if self._heap else None


def _of_book(part: Tape) -> tuple[Ints, Ints]:
    sides = (_Side(), _Side())
    orders: dict[int, tuple[int, int, int]] = {}
    times: list[int] = []
    found: list[int] = []
    columns = (getattr(part, name).tolist() for name in ("ts_received", "kind", "flag", *"abc"))
    for ts, kind, flag, price, size, number in zip(*columns, strict=True):
        if kind == EventKind.BOOK_CLEAR:
            sides = (_Side(), _Side())
            orders.clear()
        elif kind == EventKind.BOOK_LEVEL:
            sides[flag & 1].put(price if flag & 1 else -price, size)
        else:
            _change(sides, orders, number, None if price == MISSING else (flag & 1, price, size))
        if flag & MORE:
            continue
        bid, ask = sides[0].best(), sides[1].best()
        if bid is not None and ask is not None and -bid <= ask:
            times.append(ts)
            found.append(ask - bid)
    return np.array(times, dtype=np.int64), np.array(found, dtype=np.int64)


def _change(
    sides: tuple[_Side, _Side],
    orders: dict[int, tuple[int, int, int]],
    number: int,
    now: tuple[int, int, int] | None,
) -> None:
    """Put an order in the place of what it was; None takes it away."""
    before = orders.pop(number, None)
    for each, sign in ((before, -1), (now, 1)):
        if each is not None:
            side, price, size = each
            key = price if side else -price
            sides[side].put(key, sides[side].sizes.get(key, 0) + sign * size)
    if now is not None:
        orders[number] = now
