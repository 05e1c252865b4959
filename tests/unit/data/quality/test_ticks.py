"""Planted defects in real quotes and trades are found, and clean rows are left alone.

Each check is tried alone, on a stock by the millisecond, a currency pair and a coin. At least 95 %
of the defects must be found; of the rows that were left as they are at most one in 10,000 may be
flagged by the check.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantvista.data.importing import ImportOptions, read_rows
from quantvista.data.quality import (
    QUOTE_CHECKS,
    TRADE_CHECKS,
    CheckOptions,
    Report,
    check_quotes,
    check_trades,
    repair_rows,
)
from quantvista.errors import ConfigError, MarketDataError

SHARED = Path(__file__).parents[5] / "shared" / "data"
TABLES = {
    "stock_quotes": ("ticks/lean_bac_quotes_20131007.parquet", "XNYS", 150_000, 90_000),
    "currency": ("fx/lean_oanda_eurusd_ticks_2014-05.parquet", "FX", 150_000, 60_000),
    "stock": ("ticks/lean_bac_trades_20131007.parquet", "XNYS", 0, 88_172),
    "coin": ("crypto/freqtrade_XRP_ETH_trades.parquet", "24/7", 0, 12_477),
}
pytestmark = [
    pytest.mark.skipif(
        not all((SHARED / path).is_file() for path, *_ in TABLES.values()),
        reason="shared market data is absent",
    ),
    pytest.mark.xdist_group("quality"),
]
COUNT = 100
type Rng = np.random.Generator


@cache
def clean(name: str) -> pl.DataFrame:
    path, _, start, count = TABLES[name]
    read = read_rows(SHARED / path, ImportOptions(instrument="A.X"))
    rows = read.rows.drop("ts_event", "known_at", strict=False).rename({"ts_received": "ts"})
    return rows.slice(start, count)


@dataclass
class Table:
    """Ticks that defects are planted in."""

    frame: pl.DataFrame
    planted: set[int] = field(default_factory=set)  # rows, as they were numbered
    near: set[int] = field(default_factory=set)
    order: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        floats = [n for n in self.frame.columns if self.frame[n].dtype.is_float()]
        self.columns = {n: self.frame[n].to_numpy().copy() for n in floats}
        self.prices = [n for n in ("bid", "ask", "price") if n in self.columns]
        self.sizes = [n for n in self.columns if n.endswith("size")]
        self.ts = self.frame["ts"].to_numpy().copy()
        self.order = np.arange(self.frame.height)

    def choose(self, rng: Rng, count: int = COUNT, room: int = 60, apart: int = 30) -> list[int]:
        spots = np.arange(room, self.frame.height - room, apart)
        return sorted(rng.choice(spots, min(count, len(spots)), replace=False).tolist())

    def mark(self, row: int, around: int = 1) -> None:
        self.planted.add(row)
        self.near.update(range(row - around, row + around + 1))

    def made(self) -> pl.DataFrame:
        columns = [pl.Series(n, each) for n, each in self.columns.items()]
        return self.frame.with_columns(pl.Series("ts", self.ts), *columns)[self.order]


def missing_value(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        for name in table.prices:
            table.columns[name][row] = rng.choice([np.nan, np.inf])
        table.mark(row)


def time_order(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        later = int(np.searchsorted(table.ts, table.ts[row], "right"))
        if later - row < 40:
            table.order[[row, later]] = table.order[[later, row]]
            table.planted.update(range(row + 1, later + 1))
            table.near.update(range(row, later + 1))


def duplicate(table: Table, rng: Rng) -> None:
    rows = table.choose(rng)
    table.order = np.sort(np.concatenate([table.order, rows]))
    table.planted = {row + place + 1 for place, row in enumerate(rows)}  # as they stand


def stretch(table: Table, rng: Rng) -> None:
    start = int(rng.integers(1_000, 2_000))
    table.order = np.concatenate([table.order, np.arange(start, start + 3_000)])
    table.planted = set(range(table.frame.height, table.frame.height + 3_000))


def id_gap(table: Table, rng: Rng) -> None:
    gone = table.choose(rng)
    table.order = np.delete(table.order, gone)
    table.planted = {row - place for place, row in enumerate(gone)}


def price_sign(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        name = str(rng.choice(table.prices))
        table.columns[name][row] = rng.choice([0.0, -table.columns[name][row]])
        table.mark(row)


def size_sign(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        name = str(rng.choice(table.sizes))
        table.columns[name][row] = rng.choice([0.0, -table.columns[name][row]])
        table.mark(row)


def swapped(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        first, second = ("bid", "ask") if "bid" in table.columns else ("price", "size")
        a, b = table.columns[first][row], table.columns[second][row]
        if a != b:
            table.columns[first][row], table.columns[second][row] = b, a
            table.mark(row)


def crossed(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        bid, ask = table.columns["bid"], table.columns["ask"]
        bid[row] = ask[row] + float(rng.uniform(5, 20)) * max(ask[row] - bid[row], 1e-5)
        table.mark(row)


def locked(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        table.columns["bid"][row] = table.columns["ask"][row]
        table.mark(row)


def one_sided(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        table.columns[str(rng.choice(["bid", "ask"]))][row] = np.nan
        table.mark(row)


def wide_spread(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        bid, ask = table.columns["bid"], table.columns["ask"]
        middle, spread = (bid[row] + ask[row]) / 2, np.median(ask - bid)
        half = spread * float(rng.uniform(25, 30)) / 2
        bid[row], ask[row] = middle - half, middle + half
        table.mark(row)


def stale(table: Table, rng: Rng) -> None:
    times = np.flatnonzero(np.diff(table.ts, prepend=table.ts[0] - 1))
    for place in range(500, len(times) - 500, len(times) // 8):
        # So many times with nothing new; what comes last in it may be as it was before anyway.
        rows = range(times[place], times[place + int(rng.integers(110, 160))])
        for row in rows:
            for each in table.columns.values():
                each[row] = each[rows[0] - 1]
            table.mark(row, 60)


def gap(table: Table, rng: Rng) -> None:
    """Nothing for a quarter of an hour."""
    gone = np.zeros(len(table.ts), dtype=bool)
    for start in table.choose(rng, 4, table.frame.height // 4, 9_000):
        last = start + np.flatnonzero(np.diff(table.ts[start:]))[0]
        gone[last + 1 : np.searchsorted(table.ts, table.ts[last] + 900 * 10**9)] = True
        table.planted.add(int(table.ts[last]))
    table.order = np.flatnonzero(~gone)


def outlier(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        factor = float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.03, 1.0)))
        name = str(rng.choice(table.prices))
        for later in range(row, row + int(rng.integers(1, 4))):
            table.columns[name][later] *= factor
            table.mark(later)


def magnitude(table: Table, rng: Rng) -> None:
    for row in table.choose(rng, 20, 500, 500):
        unit = float(rng.choice([100, 0.01, 1000]))
        for later in range(row, row + int(rng.integers(20, 200))):
            for name in table.prices:
                table.columns[name][later] *= unit
            table.mark(later)


PLANTS: dict[tuple[str, str], Callable[[Table, Rng], None]] = {
    (table, each.__name__): each
    for table, plants in {
        "stock_quotes": (stretch, size_sign, crossed, one_sided, stale, wide_spread, outlier),
        "currency": (
            *(missing_value, time_order, duplicate, price_sign, swapped, crossed, locked),
            *(one_sided, wide_spread, stale, gap, outlier, magnitude),
        ),
        "stock": (
            *(missing_value, time_order, stretch, price_sign, size_sign, swapped, gap, stale),
            *(outlier, magnitude),
        ),
        "coin": (
            *(time_order, duplicate, stretch, id_gap, price_sign, size_sign, swapped),
            *(stale, outlier, magnitude),
        ),
    }.items()
    for each in plants
}


def run(
    name: str, plant: str, seed: int, options: CheckOptions | None = None
) -> tuple[Table, Report]:
    table = Table(clean(name))
    PLANTS[name, plant](table, np.random.default_rng(seed))
    check = check_quotes if "bid" in table.columns else check_trades
    return table, check(table.made(), options or CheckOptions(calendar=TABLES[name][1]))


@pytest.mark.parametrize(("name", "plant"), PLANTS, ids=lambda each: each)
def test_planted_defects_are_found(name: str, plant: str) -> None:
    check = "duplicate" if plant == "stretch" else plant
    table, report = run(name, plant, 11)
    found = report.flags.filter(pl.col("check") == check)
    flagged = set(found["ts" if plant == "gap" else "row"].to_list())
    if plant == "swapped":  # a quote that is crossed and turned by chance is either
        crossed = report.flags.filter(pl.col("check").is_in(["crossed", "locked"]))
        flagged |= set(crossed["row"].to_list()) & table.planted
    assert len(table.planted) >= (4 if plant == "gap" else 20)
    assert len(table.planted & flagged) / len(table.planted) >= 0.95, sorted(
        table.planted - flagged
    )[:10]
    false = flagged - table.planted - table.near
    if check not in ("locked", "outside_session"):
        assert 1e4 * len(false) / report.rows <= 1.0, sorted(false)[:10]


@pytest.mark.parametrize("name", TABLES)
def test_clean_ticks_are_left_alone(name: str) -> None:
    frame = clean(name)
    check = check_quotes if "bid" in frame.columns else check_trades
    report = check(frame, CheckOptions(calendar=TABLES[name][1]))
    notes = {each for each, of in report.checks.items() if of.severity == "info"}
    for each, count in report.counts.items():
        assert each in notes or 1e4 * count / report.rows <= 1.0, (each, count)


@pytest.mark.parametrize("hours", [-5, -4, 5])
def test_wrong_time_zone_is_found(hours: int) -> None:
    frame = clean("stock")
    moved = frame.with_columns(pl.col("ts") + hours * 3_600 * 10**9)
    report = check_trades(moved, CheckOptions(calendar="XNYS"))
    flags = report.flags.filter(pl.col("check") == "time_zone")
    assert flags.height
    assert f"{-hours:+d} h" in flags["text"][0]


def test_columns_of_the_whole_file_that_are_swapped_are_put_back() -> None:
    frame = clean("currency").head(5_000)
    turned = frame.rename({"bid": "ask", "ask": "bid"}).select(frame.columns)
    report = check_quotes(turned, CheckOptions(policies={"swapped": "repair"}))
    assert report.counts["swapped"] == 5_000
    done = repair_rows(turned, report)
    assert done.rows.equals(frame)
    assert done.changes.height == 10_000
    assert done.quarantined.is_empty()


def test_repair_puts_back_what_was_changed() -> None:
    for name, plant in (("coin", "swapped"), ("stock", "magnitude")):
        options = CheckOptions(policies={plant: "repair"})
        table, report = run(name, plant, 12, options)
        done = repair_rows(table.made(), report)
        assert done.changes.height > 0
        left = done.rows.height + done.quarantined.height
        assert left == table.frame.height
        assert done.quarantined.height <= 5
        assert done.rows["price"].sum() == pytest.approx(clean(name)["price"].sum(), rel=2e-3)


def test_repair_leaves_the_first_of_each_trade_in_order() -> None:
    table = Table(clean("coin"))
    duplicate(table, np.random.default_rng(3))
    mixed = table.made()[::-1]
    done = repair_rows(mixed, check_trades(mixed))
    assert done.quarantined.height == COUNT
    assert done.rows["ts"].is_sorted()
    assert sorted(done.rows["id"].cast(pl.Int64)) == sorted(clean("coin")["id"].cast(pl.Int64))


def test_policies_are_of_the_rows_that_are_checked() -> None:
    frame = clean("coin").head(50)
    with pytest.raises(ConfigError, match=r"must name checks of trades .*found 'crossed'"):
        check_trades(frame, CheckOptions(policies={"crossed": "keep"}))
    with pytest.raises(MarketDataError, match="`quotes` must have a bid; found"):
        check_quotes(frame)
    of_one = {"crossed", "locked", "one_sided", "wide_spread", "id_gap"}
    assert set(QUOTE_CHECKS) ^ set(TRADE_CHECKS) == of_one
