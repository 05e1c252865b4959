"""The engine's configuration: decimals become integers (``docs/engine/bars.md``)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from quantvista._native import SEMANTICS
from quantvista.engine._instruments import engine_instrument
from quantvista.errors import ConfigError
from quantvista.market import Instrument, currency_digits

__all__ = ["LimitRates", "SleeveCash", "VenueRates", "engine_config", "split_cash"]

_MONEY_DIGITS = 12


@dataclass(frozen=True, slots=True)
class SleeveCash:
    """A sleeve and the money that it starts with."""

    id: str
    cash: Decimal


@dataclass(frozen=True, slots=True)
class VenueRates:
    """The simulated venue; rates in units of 1e-9.

    Parameters
    ----------
    id : str
        Name of the venue.
    fee_rate, slippage : int
        Of notional and of price.
    limit_fill : {"through", "touch"}
        What the market must do to a resting limit order.
    participation_max : int or None
        Share of a bar's volume that we may be.
    on_close_cutoff_ns : int
        How long before the close an on-close order must be in.
    """

    id: str = "sim"
    fee_rate: int = 0
    slippage: int = 0
    limit_fill: str = "through"
    participation_max: int | None = None
    on_close_cutoff_ns: int = 0


@dataclass(frozen=True, slots=True)
class LimitRates:
    """The gate's limits: shares in units of 1e-9, money in units of 1e-12, quantity in units."""

    price_band: int = 250_000_000
    fat_finger_quantity: int | None = None
    fat_finger_notional: int | None = None
    position_max: int | None = None
    weight_max: int | None = None
    sector_max: int | None = None
    gross_max: int | None = None


def engine_config(
    *,
    fund: str,
    currency: str,
    instruments: Sequence[Instrument],
    close_only: bool,
    sleeves: Sequence[SleeveCash],
    venue: VenueRates,
    limits: LimitRates,
    epoch: int = 1,
) -> dict[str, Any]:
    """Make the set-up of an engine.

    Parameters
    ----------
    fund, currency : str
        Name of the fund and its only currency.
    instruments : sequence of Instrument
        In ascending order of id.
    close_only : bool
        Whether bars have a close and nothing else.
    sleeves : sequence of SleeveCash
        In any order.
    venue : VenueRates
        Its models.
    limits : LimitRates
        Of the gate.
    epoch : int
        Part of order ids.

    Returns
    -------
    dict
        What ``Session`` and ``RawEngine`` take.

    Raises
    ------
    ConfigError
        If an amount of money has more than 12 decimals.
    """
    return {
        "semantics": SEMANTICS,
        "fund": fund,
        "epoch": epoch,
        "currencies": [{"code": currency, "precision": currency_digits(currency)}],
        "instruments": [
            engine_instrument(each, [currency], close_only=close_only) for each in instruments
        ],
        "sleeves": [
            {"id": each.id, "cash": money_units(each.cash)}
            for each in sorted(sleeves, key=lambda sleeve: sleeve.id)
        ],
        "venues": [_venue(venue)],
        "limits": asdict(limits),
    }


def split_cash(cash: Decimal, shares: dict[str, Decimal], currency: str) -> list[SleeveCash]:
    """Divide capital over sleeves in whole minor units, by the largest remainder, then by id.

    Parameters
    ----------
    cash : decimal.Decimal
        Whole minor units of ``currency``.
    shares : dict of str to decimal.Decimal
        By sleeve, positive; their sum counts as one.
    currency : str
        ISO 4217 code.

    Returns
    -------
    list of SleeveCash
        By id; the amounts add up to ``cash`` exactly.

    Examples
    --------
    >>> parts = split_cash(Decimal("100.00"), {"b": Decimal(1), "a": Decimal(2)}, "USD")
    >>> [(part.id, str(part.cash)) for part in parts]
    [('a', '66.67'), ('b', '33.33')]
    """
    digits = currency_digits(currency)
    coins = int(cash.scaleb(digits))
    names = sorted(shares)
    weights = [int(shares[name].scaleb(_MONEY_DIGITS)) for name in names]
    total = sum(weights)
    parts = [coins * weight // total for weight in weights]
    by_remainder = sorted(
        range(len(names)), key=lambda index: (-(coins * weights[index] % total), index)
    )
    for index in by_remainder[: coins - sum(parts)]:
        parts[index] += 1
    return [
        SleeveCash(name, Decimal(part).scaleb(-digits))
        for name, part in zip(names, parts, strict=True)
    ]


def money_units(amount: Decimal) -> int:
    """Money in units of 1e-12, exactly."""
    units = amount.scaleb(_MONEY_DIGITS)
    if units != units.to_integral_value():
        raise ConfigError(f"`money` must have at most {_MONEY_DIGITS} decimals; found {amount}")
    return int(units)


def _venue(venue: VenueRates) -> dict[str, Any]:
    return {
        "id": venue.id,
        "fee": {
            "tiers": [{"maker": venue.fee_rate, "taker": venue.fee_rate}],
        },
        "slippage": {"rate": venue.slippage},
        "limit_fill_on_touch": venue.limit_fill == "touch",
        "participation_max": venue.participation_max,
        "on_close_cutoff_ns": venue.on_close_cutoff_ns,
    }
