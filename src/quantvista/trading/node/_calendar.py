"""What time alone brings: sessions that begin and end, and days that are over."""

from collections import deque
from collections.abc import Callable
from typing import Any

from quantvista.data.events import clock_tape, session_clock
from quantvista.errors import MarketDataError
from quantvista.market import EventKind

__all__ = ["DueEvents"]

type Event = dict[str, Any]

_DAY_NS = 86_400 * 10**9
_AHEAD_NS = 10 * _DAY_NS
_BEHIND_NS = 3 * _DAY_NS


class DueEvents:
    """Barriers at the edges of sessions, and ends of days, as they fall due.

    Parameters
    ----------
    calendar, time_zone : str
        Of the fund.
    after : int
        Everything later than this comes, UTC ns, also what fell due while nobody looked.
    with_bars : bool
        Whether sessions are bars: then there is one barrier each, at its close.
    """

    def __init__(
        self, calendar: str, time_zone: str, after: int, *, with_bars: bool = False
    ) -> None:
        self._calendar, self._zone, self._with_bars = calendar, time_zone, with_bars
        self._after = after
        self._waiting: deque[tuple[int, Event]] = deque()
        self._known = after

    def next_at(self) -> int | None:
        """When the next falls due; None where the calendar has no session soon."""
        if not self._waiting:
            self._look()
        return self._waiting[0][0] if self._waiting else None

    def take(
        self, now: int, ready: Callable[[int, Event], bool] = lambda _ts, _event: True
    ) -> list[tuple[int, Event]]:
        """Take what is due, with the time at which it was, as far as it is ready."""
        found = []
        while (at := self.next_at()) is not None and at <= now and ready(*self._waiting[0]):
            found.append(self._waiting.popleft())
            self._after = at
        return found

    def _look(self) -> None:
        first, last = self._after - _BEHIND_NS, max(self._known, self._after) + _AHEAD_NS
        try:
            clock = session_clock(self._calendar, self._zone, first, last)
        except MarketDataError:
            return
        rows: list[tuple[int, int, Event]] = []
        for tape in clock_tape(clock, first, last):
            for ts, kind, flag in zip(
                tape.ts_received.tolist(), tape.kind.tolist(), tape.flag.tolist(), strict=True
            ):
                # What touches the edges of the window was cut there.
                event = _event(kind, flag)
                if self._with_bars and "barrier" in event:
                    if not flag & 2:
                        continue
                    event["barrier"]["session_start"] = True
                if self._after < ts < last - _DAY_NS:
                    rows.append((ts, kind, event))
        rows.sort(key=lambda row: row[:2])
        self._waiting.extend((ts, event) for ts, _, event in rows)
        self._known = last


def _event(kind: int, flag: int) -> Event:
    if kind == EventKind.BARRIER:
        return {"barrier": {"session_start": bool(flag & 1), "session_end": bool(flag & 2)}}
    return {"day_ended": {"trading": bool(flag & 1)}}
