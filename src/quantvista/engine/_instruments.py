"""Instruments in the engine's units."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from quantvista.errors import ConfigError
from quantvista.market import Instrument

__all__ = ["engine_instrument"]


def engine_instrument(
    instrument: Instrument,
    currencies: Sequence[str],
    *,
    venue: int = 0,
    close_only: bool = False,
    has_auctions: bool = False,
) -> dict[str, Any]:
    """Write an instrument as the engine reads it.

    Parameters
    ----------
    instrument : Instrument
        What trades.
    currencies : sequence of str
        Of the run, the fund's first.
    venue : int
        Where it trades, by its place among the venues.
    close_only : bool
        Whether its bars have a close and nothing else.
    has_auctions : bool
        Whether auctions are among its data.

    Returns
    -------
    dict
        Shares and rates in 1e-9, rounded up.

    Raises
    ------
    ConfigError
        If it is in a currency that the run does not have.
    """
    place = {code: index for index, code in enumerate(currencies)}
    exchange = instrument.settlement == "exchange"
    for name in ("currency", "base") if exchange else ("currency",):
        code = getattr(instrument, name)
        if code not in place:
            rule = f"must be one of the run's, {', '.join(currencies)}"
            raise ConfigError(f"`{name}` {rule}; found {code} for instrument '{instrument.id}'")
    initial = instrument.margin_initial or Decimal(1)
    return {
        "id": instrument.id,
        "currency": place[instrument.currency],
        "kind": instrument.kind,
        "settlement": {"exchange": {"base": place[instrument.base]}}
        if exchange
        else instrument.settlement,
        "matching": instrument.matching,
        "venue": venue,
        "price_precision": instrument.price_precision,
        "quantity_precision": instrument.quantity_precision,
        "tick_size": instrument.tick_units,
        "lot_size": instrument.lot_units,
        "multiplier": instrument.multiplier,
        "sector": instrument.sector,
        "effective_from": instrument.effective_from,
        "effective_to": instrument.effective_to,
        "close_only": close_only,
        "has_auctions": has_auctions,
        "negative_prices": instrument.allow_negative_prices,
        "margin_initial": _e9(initial),
        "margin_maintenance": _e9(instrument.margin_maintenance or initial),
        "shortable": instrument.shortable_units,
        "borrow_rate": _e9(instrument.borrow_rate),
        "settlement_days": instrument.settlement_days,
        "expiry": instrument.expiry,
        "average_volume": instrument.average_volume_units,
        "volatility": None if instrument.volatility is None else _e9(instrument.volatility),
    }


def _e9(value: Decimal) -> int:
    return int(value.scaleb(9).to_integral_value(ROUND_CEILING))
