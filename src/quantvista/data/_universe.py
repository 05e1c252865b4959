"""The universe of a fund: who may be held when."""

import hashlib
from dataclasses import replace
from pathlib import Path

from quantvista.data._types import Bias, MarketData
from quantvista.data.universes import read_membership
from quantvista.errors import MarketDataError

__all__ = ["with_universe"]

_NAMED = 5


def with_universe(data: MarketData, source: str, base: Path) -> MarketData:
    """Say beside prices who may be held when.

    Parameters
    ----------
    data : MarketData
        Prices.
    source : str
        As of `read_membership`.
    base : pathlib.Path
        Folder of the fund file.

    Returns
    -------
    MarketData
        With ``universe``, of which the fingerprint depends too.

    Raises
    ------
    MarketDataError
        If it cannot be read, or has no member among the instruments.
    """
    universe = read_membership(source, base)
    wanted = set(universe.instruments)
    if not wanted & set(data.ids):
        raise MarketDataError(
            f"`data.universe` {source} must have members among the data's instruments, such as "
            f"{data.ids[0]}; found {', '.join(sorted(wanted)[:_NAMED]) or 'none'}"
        )
    biases = data.biases
    if missing := sorted(wanted - set(data.ids)):
        shown = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        text = (
            f"{len(missing)} of {len(wanted)} instruments of the universe have no prices here and "
            f"are never held: {shown}. If they are those that failed, results are flattered."
        )
        biases = (*biases, Bias("universe_without_prices", text))
    members = universe.mask(data.ts, data.ids).sum(axis=1)
    assumptions = (
        *data.assumptions,
        f"Held are only members of {source}, as known at each decision: {members.min()} to "
        f"{members.max()} instruments. What leaves is sold at the next decision.",
    )
    digest = hashlib.sha256(f"{data.fingerprint} {universe.digest}\n".encode()).hexdigest()
    return replace(
        data, universe=universe, biases=biases, assumptions=assumptions, fingerprint=digest
    )
