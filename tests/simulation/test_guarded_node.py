"""The guard and the node themselves, at one venue, in one thread, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from quantvista.fund import GuardSection
from quantvista.journal import verify
from quantvista.trading.guard import Guard, Level
from quantvista.trading.node import status
from support.lives.world import World
from support.virtual_loop import run_virtually

SECTION = GuardSection(
    fence_s=Decimal(1),
    recheck_s=Decimal(2),
    slice_pause_s=Decimal("0.05"),
    heartbeat={"after_s": 8},  # type: ignore[arg-type]
)


class Pair:
    """A node and its guard."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.process = self.world.guard
        self.process.section = SECTION

    async def start(self) -> None:
        await self.world.start()
        while not self.process.boot():  # a world may kill it while it recovers
            pass
        self.process.live_on()
        await self.world.market(4)
        self.boot()

    @property
    def guard(self) -> Guard:
        return self.process.guard

    def boot(self) -> None:
        """Start a node, which ends only if it is killed here."""
        while not self.world.boot():
            pass
        self.world.journal.countdown = None

    async def until(self, what: Callable[[], bool], moves: int = 4_000) -> None:
        for _ in range(moves):
            if what():
                return
            await self.world.market(1)
        raise AssertionError("it does not come about")

    async def stop(self) -> None:
        if self.world.is_up:
            await self.world.kill()
        if self.process.is_up:
            await self.process.stop()

    @property
    def sent(self) -> int:
        return len(self.world.watch.sent)

    async def ask(self, command: str) -> dict[str, Any]:
        """Ask the guard, while the market goes on."""
        asked = asyncio.create_task(self.process.ask(command))
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
        verify(pair.process.disk)

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
        pair.process.node.deaf = True
        assert (await pair.ask("halt"))["ok"]
        await pair.until(lambda: pair.guard.chain.is_done)
        assert not pair.world.is_up
        assert not pair.world.paper.venue.snapshot(0).orders
        pair.process.node.deaf = False
        sent = pair.sent
        pair.boot()
        await pair.world.market(150)
        assert pair.sent == sent
        await pair.until(lambda: not pair.guard.status()["unknown"])
        assert (await pair.ask("resume"))["ok"]
        await pair.trades_on()

    in_pair(test, 4)


def test_a_resume_of_the_node_alone_does_not_undo_what_the_guard_ended() -> None:
    """It had read its lease a moment before: it must look again when it is told to resume."""

    async def test(pair: Pair) -> None:
        await pair.trades_on()
        assert (await pair.process.ask("halt"))["ok"]
        while not pair.process.watch.fenced:
            await asyncio.sleep(0.0005)
        sent = pair.sent
        assert not (await pair.world.ask("resume"))["ok"]
        await pair.world.market(20)
        assert pair.sent == sent

    in_pair(test, 5)
