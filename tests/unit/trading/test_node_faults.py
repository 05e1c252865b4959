"""What simulated lives have found, each by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quantvista.engine import BreakerLimit, BreakerLimits, RawEngine
from quantvista.journal import INPUT, Reader
from quantvista.market import Instrument
from quantvista.strategies import EventStrategy, Quote, Timer
from quantvista.trading.gateway import BarData, GatewayError, QuoteData, TradeData
from quantvista.trading.node._sense import nonsense
from quantvista.trading.node._status import status
from support.gateway_worlds import PAIR
from support.node_worlds import TERMS, NodeWorld, setup
from support.virtual_loop import run_virtually


def test_a_question_that_fails_after_connecting_connects_no_second_time() -> None:
    """Otherwise two streams told every report twice, and money paid in was booked twice."""

    async def main() -> None:
        world = NodeWorld()
        await world.start()
        node = world.boot()
        gateway, connects = node.links[0].venue.gateway, 0
        connect, subscribe, tries = gateway.connect, gateway.subscribe, 0

        async def counted(after: int = 0) -> None:
            nonlocal connects
            connects += 1
            await connect(after)

        async def refused_once(instruments: Any) -> None:  # noqa: ANN401
            nonlocal tries
            tries += 1
            if tries == 1:
                raise GatewayError("server_error", "not now")
            await subscribe(instruments)

        gateway.connect, gateway.subscribe = counted, refused_once  # type: ignore[method-assign]
        await world.until_trading()
        world.paper.venue.pay(0, "USDT", 10**15, world.clock.now_ns())
        await world.settle()
        world.check()
        assert (connects, tries) == (1, 2)
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


class Seller(EventStrategy):
    """Sells at every quote: that reduces, so it is asked also while nothing else is."""

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        if quote.instrument == PAIR:
            ctx.submit(PAIR, "sell", 0.001, tif="ioc")


class Leave:
    """A guard's, given and taken by hand."""

    given = True

    def forget(self) -> None:
        """Nothing is kept."""

    def valid(self, epoch: int, now_ns: int) -> bool:
        return self.given


def test_what_a_breaker_did_is_undone_by_people_only() -> None:
    """The node had reduced by itself, and when it had no reason left ended the breaker's too."""

    async def main() -> None:
        limit = BreakerLimit(3, "reduce_only", 10**10)
        fund = setup(Seller, {"breakers": BreakerLimits(rejects=limit)})
        leave = Leave()
        world = NodeWorld(fund=fund, lease=leave)
        await world.start()
        world.boot()
        await world.until_trading()
        leave.given = False
        await world.market(20)
        leave.given = True
        for _ in range(2):
            await world.until_trading()
            await asyncio.sleep(5)
            assert world.node.session.fund_state == "reduce_only"
            await world.kill()
            world.boot()
        await world.until_trading()
        assert (await world.ask("resume"))["state"] == "active"
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


@pytest.mark.parametrize(
    ("bid", "ask"), [(0, 10), (10, 2**61), (-5, 10), (10, 1.5), ("10", 11), (2**70, None)]
)
def test_nonsense_of_a_venue_reaches_no_engine(bid: Any, ask: Any) -> None:  # noqa: ANN401
    async def main() -> None:
        world = NodeWorld()
        await world.start()
        node = world.boot()
        await world.until_trading()
        inputs = len(told(world))
        data = QuoteData(instrument=PAIR, bid=bid, bid_size=1, ask=ask, ask_size=1, ts=1)
        node.links[0].venue.gateway._tell(data)  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        assert any("nonsense" in text for _, text in node.texts)
        await world.stop()
        assert len(told(world)) == inputs
        await world.paper.stop()

    run_virtually(main())


@pytest.mark.parametrize("price", [10**13, 2**50, 2**56, 2**60 - 1])
def test_an_absurd_price_leaves_the_node_able_to_say_how_it_stands(price: int) -> None:
    """The ten coins that it has would otherwise be worth more than the engine can count."""

    async def main() -> None:
        world = NodeWorld(fund=setup(limits={"gross_max": 2 * 10**9, "crossed": "reduce_only"}))
        await world.start()
        node = world.boot()
        await world.until_trading()
        await world.market(40)
        assert status(node)["limits"]
        for _ in range(2):
            data = QuoteData(
                instrument=PAIR, bid=price, bid_size=1, ask=price + 1, ask_size=1, ts=1
            )
            node.links[0].venue.gateway._tell(data)  # type: ignore[attr-defined]
            await asyncio.sleep(1)
            assert status(node)["ok"]
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


def told(world: NodeWorld) -> list[dict[str, Any]]:
    records = [each for batch in Reader(world.disk) for each in batch if each.kind == INPUT.number]
    decoded = [RawEngine.decode_input(each.payload)["event"] for each in records]
    return [each for each in decoded if "quote" in each]


def test_what_is_wrong_with_data_is_said() -> None:
    pair: Instrument = TERMS.instruments[1]

    def bar(*prices: int | None, volume: int | None = 1) -> str:
        names = ("open", "high", "low", "close")
        found: dict[str, Any] = dict(zip(names, prices, strict=True))
        return nonsense(BarData(instrument=PAIR, volume=volume, ts=1, **found), pair)

    assert bar(10, 12, 9, 11) == ""
    assert bar(None, None, None, 11) == ""
    assert "out of order" in bar(10, 10, 9, 11)
    assert "without its open" in bar(None, 12, 9, 11)
    assert "a size is -1" in bar(10, 12, 9, 11, volume=-1)
    trade = TradeData(instrument=PAIR, price=10, size=0, aggressor=None, ts=1)
    assert "a size" in nonsense(trade, pair)


class Late(EventStrategy):
    """Sells when its timer fires, whether the venue is there or not."""

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        ctx.set_timer(ctx.clock.now + 500_000_000, "later")

    def on_timer(self, ctx: Any, timer: Timer) -> None:  # noqa: ANN401
        ctx.submit(PAIR, "sell", 0.001, tif="ioc")
        ctx.set_timer(ctx.clock.now + 500_000_000, "later")


@pytest.mark.parametrize("how", ["halt", "lease"])
def test_an_order_that_waits_for_its_venue_may_not_leave_any_more(how: str) -> None:
    """It was made while the venue was not reached yet, and then the fund was halted."""

    async def main() -> None:
        leave = Leave()
        world = NodeWorld(fund=setup(Late), lease=leave)
        await world.start()
        world.boot()
        await world.until_trading()
        await world.market(3)
        await world.kill()
        await world.paper.fault(kind="disconnect", seconds=4)
        sent = world.paper.venue.sequence(0)
        world.boot()
        await asyncio.sleep(2)
        assert world.node.counts["orders"]
        if how == "halt":
            assert (await world.ask("halt"))["state"] == "halted"
        leave.given = how == "halt"
        await asyncio.sleep(8)
        assert world.node.links[0].connected
        assert world.paper.venue.sequence(0) == sent
        assert not world.node.links[0].sender.unsettled
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


class Raising(EventStrategy):
    """Fails at once."""

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        raise ValueError("a mistake")


def test_a_corrected_strategy_is_called_again() -> None:
    """Otherwise a mistake once made kept a fund from trading for ever."""

    async def main() -> None:
        world = NodeWorld(fund=setup(Raising))
        await world.start()
        world.boot()
        await asyncio.sleep(3)
        await world.market(5)
        await world.settle()
        assert any("a mistake" in each for each in world.node.reasons)
        await world.stop()
        world.boot()  # nobody has changed anything
        await asyncio.sleep(3)
        assert any("a mistake" in each for each in world.node.reasons)
        await world.stop()
        world.fund = setup(fund_hash="2")
        world.boot()
        await world.until_trading()
        await world.market(60)
        await world.settle()
        assert world.node.counts["orders"]
        await world.kill()
        world.boot()
        await world.until_trading()
        world.check()
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


def test_a_kill_does_not_begin_the_day_anew() -> None:
    """The loss of a day must not be forgotten by dying."""

    async def main() -> None:
        world = NodeWorld()
        await world.start()
        node = world.boot()
        await world.until_trading()
        await world.market(60)
        await world.settle()
        began, earned = node.past.cash.day[1], node.cashier.day_pnl
        assert not node.past.cash.unpriced
        assert 0 < abs(earned) < began // 100
        await world.kill()
        node = world.boot()
        assert node.past.cash.day[1] == began
        await world.stop()
        await world.paper.stop()

    run_virtually(main())


def test_an_order_that_was_said_to_be_gone_and_is_not_is_cancelled_again() -> None:
    """A venue refused the cancel and lied about the order, which then worked for ever."""

    async def main() -> None:
        world = NodeWorld()
        await world.start()
        world.boot()
        await world.until_trading()
        while not world.node.session.working():
            await world.market(3)
        for kind, on in (("reject", "cancel"), ("lie", "query")):
            await world.paper.fault(kind=kind, on=on, count=20)
        assert (await world.ask("halt"))["state"] == "halted"
        await asyncio.sleep(3)
        world.paper.faults.clear()
        await asyncio.sleep(5)
        assert not world.node.session.working()
        await world.settle()
        world.check()
        await world.stop()
        await world.paper.stop()

    run_virtually(main())
