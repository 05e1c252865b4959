"""The oracle, started at the recorded integer targets, repeats the whole demo run to the digit.

Only whole numbers cross from the run to the oracle: times, and weights in 1e-9. Prices come
from the text of the sample's file, read and rounded here; the fund's settings are typed in again.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oracle import Oracle
from quantvista import backtest
from quantvista.fund import template_path
from support.engine_adapter import OracleAdapter

UNIT = 10**6
"""Price units in a dollar: the sample's tick is a millionth."""
MONEY = 10**12
SLEEVES = ("momentum", "trend")
TECHNOLOGY, HEALTH, STAPLES = "Information Technology", "Health Care", "Consumer Staples"
RETAIL, BANKS, OIL, MACHINES = "Consumer Discretionary", "Financials", "Energy", "Industrials"
SECTORS = {
    "AAPL.XNAS": TECHNOLOGY,
    "AMD.XNAS": TECHNOLOGY,
    "BAC.XNYS": BANKS,
    "BBY.XNYS": RETAIL,
    "CVX.XNYS": OIL,
    "GE.XNYS": MACHINES,
    "HD.XNYS": RETAIL,
    "JNJ.XNYS": HEALTH,
    "JPM.XNYS": BANKS,
    "KO.XNYS": STAPLES,
    "LLY.XNYS": HEALTH,
    "MRK.XNYS": HEALTH,
    "MSFT.XNAS": TECHNOLOGY,
    "PEP.XNAS": STAPLES,
    "PFE.XNYS": HEALTH,
    "PG.XNYS": STAPLES,
    "RRC.XNYS": OIL,
    "UNH.XNYS": HEALTH,
    "WMT.XNYS": STAPLES,
    "XOM.XNYS": OIL,
}
NAMES = list(SECTORS)
CONFIG: dict[str, Any] = {
    "semantics": 2,
    "fund": "demo",
    "currency_precision": 2,
    "sleeves": list(SLEEVES),
    "cash": [500_000 * MONEY, 500_000 * MONEY],
    "instruments": [
        {
            "id": name,
            "price_precision": 6,
            "quantity_precision": 0,
            "tick_size": 1,
            "lot_size": 1,
            "multiplier": 1,
            "sector": sector,
            "effective_from": None,
            "effective_to": None,
            "close_only": True,
        }
        for name, sector in SECTORS.items()
    ],
    "venue": {
        "fee_rate": 100_000,  # 1 basis point
        "slippage": 200_000,  # 2 basis points
        "limit_fill": "through",
        "participation_max": None,
        "on_close_cutoff_ns": 600 * 10**9,
    },
    "limits": {
        "price_band": 150_000_000,
        "weight_max": 150_000_000,
        "sector_max": 400_000_000,
        "fat_finger_notional": None,
        "fat_finger_quantity": None,
        "position_max": None,
        "gross_max": None,
    },
}

type Rows = list[dict[str, Any]]


def integers(column: pa.ChunkedArray) -> list[int | None]:
    """Decimals in units of 1e-12, read from their bytes."""
    array = column.combine_chunks()
    data = array.buffers()[1].to_pybytes()
    numbers = [
        int.from_bytes(data[16 * row : 16 * row + 16], "little", signed=True)
        for row in range(array.offset, array.offset + len(array))
    ]
    valid = array.is_valid().to_pylist()
    return [number if there else None for number, there in zip(numbers, valid, strict=True)]


def rows_of(path: Path) -> Rows:
    """Rows of a Parquet file; times as nanoseconds, decimals as whole numbers of 1e-12."""
    table = pq.read_table(path)
    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_decimal(column.type):
            columns[name] = integers(column)
        elif pa.types.is_timestamp(column.type):
            columns[name] = column.cast(pa.int64()).to_pylist()
        else:
            columns[name] = column.to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def closes() -> Iterator[list[int | None]]:
    """Closes of the sample in whole price units, by instrument; None where there is no bar."""
    spec = importlib.util.find_spec("skfolio")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data"
    with gzip.open(folder / "sp500_dataset.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            texts = [row[name.partition(".")[0]] for name in NAMES]
            yield [
                int((Decimal(text) * UNIT).to_integral_value(ROUND_HALF_EVEN)) if text else None
                for text in texts
            ]


@dataclass
class Found:
    """What the oracle makes of the run, in the words and units of the run's tables."""

    orders: Rows
    fills: Rows
    verdicts: Rows
    sleeves: Rows
    positions: Rows
    oracle: OracleAdapter


def repeat(times: list[int], prices: list[list[int | None]], targets: Rows) -> Found:
    """Feed the oracle, bar by bar, and write down what it says."""
    oracle = OracleAdapter(CONFIG)
    wanted: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for row in targets:
        target = (NAMES.index(row["instrument"]), row["weight_e9"])
        wanted[row["ts"]][SLEEVES.index(row["sleeve"])].append(target)
    found = Found([], [], [], [], [], oracle)
    for ts, bars in zip(times, prices, strict=True):
        assert None not in bars, "the sample has every bar"
        inputs: Rows = [
            {"type": "bar", "instrument": index, "close": close}
            | dict.fromkeys(("open", "high", "low", "volume"))
            for index, close in enumerate(bars)
        ]
        inputs.append({"type": "barrier", "session_start": True, "session_end": True})
        inputs += [
            {"type": "target_portfolio", "sleeve": sleeve, "targets": named}
            for sleeve, named in sorted(wanted[ts].items())
        ]
        for sequence, input in enumerate(inputs):
            place = {"ts": ts, "source": input.get("sleeve", 0), "sequence": sequence}
            record(found, oracle.apply(input | place))
        mark(found, ts, bars)
    return found


def record(found: Found, outputs: Rows) -> None:
    for output in outputs:
        if output["type"] == "order_filled":
            found.fills.append(fill_row(output))
        elif output["type"] == "verdict":
            units = MONEY // UNIT if output["rule"] == "price_band" else 1
            found.verdicts.append(
                {
                    "ts": output["ts"],
                    "order_id": f"demo-1-{output['order_id']:06d}",
                    "rule": output["rule"],
                    "figure": None if output["figure"] is None else output["figure"] * units,
                    "limit": None if output["limit"] is None else output["limit"] * units,
                    "outcome": output["outcome"],
                }
            )


def fill_row(fill: dict[str, Any]) -> dict[str, Any]:
    return {
        "ts": fill["ts"],
        "fill_id": f"demo-1-f{fill['fill_id']:06d}",
        "order_id": f"demo-1-{fill['order_id']:06d}",
        "instrument": NAMES[fill["instrument"]],
        "sleeve": SLEEVES[fill["sleeve"]],
        "venue": "sim",
        "side": fill["side"],
        "quantity": fill["quantity"] * MONEY,
        "price": fill["price"] * (MONEY // UNIT),
        "currency": "USD",
        "fee": fill["fee"],
        "slippage": fill["slippage"],
        "kind": fill["kind"],
    }


def known(rows: Rows, expected: Rows) -> Rows:
    """Leave out the columns that the oracle does not speak of."""
    names = expected[0].keys()
    return [{name: row[name] for name in names} for row in rows]


def mark(found: Found, ts: int, prices: list[int | None]) -> None:
    oracle = found.oracle
    for sleeve, name in enumerate(SLEEVES):
        equity, cash = oracle.sleeve_equity(sleeve), oracle.cash(sleeve)
        found.sleeves.append({"ts": ts, "sleeve": name, "equity": equity, "cash": cash})
        for index, instrument in enumerate(NAMES):
            quantity, price = oracle.position(sleeve, index), prices[index]
            if quantity and price is not None:
                found.positions.append(
                    {
                        "ts": ts,
                        "instrument": instrument,
                        "sleeve": name,
                        "quantity": quantity * MONEY,
                        "mark_price": price * (MONEY // UNIT),
                        "value": quantity * price * (MONEY // UNIT),
                        "cost": oracle.cost(sleeve, index),
                    }
                )


def order_rows(oracle: Oracle) -> Rows:
    return [
        {
            "ts": order.ts,
            "order_id": f"demo-1-{order.id:06d}",
            "instrument": NAMES[order.instrument],
            "sleeve": SLEEVES[order.sleeve],
            "side": order.side,
            "quantity": order.quantity * MONEY,
            "filled": order.filled * MONEY,
            "type": order.kind,
            "tif": order.tif,
            "limit_price": None,
            "status": order.status,
        }
        for order in oracle.orders.values()
    ]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    backtest.run(template_path("demo"), out=folder)
    return folder


def test_oracle_agrees_with_the_engine_on_the_whole_demo(run_folder: Path) -> None:
    equity = rows_of(run_folder / "equity.parquet")
    prices = list(closes())
    assert len(equity) == len(prices) == 8313
    times = [row["ts"] for row in equity]
    found = repeat(times, prices, rows_of(run_folder / "targets.parquet"))

    assert found.fills == known(rows_of(run_folder / "fills.parquet"), found.fills)
    assert len(found.fills) > 5_000
    assert {fill["kind"] for fill in found.fills} == {"trade", "cross"}
    assert found.verdicts == rows_of(run_folder / "verdicts.parquet")
    assert found.sleeves == rows_of(run_folder / "sleeves.parquet")
    positions = rows_of(run_folder / "positions.parquet")
    assert found.positions == known(positions, found.positions)
    orders = rows_of(run_folder / "orders.parquet")
    reasons = [order.pop("reason") for order in orders]
    expected = order_rows(found.oracle.engine.oracle)
    assert expected == known(orders, expected)
    for reason, order in zip(reasons, found.oracle.orders.values(), strict=True):
        ended = order.status in ("rejected", "cancelled", "expired")
        assert (reason or "") == (order.reason if ended else "")

    one, other = found.sleeves[::2], found.sleeves[1::2]
    for row, a, b in zip(equity, one, other, strict=True):
        assert row["equity"] == a["equity"] + b["equity"]
        assert row["cash"] == a["cash"] + b["cash"]
        assert row["gross"] == row["net"] == row["equity"] - row["cash"]
