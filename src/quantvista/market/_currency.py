"""Minor units of currencies (ISO 4217), to know what a whole cent is."""

import re

from quantvista.errors import ConfigError

__all__ = ["currency_digits"]

_CODE = re.compile(r"[A-Z][A-Z0-9]{2,9}")

# Only what differs from two digits; coins use the digits of their smallest unit.
_DIGITS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("USDC", "USDT"), 6),
    **dict.fromkeys(("BTC", "ETH"), 8),
}


def currency_digits(currency: str) -> int:
    """Decimals of a currency's minor unit.

    Parameters
    ----------
    currency : str
        Upper-case code, three to ten letters and digits.

    Returns
    -------
    int
        2 for most currencies.

    Raises
    ------
    ConfigError
        If the code is not written like a currency code.

    Examples
    --------
    >>> currency_digits("USD"), currency_digits("JPY")
    (2, 0)
    """
    if not _CODE.fullmatch(currency):
        raise ConfigError(f"`currency` must be an upper-case code such as USD; found {currency!r}")
    return _DIGITS.get(currency, 2)
