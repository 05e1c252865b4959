"""The life of orders: every kind that a venue says it has, and refusals by name."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from quantvista.engine import Latency
from quantvista.trading.gateway import (
    Accepted,
    Acknowledged,
    AmendAccepted,
    AmendOrder,
    AmendRejected,
    Cancelled,
    CancelOrder,
    CancelRejected,
    Expired,
    Filled,
    Rejected,
    SubmitOrder,
    Triggered,
)
from support.gateway_worlds import CASH, MARGIN, PERPETUAL, STOCK, Heard, PaperWorld, order

type Run = Callable[..., None]

BID, ASK = 5_000_000, 5_000_100
FAR = 600_000_000_000  # ten minutes, for orders with an end

TERMS: dict[str, dict[str, Any]] = {
    "market": {},
    "limit": {"limit_price": ASK},
    "stop": {"trigger_price": ASK + 1_000},
    "stop_limit": {"trigger_price": ASK + 1_000, "limit_price": ASK + 5_000},
    "trailing_stop": {"trail_amount": 1_000},
    "market_if_touched": {"trigger_price": ASK - 1_000},
    "limit_if_touched": {"trigger_price": ASK - 1_000, "limit_price": ASK},
}
MOVES = {
    "stop": (BID + 2_000, ASK + 2_000),
    "stop_limit": (BID + 2_000, ASK + 2_000),
    "trailing_stop": (BID + 2_000, ASK + 2_000),
    "market_if_touched": (BID - 2_000, ASK - 2_000),
    "limit_if_touched": (BID - 2_000, ASK - 2_000),
}


def test_every_kind_that_the_venue_says_it_has_lives_its_life(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        cells = sorted(gateway.capabilities.orders)
        assert len(cells) > 20
        for number, cell in enumerate(cells, 1):
            kind, tif, _ = cell.split("/")
            await world.quote(BID, ASK)
            until = world.clock.now_ns() + FAR if tif == "gtd" else None
            sent = order("buy", 1_000, number, kind=kind, tif=tif, expire_at=until, **TERMS[kind])
            answer = await gateway.submit(sent)
            assert isinstance(answer, Acknowledged), (cell, answer)
            accepted = await heard.until(Accepted)
            assert accepted.client_order_id == sent.client_order_id
            if kind in MOVES:
                assert answer.status == "accepted", cell
                await world.quote(*MOVES[kind])
                assert (await heard.until(Triggered)).client_order_id == sent.client_order_id
            fill = await heard.until(Filled)
            assert (fill.client_order_id, fill.quantity) == (sent.client_order_id, 1_000), cell
            state = await gateway.order(sent.client_order_id)
            assert state is not None
            assert (state.status, state.filled, state.fees) == ("filled", 1_000, fill.fee)
        assert heard.sequences == list(range(1, len(heard.sequences) + 1))

    run(test)


def test_what_the_venue_does_not_have_is_refused_by_name(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"kind": "on_open"}, "needs_data"),
            ({"kind": "stop", "tif": "ioc", "trigger_price": ASK}, "time_in_force"),
            ({"kind": "limit"}, "tick"),
            ({"kind": "market", "post_only": True}, "post_only"),
            ({"kind": "market", "tif": "gtd"}, "time_in_force"),
            ({"kind": "iceberg"}, "bad_request"),
            ({"instrument": "NONE.PAPER"}, "unknown_instrument"),
        ]
        for number, (terms, reason) in enumerate(wrong, 1):
            whole = {"instrument": world.pair} | terms
            sent = order("buy", 1_000, number, **whole)
            answer = await gateway.submit(sent)
            if isinstance(answer, Acknowledged):  # the venue has it, and says so in a report
                state = await gateway.order(sent.client_order_id)
                assert state is not None
                assert (state.status, state.reason) == ("rejected", reason), terms
            else:
                assert isinstance(answer, Rejected)
                assert answer.reason == reason, answer
                assert answer.text
        balances = (await gateway.account()).balances
        assert [each.total for each in balances] == [10**18, 10**13]

    run(test)


def test_client_order_id_of_another_form_is_refused(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        for name in ("", "@manual-1", "demo", "demo-0-000001", "x" * 90):
            sent = SubmitOrder(client_order_id=name, instrument=world.pair, side="buy", quantity=1)
            answer = await gateway.submit(sent)
            assert isinstance(answer, Rejected)
            assert "client_order_id" in answer.text

    run(test)


def test_partial_fills_add_up_to_the_order(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await world.quote(BID, ASK, size=300)
        await gateway.submit(order("buy", 1_000, 1))
        for _ in range(3):
            await world.quote(BID, ASK, size=300)
        fills = [await heard.until(Filled) for _ in range(4)]
        assert [each.quantity for each in fills] == [300, 300, 300, 100]
        assert len({each.trade_id for each in fills}) == 4
        state = await gateway.order("test-1-000001")
        assert state is not None
        assert (state.status, state.filled) == ("filled", 1_000)
        assert state.fees == sum(each.fee for each in fills)

    run(test)


def test_cancel_that_races_a_fill_ends_in_one_of_both(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        for number in range(1, 7):
            await world.quote(BID, ASK)
            await gateway.submit(order("buy", 1_000, number, kind="limit", limit_price=BID))
            name = f"test-1-{number:06d}"
            cancel = gateway.cancel(CancelOrder(client_order_id=name))
            meet = world.quote(BID - 100, BID, size=400)
            await asyncio.gather(*((cancel, meet) if number % 2 else (meet, cancel)))
            state = await gateway.order(name)
            assert state is not None
            assert state.status == "cancelled"
            await heard.until(Cancelled)
            filled = [
                each.quantity
                for each in heard.reports
                if isinstance(each, Filled) and each.client_order_id == name
            ]
            assert sum(filled) == state.filled in (0, 400)

    run(test)


def test_cancel_of_what_is_finished_is_rejected_and_of_nothing_refused(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await gateway.submit(order("buy", 1_000, 1))
        answer = await gateway.cancel(CancelOrder(client_order_id="test-1-000001"))
        assert isinstance(answer, Acknowledged)
        assert answer.status == "filled"
        rejected = await heard.until(CancelRejected)
        assert (rejected.client_order_id, rejected.reason) == ("test-1-000001", "finished")
        refused = await gateway.cancel(CancelOrder(client_order_id="test-1-000009"))
        assert isinstance(refused, CancelRejected)
        assert refused.reason == "unknown_order"

    run(test)


def test_amend_changes_terms_or_leaves_the_order(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        name = "test-1-000001"
        await gateway.submit(order("buy", 1_000, 1, kind="limit", limit_price=BID))
        await gateway.amend(AmendOrder(client_order_id=name, quantity=1_500, limit_price=BID - 100))
        accepted = await heard.until(AmendAccepted)
        assert (accepted.quantity, accepted.limit_price) == (1_500, BID - 100)
        await world.quote(BID - 300, BID - 100, size=600)
        await heard.until(Filled)
        await gateway.amend(AmendOrder(client_order_id=name, quantity=500))
        assert (await heard.until(AmendRejected)).reason == "lot"
        await gateway.amend(AmendOrder(client_order_id=name, limit_price=ASK * 10_000))
        assert (await heard.until(AmendRejected)).reason in ("cash", "price_band")
        state = await gateway.order(name)
        assert state is not None
        assert (state.quantity, state.limit_price, state.filled) == (1_500, BID - 100, 600)
        await gateway.cancel(CancelOrder(client_order_id=name))
        await heard.until(Cancelled)
        await gateway.amend(AmendOrder(client_order_id=name, quantity=2_000))
        assert (await heard.until(AmendRejected)).reason == "finished"

    run(test)


def test_orders_on_their_way_can_be_seen_and_cancelled(run: Run) -> None:
    rates = replace(CASH.rates, latency=Latency(submit_ns=400_000_000, cancel_ns=20_000_000))

    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        answer = await gateway.submit(order("buy", 1_000, 1, kind="limit", limit_price=BID))
        assert isinstance(answer, Acknowledged)
        assert answer.status == "submitted"
        assert [each.status for each in await gateway.open_orders()] == ["submitted"]
        accepted = await heard.until(Accepted)
        assert accepted.ts - answer.ts >= 400_000_000 - 10_000_000
        await gateway.submit(order("buy", 1_000, 2))
        fill = await heard.until(Filled)
        assert fill.client_order_id == "test-1-000002"
        await gateway.cancel(CancelOrder(client_order_id="test-1-000001"))
        assert (await heard.until(Cancelled)).client_order_id == "test-1-000001"

    run(test, replace(CASH, rates=rates))


def test_commands_on_their_way_are_each_answered(run: Run) -> None:
    rates = replace(CASH.rates, latency=Latency(0, 200_000_000, 200_000_000, 50_000_000))

    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        name = "test-1-000001"
        await gateway.submit(order("buy", 1_000, 1, kind="limit", limit_price=BID))
        await gateway.amend(AmendOrder(client_order_id=name, quantity=2_000))
        for _ in range(3):
            await gateway.cancel(CancelOrder(client_order_id=name))
        await gateway.amend(AmendOrder(client_order_id=name, quantity=3_000))
        await heard.up_to(6)
        assert [type(each) for each in heard.reports] == [
            *(Accepted, AmendAccepted, Cancelled),
            *(CancelRejected, CancelRejected, AmendRejected),
        ]
        assert {each.client_order_id for each in heard.reports} == {name}  # type: ignore[union-attr]

    run(test, replace(CASH, rates=rates))


def test_order_that_nobody_could_count_is_refused(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        most = 10**15
        huge = order("buy", most, 1, STOCK, kind="limit", limit_price=most)
        answer = await gateway.submit(huge)
        assert isinstance(answer, Rejected)
        assert answer.reason == "bad_request"
        await gateway.submit(order("buy", 1, 2, STOCK, kind="limit", limit_price=BID))
        amended = await gateway.amend(AmendOrder(client_order_id="test-1-000002", quantity=most))
        assert isinstance(amended, AmendRejected)
        assert isinstance(await gateway.submit(order("buy", 1, 3)), Acknowledged)

    run(test)


def test_good_till_date_ends_by_itself_in_a_quiet_market(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        until = world.clock.now_ns() + 500_000_000
        sent = order("buy", 10, 1, kind="limit", tif="gtd", limit_price=BID, expire_at=until)
        await gateway.submit(sent)
        expired = await heard.until(Expired)
        assert (expired.client_order_id, expired.reason) == (sent.client_order_id, "gtd")
        assert await gateway.open_orders() == ()

    run(test)


@pytest.mark.parametrize(
    ("side", "price", "reason"), [("buy", ASK, "post_only"), ("sell", BID, "post_only")]
)
def test_post_only_never_takes(run: Run, side: str, price: int, reason: str) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        sent = order(side, 1_000, 1, kind="limit", limit_price=price, post_only=True)
        await gateway.submit(sent)
        assert (await heard.until(Cancelled)).reason == reason
        better = BID if side == "buy" else ASK
        await gateway.submit(replace(sent, client_order_id="test-1-000002", limit_price=better))
        await heard.until(Accepted)
        await world.quote(*((BID - 500, BID) if side == "buy" else (ASK, ASK + 500)))
        fill = await heard.until(Filled)
        assert (fill.liquidity, fill.price) == ("maker", better)

    run(test)


def test_reduce_only_neither_opens_nor_flips(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await gateway.submit(order("sell", 500, 1, PERPETUAL, reduce_only=True))
        assert (await heard.until(Rejected)).reason == "reduce_only"
        await gateway.submit(order("buy", 500, 2, PERPETUAL))
        await heard.until(Filled)
        await gateway.submit(order("sell", 600, 3, PERPETUAL, reduce_only=True))
        assert (await heard.until(Rejected)).reason == "reduce_only"
        # Both would close the whole: what the first one leaves is all that the second may take.
        limit = {"kind": "limit", "reduce_only": True}
        for number in (4, 5):
            terms = {**limit, "limit_price": ASK + 1_000}
            await gateway.submit(order("sell", 500, number, PERPETUAL, **terms))
        await world.quote(ASK + 2_000, ASK + 2_100, size=10**6)
        await heard.until(Cancelled)
        snapshot = await gateway.account()
        assert (snapshot.positions, snapshot.orders) == ((), ())

    run(test, MARGIN)
