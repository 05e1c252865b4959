"""Corporate actions: what issuers do to the units that we hold."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from quantvista.errors import ConfigError
from quantvista.market._instrument import check_instrument_id

__all__ = ["ACTIONS", "CorporateAction"]

_RATIO = ("numerator", "denominator")
ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "split": (_RATIO, ()),
    "cash_dividend": (("amount",), ()),
    "stock_dividend": (_RATIO, ()),
    "symbol_change": (("symbol",), ()),
    "merger_cash": (("price",), ()),
    "merger_stock": (("into", *_RATIO), ("amount", "into_price")),
    "spin_off": (("into", *_RATIO, "cost_share"), ("into_price",)),
    "delisting": ((), ("price",)),
    "precision": (("price_precision", "quantity_precision", "tick_size", "lot_size"), ()),
}
"""Kinds of actions with the fields that each must have and may have."""

_FIELDS = tuple(dict.fromkeys(name for pair in ACTIONS.values() for part in pair for name in part))
_WHOLE_MAX = 10**9


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """One action on one instrument, known before the data of its ex-date.

    Parameters
    ----------
    ex_date : datetime.date
        First session at whose prices the action has happened.
    instrument : str
        Id; it stays what it is, also after a change of symbol.
    kind : str
        A key of `ACTIONS`.
    numerator, denominator : int or None
        Of a split: new units for old ones, 2 and 1 for two for one, 1 and 10 for one for ten. Of a
        stock dividend, a merger or a spin-off: units received for units held.
    amount : decimal.Decimal or None
        Money for each unit, in the instrument's currency; longs receive it, shorts pay it.
    price : decimal.Decimal or None
        Paid for each unit; a delisting without one leaves it worthless.
    into : str or None
        Instrument that is received.
    into_price : decimal.Decimal or None
        Its price, needed where it has none at that time.
    cost_share : decimal.Decimal or None
        Share of the cost that goes to the units of a spin-off, in [0, 1].
    symbol : str or None
        The new one.
    price_precision, quantity_precision, tick_size, lot_size
        The new ones.

    Raises
    ------
    ConfigError
        If a field is missing, is out of its range or has no meaning for the kind.

    Examples
    --------
    >>> CorporateAction(dt.date(2020, 8, 31), "AAPL.XNAS", "split", 4, 1).numerator
    4
    """

    ex_date: dt.date
    instrument: str
    kind: str
    numerator: int | None = None
    denominator: int | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    into: str | None = None
    cost_share: Decimal | None = None
    symbol: str | None = None
    into_price: Decimal | None = None
    price_precision: int | None = None
    quantity_precision: int | None = None
    tick_size: Decimal | None = None
    lot_size: Decimal | None = None

    def __post_init__(self) -> None:
        check_instrument_id(self.instrument)
        if self.kind not in ACTIONS:
            raise self._error("action", f"must be one of {', '.join(ACTIONS)}", repr(self.kind))
        needed, optional = ACTIONS[self.kind]
        for name in _FIELDS:
            value = getattr(self, name)
            if value is None and name in needed:
                raise self._error(name, f"is needed for {self.kind}", "none")
            if value is not None and name not in needed + optional:
                raise self._error(name, f"means nothing for {self.kind}", value)
        for name in _RATIO:
            whole = getattr(self, name)
            if whole is not None and not 1 <= whole <= _WHOLE_MAX:
                raise self._error(name, f"must be 1 to {_WHOLE_MAX}", whole)
        if self.kind == "split" and self.numerator == self.denominator:
            raise self._error("numerator", "must differ from `denominator`", self.numerator)
        for name in ("amount", "price", "into_price", "tick_size", "lot_size"):
            number = getattr(self, name)
            if number is not None and not (number.is_finite() and number > 0):
                raise self._error(name, "must be positive", number)
        if self.cost_share is not None and not 0 <= self.cost_share <= 1:
            raise self._error("cost_share", "must be in [0, 1]", self.cost_share)
        if self.into is not None:
            check_instrument_id(self.into)
            if self.into == self.instrument:
                raise self._error("into", "must be another instrument", self.into)

    def _error(self, name: str, rule: str, found: object) -> ConfigError:
        where = f"for instrument '{self.instrument}' on {self.ex_date}"
        return ConfigError(f"`{name}` {rule}; found {found} {where}")
