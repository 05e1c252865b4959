"""Columns that a bar has by its time alone."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.errors import MarketDataError

__all__ = ["TIME_COLUMNS", "time_columns"]

TIME_COLUMNS = (
    "time.weekday",
    "time.day",
    "time.days_left",
    "time.month",
    "time.days",
    "time.hour_sine",
    "time.hour_cosine",
)
"""Monday is 0; days of the month from 1, and those left of it; January is 1; days since 1970; and
the time of day as an angle, midnight at 0. All in UTC."""


def time_columns(time: pl.Series) -> Mapping[str, NDArray[np.float64]]:
    """Work out the columns of `TIME_COLUMNS`.

    Parameters
    ----------
    time : polars.Series, length T
        Dates, timestamps, or whole UTC nanoseconds.

    Returns
    -------
    mapping of str to float64, shape (T,)
        They depend on nothing but the time itself, so they are known beforehand.

    Raises
    ------
    MarketDataError
        If the series holds neither.
    """
    instants = _instants(time)
    days = instants.dt.epoch("us").cast(pl.Float64) / 86_400e6
    turn = ((days % 1.0) * (2.0 * np.pi)).to_numpy()
    columns = {
        "time.weekday": instants.dt.weekday().cast(pl.Float64) - 1.0,
        "time.day": instants.dt.day().cast(pl.Float64),
        "time.days_left": (instants.dt.month_end().dt.day() - instants.dt.day()).cast(pl.Float64),
        "time.month": instants.dt.month().cast(pl.Float64),
        "time.days": days,
    }
    arrays = {name: each.to_numpy().astype(np.float64) for name, each in columns.items()}
    return {**arrays, "time.hour_sine": np.sin(turn), "time.hour_cosine": np.cos(turn)}


def _instants(time: pl.Series) -> pl.Series:
    if time.dtype == pl.Date:
        return time.cast(pl.Datetime("ns"))
    if isinstance(time.dtype, pl.Datetime):
        return time.dt.convert_time_zone("UTC") if time.dtype.time_zone else time
    if time.dtype.is_integer():
        return time.cast(pl.Int64).cast(pl.Datetime("ns"))
    raise MarketDataError(f"`ts` must hold dates, timestamps or nanoseconds; found {time.dtype}")
