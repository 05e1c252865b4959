"""What is traded and when: instruments, calendars, price panels and market events."""

from quantvista.market._actions import ACTIONS, CorporateAction
from quantvista.market._adjusted import adjusted, distinct_actions
from quantvista.market._cache import cache_dir
from quantvista.market._calendar import Sessions, sessions
from quantvista.market._check_records import check_records
from quantvista.market._continuous import calendar_zone
from quantvista.market._currency import CURRENCIES, check_declared, currency_digits
from quantvista.market._exchange import CalendarReachError
from quantvista.market._futures import (
    Continuous,
    Contracts,
    Roll,
    RollRule,
    continuous,
    roll_schedule,
)
from quantvista.market._instrument import (
    KINDS,
    MATCHING,
    REFUSED_KINDS,
    SETTLEMENTS,
    Instrument,
    check_instrument_id,
)
from quantvista.market._master import FACTS, SecurityMaster
from quantvista.market._panel import Panel
from quantvista.market._records import OPTIONAL, SCHEMAS, EventKind, Records
from quantvista.market._session_dates import session_dates, session_ends

__all__ = [
    "ACTIONS",
    "CURRENCIES",
    "FACTS",
    "KINDS",
    "MATCHING",
    "OPTIONAL",
    "REFUSED_KINDS",
    "SCHEMAS",
    "SETTLEMENTS",
    "CalendarReachError",
    "Continuous",
    "Contracts",
    "CorporateAction",
    "EventKind",
    "Instrument",
    "Panel",
    "Records",
    "Roll",
    "RollRule",
    "SecurityMaster",
    "Sessions",
    "adjusted",
    "cache_dir",
    "calendar_zone",
    "check_declared",
    "check_instrument_id",
    "check_records",
    "continuous",
    "currency_digits",
    "distinct_actions",
    "roll_schedule",
    "session_dates",
    "session_ends",
    "sessions",
]
