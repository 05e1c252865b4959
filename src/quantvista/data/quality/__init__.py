"""What is wrong with data: checks with a severity and a policy each, a scorecard, repairs."""

from quantvista.data.quality._check import check_bars
from quantvista.data.quality._events import MARKET_EVENTS
from quantvista.data.quality._repair import Repaired, apart, repair_bars
from quantvista.data.quality._types import (
    CHECKS,
    FLAGS,
    POLICIES,
    SEVERITIES,
    Check,
    CheckOptions,
    Report,
    counted,
)

__all__ = [
    "CHECKS",
    "FLAGS",
    "MARKET_EVENTS",
    "POLICIES",
    "SEVERITIES",
    "Check",
    "CheckOptions",
    "Repaired",
    "Report",
    "apart",
    "check_bars",
    "counted",
    "repair_bars",
]
