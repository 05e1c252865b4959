"""The guard and the node themselves, at one venue, in one thread, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from quantvista.fund import GuardSection
from quantvista.journal import MemoryDisk, verify
from quantvista.trading.guard import Guard, GuardTerms, Level, Seams
from quantvista.trading.node import status
from quantvista.trading.paper import Credentials, LocalTransport, PaperGateway
from support.gateway_worlds import SECRET, SETTINGS
from support.guard_worlds import MemoryHalts, NoOthers
from support.lives.world import World
from support.virtual_loop import run_virtually

SECTION = GuardSection(
    fence_s=Decimal(1),
    recheck_s=Decimal(2),
    slice_pause_s=Decimal("0.05"),
    heartbeat={"after_s": 8},  # type: ignore[arg-type]
)


class LiveNode:
    """The node of a world, as the guard speaks to it."""

    deaf = False

    def __init__(self, world: World) -> None:
        self.world = world

    async def ask(self, command: str, reason: str) -> dict[str, Any] | None:
        del reason
        await asyncio.sleep(0.001)
        if self.deaf or not self.world.is_up:
            return None
        if command == "status":
            return status(self.world.node)
        return await self.world.ask(command) or None

    async def is_running(self) -> bool:
        return self.world.is_up

    async def kill(self) -> bool:
        if self.world.is_up:
            await self.world.kill()
        return True

    async def tail(self) -> tuple[int, int] | None:
        return None


class Leased:
    """The lease between both, with what the world's own checks ask of one."""

    def __init__(self, world: World) -> None:
        self.world, self.epoch, self.until, self.since = world, -1, 0, 0

    @property
    def on(self) -> bool:
        return self.world.clock.now_ns() < self.until

    def valid(self, epoch: int, now_ns: int) -> bool:
        return epoch == self.epoch and now_ns < self.until

    def grant(self, epoch: int, until_ns: int) -> None:
        self.since = self.since if self.on else self.world.loop_ns()
        self.epoch, self.until = epoch, until_ns

    def end(self) -> None:
        self.until, self.since = 0, self.world.loop_ns()


class Pair:
    """A node and its guard."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)

    async def start(self) -> None:
        world = self.world
        await world.start()
        self.lease = Leased(world)
        world.lease = self.lease  # type: ignore[assignment]
        self.handle, self.disk = LiveNode(world), MemoryDisk()
        gateway = PaperGateway(
            LocalTransport(world.paper.server),
            world.terms.id,
            Credentials("guard", SECRET),
            world.clock,
            seed=99,
            settings=SETTINGS,
        )
        seams = Seams(
            self.handle, self.lease, world.clock, MemoryHalts(), NoOthers(), lambda: 10**12
        )
        terms = GuardTerms("lives", "USDT", "UTC", SECTION, frozenset({"paper"}))
        self.guard = Guard(terms, {"paper": gateway}, self.disk, seams)
        self.task = asyncio.create_task(self.guard.run())
        await world.market(4)
        self.boot()

    def boot(self) -> None:
        """Start a node, which ends only if it is killed here."""
        while not self.world.boot():  # a world may kill it while it recovers
            pass
        self.world.journal.countdown = None

    async def until(self, what: Callable[[], bool], moves: int = 4_000) -> None:
        for _ in range(moves):
            if what():
                return
            assert not self.task.done(), self.task
            await self.world.market(1)
        raise AssertionError("it does not come about")

    async def stop(self) -> None:
        if self.world.is_up:
            await self.world.kill()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    @property
    def sent(self) -> int:
        return len(self.world.watch.sent)

    async def ask(self, command: str) -> dict[str, Any]:
        """Ask the guard, while the market goes on."""
        request = {"command": command, "by": "anna", "reason": "a test"}
        asked = asyncio.create_task(self.guard.handle(request))
        await self.until(asked.done)
        return asked.result()

    async def trades_on(self) -> None:
        before = self.sent
        await self.until(lambda: self.sent > before + 20)

    def is_clear(self) -> bool:
        account = self.world.paper.venue.snapshot(0)
        return not account.orders and not account.positions


def in_pair(test: Callable[[Pair], Awaitable[None]], seed: int) -> None:
    async def main() -> None:
        pair = Pair(seed)
        await pair.start()
        try:
            await test(pair)
        finally:
            await pair.stop()

    run_virtually(main())


@pytest.mark.parametrize("seed", [2])
def test_a_fund_is_taken_off_the_market_and_let_back(seed: int) -> None:
    async def test(pair: Pair) -> None:
        await pair.trades_on()
        assert (await pair.ask("flatten"))["ok"]
        await pair.until(lambda: pair.guard.chain.is_done)
        assert pair.is_clear()
        sent = pair.sent
        await pair.world.market(100)
        assert (pair.sent, pair.is_clear()) == (sent, True)
        assert status(pair.world.node)["health"] == "halted"
        await pair.until(lambda: not pair.guard.status()["unknown"])
        assert await pair.ask("resume") == {"ok": True, "level": "watch", "node": ""}
        await pair.trades_on()
        assert pair.guard.level is Level.WATCH
        verify(pair.disk)

    in_pair(test, seed)


def test_a_node_that_is_killed_and_comes_back_goes_on() -> None:
    async def test(pair: Pair) -> None:
        await pair.trades_on()
        await pair.world.kill()
        await pair.world.market(50)
        pair.boot()
        await pair.trades_on()
        assert pair.guard.level is Level.WATCH

    in_pair(test, 3)


def test_a_node_that_hangs_is_killed_and_another_may_not_trade() -> None:
    async def test(pair: Pair) -> None:
        await pair.trades_on()
        pair.handle.deaf = True
        assert (await pair.ask("halt"))["ok"]
        await pair.until(lambda: pair.guard.chain.is_done)
        assert not pair.world.is_up
        assert not pair.world.paper.venue.snapshot(0).orders
        pair.handle.deaf = False
        sent = pair.sent
        pair.boot()
        await pair.world.market(150)
        assert pair.sent == sent
        await pair.until(lambda: not pair.guard.status()["unknown"])
        assert (await pair.ask("resume"))["ok"]
        await pair.trades_on()

    in_pair(test, 4)
