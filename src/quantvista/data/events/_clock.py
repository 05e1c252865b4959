"""The session clock: barriers at which sessions begin and end, and the ends of days."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.engine import Tape
from quantvista.errors import MarketDataError
from quantvista.market import CalendarReachError, EventKind, Sessions, calendar_zone, sessions

__all__ = ["Clock", "clock_tape", "session_clock"]

_DAY_NS = 86_400 * 10**9
_DAY = np.timedelta64(1, "D")

type Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Clock:
    """Sessions that data touches, and the hours that a day has there.

    Parameters
    ----------
    days : Sessions
        Their dates, opens and closes, uncut.
    zone : str
        Time zone in which a date begins.
    """

    days: Sessions
    zone: str

    def midnight(self, date: np.datetime64) -> int:
        """First instant of a date, UTC nanoseconds."""
        for hour in (0, 1):  # where daylight saving skips midnight, the day begins at one
            naive = np.array([date], dtype="datetime64[ns]") + np.timedelta64(hour, "h")
            local = pl.Series(naive).dt.replace_time_zone(
                self.zone, ambiguous="earliest", non_existent="null"
            )
            if not local.null_count():
                break
        return int(local.to_physical()[0])

    def part(self, rows: NDArray[np.bool_]) -> "Clock":
        """Choose sessions."""
        days = self.days
        chosen = Sessions(days.labels[rows], days.open_ns[rows], days.close_ns[rows])
        return Clock(chosen, self.zone)

    @property
    def span(self) -> tuple[int, int]:
        """Instants after which and up to which data is of these sessions.

        A session that opens on its date has the hours before its open and after its close too.
        """
        first, last = self.days.labels[0], self.days.labels[-1]
        low = min(int(self.days.open_ns[0]), self.midnight(first))
        high = int(self.days.close_ns[-1])
        if int(self.days.open_ns[-1]) >= self.midnight(last):
            high = max(high, self.midnight(last + _DAY))
        return low, high

    def before(self, date: np.datetime64) -> int:
        """Instant before the data of a session, at which its corporate actions are known.

        It is just after the earlier of its open and the beginning of its date, and after the
        close of the session before.

        Raises
        ------
        MarketDataError
            If the date is no session.
        """
        at = int(np.searchsorted(self.days.labels, date))
        if at == len(self.days) or self.days.labels[at] != date:
            raise MarketDataError(f"`ex_date` must be a session of the calendar; found {date}")
        instant = min(int(self.days.open_ns[at]), self.midnight(date))
        if at:
            instant = max(instant, int(self.days.close_ns[at - 1]))
        return instant + 1


def session_clock(calendar: str, zone: str, first: int, last: int) -> Clock:
    """Find the sessions that events touch.

    Parameters
    ----------
    calendar, zone : str
        Of the fund; a calendar may have a zone by its name.
    first, last : int
        Of the events, UTC nanoseconds.

    Returns
    -------
    Clock
        Sessions of the dates of the events, at least one.

    Raises
    ------
    MarketDataError
        If there is no session.
    """
    zone = calendar_zone(calendar) or zone
    start = np.datetime64((first - 1) // _DAY_NS - 1, "D")
    end = np.datetime64(last // _DAY_NS + 1, "D")
    try:
        days = sessions(calendar, start, end)
    except CalendarReachError as error:
        days = sessions(calendar, max(start, error.first), min(end, error.last))
    local = pl.Series([first - 1, last], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    dates = local.dt.convert_time_zone(zone).dt.date().to_numpy().astype("datetime64[D]")
    touched = (days.open_ns < last) & (days.close_ns >= first)
    touched |= (days.labels >= dates[0]) & (days.labels <= dates[1])
    rows = np.flatnonzero(touched)
    if not len(rows):
        found = f"{np.datetime64(first, 'ns')} to {np.datetime64(last, 'ns')}"
        raise MarketDataError(f"the data must touch a session of {calendar}; found {found}")
    cut = slice(int(rows[0]), int(rows[-1]) + 1)
    return Clock(Sessions(days.labels[cut], days.open_ns[cut], days.close_ns[cut]), zone)


def clock_tape(
    clock: Clock,
    first: int,
    last: int,
    bars: tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]] | None = None,
    every_ns: int | None = None,
) -> list[Tape]:
    """Barriers and ends of days of a run.

    Parameters
    ----------
    clock : Clock
        Sessions of the run.
    first, last : int
        Of the events; the first session begins with the events, and the last ends with them, if
        that cuts them short.
    bars : (int64, bool, bool), shape (T,) each, or None
        Closes of bars, and whether they are the first and last of their session. Where a session
        has bars they begin and end it, not its open and close.
    every_ns : int or None
        Barriers within sessions, this often, counted from the open.

    Returns
    -------
    list of Tape
        Barriers, and ends of days, to be merged in this order after everything else.
    """
    opens = np.maximum(clock.days.open_ns, first)
    closes = np.minimum(clock.days.close_ns, max(last, int(opens[-1])))
    closes = np.maximum(closes, opens)
    flags: dict[int, int] = {}
    if every_ns:
        for open_ns, low, close in zip(clock.days.open_ns, opens, closes, strict=True):
            start = int(open_ns) - (int(open_ns) - int(low)) // every_ns * every_ns
            flags.update(dict.fromkeys(range(start, int(close), every_ns), 0))
    barred = np.zeros(len(opens), dtype=np.bool_)
    if bars is not None:
        session = np.searchsorted(clock.days.close_ns, bars[0])
        barred[session[session < len(barred)]] = True
        for ts, start, end in zip(*(each.tolist() for each in bars), strict=True):
            flags[ts] = int(start) | 2 * int(end)
    for ts in opens[~barred].tolist():
        flags[ts] = flags.get(ts, 0) | 1
    for ts in closes[~barred].tolist():
        flags[ts] = flags.get(ts, 0) | 2
    ts = np.array(sorted(flags), dtype=np.int64)
    flag = np.array([flags[each] for each in ts.tolist()], dtype=np.uint8)
    return [Tape.of(EventKind.BARRIER, ts, flag=flag), _days(clock, closes)]


def _days(clock: Clock, closes: Ints) -> Tape:
    """End each trading day at its close, and each other day between at its midnight.

    Where the next session opens before that midnight, as that of Monday on Sunday evening, the
    day ends when it opens: otherwise what is reset daily would be reset within a session.
    """
    ends = {int(close): 1 for close in closes}
    first, last = clock.days.labels[0], clock.days.labels[-1]
    every = np.arange(first, last + _DAY)
    for date in np.setdiff1d(every, clock.days.labels):
        opens = int(clock.days.open_ns[np.searchsorted(clock.days.labels, date)])
        start, end = clock.midnight(date), clock.midnight(date + _DAY)
        ends.setdefault(opens if start < opens < end else end, 0)
    ts = np.array(sorted(ends), dtype=np.int64)
    flag = np.array([ends[each] for each in ts.tolist()], dtype=np.uint8)
    return Tape.of(EventKind.DAY_ENDED, ts, flag=flag)
