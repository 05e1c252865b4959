"""What is planted between paper and backtest is attributed to where it was planted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quantvista.backtest import run
from quantvista.engine import Latency
from quantvista.errors import ConfigError, JournalError, MarketDataError
from quantvista.fund import simulated_config
from quantvista.journal import Journal, MemoryDisk, Note, Reader, Record
from quantvista.trading.divergence import CAUSES, Divergence, diverge
from quantvista.trading.divergence._facts import Story, _Collector
from quantvista.trading.divergence._given import with_orders
from quantvista.trading.node import NODE_KINDS
from quantvista.trading.node._bodies import Answered
from support.paper_and_backtest import (
    FOLLOWS,
    QUIET,
    TRENDS,
    cancelled_by_others,
    coin_fund,
    commanded,
    sessions_of_bars,
    stock_fund,
    trade,
    trade_stocks,
    traded_by_hand,
    write_bars,
)
from support.same_path import Ran, intents_of, trades_of

HALF_A_SECOND = Latency(500_000_000, 500_000_000, 500_000_000)


def amounts(found: Divergence) -> dict[str, int]:
    """What there is, by cause; also makes sure that all of it adds up."""
    assert [each.name for each in found.causes] == list(CAUSES)
    assert sum(each.amount for each in found.causes) == found.gap
    assert found.gap == found.paper.equity[-1] - found.backtest.equity[-1]
    for at in range(len(found.ts)):
        gap = found.paper.equity[at] - found.backtest.equity[at]
        assert sum(each.curve[at] for each in found.causes) == gap
    for side in ("of_instruments", "of_sleeves"):
        paper, backtest = getattr(found.paper, side), getattr(found.backtest, side)
        for key in {**paper, **backtest}:
            gap = paper.get(key, 0) - backtest.get(key, 0)
            assert sum(getattr(each, side).get(key, 0) for each in found.causes) == gap
    return {each.name: each.amount for each in found.causes if each.amount}


# -- events ----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """A fund that traded at a venue that is as its file says."""
    folder = tmp_path_factory.mktemp("coins")
    return folder, trade(coin_fund(folder))


def test_nothing_planted_gives_no_gap_and_the_backtest_that_runs_give(
    plain: tuple[Path, Ran],
) -> None:
    folder, ran = plain
    found = diverge(ran.disk, base=folder)
    assert amounts(found) == {}
    assert (found.gap, found.matching.pairs, found.notes) == (0, (), ())
    assert found.incidents == ()
    expected = run(coin_fund(folder))
    assert found.matching.same == len(intents_of(expected)) > 40
    assert found.backtest.fills == len(trades_of(expected)) > 30
    end = expected.tables["equity"]["equity"].to_pylist()[-1]
    assert Decimal(found.backtest.equity[-1]).scaleb(-12) == end


def test_a_history_that_is_the_same_makes_no_gap(plain: tuple[Path, Ran]) -> None:
    folder, ran = plain
    file = folder / "same.toml"
    file.write_text(_journaled(ran))
    found = diverge(ran.disk, base=folder, data=str(file))
    assert amounts(found) == {}
    assert found.data == str(file)


def test_another_history_is_data(plain: tuple[Path, Ran]) -> None:
    folder, ran = plain
    file = folder / "other.toml"
    file.write_text(_journaled(ran).replace("seed = 1", "seed = 2"))
    found = diverge(ran.disk, base=folder, data=str(file))
    assert set(amounts(found)) == {"data"}
    assert found.matching.first is not None


def test_other_fees_are_costs(plain: tuple[Path, Ran]) -> None:
    folder, ran = plain
    dear = trade(coin_fund(folder), venue={"tiers": (), "fee_rate": 500_000})
    found = diverge(dear.disk, base=folder)
    assert set(amounts(found)) == {"costs"}
    assert found.gap == found.backtest.fees - found.paper.fees < 0
    assert found.matching.pairs == ()
    assert found.backtest.equity == diverge(ran.disk, base=folder).paper.equity


def test_a_slow_venue_is_timing(plain: tuple[Path, Ran]) -> None:
    folder, _ = plain
    slow = trade(coin_fund(folder), venue={"latency": HALF_A_SECOND})
    assert set(amounts(diverge(slow.disk, base=folder))) == {"timing"}


def test_a_latency_that_the_model_has_too_is_nothing(plain: tuple[Path, Ran]) -> None:
    folder, _ = plain
    ms = {"submit_ms": "500", "amend_ms": "500", "cancel_ms": "500"}
    slow = coin_fund(folder, venue={"latency": ms})
    assert amounts(diverge(trade(slow).disk, base=folder)) == {}


def test_worse_prices_and_partial_fills_are_fills(plain: tuple[Path, Ran]) -> None:
    folder, _ = plain
    for venue in ({"slippage_ticks": 3}, {"participation_max": 1_000_000}):
        found = diverge(trade(coin_fund(folder), venue=venue).disk, base=folder)
        assert set(amounts(found)) == {"fills"}, venue


def test_another_parameter_is_signal(plain: tuple[Path, Ran]) -> None:
    folder, ran = plain
    other = coin_fund(folder, sleeve={"params": {"every": 7}})
    found = diverge(ran.disk, base=folder, fund=other)
    assert set(amounts(found)) == {"signal"}
    assert found.matching.first is not None


def test_all_at_once_is_told_apart(plain: tuple[Path, Ran]) -> None:
    folder, _ = plain
    venue = {"latency": HALF_A_SECOND, "slippage_ticks": 3, "tiers": (), "fee_rate": 500_000}
    ran = trade(coin_fund(folder), venue=venue)
    other = coin_fund(folder, sleeve={"params": {"every": 7}})
    file = folder / "planted.toml"
    file.write_text(_journaled(ran).replace("seed = 1", "seed = 2"))
    found = diverge(ran.disk, base=folder, fund=other, data=str(file))
    assert set(amounts(found)) == {"data", "signal", "timing", "fills", "costs"}


def test_a_halt_is_an_intervention(plain: tuple[Path, Ran]) -> None:
    folder, _ = plain
    acts = {150: commanded("halt"), 400: commanded("resume")}
    found = diverge(trade(coin_fund(folder), acts=acts).disk, base=folder)
    assert set(amounts(found)) == {"interventions"}
    said = [(each.kind, each.text) for each in found.incidents]
    assert said == [("operator", "halt by ada: odd"), ("operator", "resume by ada: odd")]
    assert found.matching.first is not None
    assert found.matching.first.difference == "refused"
    assert found.matching.first.paper is not None
    assert found.matching.first.paper.refused == "state"


def test_trades_of_others_are_interventions(plain: tuple[Path, Ran]) -> None:
    folder, _ = plain
    acts = {200: traded_by_hand("buy", "0.5")}
    found = diverge(trade(coin_fund(folder), acts=acts).disk, base=folder)
    assert set(amounts(found)) == {"interventions"}
    assert [each.kind for each in found.incidents] == ["foreign trade"]


def test_what_others_cancel_is_an_intervention(plain: tuple[Path, Ran]) -> None:
    folder, _ = plain
    ran = trade(coin_fund(folder), acts={each: cancelled_by_others() for each in range(90, 700)})
    found = diverge(ran.disk, base=folder)
    assert {each.kind for each in found.incidents} == {"taken away"}
    # A strategy that finds its order gone may want another one: that is a reaction.
    assert set(amounts(found)) - {"reactions"} == {"interventions"}


def test_orders_that_were_not_let_out_leave_where_nobody_interferes(
    plain: tuple[Path, Ran],
) -> None:
    folder, ran = plain
    story = Story(ran.disk)
    config = simulated_config(coin_fund(folder).fund, story.facts.engine)
    collector = _Collector(story.facts)
    texts = {1: "the guard gives no leave to trade", 2: "price_band: too far from the market"}
    for order, text in texts.items():
        body = Answered(order, "submit", "rejected", text)
        collector.see(Record(story.facts.last, story.facts.end_ts, 106, 1, body.encode()))
    assert story.facts.unsent == {1}
    grid = [story.facts.first_ts, story.facts.end_ts]
    held, free = (
        with_orders(story, "orders", config, grid, as_arrived=False, with_taken=each)
        for each in (True, False)
    )
    assert [each.ts for each in held.orders] == [each.ts for each in free.orders[1:]]


def test_strategies_that_were_changed_since_leave_reactions_in_signal(
    plain: tuple[Path, Ran], tmp_path: Path
) -> None:
    _, ran = plain
    coin_fund(tmp_path)
    (tmp_path / "follows.py").write_text(FOLLOWS.replace("5e-5", "9e-5"))
    found = diverge(ran.disk, base=tmp_path)
    assert set(amounts(found)) == {"signal"}
    assert any("not as it was" in each for each in found.notes)


def _journaled(ran: Ran) -> str:
    """The fund file as the journal has it."""
    first = Reader(ran.disk).read()
    assert first is not None
    return str(NODE_KINDS.body(first[0]).config)


# -- bars ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def stocks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any, Ran]:
    """A fund that traded a quarter of daily bars."""
    folder = tmp_path_factory.mktemp("stocks")
    days, bars = sessions_of_bars()
    write_bars(folder / "past.csv", days, bars, QUIET)
    write_bars(folder / "whole.csv", days, bars, len(days))
    return folder, days, bars, trade_stocks(stock_fund(folder), days, bars)


def test_bars_give_no_gap_and_the_backtest_that_runs_give(
    stocks: tuple[Path, Any, Any, Ran],
) -> None:
    folder, _, _, ran = stocks
    found = diverge(ran.disk, base=folder, data=str(folder / "whole.csv"))
    assert amounts(found) == {}
    assert found.matching.pairs == ()
    expected = run(stock_fund(folder, "whole.csv"))
    assert found.backtest.fills == len(expected.fills) > 80
    end = expected.tables["equity"]["equity"].to_pylist()[-1]
    assert Decimal(found.backtest.equity[-1]).scaleb(-12) == end


def test_changed_bars_are_data(stocks: tuple[Path, Any, Any, Ran]) -> None:
    folder, days, bars, ran = stocks
    changed = bars.copy()
    changed[QUIET + 20, 1] += 0.5
    write_bars(folder / "changed.csv", days, changed, len(days))
    found = diverge(ran.disk, base=folder, data=str(folder / "changed.csv"))
    assert set(amounts(found)) == {"data"}


def test_a_parameter_of_one_sleeve_is_signal(stocks: tuple[Path, Any, Any, Ran]) -> None:
    folder, _, _, ran = stocks
    found = diverge(ran.disk, base=folder, fund=stock_fund(folder, rows=6))
    assert set(amounts(found)) == {"signal"}


def test_fees_of_a_fund_that_sizes_by_its_equity(stocks: tuple[Path, Any, Any, Ran]) -> None:
    folder, days, bars, _ = stocks
    dear = trade_stocks(stock_fund(folder), days, bars, venue={"tiers": (), "fee_rate": 1_000_000})
    found = amounts(diverge(dear.disk, base=folder))
    # Less money is invested afterwards: that is another thing than the fees.
    assert set(found) == {"costs", "reactions"}
    assert found["costs"] < -20 * abs(found["reactions"])


def test_fee_schedules_that_the_venue_has_too_are_nothing(
    stocks: tuple[Path, Any, Any, Ran],
) -> None:
    folder, days, bars, _ = stocks
    tiers = [{"volume_from": "0", "maker_bps": "4", "taker_bps": "6"}]
    terms = {"tiers": tiers, "fee_per_unit": "0.003", "fee_minimum": "1"}
    file = stock_fund(folder, venue=terms)
    assert amounts(diverge(trade_stocks(file, days, bars).disk, base=folder)) == {}


def test_a_changed_strategy_file_of_bars_is_signal(
    stocks: tuple[Path, Any, Any, Ran], tmp_path: Path
) -> None:
    folder, _, _, ran = stocks
    stock_fund(tmp_path)
    (tmp_path / "past.csv").write_bytes((folder / "past.csv").read_bytes())
    (tmp_path / "trends.py").write_text(TRENDS.replace("* 10", "* 12"))
    assert set(amounts(diverge(ran.disk, base=tmp_path))) == {"signal"}


# -- what cannot be compared -----------------------------------------------------------------
def test_what_cannot_be_compared_says_why(
    plain: tuple[Path, Ran], stocks: tuple[Path, Any, Any, Ran]
) -> None:
    folder, ran = plain
    with pytest.raises(ConfigError, match="must be the fund of the journal, 'coins'"):
        diverge(ran.disk, base=folder, fund=stock_fund(stocks[0]))
    with pytest.raises(MarketDataError, match="must hold the instruments of the fund"):
        diverge(stocks[3].disk, base=stocks[0], data=str(_one_stock(stocks)))
    with pytest.raises(ConfigError, match="found an empty one"):
        diverge(MemoryDisk())
    other = MemoryDisk()
    with Journal(other, "notes") as journal:
        journal.write(Note(text="hello"), ts=1)
    with pytest.raises(JournalError, match="begins with note"):
        diverge(other)
    still = coin_fund(folder, sleeve={"params": {"every": 10**6}})
    with pytest.raises(ConfigError, match="found no orders"):
        diverge(trade(still).disk, base=folder)


def _one_stock(stocks: tuple[Path, Any, Any, Ran]) -> Path:
    folder = stocks[0]
    lines = (folder / "whole.csv").read_text().splitlines()
    file = folder / "one.csv"
    file.write_text("\n".join(each for each in lines if "I0" in each or "date" in each) + "\n")
    return file
