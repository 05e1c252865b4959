"""Small funds with prices in a CSV file, for tests that run the whole of a backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantvista.fund import LoadedFund, load_fund
from quantvista.market import sessions

type Closes = NDArray[np.float64]

CENTS = 100.0


@cache
def dates(count: int) -> tuple[str, ...]:
    """The first sessions of New York from 2015 on."""
    start = date(2015, 1, 2)
    end = start + timedelta(days=count * 8 // 5 + 30)
    labels = sessions("XNYS", str(start), str(end)).labels[:count]
    return tuple(str(label) for label in labels)


def prices(seed: int, rows: int, count: int, *, gaps: bool = False) -> Closes:
    """Random walks in cents, with jumps; with gaps also late starts, early ends and holes."""
    random = np.random.default_rng(seed)
    moves = random.normal(0.0005, 0.02, (rows, count))
    moves += random.choice([0.0, 0.0, 0.0, 0.2, -0.2], (rows, count)) * (
        random.random((rows, count)) < 0.02
    )
    start = random.uniform(5.0, 200.0, count)
    close: Closes = np.maximum(np.rint(start * np.exp(np.cumsum(moves, axis=0)) * CENTS), 1.0)
    close /= CENTS
    if gaps and rows > 10:
        close[random.random((rows, count)) < 0.02] = np.nan
        for column in range(count):
            event = random.integers(0, 6)
            if event == 0:
                close[: random.integers(1, rows // 2), column] = np.nan
            elif event == 1:
                close[random.integers(rows // 2, rows - 1) :, column] = np.nan
    close[[0, -1], 0] = 20.0, 30.0  # so that every run has the same first and last session
    return close


def names_of(count: int) -> list[str]:
    """Ids of so many instruments, ascending."""
    return [f"I{index:02d}.XNYS" for index in range(count)]


def write_csv(path: Path, close: Closes, names: Sequence[str], columns: Sequence[int]) -> None:
    """Write closes wide: a date, then the chosen columns in the given order."""
    lines = [",".join(["date", *(names[column] for column in columns)])]
    for day, row in zip(dates(len(close)), close, strict=True):
        cells = ["" if np.isnan(row[column]) else f"{row[column]:.2f}" for column in columns]
        lines.append(",".join([day, *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_fund(
    folder: Path,
    close: Closes,
    sleeves: Sequence[Mapping[str, Any]],
    *,
    columns: Sequence[int] | None = None,
    data: Mapping[str, Any] | None = None,
    cash: str = "1000000.00",
    **sections: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> LoadedFund:
    """A fund over closes, whose prices and strategies lie in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = names_of(close.shape[1])
    order = list(range(len(names))) if columns is None else list(columns)
    write_csv(folder / "prices.csv", close, names, order)
    content: dict[str, Any] = {
        "fund": {"name": "small", "cash": cash},
        "data": {"source": "prices.csv", **(data or {})},
        "sleeve": [dict(sleeve) for sleeve in sleeves],
        "portfolio": {"rebalance": "week_end", "volatility_window": 10},
        "venue": [{"fee_bps": "2", "slippage_bps": "3"}],
    }
    return load_fund(content | sections, base=folder)
