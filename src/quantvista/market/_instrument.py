"""Instruments: what is traded, in which steps, and when it was listed."""

import re
from dataclasses import dataclass
from decimal import Decimal

from quantvista.errors import ConfigError
from quantvista.market._currency import check_currency_code

__all__ = [
    "KINDS",
    "MATCHING",
    "REFUSED_KINDS",
    "SETTLEMENTS",
    "Instrument",
    "check_instrument_id",
]

SETTLEMENTS = ("asset", "exchange", "difference")
MATCHING = ("bars", "quotes", "trades", "l2", "l3")
KINDS = {
    "equity": ("asset", "difference"),
    "etf": ("asset", "difference"),
    "pair": ("exchange", "difference"),
    "spot": ("asset", "difference"),
    "perpetual": ("difference",),
    "future": ("difference",),
}
"""Kinds of instruments with the settlements that they may have, the default first."""

REFUSED_KINDS = {
    "option": "it needs exercise and a volatility; trade the underlying",
    "inverse": "its gains are paid in the coin; use the linear contract, quoted in USDT or USDC",
    "quanto": "its multiplier is in a third currency; use a contract quoted in what it pays in",
}
"""Kinds that are not supported, with the reason and what to do."""

_ID = re.compile(r"[A-Z0-9][A-Z0-9._&-]*\.[A-Z][A-Z0-9]*")
_LENGTH_MAX = 64
_DIGITS_MAX = 9
_DIGITS_SUM_MAX = 12  # so that price x quantity is exact in units of 1e-12


def check_instrument_id(value: str) -> str:
    """Return a well-formed instrument id unchanged.

    Parameters
    ----------
    value : str
        ``SYMBOL.VENUE`` in upper case, at most 64 characters; the venue is a MIC or a name. The
        last point separates.

    Returns
    -------
    str
        The same id.

    Raises
    ------
    ConfigError
        If it is written in another way.

    Examples
    --------
    >>> check_instrument_id("BRK.B.XNYS")
    'BRK.B.XNYS'
    """
    if not _ID.fullmatch(value):
        raise ConfigError(
            "`instrument` must be SYMBOL.VENUE in upper case, such as AAPL.XNAS; "
            f"found {value[:80]!r}"
        )
    if len(value) > _LENGTH_MAX:
        raise ConfigError(
            f"`instrument` must have at most {_LENGTH_MAX} characters; "
            f"found {len(value)} in {value[:_LENGTH_MAX]!r}"
        )
    return value


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable thing, with the steps in which it trades.

    Parameters
    ----------
    id : str
        ``SYMBOL.VENUE``, permanent, never reused.
    currency : str
        Quote currency: an ISO 4217 code, or BTC, ETH, USDC or USDT, or one that was declared.
    price_precision, quantity_precision : int
        Decimals of prices and quantities, 0 to 9 each and at most 12 together.
    tick_size, lot_size : decimal.Decimal
        Smallest steps of order prices and quantities; whole units of their precision.
    multiplier : int
        Money per point of price and unit of quantity.
    sector : str
        Empty where unknown.
    effective_from, effective_to : int or None
        When it is listed, UTC nanoseconds: inclusive, exclusive. ``None`` has no bound.
    kind : {"equity", "etf", "pair", "spot", "perpetual", "future"}
        What it is. Options, inverse and quanto contracts are refused.
    settlement : {"asset", "exchange", "difference"}
        What a fill changes: money for the thing; one currency for another; or nothing but the
        later difference of prices, on margin. Empty takes the first that the kind may have.
    base : str
        Currency that a pair buys and sells; empty where there is none.
    margin_initial, margin_maintenance : decimal.Decimal or None
        Shares of the notional that a position needs to be opened and to be kept, in (0, 1];
        ``None`` is 1, and the initial one.
    shortable : decimal.Decimal
        Units that can be borrowed to be sold short; only for ``"asset"``, the others need no loan.
    borrow_rate : decimal.Decimal
        Yearly fee for borrowing, a share of the value.
    settlement_days : int
        Sessions from a trade to its money, 0 to 5.
    expiry : int or None
        When a future ends, UTC nanoseconds.
    allow_negative_prices : bool
        Whether prices may be zero or less.
    matching : {"bars", "quotes", "trades", "l2", "l3"}
        Which data orders are matched against.
    average_volume : decimal.Decimal or None
        Units traded on an ordinary day, for models of impact.
    volatility : decimal.Decimal or None
        Standard deviation of a day's return, likewise.

    Raises
    ------
    ConfigError
        If a field breaks one of these rules.

    Examples
    --------
    >>> Instrument("AAPL.XNAS").tick_units
    1
    >>> Instrument("BTC-USDT-PERP.BINANCE", currency="USDT", kind="perpetual").settlement
    'difference'
    """

    id: str
    currency: str = "USD"
    price_precision: int = 2
    quantity_precision: int = 0
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal(1)
    multiplier: int = 1
    sector: str = ""
    effective_from: int | None = None
    effective_to: int | None = None
    kind: str = "equity"
    settlement: str = ""
    base: str = ""
    margin_initial: Decimal | None = None
    margin_maintenance: Decimal | None = None
    shortable: Decimal = Decimal(0)
    borrow_rate: Decimal = Decimal(0)
    settlement_days: int = 0
    expiry: int | None = None
    allow_negative_prices: bool = False
    matching: str = "bars"
    average_volume: Decimal | None = None
    volatility: Decimal | None = None

    def __post_init__(self) -> None:
        check_instrument_id(self.id)
        check_currency_code(self.currency)
        for name in ("price_precision", "quantity_precision"):
            digits = getattr(self, name)
            if not 0 <= digits <= _DIGITS_MAX:
                raise self._error(name, f"must be 0 to {_DIGITS_MAX}", digits)
        if (digits := self.price_precision + self.quantity_precision) > _DIGITS_SUM_MAX:
            rule = f"plus `quantity_precision` must be at most {_DIGITS_SUM_MAX}"
            raise self._error("price_precision", rule, digits)
        self._check_step("tick_size", self.price_precision)
        self._check_step("lot_size", self.quantity_precision)
        if self.multiplier < 1:
            raise self._error("multiplier", "must be at least 1", self.multiplier)
        listed, ended = self.effective_from, self.effective_to
        if listed is not None and ended is not None and listed >= ended:
            raise self._error("effective_to", f"must be after {listed}", ended)
        self._check_kind()
        self._check_terms()

    @property
    def tick_units(self) -> int:
        """``tick_size`` in units of ``10**-price_precision``."""
        return int(self.tick_size.scaleb(self.price_precision))

    @property
    def lot_units(self) -> int:
        """``lot_size`` in units of ``10**-quantity_precision``."""
        return int(self.lot_size.scaleb(self.quantity_precision))

    @property
    def shortable_units(self) -> int:
        """``shortable`` in units of ``10**-quantity_precision``."""
        return int(self.shortable.scaleb(self.quantity_precision))

    @property
    def average_volume_units(self) -> int | None:
        """``average_volume`` in units of ``10**-quantity_precision``, rounded down."""
        volume = self.average_volume
        return None if volume is None else int(volume.scaleb(self.quantity_precision))

    def _check_kind(self) -> None:
        if self.kind in REFUSED_KINDS:
            raise self._error("kind", f"is not supported: {REFUSED_KINDS[self.kind]}", self.kind)
        if self.kind not in KINDS:
            raise self._error("kind", f"must be one of {', '.join(KINDS)}", repr(self.kind))
        allowed = KINDS[self.kind]
        if not self.settlement:
            object.__setattr__(self, "settlement", allowed[0])
        if self.settlement not in allowed:
            rule = f"must be {' or '.join(allowed)} for kind {self.kind}"
            raise self._error("settlement", rule, repr(self.settlement))
        if self.matching not in MATCHING:
            raise self._error(
                "matching", f"must be one of {', '.join(MATCHING)}", repr(self.matching)
            )
        if self.base:
            check_currency_code(self.base)
            if self.base == self.currency:
                raise self._error("base", "must differ from `currency`", self.base)
        elif self.kind == "pair":
            raise self._error("base", "must name the currency that the pair buys", "none")

    def _check_terms(self) -> None:
        initial, kept = self.margin_initial, self.margin_maintenance
        for name in ("margin_initial", "margin_maintenance"):
            share: Decimal | None = getattr(self, name)
            if share is not None and not 0 < share <= 1:
                raise self._error(name, "must be in (0, 1]", share)
        if kept is not None and (initial is None or kept > initial):
            rule = "must come with a `margin_initial` that is not smaller"
            raise self._error("margin_maintenance", rule, f"{kept} and {initial}")
        if self.shortable and self.settlement != "asset":
            rule = "is for what is borrowed to be sold, with settlement asset"
            raise self._error("shortable", rule, f"settlement {self.settlement}")
        if self.shortable:
            self._check_step("shortable", self.quantity_precision)
        if not 0 <= self.borrow_rate <= 10:
            raise self._error("borrow_rate", "must be 0 to 10 a year", self.borrow_rate)
        if not 0 <= self.settlement_days <= 5:
            raise self._error("settlement_days", "must be 0 to 5", self.settlement_days)
        if (self.expiry is None) == (self.kind == "future"):
            rule = "must be there for kind future and for no other"
            raise self._error("expiry", rule, f"{self.expiry} for kind {self.kind}")
        for name in ("average_volume", "volatility"):
            figure: Decimal | None = getattr(self, name)
            if figure is not None and figure <= 0:
                raise self._error(name, "must be positive", figure)

    def _check_step(self, name: str, digits: int) -> None:
        step: Decimal = getattr(self, name)
        if not step.is_finite() or step <= 0:
            raise self._error(name, "must be positive", step)
        units = step.scaleb(digits)
        if units != units.to_integral_value():
            raise self._error(name, f"must have at most {digits} decimals", step)

    def _error(self, name: str, rule: str, found: object) -> ConfigError:
        return ConfigError(f"`{name}` {rule}; found {found} for instrument '{self.id}'")
