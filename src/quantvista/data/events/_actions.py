"""Tables of corporate actions, and those that LEAN's factor files imply."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from quantvista.data._read import read_table
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import CorporateAction, check_instrument_id, sessions

__all__ = ["actions_of_factors", "parse_action", "read_actions", "read_factors"]

_WHOLE = ("numerator", "denominator", "price_precision", "quantity_precision")
_DECIMAL = ("amount", "price", "into_price", "cost_share", "tick_size", "lot_size")
_TEXT = ("into", "symbol")
_KNOWN = ("ex_date", "instrument", "action", "ratio", *_WHOLE, *_DECIMAL, *_TEXT)
_RATIO_MAX = 100
_RATIO_NOISE = Fraction(1, 10**5)  # factors have seven or eight decimals
_MONEY = Decimal("1e-12")


def read_actions(path: Path, where: str) -> tuple[CorporateAction, ...]:
    """Read a CSV or Parquet file of corporate actions.

    Parameters
    ----------
    path : pathlib.Path
        With columns ``ex_date``, ``instrument``, ``action`` and those that its actions need;
        ``ratio`` may stand for numerator and denominator, as in ``4:1``.
    where : str
        What messages call it.

    Returns
    -------
    tuple of CorporateAction
        In the order of ex-dates, then of the file.

    Raises
    ------
    MarketDataError
        If the file or a row cannot be used; it names the row.
    """
    table = read_table(path, where)
    frame = table.frame.rename({name: name.lower() for name in table.frame.columns})
    for name in frame.columns:
        if name not in _KNOWN:
            raise MarketDataError(
                f"{where}: column {name!r} is unknown; columns are {', '.join(_KNOWN)}"
            )
    found = []
    for index, row in enumerate(frame.iter_rows(named=True)):
        given = {
            key: value for key, value in row.items() if value is not None and str(value).strip()
        }
        try:
            found.append(parse_action(given))
        except ConfigError as error:
            row_number = table.row_first + index
            raise MarketDataError(f"{where}: {error} in row {row_number}") from None
    return tuple(sorted(found, key=lambda action: action.ex_date))


def parse_action(given: Mapping[str, object]) -> CorporateAction:
    """Make an action of named values, as a row or a table of a fund file has them.

    Parameters
    ----------
    given : mapping
        ``ex_date``, ``instrument``, ``action``, and what it needs; text or values.

    Returns
    -------
    CorporateAction
        Checked.

    Raises
    ------
    ConfigError
        If something is missing or is not what it must be.
    """
    values = dict(given)
    for name in ("ex_date", "instrument", "action"):
        if name not in values:
            raise ConfigError(f"`{name}` must be there for each action; found none")
    for name in values:
        if name not in _KNOWN:
            raise ConfigError(f"`{name}` is unknown for an action; known: {', '.join(_KNOWN)}")
    fields: dict[str, object] = {
        "ex_date": _date(values.pop("ex_date")),
        "instrument": str(values.pop("instrument")).strip(),
        "kind": str(values.pop("action")).strip(),
    }
    if "ratio" in values:
        numerator, mark, denominator = str(values.pop("ratio")).partition(":")
        if not mark:
            raise ConfigError("`ratio` must be written as new:old, such as 4:1")
        values |= {"numerator": numerator, "denominator": denominator}
    for name, value in values.items():
        if name in _WHOLE:
            fields[name] = _whole(name, value)
        elif name in _DECIMAL:
            fields[name] = _decimal(name, value)
        else:
            fields[name] = str(value).strip()
    return CorporateAction(**fields)  # type: ignore[arg-type]


def _date(value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError:
        raise ConfigError(
            f"`ex_date` must be an ISO date such as 2024-01-31; found {value!r}"
        ) from None


def _whole(name: str, value: object) -> int:
    try:
        return int(str(value).strip())
    except ValueError:
        raise ConfigError(f"`{name}` must be a whole number; found {value!r}") from None


def _decimal(name: str, value: object) -> Decimal:
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ConfigError(f"`{name}` must be a decimal number; found {value!r}") from None
    if not number.is_finite():
        raise ConfigError(f"`{name}` must be finite; found {value!r}")
    return number


def read_factors(
    path: Path, where: str, instrument: str, calendar: str
) -> tuple[CorporateAction, ...]:
    """Read the splits and dividends of raw prices from a factor file of LEAN.

    Parameters
    ----------
    path : pathlib.Path
        Rows of date, price factor, split factor and reference price; a header is allowed.
    where : str
        What messages call it.
    instrument : str
        Whose it is.
    calendar : str
        Whose next session after a row's date is the ex-date.

    Returns
    -------
    tuple of CorporateAction
        By ex-date; the dividend of a day before its split.
    """
    check_instrument_id(instrument)
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MarketDataError(f"{where}: cannot be read: {error}") from None
    rows: list[tuple[dt.date, Decimal, Decimal, Decimal]] = []
    for number, line in enumerate(lines, 1):
        fields = line.split(",")
        if number == 1 and not fields[0].strip().isdigit():
            continue
        try:
            day = dt.datetime.strptime(fields[0].strip(), "%Y%m%d").replace(tzinfo=dt.UTC).date()
            price, split, reference = (Decimal(each.strip()) for each in fields[1:4])
        except (ValueError, InvalidOperation):
            rule = "must be date, price factor, split factor, reference price"
            raise MarketDataError(
                f"{where}: a row {rule}; found {line!r} in row {number}"
            ) from None
        if not (price > 0 and split > 0):
            raise MarketDataError(
                f"{where}: factors must be positive; found {line!r} in row {number}"
            )
        rows.append((day, price, split, reference))
    if any(before[0] >= after[0] for before, after in pairwise(rows)):
        raise MarketDataError(f"{where}: dates must increase")
    return actions_of_factors(rows, instrument, calendar)


def actions_of_factors(
    rows: Sequence[tuple[dt.date, Decimal, Decimal, Decimal]], instrument: str, calendar: str
) -> tuple[CorporateAction, ...]:
    """Work out what happened between two rows of factors.

    Parameters
    ----------
    rows : sequence of (date, price factor, split factor, reference price)
        Ascending; a row's factors hold up to its date, at whose close the price was the reference.
    instrument, calendar : str
        Whose they are, and whose sessions.

    Returns
    -------
    tuple of CorporateAction
        A dividend is ``reference * (1 - price factor / next price factor)``; a split gives
        ``next split factor / split factor`` units for one.

    Raises
    ------
    MarketDataError
        If a split is no ratio of small whole numbers, or a dividend is negative.
    """
    found: list[CorporateAction] = []
    for (day, price, split, reference), (_, later_price, later_split, _) in pairwise(rows):
        if (price, split) == (later_price, later_split):
            continue
        ex_date = _next_session(calendar, day)
        if price != later_price:
            amount = (reference * (1 - price / later_price)).quantize(_MONEY)
            if amount <= 0:
                raise MarketDataError(
                    f"a price factor of '{instrument}' must not fall; found {price} before "
                    f"{later_price} on {day}"
                )
            found.append(CorporateAction(ex_date, instrument, "cash_dividend", amount=amount))
        if split != later_split:
            exact = Fraction(later_split) / Fraction(split)
            ratio = exact.limit_denominator(_RATIO_MAX)
            if abs(ratio / exact - 1) > _RATIO_NOISE or not ratio:
                raise MarketDataError(
                    f"a split of '{instrument}' must be a ratio of small whole numbers; "
                    f"found {float(exact)} on {day}"
                )
            found.append(
                CorporateAction(ex_date, instrument, "split", ratio.numerator, ratio.denominator)
            )
    return tuple(found)


def _next_session(calendar: str, day: dt.date) -> dt.date:
    first = np.datetime64(day) + np.timedelta64(1, "D")
    days = sessions(calendar, first, first + np.timedelta64(14, "D")).labels
    if not len(days):
        raise MarketDataError(
            f"the calendar {calendar} must have a session after {day}; found none"
        )
    return days[0].astype(dt.date)  # type: ignore[no-any-return]
