"""Callbacks of a NautilusTrader strategy: three reads each, and an order at every tenth.

Timed: ``BacktestEngine.run``.
"""

from _common import Stopwatch, bars, main
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.objects import Quantity
from nautilus_trader.trading.strategy import Strategy
from peer_nautilus import VENUE, VERSION, bar_type, engine, instrument_ids


class Load(Strategy):
    """Buys one share at every tenth bar and sells it at the next occasion."""

    seen = 0
    total = 0.0

    def on_start(self) -> None:
        """Ask for the bars."""
        self.quantity = Quantity.from_int(1)
        self.account = self.portfolio.account(VENUE)
        for instrument_id in instrument_ids():
            self.subscribe_bars(bar_type(instrument_id))

    def on_bar(self, bar: Bar) -> None:
        """Read the close, the position and the cash."""
        instrument_id = bar.bar_type.instrument_id
        held = float(self.portfolio.net_position(instrument_id))
        cash = float(self.account.balance_free(USD))
        self.total += float(bar.close) + held + cash
        self.seen += 1
        if self.seen % 10 == 0:
            side = OrderSide.SELL if held else OrderSide.BUY
            self.submit_order(self.order_factory.market(instrument_id, side, self.quantity))


def work(rows: int) -> tuple[float, int, str, str]:
    made = bars(rows)
    strategy = Load()
    prepared = engine(made, strategy)
    with Stopwatch() as watch:
        prepared.run()
    if strategy.seen != made.close.size or not prepared.cache.orders_closed_count():
        raise RuntimeError(f"{strategy.seen} callbacks")
    return watch.seconds, strategy.seen, VERSION, ""


if __name__ == "__main__":
    main(work)
