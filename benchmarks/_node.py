"""What works on the node share: a fund of one pair, and a venue in memory that fills nothing."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from quantvista.engine import (
    CurrencyTerms,
    LimitRates,
    Session,
    SleeveCash,
    VenueRates,
    engine_config,
)
from quantvista.fund.desk import Desk, LiveBars
from quantvista.journal import Head, Journal
from quantvista.market import Instrument
from quantvista.portfolio import WeightSettings
from quantvista.strategies import Context, EventStrategy, Quote
from quantvista.trading.gateway import (
    Accepted,
    AccountSnapshot,
    Acknowledged,
    Balance,
    Cancelled,
    Delivery,
    QuoteData,
    Report,
    Status,
    SubmitOrder,
)
from quantvista.trading.node import Node, NodeSettings, NodeSetup, VenueLink

PAIR = "BTC-USDT.WIRE"
MONEY = 10**6
SETTINGS = NodeSettings(reconcile_ns=10**15, snapshot_records=10**9)


class Machine:
    """The clock of this machine, which does not go backwards here."""

    def now_ns(self) -> int:
        return time.time_ns()


class EveryNth(EventStrategy):
    """Sends an order at every n-th quote, and thinks of nothing."""

    nth = 1

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def on_quote(self, ctx: Context, quote: Quote) -> None:
        self.seen += 1
        if self.seen % self.nth == 0:
            ctx.submit(PAIR, "buy", 0.001, type="limit", tif="ioc", limit_price=quote.bid)


class Wire:
    """A gateway that notes when an order came, accepts it and says that nothing was filled.

    It has what a node asks of one that fails in nothing.
    """

    clock_offset_ns = 0

    def __init__(self) -> None:
        self.submitted_at = 0
        self.orders = self._sequence = 0
        self.sent = asyncio.Event()
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()

    async def connect(self, after: int = 0) -> None:
        self._sequence = max(self._sequence, after)
        self._tell(None, Status(state="connected", ts=time.time_ns()))

    async def subscribe(self, instruments: Collection[str]) -> None:
        """Take note of nothing: quotes are handed to the node itself."""

    async def events(self) -> AsyncIterator[Delivery]:
        while True:
            yield await self._queue.get()

    def _tell(self, sequence: int | None, event: Report | Status) -> None:
        self._queue.put_nowait(Delivery(sequence=sequence, ts_received=time.time_ns(), event=event))

    async def submit(self, order: SubmitOrder) -> Acknowledged:
        self.submitted_at = perf_counter_ns()
        self.orders += 1
        ts, name = time.time_ns(), order.client_order_id
        ids = {"client_order_id": name, "venue_order_id": str(self.orders)}
        self._tell(self._sequence + 1, Accepted(**ids, instrument=PAIR, ts=ts))
        self._tell(self._sequence + 2, Cancelled(**ids, reason="ioc", ts=ts))
        self._sequence += 2
        self.sent.set()
        return Acknowledged(
            client_order_id=name, venue_order_id=ids["venue_order_id"], status="cancelled", ts=ts
        )

    async def order(self, client_order_id: str) -> None:
        """Know of no order that a process before has sent."""

    async def account(self) -> AccountSnapshot:
        money = Balance(currency="USDT", total=MONEY * 10**12, unsettled=0)
        none = Balance(currency="BTC", total=0, unsettled=0)
        return AccountSnapshot(
            account="main",
            sequence=self._sequence,
            ts=time.time_ns(),
            balances=(money, none),
            positions=(),
            orders=(),
        )

    async def close(self) -> None:
        """Let go of nothing."""


def setup(nth: int) -> NodeSetup:
    """The fund."""
    pair = Instrument(
        PAIR,
        currency="USDT",
        kind="pair",
        base="BTC",
        price_precision=2,
        quantity_precision=5,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        matching="quotes",
    )
    engine = engine_config(
        fund="wire",
        currency="USDT",
        instruments=(pair,),
        close_only=False,
        sleeves=[SleeveCash("all", Decimal(MONEY))],
        venue=VenueRates("wire", remote=True),
        limits=LimitRates(),
        currencies=[CurrencyTerms("USDT", 6), CurrencyTerms("BTC", 8, PAIR)],
    )

    def desk(session: Session, bars: LiveBars | None) -> Desk:
        strategy = EveryNth()
        strategy.nth = nth
        return Desk(session, engine, {"all": strategy}, WeightSettings(), bars=bars)

    return NodeSetup(
        fund="wire",
        config=engine,
        instruments=(pair,),
        calendar="24/7",
        time_zone="UTC",
        resolved="",
        fund_hash="1",
        fingerprint={},
        desk=desk,
    )


def opened(place: Path, nth: int, wire: Wire, **settings: int) -> Node:
    """A node on a folder."""
    journal = Journal(place, "node/wire")
    link = VenueLink("wire", wire, (PAIR,))  # type: ignore[arg-type]
    return Node(
        setup(nth), journal, place, [link], Machine(), settings=replace(SETTINGS, **settings)
    )


async def until_trading(node: Node) -> None:
    """Wait until nothing speaks against new risk."""
    async with asyncio.timeout(60):
        while not node.links[0].clean or node.reasons or node.session.fund_state != "active":
            await asyncio.sleep(0.0005)


def quote(number: int) -> tuple[int, Delivery]:
    """A quote as a gateway would hand it to the node."""
    bid = 5_000_000 + number % 97
    ts = time.time_ns()
    event = QuoteData(
        instrument=PAIR, bid=bid, bid_size=10**5, ask=bid + 100, ask_size=10**5, ts=ts
    )
    return 0, Delivery(sequence=None, ts_received=ts, event=event)


class Syncs:
    """Writes of 512 bytes into reserved space, each made durable; ``times`` in ns."""

    def __init__(self, file: Path) -> None:
        self.times: list[int] = []
        self._handle = os.open(file, os.O_RDWR | os.O_CREAT)
        os.posix_fallocate(self._handle, 0, 1 << 20)
        os.fsync(self._handle)

    def sync(self) -> None:
        start = perf_counter_ns()
        os.pwrite(self._handle, b"\x5a" * 512, len(self.times) % 2_000 * 512)
        os.fdatasync(self._handle)
        self.times.append(perf_counter_ns() - start)

    def close(self) -> None:
        os.close(self._handle)


def timed_commits(journal: Journal) -> list[int]:
    """Nanoseconds of each commit from now on."""
    times: list[int] = []
    commit = journal.commit

    def timed() -> Head:
        start = perf_counter_ns()
        head = commit()
        times.append(perf_counter_ns() - start)
        return head

    journal.commit = timed  # type: ignore[method-assign]
    return times


def at(times: list[int], share: float) -> int:
    """Quantile of times."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def stop(node: Node) -> Any:  # noqa: ANN401 - a future of its answer
    """Ask a node to stop."""
    future = asyncio.get_running_loop().create_future()
    node.post("command", ({"command": "stop"}, future))
    return future
