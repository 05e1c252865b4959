"""Faults that an operator of the venue has armed, and who meets them."""

import asyncio

from quantvista.trading.gateway import Rejected, Unknown
from quantvista.trading.paper import Credentials, MemoryStore, PaperGateway
from support.gateway_worlds import CASH, SETTINGS, PaperWorld, order
from support.virtual_loop import LoopClock, run_virtually


def test_who_has_no_key_uses_up_no_fault() -> None:
    async def test() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        world = PaperWorld(CASH, clock, over_http=False, store=MemoryStore())
        await world.start()
        gateway = await world.connect()
        await world.fault(kind="drop", on="submit", count=1)
        stranger = PaperGateway(
            world.transport(),
            CASH.id,
            Credentials("main", "another secret"),
            clock,
            seed=9,
            settings=SETTINGS,
        )
        refused = await stranger.submit(order("buy", 1_000, 1))
        assert isinstance(refused, Rejected)
        assert isinstance(await gateway.submit(order("buy", 1_000, 2)), Unknown)
        await world.stop()

    run_virtually(test())
