"""Shipped event strategies from fund files: they run, and their profit is accounted for."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import quantvista as qv
from quantvista.backtest._markouts import fills_summed
from quantvista.data.events import tape_mids
from quantvista.fund import write_template
from support.event_runs import generated

FILES = Path(__file__).parents[3] / "shared" / "data"


def short_run(template: str, folder: Path, seconds: int = 300) -> qv.Result:
    """A template's fund over a shorter market."""
    write_template(template, folder)
    path = folder / "fund.toml"
    text = path.read_text()
    for length in (1800, 3600):
        text = text.replace(f"seconds = {length}", f"seconds = {seconds}")
    path.write_text(text)
    return qv.run(path)


def profit(result: qv.Result) -> Decimal:
    fund = result.summary["fund"]
    return Decimal(fund["equity"]) - Decimal(fund["cash"])


@pytest.mark.parametrize("template", ["market_maker", "arbitrage", "grid"])
def test_parts_of_the_profit_add_up_to_what_the_fund_made(template: str, tmp_path: Path) -> None:
    result = short_run(template, tmp_path)
    found = fills_summed(result.frames, result.summary)
    assert sum(each.profit for each in found) == profit(result)
    assert sum(each.fills for each in found) == result.fills.height > 50
    assert result.fill_quality["profit"].sum() == pytest.approx(float(profit(result)), abs=1e-9)
    assert result.inventory.height > 10
    page = result.report(tmp_path / "out").read_text()
    assert '<section id="making">' in page
    assert "Realised spread" in page


def test_market_maker_is_paid_for_resting(tmp_path: Path) -> None:
    result = short_run("market_maker", tmp_path)
    assert set(result.fills["liquidity"]) == {"maker"}
    (row,) = result.fill_quality.to_dicts()
    assert row["captured"] > 0 > row["selection"]
    assert row["held_max"] <= 3.5  # 6 quotes of 0.5, and one that filled while being amended
    assert row["held_min"] >= -3.5


def test_grid_answers_each_entry_with_a_stop_and_a_take_profit(tmp_path: Path) -> None:
    orders = short_run("grid", tmp_path).orders
    entries = orders.filter(pl.col("parent").is_null())
    exits = orders.filter(pl.col("parent").is_not_null())
    assert set(exits["type"]) == {"stop", "limit"}
    assert exits.height == 2 * entries.height
    filled = entries.filter(pl.col("status") == "filled")
    assert filled.height > 5
    for row in filled.to_dicts():
        ways = exits.filter(pl.col("parent") == row["order_id"])
        sign = 1 if row["side"] == "buy" else -1
        stop, target = (ways.filter(pl.col("type") == each) for each in ("stop", "limit"))
        assert set(ways["side"]) == {"sell" if sign > 0 else "buy"}
        assert (target["limit_price"][0] - row["limit_price"]) * sign == pytest.approx(0.04)
        assert (row["limit_price"] - stop["trigger_price"][0]) * sign == pytest.approx(0.24)
        assert (ways["filled"].sum() <= row["filled"]) or set(ways["status"]) == {"held"}


def test_round_trips_of_three_currencies_have_no_tear_sheet(tmp_path: Path) -> None:
    result = short_run("triangle", tmp_path)
    assert result.fills.height > 100
    assert not result.markouts.height
    assert profit(result) != 0
    assert '<section id="making">' not in result.report(tmp_path / "out").read_text()


@pytest.mark.parametrize("publish", ["quotes", "l2", "l3"])
def test_mids_are_the_same_however_the_market_is_published(publish: str) -> None:
    """The generated book is one; quotes, levels and orders of it have the same best prices."""
    quotes = generated("market", seconds=60)
    other = generated("market", seconds=60, publish=publish)
    ours, theirs = (tape_mids(each.tape, 0, each.instruments[0]) for each in (quotes, other))
    wanted = dict(zip(*(column.tolist() for column in ours), strict=True))
    found = dict(zip(*(column.tolist() for column in theirs), strict=True))
    common = sorted(set(wanted) & set(found))
    assert len(common) > 0.9 * len(wanted)
    assert [wanted[ts] for ts in common] == [found[ts] for ts in common]


def binance(**params: object) -> dict[str, Any]:
    if not (FILES / "l2_binance_ws").is_dir():
        pytest.skip("needs l2_binance_ws beside the checkout, which is not here")
    name = "BTC-USDT.BINANCE"
    return {
        "fund": {"name": "maker", "currency": "USDT", "cash": "100000.00", "calendar": "24/7"},
        "data": {"events": [{"source": str(FILES / "l2_binance_ws"), "instrument": name}]},
        "account": {"kind": "margin"},
        "instrument": [
            {
                "id": name,
                "kind": "spot",
                "currency": "USDT",
                "tick_size": "0.01",
                "lot_size": "0.00001",
                "quantity_precision": 8,
                "shortable": "10",
            }
        ],
        "sleeve": [{"id": "maker", "strategy": "market_maker", "params": params}],
        "venue": [
            {
                "id": "binance",
                "kind": "simulated",
                "maker_bps": "0",
                "fee_bps": "1",
                "latency": {"submit_ms": "20", "amend_ms": "20", "cancel_ms": "20"},
            }
        ],
    }


def test_market_maker_on_a_recorded_book_is_accounted_for() -> None:
    """What it makes is in the guide; here only that nothing of it is lost."""
    result = qv.run(
        binance(
            gamma=0.1,
            kappa=0.5,
            horizon_s=10,
            quantity=0.01,
            inventory_max=10,
            half_life_s=30,
            requote_ticks=50,
            interval_ms=250,
        )
    )
    (found,) = fills_summed(result.frames, result.summary)
    assert found.profit == profit(result)
    assert found.fills > 100
    assert found.makers == found.fills
    assert found.unmarked == 0
    assert found.captured > 0 > found.selection
