"""Numbers and dates as the whole product writes them: a real minus, thousands apart, no ``inf``."""

import datetime as dt
import math
from decimal import Decimal

__all__ = ["MISSING", "day_count", "money", "number", "percent", "short", "spoken_date"]

MISSING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{NARROW NO-BREAK SPACE}"
_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def number(value: float | None, digits: int = 0) -> str:
    """Write a number with `digits` decimals.

    Examples
    --------
    >>> number(1234.5, 1), number(None), number(-0.0001, 2)
    ('1,234.5', '–', '0.00')
    """  # noqa: RUF002
    if value is None or not math.isfinite(value):
        return MISSING
    return _signed(f"{value:,.{digits}f}")


def percent(value: float | None, digits: int = 1) -> str:
    """Write a fraction as a percentage, without a line break before the sign."""
    return MISSING if value is None else f"{number(value * 100, digits)}{_THIN}%"


def money(amount: Decimal, digits: int = 2) -> str:
    """Write an exact amount with `digits` decimals.

    Examples
    --------
    >>> money(Decimal("1234567.891"))
    '1,234,567.89'
    """
    return _signed(f"{amount:,.{digits}f}")


def short(value: float) -> str:
    r"""Write three significant digits and a suffix.

    Examples
    --------
    >>> short(1_254_000.0).replace("\u202f", " "), short(999_600.0).replace("\u202f", " ")
    ('1.25 M', '1.00 M')
    """
    for limit, suffix in _SUFFIXES:
        if abs(value) >= limit * 0.9995:  # what would round up to the limit takes its suffix
            return f"{_significant(value / limit)}{_THIN}{suffix}"
    return _significant(value)


def day_count(days: float | None) -> str:
    """Write a number of days with its unit."""
    if days is None:
        return MISSING
    return f"{number(days)}{_THIN}{'day' if days == 1 else 'days'}"


def spoken_date(iso: str | None) -> str:
    """Write an ISO date for a heading.

    Examples
    --------
    >>> spoken_date("2008-03-09")
    '9 March 2008'
    """
    if iso is None:
        return MISSING
    date = dt.date.fromisoformat(iso)
    return f"{date.day} {date:%B} {date.year}"


def _significant(value: float) -> str:
    size = abs(value)
    return number(value, 0 if size >= 99.95 else 1 if size >= 9.995 else 2)


def _signed(text: str) -> str:
    if text.startswith("-"):
        return text.replace("-", _MINUS if any(digit in text for digit in "123456789") else "")
    return text
