"""Field types of the fund file: decimals that stay exact, dates, ids."""

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from quantvista.errors import printable

__all__ = [
    "Amount",
    "Bps",
    "Fraction",
    "Instant",
    "InstrumentId",
    "IsoDate",
    "Millis",
    "Money",
    "Multiple",
    "Seconds",
    "SignedBps",
    "SignedMoney",
    "Slug",
    "Step",
    "StrategyRef",
    "Venue",
    "exact_decimal",
    "plain_table",
    "to_e9",
    "with_venue",
]


def exact_decimal(value: object) -> Decimal:
    """Read a number as the decimal that was written.

    Parameters
    ----------
    value : str, int, float or Decimal
        A float counts as its shortest decimal: 0.1 is one tenth.

    Returns
    -------
    decimal.Decimal
        Finite.

    Raises
    ------
    ValueError
        If it is no finite number.

    Examples
    --------
    >>> exact_decimal(0.1), exact_decimal("1000.50")
    (Decimal('0.1'), Decimal('1000.50'))
    """
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be a decimal number")
    if isinstance(value, str) and (not value.isascii() or "_" in value or value != value.strip()):
        raise ValueError("must be a decimal number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError("must be a decimal number") from None
    if not number.is_finite():
        raise ValueError("must be finite")
    if number and not -30 <= number.adjusted() <= 30:
        raise ValueError("must be a number of ordinary size")
    return number


def to_e9(value: Decimal) -> int:
    """Convert a share or rate to whole billionths, as the engine counts them.

    Examples
    --------
    >>> to_e9(Decimal("0.15"))
    150000000
    """
    units = value.scaleb(9)
    assert units == units.to_integral_value(), "validated to at most nine decimals"
    return int(units)


def with_venue(name: object, venue: str) -> object:
    """Append the venue to a bare symbol; what is no text stays as it is.

    Examples
    --------
    >>> with_venue("BRK.B", "XNYS"), with_venue("AAPL.XNAS", "XNAS")
    ('BRK.B.XNYS', 'AAPL.XNAS')
    """
    if not isinstance(name, str) or name.endswith(f".{venue}"):
        return name
    return f"{name}.{venue}"


def plain_table(table: dict[str, Any]) -> dict[str, Any]:
    """Make parameters of a strategy what a fund file can hold.

    Parameters
    ----------
    table : dict
        Exact decimals become floats, since strategies compute in floats; NumPy's scalars become
        Python's. None stays: it is no value that a file can hold, but a value to a strategy.

    Returns
    -------
    dict
        Text, numbers, dates, None, and lists and tables of these.

    Raises
    ------
    ValueError
        If there is anything else in it.

    Examples
    --------
    >>> plain_table({"lookback": np.int64(60), "levels": (Decimal("0.5"), 1)})
    {'lookback': 60, 'levels': [0.5, 1]}
    """
    return {_plain_key(key): _plain(each) for key, each in table.items()}


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | tuple):
        if any(each is None for each in value):
            raise ValueError("must have no None in a list, which a fund file cannot hold")
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return plain_table(value)
    if value is None or isinstance(value, bool | int | float | date):
        return value
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if isinstance(value, str) and printable(value) == value:
        return value
    kind = type(value).__name__
    raise ValueError(f"must hold text, numbers, dates, lists and tables only, not {kind}")


def _plain_key(key: object) -> str:
    if isinstance(key, str) and printable(key) == key:
        return key
    raise ValueError(f"must have text as keys, as in a fund file, not {printable(key, repr)}")


def _decimals(limit: int) -> AfterValidator:
    def check(value: Decimal) -> Decimal:
        shifted = value.scaleb(limit)
        if shifted != shifted.to_integral_value():
            raise ValueError(f"must have at most {limit} decimals")
        return value

    return AfterValidator(check)


def _not_zero(value: Decimal) -> Decimal:
    if not value:
        raise ValueError("must not be zero")
    return value


def _iso_date(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("must be an ISO date such as 2024-01-31") from None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("must be an ISO date such as 2024-01-31")
    return value


def _schema(**keywords: object) -> WithJsonSchema:
    return WithJsonSchema(keywords)


_NUMBER = _schema(anyOf=[{"type": "number"}, {"type": "string"}])
_EXACT = BeforeValidator(exact_decimal)

Fraction = Annotated[Decimal, _EXACT, Field(gt=0, le=1), _decimals(9), _NUMBER]
"""A share of something in (0, 1], at most nine decimals."""

Bps = Annotated[Decimal, _EXACT, Field(ge=0, lt=10_000), _decimals(5), _NUMBER]
"""Basis points, at most five decimals."""

Money = Annotated[Decimal, _EXACT, Field(gt=0, lt=10**15), _decimals(12), _NUMBER]
"""Positive money in the currency of the fund."""

Amount = Annotated[Decimal, _EXACT, Field(ge=0, lt=10**15), _decimals(12), _NUMBER]
"""A number that is not negative, of at most twelve decimals: money, a quantity or a rate."""

SignedMoney = Annotated[
    Decimal,
    _EXACT,
    Field(gt=-(10**15), lt=10**15),
    _decimals(12),
    AfterValidator(_not_zero),
    _NUMBER,
]
"""Money that is paid in or taken out."""

SignedBps = Annotated[Decimal, _EXACT, Field(gt=-10_000, lt=10_000), _decimals(5), _NUMBER]
"""Basis points, which may be a rebate."""

Multiple = Annotated[Decimal, _EXACT, Field(gt=0, le=1000), _decimals(9), _NUMBER]
"""A positive share that may be above one."""

Seconds = Annotated[Decimal, _EXACT, Field(gt=0, le=10**8), _decimals(9), _NUMBER]
"""A positive time, at most nine decimals."""

Millis = Annotated[Decimal, _EXACT, Field(ge=0, le=86_400_000), _decimals(6), _NUMBER]
"""Milliseconds, at most six decimals."""

Step = Annotated[Decimal, _EXACT, Field(gt=0, le=10**6), _decimals(9), _NUMBER]
"""A tick or lot size, at most nine decimals."""

IsoDate = Annotated[
    date, BeforeValidator(_iso_date), _schema(type="string", format="date", title="Date")
]
"""A TOML date, or ISO text."""

_INSTANT = "must be a date, or an instant with an offset such as 2024-03-15T13:30:00Z"


def _instant(value: object) -> object:
    """Understand a date or an instant, as TOML writes them or as ISO text."""
    if isinstance(value, str):
        try:
            parse = datetime.fromisoformat if len(value) > len("2024-03-15") else date.fromisoformat
            value = parse(value)
        except ValueError:
            raise ValueError(_INSTANT) from None
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(_INSTANT)
    if not isinstance(value, date):
        raise ValueError(_INSTANT)
    return value


Instant = Annotated[Any, BeforeValidator(_instant), _schema(type="string", title="Instant")]
"""A TOML date, which is a session, or an instant with an offset."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
"""A short name for folders and ids: lower case letters, digits, ``-`` and ``_``."""

InstrumentId = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9._&-]*\.[A-Z][A-Z0-9]*$")]
"""``SYMBOL.VENUE``."""

Venue = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$")]
"""A market identifier code or another upper-case name."""


def _strategy(value: object) -> object:
    if isinstance(value, str):
        if not value.strip():
            raise ValueError("must not be empty")
        if not value.isprintable():
            raise ValueError("must be a name or a file and a class")
        return value
    from quantvista.strategies import Strategy

    if isinstance(value, Strategy) or (isinstance(value, type) and issubclass(value, Strategy)):
        return value
    raise ValueError('must be a name, "file.py:Class", or in Python a strategy')


StrategyRef = Annotated[Any, BeforeValidator(_strategy), _schema(type="string", minLength=1)]
"""``"trend"``, ``"mine.py:MyTrend"``, or in Python a strategy class or instance."""
