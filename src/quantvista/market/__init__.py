"""What is traded and when: instruments, session calendars and price panels."""

from quantvista.market._cache import cache_dir
from quantvista.market._calendar import Sessions, sessions
from quantvista.market._currency import currency_digits
from quantvista.market._exchange import CalendarReachError
from quantvista.market._instrument import Instrument, check_instrument_id
from quantvista.market._panel import Panel

__all__ = [
    "CalendarReachError",
    "Instrument",
    "Panel",
    "Sessions",
    "cache_dir",
    "check_instrument_id",
    "currency_digits",
    "sessions",
]
