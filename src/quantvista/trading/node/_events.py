"""What venues tell, as inputs of the engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantvista.trading.gateway import (
    Accepted,
    BalanceChanged,
    BarData,
    BookLevelData,
    Busted,
    Cancelled,
    CancelRejected,
    Expired,
    Filled,
    MarketData,
    QuoteData,
    Rejected,
    Report,
    Status,
    TradeData,
)
from quantvista.trading.node._adoption import Adoption, Part, split_trade
from quantvista.trading.node._orders import Orders

__all__ = ["Event", "Translator", "Untranslatable", "market_events"]

type Event = dict[str, Any]

_SIDES = {"bid": "buy", "ask": "sell"}
_WORDS: dict[type, str] = {
    Accepted: "accepted",
    Rejected: "rejected",
    Cancelled: "cancelled",
    Expired: "expired",
    CancelRejected: "cancel_rejected",
}


class Untranslatable(Exception):
    """A report that cannot be booked: the books and the venue then differ."""


def market_events(data: MarketData | Status, place: int) -> list[Event]:
    """Write market data of the instrument at a place as the engine takes them.

    Parameters
    ----------
    data : MarketData or Status
        As a gateway delivers them; of states only ``halted`` and ``trading``.
    place : int
        Of the instrument.

    Returns
    -------
    list of dict
        Events of one time; a snapshot of a book begins with one that clears it.
    """
    match data:
        case QuoteData():
            names = ("bid", "bid_size", "ask", "ask_size")
            quote = {name: getattr(data, name) for name in names}
            return [{"quote": {"instrument": place, "quote": quote}}]
        case TradeData():
            trade = {"price": data.price, "size": data.size, "aggressor": data.aggressor}
            return [{"trade": {"instrument": place, "trade": trade}}]
        case BarData():
            known = data.open is not None
            span = [data.open, data.high, data.low] if known else None
            bar = {"range": span, "close": data.close, "volume": data.volume}
            return [{"bar": {"instrument": place, "bar": bar}}]
        case BookLevelData():
            return _levels(data, place)
        case Status():
            return [{"status": {"instrument": place, "status": data.state}}]


def _levels(data: BookLevelData, place: int) -> list[Event]:
    events: list[Event] = []
    if data.clear:
        more = data.side is not None
        events.append({"book_cleared": {"instrument": place, "more": more}})
    if data.side is not None:
        level = {
            "side": _SIDES[data.side],
            "price": data.price,
            "size": data.size,
            "more": data.more,
        }
        events.append({"book_level": {"instrument": place, "level": level}})
    return events


@dataclass(frozen=True, slots=True)
class Translator:
    """Reports of one venue, as inputs.

    Parameters
    ----------
    orders : Orders
        Names of orders.
    places : mapping of str to int
        Instruments that trade there.
    money : mapping of str to str
        The currency of fees by instrument.
    adopt_into : int
        Sleeve that gets of trades that are nobody's what closes no position.
    adoption : Adoption
        How trades that are nobody's were divided.
    held : callable
        Position of each sleeve in the instrument at a place, as of all that was told.
    """

    orders: Orders
    places: Mapping[str, int]
    money: Mapping[str, str]
    adopt_into: int
    adoption: Adoption
    held: Callable[[int], Sequence[int]]

    def report(self, report: Report) -> list[Event]:
        """Write a report; nothing where it changes nothing in the books, or is of money alone.

        Raises
        ------
        Untranslatable
            If it is about something that the fund does not have.
        """
        if isinstance(report, Filled | Busted):
            word = "filled" if isinstance(report, Filled) else "busted"
            return [{"report": {word: each}} for each in self._executions(report)]
        if isinstance(report, BalanceChanged):
            return []
        word = _WORDS.get(type(report), "")
        order = self.orders.number(report.client_order_id)
        if not word or order is None:
            return []
        return [{"report": {word: {"order": order}}}]

    def _executions(self, report: Filled | Busted) -> list[Event]:
        place = self.places.get(report.instrument)
        if place is None:
            raise Untranslatable(f"a trade of {report.instrument}, which the fund does not have")
        if report.fee and report.fee_currency != self.money[report.instrument]:
            raise Untranslatable(
                f"a fee in {report.fee_currency} of a trade in {self.money[report.instrument]}"
            )
        order = self.orders.number(report.client_order_id)
        owner = self.orders.owner(order)
        terms = {
            "order": order,
            "instrument": place,
            "leg": "net",
            "side": report.side,
            "price": report.price,
            "liquidity": report.liquidity if isinstance(report, Filled) else "none",
        }
        if owner is not None:
            parts = [Part(report.trade_id, owner[0], report.quantity, report.fee)]
        elif isinstance(report, Busted):
            parts = self.adoption.parts(report.trade_id)
            whole = Part(report.trade_id, self.adopt_into, report.quantity, report.fee)
            parts = parts or [whole]
        else:
            signed = report.quantity if report.side == "buy" else -report.quantity
            held = self.held(place)
            parts = split_trade(report.trade_id, signed, report.fee, held, self.adopt_into)
            for part in parts:
                self.adoption.booked(part)
        return [{**part._asdict(), **terms} for part in parts]

    def is_foreign(self, report: Report) -> bool:
        """Whether a report is of a trade that no order of ours made."""
        return isinstance(report, Filled) and self.orders.number(report.client_order_id) is None
