"""Funds over market events, from the fund file to the run folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import quantvista as qv
from quantvista.backtest import Simulation
from quantvista.backtest._setup import simulation
from quantvista.data.events import EventData
from quantvista.engine import run_tables
from quantvista.errors import ConfigError, MarketDataError, StrategyError
from quantvista.fund import LoadedFund, load_fund
from quantvista.fund.desk import load_strategies


class Restless(qv.EventStrategy):
    """Trades by its random numbers, what it remembers, and timers."""

    @dataclass
    class State:
        seen: int = 0
        orders: list[int] = field(default_factory=list)
        told: list[str] = field(default_factory=list)

    state: State

    def on_quote(self, ctx: qv.Context, quote: qv.Quote) -> None:
        self.state.seen += 1
        if ctx.rng.random() > 0.02 or not quote.bid < quote.ask:
            return
        held = ctx.position(quote.instrument)
        lot = ctx.lot_size(quote.instrument)
        if held > 5:
            order = ctx.submit(quote.instrument, "sell", round(held / lot) * lot, tif="ioc")
        elif ctx.rng.random() < 0.5:
            order = ctx.submit(
                quote.instrument, "buy", 1, type="limit", limit_price=quote.bid, tif="gtc"
            )
            ctx.set_timer(quote.ts + 2_000_000_000, str(order))
        else:
            order = ctx.submit(quote.instrument, "buy", 1, tif="ioc")
        self.state.orders = [*self.state.orders[-20:], order]

    def on_timer(self, ctx: qv.Context, timer: qv.Timer) -> None:
        ctx.cancel(int(timer.name))

    def on_order(self, ctx: qv.Context, order: qv.OrderEvent) -> None:
        self.state.told = [*self.state.told[-20:], f"{order.order_id} {order.change}"]


def fund(strategy: Any = Restless, **sections: Any) -> dict[str, Any]:  # noqa: ANN401
    params = {"seconds": 240, "seed": 3}
    return {
        "fund": {"name": "quotes", "cash": "10000.00", "calendar": "24/7", "time_zone": "UTC"},
        "data": {"events": [{"source": "generated:market", "params": params}], "clock_s": 20},
        "sleeve": [{"id": "a", "strategy": strategy}],
        "venue": [{"fee_bps": "1", "maker_bps": "-0.5", "latency": {"submit_ms": 3}}],
        **sections,
    }


def loaded(**sections: Any) -> LoadedFund:  # noqa: ANN401
    return load_fund(fund(**sections))


def set_up(source: LoadedFund, data: EventData) -> Simulation:
    return simulation(source, data, load_strategies(source))


def outcome(run: Simulation) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    tables = run_tables(run.session, run.config)
    return run.session.state_hash(), {name: each.to_pylist() for name, each in tables.items()}


def test_quotes_fund_runs_to_a_whole_folder_twice_the_same(tmp_path: Path) -> None:
    results = [qv.run(fund(), out=tmp_path / name) for name in ("one", "two")]
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert "summary.json" in files
    assert "postings.parquet" in files
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    result = results[0]
    assert result.summary["status"] == "complete"
    assert result.fills.height > 10
    assert {"maker", "taker"} <= set(result.fills["liquidity"].to_list())
    assert least(-result.fills.filter(pl.col("liquidity") == "maker")["fee"]) >= 0
    seconds = set(result.equity["ts"].dt.timestamp("ms") // 1000)
    assert len({each for each in seconds if each % 20 == 0}) >= 12  # barriers, beside samples
    assert 1_000 < result.equity.height < 2_100
    profit = result.equity["equity"][-1] - 10_000
    assert float(result.summary["contribution"]["total"]) == pytest.approx(profit, abs=1e-6)
    assert json.loads((tmp_path / "one" / "summary.json").read_text())["counts"]["fills"] > 10


def test_latency_is_between_an_order_and_its_fill() -> None:
    result = qv.run(fund())
    taken = result.fills.filter(pl.col("liquidity") == "taker")
    both = taken.join(result.orders.select("order_id", made="ts"), on="order_id")
    waited = (both["ts"] - both["made"]).dt.total_microseconds()
    assert both.height > 5
    assert least(waited) >= 3_000


def test_run_restored_at_any_time_ends_as_the_run_left_alone() -> None:
    source = loaded()
    data = source.event_data()
    alone = set_up(source, data)
    alone.run(alone.session.rows)
    expected = outcome(alone)
    hurt = set_up(source, data)
    rng = np.random.default_rng(5)
    while hurt.session.row < hurt.session.rows:
        hurt.run(hurt.session.row + int(rng.integers(1, 400)))
        saved = hurt.snapshot()
        hurt.run(hurt.session.row + int(rng.integers(1, 200)))
        hurt.restore(saved)
        assert hurt.snapshot() == saved
    assert outcome(hurt) == expected


def test_events_after_a_time_change_nothing_up_to_it() -> None:
    source = loaded()
    data = source.event_data()
    before = set_up(source, data)
    before.run(before.session.rows)
    fills = outcome(before)[1]["fills"]
    for share in (0.3, 0.6):
        cut = int(len(data.tape) * share)
        while data.tape.ts_received[cut] == data.tape.ts_received[cut - 1]:
            cut += 1
        now = int(data.tape.ts_received[cut - 1])
        columns: dict[str, Any] = dict(data.tape.columns())
        later = np.arange(len(data.tape)) >= cut
        for name in "ac":
            column = columns[name].copy()
            column[later & (column > 0)] += 50
            columns[name] = column
        altered = replace(data, tape=type(data.tape)(**columns))
        after = set_up(source, altered)
        after.run(after.session.rows)

        def known(rows: list[dict[str, Any]], until: int = now) -> list[dict[str, Any]]:
            return [row for row in rows if row["ts"].value <= until]

        tables = outcome(after)[1]
        assert len(known(fills)) > 5
        assert known(tables["fills"]) == known(fills)
        assert known(tables["verdicts"]) == known(outcome(before)[1]["verdicts"])
        assert tables["fills"] != fills


def test_bars_and_quotes_run_together(tmp_path: Path) -> None:
    seen: list[str] = []

    class Both(qv.EventStrategy):
        def on_quote(self, ctx: qv.Context, quote: qv.Quote) -> None:
            seen.append("quote")

        def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
            seen.append("bar")
            ctx.submit(bar.instrument, "buy", 1)

    days = ("2024-01-02", "2024-01-03", "2024-01-04")
    rows = "".join(f"{day},50.00\n" for day in days)
    (tmp_path / "bars.csv").write_text("date,A.XNYS\n" + rows)
    made = fund(Both)
    made["data"] |= {"source": str(tmp_path / "bars.csv")}
    result = qv.run(made)
    assert seen.count("bar") == 3
    assert seen.count("quote") > 100
    assert result.fills["instrument"].unique().to_list() == ["A.XNYS"]
    assert result.fills.height == 2


def test_portfolio_strategy_needs_bars() -> None:
    with pytest.raises(MarketDataError, match="must name bars for the portfolio strategy"):
        qv.run(fund("equal_weight"))


def test_universe_must_be_of_the_fund() -> None:
    class Elsewhere(qv.EventStrategy):
        universe = ("Z.XNYS",)

        def on_quote(self, ctx: qv.Context, quote: qv.Quote) -> None:
            raise AssertionError

    with pytest.raises(StrategyError, match="`universe` must name instruments of the fund"):
        qv.run(fund(Elsewhere))


def test_error_of_a_handler_says_where() -> None:
    class Wrong(qv.EventStrategy):
        def on_quote(self, ctx: qv.Context, quote: qv.Quote) -> None:
            ctx.submit(quote.instrument, "buy", 1 / 3)

    message = "failed in `on_quote` for instrument 'COIN-USD.SIM' at 2024-01-02T14:30"
    with pytest.raises(StrategyError, match=message):
        qv.run(fund(Wrong))


def test_instrument_without_a_venue_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"`venue\.markets` must name the venue of every"):
        qv.run(fund(venue=[{"id": "x", "markets": ["BINANCE"]}]))


def least(column: pl.Series) -> float:
    return float(column.cast(pl.Float64).to_numpy().min())


def test_each_instrument_trades_at_its_venue() -> None:
    venues = [{"id": "first", "markets": ["SIM"], "fee_bps": "5"}, {"id": "rest"}]
    result = qv.run(fund(venue=venues))
    assert result.fills["venue"].unique().to_list() == ["first"]
    assert least(result.fills["fee"]) > 0


def bars_fund(**sections: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "fund": {"name": "bars", "cash": "100000.00"},
        "data": {
            "source": "sample:sp500",
            "start": "2018-01-02",
            "end": "2019-12-31",
            "instruments": ["AAPL.XNAS", "JPM.XNYS", "MSFT.XNAS"],
        },
        "sleeve": [{"id": "a", "strategy": "equal_weight"}],
        **sections,
    }


def test_interest_is_posted_and_in_the_rest_of_the_profit() -> None:
    result = qv.run(bars_fund(account={"credit_rate": {"USD": "0.02"}}))
    assert set(result.postings["kind"]) == {"interest"}
    assert result.postings["amount"].sum() > 0
    rest = float(result.summary["contribution"]["rest"])
    assert rest == pytest.approx(result.postings["amount"].sum())


def test_deposits_are_no_profit() -> None:
    flows = [
        {"date": "2018-06-15", "amount": "50000.00"},
        {"date": "2018-06-15", "amount": "-20000.00"},
        {"date": "2019-03-01", "amount": "-90000.00"},
    ]
    plain, paid = qv.run(bars_fund()), qv.run(bars_fund(cash_flow=flows))
    assert paid.postings["kind"].to_list() == ["deposit", "withdrawal"]
    assert paid.states["event"].to_list() == ["cash_flow_rejected"]
    profit = paid.equity["equity"][-1] - 100_000 - 50_000 + 20_000
    assert float(paid.summary["contribution"]["total"]) == pytest.approx(profit)
    assert paid.metrics["total_return"] == pytest.approx(plain.metrics["total_return"], rel=0.1)
    assert "money_weighted_return" in paid.metrics
    assert "money_weighted_return" not in plain.metrics


def test_same_bars_on_a_tape_give_the_same_fills() -> None:
    tiny = {"credit_rate": {"USD": "0.000000001"}}
    plain, taped = qv.run(bars_fund()), qv.run(bars_fund(account=tiny))
    columns = ["ts", "instrument", "side", "quantity", "price", "fee"]
    assert plain.fills.height > 20
    first = taped.fills.select(columns).head(10)
    assert first.equals(plain.fills.select(columns).head(10))


def test_short_has_negative_net_and_positive_gross() -> None:
    class Short(qv.EventStrategy):
        universe = ("AAPL.XNAS",)

        def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
            if ctx.position(bar.instrument) == 0 and not ctx.orders():
                ctx.submit(bar.instrument, "sell", 100)

    result = qv.run(
        bars_fund(
            account={"kind": "margin"},
            instrument=[{"id": "AAPL.XNAS", "margin_initial": "0.5", "shortable": "1000"}],
            sleeve=[{"id": "a", "strategy": Short}],
        )
    )
    last = result.equity.row(-1, named=True)
    assert last["net"] == -last["gross"] < 0
    assert last["equity"] == pytest.approx(last["cash"] + last["net"])


def test_breaker_and_value_at_risk_of_a_fund_file_hold() -> None:
    risk = {
        "value_at_risk": {"scenarios": 100, "max": "0.02"},
        "breakers": {"drawdown": {"limit": "0.05", "state": "halted"}},
        "instrument_volatility_max": "0.05",
    }
    result = qv.run(bars_fund(risk=risk))
    assert "value_at_risk" in {each["rule"] for each in result.summary["limits_hit"]}
    assert ("state_changed", "halted", "drawdown") in set(
        result.states.select("event", "state", "cause").iter_rows()
    )
