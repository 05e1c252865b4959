"""What a paper venue is made of, and the engine that matches on its behalf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from quantvista.engine import (
    AccountTerms,
    CurrencyTerms,
    LimitRates,
    SleeveCash,
    VenueRates,
    engine_config,
)
from quantvista.errors import ConfigError
from quantvista.market import Instrument, currency_digits

__all__ = ["PaperAccount", "VenueTerms", "venue_engine_config"]

# The widest that the engine knows; a venue of paper has no opinion of prices.
_BAND = 999_999_999


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """An account and what it starts with, by currency."""

    name: str
    balances: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class VenueTerms:
    """One venue.

    Parameters
    ----------
    id : str
        Name of the venue.
    currency : str
        In which fee tiers count.
    instruments : tuple of Instrument
        What is listed.
    accounts : tuple of PaperAccount
        Who trades.
    rates : VenueRates
        Fees, slippage, latency and how much of the market one may be.
    account : AccountTerms
        How accounts are kept.
    digits : mapping of str to int
        Decimals of currencies that are not known by themselves.
    prices : mapping of str to Decimal
        Of currencies that no pair prices, in ``currency``.
    seed : int
        Of latency and of faults.
    orders_per_second, requests_per_second : int or None
        Of each key; None for no limit.
    window_ns : int
        For how long a signed request is good.
    """

    id: str
    currency: str
    instruments: tuple[Instrument, ...]
    accounts: tuple[PaperAccount, ...]
    rates: VenueRates = field(default_factory=VenueRates)
    account: AccountTerms = field(default_factory=AccountTerms)
    digits: Mapping[str, int] = field(default_factory=dict)
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    seed: int = 0
    orders_per_second: int | None = None
    requests_per_second: int | None = None
    window_ns: int = 5_000_000_000

    def __post_init__(self) -> None:
        """Bring instruments and accounts into their order."""
        by_id = tuple(sorted(self.instruments, key=lambda each: each.id))
        by_name = tuple(sorted(self.accounts, key=lambda each: each.name))
        for what, found in (("instruments", by_id), ("accounts", by_name)):
            if not found:
                raise ConfigError(f"`{what}` must not be empty; found none at venue '{self.id}'")
        for each in by_id:
            if each.matching == "l3":
                raise ConfigError(
                    f"`matching` must be quotes, trades, l2 or bars at a paper venue; found l3 for "
                    f"instrument '{each.id}' (single orders of a book are not published)"
                )
        object.__setattr__(self, "instruments", by_id)
        object.__setattr__(self, "accounts", by_name)

    @property
    def currencies(self) -> tuple[str, ...]:
        """Codes of all currencies, the venue's own first."""
        found = {each.currency for each in self.instruments}
        found |= {each.base for each in self.instruments if each.settlement == "exchange"}
        found |= {code for each in self.accounts for code, _ in each.balances}
        return (self.currency, *sorted(found - {self.currency}))

    @property
    def fingerprint(self) -> str:
        """What must be the same for a stored state to go on."""
        config = repr(sorted(venue_engine_config(self).items()))
        return sha256(config.encode()).hexdigest()


def venue_engine_config(terms: VenueTerms) -> dict[str, Any]:
    """Set up the engine of a venue: an account is a sleeve, and no limit is on.

    What a venue itself refuses (steps of prices, uncovered orders, kinds without data) stays, and
    so does the price band, as wide as it goes: market orders that would fill at twice the price
    wait.
    """
    codes = terms.currencies
    return engine_config(
        fund=terms.id,
        currency=terms.currency,
        instruments=terms.instruments,
        close_only=False,
        sleeves=[_sleeve(each, terms.currency) for each in terms.accounts],
        venue=terms.rates,
        limits=LimitRates(price_band=_BAND),
        seed=terms.seed,
        account=terms.account,
        currencies=[_currency(terms, code) for code in codes],
    )


def _sleeve(account: PaperAccount, currency: str) -> SleeveCash:
    cash = sum((amount for code, amount in account.balances if code == currency), Decimal(0))
    others = tuple((code, amount) for code, amount in account.balances if code != currency)
    return SleeveCash(account.name, cash, others)


def _currency(terms: VenueTerms, code: str) -> CurrencyTerms:
    digits = terms.digits.get(code)
    digits = currency_digits(code) if digits is None else digits
    if code == terms.currency:
        return CurrencyTerms(code, digits)
    for each in terms.instruments:
        if each.settlement != "exchange":
            continue
        if (each.base, each.currency) == (code, terms.currency):
            return CurrencyTerms(code, digits, each.id)
        if (each.base, each.currency) == (terms.currency, code):
            return CurrencyTerms(code, digits, each.id, inverse=True)
    if code not in terms.prices:
        raise ConfigError(
            f"`prices` must say what {code} is worth in {terms.currency} at venue '{terms.id}', or "
            "a pair of both must be listed; found neither"
        )
    return CurrencyTerms(code, digits)
