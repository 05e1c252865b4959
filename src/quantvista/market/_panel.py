"""The trailing window of closes that a strategy sees."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantvista.errors import ConfigError

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
        Prices; NaN where an instrument had no bar; `filled` gives a copy without short gaps.

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

    def filled(self, limit: int = 5) -> NDArray[np.float64]:
        """Fill short gaps: a missing close becomes the last one before it, if that is recent.

        One missing bar then does not make the mean or the highest close of a window NaN. Nothing
        later than a row reaches it, since prices are only carried forward.

        Parameters
        ----------
        limit : int
            Missing bars in a row that a close is carried over, at least 0; what is missing longer
            stays NaN, and so does what is missing before the first close of the panel. Ask for
            ``limit`` rows more in `warm_up` than the window has, and leave them out, so that a
            gap at its start is filled too.

        Returns
        -------
        float64, shape (bars, n)
            A read-only copy.

        Raises
        ------
        ConfigError
            If ``limit`` is negative.

        Examples
        --------
        >>> nan = float("nan")
        >>> panel = Panel(("A.XNYS",), ("",), [1, 2, 3, 4], [[100.0], [nan], [nan], [125.0]])
        >>> panel.filled(limit=1)[:, 0]
        array([100., 100.,  nan, 125.])
        """
        if limit < 0:
            raise ConfigError(f"`limit` must not be negative; found {limit}")
        filled = self.close.copy()
        for _ in range(min(limit, self.bars)):  # each round carries every close one bar on
            row, column = np.nonzero(np.isnan(filled[1:]))
            filled[row + 1, column] = filled[row, column]
        filled.setflags(write=False)
        return filled
