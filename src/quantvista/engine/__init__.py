"""The Python face of the Rust engine: its set-up, its feed, and its tables.

The engine is exact: everything that goes in is an integer, in the units of ``docs/engine/bars.md``.
This package is the one place where prices become integers, and where the engine's integers
become tables of exact decimals.
"""

from quantvista._native import (
    FORMAT_VERSION,
    ORDER_MATRIX,
    SEMANTICS,
    Context,
    RawEngine,
    Session,
)
from quantvista.engine._actions import engine_action
from quantvista.engine._clock import SessionClock
from quantvista.engine._config import engine_config, money_units, split_cash
from quantvista.engine._events import records_tape
from quantvista.engine._feed import BarArrays, bar_feed
from quantvista.engine._instruments import engine_instrument
from quantvista.engine._tables import run_tables, text_array
from quantvista.engine._tape import MISSING, MORE, Tape, merge_tapes
from quantvista.engine._terms import (
    AccountTerms,
    BreakerLimit,
    BreakerLimits,
    CurrencyTerms,
    FeeTier,
    Impact,
    Latency,
    LimitRates,
    RateLimit,
    SleeveCash,
    SleeveLimits,
    VarLimit,
    VenueRates,
)

__all__ = [
    "FORMAT_VERSION",
    "MISSING",
    "MORE",
    "ORDER_MATRIX",
    "SEMANTICS",
    "AccountTerms",
    "BarArrays",
    "BreakerLimit",
    "BreakerLimits",
    "Context",
    "CurrencyTerms",
    "FeeTier",
    "Impact",
    "Latency",
    "LimitRates",
    "RateLimit",
    "RawEngine",
    "Session",
    "SessionClock",
    "SleeveCash",
    "SleeveLimits",
    "Tape",
    "VarLimit",
    "VenueRates",
    "bar_feed",
    "engine_action",
    "engine_config",
    "engine_instrument",
    "merge_tapes",
    "money_units",
    "records_tape",
    "run_tables",
    "split_cash",
    "text_array",
]
