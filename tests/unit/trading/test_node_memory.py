"""What a node must not forget over a restart, and what it must say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from quantvista.journal import MemoryDisk
from quantvista.strategies import EventStrategy, Quote
from quantvista.trading.gateway import BalanceChanged, Delivery, Filled
from quantvista.trading.node import NodeSettings, _orders, _recovery, status
from quantvista.trading.paper import MemoryStore
from support.gateway_worlds import PAIR
from support.node_worlds import NodeWorld, setup
from support.virtual_loop import run_virtually


def live(test: Callable[[NodeWorld], Awaitable[None]], **terms: Any) -> None:  # noqa: ANN401
    async def main() -> None:
        world = NodeWorld(**terms)
        await world.start()
        await test(world)
        await world.paper.stop()

    run_virtually(main())


async def end(world: NodeWorld, how: str) -> None:
    await (world.kill() if how == "kill" else world.stop())


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_trades_of_others_are_for_people_after_a_restart_too(how: str) -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        terms = {"account": "main", "instrument": PAIR, "side": "sell", "quantity": "0.5"}
        await world.paper.fault(kind="trade", **terms)
        await asyncio.sleep(3)
        await end(world, how)
        world.boot()
        await asyncio.sleep(5)
        assert any("somebody else" in each for each in world.node.reasons)
        assert world.node.session.fund_state == "reduce_only"
        assert (await world.ask("resume"))["ok"]
        await world.until_trading()
        await end(world, how)
        world.boot()
        await world.until_trading()
        await world.stop()

    live(test, refuses_manual=True)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_venue_that_lost_its_memory_is_for_people_after_a_restart_too(how: str) -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        world.node.links[0].forgot = True  # as a reset of its stream does
        await asyncio.sleep(3)
        await end(world, how)
        world.boot()
        await asyncio.sleep(5)
        assert any("lost its memory" in each for each in world.node.reasons)
        assert not (await world.ask("resume"))["ok"]  # it is compared first
        await asyncio.sleep(3)
        assert (await world.ask("resume"))["ok"]
        await world.until_trading()
        await world.stop()

    live(test)


def test_what_a_venue_tells_after_it_forgot_is_booked_once() -> None:
    """An account that knew of more was taken for what had been heard, and a kill lost the rest."""

    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(40)
        await world.settle()
        dollars = world.fund.currencies.index("USDT")
        before = world.node.session.balance(0, dollars)
        assert world.node.links[0].heard > 3
        world.paper.store = MemoryStore()
        await world.paper.crash()
        await asyncio.sleep(3)
        link = world.node.links[0]
        assert (link.heard, world.node.past.heard["paper"]) == (0, 0)
        for amount in (1, 10, 100):
            world.paper.venue.pay(0, "USDT", amount * 10**12, world.clock.now_ns())
        account = await link.venue.gateway.account()
        assert account.sequence == 3
        world.node._reconciler.answered(link, account)
        assert link.heard == 0
        await world.kill()
        world.boot()
        await asyncio.sleep(5)
        assert world.node.links[0].heard == 3
        assert world.node.session.balance(0, dollars) - before == 111 * 10**12
        assert any("lost its memory" in each for each in world.node.reasons)
        await world.stop()

    live(test)


def test_what_cannot_be_booked_is_for_people_after_a_restart_too() -> None:
    """The report was only a line among others."""

    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        flow = BalanceChanged(currency="USDT", amount=10**40, cause="deposit", ts=1)
        link = world.node.links[0]
        world.node._report(link, link.heard, flow)
        await asyncio.sleep(1)
        await world.kill()
        world.boot()
        await asyncio.sleep(5)
        assert any("cannot hold" in each for each in world.node.reasons)
        assert world.node.session.fund_state == "reduce_only"
        assert (await world.ask("resume"))["ok"]
        await world.until_trading()
        await world.stop()

    live(test)


class Resting(EventStrategy):
    """Leaves one order that closes something far away, and sends others that fill."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        if quote.instrument != PAIR:
            return
        self.seen += 1
        if self.seen == 5:
            ctx.submit(PAIR, "sell", 0.01, type="limit", tif="gtc", limit_price=60_000.0)
        elif 5 < self.seen < 40:
            ctx.submit(PAIR, "buy" if self.seen % 2 else "sell", 0.001, tif="ioc")


@pytest.mark.parametrize("restarts", [False, True])
def test_an_old_order_that_works_can_still_be_cancelled(
    monkeypatch: pytest.MonkeyPatch, restarts: bool
) -> None:
    """Only so many owners of orders were kept, and a cancel without an owner left for nowhere."""
    monkeypatch.setattr(_orders, "_OWNERS", 10)
    monkeypatch.setattr(_recovery, "_OWNERS_KEPT", 5)

    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(60)
        await world.settle()
        assert [each["id"] for each in world.node.session.working()] == [1]
        if restarts:
            await world.stop()
            world.boot()
            await world.until_trading()
        assert len(world.node.orders.owners(1000)) <= 11
        assert (await world.ask("halt"))["state"] == "halted"
        await asyncio.sleep(1)
        assert not world.node.session.working()
        world.check()
        await world.stop()

    live(test, fund=setup(Resting), settings=NodeSettings(reconcile_ns=10**15))


def test_an_account_that_cannot_be_compared_stops_new_risk() -> None:
    """Its reports came on, its questions were not answered: it traded on uncompared for ever."""

    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.paper.fault(kind="error", on="query", count=1_000)
        await asyncio.sleep(5)
        assert not world.node.reasons
        await asyncio.sleep(6)
        assert world.node.links[0].connected
        assert any("no answer about the account" in each for each in world.node.reasons)
        assert world.node.session.fund_state == "reduce_only"
        world.paper.faults.clear()
        await world.until_trading()
        assert status(world.node)["state"] == "active"
        await world.stop()

    live(test)


def test_refused_orders_are_counted_and_said() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.paper.fault(kind="reject", on="submit", count=3)
        await world.market(60)
        await world.settle()
        found = status(world.node)
        assert found["counts"]["rejects"] == 3
        said = [each["text"] for each in found["decisions"] if "refused" in each["text"]]
        assert len(said) == 1  # the same word over and over is said once
        await world.stop()

    live(test)


def test_it_says_when_it_trades_again() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await asyncio.sleep(1)
        assert status(world.node)["decisions"][-1]["text"] == "nothing speaks against new risk"
        await world.stop()

    live(test)


def test_a_new_journal_at_a_used_account_uses_no_id_again() -> None:
    """A changed fund is told to take a new state folder; the venue still knew all its old ids."""

    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(30)
        await world.settle()
        assert world.node.epoch == 1
        await world.stop()
        world.disk = MemoryDisk()
        world.was_used = True
        world.boot()
        assert world.node.epoch == world.clock.now_ns() // 10**9 + 1
        await world.until_trading()
        await world.market(60)
        await world.settle()
        assert world.node.counts["orders"]
        assert not world.node.counts["rejects"]
        world.check()
        await world.kill()
        before = world.node.epoch
        world.was_used = False  # its journal knows now
        assert world.boot().epoch == before + 1
        await world.stop()

    live(test)


FILL: dict[str, Any] = {
    "client_order_id": "test-1-000001",
    "venue_order_id": "9",
    "trade_id": "T1",
    "instrument": PAIR,
    "side": "buy",
    "quantity": 10,
    "price": 5_000_000,
    "fee": 0,
    "fee_currency": "USDT",
    "liquidity": "taker",
    "ts": 1,
    "kind": "order",
}
FLOW: dict[str, Any] = {"currency": "USDT", "amount": 10**12, "cause": "deposit", "ts": 1}


@pytest.mark.parametrize(
    "report",
    [
        *(
            Filled(**{**FILL, **change})
            for change in (
                {"quantity": 0},
                {"quantity": -5},
                {"quantity": 10**17, "price": 10**17},
                {"price": 0},
                {"price": 1.5},
                {"side": "hold"},
                {"liquidity": "much"},
                {"fee": 10**30},
                {"ts": 1.5},
            )
        ),
        BalanceChanged(**{**FLOW, "amount": 10**40}),
        BalanceChanged(**{**FLOW, "amount": 1.5}),
    ],
    ids=lambda report: type(report).__name__,
)
def test_a_report_that_no_engine_takes_is_for_people(report: Filled | BalanceChanged) -> None:
    """The node ended by it, got it again when it started, and was given up."""

    async def test(world: NodeWorld) -> None:
        node = world.boot()
        await world.until_trading()
        delivery = Delivery(sequence=node.links[0].heard + 1, ts_received=1, event=report)
        node.post("delivery", (0, delivery))
        await asyncio.sleep(0.5)
        assert any("cannot hold" in each for each in node.reasons)
        assert "cannot be booked: it" in status(node)["decisions"][-2]["text"]
        await world.stop()

    live(test)
