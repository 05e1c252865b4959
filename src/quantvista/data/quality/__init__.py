"""What is wrong with data: checks with a severity and a policy each, a scorecard, repairs."""

from quantvista.data.quality._catalogue import (
    CHECKS,
    CHECKS_OF,
    POLICIES,
    QUOTE_CHECKS,
    SEVERITIES,
    TRADE_CHECKS,
    Check,
)
from quantvista.data.quality._check import check_bars
from quantvista.data.quality._check_ticks import check_quotes, check_trades
from quantvista.data.quality._events import MARKET_EVENTS
from quantvista.data.quality._repair import Repaired, apart, repair_rows
from quantvista.data.quality._types import FLAGS, NOUNS, PRICES, CheckOptions, Report, counted

__all__ = [
    "CHECKS",
    "CHECKS_OF",
    "FLAGS",
    "MARKET_EVENTS",
    "NOUNS",
    "POLICIES",
    "PRICES",
    "QUOTE_CHECKS",
    "SEVERITIES",
    "TRADE_CHECKS",
    "Check",
    "CheckOptions",
    "Repaired",
    "Report",
    "apart",
    "check_bars",
    "check_quotes",
    "check_trades",
    "counted",
    "repair_rows",
]
