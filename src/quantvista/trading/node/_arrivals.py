"""Market data that must be told together: the parts of a book's message, and bars."""

from typing import Any

from quantvista.trading.gateway import BarData, BookLevelData, MarketData, Status
from quantvista.trading.node._events import Event, market_events

__all__ = ["Arrivals"]


class Arrivals:
    """Holds market data back until all of it is there that belongs together.

    Parameters
    ----------
    instruments : int
        How many the fund has.
    with_bars : bool
        Whether strategies decide on bars: they are told with the barrier of their session.

    Attributes
    ----------
    late : int
        Bars that came after their session was decided on, and were left out.
    """

    def __init__(self, instruments: int, *, with_bars: bool) -> None:
        self._count, self._with_bars = instruments, with_bars
        self._parts: dict[int, list[Event]] = {}
        self._bars: dict[int, dict[int, Event]] = {}
        self._decided = 0
        self.late = 0

    def take(self, data: MarketData | Status, place: int) -> list[Event]:
        """Take market data of the instrument at a place; return what is to be told at once."""
        events = market_events(data, place)
        if isinstance(data, BarData) and self._with_bars:
            if data.ts <= self._decided:
                self.late += 1
            else:
                self._bars.setdefault(data.ts, {})[place] = events[0]
            return []
        if not isinstance(data, BookLevelData):
            return events
        parts = self._parts.setdefault(place, [])
        if data.clear:
            parts.clear()  # what was lost in between does not come any more
        parts += events
        return [] if data.more else self._parts.pop(place)

    def is_ready(self, ts: int, event: Event) -> bool:
        """Whether all bars of the session that ends at a time are there."""
        if not self._with_bars or "barrier" not in event:
            return True
        return len(self._bars.get(ts, ())) == self._count

    def with_bars(self, ts: int, event: Event) -> list[dict[str, Any]]:
        """Put the bars of a session before its barrier; those that did not come are missing."""
        if not self._with_bars or "barrier" not in event:
            return [event]
        there = self._bars.pop(ts, {})
        self._bars = {at: bars for at, bars in self._bars.items() if at > ts}
        self._decided = ts
        missing = ({"bar_missing": {"instrument": place}} for place in range(self._count))
        return [*(there.get(place, each) for place, each in enumerate(missing)), event]
