"""The set-up of an engine for a fund."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import AccountTerms, CurrencyTerms, LimitRates, engine_config
from quantvista.errors import ConfigError
from quantvista.fund._model import Fund
from quantvista.fund._terms import e9, sleeve_cash, venue_places, venue_rates
from quantvista.market import EventKind, currency_digits

__all__ = ["run_config"]


def run_config(
    fund: Fund, data: MarketData | EventData, shares: dict[str, Decimal], limits: LimitRates
) -> dict[str, Any]:
    """Make the configuration of an engine.

    Parameters
    ----------
    fund : Fund
        What it says.
    data : MarketData or EventData
        What there is to trade.
    shares : dict of str to decimal.Decimal
        Of the capital, by sleeve.
    limits : LimitRates
        Of the gate.

    Returns
    -------
    dict
        As of ``engine_config``.

    Raises
    ------
    ConfigError
        If an instrument trades at no venue, or terms do not go together.
    """
    events = data if isinstance(data, EventData) else None
    bars = data if isinstance(data, MarketData) else data.bars
    code = fund.fund.currency
    known = events.currencies if events else ((code, currency_digits(code, fund.fund.currencies)),)
    return engine_config(
        fund=fund.fund.name,
        currency=code,
        instruments=data.instruments,
        close_only=bars is not None and bars.open is None,
        sleeves=sleeve_cash(fund, shares),
        venue=[venue_rates(each) for each in fund.venue],
        limits=limits,
        seed=fund.fund.seed,
        account=AccountTerms(
            fund.account.kind, fund.account.positions, fund.account.trade_on_unsettled
        ),
        currencies=_currencies(fund, known, events),
        venue_of=venue_places(fund, data.instruments),
        with_auctions=_with_auctions(events),
    )


def _currencies(
    fund: Fund, known: Sequence[tuple[str, int]], events: EventData | None
) -> list[CurrencyTerms]:
    for name in ("credit_rate", "debit_rate", "balances"):
        for code in getattr(fund.account, name):
            if code not in dict(known):
                rule = f"must name currencies of the fund, {', '.join(dict(known))}"
                raise ConfigError(f"`account.{name}` {rule}; found {code!r}")
    pairs = {} if events is None else _pairs(fund.fund.currency, known, events)
    terms: list[CurrencyTerms] = []
    for code, digits in known:
        pair, inverse = pairs.get(code, (None, False))
        if terms and pair is None and not _is_told(len(terms), events):
            raise ConfigError(
                f"`data.events` must have what {code} is worth in {fund.fund.currency}; found "
                f"neither `rates` of {code} nor a pair of both (an [[instrument]] of kind pair)"
            )
        credit, debit = (
            e9(rates.get(code, Decimal(0)))
            for rates in (fund.account.credit_rate, fund.account.debit_rate)
        )
        terms.append(CurrencyTerms(code, digits, pair, inverse, credit, debit))
    return terms


def _is_told(place: int, events: EventData | None) -> bool:
    """Whether the data have rates of a currency, by its place."""
    if events is None:
        return False
    rates = events.tape.kind == EventKind.CURRENCY_RATE
    return bool(np.any(events.tape.instrument[rates] == place))


def _pairs(
    currency: str, known: Sequence[tuple[str, int]], events: EventData
) -> Mapping[str, tuple[str, bool]]:
    """Pairs that give currencies without rates in the data their price in the fund's."""
    tape = events.tape
    told = set(np.unique(tape.instrument[tape.kind == EventKind.CURRENCY_RATE]).tolist())
    found: dict[str, tuple[str, bool]] = {}
    for place, (code, _) in enumerate(known):
        if place == 0 or place in told:
            continue
        for each in events.instruments:
            if each.settlement == "exchange" and {each.base, each.currency} == {code, currency}:
                found[code] = (each.id, each.base == currency)
                break
    return found


def _with_auctions(events: EventData | None) -> set[str]:
    if events is None:
        return set()
    return {name for name, kinds in events.kinds.items() if "auctions" in kinds}
