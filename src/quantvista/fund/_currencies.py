"""What the currencies of a fund are worth, and where that comes from."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from quantvista.engine import CurrencyTerms
from quantvista.errors import ConfigError
from quantvista.fund._model import Fund
from quantvista.fund._terms import e9
from quantvista.market import Instrument

__all__ = ["currency_terms"]

_DATA = (
    "`data.events` must have what {code} is worth in {fund}; found neither `rates` of {code} nor a "
    "pair of both (an [[instrument]] of kind pair)"
)


def currency_terms(
    fund: Fund,
    known: Sequence[tuple[str, int]],
    instruments: Sequence[Instrument] = (),
    told: Collection[str] = (),
    *,
    missing: str = _DATA,
) -> list[CurrencyTerms]:
    """Give every currency its interest, and the source of its price.

    Parameters
    ----------
    fund : Fund
        What it says.
    known : sequence of (str, int)
        Codes and decimals, the fund's first.
    instruments : sequence of Instrument
        Among which pairs are looked for.
    told : collection of str
        Codes whose rates are inputs.
    missing : str
        What to say where there is neither, with ``{code}`` and ``{fund}``.

    Raises
    ------
    ConfigError
        If the account names other currencies, or nothing says what one is worth.
    """
    for name in ("credit_rate", "debit_rate", "balances"):
        for code in getattr(fund.account, name):
            if code not in dict(known):
                rule = f"must name currencies of the fund, {', '.join(dict(known))}"
                raise ConfigError(f"`account.{name}` {rule}; found {code!r}")
    untold = [code for code, _ in known[1:] if code not in told]
    pairs = _pairs(fund.fund.currency, untold, instruments)
    terms: list[CurrencyTerms] = []
    for code, digits in known:
        pair, inverse = pairs.get(code, (None, False))
        if terms and pair is None and code not in told:
            raise ConfigError(missing.format(code=code, fund=fund.fund.currency))
        credit, debit = (
            e9(rates.get(code, Decimal(0)))
            for rates in (fund.account.credit_rate, fund.account.debit_rate)
        )
        terms.append(CurrencyTerms(code, digits, pair, inverse, credit, debit))
    return terms


def _pairs(
    currency: str, codes: Sequence[str], instruments: Sequence[Instrument]
) -> Mapping[str, tuple[str, bool]]:
    """Pairs that give currencies their price in the fund's, and whether that is its inverse."""
    found: dict[str, tuple[str, bool]] = {}
    for code in codes:
        for each in instruments:
            if each.settlement == "exchange" and {each.base, each.currency} == {code, currency}:
                found[code] = (each.id, each.base == currency)
                break
    return found
