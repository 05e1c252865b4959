"""What the guard does at one venue: cancel everything, then take positions off in slices."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Literal

from quantvista.fund import GuardSection
from quantvista.trading.gateway import (
    AccountSnapshot,
    Acknowledged,
    CancelOrder,
    CancelRejected,
    Gateway,
    GatewayError,
    Listing,
    Rejected,
    SubmitOrder,
    Unknown,
)
from quantvista.trading.guard._log import GuardLog
from quantvista.trading.guard._records import Answered, Began, Cancelling, Sent, Stepped
from quantvista.trading.guard._views import VenueView
from quantvista.trading.guard._worth import convert, notional

__all__ = ["Hand", "Open", "open_things"]

_PAUSE_S = 0.25
_PAUSE_MAX_S = 5.0
_AT_ONCE = 20
# Two clocks measure one window; a request may count as younger than it is by what they differ.
_SLACK_S = 0.5
_QUOTE_AGE_MAX_S = 10.0


@dataclass(frozen=True, slots=True)
class Open:
    """Something that is to be taken off: an order of ``side`` for ``quantity`` would do it."""

    instrument: str
    side: Literal["buy", "sell"]
    quantity: int
    reduce_only: bool


def open_things(
    account: AccountSnapshot,
    listings: Mapping[str, Listing],
    began: Mapping[str, int],
    home: str,
) -> list[Open]:
    """Say what an account holds that flattening takes off.

    Parameters
    ----------
    account : AccountSnapshot
        As of one report.
    listings : mapping of str to Listing
        What trades at the venue.
    began : mapping of str to int
        Money of other currencies that stays, in 1e-12.
    home : str
        Currency of the fund, which everything becomes.

    Returns
    -------
    list of Open
        Whole lots only. What is short of money is left: buying it would enlarge something.
    """
    found = []
    for each in sorted(account.positions, key=lambda position: position.instrument):
        listing = listings.get(each.instrument)
        lot = 1 if listing is None else listing.lot_size
        quantity = abs(each.quantity) // lot * lot
        if quantity:
            side: Literal["buy", "sell"] = "sell" if each.quantity > 0 else "buy"
            found.append(Open(each.instrument, side, quantity, reduce_only=True))
    distances = _distances(listings, home)
    for balance in account.balances:
        beyond = balance.total - began.get(balance.currency, 0)
        if balance.currency == home or beyond <= 0:
            continue
        listing = _way_out(balance.currency, listings, distances)
        if listing is not None:
            lots = int(Fraction(beyond, 10 ** (12 - listing.quantity_precision)))
            if quantity := lots // listing.lot_size * listing.lot_size:
                found.append(Open(listing.instrument, "sell", quantity, reduce_only=False))
    return found


def _distances(listings: Mapping[str, Listing], home: str) -> dict[str, int]:
    """How many sales a currency is away from the fund's."""
    found, grew = {home: 0}, True
    while grew:
        grew = False
        for _, each in sorted(listings.items()):
            if each.settlement == "exchange" and each.currency in found:
                through = found[each.currency] + 1
                if through < found.get(each.base, through + 1):
                    found[each.base], grew = through, True
    return found


def _way_out(
    code: str, listings: Mapping[str, Listing], distances: Mapping[str, int]
) -> Listing | None:
    pairs = [
        each
        for _, each in sorted(listings.items())
        if each.settlement == "exchange" and each.base == code and each.currency in distances
    ]
    return min(pairs, key=lambda each: distances[each.currency], default=None)


class Hand:
    """The guard's own orders and cancels at one venue.

    Parameters
    ----------
    gateway : Gateway
        Connected, with the guard's own credentials.
    view : VenueView
        What is heard there.
    log : GuardLog
        Written before anything leaves.
    section : GuardSection
        Size and pace of slices.
    home : str
        Currency of the fund.

    Notes
    -----
    No order is sent before the one before it, in any life of the guard, is known to be taken or
    to be dead for ever, and an account has been read after that. So none is chosen by a quantity
    that another one is about to take off.
    """

    def __init__(
        self,
        gateway: Gateway,
        view: VenueView,
        log: GuardLog,
        section: GuardSection,
        home: str,
    ) -> None:
        self.gateway, self.view = gateway, view
        self._log, self._section, self.home = log, section, home
        self._largest: dict[str, int] = {}
        self._waits_for = ""

    @property
    def venue(self) -> str:
        """Its name."""
        return self.view.venue

    @property
    def began(self) -> dict[str, int]:
        """What stays of other currencies, in 1e-12."""
        found = {
            code: int(amount) for code, amount in self._log.state.began.get(self.venue, {}).items()
        }
        keep = {code: int(amount.scaleb(12)) for code, amount in self._section.keep.items()}
        return found | keep

    def _step(self, step: str, state: str, text: str = "") -> None:
        self._log.keep(Stepped(step=step, state=state, venue=self.venue, text=text))

    def _waits(self, step: str, text: str) -> None:
        """Say what is waited for, once as long as it is the same."""
        if text != self._waits_for:
            self._waits_for = text
            self._step(step, "waits", text)

    async def _persist[T](self, step: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer."""
        pause = _PAUSE_S
        while True:
            try:
                return await ask()
            except GatewayError as error:
                self._waits(step, str(error))
                await asyncio.sleep(max(pause, error.retry_after_ns / 1e9))
                pause = min(2 * pause, _PAUSE_MAX_S)

    async def account(self, step: str) -> AccountSnapshot:
        """Read the account; until it answers."""
        return self.take_account(await self._persist(step, self.gateway.account))

    def take_account(self, found: AccountSnapshot) -> AccountSnapshot:
        """Take how the account stands, whoever asked; what the first one held is to stay."""
        self.view.take_account(found, asyncio.get_running_loop().time())
        account = self.view.account
        assert account is not None, "it was taken"
        if self.venue not in self._log.state.began:
            held = {each.currency: str(each.total) for each in account.balances}
            self._log.keep(Began(venue=self.venue, balances=held))
        return account  # less what is not the fund's

    # -- cancel ------------------------------------------------------
    async def cancel_all(self, fenced_at: float) -> None:
        """Cancel everything, until a question says that nothing is open and nothing can come.

        Parameters
        ----------
        fenced_at : float
            Seconds of the loop from when on nobody else sent anything.
        """
        self._step("cancel", "begun")
        self._waits_for = ""
        loop = asyncio.get_running_loop()
        window = self.gateway.capabilities.submit_window_ns / 1e9
        sure_at = fenced_at + window + _SLACK_S
        while True:
            asked_at = loop.time()
            account = await self.account("cancel")
            if account.orders:
                names = [each.client_order_id for each in account.orders]
                self._log.keep(Cancelling(venue=self.venue, orders=names))
                wait = await self._cancel(names)
                self._waits("cancel", f"{len(names)} orders are open")
                await asyncio.sleep(wait)
            elif asked_at < sure_at:
                self._waits("cancel", "what was sent before may still arrive")
                await asyncio.sleep(min(1.0, sure_at - asked_at + 0.01))
            else:
                break
        self._step("cancel", "done", "nothing is open")

    async def _cancel(self, names: list[str]) -> float:
        """Cancel orders; return how long to wait before asking what is open."""
        wait = _PAUSE_S
        for start in range(0, len(names), _AT_ONCE):
            commands = (
                self.gateway.cancel(CancelOrder(client_order_id=name))
                for name in names[start : start + _AT_ONCE]
            )
            for answer in await asyncio.gather(*commands):
                if isinstance(answer, CancelRejected):
                    wait = max(wait, answer.retry_after_ns / 1e9)
        return wait

    # -- own orders ------------------------------------------------------
    async def withdraw(self) -> None:
        """Cancel own orders that rest: those of a drill that was not gone through with."""
        await self.resolve()
        while True:
            account = await self.account("withdraw")
            found = [each.client_order_id for each in account.orders]
            names = [each for each in found if each.startswith(self.view.own)]
            if not names:
                return
            self._log.keep(Cancelling(venue=self.venue, orders=names))
            await asyncio.sleep(await self._cancel(names))

    async def resolve(self) -> None:
        """Find out what became of every own order of which that is not known."""
        state = self._log.state
        names = [name for name, venue in state.unresolved.items() if venue == self.venue]
        for name in names:
            found = await self._persist("resolve", partial(self.gateway.order, name))
            text = "the venue never had it" if found is None else f"{found.status} {found.filled}"
            word = "absent" if found is None else "known"
            self._log.keep(Answered(client_order_id=name, state=word, text=text))

    async def send(
        self, order: SubmitOrder, held: int, purpose: str
    ) -> Acknowledged | Rejected | Unknown:
        """Send an own order, written down before; what is unknown is asked for until it is not."""
        self._log.keep(
            Sent(
                client_order_id=order.client_order_id,
                venue=self.venue,
                instrument=order.instrument,
                side=order.side,
                quantity=order.quantity,
                held=held,
                limit_price=order.limit_price,
                reduce_only=order.reduce_only,
                purpose=purpose,
            )
        )
        answer = await self.gateway.submit(order)
        name = order.client_order_id
        match answer:
            case Acknowledged():
                self._log.keep(
                    Answered(client_order_id=name, state="acknowledged", text=answer.status)
                )
            case Rejected():
                text = f"{answer.reason}: {answer.text}"
                self._log.keep(Answered(client_order_id=name, state="rejected", text=text))
            case Unknown():
                self._log.keep(Answered(client_order_id=name, state="unknown", text=answer.cause))
                await self.resolve()
        return answer

    # -- flatten ------------------------------------------------------
    async def flatten(self, fenced_at: float) -> None:
        """Take off all that is held, in slices, until an account says that less than a lot is left.

        Parameters
        ----------
        fenced_at : float
            As `cancel_all` takes it.
        """
        self._step("flatten", "begun")
        self._waits_for = ""
        self._largest = {}
        pause = float(self._section.slice_pause_s)
        while True:
            await self.resolve()
            account = await self.account("flatten")
            if account.orders:
                await self.cancel_all(fenced_at)
                continue
            left = open_things(account, self.view.listings, self.began, self.home)
            if not left:
                break
            wait = pause
            for each in left:
                wait = max(wait, await self._slice(each))
            await asyncio.sleep(wait)
        self._step("flatten", "done", "nothing is held")

    async def _slice(self, left: Open) -> float:
        """Send one slice; return how long to wait before the next look."""
        if left.instrument not in self.view.listings:
            self.view.list_instruments(await self._persist("flatten", self.gateway.instruments))
            self._waits("flatten", f"{left.instrument} is held, and not listed")
            return 1.0
        order = self.slice_of(left)
        answer = await self.send(order, left.quantity, "flatten")
        if isinstance(answer, Rejected):
            self._waits("flatten", f"{left.instrument}: {answer.reason}: {answer.text}")
            return max(1.0, answer.retry_after_ns / 1e9)
        return 0.0

    def slice_of(self, left: Open) -> SubmitOrder:
        """Choose size and price of the next slice: never more than is left."""
        section, listing = self._section, self.view.listings[left.instrument]
        largest = max(self._largest.get(left.instrument, 0), left.quantity)
        self._largest[left.instrument] = largest
        quantity = int(largest * section.slice_share)
        mark = self.view.marks.get(left.instrument)
        twice = None if mark is None else mark.twice
        if section.slice_max is not None and twice:
            worth = abs(notional(listing, quantity, twice))
            most = int(section.slice_max.scaleb(12))
            in_home = convert(worth, listing.currency, self.home, self.view.pairs())
            if in_home and in_home > most:
                quantity = quantity * most // in_home
        lot = listing.lot_size
        quantity = min(max(quantity // lot * lot, lot), left.quantity)
        price = self._limit(left, listing)
        kind, tif = self._form(listing, limited=price is not None)
        return SubmitOrder(
            client_order_id=self._log.order_id(),
            instrument=left.instrument,
            side=left.side,
            quantity=quantity,
            kind=kind,
            tif=tif,
            limit_price=price if kind == "limit" else None,
            reduce_only=left.reduce_only,
        )

    def small(self, listing: Listing, kind: str, tif: str, price: int | None) -> SubmitOrder:
        """Make an order to buy one lot, for a drill."""
        return SubmitOrder(
            client_order_id=self._log.order_id(),
            instrument=listing.instrument,
            side="buy",
            quantity=listing.lot_size,
            kind=kind,
            tif=tif,
            limit_price=price,
        )

    def _limit(self, left: Open, listing: Listing) -> int | None:
        """Worst price that a slice may have; None where there is no fresh quote to tell it by."""
        band, mark = self._section.slice_band, self.view.marks.get(left.instrument)
        if band is None or mark is None:
            return None
        if asyncio.get_running_loop().time() - mark.at > _QUOTE_AGE_MAX_S:
            return None
        tick = listing.tick_size
        if left.side == "sell" and mark.bid is not None and mark.bid > 0:
            return max(int(mark.bid * (1 - band)) // tick * tick, tick)
        if left.side == "buy" and mark.ask is not None and mark.ask > 0:
            return -(-int(mark.ask * (1 + Decimal(band))) // tick) * tick
        return None

    def _form(self, listing: Listing, *, limited: bool) -> tuple[str, str]:
        can = self.gateway.capabilities.orders
        wanted = [("limit", "ioc")] if limited else []
        for kind, tif in [*wanted, ("market", "ioc"), ("market", "day"), ("market", "gtc")]:
            if f"{kind}/{tif}/{listing.data}" in can:
                return kind, tif
        return "market", "ioc"
