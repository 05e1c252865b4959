"""The triggers: figures against their limits, and what must be known; no I/O, no clock."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from quantvista.fund import GuardSection
from quantvista.trading.guard._equity import Worth, total
from quantvista.trading.guard._node import NodeView
from quantvista.trading.guard._records import Level
from quantvista.trading.guard._views import VenueView
from quantvista.trading.guard._worth import convert

__all__ = ["Finding", "Firm", "Watch", "Window"]

_MB = 1_000_000
_E12 = 10**12


@dataclass(frozen=True, slots=True)
class Finding:
    """A figure that is watched; ``used`` above ``limit`` is what triggers."""

    trigger: str
    level: Level
    used: Decimal
    limit: Decimal
    text: str

    @property
    def is_above(self) -> bool:
        """Whether it triggers."""
        return self.used > self.limit


class Window:
    """A sum over the last so many seconds."""

    def __init__(self, span_s: float) -> None:
        self._span = span_s
        self._parts: deque[tuple[float, int]] = deque()
        self._total = 0

    def add(self, at: float, number: int) -> None:
        """Count what happened now."""
        self.total(at)  # what is too old is dropped, also where nobody asks
        if number:
            self._parts.append((at, number))
            self._total += number

    def total(self, at: float) -> int:
        """Sum what is not too old."""
        while self._parts and self._parts[0][0] <= at - self._span:
            self._total -= self._parts.popleft()[1]
        return self._total


class Rising:
    """What a counter of another process rose by, within a window; a restart begins at 0."""

    def __init__(self, span_s: float) -> None:
        self._window = Window(span_s)
        self._last: int | None = None

    def take(self, at: float, count: int) -> None:
        """Take how far it is now."""
        if self._last is not None:
            self._window.add(at, count - self._last if count >= self._last else count)
        self._last = count

    def total(self, at: float) -> int:
        """Say what it rose by."""
        return self._window.total(at)


class Moves:
    """The largest move of a price within a window."""

    def __init__(self, span_s: float) -> None:
        self._span = span_s
        self._prices: deque[tuple[float, int]] = deque()

    def take(self, at: float, price: int) -> None:
        """Take the price as it is now."""
        if not self._prices or self._prices[-1][1] != price:
            self._prices.append((at, price))
        # The last one that is too old stays: it was the price when the window began.
        while len(self._prices) > 1 and self._prices[1][0] <= at - self._span:
            self._prices.popleft()

    def largest(self) -> Decimal:
        """Say how far the highest is above the lowest, as a share of the lowest."""
        prices = [price for _, price in self._prices]
        low, high = min(prices, default=0), max(prices, default=0)
        return Decimal(high - low) / Decimal(low) if low > 0 else Decimal(0)


@dataclass(frozen=True, slots=True)
class Firm:
    """What the other funds of the firm add up to, in this fund's currency; 1e-12."""

    gross: int
    day_pnl: int
    unknown: tuple[str, ...] = ()


class Watch:
    """All triggers of one fund.

    Parameters
    ----------
    section : GuardSection
        Their thresholds.
    currency : str
        Of the fund.
    started_at : float
        Seconds of the loop.
    """

    def __init__(self, section: GuardSection, currency: str, started_at: float) -> None:
        self.section, self.currency = section, currency
        self._started = started_at
        self.worth = Worth(currency)
        self.disk_free: int | None = None
        self.firm: Firm | None = None
        self.gross: int | None = None
        self._differs_since: dict[str, float] = {}
        self._difference: tuple[int | None, dict[str, Decimal]] = (None, {})
        self._resets = 0
        self.restart()

    @property
    def has_forgotten(self) -> bool:
        """Whether a venue forgot what it told, and nobody has resumed since."""
        return self._resets > 0

    def restart(self) -> None:
        """Begin to count anew, as after a person's ``resume``."""
        section = self.section

        def span(trigger: object) -> float:
            return float(getattr(trigger, "window_s", 1))

        self._rejects = Window(span(section.rejects)), Rising(span(section.rejects))
        self._orders = Window(span(section.orders)), Rising(span(section.orders))
        self._reports = Window(span(section.messages))
        self._written = Rising(span(section.messages))
        self._moves: dict[str, Moves] = {}
        self._differs_since = {}
        self._resets = 0

    # -- what is taken in ------------------------------------------------------
    def take(
        self,
        at: float,
        node: NodeView,
        venues: Sequence[VenueView],
        began: Mapping[str, Mapping[str, int]],
    ) -> None:
        """Take how everything stands; once a second or so."""
        for view in venues:
            counts = view.counts
            self._orders[0].add(at, counts.orders)
            self._rejects[0].add(at, counts.rejects)
            self._reports.add(at, counts.reports)
            counts.orders = counts.rejects = counts.reports = 0
            self._resets += view.resets
            view.resets = 0
        if node.heard_at is not None:
            told = node.status.get("counts") or {}
            self._orders[1].take(at, int(told.get("orders", 0)))
            self._rejects[1].take(at, int(told.get("rejects", 0)))
            self._written.take(at, node.journal_bytes)
        self._take_prices(at, venues, began)
        self._compare(at, node, venues)

    def _take_prices(
        self,
        at: float,
        venues: Sequence[VenueView],
        began: Mapping[str, Mapping[str, int]],
    ) -> None:
        if self.section.dislocation is None:
            return
        names: set[str] = set()
        for view in venues:
            for name in sorted(view.exposed(began.get(view.venue, {}), self.currency)):
                mark = view.marks.get(name)
                if mark is not None and mark.twice is not None:
                    names.add(name)
                    moves = self._moves.setdefault(
                        name, Moves(float(self.section.dislocation.window_s))
                    )
                    moves.take(at, mark.twice)
        for name in sorted(set(self._moves) - names):
            del self._moves[name]

    def value(
        self,
        at: float,
        day: str,
        venues: Sequence[VenueView],
        began: Mapping[str, Mapping[str, int]],
        flows: Iterable[tuple[str, int]],
    ) -> None:
        """Value all accounts; ``flows`` is money that came or went by itself since last time."""
        self.worth.value(at, day, venues, flows)
        pairs = [pair for view in venues for pair in view.pairs()]
        gross = [view.gross(began.get(view.venue, {}), self.currency) for view in venues]
        self.gross = total(gross, pairs, self.currency)

    def _compare(self, at: float, node: NodeView, venues: Sequence[VenueView]) -> None:
        """Note since when node and venues differ, thing by thing."""
        differ: set[str] = set()
        if node.health in ("trading", "no_new_risk", "halted"):
            differ = self._positions_differ(at, node, venues)
            differ |= self._balances_differ(at, node, venues)
        self._differs_since = {name: self._differs_since.get(name, at) for name in sorted(differ)}

    def _positions_differ(self, at: float, node: NodeView, venues: Sequence[VenueView]) -> set[str]:
        has = node.positions
        differ: set[str] = set()
        for view in venues:
            for name, listing in view.listings.items():
                if listing.settlement == "exchange":
                    continue  # compared as money
                units = has.get(name, Decimal(0)).scaleb(listing.quantity_precision)
                if (recent := view.recent(name, at)) and units not in recent:
                    differ.add(name)
        return differ

    def _balances_differ(self, at: float, node: NodeView, venues: Sequence[VenueView]) -> set[str]:
        """Compare money; what an account holds besides the fund's must only stay the same."""
        equity = self.worth.least
        if self.section.reconciliation is None or not node.balances or equity is None:
            return set()
        codes = {
            each.currency
            for view in venues
            if view.account is not None
            for each in view.account.balances
        }
        has = node.balances
        # Least and most in the last seconds, less what the node says.
        rest: dict[str, tuple[Decimal, Decimal]] = {}
        for code in sorted(codes):
            recent = [view.recent(code, at) for view in venues]
            if not all(recent):
                return set()
            low, high = sum(min(each) for each in recent), sum(max(each) for each in recent)
            own = has.get(code, Decimal(0))
            rest[code] = Decimal(low).scaleb(-12) - own, Decimal(high).scaleb(-12) - own
        if self._difference[0] != node.epoch:
            self._difference = (node.epoch, {})
        beside_known = self._difference[1]
        pairs = [pair for view in venues for pair in view.pairs()]
        most = abs(equity) * self.section.reconciliation.tolerance
        differ = set()
        for code, (least, largest) in rest.items():
            # Mostly the account has the fund's money only. What else it has is seen when it rests.
            if code not in beside_known and node.health == "trading":
                if least <= 0 <= largest:
                    beside_known[code] = Decimal(0)
                elif least == largest:
                    beside_known[code] = least
            if code not in beside_known:
                continue
            beside = beside_known[code]
            off = max(least - beside, beside - largest, Decimal(0))
            worth = convert(int(off.scaleb(12)), code, self.currency, pairs)
            if worth is None or worth > most:
                differ.add(code)
        return differ

    # -- what it comes to ------------------------------------------------------
    def unknown(self, at: float, node: NodeView, venues: Sequence[VenueView]) -> list[str]:
        """Say what must be known and is not: while there is any of it, nobody may trade."""
        most = float(self.section.unknown_s)
        found = []
        if node.heard_at is None or at - node.heard_at > most:
            found.append("the node does not answer")
        for view in venues:
            if view.heard_at is None or at - view.heard_at > most:
                found.append(f"venue {view.venue} does not say how the account stands")
        worth = self.worth
        if worth.equity is None or worth.valued_at is None or at - worth.valued_at > most:
            found.append("what the account is worth is not known")
        elif worth.known_at is None or at - worth.known_at > most:
            names = sorted({name for view in venues for name in view.unsure(self.currency)})
            text = "what the day began with is not known: one price alone tells that of "
            found.append(text + ", ".join(names))
        if self.firm is not None:
            found += [f"fund {name} of the firm does not answer" for name in self.firm.unknown]
        return found

    def check(
        self,
        at: float,
        node: NodeView,
        venues: Sequence[VenueView],
        began: Mapping[str, Mapping[str, int]],
        *,
        open_for_s: float | None = inf,
    ) -> list[Finding]:
        """Hold every figure against its limit.

        Parameters
        ----------
        at : float
            Seconds of the loop.
        node : NodeView
            What the node said.
        venues : sequence of VenueView
            What the venues said.
        began : mapping
            What the accounts held at first, by venue and currency.
        open_for_s : float or None
            Seconds since the market opened; None while it is closed, when no prices need come.

        Returns
        -------
        list of Finding
            All that are switched on and known, above their limits or not.
        """
        return [
            *self._losses(),
            *self._traffic(at, venues),
            *self._prices(at, node, venues, began, open_for_s),
            *self._lasting(at, node, venues),
            *self._place(),
        ]

    def _losses(self) -> Iterable[Finding]:
        section, worth = self.section, self.worth
        if worth.equity is None:
            return
        for name, trigger, since in (
            ("drawdown", section.drawdown, worth.highest),
            ("day_loss", section.day_loss, worth.day_start),
        ):
            if trigger is not None and since is not None and since > 0:
                yield _share(name, trigger, worth.lost(since), since)
        firm, terms = self.firm, section.firm
        if firm is None:
            return
        level = Level[terms.level.upper()]
        if terms.gross_max is not None and self.gross is not None:
            used = Decimal(self.gross + firm.gross) / _E12
            text = f"the firm's positions are {used:,.2f} {self.currency}"
            yield Finding("firm_gross", level, used, terms.gross_max, text)
        if terms.day_loss_max is not None:  # what the others lost counts in any case
            own = 0 if worth.day_start is None else worth.lost(worth.day_start)
            used = Decimal(own - firm.day_pnl) / _E12
            text = f"the firm lost {used:,.2f} {self.currency} today"
            yield Finding("firm_day_loss", level, used, terms.day_loss_max, text)

    def _traffic(self, at: float, venues: Sequence[VenueView]) -> Iterable[Finding]:
        section = self.section
        if section.rejects is not None:
            used = max(each.total(at) for each in self._rejects)
            text = f"{used} orders refused in {section.rejects.window_s} s"
            yield _count("rejects", section.rejects.level, used, section.rejects.count, text)
        if section.orders is not None:
            terms, used = section.orders, max(each.total(at) for each in self._orders)
            text = f"{used} orders in {terms.window_s} s"
            yield _count("orders", terms.level, used, terms.count, text)
            used = sum(len(view.account.orders) for view in venues if view.account is not None)
            text = f"{used} orders work at once"
            yield _count("open_orders", terms.level, used, terms.open_max, text)
        if section.messages is not None:
            traffic, used = section.messages, self._reports.total(at)
            text = f"{used} reports in {traffic.window_s} s"
            yield _count("messages", traffic.level, used, traffic.count, text)
            used = self._written.total(at)
            text = f"the node wrote {used / _MB:.0f} MB in {traffic.window_s} s"
            limit = traffic.journal_mb * _MB
            yield _count("journal_growth", traffic.level, used, limit, text)

    def _prices(
        self,
        at: float,
        node: NodeView,
        venues: Sequence[VenueView],
        began: Mapping[str, Mapping[str, int]],
        open_for_s: float | None,
    ) -> Iterable[Finding]:
        section = self.section
        if open_for_s is None:
            return
        if section.stale is not None:
            oldest, of = 0.0, ""
            for view in venues:
                for name in sorted(view.exposed(began.get(view.venue, {}), self.currency)):
                    mark = view.marks.get(name)
                    age = min(at - (self._started if mark is None else mark.at), open_for_s)
                    if age > oldest and name not in view.halted:
                        oldest, of = age, name
            text = f"the last price of {of} is {oldest:.0f} s old" if of else "prices are fresh"
            yield _lasting("stale", section.stale.level, oldest, section.stale.after_s, text)
        if section.dislocation is not None:
            largest, of = Decimal(0), ""
            for name, moves in self._moves.items():
                if (move := moves.largest()) > largest:
                    largest, of = move, name
            for name, apart in self._apart(node, venues):
                if apart > largest:
                    largest, of = apart, name
            limit = Decimal(section.dislocation.limit)
            text = f"{of} moved by {largest:.1%} in {section.dislocation.window_s} s"
            level = Level[section.dislocation.level.upper()]
            yield Finding("dislocation", level, largest, limit, text if of else "no price moved")

    def _apart(self, node: NodeView, venues: Sequence[VenueView]) -> Iterable[tuple[str, Decimal]]:
        """How far the node's marks are from the prices that the guard heard itself."""
        if node.health != "trading":
            return
        for row in node.status.get("positions", ()):
            name = str(row["instrument"])
            for view in venues:
                mark, listing = view.marks.get(name), view.listings.get(name)
                if mark is None or listing is None or not mark.twice or not row.get("mark"):
                    continue
                ours = Decimal(mark.twice) / 2 / 10**listing.price_precision
                yield name, abs(Decimal(str(row["mark"])) / ours - 1)

    def _lasting(self, at: float, node: NodeView, venues: Sequence[VenueView]) -> Iterable[Finding]:
        section = self.section
        if section.heartbeat is not None:
            grace = section.start_s if node.heard_at is None else section.heartbeat.after_s
            silent = at - (self._started if node.heard_at is None else node.heard_at)
            text = f"the node has not answered for {silent:.0f} s"
            yield _lasting("heartbeat", section.heartbeat.level, silent, grace, text)
        if section.journal is not None and node.journal[0] and node.health == "trading":
            silent = at - node.journal[1]
            text = f"the node's journal has not grown for {silent:.0f} s"
            yield _lasting("journal", section.journal.level, silent, section.journal.after_s, text)
        if section.venue is not None:
            for view in venues:
                silent = at - (self._started if view.heard_at is None else view.heard_at)
                text = f"venue {view.venue} has not answered for {silent:.0f} s"
                yield _lasting("venue", section.venue.level, silent, section.venue.after_s, text)
        if section.clock is not None:
            skews = {f"venue {view.venue}": abs(view.offset_ns) for view in venues}
            skews["the node"] = abs(node.skew_ns)
            who = max(skews, key=lambda name: skews[name])
            text = f"the clock of {who} is off by {skews[who] / 1e9:.2f} s"
            skew = skews[who] / 1e9
            yield _lasting("clock", section.clock.level, skew, section.clock.after_s, text)
        if section.reconciliation is not None:
            terms = section.reconciliation
            since = min(self._differs_since.values(), default=at)
            names = ", ".join(self._differs_since)
            text = f"node and venue differ in {names} for {at - since:.0f} s"
            text = text if names else "node and venue agree"
            yield _lasting("reconciliation", terms.level, at - since, terms.after_s, text)
            text = f"venues forgot what they told us, or told nonsense, {self._resets} times"
            yield _count("venue_reset", terms.level, self._resets, 0, text)

    def _place(self) -> Iterable[Finding]:
        disk = self.section.disk
        if disk is not None and self.disk_free is not None:
            text = f"{self.disk_free / _MB:,.0f} MB are free on the disk"
            # What must be free, as a share of what is: it grows as the disk fills.
            used = Decimal(disk.free_mb) * _MB / max(self.disk_free, 1)
            yield Finding("disk", Level[disk.level.upper()], used, Decimal(1), text)


def _share(name: str, trigger: object, lost: int, of: int) -> Finding:
    limit: Decimal = trigger.limit  # type: ignore[attr-defined]
    level: str = trigger.level  # type: ignore[attr-defined]
    used = max(Decimal(lost) / Decimal(of), Decimal(0))
    return Finding(name, Level[level.upper()], used, limit, f"{name} is {used:.2%}")


def _count(name: str, level: str, used: int, limit: int, text: str) -> Finding:
    return Finding(name, Level[level.upper()], Decimal(used), Decimal(limit), text)


def _lasting(name: str, level: str, used: float, limit: Decimal, text: str) -> Finding:
    return Finding(name, Level[level.upper()], Decimal(repr(used)), limit, text)
