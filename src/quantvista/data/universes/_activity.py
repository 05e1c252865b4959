"""What was traded up to a time, as it was known then."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import MarketDataError

__all__ = ["Activity", "Traded"]

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Traded:
    """What was known of each instrument at a time; every array has shape (n,).

    Parameters
    ----------
    price : float64
        Last raw close of the trailing sessions, NaN without one.
    age : int64
        Sessions since the one with that close, 0 for the present one.
    dollar_volume : float64
        Mean or median of the trailing sessions, NaN if it is not known of any.
    history : int64
        Sessions with a bar, so far.
    first : int64
        Session of the first bar; -1 without one.
    """

    price: Floats
    age: NDArray[np.int64]
    dollar_volume: Floats
    history: NDArray[np.int64]
    first: NDArray[np.int64]


class Activity:
    """Bars, laid out to be asked for many times.

    Parameters
    ----------
    bars : polars.DataFrame
        ``instrument``, ``ts_event``, ``close``, all vintages with ``known_at``, and ``volume``.
    close_ns : int64, shape (S,)
        Ends of the sessions; a bar belongs to the first that ends at it or later.
    """

    def __init__(self, bars: pl.DataFrame, close_ns: NDArray[np.int64]) -> None:
        for name in ("instrument", "ts_event", "close", "known_at"):
            if name not in bars.columns:
                found = ", ".join(bars.columns)
                raise MarketDataError(f"`bars` must have a column {name!r}; found {found}")
        volume = pl.col("volume") if "volume" in bars.columns else pl.lit(None)
        rows = bars.select(
            "instrument",
            "ts_event",
            "known_at",
            pl.col("close").cast(pl.Float64).fill_null(np.nan),
            volume.cast(pl.Float64).fill_null(np.nan).alias("volume"),
        ).sort("ts_event", "instrument", "known_at", maintain_order=True)
        names = rows["instrument"].unique().sort()
        self.instruments: tuple[str, ...] = tuple(names)
        self._column = names.search_sorted(rows["instrument"]).to_numpy().astype(np.int64)
        self._ts = rows["ts_event"].to_numpy()
        self._known = np.maximum(rows["known_at"].to_numpy(), self._ts)
        self._close = rows["close"].to_numpy()
        self._dollars = self._close * rows["volume"].to_numpy()
        self._session = np.searchsorted(close_ns, self._ts, side="left").astype(np.int64)
        self._ends = close_ns
        self._start = np.searchsorted(self._session, np.arange(len(close_ns) + 1))
        self._firsts()

    @property
    def has_volume(self) -> bool:
        """Whether any bar says what was traded."""
        return bool(np.isfinite(self._dollars).any())

    def _firsts(self) -> None:
        """Keep of each session of an instrument when its first bar became known."""
        there = ~np.isnan(self._close)
        frame = (
            pl.DataFrame({"column": self._column, "session": self._session, "known": self._known})
            .filter(pl.Series(there))
            .group_by("column", "session")
            .agg(pl.col("known").min())
            .sort("column", "known", "session")
        )
        column = frame["column"].to_numpy()
        self._seen_from = np.searchsorted(column, np.arange(len(self.instruments) + 1))
        self._seen_known = frame["known"].to_numpy()
        session = frame["session"].to_numpy()
        self._seen_first = np.concatenate(
            [
                np.minimum.accumulate(session[low:high])
                for low, high in zip(self._seen_from[:-1], self._seen_from[1:], strict=True)
            ]
            or [np.empty(0, np.int64)]
        )

    def first_bar(self, instrument: str, now: int) -> int:
        """End of the first session with a bar, as far as is known now; ``now`` without one."""
        column = self.instruments.index(instrument)
        low, high = self._seen_from[column], self._seen_from[column + 1]
        seen = int(np.searchsorted(self._seen_known[low:high], now, side="right"))
        return int(self._ends[self._seen_first[low + seen - 1]]) if seen else now

    def at(self, session: int, now: int, count: int, statistic: str, recent: int) -> Traded:
        """Look back from a time.

        Parameters
        ----------
        session : int
            The last one that is looked at.
        now : int
            UTC nanoseconds; what was known later is not there.
        count : int
            Trailing sessions. One without a bar counts as 0 traded, unless it was before the
            first bar.
        statistic : {"mean", "median"}
            Of what was traded in them.
        recent : int
            Trailing sessions, at least, in which the last close is looked for.

        Returns
        -------
        Traded
            Of all instruments.
        """
        n = len(self.instruments)
        history, first = np.zeros(n, np.int64), np.full(n, -1, np.int64)
        for column in range(n):
            low, high = self._seen_from[column], self._seen_from[column + 1]
            seen = int(np.searchsorted(self._seen_known[low:high], now, side="right"))
            history[column] = seen
            if seen:
                first[column] = self._seen_first[low + seen - 1]
        begin = max(0, session - max(count, recent) + 1)
        rows = self._rows(begin, session, now)
        price, last = np.full(n, np.nan), np.full(n, -1, np.int64)
        np.maximum.at(last, self._column[rows], rows)
        traded = last >= 0
        price[traded] = self._close[last[traded]]
        age = np.where(traded, session - self._session[last], session + 1)
        width = session - begin + 1
        dollars = self._by_session(rows, begin, width)
        before = np.arange(begin, session + 1)[None, :] < first[:, None]
        dollars[before | (first < 0)[:, None]] = np.nan
        return Traded(price, age, _middle(dollars[:, -count:], statistic), history, first)

    def _rows(self, begin: int, session: int, now: int) -> NDArray[np.int64]:
        """Rows of sessions: of each bar the last vintage, without those that have no close."""
        low, high = int(self._start[begin]), int(self._start[session + 1])
        rows = low + np.flatnonzero(self._known[low:high] <= now)
        ts, column = self._ts[rows], self._column[rows]
        last = np.ones(len(rows), np.bool_)
        last[:-1] = (ts[1:] != ts[:-1]) | (column[1:] != column[:-1])
        rows = rows[last]
        return rows[~np.isnan(self._close[rows])]

    def _by_session(self, rows: NDArray[np.int64], begin: int, width: int) -> Floats:
        """Sum what was traded, shape (n, width): 0 without a bar, NaN without a volume."""
        n = len(self.instruments)
        cell = self._column[rows] * width + self._session[rows] - begin
        dollars = self._dollars[rows]
        said = ~np.isnan(dollars)
        sums = np.bincount(cell[said], dollars[said], n * width)
        bars = np.bincount(cell, minlength=n * width)
        said_bars = np.bincount(cell[said], minlength=n * width)
        return np.where((bars > 0) & (said_bars == 0), np.nan, sums).reshape(n, width)


def _middle(rows: Floats, statistic: str) -> Floats:
    """Mean or median of each row, without NaN; NaN where there is nothing else."""
    count = (~np.isnan(rows)).sum(axis=1)
    some = np.maximum(count, 1)
    if statistic == "mean":
        found = np.where(np.isnan(rows), 0.0, rows).sum(axis=1) / some
    else:
        ordered = np.sort(rows, axis=1)  # NaN last
        pair = np.stack([(some - 1) // 2, some // 2], axis=1)
        found = np.take_along_axis(ordered, pair, axis=1).mean(axis=1)
    return np.where(count > 0, found, np.nan)
