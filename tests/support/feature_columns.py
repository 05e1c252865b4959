"""Columns to hold feature operators against references on, and one operator by itself."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista import _native

type Values = NDArray[np.float64]

FILES = Path(__file__).parents[3] / "shared" / "data" / "equities_daily"
REAL = ("aapl", "spy", "iwm")


def run(op: str, inputs: Sequence[Values], params: Sequence[float] = ()) -> Values:
    """Run one operator; inputs of the shape (rows,) or (rows, instruments)."""
    columns = [np.ascontiguousarray(x.reshape(len(x), -1)) for x in inputs]
    names = [str(place) for place in range(len(columns))]
    # An operator without inputs still needs rows to run over.
    columns = columns or [np.zeros((10, 1))]
    spec = {
        "columns": names or ["rows"],
        "nodes": [{"op": op, "inputs": list(range(len(names))), "params": list(params)}],
        "outputs": [len(columns)],
    }
    result = _native.FeatureProgram(spec, columns[0].shape[1]).advance(columns)[0]
    single = not inputs or inputs[0].ndim == 1
    return np.asarray(result[:, 0] if single else result)


def random_columns(rows: int, seed: int) -> dict[str, Values]:
    """Walk prices, with highs and lows around them, volumes, quotes and a condition."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, rows)))
    opens = np.concatenate([[100.0], close[:-1]]) * np.exp(rng.normal(0, 0.005, rows))
    high = np.maximum(opens, close) * np.exp(np.abs(rng.normal(0, 0.01, rows)))
    low = np.minimum(opens, close) * np.exp(-np.abs(rng.normal(0, 0.01, rows)))
    # On a grid, so that ties and unchanged quotes occur.
    bid = np.round(close, 1) - 0.1
    return {
        "open": opens,
        "high": high,
        "low": low,
        "close": close,
        "volume": np.round(rng.lognormal(12, 0.5, rows)),
        "bid": bid,
        "ask": bid + rng.integers(1, 3, rows) / 10,
        "bid_size": rng.integers(1, 50, rows).astype(np.float64),
        "ask_size": rng.integers(1, 50, rows).astype(np.float64),
        "signed_volume": np.round(rng.normal(0, 1e4, rows)),
        "condition": (rng.random(rows) < 0.2).astype(np.float64),
        "x": np.round(close, 1),
        "y": np.round(50 + rng.normal(0, 1, rows), 1),
        "price": close,
    }


def real_columns(name: str) -> dict[str, Values]:
    """Read years of raw daily bars of one instrument, splits included."""
    frame = pl.read_parquet(FILES / f"lean_{name}_1d_raw.parquet")
    prices = {k: frame[f"{k}_e4"].to_numpy() / 1e4 for k in ("open", "high", "low", "close")}
    return {**prices, "volume": frame["volume"].to_numpy().astype(np.float64)}
