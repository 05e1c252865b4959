"""A fund through a backtest and through a node at a paper venue, over the same market."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from quantvista.backtest import Outcome
from quantvista.engine import Tape
from quantvista.fund import LoadedFund
from quantvista.fund._terms import venue_rates
from quantvista.journal import OUTPUT, Journal, MemoryDisk, Reader
from quantvista.market import Instrument
from quantvista.trading.node import NODE_KINDS, Node, NodeSettings, VenueLink
from quantvista.trading.node._fund import node_setup
from quantvista.trading.paper import PaperAccount, TapeSource, VenueTerms
from support.gateway_worlds import PaperWorld
from support.virtual_loop import START_NS, LoopClock

type Message = tuple[int, Sequence[Any]]
"""When something happens in the market, UTC ns, and what, as engines take it."""

type Intent = tuple[int, str, str, Decimal, Decimal | None]
"""When an order was wanted, instrument, side, quantity, limit price."""

type Traded = tuple[str, str, Decimal, Decimal, Decimal]
"""Instrument, side, quantity, price, fee."""

type Act = Callable[[Node, "QuietWorld"], Awaitable[None]]
"""Something that is done to a fund while it trades."""

SECOND = 10**9


class Leaping(LoopClock):
    """A virtual clock that can be told to be later at once, where nothing happens in between."""

    def leap(self, ts: int) -> None:
        """Be no earlier than a time, UTC ns."""
        self.offset_ns += max(0, ts - self.now_ns())


class QuietWorld(PaperWorld):
    """A venue that begins without prices."""

    async def quote(self, *_: Any, **__: Any) -> None:  # noqa: ANN401
        """Say nothing."""


@dataclass
class Ran:
    """What a node did: outputs of its engine, and all that ever spoke against new risk."""

    instruments: Sequence[Instrument]
    outputs: list[dict[str, Any]] = field(default_factory=list)
    late: int = 0
    reasons: set[str] = field(default_factory=set)
    disk: MemoryDisk = field(default_factory=MemoryDisk)

    @property
    def intents(self) -> list[Intent]:
        """Orders that it wanted."""
        found = []
        for order in self._said("order_submitted"):
            of = self.instruments[order["instrument"]]
            limit = order["limit_price"]
            price = None if limit is None else Decimal(limit).scaleb(-of.price_precision)
            quantity = Decimal(order["quantity"]).scaleb(-of.quantity_precision)
            found.append((order["ts"], of.id, order["side"], quantity, price))
        return found

    @property
    def trades(self) -> list[Traded]:
        """What it bought and sold."""
        found = []
        for fill in self._said("order_filled"):
            of = self.instruments[fill["instrument"]]
            quantity = Decimal(fill["quantity"]).scaleb(-of.quantity_precision)
            price = Decimal(fill["price"]).scaleb(-of.price_precision)
            found.append((of.id, fill["side"], quantity, price, Decimal(fill["fee"]).scaleb(-12)))
        return found

    def _said(self, name: str) -> list[dict[str, Any]]:
        return [each[name] for each in self.outputs if name in each]


def intents_of(outcome: Outcome) -> list[Intent]:
    """Orders that a backtest wanted."""
    columns = ("ts", "instrument", "side", "quantity", "limit_price")
    table = outcome.orders.select(columns).with_columns(pl.col("ts").cast(pl.Int64))
    return [
        (ts, name, side, _exact(quantity), None if limit is None else _exact(limit))
        for ts, name, side, quantity, limit in table.iter_rows()
    ]


def trades_of(outcome: Outcome) -> list[Traded]:
    """What a backtest bought and sold."""
    table = outcome.fills.select("instrument", "side", "quantity", "price", "fee")
    return [(name, side, *map(_exact, amounts)) for name, side, *amounts in table.iter_rows()]


def _exact(shown: object) -> Decimal:
    """A float that a table shows, as the decimal that it was."""
    return Decimal(str(shown))


def messages_of(tape: Tape) -> list[Message]:
    """A tape as a venue is fed with it."""
    source, found = TapeSource(tape), []
    source.start(int(tape.ts_received[0]), None)
    while (message := source.take(2**62)) is not None:
        found.append((message.ts, message.events))
    return found


def terms_of(
    loaded: LoadedFund, instruments: Sequence[Instrument], *money: tuple[str, Decimal]
) -> VenueTerms:
    """A venue on the terms of a fund's file, with an account of this money."""
    (venue,) = loaded.fund.venue
    account = PaperAccount("main", money)
    currency = loaded.fund.fund.currency
    return VenueTerms(venue.id, currency, tuple(instruments), (account,), venue_rates(venue))


async def run_node(
    loaded: LoadedFund,
    terms: VenueTerms,
    messages: Sequence[Message],
    *,
    pause_ns: int = SECOND,
    acts: Mapping[int, Act] | None = None,
) -> Ran:
    """Run a fund at a paper venue in memory; after each message time goes on by at most a pause.

    What is longer, such as the night between two bars, is leapt over: nothing happens in it. After
    the message with the number of an act, that is done.
    """
    clock = Leaping(asyncio.get_running_loop(), messages[0][0] - 3 * SECOND - START_NS)
    world = QuietWorld(terms, clock, over_http=False)
    await world.start()
    gateway, disk = world.gateway(), MemoryDisk()
    setup = node_setup(loaded, await gateway.instruments())
    link = VenueLink(terms.id, gateway, tuple(each.id for each in setup.instruments))
    journal = Journal(disk, "node/same")
    # A night that is leapt over has none of the comparisons that a real one has.
    settings = NodeSettings(snapshot_records=10**9, reconcile_ns=10**17)
    node = Node(setup, journal, disk, [link], clock, settings=settings)
    running = asyncio.get_running_loop().create_task(node.run())
    await asyncio.sleep(2)
    ran = Ran(setup.instruments, reasons=set(node.reasons), disk=disk)
    for number, (ts, events) in enumerate(messages):
        await asyncio.sleep(max(0, min(ts - clock.now_ns(), pause_ns)) / 1e9)
        clock.leap(ts)
        world.source.feed(ts, events)
        world.endpoint.advance(clock.now_ns())
        ran.reasons.update(node.reasons)
        if acts is not None and number in acts:
            await acts[number](node, world)
        if running.done():
            running.result()
    await asyncio.sleep(3)
    ran.reasons.update(node.reasons)
    ran.late = node._arrivals.late
    future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    node.post("command", ({"command": "stop"}, future))
    await running
    journal.close()
    await world.stop()
    for batch in Reader(disk):
        ran.outputs += [
            NODE_KINDS.entry(each).value for each in batch if each.kind == OUTPUT.number
        ]
    return ran
