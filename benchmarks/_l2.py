"""The recorded L2 book, loop after loop: what every program that replays it shares.

One loop is the whole recording from its snapshot on; each later loop is the same, some minutes
later, and its snapshot replaces the book. Orders are sent at set times of each loop, and fill
by the end of it, but for one that rests far from the market from the first loop to the last.
"""

import hashlib
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PERIOD_NS = 660_000_000_000  # the recording lasts 651 s; 131 loops are a day
PRICE_DIGITS, SIZE_DIGITS = 2, 8
CLEAR, LEVEL, TRADE, QUOTE = range(4)
FAR_PRICE, FAR_SIZE = 5_000_000, 1_000


class Order(NamedTuple):
    """A limit order: nanoseconds after the start of a loop, and in units of price and size."""

    after_ns: int
    is_buy: bool
    price: int
    size: int


# The market falls from 61,837 through both limits in 412 s, and comes back to the others by 500 s.
ORDERS = (
    Order(1, True, 6_170_000, 1_000),
    Order(1, True, 6_156_000, 1_000),
    Order(420_000_000_000, False, 6_165_000, 1_000),
    Order(420_000_000_000, False, 6_168_000, 1_000),
)


@dataclass(frozen=True)
class Recording:
    """Events of one loop in their order; prices in cents, sizes in 10^-8.

    Parameters
    ----------
    ts : int64
        When it was received, UTC nanoseconds.
    kind : uint8
        CLEAR begins a snapshot; LEVEL and QUOTE.
    is_ask : bool
        Side of a level; that the seller was the aggressor of a trade.
    more : bool
        Whether the message goes on.
    snapshot : bool
        Whether a level is part of a snapshot.
    price, size : int64
        Of a level or trade, and the bid of a quote.
    ask, ask_size : int64
        Of a quote.
    """

    ts: NDArray[np.int64]
    kind: NDArray[np.uint8]
    is_ask: NDArray[np.bool_]
    more: NDArray[np.bool_]
    snapshot: NDArray[np.bool_]
    price: NDArray[np.int64]
    size: NDArray[np.int64]
    ask: NDArray[np.int64]
    ask_size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ts)

    def time(self, loop: int, after_ns: int) -> int:
        """Give the time so long after the start of a loop."""
        return int(self.ts[0]) + loop * PERIOD_NS + after_ns


def load() -> Recording:
    """Read what ``l2_recording.py`` wrote where ``RECORDING`` says."""
    with np.load(os.environ["RECORDING"]) as file:
        return Recording(**{name: file[name] for name in file.files})


def save(recording: Recording, path: Path) -> None:
    """Write a recording for `load`."""
    np.savez(path, **vars(recording))


@dataclass(frozen=True)
class Outcome:
    """What every system must find alike.

    Parameters
    ----------
    events : int
        Replayed.
    bid, ask : tuple of float
        Best price and size of the last book.
    done_ns : list of int
        When each of our orders was filled to the end, in that order.
    value : Fraction
        Of all fills.
    """

    events: int
    bid: tuple[float, float]
    ask: tuple[float, float]
    done_ns: list[int]
    value: Fraction

    def __str__(self) -> str:
        best = " / ".join(
            f"{price:.{PRICE_DIGITS}f} x {size:.{SIZE_DIGITS}f}"
            for price, size in (self.bid, self.ask)
        )
        orders = f"{len(self.done_ns)} orders filled for {float(self.value):.5f}"
        times = hashlib.sha256(repr(self.done_ns).encode()).hexdigest()[:8]
        return f"{self.events:,} events, last book {best}, {orders}, times {times}"
