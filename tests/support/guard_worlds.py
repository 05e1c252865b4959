"""A guard, a node that it watches and a paper venue, in one process on a virtual clock."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import Any

from quantvista.fund import GuardSection
from quantvista.journal import MemoryDisk, Reader
from quantvista.trading.gateway import (
    CancelOrder,
    ClientOrderId,
    Filled,
    GatewayError,
    Request,
    Response,
    SubmitOrder,
    TransportError,
)
from quantvista.trading.guard import KINDS, Firm, Guard, GuardTerms, Seams, Standing
from quantvista.trading.paper import Credentials, LocalTransport, PaperGateway, VenueTerms
from support.gateway_worlds import (
    CASH,
    SECRET,
    PaperWorld,
    in_memory,
)
from support.virtual_loop import LoopClock

__all__ = ["QUIET", "Lab", "Node", "in_lab", "records", "timed_records"]

QUIET = GuardSection(
    fence_s=Decimal(1), recheck_s=Decimal(2), slice_pause_s=Decimal("0.01"), rejects=None
)


class LateTransport(LocalTransport):
    """A way on which requests may take long, and arrive even if who sent them is gone."""

    def __init__(self, world: PaperWorld, seed: int) -> None:
        super().__init__(world.server)
        self.random, self.late = random.Random(seed), 0.0
        self._most_s = 0.95 * world.terms.window_ns / 1e9
        self._under_way: set[asyncio.Task[Response]] = set()

    async def request(self, request: Request) -> Response:
        if request.method != "POST" or self.random.random() >= self.late:
            return await super().request(request)
        task = asyncio.create_task(self._later(request, self.random.random() * self._most_s))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def _later(self, request: Request, wait_s: float) -> Response:
        await asyncio.sleep(wait_s)
        try:
            return await super().request(request)
        except TransportError:
            return Response(503, b"{}")


class Node:
    """A node as the guard sees it: it trades at random while its lease lasts, and may be deaf."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab, self.random = lab, random.Random(seed)
        self.deaf = self.slow_to_die = False
        self.unknown_positions: list[dict[str, Any]] | None = None
        self.state, self.epoch, self.sent = "active", 0, 0
        self.asked: list[str] = []
        self.counts = {"inputs": 0, "orders": 0, "fills": 0, "rejects": 0}
        self.clock_offset_ns = 0
        self.health: str | None = None
        self.journal_bytes = 0
        self.says_more: dict[str, Any] = {}
        self.task: asyncio.Task[None] | None = None

    # -- what a node does ------------------------------------------------------
    async def start(self, *, busy: bool = True) -> None:
        self.epoch += 1
        self.state = "active"
        world = self.lab.world
        self.transport = LateTransport(world, self.random.randrange(2**32))
        world._transports.append(self.transport)
        self.gateway = PaperGateway(
            self.transport,
            world.terms.id,
            Credentials("main", SECRET),
            world.clock,
            seed=1000 + self.epoch,
            settings=world.settings,
        )
        await self.gateway.connect()
        world.gateways.append(self.gateway)
        self.task = asyncio.create_task(self._trade() if busy else asyncio.Event().wait())  # type: ignore[arg-type]

    async def _trade(self) -> None:
        names: list[str] = []
        while True:
            now = self.lab.world.clock.now_ns()
            may = self.state == "active" and self.lab.lease.valid(self.epoch, now)
            if may or self.deaf:  # who hears nothing does not look at its lease either
                names.append(await self.order())
                if self.random.random() < 0.2:
                    await self.gateway.cancel(
                        CancelOrder(client_order_id=self.random.choice(names))
                    )
            await asyncio.sleep(self.random.random() * 0.1)

    async def order(self, **terms: Any) -> str:  # noqa: ANN401
        self.sent += 1
        name = str(ClientOrderId("test", self.epoch, self.sent))
        draw, bid = self.random, self.lab.bid
        buys = draw.random() < self.lab.buys
        rests = draw.random() < 0.4
        given: dict[str, Any] = {
            "client_order_id": name,
            "instrument": self.lab.world.pair,
            "side": "buy" if buys else "sell",
            "quantity": draw.randint(1, 3_000),
            "kind": "limit" if rests else "market",
            "tif": "gtc" if rests else "ioc",
            "limit_price": bid - 500 if buys else bid + 600,
        }
        if not rests:
            del given["limit_price"]
        await self.gateway.submit(SubmitOrder(**(given | terms)))
        return name

    # -- what the guard asks it ------------------------------------------------------
    async def ask(self, command: str, reason: str) -> dict[str, Any] | None:
        del reason
        await asyncio.sleep(0.001)
        self.asked.append(command)
        if self.task is None or self.deaf:
            return None
        match command:
            case "halt":
                self.state = "halted"
            case "reduce":
                self.state = "reduce_only"
            case "resume":
                self.state = "active"
        return await self.status()

    async def status(self) -> dict[str, Any]:
        world = self.lab.world
        account = world.venue.snapshot(0)
        digits = {each.instrument: each.quantity_precision for each in world.venue.listings()}
        positions = [
            {
                "instrument": each.instrument,
                "sleeve": "all",
                "quantity": str(Decimal(each.quantity).scaleb(-digits[each.instrument])),
            }
            for each in account.positions
        ]
        health = {"active": "trading", "reduce_only": "no_new_risk"}.get(self.state, "halted")
        return {
            "ok": True,
            "epoch": self.epoch,
            "now": world.clock.now_ns() + self.clock_offset_ns,
            "health": self.health or health,
            "state": self.state,
            "positions": positions,
            "balances": [
                {"currency": each.currency, "amount": str(Decimal(each.total).scaleb(-12))}
                for each in account.balances
            ],
            "counts": self.counts,
            "journal": {"sequence": self.sent + 1, "bytes": self.journal_bytes},
        } | self.says_more

    async def is_running(self) -> bool:
        return self.task is not None

    async def kill(self) -> bool:
        if self.slow_to_die:
            self.slow_to_die = False
            return False
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None
        return True

    async def tail(self) -> tuple[int, int] | None:
        return None


class MemoryLease:
    """A lease, and who may look at it."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.epoch, self.until = lab, -1, 0
        self.grants = 0

    def grant(self, epoch: int, until_ns: int) -> None:
        self.epoch, self.until = epoch, until_ns
        self.grants += 1

    def end(self) -> None:
        self.until = 0

    def forget(self) -> None:
        """Nothing is kept."""

    def valid(self, epoch: int, now_ns: int) -> bool:
        return epoch == self.epoch and now_ns < self.until


class MemoryHalts:
    """What was ordered while nobody answered."""

    standing: Standing | None = None

    def read(self) -> Standing | None:
        return self.standing

    def clear(self) -> None:
        self.standing = None


class NoOthers:
    """A firm of one fund, unless a test says otherwise."""

    found: Firm | None = None

    async def firm(self) -> Firm | None:
        return self.found


class Lab:
    """All of it; ``world`` is the venue."""

    def __init__(self, world: PaperWorld, seed: int, section: GuardSection = QUIET) -> None:
        self.world, self.random = world, random.Random(seed)
        self.section, self.disk = section, MemoryDisk()
        self.lease, self.halts, self.others = MemoryLease(self), MemoryHalts(), NoOthers()
        self.bid, self.buys = world.spread[0], 0.7
        self.free: int | None = 10**12
        self.traded: frozenset[str] = frozenset()
        self.node = Node(self, seed)
        self.guard_task: asyncio.Task[None] | None = None
        self.lives = 0
        self.late = 0.0
        self.clock, self.clock_was_set = LoopClock(asyncio.get_running_loop()), False

    async def start_guard(self) -> Guard:
        self.lives += 1
        paper = frozenset({"paper"})
        terms = GuardTerms("test", "USDT", "UTC", self.section, paper, traded=self.traded)
        seams = Seams(self.node, self.lease, self.clock, self.halts, self.others, lambda: self.free)
        way = LateTransport(self.world, self.lives)
        way.late = self.late
        self.world._transports.append(way)
        gateway = PaperGateway(
            way,
            self.world.terms.id,
            Credentials("guard", SECRET),
            self.clock,
            seed=2000 + self.lives,
            settings=self.world.settings,
        )
        self.guard = Guard(terms, {"paper": gateway}, self.disk, seams)
        self.guard_task = asyncio.create_task(self.guard.run())
        return self.guard

    async def kill_guard(self) -> None:
        """End it wherever it is; what it had not committed is lost."""
        assert self.guard_task is not None
        self.guard_task.cancel()
        await asyncio.gather(self.guard_task, return_exceptions=True)
        self.guard_task = None

    async def walk(self) -> None:
        """Let the market move."""
        while True:
            self.bid += self.random.randint(-40, 40)
            await self.world.quote(self.bid, self.bid + 100, self.random.randint(500, 5_000))
            await asyncio.sleep(0.1)

    async def until(self, what: Callable[[], bool], within_s: float = 120.0) -> None:
        async with asyncio.timeout(within_s):
            while not what():
                if self.guard_task is not None and self.guard_task.done():
                    self.guard_task.result()
                await asyncio.sleep(0.1)

    async def fills(self) -> list[Filled]:
        gateway, after = self.world.gateway(), 0
        found: list[Filled] = []
        while True:
            try:
                page = await gateway.fills(after)
            except GatewayError:
                await asyncio.sleep(0.1)
                continue
            found += page.fills
            after = page.next
            if not page.more:
                return found


def records(disk: MemoryDisk) -> list[Any]:
    """All that the guard wrote, in order."""
    return [body for _, body in timed_records(disk)]


def timed_records(disk: MemoryDisk) -> list[tuple[int, Any]]:
    """The same with the times when it was written."""
    return [(record.ts, KINDS.body(record)) for batch in Reader(disk) for record in batch]


@contextlib.asynccontextmanager
async def _lab(world: PaperWorld, seed: int, section: GuardSection) -> AsyncIterator[Lab]:
    lab = Lab(world, seed, section)
    market = asyncio.create_task(lab.walk())
    try:
        yield lab
    finally:
        market.cancel()
        if lab.guard_task is not None:
            await lab.kill_guard()
        await lab.node.kill()


def in_lab(
    test: Callable[[Lab], Awaitable[None]],
    *,
    seed: int = 1,
    section: GuardSection = QUIET,
    terms: VenueTerms = CASH,
) -> None:
    """Run a test in a lab of its own, on a virtual clock."""

    async def inner(world: PaperWorld) -> None:
        async with _lab(world, seed, section) as lab:
            await test(lab)

    in_memory(inner, terms)
