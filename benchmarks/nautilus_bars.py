"""Bars through NautilusTrader: a strategy that rests one far order per instrument, no more.

Timed: ``BacktestEngine.run``. Not timed: making the bars, adding them.
"""

from _common import Stopwatch, bars, far_limits, main
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.objects import Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from peer_nautilus import VERSION, engine, instrument_ids


class Resting(Strategy):
    """Submits its orders at the start and then does nothing; it subscribes to no bars."""

    limits: list[int]

    def on_start(self) -> None:
        """Place the orders."""
        for instrument_id, cents in zip(instrument_ids(), self.limits, strict=True):
            order = self.order_factory.limit(
                instrument_id, OrderSide.BUY, Quantity.from_int(1), Price(cents / 100, 2)
            )
            self.submit_order(order)


def work(rows: int) -> tuple[float, int, str, str]:
    made = bars(rows)
    strategy = Resting()
    strategy.limits = far_limits(made)
    prepared = engine(made, strategy)
    with Stopwatch() as watch:
        prepared.run()
    resting = prepared.cache.orders_open_count()
    if resting != len(strategy.limits):
        raise RuntimeError(f"{resting} of {len(strategy.limits)} orders rest")
    return watch.seconds, made.close.size, VERSION, ""


if __name__ == "__main__":
    main(work)
