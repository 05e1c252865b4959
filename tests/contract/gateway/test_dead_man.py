"""The dead-man switch: who says nothing for long has all orders cancelled by the venue itself."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from quantvista.trading.gateway import Cancelled, CancelOrder, CancelRejected, Filled, GatewayError
from support.gateway_worlds import CASH, Heard, PaperWorld, in_memory, order

type Run = Callable[..., None]

SECOND = 10**9


async def rest(world: PaperWorld, count: int = 2) -> None:
    """Let orders rest that nobody meets."""
    gateway = world.gateways[0]
    for number in range(1, count + 1):
        await gateway.submit(order("buy", 10, number, kind="limit", limit_price=4_000_000))
    assert len(await gateway.open_orders()) == count


async def until(world: PaperWorld, seconds: float) -> None:
    """Let the venue's time go on."""
    await asyncio.sleep(seconds)
    world.endpoint.advance(world.clock.now_ns())


TWO = replace(CASH, accounts=(*CASH.accounts, replace(CASH.accounts[0], name="second")))


def test_silence_cancels_all_orders_of_the_account(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        assert (gateway.capabilities.dead_man_max_ns or 0) >= 60 * SECOND
        await rest(world)
        other = world.gateway("second")
        await other.connect()
        await other.submit(order("buy", 10, 1, kind="limit", limit_price=4_000_000))
        before = world.clock.now_ns()
        at = await gateway.dead_man(SECOND)
        assert at is not None
        assert abs(at - before - SECOND) < SECOND // 2
        await until(world, 1.3)
        assert await gateway.open_orders() == ()
        assert len(await other.open_orders()) == 1
        found = await heard.until(Cancelled, 2)
        assert found.reason == "dead_man"
        state = await gateway.order("test-1-000001")
        assert state is not None
        assert (state.status, state.reason) == ("cancelled", "dead_man")
        # It has gone off; what comes after it stays.
        await gateway.submit(order("buy", 10, 3, kind="limit", limit_price=4_000_000))
        await until(world, 1.3)
        assert len(await gateway.open_orders()) == 1

    run(test, TWO)


def test_who_says_it_again_keeps_the_orders(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        await rest(world)
        for _ in range(4):
            await gateway.dead_man(SECOND)
            await until(world, 0.5)
        assert len(await gateway.open_orders()) == 2
        assert await gateway.dead_man(0) is None
        await until(world, 1.3)
        assert len(await gateway.open_orders()) == 2

    run(test)


@pytest.mark.parametrize("after_ns", [10**6, SECOND - 1, 10**6 * SECOND])
def test_times_that_mean_nothing_are_refused(run: Run, after_ns: int) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        with pytest.raises(GatewayError, match="after_ms"):
            await gateway.dead_man(after_ns)

    run(test)


def test_a_venue_that_was_away_remembers_it() -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        await rest(world)
        await gateway.dead_man(20 * SECOND)
        await world.crash()
        await asyncio.sleep(5)
        assert len(await gateway.open_orders()) == 2
        await world.crash()
        await asyncio.sleep(20)
        assert await gateway.open_orders() == ()

    in_memory(test)


def test_cancels_of_both_and_a_fill_may_meet() -> None:
    """Each own command has its one answer, and the switch has none."""
    slow = replace(CASH.rates.latency, submit_ns=10**7, cancel_ns=2 * SECOND)
    terms = replace(CASH, rates=replace(CASH.rates, latency=slow))

    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        for number in (1, 2, 3):
            await gateway.submit(order("buy", 10, number, kind="limit", limit_price=4_900_000))
        await until(world, 0.1)
        await gateway.dead_man(SECOND)
        await gateway.cancel(CancelOrder(client_order_id="test-1-000001"))
        await until(world, 1.1)
        await gateway.cancel(CancelOrder(client_order_id="test-1-000002"))
        await world.quote(4_800_000, 4_800_100)  # all are filled before a cancel comes
        await until(world, 5)
        reports = await heard.up_to(world.venue.sequence(0))
        fills = [each for each in reports if isinstance(each, Filled)]
        assert sorted(each.client_order_id[-1] for each in fills) == ["1", "2", "3"]
        refused = [each for each in reports if isinstance(each, CancelRejected)]
        assert sorted(each.client_order_id[-1] for each in refused) == ["1", "2"]
        assert not world.venue._core._asked

    in_memory(test, terms)
