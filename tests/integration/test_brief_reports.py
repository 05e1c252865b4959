"""The report of a run of minutes, from the fund file to the page."""

import re
from pathlib import Path

import polars as pl

import quantvista as qv

FUND = """
version = 1
[fund]
name = "brief"
cash = "100000.00"
calendar = "24/7"
time_zone = "UTC"
[[data.events]]
source = "generated:market"
params = { seconds = 600 }
[account]
kind = "margin"
[[instrument]]
id = "COIN-USD.SIM"
kind = "spot"
currency = "USD"
lot_size = "0.01"
shortable = "1000"
[[sleeve]]
id = "maker"
strategy = "market_maker"
params = { kappa = 50, gamma = 0.01, quantity = 1, warm_up_events = 10 }
"""


def test_ten_minutes_have_a_curve_and_nothing_for_a_year(tmp_path: Path) -> None:
    (tmp_path / "fund.toml").write_text(FUND)
    result = qv.run(tmp_path / "fund.toml")
    assert result.fills.height > 20
    assert 1_500 < result.equity.height < 2_500
    assert result.equity["ts"].is_sorted()
    assert result.equity["ts"].is_unique().all()
    # The last row is a barrier, and what is held then is what the last row of positions says.
    value = result.positions.filter(pl.col("ts") == result.equity["ts"][-1])["value"].sum()
    assert value == float(result.equity["net"][-1])

    page = result.report(tmp_path / "run").read_text()
    shown = set(re.findall(r'<section id="(\w+)"', page))
    assert {"equity", "drawdowns", "numbers", "making", "trades"} <= shown
    assert shown.isdisjoint({"months", "rolling", "days"})
    assert "Left out: months, rolling ratios, figures for a year" in page
    assert "this run has 10 minutes" in page
    assert "Sharpe ratio</th>" not in page
    assert "10 minutes" in result.summary["verdict"]


def test_samples_change_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "fund.toml").write_text(FUND)
    result = qv.run(tmp_path / "fund.toml")
    fine, ends = result.equity, result.sleeves
    assert fine.height == ends.height  # one sleeve: the tables go together
    again = qv.run(tmp_path / "fund.toml")
    assert again.equity.equals(fine)
    assert again.summary == result.summary
