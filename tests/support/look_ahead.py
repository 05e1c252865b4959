"""Whether a strategy knows what it cannot know yet: change the future and see if the past moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from quantvista.backtest import Simulation
from quantvista.backtest._setup import simulation
from quantvista.data import MarketData
from quantvista.engine import run_tables
from quantvista.fund import load_fund
from quantvista.market import Instrument
from quantvista.strategies import Strategy
from support.funds_on_disk import names_of

DAY = 86_400 * 10**9
SECTORS = ("Energy", "Health", "Tech")

type Closes = NDArray[np.float64]
type Make = Callable[[MarketData], Strategy]
"""Makes a fresh strategy; most have no use for the data."""


class LookAheadError(AssertionError):
    """A decision changed with prices that came after it."""


def market(close: Closes) -> MarketData:
    """Daily data of closes, shape (T, n), NaN where there is no bar."""
    rows, count = close.shape
    every = np.ones(rows, dtype=np.bool_)
    instruments = tuple(
        Instrument(name, sector=SECTORS[index % len(SECTORS)])
        for index, name in enumerate(names_of(count))
    )
    return MarketData(
        instruments=instruments,
        ts=(np.arange(rows) + 16_437) * DAY,
        session_start=every,
        session_end=every,
        close=close,
        open=None,
        high=None,
        low=None,
        volume=None,
        benchmark=None,
        benchmark_id=None,
        biases=(),
        assumptions=(),
        source="made up",
        fingerprint="",
    )


def set_up(make: Make, data: MarketData, **sections: dict[str, Any]) -> Simulation:
    """A fund of one sleeve over the data."""
    strategy = make(data)
    content: dict[str, Any] = {
        "fund": {"name": "peeking", "cash": "1000000.00", "calendar": "24/7", "time_zone": "UTC"},
        "data": {"source": "made up"},
        "sleeve": [{"id": "one", "strategy": type(strategy)}],
        "portfolio": {"rebalance": "daily", "volatility_window": 5},
        "venue": [{"fee_bps": "1", "slippage_bps": "2"}],
    }
    return simulation(load_fund(content | sections), data, {"one": strategy})


def decisions(run: Simulation, rows: int) -> dict[str, pa.Table]:
    """Targets, and all that the engine recorded, of the first rows."""
    run.run(rows)
    tables = run_tables(run.session, run.config)
    weights = [row.weight_e9 for row in run.targets]
    tables["targets"] = pa.table(
        {
            "ts": np.repeat(np.array([row.ts for row in run.targets], np.int64), len(run.data.ids)),
            "weight_e9": np.concatenate(weights) if weights else np.empty(0, np.int64),
        }
    )
    return tables


def check_look_ahead(
    make: Make, data: MarketData, later: Closes, row: int, **sections: dict[str, Any]
) -> int:
    """Run twice up to a row, with different prices after it, and compare all that was done.

    Returns
    -------
    int
        Fills up to the row.

    Raises
    ------
    LookAheadError
        If the runs differ.
    """
    changed = replace(data, close=np.vstack([data.close[: row + 1], later]))
    assert changed.close.shape == data.close.shape
    assert not np.array_equal(changed.close, data.close, equal_nan=True)
    ours = decisions(set_up(make, data, **sections), row + 1)
    theirs = decisions(set_up(make, changed, **sections), row + 1)
    for name, table in ours.items():
        if not table.equals(theirs[name]):
            raise LookAheadError(f"{name} up to row {row} depend on prices after it")
    return int(ours["fills"].num_rows)
