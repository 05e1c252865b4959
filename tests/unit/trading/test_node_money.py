"""Money of a fund that trades at several venues, and money that is none of its business."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from quantvista.trading.node._status import status
from support.many_venues import ManyVenues
from support.virtual_loop import run_virtually

type Test = Callable[[ManyVenues], Awaitable[None]]


def live(test: Test, **terms: Any) -> None:  # noqa: ANN401
    """Run a test against a fund that trades."""

    async def main() -> None:
        world = ManyVenues(**terms)
        await world.start()
        world.boot()
        await world.until()
        await test(world)
        await world.stop()

    run_virtually(main())


def row(world: ManyVenues, venue: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e for e in status(world.node)["venues"] if e["id"] == venue)
    return found


def amounts(rows: list[dict[str, str]]) -> dict[str, Decimal]:
    return {each["currency"]: Decimal(each["amount"]) for each in rows}


def test_trades_at_three_venues_add_up() -> None:
    async def test(world: ManyVenues) -> None:
        await world.market(120)
        await world.until()
        assert world.node.counts["fills"] > 50
        for name in world.papers:
            must = amounts(row(world, name)["money"])
            found = {code: int(each.scaleb(12)) for code, each in must.items()}
            assert found == {"BTC": 0, **world.there(name)}
        # The coins of a sleeve are one holding, though two pairs trade them.
        rows = [e for e in status(world.node)["positions"] if e["instrument"].startswith("BTC")]
        spot = {e["instrument"] for e in rows} - {"BTC-USDT-PERP.GAMMA"}
        coins = sum((Decimal(e["quantity"]) for e in rows if e["instrument"] in spot), Decimal(0))
        assert (len(spot), int(coins.scaleb(12))) == (1, world.total("BTC"))

    live(test, count=3)


@pytest.mark.parametrize("seed", range(3))
def test_sleeves_may_hold_a_perpetual_each_its_own_way_at_one_venue(seed: int) -> None:
    """The venue pays a gain when the account closes, the books when a sleeve does."""

    async def test(world: ManyVenues) -> None:
        apart = 0
        for round_ in range(8):
            await world.market(20)
            await world.until()
            must = amounts(row(world, "gamma")["money"])
            there = world.there("gamma")
            assert {code: int(each.scaleb(12)) for code, each in must.items()} == there
            apart += world.total("USDT") != there["USDT"]
            if round_ % 3 == 2:
                if round_ == 2:
                    world.node.snapshot()
                await world.kill()
                world.boot()
                await world.until()
        assert world.node.counts["fills"] > 10
        assert apart, "the two sums never differed"
        world.plant("gamma", 1)
        await world.until("balance of USDT")

    live(test, first=2, count=1, seed=seed)


@pytest.mark.parametrize("restarts", ["", "kill", "snapshot"])
def test_a_difference_names_venue_currency_and_amount(restarts: str) -> None:
    async def test(world: ManyVenues) -> None:
        await world.market(30)
        await world.until()
        if restarts == "snapshot":
            world.node.snapshot()
        if restarts:
            await world.kill()
        world.plant("beta", -1)
        if restarts:
            world.boot()
        await world.until("balance of USDT")
        (reason,) = world.node.reasons
        here, there = (
            row(world, "beta")["differences"][0].removeprefix("balance of USDT: ").split(", ")
        )
        gap = Decimal(here.removesuffix(" here")) - Decimal(there.removesuffix(" there"))
        assert reason.startswith("beta: balance of USDT: ")
        assert gap == Decimal(1).scaleb(-12)
        assert not row(world, "alpha")["differences"]
        assert world.node.session.fund_state == "reduce_only"
        world.plant("beta", 1)
        await world.until()

    live(test)


def test_two_differences_that_cancel_out_are_found_at_both_venues() -> None:
    async def test(world: ManyVenues) -> None:
        world.plant("alpha", -(10**12))
        world.plant("beta", 10**12)
        has = world.there("alpha")["USDT"] // 10**12
        await world.until(f"alpha: balance of USDT: {has + 1}")
        await world.until("beta: balance of USDT: 400000 here, 400001 there")

    live(test)


def test_accounts_that_do_not_come_to_the_capital_are_not_traded_on() -> None:
    async def main() -> None:
        world = ManyVenues()
        await world.start()
        world.plant("alpha", 5 * 10**12)
        world.boot()
        text = "balance of USDT: 700000 in the books, 700005 at the venues (alpha 300005, "
        await world.until(text + "beta 400000)")
        assert not world.is_clean
        await world.stop()

    run_virtually(main())


@pytest.mark.parametrize("there_first", [False, True])
def test_a_transfer_between_venues_is_one_and_moves_no_money_between_sleeves(
    there_first: bool,
) -> None:
    """More than the sleeve has that adopts: the other one gives the rest, and gets it back."""

    async def test(world: ManyVenues) -> None:
        world.pay("alpha", 100_000)
        world.pay("beta", 100_000)
        await asyncio.sleep(3)
        before = [world.node.session.balance(each, 0) for each in range(2)]
        earned = world.node.cashier.day_pnl
        halves: list[tuple[str, float]] = [("alpha", -390_000.0), ("beta", 390_000.0)]
        for venue, amount in reversed(halves) if there_first else halves:
            world.pay(venue, amount)
            await asyncio.sleep(3)
        assert [world.node.session.balance(each, 0) for each in range(2)] == before
        assert world.node.cashier.day_pnl == earned
        assert any("390000 USDT moved from alpha to beta" in e for _, e in world.node.texts)
        assert len(world.node.past.cash.waiting) == 2
        assert world.is_clean

    live(test)


@pytest.mark.parametrize("snapshot", [False, True])
def test_a_transfer_is_still_one_after_a_kill_in_between(snapshot: bool) -> None:
    async def test(world: ManyVenues) -> None:
        world.pay("alpha", -290_000)
        await asyncio.sleep(2)
        if snapshot:
            world.node.snapshot()
        await world.kill()
        world.pay("beta", 290_000)
        world.boot()
        await world.until()
        assert any("moved from alpha to beta" in text for _, text in world.node.texts)
        assert world.total("USDT") == sum(world.there(each)["USDT"] for each in world.papers)
        assert abs(world.node.cashier.day_pnl) < 1_000 * 10**12

    live(test)


@pytest.mark.parametrize("snapshot", [False, True])
def test_what_was_brought_or_taken_is_not_earned(snapshot: bool) -> None:
    async def test(world: ManyVenues) -> None:
        await world.market(3)
        await asyncio.sleep(2)
        earned, equity = world.node.cashier.day_pnl, world.node.session.equity()
        world.pay("alpha", 5_000)
        world.pay("beta", -1_000)
        world.pay("beta", 1, "BTC")
        await asyncio.sleep(3)
        assert world.node.session.equity() - equity > 50_000 * 10**12
        assert world.node.cashier.day_pnl == earned
        if snapshot:
            world.node.snapshot()
        await world.kill()
        world.boot()
        assert world.node.cashier.day_pnl == earned
        await world.until()

    live(test)


def test_money_that_orders_hold_is_booked_when_they_let_go() -> None:
    """The engine gives out only what is free; it differed for ever, also with one venue."""

    async def test(world: ManyVenues) -> None:
        node = world.node
        give, refuses = node.cashier._give, True

        def given(sleeve: int, place: int, amount: int, ts: int | None) -> int:
            return 0 if refuses else give(sleeve, place, amount, ts)

        node.cashier._give = given  # type: ignore[method-assign]
        before = world.total("USDT")
        world.pay("alpha", -1_000)
        await world.until("1000 USDT left an account and cannot be booked yet")
        assert node.session.fund_state == "reduce_only"
        refuses = False
        await world.until()
        assert not node.past.cash.owed
        assert world.total("USDT") == before - 1_000 * 10**12

    live(test)


def test_money_that_the_fund_does_not_trade_in_is_left_alone_and_shown() -> None:
    async def test(world: ManyVenues) -> None:
        world.pay("alpha", 3, "DOGE")
        await asyncio.sleep(3)
        assert world.is_clean
        assert amounts(row(world, "alpha")["besides"]) == {"DOGE": Decimal(15)}
        text = "deposit of 3 DOGE at alpha: the fund does not trade in that, and leaves it alone"
        assert text in [each for _, each in world.node.texts]

    live(test, stranger=12)
