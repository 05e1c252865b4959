"""A node on a virtual clock: recovery, commands, reconciliation, what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.engine import RateLimit, RawEngine
from quantvista.errors import ConfigError, JournalError
from quantvista.journal import INPUT, Reader, verify
from quantvista.strategies import EventStrategy, Quote
from quantvista.trading.node import NODE_KINDS, status
from quantvista.trading.node._adoption import split_trade
from quantvista.trading.node._recovery import _PRICES, _Again
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


def kinds(world: NodeWorld) -> list[str]:
    return [NODE_KINDS.name(each.kind) for batch in Reader(world.disk) for each in batch]


def test_it_trades_and_its_books_are_the_venues() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(150)
        await world.settle()
        world.check()
        assert world.node.counts["fills"] > 10
        await world.stop()
        found = kinds(world)
        assert found[0] == "node_opened"
        assert found[-1] == "node_closed"
        assert verify(world.disk).records == len(found)

    live(test)


def test_a_killed_process_loses_and_doubles_nothing() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        for _ in range(5):
            await world.until_trading()
            await world.market(40)
            await world.kill()
            await world.market(5)
            world.boot()
        await world.until_trading()
        await world.settle()
        world.check()
        assert world.node.epoch == 6
        await world.stop()

    live(test, seed=3)


def test_a_restart_goes_on_from_the_snapshot() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(100)
        await world.stop()
        before = world.node.session.state_hash()
        world.boot()
        assert world.node.past.replayed == 0
        assert world.node.session.state_hash() == before
        await world.until_trading()
        await world.stop()

    live(test)


def test_people_halt_and_resume_and_nothing_else_resumes() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(20)
        assert (await world.ask("halt", "a test"))["state"] == "halted"
        await world.settle()
        assert not world.node.session.working()
        await world.kill()
        world.boot()
        await world.until_trading()
        assert world.node.session.fund_state == "halted"
        assert status(world.node)["health"] == "halted"
        assert (await world.ask("resume"))["state"] == "active"
        assert not (await world.ask("dance"))["ok"]
        await world.stop()

    live(test)


def test_resume_is_refused_while_the_venue_is_away() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.paper.fault(kind="disconnect", seconds=10)
        await asyncio.sleep(4)
        assert world.node.session.fund_state == "reduce_only"
        answer = await world.ask("resume")
        assert not answer["ok"]
        assert "not connected" in answer["error"]
        await world.until_trading()
        assert status(world.node)["state"] == "active"
        await world.stop()

    live(test)


def test_money_that_moves_by_itself_stops_new_risk_until_it_is_booked() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        quantity, side = "0.5", "buy"
        await world.paper.fault(
            kind="trade", account="main", instrument=PAIR, side=side, quantity=quantity
        )
        await asyncio.sleep(0.5)
        await world.settle()
        world.check()
        await world.stop()

    live(test)


def test_trades_of_others_are_for_people_where_the_fund_says_so() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.paper.fault(
            kind="trade", account="main", instrument=PAIR, side="sell", quantity="0.5"
        )
        await asyncio.sleep(3)
        assert any("somebody else" in each for each in world.node.reasons)
        assert world.node.session.fund_state == "reduce_only"
        assert (await world.ask("resume"))["ok"]
        await world.until_trading()
        world.check()
        await world.stop()

    live(test, refuses_manual=True)


class Never:
    """A guard that never gives leave."""

    def forget(self) -> None:
        """Nothing is kept."""

    def valid(self, epoch: int, now_ns: int) -> bool:
        return False


def test_without_leave_nothing_is_sent() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await asyncio.sleep(1)
        await world.market(60)
        assert "the guard gives no leave to trade" in world.node.reasons
        assert not world.paper.venue._core.sequences[0]
        await world.stop()

    live(test, lease=Never())


class Clumsy(EventStrategy):
    """Fails at its tenth quote, after an order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        self.seen += 1
        if self.seen == 10:
            ctx.submit(PAIR, "buy", 0.01, tif="ioc")
            raise ValueError("ten is too many")


class Wild(EventStrategy):
    """Sends without end at its first quote."""

    def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
        while True:
            ctx.submit(PAIR, "buy", 0.001, type="limit", limit_price=round(quote.bid * 0.97, 2))


def test_a_strategy_that_sends_without_end_is_stopped_and_not_the_node() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.market(30)
        await world.settle()
        assert any("at most 1020 orders at one time" in each for each in world.node.reasons)
        assert world.node.counts["orders"] <= 1020
        assert world.node.session.fund_state == "reduce_only"
        await world.stop()

    live(test, fund=setup(Wild))


def test_status_tells_what_stands_against_the_limits() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(60)
        found = {each["name"]: each for each in status(world.node)["limits"]}
        assert list(found) == ["gross", "order rate"]
        assert Decimal(0) < Decimal(found["gross"]["used"]) < Decimal(found["gross"]["limit"])
        assert found["order rate"]["limit"] == "500"
        assert 0 < int(found["order rate"]["used"]) <= world.node.counts["orders"]
        await world.stop()

    rate = RateLimit(500, 3_600 * 10**9)
    live(test, fund=setup(limits={"gross_max": 2 * 10**9, "order_rate": rate}))


def test_a_strategy_that_fails_stops_new_risk_and_not_the_node() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(30)
        await world.settle()
        assert any("ten is too many" in each for each in world.node.reasons)
        assert world.node.session.fund_state == "reduce_only"
        world.check()
        await world.kill()
        world.boot()
        await asyncio.sleep(3)
        assert any("ten is too many" in each for each in world.node.reasons)
        await world.stop()

    live(test, fund=setup(Clumsy))


def test_a_changed_strategy_after_a_kill_is_refused() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(20)
        await world.kill()
        world.fund = setup(fund_hash="2")
        with pytest.raises(ConfigError, match="had not ended in order"):
            world.boot()

    live(test)


def test_a_limit_may_change_between_processes() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.stop()
        world.fund = setup(limits={"gross_max": 500_000_000}, fund_hash="2")
        world.boot()
        await world.until_trading()
        assert world.node.past.limits == [("gross_max", 500_000_000)]
        await world.stop()
        text = [NODE_KINDS.entry(each) for batch in Reader(world.disk) for each in batch]
        assert any("change_limit" in str(each.value) for each in text)

    live(test)


def test_other_accounts_need_a_new_folder() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.stop()
        other = setup(fund_hash="2")
        other.config["seed"] = 8  # type: ignore[index]
        world.fund = other
        with pytest.raises(ConfigError, match="new state folder"):
            world.boot()

    live(test)


def test_a_strategy_that_would_do_otherwise_now_is_found() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(60)
        await world.kill()

        class Other(type(world.node.stage.desk.strategies["busy"])):  # type: ignore[misc]
            def on_quote(self, ctx: Any, quote: Quote) -> None:  # noqa: ANN401
                ctx.submit(PAIR, "buy", 0.001, tif="ioc")

        world.fund = setup(Other)
        with pytest.raises(JournalError, match="does not come to what its journal says"):
            world.boot()

    live(test)


@given(
    signed=st.integers(-100, 100).filter(bool),
    held=st.lists(st.integers(-60, 60), min_size=1, max_size=5),
    data=st.data(),
)
def test_a_trade_is_divided_whole_and_closes_what_there_is(
    signed: int, held: list[int], data: st.DataObject
) -> None:
    into = data.draw(st.integers(0, len(held) - 1))
    parts = split_trade("T", signed, 7, held, into)
    assert sum(part.quantity for part in parts) == abs(signed)
    assert sum(part.fee for part in parts) == 7
    assert len({part.trade for part in parts}) == len(parts)
    sign = 1 if signed > 0 else -1
    opened = 0
    for part in parts:
        assert part.quantity > 0
        against = max(0, -held[part.sleeve] * sign)
        opened += max(0, part.quantity - against)
        assert part.quantity <= against or part.sleeve == into
    closable = sum(max(0, -each * sign) for each in held)
    assert opened == max(0, abs(signed) - closable)


def test_what_recovery_leaves_to_the_engine_are_prices() -> None:
    async def test(world: NodeWorld) -> None:
        world.boot()
        await world.until_trading()
        await world.market(20)
        await world.stop()
        names = set()
        for batch in Reader(world.disk):
            inputs = [each for each in batch if each.kind == INPUT.number]
            again = _Again.of(inputs)
            for each in inputs:
                (name,) = RawEngine.decode_input(each.payload)["event"]
                names.add(name)
                assert (each.sequence in again.decoded) == (name != "quote")
        assert {"quote", "report", "submit_order", "operator"} <= names

    live(test)
    for name in ("quote", "trade", "book_level", "book_cleared", "bar"):
        packed = b"\x81" + bytes([0xA0 + len(name)]) + name.encode()
        assert bool(_PRICES.search(packed)) == (name != "bar")
