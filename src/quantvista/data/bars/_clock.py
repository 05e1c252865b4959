"""Frames that bars stay in: sessions, days, weeks and months, as instants."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from quantvista.data.bars._options import BarOptions
from quantvista.data.bars._spec import BarSpec
from quantvista.market import CalendarReachError, sessions

__all__ = ["Clock", "Spans"]

type Ints = NDArray[np.int64]
type Spans = tuple[Ints, Ints, Ints]
"""Starts, ends and anchors, UTC nanoseconds, ascending."""

_DAY_NS = 86_400 * 10**9
_MARGIN = np.timedelta64(40, "D")  # a month and a week on each side are whole


class Clock:
    """Frames for a span of time that grows with the rows.

    Parameters
    ----------
    options : BarOptions
        Calendar, time zone, anchor.
    """

    def __init__(self, options: BarOptions) -> None:
        self._options = options
        self._covered: tuple[int, int] | None = None
        self._opens = self._closes = np.zeros(0, np.int64)
        self._labels = np.zeros(0, "datetime64[D]")

    @property
    def covered(self) -> tuple[int, int]:
        """Span that it reaches over, UTC nanoseconds; nothing at first."""
        first, last = self._covered or (1, -1)
        return (first + 1) * _DAY_NS, (last - 1) * _DAY_NS

    def cover(self, first: int, last: int) -> bool:
        """Reach over a span of UTC nanoseconds; whether that changed anything."""
        days = first // _DAY_NS - 1, last // _DAY_NS + 1
        if self._covered is not None:
            days = min(days[0], self._covered[0]), max(days[1], self._covered[1])
            if days == self._covered:
                return False
        self._covered = days
        start, end = (np.datetime64(day, "D") for day in days)
        from_day = (start - _MARGIN).astype("datetime64[M]").astype("datetime64[D]")
        to_day = (end + _MARGIN).astype("datetime64[M]").astype("datetime64[D]")
        if self._options.sessions:
            self._use_sessions(self._options.sessions, (start, end), (from_day, to_day))
        else:
            self._labels = np.arange(from_day, to_day)
            bounds = _midnights(np.append(self._labels, to_day), self._options.time_zone)
            self._opens, self._closes = bounds[:-1], bounds[1:]
        return True

    def _use_sessions(
        self,
        name: str,
        needed: tuple[np.datetime64, np.datetime64],
        wanted: tuple[np.datetime64, np.datetime64],
    ) -> None:
        try:
            found = sessions(name, *wanted)
        except CalendarReachError as error:  # of the margins nothing is needed
            first, last = max(wanted[0], error.first), min(wanted[1], error.last)
            found = sessions(name, min(first, needed[0]), max(last, needed[1]))
        self._labels, self._opens, self._closes = found.labels, found.open_ns, found.close_ns

    def sessions(self) -> Spans | None:
        """Spans outside which rows are left out, and that bars of a size do not leave."""
        if not self._options.sessions:
            return None
        return self._with_nights(self._opens, self._closes)

    def frames(self, spec: BarSpec) -> Spans | None:
        """Spans that windows of a time bar do not leave; None for other bars."""
        if spec.kind != "time":
            return None
        if spec.unit in ("w", "mo"):
            return self._joined(spec.unit)
        if spec.unit == "d" or (self._options.anchor or "session") == "session":
            return self._with_nights(self._opens, self._closes)
        return self._by_days()

    def _joined(self, unit: str) -> Spans:
        """Weeks from Monday, or months: from their first open to their last close."""
        if unit == "w":  # 1970-01-01 was a Thursday
            group = (self._labels.astype(np.int64) + 3) // 7
        else:
            group = self._labels.astype("datetime64[M]").astype(np.int64)
        first = np.flatnonzero(np.diff(group, prepend=group[:1] - 1))
        last = np.append(first[1:], len(group)) - 1
        return self._with_nights(self._opens[first], self._closes[last])

    def _by_days(self) -> Spans:
        """Sessions cut at the beginnings of days."""
        starts, ends, _ = self._with_nights(self._opens, self._closes)
        first, last = (int(each) // _DAY_NS for each in (starts[0], ends[-1]))
        days = np.arange(first - 2, last + 3).astype("datetime64[D]")
        midnights = _midnights(days, self._options.time_zone)
        place = np.searchsorted(starts, midnights, side="right") - 1
        inside = (place >= 0) & (midnights < ends[place]) & (midnights > starts[place])
        cuts = np.unique(np.concatenate([starts, midnights[inside]]))
        frame = np.searchsorted(starts, cuts, side="right") - 1
        after = np.append(cuts[1:], ends[-1])
        anchors = midnights[np.searchsorted(midnights, cuts, side="right") - 1]
        return cuts, np.minimum(ends[frame], after), anchors

    def _with_nights(self, opens: Ints, closes: Ints) -> Spans:
        """Put what is between sessions among them, where rows of it are kept."""
        if self._options.outside == "keep" and self._options.sessions:
            gap = closes[:-1] < opens[1:]
            starts = np.concatenate([opens, closes[:-1][gap]])
            order = np.argsort(starts)
            starts = starts[order]
            closes = np.concatenate([closes, opens[1:][gap]])[order]
            return starts, closes, starts
        return opens, closes, opens


def _midnights(days: NDArray[np.datetime64], zone: str) -> Ints:
    """Instants at which days begin, shape (n,); where clocks skip midnight, the first after it."""
    if zone == "UTC":
        return days.astype(np.int64) * _DAY_NS
    place = ZoneInfo(zone)
    found = [
        dt.datetime(day.year, day.month, day.day, tzinfo=place).timestamp()
        for day in days.astype(object)
    ]
    return np.array([int(second) for second in found], dtype=np.int64) * 10**9
