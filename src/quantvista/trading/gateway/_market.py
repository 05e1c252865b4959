"""Market data and the state of the connection."""

from dataclasses import dataclass
from typing import Literal

from quantvista.trading.gateway._orders import Side

__all__ = ["BarData", "BookLevelData", "MarketData", "QuoteData", "Status", "TradeData"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteData:
    """The best of both sides; None where a side is absent or a size unknown."""

    instrument: str
    bid: int | None
    bid_size: int | None
    ask: int | None
    ask_size: int | None
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeData:
    """A trade of others; ``aggressor`` where it is known."""

    instrument: str
    price: int
    size: int
    aggressor: Side | None
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BarData:
    """A bar, stamped at its close; None where there was nothing but a close."""

    instrument: str
    open: int | None
    high: int | None
    low: int | None
    close: int
    volume: int | None
    ts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLevelData:
    """A level of a book as it stands now; size 0 removes it.

    ``more`` says that the message goes on. The first of a snapshot has ``clear``: all that was
    there is gone. An empty book is told by a level without a price.
    """

    instrument: str
    side: Literal["bid", "ask"] | None
    price: int | None
    size: int
    ts: int
    more: bool = False
    clear: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The state of a connection or of an instrument at the venue.

    ``state`` is ``connected``, ``disconnected`` (reports and data are late from now on),
    ``halted`` or ``trading`` (an instrument), ``data_missed`` (market data of an instrument were
    lost and do not come again) or ``reset`` (the venue does not know what it told us before:
    everything must be reconciled). ``sequence`` is, with a reset, the number of the last report
    that does not come: those after it follow. None where a venue does not say.
    """

    state: Literal["connected", "disconnected", "halted", "trading", "data_missed", "reset"]
    ts: int
    instrument: str | None = None
    text: str = ""
    sequence: int | None = None


type MarketData = QuoteData | TradeData | BarData | BookLevelData
