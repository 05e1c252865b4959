"""A session that is told events as they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quantvista._native import RawEngine
from quantvista.engine import Context, Session, SessionClock
from quantvista.errors import EngineError
from support.live_sessions import (
    BARRIER,
    BOOK,
    OUT,
    SIM,
    Event,
    bar,
    buyer,
    config,
    hosts,
    level,
    made,
    quote,
    report,
    tell,
    told_of,
    traded,
)
from support.quote_sessions import quotes


# -- telling ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([(10, quote(0, 100))], "must be later than 10, until when all is told; found 10"),
        ([(5, quote(0, 100))], "must be later than 10"),
        (
            [(30, quote(0, 100)), (20, quote(0, 100))],
            "in order of `ts_received`; found 20 after 30",
        ),
        (
            [(20, quote(0, 100)), (30, {"cancel_order": {"order": 1}})],
            "must not decide.*cancel_ord",
        ),
        ([(20, {"quotes": {}})], "`events`: unknown variant"),
        ([(20, bar(2, 100))], "must have a barrier of the same time .*; found none at 20"),
        ([(20, bar(2, 100)), (21, BARRIER)], "found none at 20"),
        ([(20, bar(2, 100)), (20, bar(2, 100)), (20, BARRIER)], "one bar .* found two at 20"),
        ([(20, level(99, more=True))], "whole messages of books; found one at 20"),
        ([(20, level(99, more=True)), (21, level(99, more=False))], "found one at 20"),
        ([(20, quote(0, 100)), (30, quote(0, -(2**63)))], "a price must be positive"),
        ([(20, quote(0, 100)), (30, quote(9, 100))], "`instrument` must be below 4; found 9"),
        ([(20, {"action": {"split": {"instrument": 9, "numerator": 2, "denominator": 1}}})], "9"),
        ([(20, {"funding": {"instrument": 0, "rate": 1}})], "pays no funding"),
        (
            [(20, {"funding": {"instrument": 0, "rate": -(2**63)}}), (30, quote(0, 100))],
            "pays no funding",
        ),
        (
            [(20, quote(0, 100)), (30, {"funding": {"instrument": 0, "rate": -(2**63)}})],
            "lacks a value",
        ),
        (
            [(20, {"status": {"instrument": 0, "status": "gone"}})],
            "`events`: unknown variant `gone`",
        ),
    ],
)
def test_what_cannot_be_is_refused_whole(events: list[Any], message: str) -> None:
    session = made()
    tell(session, (10, quote(0, 100)))
    session.run_live(10, [])
    before = session.snapshot([b""])
    with pytest.raises((ValueError, EngineError), match=message):
        tell(session, *events)
    session.run_live(99, [])
    assert session.snapshot([b""]) == before
    tell(session, (20, quote(0, 100)))


def test_what_waits_is_told_already() -> None:
    session = made()
    tell(session, (10, quote(0, 100)))
    with pytest.raises(ValueError, match="must be later than 10"):
        tell(session, (10, quote(1, 100)))
    tell(session)
    session.run_live(0, [])
    assert session.now == 10


def test_events_of_one_time_happen_as_on_a_tape() -> None:
    session, seen = made(), []

    def see(_: Context, event: Any) -> None:  # noqa: ANN401
        seen.append((event.instrument, event.ts))

    tell(session, (5, quote(1, 100)))
    commands: list[tuple[int, Event]] = [(7, {"operator": "reduce"}), (7, report("accepted", 9))]
    tell(session, (7, BARRIER), (7, bar(2, 90)), (7, quote(1, 101)), *commands)
    tell(session, (8, level(99, more=True)), (8, level(98, more=False)))
    session.open_log()
    decided: list[int] = []
    every = hosts(session, on_quote=see, on_bar=see, on_book=see)
    session.run_live(9, every, lambda: decided.append(session.now))
    assert seen == [(SIM, 5), ("C.BARS", 7), (SIM, 7), (BOOK, 8)]
    assert decided == [7]
    names = [
        next(iter(RawEngine.decode_input(record)["event"]))
        for _, record in told_of(session.take_log())
    ]
    assert names == ["quote", "operator", "report", "bar", "quote", "barrier"] + ["book_level"] * 2
    assert (session.row, session.rows) == (6, 6)


def test_what_follows_the_last_row_happens() -> None:
    session = made()
    tell(session, (5, quote(1, 100)), (6, {"operator": "halt"}))
    session.run_live(6, [])
    assert session.fund_state == "halted"
    flow = {"cash_flow": {"sleeve": 0, "currency": 0, "amount": 10**12}}
    tell(session, (7, flow))
    session.run_live(7, [])
    assert session.balance(0) == 50_001 * 10**12
    assert (session.now, session.row) == (7, 1)


def test_reported_trades_and_marks_are_read() -> None:
    session = made()
    every = hosts(session, on_quote=buyer(reduce_only=False, display_quantity=None))
    tell(session, (5, quote(0, 10_000)))
    session.run_live(5, every)
    ((kind, order),) = session.take_effects()
    assert kind == "submit"
    tell(session, (6, traded(order, 1, 9_900, "t")))
    assert session.last_order == 1
    session.run_live(6, every)
    assert session.working() == []
    assert session.position(0, 0) == 1
    assert session.mark(0) == 10_001
    assert session.mark(1) is None
    assert session.balance(0, 0) == 50_000 * 10**12 - 9_900 * 10**10 - 10**9
    assert session.sleeve_equity(0) == session.equity() == session.balance(0) + 10_001 * 10**10
    assert session.sleeve_states == ["on"]
    assert session.fills == 1
    reads: list[tuple[Callable[[], object], str]] = [
        (lambda: session.balance(0, 1), "`currency` must be below 1; found 1"),
        (lambda: session.balance(1), "`sleeve` must be below 1; found 1"),
        (lambda: session.sleeve_equity(1), "`sleeve` must be below 1"),
        (lambda: session.mark(4), "`instrument` must be below 4"),
    ]
    for read, message in reads:
        with pytest.raises(EngineError, match=message):
            read()


# -- timers ----------------------------------------------------------------------------------
def test_timers_fire_at_their_own_time_before_what_is_later() -> None:
    session, fired = made(), []

    def on_quote(ctx: Context, event: Any) -> None:  # noqa: ANN401
        for wait in (0, 3, 10, 50):
            ctx.set_timer(event.ts + wait, str(wait))
        ctx.set_timer(event.ts - 1, "past")

    def on_timer(_: Context, timer: Any) -> None:  # noqa: ANN401
        fired.append((timer.name, timer.ts, session.now))

    every = hosts(session, on_quote=on_quote, on_timer=on_timer)
    session.run_live(1_000, every)
    assert session.next_timer is None
    tell(session, (100, quote(0, 100)), (110, BARRIER))
    session.run_live(120, every)
    assert fired == [("past", 100, 100), ("0", 100, 100), ("3", 103, 103), ("10", 110, 110)]
    assert session.now == 110
    due: int | None = session.next_timer
    assert due == 150
    session.run_live(149, every)
    assert session.now == 110
    session.run_live(150, every)
    assert fired[4:] == [("50", 150, 150)]
    with pytest.raises(ValueError, match="must be later than 150"):
        tell(session, (130, BARRIER))


def test_timers_wait_for_the_first_event() -> None:
    session, fired = made(), []
    context = Context(session, 0, SessionClock(session), None)
    context.set_timer(5, "early")
    handlers = {"on_timer": lambda _, timer: fired.append(timer.ts)}
    session.run_live(50, [(0, context, handlers, None)])
    assert fired == []
    tell(session, (60, quote(0, 100)))
    session.run_live(60, [(0, context, handlers, None)])
    assert fired == [60]


# -- effects ---------------------------------------------------------------------------------
def test_orders_and_cancels_for_remote_venues_leave_once() -> None:
    session = made()

    def on_quote(ctx: Context, event: Any) -> None:  # noqa: ANN401
        if event.instrument == SIM or not ctx.orders(OUT):
            terms: dict[str, Any] = {"trigger_price": 110.0, "limit_price": 111.0}
            terms |= {"type": "stop_limit", "expire_at": 10**9, "tif": "gtd"}
            ctx.submit(event.instrument, "buy", 2, **terms)
        else:
            ctx.cancel_all()

    every = hosts(session, on_quote=on_quote)
    tell(session, (5, quote(0, 10_000)), (6, quote(1, 10_000)))
    session.run_live(6, every)
    order = {
        "id": 1,
        "sleeve": 0,
        "instrument": 0,
        "side": "buy",
        "quantity": 2,
        "kind": "stop_limit",
        "tif": "gtd",
        "limit_price": 11_100,
        "trigger_price": 11_000,
        "trigger_by": None,
        "trail_amount": None,
        "trail_rate": None,
        "expire_at": 10**9,
        "display_quantity": None,
        "post_only": False,
        "reduce_only": False,
        "leg": "net",
    }
    assert session.take_effects() == [("submit", order)]
    assert session.take_effects() == []
    rest = {"ts": 5, "status": "submitted", "filled": 0, "origin": "strategy"}
    one, other = session.working()
    assert one == order | rest | {"remote": True, "cancel_requested": False}
    assert (other["instrument"], other["remote"], other["status"]) == (1, False, "accepted")
    tell(session, (7, quote(0, 10_000)), (8, quote(0, 10_000)))
    session.run_live(8, every)
    assert session.take_effects() == [("cancel", 1)]
    (left,) = session.working()
    assert left["cancel_requested"]
    tell(session, (9, report("unknown", 1)))
    session.run_live(9, every)
    assert session.working()[0]["status"] == "unknown"
    tell(session, (10, {"operator": "halt"}))
    session.run_live(10, every)
    assert session.take_effects() == []


def test_strategies_hear_what_venues_say_of_orders() -> None:
    session, heard = made(), []

    def on_order(ctx: Context, event: Any) -> None:  # noqa: ANN401
        heard.append((event.change, event.status, event.reason))
        if event.change == "unknown":
            assert ctx.order(event.order_id).status == "unknown"
            ctx.cancel(event.order_id)

    every = hosts(session, on_quote=buyer(), on_order=on_order)
    tell(session, (5, quote(0, 10_000)), (6, report("unknown", 1)))
    tell(session, (7, report("cancel_rejected", 1)), (8, report("accepted", 1)))
    tell(session, (9, report("expired", 1)))
    session.run_live(9, every)
    assert heard == [
        ("submitted", "submitted", ""),
        ("unknown", "unknown", ""),
        ("cancel_rejected", "unknown", "venue"),
        ("accepted", "accepted", ""),
        ("expired", "expired", "venue"),
    ]


def test_trails_leave_as_amount_or_rate() -> None:
    session = made()

    def on_quote(ctx: Context, event: Any) -> None:  # noqa: ANN401
        ctx.submit(OUT, "buy", 1, type="trailing_stop", trail=0.5, tif="gtc", trigger_by="ask")
        ctx.submit(OUT, "buy", 1, type="trailing_stop", trail_rate=0.01, tif="gtc")

    tell(session, (5, quote(0, 10_000)))
    session.run_live(5, hosts(session, on_quote=on_quote))
    orders = [order for _, order in session.take_effects()]
    found = [(o["trail_amount"], o["trail_rate"], o["trigger_by"]) for o in orders]
    assert found == [(50, None, "ask"), (None, 10**7, None)]


# -- what fails ------------------------------------------------------------------------------
def test_strategy_that_raises_ends_the_session_until_it_is_restored() -> None:
    session = made()
    tell(session, (5, quote(0, 10_000)))
    session.run_live(5, hosts(session, on_quote=buyer()))
    kept = session.snapshot([b""])

    def on_quote(ctx: Context, _: object) -> None:
        ctx.submit(OUT, "buy", 1)
        raise LookupError("nothing here")

    tell(session, (6, quote(0, 10_000)), (7, quote(0, 10_000)))
    context = Context(session, 0, SessionClock(session), None)
    with pytest.raises(LookupError, match="nothing here"):
        session.run_live(7, [(0, context, {"on_quote": on_quote}, None)])
    for attempt in (
        lambda: tell(session, (8, BARRIER)),
        lambda: session.tell_encoded([]),
        lambda: session.run_live(9, []),
        lambda: session.snapshot([b""]),
    ):
        with pytest.raises(EngineError, match=r"failed earlier \(LookupError: nothing here\)"):
            attempt()
    assert [order["id"] for _, order in session.take_effects()] == [1, 2]
    session.restore(kept)
    tell(session, (8, quote(0, 10_000)))
    session.run_live(9, [])
    assert session.last_order == 1


def test_refusal_of_the_engine_ends_the_session() -> None:
    session = made()
    ended = {"instrument_ended": {"instrument": 1, "price": None}}
    tell(session, (5, quote(1, 100)), (6, ended), (7, quote(1, 100)), (8, BARRIER))
    with pytest.raises(EngineError, match="not listed now"):
        session.run_live(8, [])
    with pytest.raises(EngineError, match=r"failed earlier .*not listed now"):
        session.run_live(8, [])


def test_decisions_are_made_where_they_are_made_again() -> None:
    session = made()
    tell(session, (5, quote(0, 10_000)))
    session.run_live(5, [])
    context = Context(session, 0, SessionClock(session), None)
    for attempt in (
        lambda: session.submit_targets(0, [(0, 10**8)]),
        lambda: context.submit(OUT, "buy", 1),
    ):
        with pytest.raises(ValueError, match="`run_live` must be calling"):
            attempt()
    tell(session, (6, BARRIER))
    session.run_live(6, [], lambda: session.submit_targets(0, [(0, 10**8)]))
    assert session.last_order == 1


def test_modes_have_their_own_ways() -> None:
    live, tape = made(), Session(config(["a"]), tape=quotes([5], [10_000]).columns())
    of_runs: list[Callable[[], object]] = [
        lambda: live.run(1, []),
        lambda: live.extend(quotes([5], [10_000]).columns()),
        lambda: live.run_market_orders(1, 1, 1),
    ]
    for attempt in of_runs:
        with pytest.raises(ValueError, match="`live` must be false for this"):
            attempt()
    of_live: list[Callable[[], object]] = [
        lambda: tell(tape, (5, BARRIER)),
        lambda: tape.tell_encoded([]),
        lambda: tape.run_live(5, []),
        lambda: tape.take_effects(),
    ]
    for attempt in of_live:
        with pytest.raises(ValueError, match="`live` must be true for this"):
            attempt()
    with pytest.raises(ValueError, match="one of them"):
        Session(config(["a"]), live=True, tape=quotes([5], [10_000]).columns())
    with pytest.raises(ValueError, match="one of them"):
        Session(config(["a"]), live=True, inputs=[(5, BARRIER)])
