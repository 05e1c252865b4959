"""What can be wrong with bars, quotes and trades: severity, policy and words of each check."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CHECKS", "CHECKS_OF", "POLICIES", "QUOTE_CHECKS", "SEVERITIES", "TRADE_CHECKS", "Check"]

SEVERITIES = ("info", "warning", "error")
POLICIES = ("keep", "flag", "quarantine", "repair")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with rows.

    Parameters
    ----------
    name : str
        As options and flags call it.
    severity : str
        One of `SEVERITIES`.
    policy : str
        One of `POLICIES`, unless another is asked for.
    text : str
        What it looks for, and by which rule.
    repair : str
        What a repair does; empty where nothing sensible can be done.
    """

    name: str
    severity: str
    policy: str
    text: str
    repair: str = ""


def _catalogue(*checks: Check) -> Mapping[str, Check]:
    return MappingProxyType({each.name: each for each in checks})


CHECKS = _catalogue(
    Check(
        "missing_value",
        "error",
        "quarantine",
        "A price is missing beside others that are there, or is no finite number.",
    ),
    Check(
        "time_order",
        "warning",
        "repair",
        "A row stands after a later one of its instrument.",
        "Rows are sorted by time.",
    ),
    Check(
        "duplicate",
        "error",
        "quarantine",
        "A time stands more than once for an instrument; the first row is kept.",
        "The first row is kept.",
    ),
    Check("price_sign", "error", "quarantine", "A price is zero or negative."),
    Check(
        "swapped",
        "error",
        "quarantine",
        "High and low have changed places, or a price and the volume have.",
        "The two are put back in their places.",
    ),
    Check(
        "ohlc_order",
        "error",
        "quarantine",
        "Open or close lies outside low to high, by more than one part in a million.",
        "High and low are widened to hold open and close.",
    ),
    Check("negative_volume", "error", "quarantine", "The volume is negative."),
    Check(
        "zero_volume",
        "warning",
        "flag",
        "The volume is zero in a bar whose price moved.",
    ),
    Check(
        "gap",
        "warning",
        "flag",
        "A session of the calendar between the first and the last bar has none; within a "
        "day, a bar is missing at the usual spacing.",
    ),
    Check(
        "stale",
        "warning",
        "flag",
        "The whole bar repeats itself three times or more, or the close does so longer "
        "than chance allows.",
    ),
    Check(
        "outlier",
        "error",
        "quarantine",
        "A close, high or low jumps by more than 10 robust deviations and 8 %, and is "
        "back at the next bar.",
    ),
    Check(
        "unadjusted_split",
        "error",
        "flag",
        "The price opens at a whole ratio of the last close, stays there, and volume "
        "changes the other way.",
    ),
    Check(
        "unadjusted_dividend",
        "warning",
        "flag",
        "The price falls by a known dividend on its ex-date, in closes that are said to "
        "be adjusted.",
    ),
    Check(
        "magnitude",
        "error",
        "quarantine",
        "Prices are 100 or 1,000 times those around them: pence for pounds, cents for dollars.",
        "Prices are divided back.",
    ),
    Check(
        "time_zone",
        "error",
        "flag",
        "Bars within the day fit the sessions of the calendar only after a shift of whole hours.",
    ),
    Check(
        "disagreement",
        "warning",
        "flag",
        "The close differs from that of another source by more than 8 robust deviations "
        "and half a percent.",
    ),
    Check(
        "market_event",
        "info",
        "keep",
        "A large move on a day that is known for it; it is no error.",
    ),
)
"""Checks of bars, by name, in the order in which they look."""
_TIME_ORDER = CHECKS["time_order"]
_SIGN = Check("price_sign", "error", "quarantine", "A price is zero or negative.")
_SIZE = Check(
    "size_sign",
    "error",
    "quarantine",
    "A size is zero or negative; a column in which all are zero says nothing and is not looked at.",
)
_MAGNITUDE = CHECKS["magnitude"]
_OUTLIER = (
    "jumps by more than 10 robust deviations and half a percent, seen from the 25 rows before as "
    "well as from the 25 after."
)
_ZONE = Check(
    "time_zone",
    "error",
    "flag",
    "The rows fit the sessions of the calendar only after a shift of whole hours.",
)
_OUTSIDE = Check(
    "outside_session",
    "info",
    "keep",
    "A row lies outside the sessions of the calendar: before the open or after the close.",
)
_HOLE = (
    "A session of the calendar has none; or within one there is none for more than a minute and "
    "six times as long as one in a hundred of the waits around."
)
_REPEATED = (
    "the whole row stands before already at the same time, in data where that is rare; or "
    "stretches stand twice, as where files overlap."
)
QUOTE_CHECKS = _catalogue(
    Check(
        "missing_value",
        "error",
        "quarantine",
        "Neither bid nor ask is there, or one is no finite number.",
    ),
    _TIME_ORDER,
    Check(
        "duplicate",
        "error",
        "quarantine",
        f"A quote stands twice: {_REPEATED}",
        "The first row is kept.",
    ),
    _SIGN,
    _SIZE,
    Check(
        "swapped",
        "error",
        "quarantine",
        "Bid and ask have changed places, in a row or in the whole file, or a price and its size.",
        "The two are put back in their places.",
    ),
    Check("crossed", "error", "quarantine", "The bid is above the ask."),
    Check("locked", "info", "keep", "Bid and ask are equal, which happens."),
    Check(
        "one_sided",
        "warning",
        "flag",
        "Bid or ask is missing, in quotes of which at least 99 % have both.",
    ),
    Check(
        "wide_spread",
        "warning",
        "flag",
        "The spread is more than 15 times the median of the 2,001 quotes around.",
    ),
    Check("gap", "warning", "flag", _HOLE),
    Check(
        "stale",
        "warning",
        "flag",
        "Quotes keep coming and repeat themselves, prices and sizes, for much longer than chance "
        "allows, at 20 times at least.",
    ),
    Check("outlier", "error", "quarantine", f"A bid or an ask {_OUTLIER}"),
    _MAGNITUDE,
    _ZONE,
    _OUTSIDE,
)
"""Checks of quotes, by name."""
TRADE_CHECKS = _catalogue(
    Check(
        "missing_value",
        "error",
        "quarantine",
        "The price or the size is missing, or is no finite number.",
    ),
    _TIME_ORDER,
    Check(
        "duplicate",
        "error",
        "quarantine",
        f"A trade stands twice: its id does, where there are ids; else {_REPEATED}",
        "The first row is kept.",
    ),
    Check(
        "id_gap",
        "warning",
        "flag",
        "Ids that count on leave some out.",
    ),
    _SIGN,
    _SIZE,
    Check(
        "swapped",
        "error",
        "quarantine",
        "The price and the size have changed places.",
        "The two are put back in their places.",
    ),
    Check("gap", "warning", "flag", _HOLE),
    Check(
        "stale",
        "warning",
        "flag",
        "Trades keep coming at one price and of one size for much longer than chance allows, at "
        "20 times at least.",
    ),
    Check("outlier", "error", "quarantine", f"A price {_OUTLIER}"),
    _MAGNITUDE,
    _ZONE,
    _OUTSIDE,
)
"""Checks of trades, by name."""
CHECKS_OF: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {"bars": CHECKS, "quotes": QUOTE_CHECKS, "trades": TRADE_CHECKS}
)
"""The same by what the rows are."""
