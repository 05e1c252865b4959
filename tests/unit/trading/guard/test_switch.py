"""The dead-man switch that the guard holds at a venue."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from support.guard_worlds import QUIET, Lab, in_lab

SECTION = QUIET.model_copy(update={"dead_man_s": Decimal(20)})
FAR = {"kind": "limit", "tif": "gtc", "side": "buy", "limit_price": 4_000_000}


async def begin(lab: Lab) -> None:
    await lab.start_guard()
    await lab.node.start(busy=False)
    await lab.until(lambda: lab.lease.valid(lab.node.epoch, lab.world.clock.now_ns()), 20)
    await lab.node.order(**FAR)


async def working(lab: Lab) -> int:
    lab.world.endpoint.advance(lab.world.clock.now_ns())
    return len(await lab.node.gateway.open_orders())


def test_orders_stay_as_long_as_the_guard_is_there() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        for _ in range(12):
            await asyncio.sleep(5)
            assert await working(lab) == 1

    in_lab(test, section=SECTION)


def test_the_venue_cancels_when_all_of_ours_is_gone() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await asyncio.sleep(10)
        await lab.kill_guard()
        await asyncio.sleep(10)
        assert await working(lab) == 1
        await asyncio.sleep(10.5)
        assert await working(lab) == 0

    in_lab(test, section=SECTION)


def test_a_guard_that_comes_back_in_time_keeps_the_orders() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        for _ in range(4):
            await lab.kill_guard()
            await asyncio.sleep(12)
            await lab.start_guard()
            await asyncio.sleep(4)
        assert await working(lab) == 1

    in_lab(test, section=SECTION)


def test_renewals_that_are_lost_are_made_up_for() -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await lab.world.fault(kind="disconnect", seconds=12)
        await asyncio.sleep(60)
        assert len(await lab.node.gateway.open_orders()) == 1

    in_lab(test, section=SECTION)


@pytest.mark.parametrize("way", ["released", "switched off"])
def test_orders_stay_when_the_fund_is_stopped_in_order_or_it_is_not_wanted(way: str) -> None:
    async def test(lab: Lab) -> None:
        await begin(lab)
        await asyncio.sleep(10)
        await lab.guard.release()
        await lab.kill_guard()
        await asyncio.sleep(60)
        assert await working(lab) == 1

    off = QUIET.model_copy(update={"dead_man_s": None})
    in_lab(test, section=SECTION if way == "released" else off)
