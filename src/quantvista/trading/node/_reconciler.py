"""When accounts are compared with the books, and what follows from differences."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from quantvista.engine import Session
from quantvista.journal import Body
from quantvista.trading.gateway import AccountSnapshot, CancelOrder, Clock, GatewayError
from quantvista.trading.node._bodies import Reconciled
from quantvista.trading.node._cashier import Cashier
from quantvista.trading.node._links import Link
from quantvista.trading.node._orders import Orders
from quantvista.trading.node._reconcile import Books, compare
from quantvista.trading.node._terms import NodeSettings, NodeSetup

__all__ = ["Host", "Reconciler"]

_AGAIN_NS = 20_000_000
_OVERDUE = 4  # comparisons that may be missed


class Host(Protocol):
    """What a reconciler asks of its node."""

    setup: NodeSetup
    settings: NodeSettings
    clock: Clock
    session: Session
    orders: Orders
    links: list[Link]
    cashier: Cashier

    def post(self, what: str, item: Any) -> None:  # noqa: ANN401
        """Hand something in."""
        ...

    def flush(self) -> None:
        """Let the engine have all that was told."""
        ...

    def write(self, body: Body) -> None:
        """Write a record."""
        ...

    def work(self, make: Callable[[], Any]) -> None:
        """Do something beside the loop."""
        ...


class Reconciler:
    """Asks for accounts, and compares each with the books as of the same report.

    Parameters
    ----------
    node : Host
        Whose.
    """

    def __init__(self, node: Host) -> None:
        self._node = node

    def forget(self, link: Link) -> None:
        """Drop what was asked or known before."""
        link.snapshot, link.due_at = None, 0

    def look(self, now: int) -> None:
        """Ask where it is time to; what could not be compared for long is not clean any more."""
        most = _OVERDUE * self._node.settings.reconcile_ns
        for link in self._node.links:
            if link.clean and now - link.compared_at > most:
                link.clean = False
                link.differences = link.differences or ["more happens there than can be compared"]
            if link.connected and not link.asked and now >= link.due_at:
                link.asked = True
                link.due_at = now + self._node.settings.retry_ns
                self._node.work(partial(self._ask, link))

    async def _ask(self, link: Link) -> None:
        snapshot: AccountSnapshot | None = None
        try:
            snapshot = await link.venue.gateway.account()
        except GatewayError as error:
            link.differences = [f"no answer about the account: {error}"]
            await asyncio.sleep(self._node.settings.retry_ns / 1e9)
        self._node.post("account", (link.place, snapshot))

    def answered(self, link: Link, snapshot: AccountSnapshot | None) -> None:
        """Take an account, to be compared when all that it knows has been heard."""
        link.asked = False
        link.snapshot = snapshot
        if snapshot is None:
            return
        if link.renumber:  # the venue counts anew
            link.renumber, link.heard = False, snapshot.sequence
            self._node.write(self._node.cashier.heard(link.venue.id, snapshot.sequence))
        self.heard(link)

    def heard(self, link: Link) -> None:
        """Compare, if this is as far as the account knew."""
        snapshot = link.snapshot
        if snapshot is None or snapshot.sequence > link.heard:
            return
        link.snapshot = None
        if snapshot.sequence < link.heard:  # more has happened since: ask again
            link.due_at = self._node.clock.now_ns() + _AGAIN_NS
            return
        self._node.flush()
        self._compare(link, snapshot)

    def _compare(self, link: Link, snapshot: AccountSnapshot) -> None:
        node = self._node
        snapshot = self._ours(link, snapshot)
        books = self._books(link, snapshot)
        found = compare(books, snapshot, node.orders)
        if found.foreign and link.venue.refuses_manual:
            link.foreign = True
        for stray in found.strays:
            command = CancelOrder(client_order_id=stray.client_order_id)
            node.work(partial(link.venue.gateway.cancel, command))
        for number in found.missing:
            link.sender.ask(number, node.orders.client_id(number))
        for number, order in books.working.items():
            # It was said to be gone, and is not: a cancel does no harm a second time.
            if order["cancel_requested"] and not link.sender.is_busy(number):
                link.sender.cancel(number, node.orders.client_id(number))
        link.compared_at = now = node.clock.now_ns()
        link.due_at = now + (
            node.settings.retry_ns if found.differences else node.settings.reconcile_ns
        )
        if found.differences != link.differences or not link.clean or found.differences:
            node.write(Reconciled(link.venue.id, snapshot.sequence, tuple(found.differences)))
        link.clean = not found.differences
        link.differences = found.differences

    def _ours(self, link: Link, snapshot: AccountSnapshot) -> AccountSnapshot:
        """Leave out money that the fund does not trade in, and never did.

        Its currencies are those of its instruments, and other ones need a new state folder.
        """
        known = self._node.setup.currencies
        link.besides = {
            each.currency: each.total
            for each in snapshot.balances
            if each.currency not in known and each.total
        }
        return replace(
            snapshot, balances=tuple(each for each in snapshot.balances if each.currency in known)
        )

    def _books(self, link: Link, snapshot: AccountSnapshot) -> Books:
        node = self._node
        session, setup = node.session, node.setup
        sleeves = range(len(setup.sleeves))
        there = {each.currency: each.total for each in snapshot.balances}
        money = node.cashier.must_be(link, there)
        positions: dict[str, int] = {}
        mine = set(link.venue.instruments)
        for place, each in enumerate(setup.instruments):
            if each.id in mine and each.settlement != "exchange":
                held = sum(session.position(sleeve, place) for sleeve in sleeves)
                positions[each.id] = held
        working: dict[int, Mapping[str, Any]] = {}
        # What is about to be sent is not there yet, and must not be asked about before it is.
        unsettled = set(link.sender.unsettled)
        for order in session.working():
            name = setup.instruments[order["instrument"]].id
            if order["remote"] and name in mine:
                working[order["id"]] = {**order, "instrument": name}
                if order["status"] in ("submitted", "unknown"):
                    unsettled.add(order["id"])
        return Books(money, positions, working, unsettled)
