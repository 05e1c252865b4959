"""Commands without an answer, the same command twice, and commands too many."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from quantvista.trading.gateway import (
    Accepted,
    Acknowledged,
    CancelOrder,
    Filled,
    Rejected,
    Unknown,
)
from support.gateway_worlds import CASH, Heard, PaperWorld, order

type Run = Callable[..., None]


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        ({"kind": "drop", "on": "submit"}, False),
        ({"kind": "drop", "on": "answer"}, True),
        ({"kind": "error", "on": "submit"}, True),
        ({"kind": "delay", "on": "answer", "delay_ms": 1_300}, True),
        ({"kind": "disconnect", "seconds": 0.1}, False),
    ],
    ids=["lost", "answer-lost", "error", "answer-late", "disconnected"],
)
def test_submit_without_an_answer_is_resolved_by_asking(
    run: Run, fault: dict[str, object], arrived: bool
) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        await world.fault(**fault)
        answer = await gateway.submit(order("buy", 1_000, 1))
        assert isinstance(answer, Unknown)
        assert (answer.client_order_id, answer.command) == ("test-1-000001", "submit")
        await asyncio.sleep(0.15)
        asked = world.clock.now_ns()
        state = await gateway.order("test-1-000001")
        if arrived:
            assert state is not None
            assert state.status == "filled"
        else:
            # None is final: no earlier than the request could still be taken.
            assert state is None
            window = gateway.capabilities.submit_window_ns
            assert world.clock.now_ns() >= min(asked, answer.ts) + window
        again = await gateway.submit(order("buy", 1_000, 1))
        assert isinstance(again, Acknowledged)
        assert again.duplicate == arrived
        await heard.until(Filled)
        assert [each.trade_id for each in (await gateway.fills()).fills] == ["1"]

    run(test)


def test_cancel_without_an_answer_is_resolved_by_asking(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        sent = order("buy", 1_000, 1, kind="limit", limit_price=world.spread[0])
        await gateway.submit(sent)
        for fault, left in (("drop", "accepted"), ("error", "cancelled")):
            await world.fault(kind=fault, on="cancel")
            answer = await gateway.cancel(CancelOrder(client_order_id=sent.client_order_id))
            assert isinstance(answer, Unknown)
            state = await gateway.order(sent.client_order_id)
            assert state is not None
            assert state.status == left

    run(test)


def test_same_order_again_is_the_same_and_other_terms_are_refused(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        heard = Heard(gateway)
        sent = order("buy", 1_000, 1)
        first = await gateway.submit(sent)
        again = await gateway.submit(sent)
        assert isinstance(first, Acknowledged)
        assert isinstance(again, Acknowledged)
        assert (first.duplicate, again.duplicate) == (False, True)
        assert first.venue_order_id == again.venue_order_id
        for other in (replace(sent, quantity=1_001), replace(sent, side="sell")):
            refused = await gateway.submit(other)
            assert isinstance(refused, Rejected)
            assert refused.reason == "client_order_id_reused"
        await world.fault(kind="duplicate", on="submit")
        await gateway.submit(order("buy", 10, 2))
        await heard.until(Filled, 2)
        fills = (await gateway.fills()).fills
        assert [each.quantity for each in fills] == [1_000, 10]
        assert sum(isinstance(each, Accepted) for each in heard.reports) == 2

    run(test)


def test_many_at_once_trade_once_each(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        sent = [order("buy", 1, 1 + number // 4) for number in range(40)]
        answers = await asyncio.gather(*(gateway.submit(each) for each in sent))
        assert all(isinstance(each, Acknowledged) for each in answers)
        fills = (await gateway.fills()).fills
        assert sorted(each.client_order_id for each in fills) == [
            f"test-1-{number:06d}" for number in range(1, 11)
        ]

    run(test)


def test_too_many_orders_are_refused_with_a_time_to_wait(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        assert gateway.capabilities.orders_per_second == 2
        sent = [order("buy", 1, number) for number in range(1, 9)]
        answers = await asyncio.gather(*(gateway.submit(each) for each in sent))
        refused = [each for each in answers if isinstance(each, Rejected)]
        assert 1 <= len(refused) <= 6
        assert {each.reason for each in refused} == {"rate_limited"}
        assert all(0 < each.retry_after_ns <= 500_000_000 for each in refused)
        # A cancel takes risk off, so that no limit of orders holds it up.
        await gateway.cancel(CancelOrder(client_order_id=sent[0].client_order_id))
        await asyncio.sleep(max(each.retry_after_ns for each in refused) / 1e9)
        names = [each.client_order_id for each in refused]
        late = next(each for each in sent if each.client_order_id in names)
        again = await gateway.submit(late)
        assert isinstance(again, Acknowledged)
        assert not again.duplicate

    run(test, replace(CASH, orders_per_second=2))


def test_refusal_by_the_venue_is_no_unknown(run: Run) -> None:
    async def test(world: PaperWorld) -> None:
        gateway = await world.connect()
        await world.fault(kind="reject", on="submit", reason="maintenance")
        answer = await gateway.submit(order("buy", 1, 1))
        assert isinstance(answer, Rejected)
        assert answer.reason == "maintenance"
        assert await gateway.order("test-1-000001") is None

    run(test)
