"""The set-up of an engine for a fund that runs at venues outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from quantvista.engine import LimitRates, VenueRates, engine_config
from quantvista.errors import ConfigError
from quantvista.fund._currencies import currency_terms
from quantvista.fund._model import Fund
from quantvista.fund._terms import (
    account_terms,
    check_account,
    limit_rates,
    sleeve_cash,
    venue_places,
    venue_rates,
)
from quantvista.fund._venue import VenueSection
from quantvista.market import Instrument, currency_digits

__all__ = ["live_config", "live_instruments"]

_WORTH = (
    "`venue.instruments` must have what {code} is worth in {fund}; found no pair of both. Add one "
    "that the venue lists"
)
_OF_VENUE = (
    "kind",
    "settlement",
    "currency",
    "base",
    "tick_size",
    "lot_size",
    "price_precision",
    "quantity_precision",
    "multiplier",
)
_OURS = (
    "sector",
    "margin_initial",
    "margin_maintenance",
    "shortable",
    "borrow_rate",
    "settlement_days",
    "allow_negative_prices",
    "average_volume",
    "volatility",
)


def live_config(
    fund: Fund,
    instruments: Sequence[Instrument],
    *,
    epoch: int,
    shares: Mapping[str, Decimal] | None = None,
    limits: LimitRates | None = None,
    told: Collection[str] = (),
) -> dict[str, Any]:
    """Make the configuration of the engine of a running fund.

    Its paper venues are remote: orders leave the engine, and of their models only fees stay, which
    say what an order may cost.

    Parameters
    ----------
    fund : Fund
        All of its venues are paper venues.
    instruments : sequence of Instrument
        What the venues list, in any order; others than the fund names are left out.
    epoch : int
        Part of order ids; one more at every start.
    shares : mapping of str to decimal.Decimal, optional
        Of the capital, by sleeve; by default the fund's.
    limits : LimitRates, optional
        Of the gate; by default the fund's.
    told : collection of str
        Currencies whose rates the engine will be told; others need a pair with the fund's.

    Returns
    -------
    dict
        As of ``engine_config``; its instruments are those of `live_instruments`.

    Raises
    ------
    ConfigError
        If a venue is not outside, does not list what the fund trades or lists it on other terms,
        or the account cannot hold it.
    """
    traded = live_instruments(fund, instruments)
    check_account(fund, traded)
    code = fund.fund.currency
    codes = {each.currency for each in traded} | set(told)
    codes |= {each.base for each in traded if each.settlement == "exchange"}
    known = [
        (each, currency_digits(each, fund.fund.currencies))
        for each in (code, *sorted(codes - {code}))
    ]
    own = {sleeve.id: sleeve.share for sleeve in fund.sleeve}
    return engine_config(
        fund=fund.fund.name,
        currency=code,
        instruments=traded,
        close_only=False,
        sleeves=sleeve_cash(fund, dict(own if shares is None else shares)),
        venue=[_remote(each) for each in fund.venue],
        limits=limit_rates(fund) if limits is None else limits,
        epoch=epoch,
        seed=fund.fund.seed,
        account=account_terms(fund),
        currencies=currency_terms(fund, known, traded, told, missing=_WORTH),
        venue_of=venue_places(fund, traded),
    )


def live_instruments(fund: Fund, listed: Sequence[Instrument]) -> tuple[Instrument, ...]:
    """List what a running fund trades: the venues' terms, with what only the fund file says.

    Parameters
    ----------
    fund : Fund
        Its venues name what is traded; ``[[instrument]]`` and ``data.sectors`` add sector, margin
        and the like.
    listed : sequence of Instrument
        As the venues list them.

    Returns
    -------
    tuple of Instrument
        In ascending order of id.

    Raises
    ------
    ConfigError
        If a venue is simulated, something is not listed, or on other terms than the file says.
    """
    by_id = {each.id: each for each in listed}
    declared = {each.id: each.terms() for each in fund.instrument}
    found: list[Instrument] = []
    for venue in fund.venue:
        if not venue.is_paper:
            raise ConfigError(
                f"`venue.kind` must be paper for a fund that runs; found {venue.kind} for "
                f"'{venue.id}'. `qv run` runs a fund over its data"
            )
        for name in venue.instruments:
            if name not in by_id:
                raise ConfigError(
                    f"`venue.instruments` must be what the venue '{venue.id}' lists, "
                    f"{', '.join(sorted(by_id)) or 'which is nothing'}; found '{name}'"
                )
            found.append(_agreed(fund, venue, by_id[name], declared.get(name, {})))
    return tuple(sorted(found, key=lambda each: each.id))


def _agreed(
    fund: Fund, venue: VenueSection, listed: Instrument, declared: Mapping[str, object]
) -> Instrument:
    """Compare what the file says of an instrument with the venue, and add what is ours."""
    for name in _OF_VENUE:
        if name in declared and declared[name] != getattr(listed, name):
            raise ConfigError(
                f"`instrument.{name}` of '{listed.id}' must be that of the venue '{venue.id}', "
                f"{getattr(listed, name)}; found {declared[name]}"
            )
    ours: dict[str, Any] = {name: declared[name] for name in _OURS if name in declared}
    if listed.id in fund.data.sectors:
        ours.setdefault("sector", fund.data.sectors[listed.id])
    return replace(listed, **ours)


def _remote(venue: VenueSection) -> VenueRates:
    rates = venue_rates(venue)
    return VenueRates(
        id=rates.id,
        tiers=rates.tiers,
        fee_per_unit=rates.fee_per_unit,
        fee_minimum=rates.fee_minimum,
        fee_window_days=rates.fee_window_days,
        remote=True,
    )
