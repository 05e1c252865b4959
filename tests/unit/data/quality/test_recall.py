"""Planted defects in real prices are found, and clean rows are left alone.

Each check is tried alone: some hundred defects of its kind in five years of 62 stocks. At least
95 % must be found; of the rows that were left as they are at most one in 10,000 may be flagged.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantvista.data.quality import CHECKS, CheckOptions, Report, check_bars, repair_rows
from quantvista.market import CorporateAction

SHARED = Path(__file__).parents[5] / "shared" / "data"
PATH = SHARED / "equities_daily" / "stocknet_dev.parquet"
pytestmark = [
    pytest.mark.skipif(not PATH.is_file(), reason="shared market data is absent"),
    pytest.mark.xdist_group("quality"),
]
COUNT = 120
FIELDS = ("open", "high", "low", "close")
DAY_NS = 86_400 * 10**9
type Rng = np.random.Generator


@dataclass
class Table:
    """Prices that defects are planted in."""

    frame: pl.DataFrame
    planted: set[tuple[str, int]] = field(default_factory=set)
    near: set[tuple[str, int]] = field(default_factory=set)
    other: pl.DataFrame | None = None
    actions: list[CorporateAction] = field(default_factory=list)
    adjusted: bool = True

    def __post_init__(self) -> None:
        self.columns = {n: self.frame[n].to_numpy().copy() for n in (*FIELDS, "volume")}
        self.ts = self.frame["date"].cast(pl.Datetime("ns")).dt.epoch("ns").to_numpy()
        self.name = self.frame["instrument"].to_list()
        self.last = np.array(
            [k + 1 == len(self.name) or self.name[k + 1] != n for k, n in enumerate(self.name)]
        )
        self.place = np.zeros(len(self.name), dtype=int)
        for k in range(1, len(self.name)):
            self.place[k] = 0 if self.name[k] != self.name[k - 1] else self.place[k - 1] + 1

    def choose(self, rng: Rng, count: int = COUNT, room: int = 25, apart: int = 12) -> list[int]:
        """Rows with so much of their instrument before and after, none close to another."""
        chosen: list[int] = []
        for row in rng.permutation(len(self.name)).tolist():
            inside = room <= self.place[row] and row + room < len(self.name)
            if not inside or self.name[row + room] != self.name[row]:
                continue
            if all(abs(row - each) > apart for each in chosen):
                chosen.append(row)
            if len(chosen) == count:
                break
        return sorted(chosen)

    def mark(self, row: int, around: int = 1) -> None:
        self.planted.add((self.name[row], int(self.ts[row])))
        for each in range(max(0, row - around), min(len(self.name), row + around + 1)):
            self.near.add((self.name[each], int(self.ts[each])))

    def end(self, row: int) -> int:
        while not self.last[row]:
            row += 1
        return row + 1

    def made(self) -> pl.DataFrame:
        return self.frame.with_columns([pl.Series(n, each) for n, each in self.columns.items()])


@cache
def clean() -> pl.DataFrame:
    table = pl.read_parquet(PATH).rename({"symbol": "instrument"}).drop_nulls("close")
    table = table.with_columns(pl.col("instrument") + ".US")
    return table.select("instrument", "date", *FIELDS, pl.col("volume").cast(pl.Float64))


def missing_value(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        table.columns[str(rng.choice(["open", "high", "low"]))][row] = np.nan
        table.mark(row)


def price_sign(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        name = str(rng.choice(FIELDS))
        table.columns[name][row] = rng.choice([0.0, -table.columns[name][row]])
        table.mark(row)


def swapped(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        first, second = ("high", "low") if rng.random() < 0.5 else ("open", "volume")
        a, b = table.columns[first][row], table.columns[second][row]
        if a != b:
            table.columns[first][row], table.columns[second][row] = b, a
            table.mark(row)


def ohlc_order(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        name = str(rng.choice(["open", "close"]))
        above = rng.random() < 0.5
        edge = table.columns["high" if above else "low"][row]
        table.columns[name][row] = edge * (1.003 if above else 0.997)
        table.mark(row)


def negative_volume(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        table.columns["volume"][row] *= -1
        table.mark(row)


def zero_volume(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        table.columns["volume"][row] = 0
        table.mark(row)


def stale(table: Table, rng: Rng) -> None:
    for row in table.choose(rng, 60):
        for later in range(row + 1, row + 1 + int(rng.integers(3, 9))):
            for name in (*FIELDS, "volume"):
                table.columns[name][later] = table.columns[name][row]
            table.mark(later)


def outlier(table: Table, rng: Rng) -> None:
    for row in table.choose(rng):
        factor = float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.25, 1.2)))
        if rng.random() < 0.5:  # a bad print: within the bar
            name = "high" if factor > 1 else "low"
            table.columns[name][row] *= factor
        else:
            for name in FIELDS:
                table.columns[name][row] *= factor
        table.mark(row)


def unadjusted_split(table: Table, rng: Rng) -> None:
    rows = table.choose(rng, 50, 80, 200)
    for row in rows:
        ratio = float(rng.choice([2, 3, 1.5, 5, 10, 0.5, 0.2, 0.1]))
        if any(table.name[each] == table.name[row] for each in rows if each < row):
            continue  # one for each, so that each is known by its own ratio
        start = row - table.place[row]
        for name in FIELDS:
            table.columns[name][start:row] *= ratio
        table.columns["volume"][start:row] /= ratio
        table.mark(row)


def unadjusted_dividend(table: Table, rng: Rng) -> None:
    rows = table.choose(rng, 60, 80, 200)
    for row in rows:
        share = float(rng.uniform(0.12, 0.25))
        start = row - table.place[row]
        for name in FIELDS:
            table.columns[name][start:row] /= 1 - share
        paid = table.columns["close"][row - 1] * share
        day = date(1970, 1, 1) + timedelta(days=int(table.ts[row] // DAY_NS))
        amount = Decimal(str(round(paid, 6)))
        table.actions.append(CorporateAction(day, table.name[row], "cash_dividend", amount=amount))
        table.mark(row)


def magnitude(table: Table, rng: Rng) -> None:
    for row in table.choose(rng, 60, 40, 60):
        unit = float(rng.choice([100, 0.01, 1000]))
        for later in range(row, row + int(rng.integers(1, 20))):
            for name in FIELDS:
                table.columns[name][later] *= unit
            table.mark(later)


def disagreement(table: Table, rng: Rng) -> None:
    noise = 1 + 1e-5 * rng.standard_normal(len(table.name))
    table.other = table.frame.with_columns(pl.Series("close", table.columns["close"] * noise))
    for row in table.choose(rng):
        factor = 1 + float(rng.choice([-1, 1]) * rng.uniform(0.008, 0.2))
        for name in FIELDS:
            table.columns[name][row] *= factor
        table.mark(row, 0)


PLANTS: dict[str, Callable[[Table, Rng], None]] = {
    each.__name__: each
    for each in (
        missing_value,
        price_sign,
        swapped,
        ohlc_order,
        negative_volume,
        zero_volume,
        stale,
        outlier,
        unadjusted_split,
        unadjusted_dividend,
        magnitude,
        disagreement,
    )
}


def run(check: str, seed: int) -> tuple[Table, Report]:
    table = Table(clean())
    PLANTS[check](table, np.random.default_rng(seed))
    report = check_bars(table.made(), CheckOptions(), other=table.other, actions=table.actions)
    return table, report


def keys(flags: pl.DataFrame) -> set[tuple[str, int]]:
    return set(flags.select("instrument", "ts").iter_rows())


@pytest.mark.parametrize("check", PLANTS)
def test_planted_defects_are_found(check: str) -> None:
    table, report = run(check, 11)
    flagged = keys(report.flags.filter(pl.col("check") == check))
    assert len(table.planted) >= 30
    recall = len(table.planted & flagged) / len(table.planted)
    false = flagged - table.planted - table.near
    assert recall >= 0.95, sorted(table.planted - flagged)[:10]
    assert 1e4 * len(false) / len(table.name) <= 1.0, sorted(false)[:10]


def test_clean_prices_are_left_alone() -> None:
    report = check_bars(clean(), CheckOptions(calendar="XNYS"))
    for check, count in report.counts.items():
        if check != "market_event":
            assert 1e4 * count / report.rows <= 1.0, check


def test_rows_out_of_order_and_twice_are_found() -> None:
    rng = np.random.default_rng(5)
    frame = clean().filter(pl.col("instrument").is_in(["AAPL.US", "BA.US", "C.US", "XOM.US"]))
    twice = frame.sample(60, seed=3)
    report = check_bars(pl.concat([frame, twice]))
    assert keys(report.flags.filter(pl.col("check") == "duplicate")) == set(
        twice.select(
            "instrument", pl.col("date").cast(pl.Datetime("ns")).dt.epoch("ns")
        ).iter_rows()
    )
    order = np.arange(frame.height)
    moved = rng.choice(np.arange(1, frame.height - 1), 40, replace=False)
    for row in moved:
        order[[row, row - 1]] = order[[row - 1, row]]
    found = check_bars(frame[order]).flags.filter(pl.col("check") == "time_order")
    late = sum(
        1
        for name in frame["instrument"].unique()
        for part in [frame[order].filter(pl.col("instrument") == name)["date"].to_list()]
        for k, day in enumerate(part)
        if k and day < max(part[:k])
    )
    assert found.height == late > 20


def test_missing_sessions_are_found() -> None:
    frame = clean().filter(pl.col("instrument").is_in(["AAPL.US", "BA.US", "C.US", "XOM.US"]))
    inner = frame.filter(pl.col("date").is_between(date(2013, 1, 1), date(2017, 1, 1)))
    gone = inner.sample(200, seed=8)
    left = frame.join(gone, on=["instrument", "date"], how="anti")
    report = check_bars(left, CheckOptions(calendar="XNYS"))
    flags = report.flags.filter(pl.col("check") == "gap")
    assert keys(flags) == set(
        gone.select("instrument", pl.col("date").cast(pl.Datetime("ns")).dt.epoch("ns")).iter_rows()
    )


@pytest.mark.parametrize("hours", [-5, -4, 1, 5, 9])
def test_wrong_time_zone_is_found(hours: int) -> None:
    path = SHARED / "equities_intraday" / "lean_spy_1h.parquet"
    if not path.is_file():
        pytest.skip("shared market data is absent")
    table = pl.read_parquet(path).rename({f"{n}_e4": n for n in FIELDS})
    stamps = table["ts"].dt.replace_time_zone("America/New_York") + pl.duration(hours=1)
    bars = table.select((stamps.dt.convert_time_zone("UTC")).alias("ts"), *FIELDS, "volume").filter(
        pl.col("ts").dt.year() >= 2015
    )
    options = CheckOptions(calendar="XNYS")
    assert "time_zone" not in check_bars(bars, options).counts
    moved = bars.with_columns(pl.col("ts") + pl.duration(hours=hours))
    report = check_bars(moved, options)
    flags = report.flags.filter(pl.col("check") == "time_zone")
    assert flags.height
    assert f"{-hours:+d} h" in flags["text"][0]


@pytest.mark.parametrize("check", ["swapped", "magnitude"])
def test_repair_puts_back_what_was_changed(check: str) -> None:
    table, report = run(check, 12)
    options = CheckOptions(policies={check: "repair"})
    report = check_bars(table.made(), options)
    done = repair_rows(table.made(), report)
    assert done.changes.height > 0
    joined = done.rows.join(clean(), on=["instrument", "date"], suffix="_true")
    for name in FIELDS:
        assert joined[name].to_numpy() == pytest.approx(joined[f"{name}_true"].to_numpy(), rel=1e-9)
    assert done.rows.height + done.quarantined.height == table.frame.height


def test_every_row_is_kept_or_set_aside() -> None:
    table = Table(clean())
    for place, plant in enumerate((price_sign, ohlc_order, outlier)):
        plant(table, np.random.default_rng(place))
    frame = pl.concat([table.made(), table.made().sample(50, seed=1)])
    report = check_bars(frame)
    done = repair_rows(frame, report)
    assert done.rows.height + done.quarantined.height == frame.height
    assert set(done.quarantined["check"]) <= {
        n for n, c in CHECKS.items() if c.policy == "quarantine"
    }
    again = check_bars(done.rows)
    severe = {name for name in again.counts if CHECKS[name].severity == "error"}
    assert severe <= {"outlier", "unadjusted_split"}
