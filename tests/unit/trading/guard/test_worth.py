"""What a fall and the loss of a day are counted from: never a single price."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quantvista.trading.gateway import (
    BalanceChanged,
    BookLevelData,
    Delivery,
    Filled,
    QuoteData,
    Status,
    TradeData,
)
from quantvista.trading.guard import Level, VenueView
from quantvista.trading.guard._prices import Trust
from quantvista.trading.guard._records import Valued
from support.gateway_worlds import MARGIN
from support.guard_bench import E12, PAIR, Bench, listing
from support.guard_worlds import QUIET, Lab, in_lab, records

WRONG = [10_000_000, 1, 2**62, 15_000, 5_000]
LIMITS = {"drawdown": {"limit": "0.1"}, "day_loss": {"limit": "0.1"}}


def holding(btc: float = 10.0, usdt: float = 0.0) -> Bench:
    """Ten of a coin, at 100.00."""
    bench = Bench(**LIMITS)
    bench.account(0, USDT=usdt, BTC=btc)
    return bench


def told(bench: Bench, at: float, *prices: int, day: str = "1") -> None:
    for price in prices:
        bench.quote(at, price, name=PAIR)
    bench.account(at, USDT=0, BTC=10)
    bench.value(at, day=day)


@pytest.mark.parametrize("wrong", WRONG)
def test_the_first_price_alone_begins_no_day(wrong: int) -> None:
    bench = holding()
    told(bench, 0, wrong)
    assert bench.watch.worth.equity is not None
    assert (bench.watch.worth.day_start, bench.watch.worth.highest) == (None, None)
    (unknown,) = bench.watch.unknown(0, bench.node, [bench.view])
    assert PAIR in unknown
    told(bench, 1, 10_000)
    assert bench.watch.unknown(1, bench.node, [bench.view])
    told(bench, 2, 10_010)
    worth = bench.watch.worth
    assert (worth.day_start, worth.highest) == (1001 * E12, 1001 * E12)
    assert not bench.watch.unknown(2, bench.node, [bench.view])
    assert not bench.above(2)


@pytest.mark.parametrize("wrong", WRONG)
def test_one_wrong_price_later_changes_nothing_that_is_remembered(wrong: int) -> None:
    bench = holding()
    told(bench, 0, 10_000, 10_010)
    told(bench, 1, wrong)
    # It may be a loss, which is not waited with.
    assert bench.above(1) == ({"drawdown", "day_loss"} if wrong < 10_000 else set())
    told(bench, 2, 10_000)
    assert not bench.above(2)
    assert (bench.watch.worth.highest, bench.watch.worth.day_start) == (1001 * E12, 1001 * E12)
    assert not bench.watch.unknown(2, bench.node, [bench.view])


def test_a_loss_that_is_real_is_seen_by_its_first_price() -> None:
    bench = holding()
    told(bench, 0, 10_000, 10_000)
    told(bench, 1, 8_999)
    assert bench.above(1) == {"drawdown", "day_loss"}


def test_a_price_that_jumps_up_alone_hides_no_loss() -> None:
    bench = holding()
    told(bench, 0, 10_000, 10_000)
    told(bench, 1, 8_900, 8_900)
    told(bench, 2, 8_900_000)
    assert bench.above(2) == {"drawdown", "day_loss"}


def test_a_price_that_is_really_higher_counts_with_the_second_that_says_so() -> None:
    bench = holding()
    told(bench, 0, 10_000, 10_000)
    told(bench, 1, 20_000)
    assert bench.watch.worth.highest == 1000 * E12
    told(bench, 2, 20_100)
    assert bench.watch.worth.highest == 2010 * E12


def test_a_day_that_begins_by_one_price_is_not_known_until_another_confirms_it() -> None:
    bench = holding()
    told(bench, 0, 10_000, 10_000)
    bench.view._trust.clear()  # as if it had been bought with the last price of the day
    told(bench, 1, 30_000, day="2")
    bench.say(10)
    told(bench, 10, day="2")
    assert bench.watch.worth.day_start == 1000 * E12
    assert any(PAIR in each for each in bench.watch.unknown(10, bench.node, [bench.view]))
    told(bench, 11, 30_000, day="2")
    assert bench.watch.worth.day_start == 3000 * E12
    assert not bench.watch.unknown(11, bench.node, [bench.view])


@pytest.mark.parametrize(("bid", "ask"), [(0, 10_000), (10_001, 10_000), (-5, 10_000), (0, 0)])
def test_quotes_without_sense_confirm_nothing(bid: int, ask: int) -> None:
    bench = holding()
    for _ in range(3):
        bench.quote(0, bid, ask, name=PAIR)
    bench.value(0)
    assert bench.view.sure_prices() == {}


def test_what_is_told_again_is_not_another_price() -> None:
    trust = Trust()
    for _ in range(9):
        trust.take(1, 20_000)
    assert trust.twice is None
    trust.take(2, 20_000)
    assert trust.twice == 20_000


def test_where_prices_are_never_near_one_another_the_middle_of_five_counts() -> None:
    trust = Trust()
    for ts, price in enumerate((100, 3_000, 1, 700, 40)):
        assert trust.twice is None
        trust.take(ts, price)
    assert trust.twice == 100


@pytest.mark.parametrize(("price", "expected"), [(10_400, 20_000), (10_501, None)])
def test_a_trade_confirms_a_quote_that_is_near(price: int, expected: int | None) -> None:
    bench = holding()
    bench.quote(0, 10_000, name=PAIR)
    trade = TradeData(instrument=PAIR, price=price, size=1, aggressor=None, ts=1)
    bench.view.hear(Delivery(sequence=None, ts_received=1, event=trade), 0)
    assert bench.view.sure_prices().get(PAIR) == expected


def test_a_fill_confirms_a_quote() -> None:
    bench = holding()
    bench.quote(0, 10_000, name=PAIR)
    terms: dict[str, Any] = {"client_order_id": "f-1-1", "venue_order_id": "1", "trade_id": "1"}
    terms |= {"instrument": PAIR, "side": "buy", "quantity": 1, "fee": 0, "fee_currency": "USDT"}
    bench.report(Filled(**terms, price=10_020, liquidity="taker", ts=5))
    assert bench.view.sure_prices() == {PAIR: 20_000}


def test_a_level_of_a_book_does_not_confirm_itself_by_staying() -> None:
    bench = holding()

    def level(side: Any, price: int, ts: int) -> None:  # noqa: ANN401
        event = BookLevelData(instrument=PAIR, side=side, price=price, size=1, ts=ts)
        bench.view.hear(Delivery(sequence=None, ts_received=1, event=event), 0)

    level("ask", 10_010, 1)
    level("bid", 9_990, 2)  # until here there was but one side
    for ts in range(3, 9):
        level("bid", 9_000 - ts, ts)
    assert bench.view.sure_prices() == {PAIR: 20_000}  # by the side that was there first
    level("bid", 10_000, 10)
    assert bench.view.sure_prices() == {PAIR: 20_010}
    bench.view._trust.clear()
    for ts in range(11, 19):
        level("bid", 9_000 - ts, ts)
    assert bench.view.sure_prices() == {}


def test_money_that_comes_while_its_price_is_in_doubt_waits() -> None:
    bench = holding(btc=0, usdt=1000)
    bench.value(0)
    assert bench.watch.worth.highest == 1000 * E12
    bench.quote(1, 10_000_000, name=PAIR)
    paid = BalanceChanged(currency="BTC", amount=10 * E12, cause="deposit", ts=1)
    bench.report(paid, 1)
    bench.value(1, bench.account(1, USDT=1000, BTC=10))
    worth = bench.watch.worth
    assert worth.is_waiting
    assert (worth.highest, worth.day_start) == (1000 * E12, 1000 * E12)
    assert not bench.above(1)  # a million came, and a million more is there
    bench.quote(2, 10_000, name=PAIR)
    bench.quote(2, 10_000, name=PAIR)
    bench.value(2)
    assert not worth.is_waiting
    assert (worth.highest, worth.day_start) == (2000 * E12, 2000 * E12)
    bench.report(BalanceChanged(currency="BTC", amount=-10 * E12, cause="withdrawal", ts=1), 3)
    bench.value(3, bench.account(3, USDT=1000))
    assert (worth.highest, worth.day_start) == (1000 * E12, 1000 * E12)


def test_money_that_a_venue_forgot_has_not_moved() -> None:
    bench = Bench(**LIMITS)
    bench.heard = 6
    bench.report(BalanceChanged(currency="USDT", amount=500 * E12, cause="deposit", ts=1))
    forgot = Status(state="reset", ts=1, sequence=0)
    bench.view.hear(Delivery(sequence=None, ts_received=1, event=forgot), 0)
    bench.heard = 0
    assert bench.account(1, USDT=1000) == []
    bench.report(BalanceChanged(currency="USDT", amount=7 * E12, cause="deposit", ts=1))
    assert bench.account(2, USDT=1007) == [("USDT", 7 * E12)]


@pytest.mark.parametrize("with_day", [False, True])
def test_a_day_is_counted_from_an_account_that_was_set_back_once_a_person_says_so(
    with_day: bool,
) -> None:
    bench = Bench(**LIMITS)
    bench.value(0)
    bench.account(1, USDT=500)
    bench.value(1)
    assert bench.above(1) == {"drawdown", "day_loss"}
    bench.watch.worth.begin_anew(with_day=with_day)
    assert bench.above(1) == (set() if with_day else {"day_loss"})


def test_money_counts_as_moved_with_the_account_that_has_it() -> None:
    bench = Bench(**LIMITS)
    bench.value(0)
    paid = BalanceChanged(currency="USDT", amount=-500 * E12, cause="withdrawal", ts=1)
    bench.heard = 7
    flows = bench.account(1, USDT=500)  # read after the withdrawal, which is heard of later
    bench.value(1, flows)
    assert (flows, bench.watch.worth.equity) == ([], 1000 * E12)
    bench.heard = 6
    bench.report(paid, 2)
    bench.view.take_account(bench.view.account, 2)  # type: ignore[arg-type]
    bench.value(2, bench.view.take_flows())
    assert bench.watch.worth.day_start == 500 * E12
    assert not bench.above(2)


def test_a_restart_begins_with_prices_that_confirm_and_value_nothing() -> None:
    view = VenueView("x", "f.guard-", prices={PAIR: 20_000})
    view.list_instruments([listing(PAIR, "pair", "exchange", "BTC")])
    assert (view.sure_prices(), view.pairs(sure=True)) == ({}, [])
    for price, expected in ((10_000_000, {}), (10_100, {PAIR: 20_200})):
        event = QuoteData(instrument=PAIR, bid=price, bid_size=1, ask=price, ask_size=1, ts=price)
        view.hear(Delivery(sequence=None, ts_received=1, event=event), 0)
        assert view.sure_prices() == expected


@pytest.mark.parametrize("spoilt", ["here", "there"])
def test_a_wrong_price_at_one_of_two_venues(spoilt: str) -> None:
    here, there = holding(), holding()
    there.view.venue = "y"
    views = [here.view, there.view]
    for bench, name in ((here, "here"), (there, "there")):
        bench.quote(0, 10_000, name=PAIR)
        bench.quote(0, 10_000 if name != spoilt else 10_000_000, name=PAIR)
    worth = here.watch.worth
    worth.value(0, "1", views, [])
    assert (worth.highest, worth.day_start) == (2000 * E12, 2000 * E12)


def test_the_start_of_a_day_is_durable_at_once() -> None:
    async def test(lab: Lab) -> None:
        lab.world.pair = "BTC-USDT.PAPER"
        await lab.node.start(busy=False)
        await lab.start_guard()
        await asyncio.sleep(5)
        lab.clock.offset_ns += 86_400 * 10**9
        await asyncio.sleep(2)
        started = lab.guard.watch.worth.day_start
        await lab.kill_guard()
        valued = [each for each in records(lab.disk) if isinstance(each, Valued)]
        assert (len(valued), valued[-1].day_start) == (2, str(started))
        assert valued[-1].prices["paper"].keys() == {lab.world.pair}
        lab.bid -= 300_000  # what is lost while no guard looks is lost on that day
        await asyncio.sleep(2)
        guard = await lab.start_guard()
        await lab.until(lambda: guard.level is Level.HALT)
        assert guard.log.state.trigger == "day_loss"

    section = QUIET.model_copy(update={"dislocation": None, "clock": None, "drawdown": None})
    limits = QUIET.model_validate({"day_loss": {"limit": "0.001"}}).day_loss
    in_lab(test, section=section.model_copy(update={"day_loss": limits}))


def test_resume_waits_for_a_price_that_confirms_the_last() -> None:
    async def test(lab: Lab) -> None:
        await lab.node.start(busy=False)
        guard = await lab.start_guard()
        await asyncio.sleep(3)
        await lab.node.order(side="buy", quantity=3_000, kind="market", tif="ioc")
        await asyncio.sleep(2)
        lab.bid -= 1_500_000
        await lab.until(lambda: guard.level is Level.HALT and guard.chain.is_done)
        worth = guard.watch.worth
        assert worth.equity is not None
        worth.sure = worth.highest
        answer = await guard.handle({"command": "resume", "by": "anna", "reason": ""})
        assert "no other prices confirm" in answer["error"]
        await asyncio.sleep(1.1)
        assert (await guard.handle({"command": "resume", "by": "anna", "reason": ""}))["ok"]
        assert worth.highest == worth.sure

    terms = QUIET.model_copy(update={"day_loss": None, "dislocation": None})
    limits = QUIET.model_validate({"drawdown": {"limit": "0.005"}}).drawdown
    in_lab(test, section=terms.model_copy(update={"drawdown": limits}), terms=MARGIN)
