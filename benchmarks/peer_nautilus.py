"""NautilusTrader's backtest engine over the shared bars: the set-up that its programs share."""

from decimal import Decimal

import nautilus_trader
from _common import Bars, symbols
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VERSION = nautilus_trader.__version__
VENUE = Venue("SIM")


def instrument_ids() -> list[InstrumentId]:
    """Of all instruments, in order."""
    return [InstrumentId(Symbol(name), VENUE) for name in symbols()]


def bar_type(instrument_id: InstrumentId) -> BarType:
    """One-minute bars from outside."""
    return BarType.from_str(f"{instrument_id}-1-MINUTE-LAST-EXTERNAL")


def engine(made: Bars, strategy: Strategy) -> BacktestEngine:
    """A backtest over the bars, ready to run: netting, cash account, no logging, fees as set."""
    made_engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id="BENCH-001",
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(max_order_submit_rate="100000000/00:00:01"),
            run_analysis=False,
        )
    )
    made_engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=USD,
        starting_balances=[Money(10_000_000_000, USD)],
        fill_model=FillModel(),
        bar_execution=True,
    )
    ids = instrument_ids()
    for instrument_id in ids:
        made_engine.add_instrument(
            Equity(
                instrument_id=instrument_id,
                raw_symbol=instrument_id.symbol,
                currency=USD,
                price_precision=2,
                price_increment=Price.from_str("0.01"),
                lot_size=Quantity.from_int(1),
                maker_fee=Decimal("0.0001"),
                taker_fee=Decimal("0.0001"),
                ts_event=0,
                ts_init=0,
            )
        )
    made_engine.add_data(_events(made, ids), validate=False)
    made_engine.add_strategy(strategy)
    return made_engine


def _events(made: Bars, ids: list[InstrumentId]) -> list[Bar]:
    types = [bar_type(instrument_id) for instrument_id in ids]
    volume = Quantity.from_int(1_000_000)

    def price(cents: int) -> Price:
        return Price(cents / 100, 2)

    events = []
    for row, ts in enumerate(made.ts.tolist()):
        columns = [column[row].tolist() for column in (made.open, made.high, made.low, made.close)]
        events += [
            Bar(kind, price(o), price(h), price(low), price(c), volume, ts, ts)
            for kind, o, h, low, c in zip(types, *columns, strict=True)
        ]
    return events
