"""Generated bars with every column that shipped features read; some are missing."""

import numpy as np
import polars as pl

__all__ = ["feature_bars"]

_MACRO = ("vix", "yield_10y", "yield_3m", "cpi", "earnings_index", "wti", "index")
_COMPANY = (
    "shares",
    "net_income",
    "revenue",
    "gross_profit",
    "operating_cash_flow",
    "capex",
    "dividends",
    "equity",
    "assets",
    "debt",
    "cash",
    "current_assets",
    "current_liabilities",
)
DAY_NS = 86_400 * 10**9


def feature_bars(seed: int, rows: int = 300, n: int = 4, gaps: float = 0.01) -> pl.DataFrame:
    """Make bars of ``n`` instruments in two sectors.

    Parameters
    ----------
    seed : int
        Of all that is drawn.
    rows, n : int
        Days and instruments.
    gaps : float
        Share of the bars that are missing.
    """
    rng = np.random.default_rng(seed)
    shape = (rows, n)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, shape), axis=0))
    open_ = close * np.exp(rng.normal(0, 0.008, shape))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.006, shape)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.006, shape)))
    columns = {"open": open_, "high": high, "low": low, "close": close}
    columns = {name: np.round(each, 2) for name, each in columns.items()}
    columns["volume"] = rng.integers(1_000, 90_000, shape).astype(float)
    columns["vwap"] = (columns["high"] + columns["low"] + columns["close"]) / 3
    columns["bid"] = columns["close"] - rng.integers(1, 4, shape) / 100
    columns["ask"] = columns["close"] + rng.integers(1, 4, shape) / 100
    columns["bid_size"] = rng.integers(1, 900, shape).astype(float)
    columns["ask_size"] = rng.integers(1, 900, shape).astype(float)
    walks = 20 + np.abs(np.cumsum(rng.normal(0, 0.3, (len(_MACRO), rows)), axis=1))
    for name, walk in zip(_MACRO, walks, strict=True):
        columns[name] = np.repeat(walk[:, None], n, axis=1)
    columns["benchmark"] = np.repeat(close.mean(axis=1)[:, None], n, axis=1)
    for name in _COMPANY:
        columns[name] = 1e9 * np.exp(rng.normal(0, 0.1, shape))
    frame = pl.DataFrame(
        {
            "ts": np.repeat(np.arange(rows) * DAY_NS, n),
            "instrument": [f"I{k}.X" for k in range(n)] * rows,
            "sector": [("even", "odd")[k % 2] for k in range(n)] * rows,
            **{name: each.ravel() for name, each in columns.items()},
        }
    )
    return frame.filter(pl.Series(rng.random(rows * n) >= gaps))
