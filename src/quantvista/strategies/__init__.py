"""What decides: base classes for users' strategies, the shipped ones, and their loader."""

from quantvista.strategies._base import (
    EventStrategy,
    Exposure,
    PortfolioStrategy,
    Strategy,
    Weighting,
)
from quantvista.strategies._context import (
    Bar,
    Book,
    Clock,
    Context,
    Fill,
    OrderEvent,
    OrderView,
    Quote,
    QuoteView,
    Timer,
    Trade,
)
from quantvista.strategies._cross_venue import CrossVenueArbitrage
from quantvista.strategies._equal_weight import EqualWeight
from quantvista.strategies._forecast import ask_forecast, checked_warm_up
from quantvista.strategies._guard import iso_utc, run_guarded, strategy_error
from quantvista.strategies._loader import SHIPPED, load_strategy
from quantvista.strategies._market_maker import MarketMaker
from quantvista.strategies._momentum import Momentum
from quantvista.strategies._params import StrategyParams, plain_params
from quantvista.strategies._random import dump_rng, load_rng, make_rng
from quantvista.strategies._result import ComputeResult
from quantvista.strategies._signals import checked_features
from quantvista.strategies._trend import Trend
from quantvista.strategies._triangular import TriangularArbitrage

__all__ = [
    "SHIPPED",
    "Bar",
    "Book",
    "Clock",
    "ComputeResult",
    "Context",
    "CrossVenueArbitrage",
    "EqualWeight",
    "EventStrategy",
    "Exposure",
    "Fill",
    "MarketMaker",
    "Momentum",
    "OrderEvent",
    "OrderView",
    "PortfolioStrategy",
    "Quote",
    "QuoteView",
    "Strategy",
    "StrategyParams",
    "Timer",
    "Trade",
    "Trend",
    "TriangularArbitrage",
    "Weighting",
    "ask_forecast",
    "checked_features",
    "checked_warm_up",
    "dump_rng",
    "iso_utc",
    "load_rng",
    "load_strategy",
    "make_rng",
    "plain_params",
    "run_guarded",
    "strategy_error",
]
