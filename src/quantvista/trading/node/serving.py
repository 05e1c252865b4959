"""A node as a process: from a fund file and a state folder, until it is told to stop."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from quantvista.errors import ControlError
from quantvista.fund import LoadedFund, VenueSection, load_fund
from quantvista.journal import Journal
from quantvista.trading.control import ControlServer, Place
from quantvista.trading.gateway import Gateway, GatewayError, Listing
from quantvista.trading.gateway.http import SystemClock
from quantvista.trading.guard.lease import FileLease, NoLease
from quantvista.trading.node._fund import node_setup
from quantvista.trading.node._node import Node
from quantvista.trading.node._status import status
from quantvista.trading.node._terms import NodeSettings, VenueLink
from quantvista.trading.node._workers import Workers
from quantvista.trading.paper.linking import linked_gateway

__all__ = ["serve_node"]

_log = logging.getLogger(__name__)
_RETRY_S = 0.5
_LOOK_S = 1.0

type Said = Callable[[str], None]


def serve_node(fund: Path, state: Path, *, guarded: bool, said: Said) -> None:
    """Run a fund until an interrupt, a termination or the command ``stop``.

    Parameters
    ----------
    fund : pathlib.Path
        The fund file.
    state : pathlib.Path
        Its state folder.
    guarded : bool
        Whether a guard gives leave to trade.
    said : callable
        Told what happens, in lines.

    Raises
    ------
    ConfigError, MarketDataError, StrategyError
        If the fund cannot be run as it is.
    JournalError, OutputError
        If the journal is somebody else's, does not verify or cannot be written.
    """
    loaded = load_fund(fund)
    place = Place(state)
    place.make()
    with place.alone("node"):
        asyncio.run(_Process(loaded, place, guarded, said).run())


class _Process:
    def __init__(self, loaded: LoadedFund, place: Place, guarded: bool, said: Said) -> None:
        self._loaded, self._place, self._guarded, self._said = loaded, place, guarded, said
        self._clock = SystemClock()
        self._node: Node | None = None
        self._stopped = asyncio.Event()
        self._waiting = ""
        self._obeyed: dict[str, Any] | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        server = ControlServer(self._place.socket("node"), self._answer)
        await server.start()
        self._place.announce("node")
        try:
            await self._trade()
        finally:
            await server.stop()
            self._place.withdraw("node")

    def _stop(self) -> None:
        self._stopped.set()
        if self._node is not None:
            self._node.stopping = True
            self._node.post("nothing", None)

    async def _trade(self) -> None:
        gateways = [
            linked_gateway(each, self._place, each.key or "node", self._clock)
            for each in self._venues
        ]
        try:
            await self._trade_at(gateways)
        finally:  # whatever was wrong must be the last that is said
            for each in gateways:
                await each.close()

    async def _trade_at(self, gateways: Sequence[Gateway]) -> None:
        listings = await self._listings(gateways)
        if listings is None:
            return
        setup = node_setup(self._loaded, listings)
        encrypt = self._loaded.must_encrypt()
        stream = f"node/{setup.fund}"[:64]
        with Journal(self._place.journal, stream, encrypt=encrypt) as journal:
            # With a journal, that says which ids were used; without one, only the venue knows.
            is_new = not journal.head.sequence
            used = await self._used(gateways) if is_new else [False for _ in gateways]
            links = [
                self._link(each, gateway, setup.sleeves, was_used=was)
                for each, gateway, was in zip(self._venues, gateways, used, strict=True)
            ]
            node = Node(
                setup,
                journal,
                self._place.journal,
                links,
                self._clock,
                lease=FileLease(self._place.lease) if self._guarded else NoLease(),
                settings=NodeSettings(),
            )
            node.stage.computer = workers = Workers()
            self._place.announce("node", node.epoch)
            replayed = node.past.replayed
            self._said(f"epoch {node.epoch}, {replayed:,} records done again; trading begins")
            self._node = node
            self._obey(drop=True)
            looking = asyncio.create_task(self._look(), name="node looks for orders to halt")
            try:
                await node.run()
            finally:
                looking.cancel()
                workers.close()
            self._said("stopped in order")

    @property
    def _venues(self) -> Sequence[VenueSection]:
        return self._loaded.fund.venue

    def _link(
        self, venue: VenueSection, gateway: Gateway, sleeves: list[str], *, was_used: bool
    ) -> VenueLink:
        return VenueLink(
            venue.id,
            gateway,
            tuple(venue.instruments),
            sleeves.index(self._loaded.fund.adopts_into(venue)),
            venue.manual == "refuse",
            was_used,
        )

    async def _listings(self, gateways: Sequence[Gateway]) -> list[Listing] | None:
        """Ask the venues what they list, for as long as that takes; None if told to stop."""
        found: list[Listing] = []
        for venue, gateway in zip(self._venues, gateways, strict=True):
            found += await self._asked(venue, gateway.instruments) or ()
        self._waiting = ""
        return None if self._stopped.is_set() else found

    async def _used(self, gateways: Sequence[Gateway]) -> list[bool]:
        """Ask the venues whether anything has happened on the accounts; all if told to stop."""
        found = []
        for venue, gateway in zip(self._venues, gateways, strict=True):
            account = await self._asked(venue, gateway.account)
            found.append(account is None or account.sequence > 0)
        self._waiting = ""
        return found

    async def _asked[T](self, venue: VenueSection, ask: Callable[[], Awaitable[T]]) -> T | None:
        while not self._stopped.is_set():
            try:
                return await ask()
            except GatewayError as error:
                text = f"venue {venue.id} at {venue.url} does not answer: {error}"
                if text != self._waiting:
                    self._said(text)
                self._waiting = text
                await asyncio.sleep(_RETRY_S)
        return None

    def _obey(self, *, drop: bool = False) -> None:
        """Carry out an order that was left while no process answered, once."""
        try:
            order = self._place.order()
        except ControlError:  # nobody writes half a file: somebody meant something by it
            order = {"command": "halt", "by": "a file", "reason": "state/run/halt.json is damaged"}
        if order is None or order == self._obeyed:
            return
        self._obeyed = order
        assert self._node is not None, "it has been made"
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        if drop:
            future.add_done_callback(lambda _: self._place.drop_order())
        self._node.post("command", (order, future))

    async def _look(self) -> None:
        """Look for an order now and then: who left it could not reach our socket.

        It stays there until somebody resumes the fund, so that the guard finds it, too.
        """
        while True:
            await asyncio.sleep(_LOOK_S)
            self._obey()

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        node = self._node
        if request.get("command") == "stop":
            self._stop()
            return {"ok": True, "text": "stopping"}
        if node is None:
            if request.get("command") == "status":
                # One that waits for its venue does its work; one that still reads its journal
                # may yet refuse to start.
                return {
                    "ok": True,
                    "health": "starting",
                    "ready": bool(self._waiting),
                    "why": [self._waiting or "starting"],
                    "fund": self._name,
                }
            return {"ok": False, "error": f"the node is still starting: {self._waiting}"}
        if request.get("command") == "status":
            return status(node)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        node.post("command", (request, future))
        return await future

    @property
    def _name(self) -> str:
        return self._loaded.fund.fund.name
