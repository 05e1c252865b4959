"""What a fund file asks for and its data or its account do not give, said before the run."""

import numpy as np

from quantvista.data import MarketData
from quantvista.data.events import EventData
from quantvista.engine import MISSING
from quantvista.errors import ConfigError
from quantvista.fund import Fund, check_account, venue_places
from quantvista.market import EventKind

__all__ = ["check_models"]

_SIZES = {
    EventKind.QUOTE: (("a", "b"), ("c", "d")),
    EventKind.AUCTION: (("a", "b"),),
    EventKind.BAR: (("d", "e"),),
}
"""Columns of a price and of the size that goes with it."""


def check_models(fund: Fund, data: MarketData | EventData) -> None:
    """Refuse models without their data, and instruments that the account cannot hold.

    Raises
    ------
    ConfigError
        With the instrument and the remedy.
    """
    check_account(fund, data.instruments)
    _check_impact(fund, data)
    capped = [place for place, venue in enumerate(fund.venue) if venue.participation_max]
    if not capped:
        return
    if isinstance(data, MarketData):
        if data.volume is None:
            raise ConfigError(
                f"`venue.participation_max` must come with data that has volume; found none; "
                f"source {fund.data.source!r}"
            )
        return
    venues = venue_places(fund, data.instruments)
    for place, each in enumerate(data.instruments):
        if venues[each.id] in capped and _lacks_sizes(data, place, each.matching):
            raise ConfigError(
                f"`venue.participation_max` must come with a size for every price; found none in "
                f"the {each.matching} of '{each.id}' (leave it out, or use data with sizes)"
            )


def _check_impact(fund: Fund, data: MarketData | EventData) -> None:
    venues = venue_places(fund, data.instruments)
    for each in data.instruments:
        venue = fund.venue[venues[each.id]]
        known = each.volatility is not None and each.average_volume is not None
        if venue.impact is not None and not known:
            raise ConfigError(
                f"`venue.impact` must come with `volatility` and `average_volume` in the "
                f"[[instrument]] of '{each.id}'; found neither or one"
            )


def _lacks_sizes(data: EventData, place: int, matching: str | None) -> bool:
    """Tell whether any price that orders of an instrument meet has no size."""
    tape = data.tape
    own = tape.instrument == place
    kinds = {"quotes": EventKind.QUOTE, "bars": EventKind.BAR}
    for kind in {kinds.get(matching or "bars"), EventKind.AUCTION} - {None}:
        assert kind is not None, "taken out above"
        rows = own & (tape.kind == kind)
        for price, size in _SIZES[kind]:
            there = getattr(tape, price)[rows] != MISSING
            if bool(np.any(there & (getattr(tape, size)[rows] == MISSING))):
                return True
    return False
