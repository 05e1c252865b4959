"""What a venue shows of its market: numbered by instrument, and as a snapshot for newcomers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quantvista.market import Instrument
from quantvista.trading.gateway import (
    BarData,
    BookLevelData,
    MarketData,
    QuoteData,
    Status,
    TradeData,
)

__all__ = ["Shown"]

type Told = tuple[int, MarketData | Status]


class Shown:
    """Market data as they are published.

    Parameters
    ----------
    instruments : sequence of Instrument
        In ascending order of id.
    """

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._ids = [each.id for each in instruments]
        self.places = {name: place for place, name in enumerate(self._ids)}
        self._numbers = [0] * len(instruments)
        self._quotes: dict[str, dict[str, Any]] = {}
        self._books: dict[str, dict[str, dict[str, int]]] = {}
        self.halted: dict[str, bool] = {}

    def take(self, event: Mapping[str, Any], ts: int) -> Iterable[Told]:
        """Take an event as the engine does; return what is published of it, with its number."""
        ((name, body),) = event.items()
        place = body.get("instrument")
        if place is None:
            return
        of = self._ids[place]
        match name:
            case "quote":
                quote = QuoteData(instrument=of, ts=ts, **body["quote"])
                self._quotes[of] = {**body["quote"], "ts": ts}
                yield self._numbered(place, quote)
            case "trade":
                yield self._numbered(place, TradeData(instrument=of, ts=ts, **body["trade"]))
            case "bar":
                first, high, low = body["bar"]["range"] or (None, None, None)
                close, volume = body["bar"]["close"], body["bar"]["volume"]
                bar = BarData(
                    instrument=of, open=first, high=high, low=low, close=close, volume=volume, ts=ts
                )
                yield self._numbered(place, bar)
            case "book_cleared":
                self._books[of] = {"bid": {}, "ask": {}}
                self._cleared = True
                if not body["more"]:
                    yield self._numbered(place, self._level(of, ts, {}))
            case "book_level":
                self._level_changed(of, body["level"])
                yield self._numbered(place, self._level(of, ts, body["level"]))
            case "status":
                self.halted[of] = body["status"] == "halted"
                state = Status(state=body["status"], ts=ts, instrument=of)
                yield self._numbered(place, state)

    _cleared = False

    def _numbered(self, place: int, event: MarketData | Status) -> Told:
        self._numbers[place] += 1
        return self._numbers[place], event

    def _level_changed(self, of: str, level: Mapping[str, Any]) -> None:
        side = self._books.setdefault(of, {"bid": {}, "ask": {}})[_SIDE[level["side"]]]
        if level["size"]:
            side[str(level["price"])] = level["size"]
        else:
            side.pop(str(level["price"]), None)

    def _level(self, of: str, ts: int, level: Mapping[str, Any]) -> BookLevelData:
        clear, self._cleared = self._cleared, False
        return BookLevelData(
            instrument=of,
            side=_SIDE[level["side"]] if level else None,  # type: ignore[arg-type]
            price=level.get("price"),
            size=level.get("size", 0),
            ts=ts,
            more=level.get("more", False),
            clear=clear,
        )

    def snapshot(self, instrument: str, ts: int) -> list[Told]:
        """Say how an instrument stands, under the number of what was told last."""
        number = self._numbers[self.places[instrument]]
        told: list[Told] = []
        if instrument in self._quotes:
            told.append((number, QuoteData(instrument=instrument, **self._quotes[instrument])))
        if instrument in self._books:
            levels = [
                (side, int(price), size)
                for side, of in self._books[instrument].items()
                for price, size in sorted(of.items(), key=lambda level: int(level[0]))
            ]
            for at, (side, price, size) in enumerate(levels):
                level = BookLevelData(
                    instrument=instrument,
                    side=side,  # type: ignore[arg-type]
                    price=price,
                    size=size,
                    ts=ts,
                    more=at + 1 < len(levels),
                    clear=at == 0,
                )
                told.append((number, level))
        if self.halted.get(instrument):
            told.append((number, Status(state="halted", ts=ts, instrument=instrument)))
        return told

    def quote(self, instrument: str) -> Mapping[str, Any] | None:
        """Say what the best of both sides were last."""
        return self._quotes.get(instrument)

    def state(self) -> dict[str, Any]:
        """Write all of it as plain values."""
        return {
            "numbers": self._numbers,
            "quotes": self._quotes,
            "books": self._books,
            "halted": self.halted,
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`."""
        self._numbers, self._quotes = state["numbers"], state["quotes"]
        self._books, self.halted = state["books"], state["halted"]


_SIDE = {"buy": "bid", "sell": "ask", "bid": "bid", "ask": "ask"}
