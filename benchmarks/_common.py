"""What every benchmark program shares, ours and the peers' alike: NumPy and nothing else.

A program takes one size, prepares its input, times its work and prints one line of JSON. Its
process does nothing else, so the peak memory is that of the work and its input.
"""

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

INSTRUMENTS = 500
SECTORS = 11
MINUTE_NS = 60_000_000_000
START_NS = 1_577_880_000_000_000_000  # 2020-01-01 12:00 UTC
SEED = 7


@dataclass(frozen=True)
class Bars:
    """OHLC bars in cents, shape (rows, instruments); volume in shares; ts shape (rows,)."""

    ts: NDArray[np.int64]
    open: NDArray[np.int64]
    high: NDArray[np.int64]
    low: NDArray[np.int64]
    close: NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """What one process found out."""

    seconds: float
    count: int
    version: str
    peak_mb: float
    check: str
    agreed: str = ""
    rates: dict[str, float] = field(default_factory=dict)
    p99_ns: int = 0
    times: dict[str, float] = field(default_factory=dict)


def bars(rows: int, instruments: int = INSTRUMENTS) -> Bars:
    """Random walks of one-minute bars, the same in every environment, between 50 and 550."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    close = rng.integers(-5, 6, (rows, instruments), dtype=np.int64)
    np.cumsum(close, axis=0, out=close)
    # Folding keeps the walk within 50 around its start, and its steps as small as they were.
    np.mod(close, 20_000, out=close)
    np.abs(close - 10_000, out=close)
    close += 5_000 + 80 * np.arange(instruments, dtype=np.int64)
    opening = np.empty_like(close)
    opening[0] = close[0]
    opening[1:] = close[:-1]
    high = np.maximum(opening, close)
    low = np.minimum(opening, close)
    high += 3
    low -= 3
    ts = START_NS + MINUTE_NS * np.arange(1, rows + 1, dtype=np.int64)
    return Bars(ts, opening, high, low, close)


def symbols(instruments: int = INSTRUMENTS) -> list[str]:
    """Names in ascending order."""
    return [f"S{number:04d}" for number in range(instruments)]


def far_limits(made: Bars) -> list[int]:
    """A buying limit for each instrument, in cents, that the market never comes near."""
    limits: list[int] = (made.low.min(axis=0) // 2).tolist()
    return limits


type Found = (
    tuple[float, int, str, str]
    | tuple[float, int, str, str, str]
    | tuple[float, int, str, str, str, dict[str, float]]
    | tuple[float, int, str, str, str, dict[str, float], int, dict[str, float]]
)


def main(work: Callable[[int], Found]) -> None:
    """Run one program.

    ``work(size)`` returns seconds, units done, version, a check that two runs of it share, what
    all systems must agree on, if anything, rates of parts of the work by their names, the time in
    ns of the slowest of a hundred, and other times in ns by their names.
    """
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit(f"usage: {sys.argv[0]} SIZE")
    seconds, count, version, check, *more = work(int(sys.argv[1]))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(asdict(Measured(seconds, count, version, peak_mb, check, *more))))


class Stopwatch:
    """Seconds spent inside ``with``."""

    seconds = 0.0

    def __enter__(self) -> "Stopwatch":
        self._start = perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds += perf_counter() - self._start
