"""The recorded L2 book through NautilusTrader: streamed, one loop after the other.

Timed: ``BacktestEngine.run`` of each loop. Not timed: making its events, adding them.
"""

from fractions import Fraction
from typing import Any

import nautilus_trader
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
    Order,
    Outcome,
    Recording,
    load,
)
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.events import TimeEvent
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import OrderBookDelta, OrderBookDeltas, QuoteTick, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    RecordFlag,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import FIXED_PRECISION, Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("BINANCE")
ID = InstrumentId(Symbol("BTCUSDT"), VENUE)
PRICE_RAW = 10 ** (FIXED_PRECISION - PRICE_DIGITS)
SIZE_RAW = 10 ** (FIXED_PRECISION - SIZE_DIGITS)
TICK, UNIT = 10.0**-PRICE_DIGITS, 10.0**-SIZE_DIGITS
MILLION = 1_000_000


class Resting(Strategy):
    """Sends the orders of each loop at their time, and sees the book, as ours does."""

    def on_start(self) -> None:
        """Ask for the book."""
        self.subscribe_order_book_deltas(ID, BookType.L2_MBP)

    def plan(self, loop: int, recording: Recording) -> None:
        """Wake up when orders of this loop are due."""
        for after_ns in sorted({each.after_ns for each in ORDERS}):
            at = recording.time(loop, after_ns)
            self.clock.set_time_alert_ns(f"{loop} {after_ns}", at, self.on_due)

    def on_due(self, event: TimeEvent) -> None:
        """Send what is due."""
        loop, after_ns = map(int, event.name.split())
        if (loop, after_ns) == (0, ORDERS[0].after_ns):
            self._send(Order(after_ns, True, FAR_PRICE, FAR_SIZE))
        for each in ORDERS:
            if each.after_ns == after_ns:
                self._send(each)

    def _send(self, order: Order) -> None:
        side = OrderSide.BUY if order.is_buy else OrderSide.SELL
        size = Quantity(order.size * UNIT, SIZE_DIGITS)
        price = Price(order.price * TICK, PRICE_DIGITS)
        self.submit_order(self.order_factory.limit(ID, side, size, price))


def engine(strategy: Strategy) -> BacktestEngine:
    """A cash account without fees at a venue of L2 books where orders queue."""
    made = BacktestEngine(
        BacktestEngineConfig(
            trader_id="BENCH-001",
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(max_order_submit_rate="100000000/00:00:01"),
            run_analysis=False,
        )
    )
    made.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        starting_balances=[Money(MILLION, USDT)],
        book_type=BookType.L2_MBP,
        queue_position=True,
    )
    made.add_instrument(
        CurrencyPair(
            instrument_id=ID,
            raw_symbol=ID.symbol,
            base_currency=BTC,
            quote_currency=USDT,
            price_precision=PRICE_DIGITS,
            size_precision=SIZE_DIGITS,
            price_increment=Price(TICK, PRICE_DIGITS),
            size_increment=Quantity(UNIT, SIZE_DIGITS),
            ts_event=0,
            ts_init=0,
        )
    )
    made.add_strategy(strategy)
    return made


class Events:
    """One loop's events as it wants them, made anew for each loop."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        is_book = recording.kind <= LEVEL
        self._levels = np.flatnonzero(is_book)
        self._ends = np.flatnonzero(~recording.more[self._levels]) + 1
        self._trades = np.flatnonzero(recording.kind == TRADE)
        self._quotes = np.flatnonzero(recording.kind == QUOTE)
        self._names = [str(number) for number in range(len(self._trades))]
        # A message lies where its last part does.
        at = [self._levels[self._ends - 1], self._trades, self._quotes]
        self._order = np.argsort(np.concatenate(at), kind="stable").tolist()

    def of(self, loop: int) -> list[Any]:
        """Make a loop's events."""
        made = self._messages(loop) + self._ticks(loop)
        return [made[place] for place in self._order]

    def _messages(self, loop: int) -> list[OrderBookDeltas]:
        recording, rows = self._recording, self._levels
        clear, update, delete = BookAction.CLEAR, BookAction.UPDATE, BookAction.DELETE
        action = np.where(recording.size[rows] > 0, int(update), int(delete))
        action[recording.kind[rows] == CLEAR] = int(clear)
        action[recording.snapshot[rows]] = int(BookAction.ADD)
        side = np.where(recording.is_ask[rows], int(OrderSide.SELL), int(OrderSide.BUY))
        side[recording.kind[rows] == CLEAR] = int(OrderSide.NO_ORDER_SIDE)
        flags = np.where(recording.more[rows], 0, int(RecordFlag.F_LAST))
        flags[recording.snapshot[rows]] |= int(RecordFlag.F_SNAPSHOT)
        make = OrderBookDelta.from_raw
        deltas = [
            make(ID, a, s, p * PRICE_RAW, PRICE_DIGITS, q * SIZE_RAW, SIZE_DIGITS, 0, f, 0, ts, ts)
            for a, s, p, q, f, ts in zip(
                map(BookAction, action.tolist()),
                map(OrderSide, side.tolist()),
                recording.price[rows].tolist(),
                recording.size[rows].tolist(),
                flags.tolist(),
                (recording.ts[rows] + loop * PERIOD_NS).tolist(),
                strict=True,
            )
        ]
        ends = self._ends.tolist()
        return [
            OrderBookDeltas(ID, deltas[first:last])
            for first, last in zip([0, *ends], ends, strict=False)
        ]

    def _ticks(self, loop: int) -> list[Any]:
        recording, trades, quotes = self._recording, self._trades, self._quotes

        def times(rows: Any) -> Any:  # noqa: ANN401
            return (recording.ts[rows] + loop * PERIOD_NS).astype(np.uint64)

        found: list[Any] = TradeTick.from_raw_arrays_to_list(
            ID,
            PRICE_DIGITS,
            SIZE_DIGITS,
            recording.price[trades] * TICK,
            recording.size[trades] * UNIT,
            np.where(recording.is_ask[trades], 2, 1).astype(np.uint8),
            self._names,
            times(trades),
            times(trades),
        )
        found += QuoteTick.from_raw_arrays_to_list(
            ID,
            PRICE_DIGITS,
            SIZE_DIGITS,
            recording.price[quotes] * TICK,
            recording.ask[quotes] * TICK,
            recording.size[quotes] * UNIT,
            recording.ask_size[quotes] * UNIT,
            times(quotes),
            times(quotes),
        )
        return found


def work(loops: int) -> tuple[float, int, str, str, str]:
    recording = load()
    events = Events(recording)
    strategy = Resting()
    made = engine(strategy)
    watch = Stopwatch()
    for loop in range(loops):
        block = events.of(loop)
        made.add_data(block, validate=False)
        strategy.plan(loop, recording)
        with watch:
            made.run(streaming=True)
        made.clear_data()
    found = str(outcome(made, loops * len(recording)))
    return watch.seconds, loops * len(recording), nautilus_trader.__version__, found, found


def outcome(made: BacktestEngine, count: int) -> Outcome:
    """Collect what ours finds too."""
    book = made.cache.order_book(ID)
    filled = made.cache.orders_closed()
    value = sum(Fraction(str(each.avg_px)) * Fraction(str(each.filled_qty)) for each in filled)
    return Outcome(
        count,
        (float(book.best_bid_price()), float(book.best_bid_size())),
        (float(book.best_ask_price()), float(book.best_ask_size())),
        sorted(each.ts_closed for each in filled),
        Fraction(value),
    )


if __name__ == "__main__":
    main(work)
