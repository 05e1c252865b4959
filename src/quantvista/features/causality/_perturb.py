"""Other futures: the same past up to a time, and something else after it."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from quantvista.features.causality._inputs import Inputs

__all__ = ["KEYS", "KINDS", "cuts", "perturbed", "truncated"]

KINDS = ("values", "truncated", "revisions", "universe")
"""What is altered after a time: values, everything left out, revisions of what was published
before, and who belongs to the universe."""

KEYS = frozenset({"ts_event", "ts_received", "known_at", "instrument", "start", "end"})


def cuts(inputs: Inputs, count: int, rng: np.random.Generator, *, start: int = 0) -> list[int]:
    """Choose times at which the future begins.

    Parameters
    ----------
    inputs : Inputs
        The data.
    count : int
        How many, at least 1.
    rng : numpy.random.Generator
        Chooses them.
    start : int
        UTC nanoseconds from which every feature has values. A peek changes values just before the
        future begins, so that a cut before it would see nothing.

    Returns
    -------
    list of int
        UTC nanoseconds, ascending. Half of them lie at bars; the others between an event and the
        time at which it was known, where there are such, since that is where joins go wrong.
    """
    bars = inputs.bars["ts_received"].unique().sort().to_numpy()
    inner = bars[len(bars) // 10 : -1] if len(bars) > 20 else bars[:-1]
    inner = inner[inner >= start]
    if len(inner) == 0:
        return []
    chosen = set(rng.choice(inner, min(count, len(inner)), replace=False).tolist())
    gaps = []
    for frame in inputs.series.values():
        late = frame.filter(pl.col("known_at") > pl.col("ts_event"))
        late = late.filter(pl.col("known_at").is_between(int(bars[0]), int(bars[-1])))
        gaps += late["known_at"].unique().to_list()
    late_bars = inputs.bars.filter(pl.col("ts_received") > pl.col("ts_event"))
    gaps += late_bars["ts_received"].unique().to_list()[: 10 * count]
    if gaps:
        picked = rng.choice(np.array(sorted(gaps)), min(count, len(gaps)), replace=False)
        chosen.update(int(each) - 1 for each in picked)
    return sorted(int(each) for each in chosen)


def perturbed(inputs: Inputs, cut: int, rng: np.random.Generator) -> Iterator[tuple[str, Inputs]]:
    """Make data that agree with the given ones in all that was known by a time.

    Parameters
    ----------
    inputs : Inputs
        The data.
    cut : int
        UTC nanoseconds; what was known by then stays.
    rng : numpy.random.Generator
        Chooses what becomes of the rest.

    Yields
    ------
    tuple of (str, Inputs)
        One of `KINDS`, and the data.
    """
    later = pl.col("ts_received") > cut
    bars = _shaken(inputs.bars, later, rng)
    series = {
        name: _shaken(frame, pl.col("known_at") > cut, rng) for name, frame in inputs.series.items()
    }
    yield "values", Inputs(bars, series, inputs.universe)
    yield "truncated", truncated(inputs, cut)
    if inputs.series:
        revised = {name: _revised(each, cut, rng) for name, each in inputs.series.items()}
        yield "revisions", Inputs(inputs.bars, revised, inputs.universe)
    if inputs.universe is not None:
        yield "universe", Inputs(inputs.bars, inputs.series, _regrouped(inputs.universe, cut, rng))


def _shaken(frame: pl.DataFrame, later: pl.Expr, rng: np.random.Generator) -> pl.DataFrame:
    """Multiply the numbers of later rows; one factor a row, so that bars stay bars."""
    factor = pl.Series("_factor", np.exp(rng.normal(0.0, 0.5, frame.height)))
    numbers = [n for n in frame.columns if n not in KEYS and frame[n].dtype.is_numeric()]
    shaken = [
        pl.when(later)
        .then(pl.col(n).cast(pl.Float64) * pl.col("_factor"))
        .otherwise(pl.col(n).cast(pl.Float64))
        .alias(n)
        for n in numbers
    ]
    return frame.with_columns(factor).with_columns(shaken).drop("_factor")


def truncated(inputs: Inputs, cut: int) -> Inputs:
    """Leave out all that was not known by a time."""
    universe = inputs.universe
    if universe is not None:
        universe = universe.filter(pl.col("known_at") <= cut)
    series: Mapping[str, pl.DataFrame] = {
        name: frame.filter(pl.col("known_at") <= cut) for name, frame in inputs.series.items()
    }
    return Inputs(inputs.bars.filter(pl.col("ts_received") <= cut), series, universe)


def _revised(frame: pl.DataFrame, cut: int, rng: np.random.Generator) -> pl.DataFrame:
    """Publish other values, later, for some periods that were published by the cut."""
    before = frame.filter(pl.col("known_at") <= cut)
    if before.is_empty():
        return frame
    size = max(1, before.height // 2)
    rows = np.sort(rng.choice(before.height, size, replace=False))
    late = before[rows.tolist()]
    floats = [n for n in frame.columns if n not in KEYS and frame[n].dtype.is_numeric()]
    factors = np.exp(rng.normal(0.0, 0.5, size))
    late = late.with_columns(
        *((pl.col(name).cast(pl.Float64) * pl.Series(factors)).alias(name) for name in floats),
        pl.lit(cut + 1, pl.Int64).alias("known_at"),
    )
    same = frame.with_columns([pl.col(name).cast(pl.Float64) for name in floats])
    both: pl.DataFrame = pl.concat([same, late.select(same.columns)], how="vertical_relaxed")
    return both


def _regrouped(universe: pl.DataFrame, cut: int, rng: np.random.Generator) -> pl.DataFrame:
    """Let some members leave after the cut, and bring back what later rows took out."""
    known = universe.filter(pl.col("known_at") <= cut)
    members = known.filter(pl.col("end").is_null() | (pl.col("end") > cut))
    if members.is_empty():
        return known
    size = max(1, members.height // 2)
    rows = np.sort(rng.choice(members.height, size, replace=False))
    leaving = members[rows.tolist()].with_columns(
        pl.lit(cut + 1, pl.Int64).alias("end"), pl.lit(cut + 1, pl.Int64).alias("known_at")
    )
    both: pl.DataFrame = pl.concat([known, leaving.select(known.columns)], how="vertical_relaxed")
    return both
