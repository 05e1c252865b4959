"""Going on from a snapshot of a live session, and how much it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantvista.engine import Context, Session, SessionClock
from quantvista.errors import EngineError
from support.live_sessions import (
    BARRIER,
    OUT,
    SIM,
    buyer,
    config,
    hosts,
    made,
    quote,
    tell,
    told_of,
)
from support.quote_sessions import quotes


def test_snapshot_keeps_what_was_seen_and_forgets_what_left() -> None:
    session = made()
    every = hosts(session, on_quote=buyer())
    trade = {"price": 9_999, "size": 3, "aggressor": "sell"}
    tell(session, (5, quote(0, 10_000)), (6, {"trade": {"instrument": 0, "trade": trade}}))
    session.run_live(6, every)
    kept = session.snapshot([b"state"])

    again = made()
    assert again.restore(kept) == [b"state"]
    assert again.take_effects() == []
    assert (again.now, again.row, again.last_order) == (6, 2, 1)
    context = Context(again, 0, SessionClock(again), None)
    best, last = context.quote(OUT), context.last_trade(OUT)
    assert best is not None
    assert (best.ts, best.bid, np.isnan(best.ask_size)) == (5, 100.0, True)
    assert last is not None
    assert (last.ts, last.price, last.size, last.aggressor) == (6, 99.99, 3.0, "sell")
    assert context.order(1).status == "submitted"
    with pytest.raises(ValueError, match="must be later than 6"):
        tell(again, (6, quote(0, 100)))
    tell(again, (7, quote(0, 10_000)))
    again.run_live(7, hosts(again, on_quote=buyer()))
    assert [order["id"] for _, order in again.take_effects()] == [2]


def test_snapshot_goes_back_in_the_same_session() -> None:
    session = made()
    tell(session, (5, quote(0, 10_000)))
    session.run_live(5, [])
    kept = session.snapshot([b""])
    tell(session, (6, quote(0, 20_000)), (7, {"operator": "halt"}))
    session.run_live(7, [])
    tell(session, (8, {"operator": "flatten"}))
    session.restore(kept)
    session.run_live(99, [])
    assert (session.now, session.mark(0), session.fund_state) == (5, 10_001, "active")
    assert session.snapshot([b""]) == kept


def test_snapshot_is_of_one_mode_and_of_one_fund() -> None:
    live, tape = made(), Session(config(["a"]), tape=quotes([5], [10_000]).columns())
    tape.run(1, [])
    of_tape = tape.snapshot([b""])
    with pytest.raises(EngineError, match="of a run over data; this session is live"):
        live.restore(of_tape)
    tell(live, (5, quote(0, 10_000)))
    live.run_live(5, [])
    kept = live.snapshot([b""])
    with pytest.raises(EngineError, match="of a live session; this one is not live"):
        tape.restore(kept)
    assert tape.snapshot([b""]) == of_tape
    other = Session(config(["a", "b"]), live=True)
    with pytest.raises(EngineError, match="a fund that is set up differently"):
        other.restore(kept)
    with pytest.raises(EngineError, match="damaged"):
        live.restore(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(EngineError, match="not one of our records"):
        live.restore(b"")
    assert live.snapshot([b""]) == kept


def test_snapshot_is_of_what_has_happened() -> None:
    session = made()
    tell(session, (5, quote(0, 10_000)))
    with pytest.raises(ValueError, match="found events that wait"):
        session.snapshot([b""])
    failures: list[str] = []

    def on_quote(*_: object) -> None:
        for attempt in (
            lambda: session.snapshot([b""]),
            lambda: session.run_live(9, []),
            lambda: session.restore(kept),
        ):
            with pytest.raises((ValueError, EngineError)) as caught:
                attempt()
            failures.append(str(caught.value))

    kept = made().snapshot([b""])
    session.run_live(5, hosts(session, on_quote=on_quote))
    assert len(failures) == 3
    session.snapshot([b""])


def test_records_go_on_where_the_snapshot_ends() -> None:
    session = made()
    session.open_log()
    for ts in (5, 6, 7):
        tell(session, (ts, quote(0, 10_000)))
    tell(session, (17, {"operator": "resume"}))
    session.run_live(20, hosts(session, on_quote=buyer()))
    log = session.take_log()
    records = [record for _, record in told_of(log)]
    again = made()
    again.tell_encoded(records[:1])
    again.run_live(5, hosts(again, on_quote=buyer()))
    with pytest.raises(ValueError, match=r"found number 2 of source 0 at 7 where number 1 of sou"):
        again.tell_encoded(records[2:])
    decided = [record for side, _, record in log if side == "input" and record not in records]
    with pytest.raises(ValueError, match='must not decide anything; found "submit_order"'):
        again.tell_encoded(decided[1:])
    with pytest.raises(EngineError, match="not one of our records"):
        again.tell_encoded([b"nothing"])
    again.tell_encoded(records[1:])
    again.run_live(20, hosts(again, on_quote=buyer()))
    assert again.state_hash() == session.state_hash()


# -- how much is kept ------------------------------------------------------------------------
def test_session_does_not_grow() -> None:
    session, sizes = made(), []
    count = 0

    def on_quote(ctx: Context, _: object) -> None:
        nonlocal count
        count += 1
        if count == 1:
            ctx.submit(SIM, "buy", 1, type="limit", limit_price=90.0, tif="gtc")
        if count % 10 == 0:
            side: Any = "buy" if count % 20 else "sell"
            ctx.submit(SIM, side, 1, tif="gtc")

    every = hosts(session, on_quote=on_quote)
    for first in range(1, 200_001, 1_000):
        told = [(ts, ts, quote(1, 10_000 + ts % 7)) for ts in range(first, first + 1_000)]
        session.tell([*told[:-1], (told[-1][0], 0, BARRIER)])
        session.run_live(first, every)
        sizes.append(session.recorded)
    assert (session.last_order, session.fills) == (19_981, 19_980)
    # A thousand orders, and at most twice as many of fills and of barriers.
    assert max(sizes[:50]) > 3_000
    assert max(sizes) < 5_100
    assert len(session.snapshot([b""])) < 1_000_000
    context = Context(session, 0, SessionClock(session), None)
    assert context.order(1).status == "accepted"
    assert context.order(18_982).status == "filled"
    with pytest.raises(ValueError, match="`order_id` 18981 is no order of this sleeve"):
        context.order(18_981)
    again = made()
    again.restore(session.snapshot([b""]))
    context = Context(again, 0, SessionClock(again), None)
    assert context.order(18_982).status == "filled"
    with pytest.raises(ValueError, match="is no order of this sleeve"):
        context.order(18_981)
    tables = session.tables()
    assert tables.keys() == made().tables().keys()
