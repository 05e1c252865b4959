"""Trades of one instrument, in pieces, so that any number of them needs the memory of one piece."""

from collections.abc import Iterator

import numpy as np
from _common import SEED, START_NS
from numpy.typing import NDArray

__all__ = ["PIECE", "ticks"]

PIECE = 1_000_000

type Piece = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def ticks(count: int) -> Iterator[Piece]:
    """Walk times (UTC nanoseconds), prices and whole sizes; about a thousand trades a minute."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    ts, cents = START_NS, 10_000
    for start in range(0, count, PIECE):
        size = min(PIECE, count - start)
        stamps = rng.integers(0, 120_000_000, size)
        np.cumsum(stamps, out=stamps)
        stamps += ts
        walk = rng.integers(-1, 2, size)
        np.cumsum(walk, out=walk)
        walk += cents
        ts, cents = int(stamps[-1]), int(walk[-1])
        price = np.abs(walk - 5_000) / 100 + 50.0  # folded, so that it stays positive
        yield stamps, price, rng.integers(1, 100, size).astype(np.float64)
