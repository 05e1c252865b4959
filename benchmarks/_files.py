"""Files of bars that both sides read, and slow series that both join; made with Polars."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
from _common import INSTRUMENTS, SEED, symbols

__all__ = ["asof_tables", "bar_file"]

_DAY_NS = 86_400 * 10**9


@contextmanager
def bar_file(rows: int, suffix: str) -> Iterator[Path]:
    """Write daily bars of 500 instruments, a row for each; gone afterwards."""
    days = -(-rows // INSTRUMENTS)
    rng = np.random.Generator(np.random.PCG64(SEED))
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (days, INSTRUMENTS)), axis=0))
    spread = np.abs(rng.normal(0, 0.005, (days, INSTRUMENTS)))
    weekdays = np.busday_offset("1990-01-01", np.arange(days), roll="forward")
    frame = pl.DataFrame(
        {
            "date": np.repeat(weekdays, INSTRUMENTS),
            "instrument": [f"{each}.XNYS" for each in symbols()] * days,
            "open": np.round(close * (1 + spread / 3), 2).ravel(),
            "high": np.round(close * (1 + spread), 2).ravel(),
            "low": np.round(close * (1 - spread), 2).ravel(),
            "close": np.round(close, 2).ravel(),
            "volume": rng.integers(1_000, 90_000, days * INSTRUMENTS),
        }
    ).head(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"bars{suffix}"
        if suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
        yield path


def asof_tables(rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bars by time, and a quarterly figure of each instrument with the day it was published."""
    days = -(-rows // INSTRUMENTS)
    rng = np.random.Generator(np.random.PCG64(SEED))
    times = np.arange(1, days + 1) * _DAY_NS
    bars = pl.DataFrame(
        {
            "ts_received": np.repeat(times, INSTRUMENTS),
            "instrument": symbols() * days,
            "close": rng.normal(100, 1, days * INSTRUMENTS),
        }
    ).head(rows)
    periods = np.arange(0, times[-1], 91 * _DAY_NS)
    lag = rng.integers(20, 80, (len(periods), INSTRUMENTS)) * _DAY_NS
    series = pl.DataFrame(
        {
            "instrument": symbols() * len(periods),
            "ts_event": np.repeat(periods, INSTRUMENTS),
            "known_at": (periods[:, None] + lag).ravel(),
            "value": rng.normal(0, 1, lag.size),
        }
    )
    return bars, series
