"""QuantVista: research, backtests and proof of every decision.

Names are loaded when they are first used, so that ``import quantvista`` is quick.

Examples
--------
>>> import quantvista as qv
>>> qv.Instrument("AAPL.XNAS").currency
'USD'
"""

from importlib import import_module
from typing import TYPE_CHECKING

from quantvista import errors
from quantvista._version import __version__

if TYPE_CHECKING:
    from quantvista._api import Result, run
    from quantvista.fund import Fund, load_fund
    from quantvista.market import Instrument, Panel
    from quantvista.strategies import (
        Bar,
        Book,
        ComputeResult,
        Context,
        EventStrategy,
        Fill,
        OrderEvent,
        PortfolioStrategy,
        Quote,
        Strategy,
        StrategyParams,
        Timer,
        Trade,
    )

__all__ = [
    "Bar",
    "Book",
    "ComputeResult",
    "Context",
    "EventStrategy",
    "Fill",
    "Fund",
    "Instrument",
    "OrderEvent",
    "Panel",
    "PortfolioStrategy",
    "Quote",
    "Result",
    "Strategy",
    "StrategyParams",
    "Timer",
    "Trade",
    "__version__",
    "errors",
    "load_fund",
    "run",
]

_HOME = {
    **dict.fromkeys(("Result", "run"), "quantvista._api"),
    **dict.fromkeys(("Fund", "load_fund"), "quantvista.fund"),
    **dict.fromkeys(("Instrument", "Panel"), "quantvista.market"),
    **dict.fromkeys(
        (
            "Bar",
            "Book",
            "ComputeResult",
            "Context",
            "EventStrategy",
            "Fill",
            "OrderEvent",
            "PortfolioStrategy",
            "Quote",
            "Strategy",
            "StrategyParams",
            "Timer",
            "Trade",
        ),
        "quantvista.strategies",
    ),
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'quantvista' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
