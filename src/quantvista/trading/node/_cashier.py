"""Money as venues report it: booked to sleeves, counted by venue, and held against the engine's."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from quantvista.trading.gateway import BalanceChanged, Busted, Filled, Report
from quantvista.trading.node._bodies import DayBegan, Flowed, Heard
from quantvista.trading.node._cash import FLOWS
from quantvista.trading.node._events import Event
from quantvista.trading.node._links import Link

if TYPE_CHECKING:
    from quantvista.trading.node._node import Node

__all__ = ["Cashier", "written"]

_MONEY = 12


def written(amount: int) -> str:
    """Write money as people do, all of its digits and no zeros behind them."""
    text = f"{Decimal(amount).scaleb(-_MONEY):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Cashier:
    """Takes what venues say of trades and money, and knows whether all of it adds up.

    The engine keeps money by sleeve, venues keep it by account. With one venue both are one sum,
    unless contracts are traded that only pay differences: what one sleeve holds and another one
    owes is nothing to the venue, which has paid the gain already. There, and where there are
    several venues, each venue has a `Purse`; the engine's money must be what all of them come to.

    Parameters
    ----------
    node : Node
        Whose.

    Attributes
    ----------
    problem : str
        What does not add up here, whatever the accounts say; empty if all does.
    """

    def __init__(self, node: "Node") -> None:
        self._node = node
        self._cash = node.past.cash
        pays_differences = any(each.settlement == "difference" for each in node.setup.instruments)
        self._has_purses = len(node.links) > 1 or pays_differences
        self._codes = node.setup.currencies
        self._sleeves = range(len(node.setup.sleeves))
        self._currency_of = {each.id: each.currency for each in node.setup.instruments}
        self._retry_at = 0
        self._differs = ""

    # -- reports ---------------------------------------------------------------
    def take(self, link: Link, report: Report, events: Sequence[Event]) -> None:
        """Book a report that was written as these inputs."""
        node = self._node
        if isinstance(report, BalanceChanged):
            self._flow(link, report)
        elif self._has_purses and isinstance(report, Filled | Busted):
            node.flush()
            before = self._ledger()
            node.tell_all(events, report.ts)
            node.flush()
            if self._ledger() != before:  # else the engine knew of it already
                place = link.translator.places[report.instrument]
                link.purse.trade(report, node.setup.instruments[place])
        elif events:
            node.tell_all(events, report.ts)

    def _flow(self, link: Link, report: BalanceChanged) -> None:
        """Book money that came or went without a trade, as far as the engine takes it now."""
        node, code, amount = self._node, report.currency, report.amount
        if code not in self._codes:
            what = f"{report.cause} of {written(amount)} {code} at {link.venue.id}"
            node.note(f"{what}: the fund does not trade in that, and leaves it alone")
            return
        node.flush()
        link.purse.flow(code, amount)
        other = None
        if self._has_purses and report.cause in FLOWS:
            other = self._cash.other_half(link.venue.id, code, amount)
        wanted = [(link.venue.adopt_into, amount)] if other is None else self._back(other, amount)
        parts, worth = self._book(code, wanted, report.ts)
        between = "" if other is None else other.venue
        self._write(Flowed(link.venue.id, code, str(amount), report.cause, parts, worth, between))
        if other is not None:
            ends = (between, link.venue.id) if amount > 0 else (link.venue.id, between)
            node.note(f"{written(abs(amount))} {code} moved from {ends[0]} to {ends[1]}")

    def _back(self, other: Flowed, amount: int) -> list[tuple[int, int]]:
        """Say which sleeves have a part in the second half of a transfer: those of the first.

        What the engine did not take of the first half is not given back in the second.
        """
        wanted = [(sleeve, -int(part)) for sleeve, part in other.parts]
        rest = amount - sum(part for _, part in wanted)
        owed = self._cash.owed.get((other.currency, True), 0)
        covered = min(rest, max(0, -owed)) if rest > 0 else max(rest, min(0, -owed))
        if rest - covered:
            wanted.append((self._node.links[0].venue.adopt_into, rest - covered))
        return wanted

    def _book(
        self, code: str, wanted: Sequence[tuple[int, int]], ts: int | None
    ) -> tuple[tuple[tuple[int, str], ...], str | None]:
        """Give to sleeves or take from them; return what was booked, and what that is worth."""
        place = self._codes.index(code)
        session = self._node.session
        before = session.equity()
        parts: list[tuple[int, int]] = []
        for sleeve, amount in wanted:
            if amount > 0:
                parts.append((sleeve, self._give(sleeve, place, amount, ts)))
            else:
                parts += self._withdraw(sleeve, place, -amount, ts)
        is_priced = session.rates()[place] is not None
        worth = str(session.equity() - before) if is_priced else None
        return tuple((sleeve, str(part)) for sleeve, part in parts if part), worth

    def _withdraw(
        self, first: int, place: int, amount: int, ts: int | None
    ) -> list[tuple[int, int]]:
        """Take money out of a sleeve, and out of the richest others what it has not."""
        session = self._node.session
        others = sorted(
            (each for each in self._sleeves if each != first),
            key=lambda each: (-session.balance(each, place), each),
        )
        found: list[tuple[int, int]] = []
        for sleeve in (first, *others):
            asked = min(amount, session.balance(sleeve, place))
            if asked <= 0:
                continue
            taken = -self._give(sleeve, place, -asked, ts)
            if not taken and (least := min(asked, self._node.stage.available)) > 0:
                taken = -self._give(sleeve, place, -least, ts)
            found.append((sleeve, -taken))
            amount -= taken
        return found

    def _give(self, sleeve: int, place: int, amount: int, ts: int | None) -> int:
        """Tell the engine of money; return what it took."""
        node = self._node
        node.stage.available = 0
        before = self._total(place)
        flow = {"sleeve": sleeve, "currency": place, "amount": amount}
        node.tell_all([{"cash_flow": flow}], ts)
        node.flush()
        return self._total(place) - before

    def _write(self, flowed: Flowed) -> None:
        self._node.write(flowed)
        self._cash.flowed(flowed, self._node.clock.now_ns())
        self.check()

    # -- time --------------------------------------------------------------------
    def begin_day(self) -> None:
        """Begin a day of the fund: what is earned from here on is earned on it."""
        node = self._node
        rates = node.session.rates()
        unpriced = {
            code: str(total)
            for place, (code, rate) in enumerate(zip(self._codes, rates, strict=True))
            if rate is None and (total := self._total(place))
        }
        self._begin(DayBegan(str(node.session.equity()), unpriced))

    def _begin(self, began: DayBegan) -> None:
        self._node.write(began)
        self._cash.began(began, self._node.clock.now_ns())

    def look(self, now: int) -> None:
        """Price what had no price, and book what is owed, where that can be done by now."""
        if self._cash.unpriced:
            priced = self._cash.priced(self._codes, self._node.session.rates())
            if priced is not None:
                self._begin(priced)
        if self._cash.owed and now >= self._retry_at:
            self._retry_at = now + self._node.settings.retry_ns
            self._node.flush()
            for (code, is_flow), amount in list(self._cash.owed.items()):
                into = self._node.links[0].venue.adopt_into
                parts, worth = self._book(code, [(into, amount)], None)
                if parts:
                    cause = "withdrawal" if is_flow else "booked"
                    self._write(Flowed("", code, "0", cause, parts, worth))

    @property
    def day_pnl(self) -> int:
        """What was earned since the day began, in 1e-12; what somebody brought is not in it."""
        return self._node.session.equity() - self._cash.day[1]

    # -- what must be where --------------------------------------------------------
    def heard(self, venue: str, sequence: int) -> Heard:
        """Say what was heard of a venue, with the money that must be there by it."""
        if not self._has_purses:
            return Heard(venue, sequence)
        return Heard(venue, sequence, **self._cash.purse(venue).said())  # type: ignore[arg-type]

    def must_be(self, link: Link, there: dict[str, int]) -> dict[str, int]:
        """Say what money must be at a venue, as of all that was heard of it; the engine has it too.

        Parameters
        ----------
        link : Link
            Of the venue.
        there : dict of str to int
            What is there, which is adopted the first time.
        """
        if not self._has_purses:
            return {code: self._total(place) for place, code in enumerate(self._codes)}
        if link.purse.money is None:
            link.purse.adopt({code: there.get(code, 0) for code in self._codes})
            self._node.write(self.heard(link.venue.id, link.heard))
        self.check()
        assert link.purse.money is not None, "it was adopted"
        return link.purse.money

    @property
    def problem(self) -> str:
        """What does not add up here, whatever the accounts say; empty if all does."""
        for (code, _), amount in sorted(self._cash.owed.items()):
            verb = "left" if amount < 0 else "came to"
            return (
                f"{written(abs(amount))} {code} {verb} an account and cannot be booked yet: orders "
                "hold it, or something held has no price"
            )
        return self._differs

    def check(self) -> None:
        """Hold the engine's money against the sum over the venues; both of what was heard."""
        links = self._node.links
        if not self._has_purses or any(each.purse.money is None for each in links):
            return
        self._differs = ""
        ours = self._ledger()
        theirs = {each.venue.id: each.purse.before_gains(self._currency_of) for each in links}
        for place, code in enumerate(self._codes):
            owed = sum(self._cash.owed.get((code, which), 0) for which in (True, False))
            over = {name: purse.get(code, 0) for name, purse in theirs.items()}
            if ours[place] + owed != sum(over.values()):
                each = ", ".join(f"{name} {written(amount)}" for name, amount in over.items())
                all_ = written(sum(over.values()) - owed)
                self._differs = (
                    f"balance of {code}: {written(ours[place])} in the books, {all_} at the "
                    f"venues ({each})"
                )
                return

    def _total(self, place: int) -> int:
        session = self._node.session
        return sum(session.balance(sleeve, place) for sleeve in self._sleeves)

    def _ledger(self) -> list[int]:
        """Money by currency, less what open contracts cost: as `Purse.before_gains` has it."""
        node = self._node
        found = [self._total(place) for place in range(len(self._codes))]
        for place, each in enumerate(node.setup.instruments):
            if each.settlement == "difference":
                cost = sum(node.session.cost(sleeve, place) for sleeve in self._sleeves)
                found[self._codes.index(each.currency)] -= cost
        return found
