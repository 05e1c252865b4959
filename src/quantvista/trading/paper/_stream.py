"""Streams: what a venue tells those that listen, and what may happen to it on the way."""

import heapq
import json
from collections.abc import Callable

from quantvista.trading.gateway import MarketData, Report, Status, to_plain
from quantvista.trading.paper._faults import Faults
from quantvista.trading.paper._venue import PaperVenue, VenueError

__all__ = ["Stream"]

_PAGE = 500


class Stream:
    """One listener of one account.

    Parameters
    ----------
    venue : PaperVenue
        Of which.
    account : int
        Whose reports.
    faults : Faults
        What goes wrong.
    wake : callable
        Called when there is something to send.
    """

    def __init__(
        self, venue: PaperVenue, account: int, faults: Faults, wake: Callable[[], None]
    ) -> None:
        self._venue, self.account, self._faults, self._wake = venue, account, faults, wake
        self._market: set[str] = set()
        self._listening = False
        self._outbox: list[tuple[int, int, str]] = []
        self._held: list[str] = []
        self._count = 0
        self.closed = False

    # -- what the listener says ------------------------------------------------------
    def receive(self, text: str, now: int) -> None:
        """Take a message: ``subscribe`` with ``after`` and ``market``, or ``snapshot``."""
        try:
            message = json.loads(text)
            match message["op"]:
                case "subscribe":
                    self._subscribe(int(message["after"]), list(message["market"]), now)
                case "market":
                    self._choose(list(message["market"]), now)
                case "snapshot":
                    self._snapshot(str(message["instrument"]), now)
                case other:
                    raise VenueError("bad_request", f"`op` does not know {other!r}")
        except VenueError as error:
            self._put({"op": "error", "code": error.code, "text": str(error)}, now)
        except (ValueError, KeyError, TypeError):
            self._put({"op": "error", "code": "bad_request", "text": "not understood"}, now)

    def _subscribe(self, after: int, market: list[str], now: int) -> None:
        last = self._venue.sequence(self.account)
        if after > last:
            self._put({"op": "reset", "sequence": last}, now)
        else:
            while rows := self._venue.reports(self.account, after, _PAGE):
                for after, report in rows:
                    self._report(after, report, now)
        self._listening = True
        self._choose(market, now)
        self.beat(now)

    def _choose(self, market: list[str], now: int) -> None:
        for instrument in sorted(set(market) - self._market):
            self._snapshot(instrument, now)
        self._market = set(market)

    def _snapshot(self, instrument: str, now: int) -> None:
        for number, event in self._venue.market(instrument):
            self._put(_data(number, event, snapshot=True), now)

    # -- what the venue says ------------------------------------------------------
    def report(self, sequence: int, report: Report, now: int) -> None:
        """Tell of a report."""
        if self._listening:
            self._report(sequence, report, now)

    def _report(self, sequence: int, report: Report, now: int) -> None:
        self._through("report", {"report": to_plain(report), "sequence": sequence}, now)

    def market(self, number: int, event: MarketData | Status, now: int) -> None:
        """Tell of market data that were asked for."""
        if event.instrument in self._market:
            self._through("market", _data(number, event), now)

    def beat(self, now: int) -> None:
        """Tell that there is nothing more to tell."""
        if self._listening:
            sequence = self._venue.sequence(self.account)
            self._put({"op": "heartbeat", "sequence": sequence, "ts": now}, now)

    def close(self) -> None:
        """End it; what is on the way is lost."""
        self.closed = True
        self._outbox.clear()
        self._wake()

    # -- the way ------------------------------------------------------
    def _through(self, on: str, message: dict[str, object], now: int) -> None:
        """Send a message through what may go wrong."""
        fault = self._faults.pick(on)
        match fault.kind if fault is not None else "":
            case "drop":
                return
            case "delay":
                assert fault is not None
                self._put(message, now + fault.delay_ns)
            case "duplicate":
                self._put(message, now)
                self._put(message, now)
            case "reorder":
                self._held.append(json.dumps(message))
                return
            case _:
                self._put(message, now)
        for text in self._held:
            self._push(text, now)
        self._held.clear()

    def _put(self, message: dict[str, object], due: int) -> None:
        self._push(json.dumps(message, separators=(",", ":")), due)

    def _push(self, text: str, due: int) -> None:
        if not self.closed:
            self._count += 1
            heapq.heappush(self._outbox, (due, self._count, text))
            self._wake()

    def take(self, now: int) -> str | None:
        """Take the next message that is due."""
        if self._outbox and self._outbox[0][0] <= now:
            return heapq.heappop(self._outbox)[2]
        return None

    def next_at(self) -> int | None:
        """When there is a message to take; None if there is none."""
        return self._outbox[0][0] if self._outbox else None


def _data(number: int, event: MarketData | Status, *, snapshot: bool = False) -> dict[str, object]:
    return {"market": to_plain(event), "number": number, "snapshot": snapshot}
