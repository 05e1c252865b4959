"""The set-up of an engine for a fund over its data."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import CurrencyTerms, LimitRates, engine_config
from quantvista.errors import ConfigError
from quantvista.fund._currencies import currency_terms
from quantvista.fund._model import Fund
from quantvista.fund._terms import (
    account_terms,
    limit_rates,
    sleeve_cash,
    venue_places,
    venue_rates,
)
from quantvista.market import EventKind, currency_digits

__all__ = ["run_config", "simulated_config"]


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
    if events is None:
        currencies = currency_terms(fund, ((code, currency_digits(code, fund.fund.currencies)),))
    else:
        currencies = currency_terms(fund, events.currencies, events.instruments, _told(events))
    return engine_config(
        fund=fund.fund.name,
        currency=code,
        instruments=data.instruments,
        close_only=bars is not None and bars.open is None,
        sleeves=sleeve_cash(fund, shares),
        venue=[venue_rates(each) for each in fund.venue],
        limits=limits,
        seed=fund.fund.seed,
        account=account_terms(fund),
        currencies=currencies,
        venue_of=venue_places(fund, data.instruments),
        with_auctions=_with_auctions(events),
    )


def simulated_config(fund: Fund, live: Mapping[str, Any]) -> dict[str, Any]:
    """Make the configuration of an engine that trades in simulation what a running fund traded.

    Parameters
    ----------
    fund : Fund
        Its sleeves, limits and venues are taken; the models of its venues decide what fills, when
        and at what cost.
    live : mapping
        The configuration of the running fund's engine: its instruments and currencies are kept,
        so that what that engine was told can be told to this one.

    Returns
    -------
    dict
        As of ``engine_config``.

    Raises
    ------
    ConfigError
        If the venues of both are not the same.
    """
    venues = [each["id"] for each in live["venues"]]
    if [each.id for each in fund.venue] != venues:
        raise ConfigError(
            f"`venue.id` must be as in the running fund, {', '.join(venues)}; found "
            f"{', '.join(each.id for each in fund.venue) or 'none'}"
        )
    ours = engine_config(
        fund=fund.fund.name,
        currency=fund.fund.currency,
        instruments=(),
        close_only=False,
        sleeves=sleeve_cash(fund, {each.id: each.share for each in fund.sleeve}),
        venue=[venue_rates(each) for each in fund.venue],
        limits=limit_rates(fund),
        seed=fund.fund.seed,
        account=account_terms(fund),
        currencies=[CurrencyTerms(each["code"], each["precision"]) for each in live["currencies"]],
    )
    kept = ("fund", "epoch", "semantics", "currencies", "instruments")
    return ours | {name: live[name] for name in kept}


def _told(events: EventData) -> set[str]:
    """Currencies whose rates are in the data."""
    tape = events.tape
    places = np.unique(tape.instrument[tape.kind == EventKind.CURRENCY_RATE])
    return {events.currencies[place][0] for place in places.tolist()}


def _with_auctions(events: EventData | None) -> set[str]:
    if events is None:
        return set()
    return {name for name, kinds in events.kinds.items() if "auctions" in kinds}
