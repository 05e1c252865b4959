"""The recorded L2 book through hftbacktest: a file of events for each loop.

Its reader takes one file after the other, and reads the next while the last is used. Timed: all
of the replay, that reading included. Not timed: writing the files, compiling.
"""

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import hftbacktest as hft
import numpy as np
from _common import Stopwatch, main
from _l2 import (
    CLEAR,
    FAR_PRICE,
    FAR_SIZE,
    ORDERS,
    PERIOD_NS,
    PRICE_DIGITS,
    QUOTE,
    SIZE_DIGITS,
    TRADE,
    Order,
    Outcome,
    Recording,
    load,
)
from hftbacktest.types import event_dtype
from numba import njit
from numpy.typing import NDArray

type Engine = hft.HashMapMarketDepthBacktest_TypeHint
type Sent = tuple[int, bool, float, float]

TICK, UNIT = 10.0**-PRICE_DIGITS, 10.0**-SIZE_DIGITS


def events(recording: Recording) -> NDArray[np.void]:
    """Rows as it wants them; what happened is known at once, as in ours."""
    kind = np.full(len(recording), hft.DEPTH_EVENT, np.uint64)
    kind[recording.snapshot] = hft.DEPTH_SNAPSHOT_EVENT
    for ours, theirs in (
        (CLEAR, hft.DEPTH_CLEAR_EVENT),
        (TRADE, hft.TRADE_EVENT),
        (QUOTE, hft.DEPTH_BBO_EVENT),
    ):
        kind[recording.kind == ours] = theirs
    side = np.where(recording.is_ask, hft.SELL_EVENT, hft.BUY_EVENT).astype(np.uint64)
    side[recording.kind == CLEAR] = 0
    rows = np.zeros(len(recording), event_dtype)
    rows["ev"] = kind | side | np.uint64(hft.EXCH_EVENT | hft.LOCAL_EVENT)
    rows["exch_ts"] = rows["local_ts"] = recording.ts
    rows["px"], rows["qty"] = recording.price * TICK, recording.size * UNIT
    return rows


def write(rows: NDArray[np.void], loops: int, folder: Path) -> Iterator[str]:
    """Write a file for each loop."""
    for loop in range(loops):
        path = folder / f"{loop:03}.npy"
        np.save(path, rows)
        rows["exch_ts"] += PERIOD_NS
        rows["local_ts"] += PERIOD_NS
        yield str(path)


@njit  # type: ignore[untyped-decorator]
def number(loop: int, each: int) -> int:
    """Give an order of a loop its number; 0 is the one that rests."""
    return 10 * loop + each + 1


@njit  # type: ignore[untyped-decorator]
def send(engine: Engine, name: int, order: Sent) -> None:
    """Send a limit order."""
    _, is_buy, price, size = order
    if is_buy:
        engine.submit_buy_order(0, name, price, size, hft.GTC, hft.LIMIT, False)
    else:
        engine.submit_sell_order(0, name, price, size, hft.GTC, hft.LIMIT, False)


@njit  # type: ignore[untyped-decorator]
def replay(engine: Engine, loops: int, start: int, orders: tuple[Sent, ...], far: Sent) -> bool:
    """Send the orders of each loop, and let the time between them pass."""
    engine.elapse(1)  # from the time of the first event, which is that of the first snapshot
    for loop in range(loops):
        begun = start + loop * PERIOD_NS
        for each in range(len(orders)):
            wait = begun + orders[each][0] - engine.current_timestamp
            if wait > 0 and engine.elapse(wait) != 0:
                return False
            if loop == 0 and each == 0:
                send(engine, 0, far)
            send(engine, number(loop, each), orders[each])
        if engine.elapse(begun + PERIOD_NS - 1 - engine.current_timestamp) != 0:
            return loop == loops - 1
    return True


def engine(files: list[str]) -> Engine:
    """A market without fees or latency; orders queue behind all that is there."""
    asset = (
        hft.BacktestAsset()
        .data(files)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .no_partial_fill_exchange()
        .trading_value_fee_model(0, 0)
        .tick_size(TICK)
        .lot_size(UNIT)
    )
    return hft.HashMapMarketDepthBacktest([asset])


def prepared(order: Order) -> Sent:
    """Give an order in its units."""
    return order.after_ns, order.is_buy, order.price * TICK, order.size * UNIT


def work(loops: int) -> tuple[float, int, str, str, str]:
    recording = load()
    orders = tuple(prepared(each) for each in ORDERS)
    far = prepared(Order(0, True, FAR_PRICE, FAR_SIZE))
    with tempfile.TemporaryDirectory() as folder:
        files = list(write(events(recording), loops, Path(folder)))
        warm = engine(files[:1])
        replay(warm, 0, 0, orders, far)
        warm.close()
        made = engine(files)
        with Stopwatch() as watch:
            done = replay(made, loops, int(recording.ts[0]), orders, far)
    if not done:
        raise RuntimeError(f"ended at {made.current_timestamp}")
    found = str(outcome(made, loops, loops * len(recording)))
    return watch.seconds, loops * len(recording), hft.__version__, found, found


def outcome(made: Engine, loops: int, count: int) -> Outcome:
    """Collect what ours finds too."""
    state, depth, orders = made.state_values(0), made.depth(0), made.orders(0)
    sent = [orders.get(number(loop, each)) for loop in range(loops) for each in range(len(ORDERS))]
    filled = [order.exch_timestamp for order in sent if order.status == hft.FILLED]
    return Outcome(
        count,
        (depth.best_bid, depth.best_bid_qty),
        (depth.best_ask, depth.best_ask_qty),
        sorted(filled),
        Fraction(round(state.trading_value * 10**6), 10**6),
    )


if __name__ == "__main__":
    main(work)
