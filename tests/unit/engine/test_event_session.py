"""A session over a tape: who is called, when, and with what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantvista.engine import AccountTerms, Latency, Session, Tape, VenueRates, merge_tapes
from quantvista.market import EventKind
from support.quote_sessions import SECOND, A, B, barriers, config, quotes, run, session

TS = [each * SECOND for each in range(1, 11)]
BIDS = [10_000 + 10 * each for each in range(10)]


def trades(ts: list[int], price: int, flag: int = 1) -> Tape:
    count = len(ts)
    values = {"a": np.full(count, price), "b": np.full(count, 7)}
    return Tape.of(EventKind.TRADE, np.array(ts), flag=flag, values=values)


def test_events_come_in_order_with_their_values() -> None:
    seen: list[Any] = []
    made = session([quotes(TS[:2], BIDS[:2]), trades([TS[0] + 5], 10_002)])
    run(
        made,
        {
            "on_quote": lambda ctx, q: seen.append(
                (q.instrument, q.ts, q.bid, q.ask_size, round(q.mid, 6))
            ),
            "on_trade": lambda ctx, t: seen.append((t.price, t.size, t.aggressor, ctx.clock.now)),
        },
    )
    assert seen == [
        (A, TS[0], 100.0, 100.0, 100.01),
        (100.02, 7.0, "buy", TS[0] + 5),
        (A, TS[1], 100.1, 100.0, 100.11),
    ]


def test_all_events_of_a_time_are_known_before_the_first_is_told() -> None:
    seen: list[float] = []
    tapes = [quotes([SECOND], [10_000]), quotes([SECOND], [20_000], instrument=1)]
    run(
        session(tapes),
        {"on_quote": lambda ctx, q: seen.append(ctx.mark_price(A) + ctx.mark_price(B))},
    )
    assert seen == [300.02, 300.02]


def test_only_wanted_instruments_are_told() -> None:
    seen: list[str] = []
    tapes = [quotes(TS, BIDS), quotes(TS, BIDS, instrument=1)]
    run(session(tapes), {"on_quote": lambda ctx, q: seen.append(q.instrument)}, instruments=[1])
    assert seen == [B] * 10


def test_fill_is_told_after_its_order_and_at_once() -> None:
    seen: list[tuple[str, str, int]] = []

    def on_quote(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        if not seen:
            ctx.submit(A, "buy", 5)

    run(
        session([quotes(TS, BIDS)]),
        {
            "on_quote": on_quote,
            "on_order": lambda ctx, o: seen.append(("order", o.change, ctx.clock.now)),
            "on_fill": lambda ctx, f: seen.append(("fill", f.liquidity, ctx.clock.now)),
        },
    )
    first = TS[0]
    assert seen == [
        ("order", "accepted", first),
        ("order", "filled", first),
        ("fill", "taker", first),
    ]


def test_latency_delays_the_order_and_is_told() -> None:
    seen: list[tuple[str, int]] = []

    def on_quote(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        if quote.ts == TS[0]:
            order = ctx.submit(A, "buy", 5)
            assert ctx.order(order).status == "submitted"

    venue = VenueRates(latency=Latency(submit_ns=SECOND // 2))
    made = session([quotes(TS, BIDS)], venue=venue)
    run(
        made,
        {
            "on_quote": on_quote,
            "on_order": lambda ctx, o: seen.append((o.change, ctx.clock.now)),
            "on_fill": lambda ctx, f: seen.append((f"fill at {f.price}", f.ts)),
        },
    )
    # It met the first quote half a second later, and we hear of it with the next.
    half = TS[0] + SECOND // 2
    assert [each for each, _ in seen] == ["submitted", "accepted", "filled", "fill at 100.02"]
    assert seen[-1][1] == half


def test_timers_come_between_events_at_their_time() -> None:
    seen: list[tuple[str, int]] = []

    def on_quote(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        seen.append(("quote", quote.ts))
        if quote.ts == TS[0]:
            ctx.set_timer(TS[2], "same")
            ctx.set_timer(TS[1] + 5, "between")
            ctx.set_timer(TS[0] - 5, "past")

    made = session([quotes(TS[:3], BIDS[:3])])
    run(
        made,
        {
            "on_quote": on_quote,
            "on_timer": lambda ctx, t: seen.append((t.name, ctx.clock.now)),
        },
    )
    assert seen == [
        ("quote", TS[0]),
        ("past", TS[0]),
        ("quote", TS[1]),
        ("between", TS[1] + 5),
        ("same", TS[2]),
        ("quote", TS[2]),
    ]


def test_strategy_that_answers_itself_for_ever_is_stopped() -> None:
    def flip(ctx: Any, fill: Any) -> None:  # noqa: ANN401
        ctx.submit(A, "sell" if fill.side == "buy" else "buy", 1)

    start = {"on_quote": lambda ctx, q: ctx.submit(A, "buy", 1), "on_fill": flip}
    with pytest.raises(ValueError, match="must not answer its own orders for ever"):
        run(session([quotes(TS, BIDS, size=10**6)]), start)


def test_timer_that_sets_itself_for_ever_is_stopped() -> None:
    again = {
        "on_quote": lambda ctx, q: ctx.set_timer(0, "again"),
        "on_timer": lambda ctx, t: ctx.set_timer(0, "again"),
    }
    with pytest.raises(ValueError, match="must not set timers for ever"):
        run(session([quotes(TS, BIDS)]), again)


def test_terms_of_orders_reach_the_engine() -> None:
    views: list[Any] = []

    def on_quote(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        if quote.ts != TS[0]:
            return
        terms: dict[str, Any] = {"expire_at": TS[5], "tif": "gtd"}
        for each in (
            ctx.submit(A, "buy", 4, type="stop_limit", limit_price=101, trigger_price=100.5),
            ctx.submit(A, "buy", 4, type="trailing_stop", trail=0.25, tif="gtc"),
            ctx.submit(A, "buy", 4, type="trailing_stop", trail_rate=0.01, tif="gtc"),
            ctx.submit(A, "buy", 4, type="limit", limit_price=99.5, display_quantity=2, **terms),
            ctx.submit(A, "buy", 4, type="limit", limit_price=99.5, post_only=True),
        ):
            views.append(ctx.order(each))
        assert [view.order_id for view in ctx.orders()] == [1, 2, 3, 4, 5]
        assert ctx.orders(B) == ()
        assert ctx.cancel_all(A, "sell") == 0
        assert ctx.cancel_all() == 5
        assert ctx.orders() == ()

    made = session([quotes(TS, BIDS), barriers([TS[-1]])])
    run(made, {"on_quote": on_quote})
    assert [view.status for view in views] == ["accepted"] * 5
    assert [view.trigger_price for view in views[:3]] == [100.5, 100.26, 101.02]
    assert [view.type for view in views][:2] == ["stop_limit", "trailing_stop"]


def test_lists_hang_together() -> None:
    ids: list[list[int]] = []

    def on_quote(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        if quote.ts != TS[0]:
            return
        row = {"instrument": A, "side": "buy", "quantity": 3, "type": "limit", "tif": "gtc"}
        ids.append(ctx.oco(row | {"limit_price": 99.0}, row | {"limit_price": 98.0}))
        exit_ = row | {"side": "sell", "limit_price": 103.0}
        ids.append(ctx.oto(row | {"limit_price": 97.0}, exit_))
        ids.append(ctx.submit_list([row | {"limit_price": 96.0}, exit_], "oto"))
        ids.append(ctx.bracket(A, "buy", 2, stop_price=99.0, profit_price=100.5))

    made = session([quotes(TS, BIDS)])
    run(made, {"on_quote": on_quote})
    assert ids == [[1, 2], [3, 4], [5, 6], [7, 8, 9]]
    context: list[Any] = []
    again = session([quotes(TS[:1], BIDS[:1])])

    def both(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        on_quote(ctx, quote)
        context.append(ctx)

    run(again, {"on_quote": both})
    statuses = [context[0].order(number).status for number in range(1, 10)]
    assert statuses[:6] == ["accepted", "accepted", "accepted", "held", "accepted", "held"]
    assert statuses[6:] == ["filled", "accepted", "accepted"]


def test_amend_changes_price_and_is_told() -> None:
    seen: list[str] = []

    def on_quote(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        if quote.ts == TS[0]:
            order = ctx.submit(A, "buy", 4, type="limit", limit_price=99.0, tif="gtc")
            ctx.amend(order, limit_price=99.5, quantity=6)
            assert (ctx.order(order).limit_price, ctx.order(order).quantity) == (99.5, 6)
            ctx.amend(order, quantity=0)

    made = session([quotes(TS, BIDS)])
    run(
        made,
        {
            "on_quote": on_quote,
            "on_order": lambda ctx, o: seen.append(f"{o.change} {o.reason}".strip()),
        },
    )
    assert seen == ["accepted", "amended", "amend_rejected lot"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ctx: ctx.submit(A, "buy", 0.5), "`quantity` must have no more digits"),
        (lambda ctx: ctx.submit("Z.XNYS", "buy", 1), "`instrument` must be one of the fund's"),
        (lambda ctx: ctx.submit(A, "bid", 1), "`side` does not know"),
        (lambda ctx: ctx.submit(A, "buy", 1, trail=1, trail_rate=0.1), "must not come with"),
        (lambda ctx: ctx.submit(A, "buy", 1, trigger_by="open"), "`trigger_by` does not know"),
        (lambda ctx: ctx.submit_list([{"side": "buy"}], "oco"), "each have a `instrument`"),
        (lambda ctx: ctx.oco({"instrument": A, "sid": "buy"}), "keys like the arguments"),
        (lambda ctx: ctx.submit_list([], "both"), "`link` does not know"),
        (lambda ctx: ctx.amend(7, quantity=1), "no order of this sleeve"),
        (lambda ctx: ctx.order(7), "no order of this sleeve"),
        (lambda ctx: ctx.balance("EUR"), "`currency` must be one of USD"),
        (lambda ctx: ctx.position(A, leg="short"), "`leg` must not be short"),
        (lambda ctx: ctx.book(A), "must have a book"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=message):
        run(session([quotes(TS, BIDS)]), {"on_quote": lambda ctx, q: call(ctx)})


def test_readings_of_an_account() -> None:
    seen: list[Any] = []

    def on_quote(ctx: Any, quote: Any) -> None:  # noqa: ANN401
        if quote.ts == TS[0]:
            ctx.submit(A, "sell", 10)
        if quote.ts == TS[1]:
            seen.extend(
                [
                    ctx.position(A),
                    ctx.positions,
                    ctx.average_price(A),
                    ctx.cash,
                    ctx.balances,
                    round(ctx.equity, 6),
                    ctx.margin_used,
                    ctx.margin_free,
                    (ctx.fund_state, ctx.sleeve_state, ctx.is_halted(A)),
                    (ctx.tick_size(A), ctx.lot_size(A)),
                    np.isnan(ctx.average_price(B)),
                    ctx.quote(B),
                    ctx.last_trade(A),
                ]
            )

    made = session([quotes(TS, BIDS)], account=AccountTerms("margin"), shortable=100)
    run(made, {"on_quote": on_quote})
    assert seen == [
        -10.0,
        {A: -10.0},
        100.0,
        101_000.0,
        {"USD": 101_000.0},
        99_998.9,
        1_001.1,
        98_997.8,
        ("active", "on", False),
        (0.01, 1.0),
        True,
        None,
        None,
    ]


def test_scheduled_inputs_come_at_their_time_and_decide_nothing() -> None:
    seen: list[float] = []
    flow = {"cash_flow": {"sleeve": 0, "currency": 0, "amount": 5 * 10**12}}
    inputs = [(TS[1], flow), (TS[-1] + 1, flow)]
    made = session([quotes(TS[:3], BIDS[:3])], inputs=inputs)
    run(made, {"on_quote": lambda ctx, q: seen.append(ctx.cash)})
    assert seen == [100_000.0, 100_005.0, 100_005.0]
    with pytest.raises(ValueError, match="must not decide anything"):
        session([quotes(TS, BIDS)], inputs=[(0, {"cancel_order": {"order": 1}})])


def test_feed_and_tape_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="one of them"):
        Session(config())
    tape = merge_tapes([quotes(TS, BIDS)]).columns()
    with pytest.raises(ValueError, match="one of them"):
        Session(config(), {}, tape=tape)


def test_equity_rows_are_those_of_barriers() -> None:
    made = session([quotes(TS, BIDS), barriers(TS[4::5])])
    run(made, {})
    sleeves = made.tables()["sleeves"]
    assert np.frombuffer(sleeves["ts"], dtype="<i8").tolist() == TS[4::5]


def test_accounts_are_sampled_once_a_period() -> None:
    period = TS[2] - TS[0]
    tape = merge_tapes([quotes(TS, BIDS), barriers(TS[-1:])]).columns()
    made = Session(config(), tape=tape, sample_ns=period)
    run(made, {})
    periods = [ts // period for ts in TS]
    expected = [ts for k, ts in enumerate(TS) if k == 0 or periods[k] > periods[k - 1]]
    expected = sorted({*expected, TS[-1]})
    found = np.frombuffer(made.tables()["sleeves"]["ts"], dtype="<i8").tolist()
    assert found == expected
    assert 2 < len(found) < len(TS)


def test_period_of_samples_must_be_positive() -> None:
    with pytest.raises(ValueError, match="`sample_ns` must be positive; found 0"):
        Session(config(), tape=merge_tapes([quotes(TS, BIDS)]).columns(), sample_ns=0)
