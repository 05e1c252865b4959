"""The 52 features that all systems compute: our operator with its inputs, TA-Lib's function.

TA-Lib has every one of them, under its own name and with the same conventions. Every system
computes them twice, and the second time counts: the first also pays for half a gigabyte that the
machine hands out for the first time, which can take longer than the work.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from _common import INSTRUMENTS, SEED
from numpy.typing import NDArray

__all__ = ["COLUMNS", "FEATURES", "FeatureSpec", "prices", "spec"]

COLUMNS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class FeatureSpec:
    """One feature: ours is ``op(inputs, *params)``, TA-Lib's ``function(inputs, **options)``."""

    op: str
    inputs: tuple[str, ...]
    params: tuple[float, ...]
    function: str
    options: Mapping[str, float]


def _windows(op: str, function: str, *windows: int) -> list[FeatureSpec]:
    return [FeatureSpec(op, ("close",), (n,), function, {"timeperiod": n}) for n in windows]


def _bars(op: str, function: str, inputs: tuple[str, ...], n: int) -> FeatureSpec:
    return FeatureSpec(op, inputs, (n,), function, {"timeperiod": n})


def _deviation(n: int) -> FeatureSpec:
    """TA-Lib divides by n where ours divides by n - 1."""
    options = {"timeperiod": n, "nbdev": (n / (n - 1)) ** 0.5}
    return FeatureSpec("std", ("close",), (n,), "STDDEV", options)


_HLC = ("high", "low", "close")
FEATURES: tuple[FeatureSpec, ...] = (
    *_windows("returns", "ROCP", 1, 5, 20, 60),
    *_windows("delta", "MOM", 10, 20),
    *_windows("mean", "SMA", 5, 10, 20, 50, 200),
    *_windows("sum", "SUM", 20),
    *_windows("ema", "EMA", 12, 26, 50),
    *_windows("wma", "WMA", 20),
    *_windows("dema", "DEMA", 20),
    *_windows("tema", "TEMA", 20),
    *_windows("trima", "TRIMA", 30),
    *_windows("kama", "KAMA", 30),
    *_windows("trix", "TRIX", 15),
    FeatureSpec("macd", ("close",), (12, 26), "MACD", {}),
    *(_deviation(n) for n in (10, 20, 60)),
    *_windows("min", "MIN", 20),
    *_windows("max", "MAX", 20, 60),
    *_windows("rsi", "RSI", 7, 14, 28),
    *_windows("cmo", "CMO", 14),
    *_windows("slope", "LINEARREG_SLOPE", 14, 60),
    *_windows("intercept", "LINEARREG_INTERCEPT", 14),
    _bars("corr", "CORREL", ("high", "volume"), 30),
    FeatureSpec("true_range", _HLC, (), "TRANGE", {}),
    _bars("atr", "ATR", _HLC, 14),
    _bars("natr", "NATR", _HLC, 14),
    _bars("plus_di", "PLUS_DI", _HLC, 14),
    _bars("minus_di", "MINUS_DI", _HLC, 14),
    _bars("dx", "DX", _HLC, 14),
    _bars("adx", "ADX", _HLC, 14),
    _bars("cci", "CCI", _HLC, 20),
    _bars("willr", "WILLR", _HLC, 14),
    FeatureSpec("ultosc", _HLC, (7, 14, 28), "ULTOSC", {}),
    FeatureSpec(
        "psar", ("high", "low"), (0.02, 0.2), "SAR", {"acceleration": 0.02, "maximum": 0.2}
    ),
    FeatureSpec("obv", ("close", "volume"), (), "OBV", {}),
    FeatureSpec("ad", (*_HLC, "volume"), (), "AD", {}),
    _bars("mfi", "MFI", (*_HLC, "volume"), 14),
    FeatureSpec("log", ("close",), (), "LN", {}),
    FeatureSpec("sqrt", ("close",), (), "SQRT", {}),
)


def prices(rows: int) -> dict[str, NDArray[np.float64]]:
    """Walk daily bars, shape (rows, instruments), the same in every environment."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    shape = (rows, INSTRUMENTS)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    opens = close * np.exp(rng.normal(0, 0.005, shape))
    high = np.maximum(opens, close) * np.exp(np.abs(rng.normal(0, 0.01, shape)))
    low = np.minimum(opens, close) * np.exp(-np.abs(rng.normal(0, 0.01, shape)))
    volume = np.round(rng.lognormal(12, 0.5, shape))
    return dict(zip(COLUMNS, (opens, high, low, close, volume), strict=True))


def spec() -> dict[str, object]:
    """Write them as a program of ours."""
    nodes = [
        {"op": f.op, "inputs": [COLUMNS.index(x) for x in f.inputs], "params": list(f.params)}
        for f in FEATURES
    ]
    outputs = [len(COLUMNS) + place for place in range(len(nodes))]
    return {"columns": list(COLUMNS), "nodes": nodes, "outputs": outputs}
