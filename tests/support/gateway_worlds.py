"""Worlds in which a gateway can be held against its contract."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from quantvista.engine import AccountTerms, VenueRates
from quantvista.keyring import Ring
from quantvista.market import Instrument
from quantvista.trading.gateway import Clock, Delivery, Gateway, Report, SubmitOrder, Transport
from quantvista.trading.gateway.http import HttpTransport, SystemClock
from quantvista.trading.paper import (
    Credentials,
    Endpoint,
    Faults,
    GatewaySettings,
    Key,
    LiveSource,
    LocalTransport,
    MemoryStore,
    PaperAccount,
    PaperGateway,
    PaperServer,
    PaperVenue,
    SQLiteStore,
    Store,
    VenueTerms,
)
from quantvista.trading.paper.server import HttpServer
from support.virtual_loop import LoopClock, run_virtually

PAIR, STOCK, PERPETUAL = "BTC-USDT.PAPER", "ACME.PAPER", "BTC-USDT-PERP.PAPER"

INSTRUMENTS = (
    Instrument(
        PAIR,
        currency="USDT",
        kind="pair",
        base="BTC",
        price_precision=2,
        quantity_precision=5,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        matching="quotes",
    ),
    Instrument(STOCK, currency="USDT", kind="spot", lot_size=Decimal(1), matching="quotes"),
)

CASH = VenueTerms(
    "paper",
    "USDT",
    INSTRUMENTS,
    (
        PaperAccount("main", (("USDT", Decimal(1_000_000)), ("BTC", Decimal(10)))),
        PaperAccount("other", (("USDT", Decimal(1_000)),)),
    ),
    VenueRates(fee_rate=1_000_000),
    window_ns=300_000_000,
)

MARGIN = replace(
    CASH,
    instruments=(
        Instrument(
            PERPETUAL,
            currency="USDT",
            kind="perpetual",
            price_precision=2,
            quantity_precision=3,
            lot_size=Decimal("0.001"),
            margin_initial=Decimal("0.1"),
            margin_maintenance=Decimal("0.05"),
            matching="quotes",
        ),
    ),
    accounts=(PaperAccount("main", (("USDT", Decimal(1_000_000)),)),),
    account=AccountTerms(kind="margin"),
)

SETTINGS = GatewaySettings(timeout_s=0.2, silence_s=2.5, pause_s=0.02, pause_max_s=0.1)
# Real time is shared with whatever else this machine does.
PATIENT = GatewaySettings(timeout_s=1.0, silence_s=5.0, pause_s=0.02, pause_max_s=0.1)
_WINDOW_NS = 1_500_000_000
SECRET = "0123456789abcdef0123456789abcdef"


class World(Protocol):
    """What the contract asks of a place where a gateway is tested."""

    pair: str
    spread: tuple[int, int]

    async def connect(self, after: int = 0) -> Gateway: ...
    async def quote(self, bid: int, ask: int, size: int = 10**7) -> None: ...
    async def fault(self, **asked: Any) -> None: ...  # noqa: ANN401


@dataclass
class PaperWorld:
    """A paper venue and gateways to it, in one process."""

    terms: VenueTerms
    clock: Clock
    over_http: bool
    store: Store = field(default_factory=MemoryStore)
    pair: str = PAIR
    spread: tuple[int, int] = (5_000_000, 5_000_100)

    async def start(self) -> None:
        self.gateways: list[PaperGateway] = []
        self._transports: list[LocalTransport] = []
        self.faults = Faults(seed=7)
        await self._open()
        await (self.http if self.over_http else self.server).start()
        await self.quote(*self.spread)

    async def _open(self) -> None:
        self.source = LiveSource()
        self.venue = PaperVenue(self.terms, self.store, self.source)
        keys: Mapping[str, Key] = {
            each.name: Key(each.name, SECRET, self.terms.id, each.name)
            for each in self.terms.accounts
        } | {
            "admin": Key("admin", SECRET, self.terms.id, ""),
            "guard": Key("guard", SECRET, self.terms.id, "main"),
        }
        now = self.clock.now_ns()
        self.endpoint = Endpoint(self.venue, keys.get, self.faults, now)
        self.server = PaperServer({self.terms.id: self.endpoint}, self.clock)
        self.http = HttpServer(self.server)

    async def crash(self) -> None:
        """Lose the venue at once, and start another one on what it has stored."""
        assert not self.over_http, "a server on a socket is killed as a process"
        self.server.abandon()
        await self._open()
        await self.server.start()
        for each in self._transports:
            each.server = self.server

    def transport(self) -> Transport:
        if self.over_http:
            return HttpTransport(self.http.url)
        self._transports.append(LocalTransport(self.server))
        return self._transports[-1]

    def gateway(self, account: str = "main") -> PaperGateway:
        number = len(self.gateways)
        credentials = Credentials(account, SECRET)
        gateway = PaperGateway(
            self.transport(),
            self.terms.id,
            credentials,
            self.clock,
            seed=number,
            settings=self.settings,
        )
        self.gateways.append(gateway)
        return gateway

    async def connect(self, after: int = 0) -> PaperGateway:
        gateway = self.gateway()
        await gateway.connect(after)
        return gateway

    @property
    def settings(self) -> GatewaySettings:
        return PATIENT if self.over_http else SETTINGS

    def place(self, instrument: str) -> int:
        return [each.id for each in self.terms.instruments].index(instrument)

    async def quote(self, bid: int, ask: int, size: int = 10**7, of: int | None = None) -> None:
        now = self.clock.now_ns()
        places = range(len(self.terms.instruments)) if of is None else [of]
        for place in places:
            quote = {"bid": bid, "bid_size": size, "ask": ask, "ask_size": size}
            self.source.feed(now, [{"quote": {"instrument": place, "quote": quote}}])
        self.endpoint.advance(now)
        await asyncio.sleep(0)

    async def fault(self, **asked: Any) -> None:  # noqa: ANN401
        self.endpoint.console.fault(asked, self.clock.now_ns())

    async def stop(self) -> None:
        for gateway in self.gateways:
            await gateway.close()
        await (self.http if self.over_http else self.server).stop()


async def _in_paper(
    test: Callable[[PaperWorld], Awaitable[None]],
    clock: Clock,
    over_http: bool,
    terms: VenueTerms,
    store: Store | None = None,
) -> None:
    world = PaperWorld(terms, clock, over_http, store or MemoryStore())
    if terms.instruments[0].id == PERPETUAL:
        world.pair = PERPETUAL
    await world.start()
    try:
        await test(world)
    finally:
        await world.stop()


def in_memory(test: Callable[[PaperWorld], Awaitable[None]], terms: VenueTerms = CASH) -> None:
    """Run a test against a venue in memory, on a virtual clock."""

    async def main() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        await _in_paper(test, clock, False, terms)

    run_virtually(main())


def on_loopback(test: Callable[[PaperWorld], Awaitable[None]], terms: VenueTerms = CASH) -> None:
    """Run a test against a real server on a socket, on the machine's clock."""
    asyncio.run(_in_paper(test, SystemClock(), True, replace(terms, window_ns=_WINDOW_NS)))


def encrypted(test: Callable[[PaperWorld], Awaitable[None]], terms: VenueTerms = CASH) -> None:
    """Run a test against a venue with an encrypted database, on a virtual clock."""

    async def main(store: Store) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        await _in_paper(test, clock, False, terms, store)

    with TemporaryDirectory() as folder:
        store = SQLiteStore(Path(folder) / "venue.db", Ring((bytes(range(32)),)))
        with contextlib.closing(store):
            run_virtually(main(store))


WORLDS = {"memory": in_memory, "encrypted": encrypted, "loopback": on_loopback}


class Heard:
    """What a gateway delivers, as far as it was asked for."""

    def __init__(self, gateway: Gateway) -> None:
        self._events = gateway.events()
        self.deliveries: list[Delivery] = []

    async def until[T](self, of: type[T], number: int = 1, within_s: float = 10.0) -> T:
        """Wait for the next of a kind, or the n-th of them."""
        found: list[T] = []
        while len(found) < number:
            delivery = await asyncio.wait_for(anext(self._events), within_s)
            self.deliveries.append(delivery)
            if isinstance(delivery.event, of):
                found.append(delivery.event)
        return found[-1]

    async def up_to(self, sequence: int, within_s: float = 10.0) -> list[Report]:
        """Hear everything up to a report; return all reports so far."""
        while not any((each.sequence or 0) >= sequence for each in self.deliveries):
            delivery = await asyncio.wait_for(anext(self._events), within_s)
            self.deliveries.append(delivery)
        return self.reports

    @property
    def reports(self) -> list[Report]:
        return [
            each.event  # type: ignore[misc]
            for each in self.deliveries
            if each.sequence is not None
        ]

    @property
    def sequences(self) -> list[int]:
        return [each.sequence for each in self.deliveries if each.sequence is not None]


def order(
    side: str,
    quantity: int,
    number: int,
    instrument: str = PAIR,
    **terms: Any,  # noqa: ANN401
) -> SubmitOrder:
    """An order of the fund of the tests."""
    name = f"test-1-{number:06d}"
    whole: dict[str, Any] = {"client_order_id": name, "instrument": instrument, **terms}
    return SubmitOrder(side=side, quantity=quantity, **whole)  # type: ignore[arg-type]
