"""The recorded L2 book through our engine, loop by loop: one block of events at a time.

Timed: copying and checking the blocks, all events, the orders. Not timed: shifting the times.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np
from _common import Stopwatch, main
from _l2 import (
    CLEAR,
    FAR_PRICE,
    FAR_SIZE,
    LEVEL,
    ORDERS,
    PERIOD_NS,
    PRICE_DIGITS,
    QUOTE,
    SIZE_DIGITS,
    TRADE,
    Outcome,
    Recording,
    load,
)

from quantvista import __version__
from quantvista.engine import (
    MISSING,
    MORE,
    Context,
    LimitRates,
    Session,
    SessionClock,
    SleeveCash,
    Tape,
    VenueRates,
    engine_config,
)
from quantvista.market import EventKind, Instrument

KINDS = {
    CLEAR: EventKind.BOOK_CLEAR,
    LEVEL: EventKind.BOOK_LEVEL,
    TRADE: EventKind.TRADE,
    QUOTE: EventKind.QUOTE,
}
SYMBOL = "BTC-USDT.BINANCE"


def session() -> Session:
    """A fund in USDT that trades one coin, without fees, and has been told nothing yet."""
    coin = Instrument(
        SYMBOL,
        matching="l2",
        currency="USDT",
        kind="spot",
        price_precision=PRICE_DIGITS,
        quantity_precision=SIZE_DIGITS,
        tick_size=Decimal(1).scaleb(-PRICE_DIGITS),
        lot_size=Decimal("0.00001"),
    )
    config = engine_config(
        fund="bench",
        currency="USDT",
        instruments=[coin],
        close_only=False,
        sleeves=[SleeveCash("load", Decimal(1_000_000))],
        venue=VenueRates(),
        limits=LimitRates(),
    )
    return Session(config, tape=Tape.empty().columns(), record="nothing")


def blocks(recording: Recording, loops: int) -> Iterator[Tape]:
    """Give each loop's events, one block at a time."""
    kind = np.array([KINDS[each] for each in sorted(KINDS)], np.uint8)[recording.kind]
    is_trade, is_quote = recording.kind == TRADE, recording.kind == QUOTE
    flag = recording.is_ask.astype(np.uint8) + is_trade + MORE * recording.more
    is_clear = recording.kind == CLEAR
    values = {
        "a": np.where(is_clear, MISSING, recording.price),
        "b": np.where(is_clear, MISSING, recording.size),
        "c": np.where(is_quote, recording.ask, MISSING),
        "d": np.where(is_quote, recording.ask_size, MISSING),
    }
    for loop in range(loops):
        ts = recording.ts + loop * PERIOD_NS
        yield Tape.of(kind, ts, flag=flag.astype(np.uint8), values=values)


def replay(made: Session, recording: Recording, block: Tape, loop: int) -> None:
    """Run one loop and send its orders."""
    made.extend(block.columns())
    start = made.row
    for after_ns in sorted({order.after_ns for order in ORDERS}):
        sent_at = recording.time(loop, after_ns)
        made.run(start + int(np.searchsorted(block.ts_received, sent_at)), [])
        orders = [
            (0, "buy" if each.is_buy else "sell", each.size, "limit", "gtc", each.price)
            for each in ORDERS
            if each.after_ns == after_ns
        ]
        if made.fills == 0 and loop == 0 and after_ns == ORDERS[0].after_ns:
            orders.append((0, "buy", FAR_SIZE, "limit", "gtc", FAR_PRICE))
        made.submit_orders(0, orders)
    made.run(made.rows, [])


def work(loops: int) -> tuple[float, int, str, str, str]:
    recording = load()
    made = session()
    watch = Stopwatch()
    for loop, block in enumerate(blocks(recording, loops)):
        with watch:
            replay(made, recording, block, loop)
    made.audit()
    found = outcome(made)
    if len(found.done_ns) != loops * len(ORDERS):
        raise RuntimeError(f"{len(found.done_ns)} orders were filled in {loops} loops")
    return watch.seconds, made.row, __version__, made.state_hash(), str(found)


def outcome(made: Session) -> Outcome:
    """Collect what the peers must find too."""
    book = Context(made, 0, SessionClock(made), None).book(SYMBOL, 1)
    fills, orders = (made.tables()[name] for name in ("fills", "orders"))
    done = dict(zip(_narrow(fills["order_id"]), _narrow(fills["ts"]), strict=True))
    whole = [
        done[number]
        for number, size, filled in zip(
            _narrow(orders["order_id"]),
            _wide(orders["quantity"]),
            _wide(orders["filled"]),
            strict=True,
        )
        if size == filled
    ]
    pairs = zip(_wide(fills["price"]), _wide(fills["quantity"]), strict=True)
    value = Fraction(sum(price * size for price, size in pairs), 10**24)
    return Outcome(made.row, book.bids[0], book.asks[0], sorted(whole), value)


def _narrow(column: bytes) -> list[int]:
    found: list[int] = np.frombuffer(column, np.int64).tolist()
    return found


def _wide(column: bytes) -> list[int]:
    places = range(0, len(column), 16)
    return [int.from_bytes(column[at : at + 16], "little", signed=True) for at in places]


if __name__ == "__main__":
    main(work)
