"""Local times to UTC: the hour that comes twice in autumn is told by the order of the rows."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["to_utc"]

_DAY_NS = 86_400 * 10**9


def to_utc(
    local: pl.Series, zone: str, whose: pl.Series | None = None, once: bool = False
) -> tuple[pl.Series, pl.Series]:
    """UTC nanoseconds of local times.

    Parameters
    ----------
    local : polars.Series of datetime
        Without a zone, in the order of the file.
    zone : str
        Where they are of.
    whose : polars.Series or None
        Instruments of the rows, each of which has an order of its own.
    once : bool
        Whether a time can be there once only, as that of a bar: seen again it is of the second
        hour. Otherwise only a step back in time tells it.

    Returns
    -------
    (polars.Series of int64, polars.Series of bool)
        Null where the zone has no such time, or two of which nothing tells the right one; and
        which of them are of the second kind.
    """
    first = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    first = first.dt.cast_time_unit("ns").to_physical()
    never = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(local))
    if zone == "UTC":
        return first, never
    last = local.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    last = last.dt.cast_time_unit("ns").to_physical()
    twice = (first != last).fill_null(False)
    if not twice.any():
        return first, never
    names = whose if whose is not None else pl.Series([""]).new_from_index(0, len(local))
    later, unclear = _later(
        local.dt.cast_time_unit("ns").to_physical(), names.fill_null(""), twice.to_numpy(), once
    )
    found = pl.select(pl.when(later).then(last).otherwise(first)).to_series()
    return found.set(unclear, None), unclear


def _later(
    local: pl.Series, names: pl.Series, twice: NDArray[np.bool_], once: bool
) -> tuple[pl.Series, pl.Series]:
    """Which rows are of the second of two hours, and of which nothing tells it."""
    codes = names.rank("dense").cast(pl.Int64).to_numpy()
    places = np.flatnonzero(local.is_not_null().to_numpy())
    order = places[np.argsort(codes[places], kind="stable")]
    stamps = local.fill_null(0).to_numpy()
    steps = np.diff(stamps[order])
    same = codes[order][1:] == codes[order][:-1]
    if (same & (steps < 0)).sum() > (same & (steps > 0)).sum():  # the newest row comes first
        order, steps, same = order[::-1], -steps[::-1], same[::-1]
    within = twice[order][1:] & twice[order][:-1]
    unordered = np.isin(codes, codes[order[1:][same & (steps < 0) & ~within]])
    later = np.zeros(len(codes), dtype=np.bool_)
    seen: tuple[int, int, bool] | None = None  # instrument, local time, of the second hour
    for place in order[twice[order]].tolist():
        code, stamp = int(codes[place]), int(stamps[place])
        second = False
        if seen is not None and seen[0] == code and abs(stamp - seen[1]) < _DAY_NS:
            second = seen[2] or stamp < seen[1] or (once and stamp == seen[1])
        seen = (code, stamp, second)
        later[place] = second
    return pl.Series(later), pl.Series(twice & unordered)
