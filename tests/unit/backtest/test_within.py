"""Runs of less than a month, seen within their sessions."""

from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from quantvista.backtest._curves import curves
from quantvista.backtest._frames import RunFrames
from quantvista.backtest._summary import RunMeta, build_summary
from quantvista.backtest._within import extremes, lasting, profit_share, sample_period, within

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
START = 19_724 * DAY + 15 * 3_600 * SECOND  # 2024-01-02T15:00Z, a session of XNYS


def frames(ts: list[int], level: list[str], gross: list[str]) -> RunFrames:
    empty = RunFrames.empty()
    equity = pl.DataFrame(
        {
            "ts": ts,
            "equity": [Decimal(each) for each in level],
            "cash": [Decimal(each) for each in level],
            "gross": [Decimal(each) for each in gross],
            "net": [Decimal(0)] * len(ts),
            "benchmark": [None] * len(ts),
        },
        schema=empty.equity.schema,
    )
    values = {**vars(empty), "equity": equity}
    return RunFrames(**values)


def meta() -> RunMeta:
    return RunMeta(
        fund="brief",
        currency="USD",
        cash=Decimal(1000),
        time_zone="America/New_York",
        calendar="XNYS",
        status="incomplete",
    )


def test_drawdowns_are_those_within_the_session() -> None:
    minutes = [START + k * MINUTE for k in range(5)]
    found = build_summary(
        frames(minutes, ["1000", "1001", "990.99", "1001", "1002"], ["0", "5", "5", "0", "0"]),
        meta(),
    )
    (worst,) = found["drawdowns"]
    assert worst["depth"] == pytest.approx(-0.01)  # 990.99 is 1001 less one per cent
    assert worst["seconds"] == 120.0
    assert worst["times"] == [
        "2024-01-02T15:01:00Z",
        "2024-01-02T15:02:00Z",
        "2024-01-02T15:03:00Z",
    ]
    assert found["metrics"]["max_drawdown"]["value"] == pytest.approx(-0.01)
    assert found["period"]["within"]["seconds"] == 240.0
    assert found["period"]["sessions"] == 1


def test_sessions_with_a_position_are_sessions() -> None:
    hours = [START, START + MINUTE, START + DAY, START + DAY + MINUTE]
    found = build_summary(frames(hours, ["1000"] * 4, ["5", "0", "0", "0"]), meta())
    assert found["metrics"]["time_invested"]["value"] == 0.5


def test_a_month_is_seen_by_sessions() -> None:
    days = [START + k * DAY for k in range(40) if (k + 1) % 7 < 5]  # the 2nd is a Tuesday
    ts = [at + k * MINUTE for at in days for k in (0, 1)]
    found = curves(frames(ts, ["1000"] * len(ts), ["0"] * len(ts)), "24/7", "UTC", fine=True)[
        "fund"
    ]
    assert not found.within
    assert found.sessions == len(days)


def test_what_is_drawn_is_bounded_and_loses_no_extreme() -> None:
    count = 50_000
    level = 1000 + np.cumsum(np.random.default_rng(3).normal(size=count))
    ts = START + np.arange(count, dtype=np.int64) * SECOND
    ends = np.zeros(count, dtype=np.bool_)
    ends[-1] = True
    keep = within(ts, ends, level)
    assert keep is not None
    assert keep.sum() <= 4_001
    peak = np.maximum.accumulate(level)
    kept = level[keep]
    assert (kept / np.maximum.accumulate(kept)).min() == (level / peak).min()


def test_events_of_a_month_are_not_sampled() -> None:
    assert sample_period(np.array([0, 31 * DAY])) is None
    assert sample_period(np.array([0])) is None
    assert sample_period(np.array([0, 650 * SECOND])) == 325_000_000  # 650 s in 2,000 parts


def test_lengths_and_shares_are_written_in_the_unit_that_fits() -> None:
    assert [lasting(each) for each in (1, 119, 120, 7_200, 172_800)] == [
        "1 second",
        "119 seconds",
        "2 minutes",
        "2 hours",
        "2 days",
    ]
    assert [profit_share(each) for each in (0.002, -0.0004, 0.0)] == [
        "0.2 %",
        "\N{MINUS SIGN}4 bp",
        "0.0 %",
    ]


def test_a_column_of_one_is_kept() -> None:
    assert extremes(np.array([0]), np.array([1.0])).tolist() == [0]
