"""Shipped event strategies from fund files: they run, and their profit is accounted for."""

import tomllib
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import quantvista as qv
from quantvista.backtest._markouts import fills_summed
from quantvista.data.events import tape_mids
from quantvista.fund import write_template
from quantvista.strategies import load_strategy
from support.doc_pages import blocks
from support.event_runs import Run, generated

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


GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "strategies.md"


def on_the_page(sleeve: str, folder: Path) -> qv.Result:
    """The guide's fund for the recorded book, with one of its sleeves."""
    if not (FILES / "l2_binance_ws").is_dir():
        pytest.skip("needs l2_binance_ws beside the checkout, which is not here")
    texts = [block.text for block in blocks(GUIDE) if block.language == "toml"]
    (fund,) = (tomllib.loads(text) for text in texts if "binance_maker" in text)
    found = (tomllib.loads(text)["sleeve"] for text in texts if f'id = "{sleeve}"' in text)
    fund["sleeve"] = next(found)
    fund["data"]["events"][0]["source"] = str(FILES / "l2_binance_ws")
    write_template("grid", folder)
    fund["sleeve"][0]["strategy"] = fund["sleeve"][0]["strategy"].replace(
        "mine.py", str(folder / "mine.py")
    )
    return qv.run(fund)


def said(*values: float) -> bool:
    """Whether the page has these numbers, as it writes them."""
    page = GUIDE.read_text("utf-8").split("### On recorded books", 1)[1]
    missing = [text for value in values if (text := f"{abs(value):,.2f}") not in page]
    assert not missing, f"{GUIDE.name} must have the numbers of the run; found none of {missing}"
    return True


def test_market_maker_on_a_recorded_book_earns_what_the_guide_says(tmp_path: Path) -> None:
    result = on_the_page("maker", tmp_path)
    (found,) = fills_summed(result.frames, result.summary)
    assert found.profit == profit(result) < 0
    assert (found.makers, found.unmarked) == (found.fills, 0)
    assert found.captured > 0 > found.selection
    parts = (found.captured, found.selection, found.inventory, found.profit)
    assert said(*map(float, parts), found.captured_bps, found.markout_bps[1])
    assert said(float(found.traded) * 0.001)  # the fee of 10 bp
    assert f"{found.fills} fills for {found.traded:,.0f} USDT" in GUIDE.read_text("utf-8")


def test_grid_on_a_recorded_book_earns_what_the_guide_says(tmp_path: Path) -> None:
    result = on_the_page("grid", tmp_path)
    (found,) = fills_summed(result.frames, result.summary)
    assert found.profit == profit(result) < 0
    assert said(*map(float, (found.profit, found.captured, found.selection, found.fees)))
    stops = result.orders.filter((pl.col("type") == "stop") & (pl.col("status") == "filled"))
    assert f"{found.fills} fills captured" in GUIDE.read_text("utf-8")
    assert f"{stops.height} stops that took" in GUIDE.read_text("utf-8")


def test_state_of_the_grid_survives_a_snapshot(tmp_path: Path) -> None:
    write_template("grid", tmp_path)
    data = generated("market", seconds=120, size=100)
    settings = {"step_ticks": 3, "rungs": 3, "quantity": 1, "profit_steps": 1, "stop_steps": 2}

    def fresh() -> Run:
        strategy = load_strategy("mine.py:Grid", tmp_path, settings)
        assert isinstance(strategy, qv.EventStrategy)
        return Run.of(strategy, data.instruments, data.tape, account="margin", shortable=10**9)

    whole, first, second = fresh().go(), fresh().go(len(data.tape) // 2), fresh()
    second.restore(first.snapshot())
    second.go()
    assert second.session.state_hash() == whole.session.state_hash()
    assert second.strategy.dump_state() == whole.strategy.dump_state()
    assert whole.session.fills > 10
