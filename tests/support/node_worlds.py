"""A fund that trades at a paper venue, all in one process, on virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from quantvista.engine import CurrencyTerms, LimitRates, SleeveCash, VenueRates, engine_config
from quantvista.fund.desk import Desk
from quantvista.journal import Journal, MemoryDisk
from quantvista.portfolio import WeightSettings
from quantvista.strategies import EventStrategy, Fill, OrderEvent, Quote, Strategy, Timer
from quantvista.trading.guard.lease import Lease
from quantvista.trading.node import Node, NodeSettings, NodeSetup, VenueLink
from quantvista.trading.paper import MemoryStore, VenueTerms
from support.gateway_worlds import CASH, PAIR, PaperWorld
from support.virtual_loop import LoopClock

STREAM = "node/test"
MONEY = (("USDT", Decimal(1_000_000)), ("BTC", Decimal(10)))
TERMS = replace(CASH, accounts=(replace(CASH.accounts[0], balances=MONEY),))
PLACES = [each.id for each in TERMS.instruments]


class Busy(EventStrategy):
    """Sends a bit of everything, as its generator says; its state is what it has counted."""

    def __init__(self, chance: float = 0.3) -> None:
        super().__init__()
        self.chance = chance
        self.seen = 0
        self.filled = 0.0

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        self.seen += 1
        if quote.instrument != PAIR or ctx.rng.random() > self.chance:
            return
        side = "buy" if ctx.rng.random() < 0.5 else "sell"
        size = 0.001 * int(1 + 20 * ctx.rng.random())
        dice = ctx.rng.random()
        if dice < 0.4:
            ctx.submit(PAIR, side, size, tif="ioc")
        elif dice < 0.8:
            away = 0.5 if side == "buy" else -0.5
            price = round((quote.bid + quote.ask) / 2 - away, 2)
            ctx.submit(PAIR, side, size, type="limit", tif="gtc", limit_price=price)
        else:
            for order in ctx.orders(PAIR):
                ctx.cancel(order.order_id)
        if ctx.rng.random() < 0.2:
            ctx.set_timer(ctx.clock.now + 300_000_000, "later")

    def on_timer(self, ctx: Any, timer: Timer) -> None:  # noqa: ANN401
        ctx.submit(PAIR, "buy" if self.seen % 2 else "sell", 0.002, tif="ioc")

    def on_fill(self, ctx: Any, fill: Fill) -> None:  # noqa: ANN401
        self.filled += fill.quantity

    def on_order(self, ctx: Any, order: OrderEvent) -> None:  # noqa: ANN401
        if order.change == "rejected":
            self.seen += 1000


def config(**limits: Any) -> dict[str, Any]:  # noqa: ANN401
    """The engine of the test fund."""
    return engine_config(
        fund="test",
        currency="USDT",
        instruments=TERMS.instruments,
        close_only=False,
        sleeves=[SleeveCash("busy", Decimal(1_000_000), (("BTC", Decimal(10)),))],
        venue=VenueRates("paper", fee_rate=1_000_000, remote=True),
        limits=LimitRates(**limits),
        currencies=[CurrencyTerms("USDT", 6), CurrencyTerms("BTC", 8, PAIR)],
    )


def setup(
    strategy: type[Strategy] = Busy,
    limits: Mapping[str, Any] | None = None,
    fund_hash: str = "1",
) -> NodeSetup:
    """The test fund, ready to be run."""
    engine = config(**(limits or {}))

    def desk(session: Any, bars: Any) -> Desk:  # noqa: ANN401
        return Desk(session, engine, {"busy": strategy()}, WeightSettings(), seed=7, bars=bars)

    return NodeSetup(
        fund="test",
        config=engine,
        instruments=TERMS.instruments,
        calendar="24/7",
        time_zone="UTC",
        resolved="",
        fund_hash=fund_hash,
        fingerprint={},
        desk=desk,
    )


SETTINGS = NodeSettings(reconcile_ns=2_000_000_000, snapshot_records=500)


async def killed(node: Node, task: asyncio.Task[None]) -> None:
    """Let a node do nothing more, whatever it was at."""
    for each in (*node._tasks, task):
        each.cancel()
    for link in node.links:
        for sent in list(link.sender._last.values()):
            sent.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for link in node.links:
        await link.venue.gateway.close()


@dataclass
class NodeWorld:
    """A venue, its market, and the process of a fund that may be killed and started again."""

    seed: int = 0
    terms: VenueTerms = TERMS
    fund: NodeSetup = field(default_factory=setup)
    settings: NodeSettings = SETTINGS
    lease: Lease | None = None
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    refuses_manual: bool = False
    was_used: bool = False

    async def start(self) -> None:
        """Open the venue."""
        self.random = random.Random(self.seed)
        self.clock = LoopClock(asyncio.get_running_loop())
        self.paper = PaperWorld(self.terms, self.clock, over_http=False, store=MemoryStore())
        await self.paper.start()
        self.mid = 5_000_050
        self._task: asyncio.Task[None] | None = None

    def boot(self) -> Node:
        """Start a process on the journal."""
        journal = Journal(self.disk, STREAM)
        self.journal = journal
        gateway = self.paper.gateway()
        gateway._random = random.Random(self.seed * 1000 + len(self.paper.gateways))
        venue = VenueLink(
            "paper",
            gateway,
            tuple(PLACES),
            refuses_manual=self.refuses_manual,
            was_used=self.was_used,
        )
        self.node = Node(
            self.fund,
            journal,
            self.disk,
            [venue],
            self.clock,
            lease=self.lease,
            settings=self.settings,
        )
        self._task = asyncio.get_running_loop().create_task(self.node.run())
        return self.node

    async def kill(self) -> None:
        """End the process at once: what is not durable is gone, no order is taken back."""
        assert self._task is not None, "it runs"
        self.disk.lose_power(self.random.randrange(2**32))
        await killed(self.node, self._task)
        self.journal.close()
        self._task = None

    async def stop(self) -> None:
        """End the process in order."""
        assert self._task is not None, "it runs"
        answer = await self.ask("stop")
        assert answer["ok"], answer
        await self._task
        self.journal.close()
        self._task = None

    async def ask(self, command: str, reason: str = "") -> dict[str, Any]:
        """Ask the node for something, as a person does."""
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        request = {"command": command, "by": "test", "reason": reason}
        self.node.post("command", (request, future))
        return await asyncio.wait_for(future, 30)

    async def market(self, moves: int, pause_s: float = 0.05) -> None:
        """Let prices move at random."""
        for _ in range(moves):
            self.mid += self.random.randrange(-300, 301)
            spread = self.random.choice((50, 100, 200))
            await self.paper.quote(self.mid - spread, self.mid + spread)
            await asyncio.sleep(pause_s * self.random.random())
            if self._task is not None and self._task.done():
                self._task.result()

    async def until_trading(self, within_s: float = 60.0) -> None:
        """Wait until nothing speaks against new risk."""
        for _ in range(int(within_s / 0.1)):
            await asyncio.sleep(0.1)
            assert self._task is not None, "it runs"
            if self._task.done():
                self._task.result()
            if not self.node.reasons and self.node.links[0].clean:
                return
        raise AssertionError(f"it does not come to trade: {self.node.reasons}")

    async def settle(self, within_s: float = 60.0) -> None:
        """Wait until all commands have their end and the books agree."""
        node = self.node
        for _ in range(int(within_s / 0.1)):
            await asyncio.sleep(0.1)
            if not node.links[0].sender._last and not node._inbox and node.links[0].clean:
                break
        else:
            raise AssertionError(f"it does not settle: {node.reasons}")
        node.links[0].due_at = 0
        await asyncio.sleep(2.5)
        assert node.links[0].clean, node.links[0].differences

    def check(self) -> None:
        """Hold the fund's books against the venue's, to the last unit."""
        venue, session = self.paper.venue, self.node.session
        core = venue._core
        there = {each.currency: each.total for each in core.balances(0)}
        ours = {code: session.balance(0, place) for place, code in enumerate(self.fund.currencies)}
        assert ours == there
        held = {each.instrument: each.quantity for each in core.positions(0)}
        for place, each in enumerate(self.fund.instruments):
            if each.settlement != "exchange":
                assert session.position(0, place) == held.get(each.id, 0)
        working = {self.node.orders.client_id(each["id"]) for each in session.working()}
        assert working == {each.client_order_id for each in core.open_orders(0)}
        session.audit()
