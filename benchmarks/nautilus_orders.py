"""Market orders through NautilusTrader: one for every bar, each filled at once.

They only buy: with every position that closes, its analyser copies the list of those closed
before, and the run takes a time that grows with its square. Its risk engine is on, as it is by
default. Timed: ``BacktestEngine.run``.
"""

from _common import Stopwatch, bars, main
from nautilus_trader.model.data import Bar
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.objects import Quantity
from nautilus_trader.trading.strategy import Strategy
from peer_nautilus import VERSION, bar_type, engine, instrument_ids


class Load(Strategy):
    """Buys what a bar is of."""

    seen = 0

    def on_start(self) -> None:
        """Ask for the bars."""
        self.quantity = Quantity.from_int(100)
        for instrument_id in instrument_ids():
            self.subscribe_bars(bar_type(instrument_id))

    def on_bar(self, bar: Bar) -> None:
        """Send one order."""
        instrument_id = bar.bar_type.instrument_id
        self.submit_order(self.order_factory.market(instrument_id, OrderSide.BUY, self.quantity))
        self.seen += 1


def work(rows: int) -> tuple[float, int, str, str]:
    made = bars(rows)
    strategy = Load()
    prepared = engine(made, strategy)
    with Stopwatch() as watch:
        prepared.run()
    filled = prepared.cache.orders_closed_count()
    if filled != made.close.size:
        raise RuntimeError(f"{filled} of {made.close.size} orders were filled")
    return watch.seconds, filled, VERSION, ""


if __name__ == "__main__":
    main(work)
