"""What a node compares and sends, part by part."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from quantvista.trading.gateway import (
    AccountSnapshot,
    Acknowledged,
    Balance,
    BarData,
    CancelOrder,
    CancelRejected,
    OrderState,
    Position,
    Unknown,
)
from quantvista.trading.node._arrivals import Arrivals
from quantvista.trading.node._orders import Orders
from quantvista.trading.node._reconcile import Books, compare
from quantvista.trading.node._sender import Answer, Sender
from support.node_worlds import NodeWorld
from support.virtual_loop import run_virtually

ORDER = OrderState(
    client_order_id="f-1-000007",
    venue_order_id="1",
    instrument="A.X",
    side="buy",
    quantity=10,
    filled=3,
    kind="limit",
    tif="gtc",
    limit_price=5,
    trigger_price=None,
    expire_at=None,
    post_only=False,
    reduce_only=False,
    status="partially_filled",
    reason="",
    fees=0,
    ts=1,
)
THERE = AccountSnapshot(
    account="main",
    sequence=1,
    ts=1,
    balances=(Balance(currency="USD", total=10**18, unsettled=0),),
    positions=(Position(instrument="A.X", quantity=3),),
    orders=(ORDER,),
)
WORKS = {"instrument": "A.X", "side": "buy", "quantity": 10, "filled": 3}
OURS = Books({"USD": 10**18}, {"A.X": 3}, {7: WORKS}, set())


@pytest.mark.parametrize(
    ("books", "there", "text"),
    [
        (OURS, THERE, ""),
        (replace(OURS, money={"USD": 10**18 + 1}), THERE, "balance of USD"),
        (
            replace(OURS, money={"USD": 10**18, "EUR": 5 * 10**11}),
            THERE,
            "balance of EUR: 0.5 here, 0 there",
        ),
        (replace(OURS, positions={"A.X": 2}), THERE, "position in A.X: 2 here, 3 there"),
        (replace(OURS, positions={}), THERE, "position in A.X: 0 here, 3 there"),
        (replace(OURS, working={7: {**WORKS, "filled": 2}}), THERE, "filled of order 7: 2 here"),
        (replace(OURS, working={7: {**WORKS, "side": "sell"}}), THERE, "side of order 7"),
        (replace(OURS, working={}), THERE, "order f-1-000007 works there, unknown here"),
        (OURS, replace(THERE, orders=()), "order 7 works here, not there"),
        (replace(OURS, unsettled={7}), replace(THERE, orders=()), ""),
    ],
)
def test_books_and_account_are_compared_to_the_last_unit(
    books: Books, there: AccountSnapshot, text: str
) -> None:
    found = compare(books, there, Orders("f", [(1, 1)])).differences
    assert len(found) == bool(text)
    assert all(text in each for each in found)


class Answers:
    """A gateway that answers cancels as it was told, one after the other."""

    def __init__(self, *answers: Any) -> None:  # noqa: ANN401
        self.answers, self.cancels = list(answers), 0

    async def cancel(self, command: CancelOrder) -> Any:  # noqa: ANN401
        self.cancels += 1
        return self.answers.pop(0)

    async def order(self, client_order_id: str) -> OrderState:
        return ORDER


def test_a_cancel_is_sent_until_the_order_is_gone() -> None:
    name = ORDER.client_order_id
    unknown = Unknown(client_order_id=name, command="cancel", cause="timeout", ts=1)
    refused = CancelRejected(client_order_id=name, reason="busy", text="", ts=1)
    taken = Acknowledged(client_order_id=name, venue_order_id="1", status="cancelled", ts=2)
    heard: list[Answer] = []

    async def main() -> int:
        gateway = Answers(unknown, refused, unknown, taken)
        sender = Sender(gateway, heard.append, pytest.fail)  # type: ignore[arg-type]
        sender.connected()
        sender.cancel(7, name)
        await asyncio.sleep(30)
        assert not sender.is_busy(7)
        return gateway.cancels

    assert run_virtually(main()) == 4
    assert [each.answer for each in heard] == ["acknowledged"]


def test_a_bar_that_comes_after_its_decision_is_left_out() -> None:
    def bar(ts: int) -> BarData:
        return BarData(instrument="A.X", open=1, high=1, low=1, close=1, volume=None, ts=ts)

    arrivals = Arrivals(1, with_bars=True)
    barrier = {"barrier": {"session_start": True, "session_end": True}}
    assert not arrivals.take(bar(10), 0)
    assert arrivals.is_ready(10, barrier)
    assert [next(iter(each)) for each in arrivals.with_bars(10, barrier)] == ["bar", "barrier"]
    assert not arrivals.take(bar(10), 0)
    assert arrivals.late == 1
    told = [next(iter(each)) for each in arrivals.with_bars(20, barrier)]
    assert told == ["bar_missing", "barrier"]


@pytest.mark.parametrize("whose", ["venue", "machine"])
def test_a_clock_that_is_off_stops_new_risk_and_is_said(whose: str) -> None:
    async def main() -> None:
        world = NodeWorld()
        await world.start()
        node = world.boot()
        await world.until_trading()
        gateway = node.links[0].venue.gateway
        if whose == "venue":
            gateway._offset = -2_500_000_000  # type: ignore[attr-defined]
            text = "the clock of paper differs from ours"
        else:
            node._last += 60_000_000_000
            text = "the clock of this machine was set back"
        await asyncio.sleep(1)
        assert node.reasons == [text]
        assert node.session.fund_state == "reduce_only"
        assert not (await world.ask("resume"))["ok"]
        if whose == "venue":
            gateway._offset = 0  # type: ignore[attr-defined]
        else:
            await asyncio.sleep(60)
        await world.until_trading()
        assert world.node.session.fund_state == "active"
        await world.stop()
        await world.paper.stop()

    run_virtually(main())
