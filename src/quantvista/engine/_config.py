"""The engine's configuration: decimals become integers (``docs/engine/bars.md``)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from quantvista._native import SEMANTICS
from quantvista.engine._instruments import engine_instrument
from quantvista.engine._terms import (
    AccountTerms,
    CurrencyTerms,
    LimitRates,
    SleeveCash,
    VenueRates,
)
from quantvista.errors import ConfigError
from quantvista.market import Instrument, currency_digits

__all__ = ["engine_config", "money_units", "split_cash"]

_MONEY_DIGITS = 12


def engine_config(
    *,
    fund: str,
    currency: str,
    instruments: Sequence[Instrument],
    close_only: bool,
    sleeves: Sequence[SleeveCash],
    venue: VenueRates | Sequence[VenueRates],
    limits: LimitRates,
    epoch: int = 1,
    seed: int = 0,
    account: AccountTerms | None = None,
    currencies: Sequence[CurrencyTerms] = (),
    venue_of: Mapping[str, int] | None = None,
    with_auctions: Collection[str] = (),
) -> dict[str, Any]:
    """Make the set-up of an engine.

    Parameters
    ----------
    fund, currency : str
        Name of the fund and its currency.
    instruments : sequence of Instrument
        In ascending order of id.
    close_only : bool
        Whether bars have a close and nothing else.
    sleeves : sequence of SleeveCash
        In any order.
    venue : VenueRates or sequence of VenueRates
        Their models.
    limits : LimitRates
        Of the gate.
    epoch : int
        Part of order ids.
    seed : int
        Of simulated latency.
    account : AccountTerms, optional
        A cash account by default.
    currencies : sequence of CurrencyTerms
        The fund's first; by default only that.
    venue_of : mapping of str to int, optional
        Place of an instrument's venue; the first by default.
    with_auctions : collection of str
        Instruments whose data have auctions.

    Returns
    -------
    dict
        What ``Session`` and ``RawEngine`` take.

    Raises
    ------
    ConfigError
        If an amount of money has more than 12 decimals, or something is in a currency that the
        fund does not have.
    """
    known = currencies or (CurrencyTerms(currency, currency_digits(currency)),)
    codes = [each.code for each in known]
    places = {each.id: place for place, each in enumerate(instruments)}
    at = venue_of or {}
    return {
        "semantics": SEMANTICS,
        "fund": fund,
        "epoch": epoch,
        "seed": seed,
        "currencies": [_currency(each, places) for each in known],
        "account": asdict(account or AccountTerms()),
        "instruments": [
            engine_instrument(
                each,
                codes,
                venue=at.get(each.id, 0),
                close_only=close_only,
                has_auctions=each.id in with_auctions,
            )
            for each in instruments
        ],
        "sleeves": [_sleeve(each, codes) for each in sorted(sleeves, key=lambda sleeve: sleeve.id)],
        "venues": [_venue(each) for each in _many(venue)],
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


def _many(venue: VenueRates | Sequence[VenueRates]) -> Sequence[VenueRates]:
    return (venue,) if isinstance(venue, VenueRates) else venue


def _sleeve(sleeve: SleeveCash, codes: Sequence[str]) -> dict[str, Any]:
    for code, _ in sleeve.balances:
        if code not in codes[1:]:
            rule = f"must be in other currencies of the fund, {', '.join(codes[1:]) or 'none'}"
            raise ConfigError(f"`balances` {rule}; found {code}")
    return {
        "id": sleeve.id,
        "cash": money_units(sleeve.cash),
        "balances": [(codes.index(code), money_units(of)) for code, of in sleeve.balances],
        "limits": asdict(sleeve.limits),
    }


def _currency(currency: CurrencyTerms, places: Mapping[str, int]) -> dict[str, Any]:
    source: Any = "input"
    if currency.pair is not None:
        source = {"pair": {"instrument": places[currency.pair], "inverse": currency.inverse}}
    return {
        "code": currency.code,
        "precision": currency.digits,
        "source": source,
        "credit_rate": currency.credit_rate,
        "debit_rate": currency.debit_rate,
    }


def _venue(venue: VenueRates) -> dict[str, Any]:
    tiers = [asdict(each) for each in venue.tiers]
    return {
        "id": venue.id,
        "fee": {
            "tiers": tiers
            or [{"volume_from": 0, "maker": venue.fee_rate, "taker": venue.fee_rate}],
            "per_unit": venue.fee_per_unit,
            "minimum": venue.fee_minimum,
            "window_days": venue.fee_window_days,
        },
        "slippage": {"rate": venue.slippage, "ticks": venue.slippage_ticks},
        "limit_fill_on_touch": venue.limit_fill == "touch",
        "participation_max": venue.participation_max,
        "on_close_cutoff_ns": venue.on_close_cutoff_ns,
        "impact": None if venue.impact is None else asdict(venue.impact),
        "latency": asdict(venue.latency),
        "remote": venue.remote,
    }
