"""The summary says what the tables say, exactly, and has a shape for every kind of run."""

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantvista.backtest._curves import curves
from quantvista.backtest._frames import RunFrames
from quantvista.backtest._summary import RunMeta, build_summary
from quantvista.errors import EngineError
from quantvista.portfolio.metrics import measure
from support.run_directory import Shape, synthetic

SHAPE = Shape(sessions=1200, instruments=8)
KEYS = {
    "assumptions", "biases", "comparisons", "contribution", "costs", "counts", "drawdowns", "error",
    "fingerprint", "fund", "instruments", "limits_hit", "metrics", "period", "schema_version",
    "since_first_fill", "sleeves", "status", "trials", "unfilled", "verdict", "worst_days",
}  # fmt: skip


@cache
def small() -> tuple[RunFrames, RunMeta]:
    return synthetic(SHAPE)


def summary(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    frames, meta = small()
    return build_summary(frames, replace(meta, **changes))


def first(frames: RunFrames, bars: int) -> RunFrames:
    """Cut every table off after so many bars."""
    ts = frames.equity["ts"]
    until = pl.col("ts") <= ts[bars - 1] if bars else pl.lit(value=False)
    names = ("equity", "orders", "fills", "positions", "sleeves", "verdicts", "comparisons")
    return RunFrames(**{name: getattr(frames, name).filter(until) for name in names})


def test_the_keys_are_the_contract_and_everything_is_json() -> None:
    found = summary()
    assert set(found) == KEYS
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_contribution_adds_up_to_the_profit_in_every_direction() -> None:
    found = summary()
    profit = Decimal(found["fund"]["equity"]) - Decimal(found["fund"]["cash"])
    parts = found["contribution"]
    for rows in (parts["sleeves"], parts["instruments"], parts["pairs"]):
        assert sum(Decimal(row["pnl"]) for row in rows) == profit
    assert Decimal(parts["total"]) == profit


def test_contribution_that_does_not_add_up_is_a_defect() -> None:
    frames, meta = small()
    with pytest.raises(EngineError, match="contributions do not add up"):
        build_summary(frames, replace(meta, cash=meta.cash + 1))


def test_contribution_by_multiplier() -> None:
    """A contract of ten units makes ten times the money; here the ledger did not."""
    frames, meta = small()
    name = frames.fills["instrument"][0]
    with pytest.raises(EngineError):
        build_summary(frames, replace(meta, multipliers={name: 10}))
    assert build_summary(frames, replace(meta, multipliers={name: 1}))["contribution"]["pairs"]


def test_costs_are_the_sums_of_the_fills() -> None:
    frames, _ = small()
    found = summary()["costs"]
    fees = sum(frames.fills["fee"].to_list(), Decimal(0))
    slippage = sum(frames.fills["slippage"].to_list(), Decimal(0))
    assert Decimal(found["fees"]) == fees
    assert Decimal(found["total"]) == fees + slippage
    trades = frames.fills.filter(pl.col("kind") == "trade").iter_rows(named=True)
    assert Decimal(found["traded"]) == sum(row["quantity"] * row["price"] for row in trades)
    assert found["bps_of_turnover"] == pytest.approx(3.0, rel=0.01)


def test_turnover_is_one_way() -> None:
    frames, _ = small()
    found = summary()
    mean = float(np.mean(frames.equity["equity"].cast(pl.Float64).to_numpy()))
    expected = float(found["costs"]["traded"]) / 2 / mean / found["period"]["years"]
    assert found["metrics"]["turnover"]["value"] == pytest.approx(expected)


def test_metrics_are_those_of_the_equity_column() -> None:
    frames, _ = small()
    ours = curves(frames)["fund"]
    found = summary()["metrics"]
    for name, metric in measure(ours.ts, ours.level).items():
        assert found[name]["value"] == (None if metric.reason else metric.value), name


def test_counts_and_limits_agree_with_the_verdicts() -> None:
    frames, _ = small()
    found = summary()
    counts = found["counts"]
    assert counts["fills"] == frames.fills.height
    assert counts["accepted"] + counts["cut"] + counts["rejected"] == frames.verdicts.height
    assert sum(row["count"] for row in found["limits_hit"]) == counts["cut"] + counts["rejected"]


def test_without_a_benchmark_nothing_is_compared() -> None:
    frames, meta = small()
    equity = frames.equity.with_columns(benchmark=pl.lit(None, pl.Float64))
    alone = replace(frames, equity=equity, comparisons=frames.comparisons.clear())
    found = build_summary(alone, replace(meta, benchmark=None))
    assert found["comparisons"] == {}
    assert found["metrics"]["beta"] == {"value": None, "reason": "no benchmark"}
    assert "against" not in found["verdict"]


def test_bars_within_a_day_are_measured_at_its_end() -> None:
    frames, meta = small()
    hour = pl.duration(hours=1, time_unit="ns")
    noon = frames.equity.with_columns(pl.col("ts") - hour, pl.col("equity") + 5)[1:]
    twice = pl.concat([noon, frames.equity]).sort("ts")
    found = build_summary(replace(frames, equity=twice), meta)
    for name in ("sharpe", "max_drawdown", "worst_day", "cagr"):
        assert found["metrics"][name] == summary()["metrics"][name]
    assert found["period"] == summary()["period"]


def test_what_was_made_within_the_first_session_counts() -> None:
    frames, meta = small()
    first_bar = frames.equity[:1].with_columns(
        pl.col("ts") - pl.duration(hours=1, time_unit="ns"), equity=meta.cash * 2
    )
    before = pl.concat([first_bar, frames.equity]).sort("ts")
    stopped = replace(meta, status="incomplete")  # the fills are not of this start
    found = build_summary(replace(frames, equity=before), stopped)
    made = float(frames.equity["equity"][-1]) / float(meta.cash * 2) - 1
    assert found["metrics"]["total_return"]["value"] == pytest.approx(made)
    assert found["worst_days"][0] == {"date": "1990-01-02", "return": -0.5, "benchmark": 0.0}
    assert found["period"] == summary()["period"] | {"years": found["period"]["years"]}


@pytest.mark.parametrize("bars", [0, 1, 2, 20, 300])
def test_a_run_cut_off_anywhere_can_be_summed_up(bars: int) -> None:
    frames, meta = small()
    stopped = replace(meta, status="incomplete", error="stopped by the user")
    found = build_summary(first(frames, bars), stopped)
    assert found["status"] == "incomplete"
    assert found["verdict"].startswith("Incomplete ")
    assert found["period"]["sessions"] == bars
    json.dumps(found, allow_nan=False)


def test_the_same_input_gives_the_same_summary() -> None:
    frames, meta = synthetic(SHAPE)
    assert json.dumps(build_summary(frames, meta)) == json.dumps(summary())


def test_orders_left_unfilled_are_counted_by_reason() -> None:
    frames, meta = small()
    ended = ["expired", "cancelled", "expired", "filled", "expired"]
    orders = frames.orders.head(5).with_columns(
        status=pl.Series(ended),
        reason=pl.Series(["volume", "ioc", "volume", None, "day"]),
        filled=pl.when(pl.Series([0, 0, 0, 0, 1]) == 1).then("quantity").otherwise(0),
    )
    orders = orders.with_columns(pl.col("filled").cast(frames.orders["filled"].dtype))
    found = build_summary(replace(frames, orders=orders), meta)["unfilled"]
    assert found == [{"reason": "ioc", "count": 1}, {"reason": "volume", "count": 2}]


def test_a_late_first_fill_is_compared_from_the_session_before_it() -> None:
    frames, meta = small()
    ours = curves(frames)["fund"]
    late = int(ours.ts[299])
    after = replace(frames, fills=frames.fills.filter(pl.col("ts").cast(pl.Int64) > late))
    found = build_summary(after, replace(meta, status="failed"))["since_first_fill"]
    assert found["date"] > str(ours.date[299])
    start = int(np.searchsorted(ours.date, np.datetime64(found["date"]))) - 1
    for name in ("fund", "benchmark", "equal_weight"):
        level = curves(frames)[name].level
        expected = level[-1] / level[start] - 1
        assert found[name]["total_return"]["value"] == pytest.approx(expected)
    assert set(found["fund"]) == {"cagr", "sharpe", "total_return"}


def test_a_first_fill_soon_after_the_start_needs_no_comparison_of_its_own() -> None:
    frames, meta = small()
    soon = frames.equity["ts"].cast(pl.Int64)[3]
    fills = frames.fills.with_columns(
        pl.lit(soon).cast(frames.fills["ts"].dtype).alias("ts"),
    )
    found = build_summary(replace(frames, fills=fills), replace(meta, status="failed"))
    assert found["since_first_fill"] is None
    none = build_summary(replace(frames, fills=fills.clear()), replace(meta, status="failed"))
    assert none["since_first_fill"] is None


def test_nothing_is_given_for_a_year_from_less_than_a_month() -> None:
    frames, meta = small()
    found = build_summary(first(frames, 15), replace(meta, status="incomplete"))
    for name in ("volatility", "sharpe", "sortino", "turnover", "alpha", "tracking_error"):
        assert found["metrics"][name] == {"value": None, "reason": "shorter than 30 days"}, name
    assert found["costs"]["bps_a_year"] is None
    assert found["metrics"]["total_return"]["value"] is not None


def test_trials_are_null_while_nobody_counts_them() -> None:
    assert summary()["trials"] is None
