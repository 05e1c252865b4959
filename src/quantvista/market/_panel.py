"""The trailing window of closes that a strategy sees."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Panel"]


class Panel:
    """Closes up to now, oldest first; nothing later can be reached from it.

    The arrays are copies of their own and read-only, so that no view leads back to prices that
    were not known yet.

    Parameters
    ----------
    instruments : tuple of str, length n
        Ids in ascending order; the columns of ``close``.
    sectors : tuple of str, length n
        Sector of each instrument, empty where unknown.
    ts : int64, shape (bars,)
        UTC nanoseconds, strictly increasing; the last one is now.
    close : float64, shape (bars, n)
        Prices; NaN where an instrument had no bar. Missing prices are never filled.

    Examples
    --------
    >>> panel = Panel(("A.XNYS",), ("",), [1, 2], [[100.0], [125.0]])
    >>> panel.now, panel.n, float(panel.returns[0, 0])
    (2, 1, 0.25)
    """

    __slots__ = ("_returns", "close", "instruments", "sectors", "ts")

    instruments: tuple[str, ...]
    sectors: tuple[str, ...]
    ts: NDArray[np.int64]
    close: NDArray[np.float64]

    def __init__(
        self,
        instruments: tuple[str, ...],
        sectors: tuple[str, ...],
        ts: ArrayLike,
        close: ArrayLike,
    ) -> None:
        self.instruments = instruments
        self.sectors = sectors
        self.ts = np.array(ts, dtype=np.int64)
        self.close = np.array(close, dtype=np.float64, order="C")
        assert self.close.shape == (len(self.ts), len(instruments)), "close must be (bars, n)"
        assert len(sectors) == len(instruments), "one sector per instrument"
        self.ts.setflags(write=False)
        self.close.setflags(write=False)
        self._returns: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        return f"Panel({self.bars} bars, {self.n} instruments, now={self.now})"

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def n(self) -> int:
        """Number of instruments."""
        return len(self.instruments)

    @property
    def bars(self) -> int:
        """Number of rows."""
        return len(self.ts)

    @property
    def now(self) -> int:
        """Time of the last row, UTC nanoseconds."""
        return int(self.ts[-1])

    @property
    def returns(self) -> NDArray[np.float64]:
        """Simple returns, float64 of shape (bars - 1, n); NaN next to a missing close."""
        if self._returns is None:
            returns = self.close[1:] / self.close[:-1] - 1.0
            returns.setflags(write=False)
            self._returns = returns
        return self._returns
