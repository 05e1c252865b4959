"""Reports: in order, once each, whatever happens on the way; and market data."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from quantvista.trading.gateway import (
    Accepted,
    BalanceChanged,
    Cancelled,
    Filled,
    GatewayError,
    QuoteData,
    Status,
)
from quantvista.trading.paper import VenueError
from support.gateway_worlds import PAIR, STOCK, Heard, PaperWorld, order

type Run = Callable[..., None]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "duplicate"},
        {"kind": "reorder"},
        {"kind": "delay", "delay_ms": 50},
        {"kind": "drop", "count": 6},
        {"kind": "drop", "probability": 0.5, "count": None},
    ],
    ids=["drop", "duplicate", "reorder", "delay", "drop-all", "drop-half"],
)
def test_reports_come_in_order_and_once(run: Run, fault: dict[str, Any]) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await heard.until(Status)
        await world.fault(on="report", **fault)
        for number in range(1, 4):
            await gateway.submit(order("buy", number, number))
        await heard.up_to(6)
        assert heard.sequences == [1, 2, 3, 4, 5, 6]
        assert [type(each) for each in heard.reports] == [Accepted, Filled] * 3
        names = [each.client_order_id for each in heard.reports]  # type: ignore[union-attr]
        assert names == [f"test-1-{number:06d}" for number in (1, 1, 2, 2, 3, 3)]

    run(test)


def test_lost_connection_is_told_and_what_was_missed_comes_after(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        assert (await heard.until(Status)).state == "connected"
        limit: dict[str, Any] = {"kind": "limit", "limit_price": world.spread[0]}
        await gateway.submit(order("buy", 1_000, 1, **limit))
        await heard.until(Accepted)
        await world.fault(kind="disconnect", seconds=0.2)
        assert (await heard.until(Status)).state == "disconnected"
        await world.quote(world.spread[0] - 100, world.spread[0])  # fills while nobody listens
        assert (await heard.until(Status)).state == "connected"
        fill = await heard.until(Filled)
        assert fill.client_order_id == "test-1-000001"
        assert heard.sequences == [1, 2]

    run(test)


def test_next_process_hears_what_the_one_before_did_not(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        first = await world.connect()
        for number in range(1, 4):
            await first.submit(order("buy", number, number))
        await first.close()
        second = await world.connect(after=3)
        heard = Heard(second)
        await heard.up_to(6)
        assert heard.sequences == [4, 5, 6]
        # What it learns anew is what it would have heard.
        whole = Heard(await world.connect())
        reports = await whole.up_to(6)
        assert reports[3:] == heard.reports

    run(test)


def test_venue_that_knows_less_than_we_do_says_so(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect(after=50)
        heard = Heard(gateway)
        told = await heard.until(Status, 2)
        assert (told.state, told.sequence) == ("reset", 0)
        await gateway.submit(order("buy", 1, 1))
        await heard.up_to(2)
        assert heard.sequences == [1, 2]

    run(test)


def test_market_data_come_for_what_was_asked(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await heard.until(Status)
        await gateway.subscribe([PAIR])
        first = await heard.until(QuoteData)  # how it stands
        assert (first.bid, first.ask) == world.spread
        await world.quote(world.spread[0] - 50, world.spread[1])
        second = await heard.until(QuoteData)
        assert (second.instrument, second.bid) == (PAIR, world.spread[0] - 50)
        assert second.ts > first.ts
        await gateway.subscribe([STOCK])
        assert (await heard.until(QuoteData)).instrument == STOCK
        await world.quote(world.spread[0], world.spread[1])
        assert (await heard.until(QuoteData)).instrument == STOCK
        with pytest.raises(GatewayError, match="NONE is not listed"):
            await gateway.subscribe(["NONE"])

    run(test)


def test_market_data_that_are_lost_are_told_and_made_good(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await heard.until(Status)
        await gateway.subscribe([PAIR])
        await heard.until(QuoteData)
        await world.fault(kind="drop", on="market", count=2)
        for move in (10, 20, 30):
            await world.quote(world.spread[0] - move, world.spread[1], of=world.place(PAIR))
        missed = await heard.until(Status)
        assert (missed.state, missed.instrument) == ("data_missed", PAIR)
        quote = await heard.until(QuoteData)
        assert quote.bid == world.spread[0] - 30

    run(test)


def test_duplicated_and_reordered_quotes_never_go_back_in_time(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await heard.until(Status)
        await gateway.subscribe([PAIR])
        await heard.until(QuoteData)
        await world.fault(kind="duplicate", on="market", count=2)
        await world.fault(kind="reorder", on="market")
        for move in range(1, 7):
            await world.quote(world.spread[0] - move, world.spread[1], of=world.place(PAIR))
        bids: list[int | None] = []
        while not bids or bids[-1] != world.spread[0] - 6:
            bids.append((await heard.until(QuoteData)).bid)
        times = [each.event.ts for each in heard.deliveries if isinstance(each.event, QuoteData)]
        assert times == sorted(times)

    run(test)


def test_halt_is_told_and_orders_wait(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await heard.until(Status)
        await gateway.subscribe([PAIR])
        await world.fault(kind="halt", instrument=PAIR)
        halted = await heard.until(Status)
        assert (halted.state, halted.instrument) == ("halted", PAIR)
        assert [each.halted for each in await gateway.instruments()] == [False, True]
        await gateway.submit(order("buy", 1_000, 1))
        await gateway.submit(order("buy", 1_000, 2, tif="ioc"))
        await heard.up_to(2)
        assert heard.reports[-1].reason == "halted"  # type: ignore[union-attr]
        await world.fault(kind="resume", instrument=PAIR)
        assert (await heard.until(Filled)).client_order_id == "test-1-000001"

    run(test)


def test_money_that_moves_without_a_trade_is_reported(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        world.venue.pay(0, "USDT", 250 * 10**12, world.clock.now_ns())
        changed = await heard.until(BalanceChanged)
        assert (changed.currency, changed.amount) == ("USDT", 250 * 10**12)
        assert changed.cause == "deposit"
        # More than can be converted or booked is refused, and the venue lives on.
        for code, amount in (("BTC", 3 * 10**10), ("USDT", 10**14), ("USDT", 0)):
            with pytest.raises(VenueError, match="worth less than 10"):
                world.venue.pay(0, code, amount * 10**12, world.clock.now_ns())
        balances = {each.currency: each.total for each in (await gateway.account()).balances}
        assert balances["USDT"] == 1_000_250 * 10**12

    run(test)


def test_status_that_is_a_lie_does_not_change_the_reports(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await gateway.submit(order("buy", 1_000, 1, kind="limit", limit_price=world.spread[0]))
        await world.fault(kind="lie", on="query", status="cancelled")
        state = await gateway.order("test-1-000001")
        assert state is not None
        assert state.status == "cancelled"
        assert len(await gateway.open_orders()) == 1
        await heard.until(Accepted)
        await asyncio.sleep(0.05)
        assert not any(isinstance(each, Cancelled) for each in heard.reports)

    run(test)
