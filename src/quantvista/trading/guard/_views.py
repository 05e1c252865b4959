"""What the guard knows of a venue, by what it heard itself; no I/O, no clock.

Times here are seconds of the event loop, which never jump, unlike the clock of a machine.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from quantvista.trading.gateway import (
    Accepted,
    AccountSnapshot,
    BalanceChanged,
    BarData,
    BookLevelData,
    Busted,
    Delivery,
    Filled,
    Listing,
    QuoteData,
    Rejected,
    Status,
    TradeData,
)
from quantvista.trading.guard._prices import Mark, Trust
from quantvista.trading.guard._worth import Pair, notional, unit

__all__ = ["VenueView"]

_FLOWS = frozenset({"deposit", "withdrawal"})
_RECENT_S = 10.0
_PAST_MAX = 10_000
_LARGEST = 2**96
_NAMES = ("instrument", "client_order_id", "currency", "fee_currency")
_WHOLE = ("ts", "quantity", "price", "fee", "amount", "bid", "ask", "size", "close")
_NEWS_NS = 60_000_000_000


def _makes_sense(event: object) -> bool:
    """Whether numbers are whole and such that sums of them can be counted, and names are texts."""
    found = (getattr(event, name, None) for name in _WHOLE)
    names = (getattr(event, name, "") for name in _NAMES)
    return all(
        each is None or (type(each) is int and abs(each) < _LARGEST) for each in found
    ) and all(type(each) is str for each in names)


@dataclass(slots=True)
class Counts:
    """What was heard since it was last taken."""

    orders: int = 0
    rejects: int = 0
    reports: int = 0


class _Moves:
    """What moved, by currency or instrument, since some moment and in the last seconds."""

    def __init__(self) -> None:
        self._now: dict[str, int] = {}
        self._anchor: dict[str, int] = {}
        self._past: dict[str, deque[tuple[float, int]]] = {}

    def add(self, name: str, amount: int, at: float) -> None:
        if not amount:
            return
        past = self._past.setdefault(name, deque([(float("-inf"), self._now.get(name, 0))]))
        self._now[name] = self._now.get(name, 0) + amount
        past.append((at, self._now[name]))

    def so_far(self) -> dict[str, int]:
        return dict(self._now)

    def anchor(self, moved: dict[str, int]) -> None:
        """Count from when this had moved."""
        self._anchor = moved

    def recent(self, name: str, at: float) -> list[int]:
        past = self._past.get(name)
        if past is None:
            return [0]
        # The last one that is too old stays: it is how the window began.
        while len(past) > 1 and past[1][0] <= at - _RECENT_S:
            past.popleft()
        return [value - self._anchor.get(name, 0) for _, value in past]


class VenueView:
    """An account at a venue, as the guard sees it.

    Parameters
    ----------
    venue : str
        Its name in the fund file.
    own : str
        What the guard's own order ids begin with; they count for nobody.
    sequence : int
        The last report that is known already.
    open_cost : mapping
        What is open in instruments that only pay differences, up to that report: quantity and
        cost in 1e-12.
    prices : mapping
        Twice the prices that could be built upon in an earlier life, by instrument.

    Attributes
    ----------
    ours : frozenset of str or None
        Currencies of the fund; what else is on the account is left alone. None until all venues
        have said what they list.
    """

    def __init__(
        self,
        venue: str,
        own: str,
        sequence: int = 0,
        open_cost: Mapping[str, tuple[int, int]] | None = None,
        prices: Mapping[str, int] | None = None,
    ) -> None:
        self.venue, self.own = venue, own
        self.sequence = sequence
        self.open_cost = dict(open_cost or {})
        self._began = sequence, dict(self.open_cost)
        self.listings: dict[str, Listing] = {}
        self.ours: frozenset[str] | None = None
        self.marks: dict[str, Mark] = {}
        self._trust = {name: Trust(twice) for name, twice in (prices or {}).items()}
        self.halted: set[str] = set()
        self.account: AccountSnapshot | None = None
        self.valued_at: float | None = None
        self._matched: tuple[AccountSnapshot, dict[str, tuple[int, int]]] | None = None
        self._moves = _Moves()
        # After each report that changed them: what is open, and what moved so far.
        self._past: deque[tuple[int, dict[str, tuple[int, int]], dict[str, int]]] = deque(
            [(sequence, dict(self.open_cost), {})], maxlen=_PAST_MAX
        )
        self.heard_at: float | None = None
        self.offset_ns = 0
        self.is_connected = False
        self.resets = 0
        self._begins_anew = False
        self.counts = Counts()
        self._books: dict[str, dict[str, dict[int, int]]] = {}
        self._flows: list[tuple[int, str, int]] = []

    # -- what is heard ------------------------------------------------------
    def list_instruments(self, listings: Sequence[Listing]) -> None:
        """Learn what trades there."""
        self.listings = {each.instrument: each for each in listings}
        self.halted = {each.instrument for each in listings if each.halted}

    def take_account(self, account: AccountSnapshot, at: float) -> None:
        """Take how the account stands."""
        balances = tuple(each for each in account.balances if self._is_ours(each.currency))
        self.account, self.heard_at = replace(account, balances=balances), at
        if self._begins_anew:  # it numbers its reports anew, and says with the account from where
            self.sequence, self._begins_anew = account.sequence, False
            self._past.clear()
            self._remember()
        self._match()

    def _is_ours(self, currency: str) -> bool:
        return self.ours is None or currency in self.ours

    def take_flows(self) -> list[tuple[str, int]]:
        """Take the money that came or went by itself and that `money` has, by currency."""
        until = self.as_of()[0]
        due = [flow for flow in self._flows if flow[0] <= until]
        self._flows = [flow for flow in self._flows if flow[0] > until]
        return [(currency, amount) for _, currency, amount in due if self._is_ours(currency)]

    def as_of(self) -> tuple[int, dict[str, tuple[int, int]]]:
        """Say which report `money` is as of, and what was open then, at its cost."""
        if self._matched is None:
            return self._began
        return self._matched[0].sequence, self._matched[1]

    def hear(self, delivery: Delivery, at: float) -> None:
        """Take a report, a price or a state; one that makes no sense is left out.

        A report that does counts as if the venue had forgotten what it told us.
        """
        event = delivery.event
        if delivery.sequence is not None:
            self.sequence = delivery.sequence
            if not _makes_sense(event):
                self.resets += 1
                return
            self._report(event, delivery.sequence, at)
            since_ns = delivery.ts_received + self.offset_ns - event.ts
            if since_ns <= _NEWS_NS and not self._is_own(event):
                self._count(event)
            self._match()
            return
        match event:
            case Status():
                self._state(event)
            case _ if not _makes_sense(event):
                return
            case QuoteData():
                mark = self._mark(event.instrument, at)
                mark.bid, mark.ask = event.bid, event.ask
                self._weigh(event.instrument, event.ts)
            case TradeData():
                self._last(event.instrument, event.price, event.ts, at)
            case BarData():
                self._last(event.instrument, event.close, event.ts, at)
            case BookLevelData():
                self._level(event, at)

    def _match(self) -> None:
        """Keep account and cost of what is open as of one report, whichever of both came first."""
        account = self.account
        if account is None or account.sequence > self.sequence:
            return
        if self._matched is not None and self._matched[0] is account:
            return
        past = self._past
        while len(past) > 1 and past[1][0] <= account.sequence:
            past.popleft()
        if past[0][0] <= account.sequence:
            self._matched, self.valued_at = (account, past[0][1]), self.heard_at
            self._moves.anchor(past[0][2])

    def _remember(self) -> None:
        self._past.append((self.sequence, dict(self.open_cost), self._moves.so_far()))

    def _mark(self, instrument: str, at: float) -> Mark:
        mark = self.marks.setdefault(instrument, Mark(at))
        mark.at = at
        return mark

    def _last(self, instrument: str, price: int, ts: int, at: float) -> None:
        mark = self._mark(instrument, at)
        mark.last = price
        if mark.bid is None and mark.ask is None:
            self._weigh(instrument, ts)
        elif price > 0:
            self._trust.setdefault(instrument, Trust()).take(ts, 2 * price, is_mark=False)

    def _weigh(self, instrument: str, ts: int) -> None:
        """Find out whether the mark of now can be built upon."""
        mark = self.marks[instrument]
        if mark.twice is not None and mark.is_sound:
            self._trust.setdefault(instrument, Trust()).take(ts, mark.twice)

    def _level(self, event: BookLevelData, at: float) -> None:
        if event.clear or event.instrument not in self._books:
            self._books[event.instrument] = {"bid": {}, "ask": {}}
        book = self._books[event.instrument]
        if event.side is not None and event.price is not None:
            if event.size:
                book[event.side][event.price] = event.size
            else:
                book[event.side].pop(event.price, None)
        if not event.more:
            mark = self._mark(event.instrument, at)
            before = mark.twice
            mark.bid = max(book["bid"], default=None)
            mark.ask = min(book["ask"], default=None)
            if mark.twice != before:  # a level that only stays does not confirm itself
                self._weigh(event.instrument, event.ts)

    def _state(self, event: Status) -> None:
        match event.state:
            case "connected" | "disconnected":
                self.is_connected = event.state == "connected"
            case "halted" if event.instrument is not None:
                self.halted.add(event.instrument)
            case "trading" if event.instrument is not None:
                self.halted.discard(event.instrument)
            case "reset":
                # What was paid for what is open is not known any more; the loss begins anew.
                self.resets += 1
                self.open_cost = {}
                self._flows.clear()
                self._begins_anew = True

    def _is_own(self, event: object) -> bool:
        return str(getattr(event, "client_order_id", "")).startswith(self.own)

    def _count(self, event: object) -> None:
        """Count what happened just now; a guard that was away is told of days at once."""
        self.counts.reports += 1
        self.counts.orders += isinstance(event, Accepted | Rejected)
        self.counts.rejects += isinstance(event, Rejected)

    def _report(self, event: object, sequence: int, at: float) -> None:
        match event:
            case BalanceChanged():
                self._moves.add(event.currency, event.amount, at)
                self._money_came(event, sequence)
                self._remember()
            case Busted():
                self._fill(event, at, -1)
                self._remember()
            case Filled():
                self._fill(event, at, 1)
                self._remember()

    def _money_came(self, event: BalanceChanged, sequence: int) -> None:
        if event.cause in _FLOWS:
            self._flows.append((sequence, event.currency, event.amount))
        elif event.cause == "variation":
            for name, (quantity, cost) in self.open_cost.items():
                sure = self._worth(name, quantity, sure=True)
                worth = self._worth(name, quantity) if sure is None else sure
                self.open_cost[name] = (quantity, cost if worth is None else worth)

    def _fill(self, fill: Filled | Busted, at: float, way: int) -> None:
        """Take a fill, or with ``way`` -1 one that was undone."""
        listing = self.listings.get(fill.instrument)
        if listing is None:
            return
        if way > 0 and fill.price > 0:
            trust = self._trust.setdefault(fill.instrument, Trust())
            trust.take(fill.ts, 2 * fill.price, is_mark=False)
        signed = way * (fill.quantity if fill.side == "buy" else -fill.quantity)
        value = int(signed * fill.price * unit(listing))
        moves = self._moves
        moves.add(fill.fee_currency, -way * fill.fee, at)
        if listing.settlement == "exchange":
            moves.add(listing.base, signed * 10 ** (12 - listing.quantity_precision), at)
            moves.add(listing.currency, -value, at)
            return
        moves.add(listing.instrument, signed, at)
        paid = value
        if listing.settlement == "difference":
            paid = -self._open(listing, signed, fill.price)
        moves.add(listing.currency, -paid, at)

    def _open(self, listing: Listing, signed: int, price: int) -> int:
        """Change what is open, at its cost; return what that gained."""
        name, one = listing.instrument, price * unit(listing)
        held, cost = self.open_cost.get(name, (0, 0))
        left = held + signed
        if held * signed >= 0:
            gained, cost = 0, cost + int(signed * one)
        elif abs(signed) <= abs(held):
            part = cost * abs(signed) // abs(held)
            gained, cost = -int(signed * one) - part, cost - part
        else:  # it went through nothing: what is left was opened at this price
            gained, cost = int(held * one) - cost, int(left * one)
        self.open_cost[name] = (left, cost)
        if not left:
            del self.open_cost[name]
        return gained

    def recent(self, name: str, at: float) -> list[int]:
        """Say what there was of a currency or an instrument in the last seconds, and is.

        In 1e-12 or in units. Node and venue are asked at different moments, and between them the
        fund trades on: what the node says must be one of these.
        """
        if self._matched is None:
            return []
        account = self._matched[0]
        now = sum(each.total for each in account.balances if each.currency == name)
        now += sum(each.quantity for each in account.positions if each.instrument == name)
        return [now + moved for moved in self._moves.recent(name, at)]

    # -- what it is worth ------------------------------------------------------
    def _twice(self, instrument: str, *, sure: bool) -> int | None:
        """Twice the last price, or with ``sure`` the last that another one confirms."""
        mark = self.marks.get(instrument)
        if mark is None or not sure:
            return None if mark is None else mark.twice
        return self._trust[instrument].twice if instrument in self._trust else None

    def sure_prices(self) -> dict[str, int]:
        """Twice the prices that can be built upon, by instrument."""
        found = {name: self._twice(name, sure=True) for name in sorted(self.marks)}
        return {name: twice for name, twice in found.items() if twice is not None}

    def pairs(self, *, sure: bool = False) -> list[Pair]:
        """Prices of currencies in one another; with ``sure`` only those that are confirmed."""
        found = []
        for name, listing in self.listings.items():
            twice = self._twice(name, sure=sure)
            if listing.settlement == "exchange" and twice is not None and twice > 0:
                price = Fraction(twice, 2 * 10**listing.price_precision)
                found.append(Pair(listing.base, listing.currency, price))
        return found

    def _worth(self, instrument: str, quantity: int, *, sure: bool = False) -> int | None:
        twice = self._twice(instrument, sure=sure)
        return None if twice is None else notional(self.listings[instrument], quantity, twice)

    def money(self, *, sure: bool = False) -> dict[str, int] | None:
        """Say what all is worth by currency, in 1e-12; None while anything cannot be valued."""
        if self._matched is None:
            return None
        account, open_cost = self._matched
        found = {each.currency: each.total for each in account.balances}
        for each in account.positions:
            listing = self.listings.get(each.instrument)
            worth = None
            if listing is not None:
                worth = self._worth(each.instrument, each.quantity, sure=sure)
            if listing is None or worth is None:
                return None
            if listing.settlement == "difference":
                worth -= open_cost.get(each.instrument, (0, worth))[1]
            found[listing.currency] = found.get(listing.currency, 0) + worth
        return found

    def gross(self, began: Mapping[str, int], home: str) -> dict[str, int] | None:
        """Value of positions, and of currencies beyond what was there at first, by currency."""
        if self.account is None:
            return None
        found: dict[str, int] = {}
        for each in self.account.positions:
            worth = self._worth(each.instrument, each.quantity)
            if worth is None:
                return None
            code = self.listings[each.instrument].currency
            found[code] = found.get(code, 0) + abs(worth)
        for balance in self.account.balances:
            beyond = abs(balance.total - began.get(balance.currency, 0))
            if balance.currency != home and beyond:
                found[balance.currency] = found.get(balance.currency, 0) + beyond
        return found

    def watched(self, home: str) -> set[str]:
        """Instruments whose prices are needed: held, ordered, or the worth of money."""
        if self.account is None:
            return set()
        held = {each.currency for each in self.account.balances if each.total}
        names = self.exposed({}, home)
        for name, listing in self.listings.items():
            if listing.settlement == "exchange" and {listing.base, listing.currency} & held:
                names.add(name)
        return {name for name in names if name in self.listings}

    def unsure(self, home: str) -> list[str]:
        """Instruments whose prices are needed, and of which none can be built upon."""
        sure = self.sure_prices()
        return sorted(name for name in self.watched(home) if name not in sure)

    def exposed(self, began: Mapping[str, int], home: str) -> set[str]:
        """Instruments that are held or ordered; pairs where there is more or less than at first."""
        if self.account is None:
            return set()
        names = {each.instrument for each in self.account.positions}
        names |= {each.instrument for each in self.account.orders}
        moved = {
            each.currency
            for each in self.account.balances
            if each.currency != home and each.total != began.get(each.currency, 0)
        }
        for name, listing in self.listings.items():
            if listing.settlement == "exchange" and (listing.base, listing.currency) in {
                (code, home) for code in moved
            }:
                names.add(name)
        return names
