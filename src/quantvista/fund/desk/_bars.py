"""Closes that strategies decide on: all of a history, or what came in so far."""

import json
from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quantvista.data import MarketData
from quantvista.errors import ConfigError, EngineError, MarketDataError
from quantvista.market import Panel

__all__ = ["BarSource", "HistoryBars", "LiveBars"]

type Floats = NDArray[np.float64]


class BarSource(Protocol):
    """Closes of instruments, of which a strategy is shown those up to now."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Instruments, in ascending order."""

    @property
    def sectors(self) -> tuple[str, ...]:
        """Sector of each, empty where unknown."""

    def trailing(self, ts: int, rows: int) -> Panel | None:
        """Last rows that are known at a time, in prices as of the last; None before the first.

        Parameters
        ----------
        ts : int
            Now, UTC nanoseconds.
        rows : int
            How many; fewer where there are no more.
        """


class HistoryBars:
    """Bars of which past and future are at hand, as in a backtest.

    Parameters
    ----------
    data : MarketData
        The bars.
    growth : float64, shape (T, n), or None
        As of ``EventData``; None where nothing was split and no dividend paid.
    """

    def __init__(self, data: MarketData, growth: Floats | None = None) -> None:
        self.ids = data.ids
        self.sectors = data.sectors
        self._data = data
        self._growth = growth

    def trailing(self, ts: int, rows: int) -> Panel | None:
        """See `BarSource`."""
        row = int(np.searchsorted(self._data.ts, ts, side="right")) - 1
        if row < 0:
            return None
        window = slice(max(0, row + 1 - rows), row + 1)
        close = self._data.close[window]
        if self._growth is not None:
            close = _as_of_last(close, self._growth[window])
        return Panel(self.ids, self.sectors, self._data.ts[window], close)


class LiveBars:
    """Bars that come in one at a time, after what is known of the time before.

    It keeps no more than strategies look back on, so that it does not grow.

    Parameters
    ----------
    ids, sectors : sequence of str, length n
        Instruments in ascending order, and their sectors.
    keep : int
        Rows to keep: the most that any strategy is shown, as `look_back` says.

    Examples
    --------
    >>> bars = LiveBars(["A.XNYS", "B.XNYS"], ["", ""], keep=2)
    >>> bars.add(1, [10.0, 20.0])
    >>> bars.add(2, [11.0, float("nan")])
    >>> bars.add(3, [12.0, 21.0])
    >>> bars.trailing(3, 2).close
    array([[11., nan],
           [12., 21.]])
    """

    def __init__(self, ids: Sequence[str], sectors: Sequence[str], keep: int) -> None:
        if keep < 1:
            raise ConfigError(f"`keep` must be at least 1; found {keep}")
        self.ids = tuple(ids)
        self.sectors = tuple(sectors)
        self.keep = keep
        self._ts = np.empty(0, np.int64)
        self._close = np.empty((0, len(self.ids)))
        self._growth = np.empty((0, len(self.ids)))

    @classmethod
    def after(
        cls, history: MarketData, until: int, keep: int, growth: Floats | None = None
    ) -> Self:
        """Begin with what a history knows at a time.

        Parameters
        ----------
        history : MarketData
            Bars; later ones than ``until`` are not looked at.
        until : int
            UTC nanoseconds, inclusive.
        keep : int
            Rows to keep.
        growth : float64, shape (T, n), or None
            As of ``EventData``.
        """
        bars = cls(history.ids, history.sectors, keep)
        stop = int(np.searchsorted(history.ts, until, side="right"))
        window = slice(max(0, stop - keep), stop)
        bars._ts = history.ts[window].copy()
        bars._close = history.close[window].copy()
        bars._growth = np.ones_like(bars._close) if growth is None else growth[window].copy()
        return bars

    def __len__(self) -> int:
        return len(self._ts)

    @property
    def last_ts(self) -> int | None:
        """Time of the last row, UTC nanoseconds; None without rows."""
        return int(self._ts[-1]) if len(self._ts) else None

    def add(self, ts: int, close: ArrayLike, growth: ArrayLike | None = None) -> None:
        """Take the closes of a session.

        Parameters
        ----------
        ts : int
            Its end, UTC nanoseconds, later than all before.
        close : float, shape (n,)
            NaN where an instrument has none: it is shown to strategies as missing.
        growth : float, shape (n,), or None
            Units that one unit of each has become since the start of the history (``EventData``);
            None where nothing happened since the row before.

        Raises
        ------
        MarketDataError
            If it is not later than the last, of another length, or infinite.
        """
        row = np.array(close, dtype=np.float64)
        grown = self._grown(growth)
        if row.shape != (len(self.ids),) or grown.shape != row.shape:
            found = row.shape if row.shape != (len(self.ids),) else grown.shape
            raise MarketDataError(
                f"`close` and `growth` must have a value for each of {len(self.ids)} instruments; "
                f"found the shape {found}"
            )
        if self.last_ts is not None and ts <= self.last_ts:
            raise MarketDataError(
                f"`ts` must be later than that of the last bar, {self.last_ts}; found {ts}"
            )
        if bool(np.isinf(row).any()):
            raise MarketDataError("`close` must be finite, or NaN where there is none; found inf")
        start = max(0, len(self._ts) + 1 - self.keep)
        self._ts = np.append(self._ts[start:], np.int64(ts))
        self._close = np.vstack([self._close[start:], row])
        self._growth = np.vstack([self._growth[start:], grown])

    def trailing(self, ts: int, rows: int) -> Panel | None:
        """See `BarSource`.

        Raises
        ------
        ConfigError
            If more rows are asked for than are kept.
        """
        if rows > self.keep:
            raise ConfigError(
                f"`keep` must be at least {rows}, which is asked for; found {self.keep}"
            )
        stop = int(np.searchsorted(self._ts, ts, side="right"))
        if stop == 0:
            return None
        window = slice(max(0, stop - rows), stop)
        close = _as_of_last(self._close[window], self._growth[window])
        return Panel(self.ids, self.sectors, self._ts[window], close)

    def dump(self) -> bytes:
        """All rows, to go on from later."""
        floats = [
            [[None if np.isnan(each) else each for each in row] for row in table.tolist()]
            for table in (self._close, self._growth)
        ]
        return json.dumps({"ids": self.ids, "ts": self._ts.tolist(), "rows": floats}).encode()

    def load(self, state: bytes) -> None:
        """Take the place of what `dump` wrote.

        Raises
        ------
        EngineError
            If it is of other instruments, or damaged.
        """
        try:
            found = json.loads(state)
            ids, ts = tuple(found["ids"]), np.array(found["ts"], dtype=np.int64)
            close, growth = (
                np.array(table, dtype=np.float64).reshape(len(ts), len(ids))
                for table in found["rows"]
            )
        except (ValueError, KeyError, TypeError) as error:
            raise EngineError(f"`state` must be what bars were dumped to; found {error}") from None
        if ids != self.ids:
            raise EngineError(
                f"`state` must be of the instruments {', '.join(self.ids)}; "
                f"found {', '.join(map(str, ids))}"
            )
        rows = slice(max(0, len(ts) - self.keep), None)
        self._ts, self._close, self._growth = ts[rows], close[rows], growth[rows]

    def _grown(self, growth: ArrayLike | None) -> Floats:
        if growth is not None:
            return np.array(growth, dtype=np.float64)
        return self._growth[-1] if len(self._growth) else np.ones(len(self.ids))


def _as_of_last(close: Floats, growth: Floats) -> Floats:
    """Prices as of now: no split or dividend is taken for a move."""
    as_of: Floats = close * (growth / growth[-1])
    return as_of
