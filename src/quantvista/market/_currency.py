"""Minor units of currencies, to know what a whole cent is."""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

from quantvista.errors import ConfigError

__all__ = ["CURRENCIES", "check_currency_code", "check_declared", "currency_digits"]

# ISO 4217, list one of January 2026, without funds, metals and units of account; the lev and the
# kuna, withdrawn since 2023, because prices in them are still about.
_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD
HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

# Coins that others are quoted in. Money has at most 12 decimals, so that the 18 of ETH are cut.
_COINS = {
    **{"ADA": 6, "AVAX": 9, "BCH": 8, "BNB": 8, "BTC": 8, "DOGE": 8, "DOT": 10, "ETH": 8},
    **{"EURC": 6, "FDUSD": 8, "LTC": 8, "SOL": 9, "TRX": 6, "USDC": 6, "USDT": 6, "XRP": 6},
}

CURRENCIES: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **_COINS,
}
"""Decimals of the minor unit by code."""

_HINTS = {
    "CNH": "the code of the yuan is CNY",
    "GBX": "pence are no currency; divide prices by 100 and use GBP",
    "ILA": "agorot are no currency; divide prices by 100 and use ILS",
    "RMB": "the code of the yuan is CNY",
    "XBT": "the code here is BTC",
    "ZAC": "cents are no currency; divide prices by 100 and use ZAR",
}


_CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}")
_DIGITS_MAX = 12
_NONE_DECLARED: Mapping[str, int] = MappingProxyType({})


def currency_digits(currency: str, declared: Mapping[str, int] = _NONE_DECLARED) -> int:
    """Decimals of a currency's minor unit.

    Parameters
    ----------
    currency : str
        An ISO 4217 code, a large coin such as BTC, ETH, USDC or USDT, in upper case, or one that
        is declared.
    declared : mapping of str to int
        Decimals of codes that are not known by themselves.

    Returns
    -------
    int
        2 for most currencies.

    Raises
    ------
    ConfigError
        If there is no such currency.

    Examples
    --------
    >>> currency_digits("USD"), currency_digits("JPY"), currency_digits("BTC")
    (2, 0, 8)
    >>> currency_digits("PEPE", {"PEPE": 8})
    8
    """
    digits = CURRENCIES.get(currency, declared.get(currency))
    if digits is None:
        rule = "must be an ISO 4217 code such as USD, a coin such as BTC, or in fund.currencies"
        raise ConfigError(f"`currency` {rule}; found {currency[:40]!r}{_hint(currency)}")
    return digits


def check_currency_code(code: str) -> str:
    """Return a well-formed code unchanged, whether or not it is known.

    Raises
    ------
    ConfigError
        If it can be no code.
    """
    if not _CODE.fullmatch(code):
        currency_digits(code)
    return code


def check_declared(declared: Mapping[str, int]) -> None:
    """Prove declared currencies.

    Raises
    ------
    ConfigError
        If a code is none or is known with other decimals, or there are more than 12 decimals.
    """
    for code, digits in declared.items():
        if not _CODE.fullmatch(code):
            rule = "must be codes of 2 to 12 upper-case letters and digits"
            raise ConfigError(f"`fund.currencies` {rule}; found {code[:40]!r}")
        if not 0 <= digits <= _DIGITS_MAX:
            rule = f"must give 0 to {_DIGITS_MAX} decimals"
            raise ConfigError(f"`fund.currencies` {rule}; found {digits} for {code}")
        if code in CURRENCIES and CURRENCIES[code] != digits:
            rule = "must not change a currency that is known"
            raise ConfigError(
                f"`fund.currencies` {rule}; found {digits} decimals for {code}, "
                f"which has {CURRENCIES[code]}"
            )


def _hint(currency: str) -> str:
    code = currency.strip().upper()
    if code in _HINTS:
        return f"; {_HINTS[code]}"
    near = [code] if code in CURRENCIES else difflib.get_close_matches(code, CURRENCIES, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""
