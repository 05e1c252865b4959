"""A session that is given its events block by block does what it does with all of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pytest

from quantvista.engine import Context, Session, SessionClock, Tape, merge_tapes
from quantvista.errors import EngineError
from quantvista.market import EventKind
from quantvista.strategies import make_rng
from support.quote_sessions import SECOND, A, barriers, config, quotes

COUNT = 90
TS = [each * SECOND for each in range(1, COUNT + 1)]
BIDS = [10_000 + 40 * (each % 7) - 3 * each for each in range(COUNT)]
BOUNDS = (0, 1, 20, 47, 48, COUNT)


class Trader:
    """Sends an order now and then, and tells all that it hears."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_quote(self, ctx: Context, quote: Any) -> None:  # noqa: ANN401
        last = ctx.last_trade(A)
        self.seen.append((quote.ts, quote.bid, last and last.ts))
        if len(self.seen) % 5 == 0:
            side: Literal["buy", "sell"] = "buy" if len(self.seen) % 2 else "sell"
            limit = quote.bid + (-0.05 if side == "buy" else 0.05)
            ctx.submit(A, side, 3, type="limit", limit_price=limit, tif="gtc")
            ctx.set_timer(quote.ts + 3 * SECOND // 2, "later")

    def on_timer(self, ctx: Context, timer: Any) -> None:  # noqa: ANN401
        self.seen.append((timer.name, ctx.clock.now))

    def on_fill(self, ctx: Context, fill: Any) -> None:  # noqa: ANN401
        self.seen.append((fill.order_id, fill.price, ctx.clock.now))

    def handlers(self) -> Mapping[str, Any]:
        return {name: getattr(self, name) for name in ("on_quote", "on_timer", "on_fill")}


def events() -> Tape:
    trade = Tape.of(
        EventKind.TRADE,
        np.array([TS[3] + 7]),
        values={"a": np.array([10_010]), "b": np.array([4])},
    )
    return merge_tapes([quotes(TS, BIDS), trade, barriers(TS[9::10])])


def blocks() -> list[Tape]:
    whole = events()
    edges = [TS[0] + SECOND * each - 1 for each in BOUNDS]
    at = np.searchsorted(whole.ts_received, edges)
    return [whole.take(slice(*pair)) for pair in pairwise(at)]


def host(session: Session, trader: Trader) -> list[Any]:
    context = Context(session, 0, SessionClock(session), make_rng(1, "a"))
    return [(0, context, trader.handlers(), None)]


def made(tape: Tape | None = None) -> Session:
    inputs = [(TS[30] + 5, {"cash_flow": {"sleeve": 0, "currency": 0, "amount": 10**12}})]
    return Session(config(), tape=(tape or Tape.empty()).columns(), inputs=inputs)


def run_whole() -> tuple[Session, Trader, list[int]]:
    session, trader = made(events()), Trader()
    rows: list[int] = []
    session.run(session.rows, host(session, trader), rows.append)
    return session, trader, rows


def test_blocks_make_the_run_of_the_whole() -> None:
    whole, expected, rows = run_whole()
    session, trader = made(), Trader()
    found: list[int] = []
    for block in blocks():
        session.extend(block.columns())
        session.run(session.rows, host(session, trader), found.append)
    assert whole.fills > 5
    assert (session.rows, session.row) == (len(events()), len(events()))
    assert trader.seen == expected.seen
    assert found == rows == list(range(9))
    assert session.state_hash() == whole.state_hash()
    assert session.tables() == whole.tables()


@pytest.mark.parametrize("stop", [25, 51, 52])
def test_snapshot_belongs_to_its_block(stop: int) -> None:
    whole, _, _ = run_whole()
    session, trader = made(), Trader()
    parts = blocks()
    for block in parts:
        session.extend(block.columns())
        if session.rows > stop:
            break
        session.run(session.rows, host(session, trader))
    session.run(stop, host(session, trader))
    kept, row = session.snapshot([b""]), session.row
    heard = len(trader.seen)
    session.run(session.rows, host(session, trader))

    again = Trader()
    again.seen = trader.seen[:heard]
    assert session.restore(kept) == [b""]
    assert session.row == row
    first, *others = parts[parts.index(block) :]
    assert first is block
    session.run(session.rows, host(session, again))
    for each in others:
        session.extend(each.columns())
        session.run(session.rows, host(session, again))
    assert session.state_hash() == whole.state_hash()
    with pytest.raises(EngineError, match="of a run over other data"):
        session.restore(kept)


def test_snapshot_of_the_end_of_a_block_is_the_start_of_the_next() -> None:
    whole, _, _ = run_whole()
    session, trader = made(), Trader()
    first, second, third, *others = blocks()
    for block in (first, second):
        session.extend(block.columns())
        session.run(session.rows, host(session, trader))
    kept = session.snapshot([b""])
    again = Trader()
    again.seen = trader.seen.copy()
    session.extend(third.columns())
    session.run(session.rows, host(session, trader))
    session.restore(kept)
    session.run(session.rows, host(session, again))
    for block in others:
        session.extend(block.columns())
        session.run(session.rows, host(session, again))
        with pytest.raises(EngineError, match="of a run over other data"):
            session.restore(kept)
    assert session.state_hash() == whole.state_hash()


def test_block_must_come_after_the_one_before() -> None:
    first, second, *_ = (part.columns() for part in blocks()[1:])
    session = made()
    session.extend(first)
    with pytest.raises(ValueError, match=r"when the one before is over; found \d+ rows left"):
        session.extend(second)
    session.run(session.rows, [])
    with pytest.raises(ValueError, match="`tape` must begin after"):
        session.extend(first)
    session.extend(Tape.empty().columns())
    session.extend(second)
    session.run(session.rows, [])


def test_blocks_are_of_tapes() -> None:
    columns = {
        "ts": np.array([5]),
        "close": np.array([1, 1]),
        "session_start": b"\1",
        "session_end": b"\1",
    }
    with pytest.raises(ValueError, match="must go on a tape; found a session of bars"):
        Session(config(matching="bars"), columns).extend(events().columns())
