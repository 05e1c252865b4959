"""Instruments of data: the defaults of ``[data]``, and what an ``[[instrument]]`` says instead."""

import datetime as dt
import difflib
from dataclasses import fields
from decimal import Decimal
from typing import Any

import numpy as np

from quantvista.data._types import DataSpec
from quantvista.errors import ConfigError
from quantvista.market import Instrument, sessions

__all__ = [
    "check_declared_fields",
    "decimals",
    "make_instrument",
    "negative_prices",
    "price_digits",
]

_FIELDS = tuple(each.name for each in fields(Instrument) if each.name != "id")
_INSTANTS = {"expiry": "close_ns", "effective_from": "open_ns", "effective_to": "close_ns"}


def decimals(step: Decimal) -> int:
    """Decimals that a step needs.

    Examples
    --------
    >>> decimals(Decimal("0.0500")), decimals(Decimal("1"))
    (2, 0)
    """
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def price_digits(spec: DataSpec, name: str = "") -> int:
    """Decimals of the prices of an instrument, or of those that are not declared."""
    own = spec.declared.get(name, {})
    if "price_precision" in own:
        return int(own["price_precision"])  # type: ignore[call-overload, no-any-return]
    step = own.get("tick_size", spec.tick_size)
    return decimals(step) if isinstance(step, Decimal) else 2


def negative_prices(spec: DataSpec, name: str) -> bool:
    """Whether the prices of an instrument may be zero or less."""
    return bool(spec.declared.get(name, {}).get("allow_negative_prices", False))


def check_declared_fields(spec: DataSpec) -> None:
    """Refuse fields of declared instruments that there are not.

    Raises
    ------
    ConfigError
        Naming the field, and the nearest that there is.
    """
    for name, own in spec.declared.items():
        for field in own:
            if field not in _FIELDS:
                near = difflib.get_close_matches(field, _FIELDS, n=1)
                hint = f"; did you mean `{near[0]}`?" if near else ""
                raise ConfigError(f"`instrument.{field}` is unknown for '{name}'{hint}")


def make_instrument(
    name: str, spec: DataSpec, currency: str, calendar: str, matching: str = "bars"
) -> Instrument:
    """Make an instrument of what is declared of it, and of defaults.

    Parameters
    ----------
    name : str
        Its id.
    spec : DataSpec
        With steps and sectors for all, and what is declared of some.
    currency, calendar : str
        Of the fund. Dates of an expiry or a listing are sessions of the calendar.
    matching : str
        Data that orders are matched against, unless it is declared.

    Returns
    -------
    Instrument
        Precisions are those that the steps need, unless they are declared.

    Raises
    ------
    ConfigError
        If a field breaks a rule of `Instrument`.
    """
    own = dict(spec.declared.get(name, {}))
    tick = own.pop("tick_size", spec.tick_size or Decimal("0.01"))
    lot = own.pop("lot_size", spec.lot_size or Decimal(1))
    assert isinstance(tick, Decimal), "a declared step is a decimal"
    assert isinstance(lot, Decimal), "a declared step is a decimal"
    values: dict[str, Any] = {
        "currency": currency,
        "price_precision": decimals(tick),
        "quantity_precision": decimals(lot),
        "sector": spec.sectors.get(name, ""),
        "matching": matching,
        **{field: _value(field, value, name, calendar) for field, value in own.items()},
    }
    return Instrument(id=name, tick_size=tick, lot_size=lot, **values)


def _value(field: str, value: object, name: str, calendar: str) -> object:
    """Turn the date of an instant into the open or close of that session."""
    if field not in _INSTANTS or not isinstance(value, dt.date):
        return value
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ConfigError(f"`{field}` must have a UTC offset; found {value} for '{name}'")
        delta = value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return (delta // dt.timedelta(microseconds=1)) * 1000
    days = sessions(calendar, np.datetime64(value), np.datetime64(value))
    if not len(days):
        raise ConfigError(f"`{field}` must be a session of {calendar}; found {value} for '{name}'")
    return int(getattr(days, _INSTANTS[field])[0])
