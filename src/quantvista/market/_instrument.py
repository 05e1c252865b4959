"""Instruments: what is traded, in which steps, and when it was listed."""

import re
from dataclasses import dataclass
from decimal import Decimal

from quantvista.errors import ConfigError
from quantvista.market._currency import currency_digits

__all__ = ["Instrument", "check_instrument_id"]

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
        Quote currency: an ISO 4217 code, or BTC, ETH, USDC or USDT.
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

    Raises
    ------
    ConfigError
        If a field breaks one of these rules.

    Examples
    --------
    >>> Instrument("AAPL.XNAS").tick_units
    1
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

    def __post_init__(self) -> None:
        check_instrument_id(self.id)
        currency_digits(self.currency)
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

    @property
    def tick_units(self) -> int:
        """``tick_size`` in units of ``10**-price_precision``."""
        return int(self.tick_size.scaleb(self.price_precision))

    @property
    def lot_units(self) -> int:
        """``lot_size`` in units of ``10**-quantity_precision``."""
        return int(self.lot_size.scaleb(self.quantity_precision))

    def _check_step(self, name: str, digits: int) -> None:
        step: Decimal = getattr(self, name)
        if not step.is_finite() or step <= 0:
            raise self._error(name, "must be positive", step)
        units = step.scaleb(digits)
        if units != units.to_integral_value():
            raise self._error(name, f"must have at most {digits} decimals", step)

    def _error(self, name: str, rule: str, found: object) -> ConfigError:
        return ConfigError(f"`{name}` {rule}; found {found} for instrument '{self.id}'")
