"""Bars that do not move: what an honest feature has of them may be rounding, or older bars."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from quantvista.features.causality._inputs import Inputs
from quantvista.features.causality._perturb import KEYS

__all__ = ["moved", "moving_for", "numbers", "valued_for"]

_PRICES = ("open", "high", "low", "close")


def numbers(bars: pl.DataFrame) -> list[str]:
    """List the columns of values."""
    return [name for name in bars.columns if name not in KEYS and bars[name].dtype.is_numeric()]


def moving_for(bars: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Count for how many bars columns have moved with each of them.

    Parameters
    ----------
    bars : polars.DataFrame
        With ``ts_received`` and ``instrument``, ordered by time.
    columns : sequence of str
        Which are looked at.

    Returns
    -------
    polars.DataFrame
        ``ts_received``, ``instrument`` and a column of each: 0 where it has the value of the bar
        before, or none; the first bar of an instrument counts as a move.
    """
    place = pl.int_range(pl.len())
    counts = []
    for name in columns:
        value = pl.col(name)
        same = (value == value.shift(1)).fill_null(value=False) | value.is_null()
        if bars[name].dtype.is_float():
            same |= value.is_nan()
        still = pl.when(same).then(place).forward_fill().fill_null(-1)
        counts.append((place - still).over("instrument").alias(name))
    return bars.select("ts_received", "instrument", *counts)


def valued_for(name: str) -> pl.Expr:
    """Count for how many bars a feature has had a value with each of them; 0 where it has none."""
    place = pl.int_range(pl.len())
    missing = pl.when(pl.col(name).is_null()).then(place).forward_fill().fill_null(-1)
    return (place - missing).over("instrument")


def moved(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    """Let every value move with each row, by factors of its own; no value is zero any more."""
    series = {name: _moved(frame, rng) for name, frame in inputs.series.items()}
    return Inputs(_moved(inputs.bars, rng), series, inputs.universe)


def _moved(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    of_row = pl.Series(np.exp(rng.normal(0.0, 0.5, frame.height)))
    columns = {}
    for name in numbers(frame):
        values = frame[name].cast(pl.Float64)
        usual = values.filter((values != 0) & values.is_finite()).abs().median()
        filled = values.set(values == 0, float(usual or 1.0))  # type: ignore[arg-type]
        columns[name] = filled * of_row * pl.Series(np.exp(rng.normal(0.0, 0.05, frame.height)))
    made = frame.with_columns(each.alias(name) for name, each in columns.items())
    for low, high, among in (("low", "high", _PRICES), ("bid", "ask", ("bid", "ask"))):
        if low in columns and high in columns:
            there = [name for name in among if name in columns]
            ends = pl.min_horizontal(there).alias(low), pl.max_horizontal(there).alias(high)
            made = made.with_columns(ends)
    return made
