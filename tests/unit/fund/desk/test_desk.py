"""One desk for backtests and for bars that come in as time goes by: the same decisions."""

from typing import Any

import numpy as np
import pytest

from quantvista.backtest._setup import simulation
from quantvista.engine import BarArrays, Session, bar_feed
from quantvista.errors import MarketDataError
from quantvista.fund import LoadedFund, limit_rates, load_fund, run_config
from quantvista.fund.desk import (
    DecisionSchedule,
    Desk,
    LiveBars,
    load_strategies,
    look_back,
    weight_settings,
)
from quantvista.portfolio import Decision
from support.funds_on_disk import prices
from support.look_ahead import market

FUND: dict[str, Any] = {
    "fund": {"name": "desk", "cash": "1000000.00", "calendar": "24/7", "time_zone": "UTC"},
    "data": {"source": "made up"},
    "sleeve": [
        {"id": "one", "strategy": "trend", "share": "0.5", "params": {"lookback": 9}},
        {"id": "two", "strategy": "equal_weight", "share": "0.5"},
    ],
    "portfolio": {"rebalance": "week_end", "volatility_window": 5},
    "venue": [{"fee_bps": "1", "slippage_bps": "2"}],
}


def test_decisions_on_live_bars_are_those_of_a_backtest() -> None:
    """To the same final state."""
    loaded: LoadedFund = load_fund(FUND)
    data = market(prices(3, 80, 4, gaps=True))
    backtest = simulation(loaded, data, load_strategies(loaded))
    backtest.run(backtest.session.rows)
    strategies, settings = load_strategies(loaded), weight_settings(loaded.fund)
    bars = LiveBars(data.ids, data.sectors, look_back(strategies, settings))
    shares = {each.id: each.share for each in loaded.fund.sleeve}
    config = run_config(loaded.fund, data, shares, limit_rates(loaded.fund))
    arrays = BarArrays(data.ts, data.session_start, data.session_end, data.close)
    session = Session(config, bar_feed(arrays, data.instruments))
    desk = Desk(session, config, strategies, settings, seed=loaded.fund.fund.seed, bars=bars)
    schedule = DecisionSchedule("week_end", "24/7", "UTC")
    decided: list[tuple[int, str, list[int]]] = []

    def note(sleeve: str, ts: int, _ids: object, decision: Decision) -> None:
        decided.append((ts, sleeve, decision.weight_e9.tolist()))

    desk.on_decision = note

    def barrier(row: int) -> None:
        bars.add(int(data.ts[row]), data.close[row])
        last = row == len(data.ts) - 1  # a backtest decides nothing there
        if not last and schedule.decides(session.now, session_end=True):
            desk.decide(session.now)

    session.run(session.rows, desk.hosts, barrier, np.ones(80, np.uint8).tobytes())
    names = [each["id"] for each in config["sleeves"]]
    assert decided == [
        (each.ts, names[each.sleeve], each.weight_e9.tolist()) for each in backtest.targets
    ]
    assert len(decided) > 10
    assert session.state_hash() == backtest.session.state_hash()
    assert len(bars) == bars.keep < 80


def test_warm_ups_are_looked_at_where_the_bars_are_known() -> None:
    loaded = load_fund(FUND)
    data = market(prices(3, 5, 2))
    config = run_config(
        loaded.fund, data, {"one": loaded.fund.sleeve[0].share}, limit_rates(loaded.fund)
    )
    arrays = BarArrays(data.ts, data.session_start, data.session_end, data.close)
    session = Session(config, bar_feed(arrays, data.instruments))
    strategies, settings = load_strategies(loaded), weight_settings(loaded.fund)
    bars = LiveBars.after(data, int(data.ts[-1]), 50)
    assert Desk(session, config, strategies, settings, bars=bars).has_deciders
    with pytest.raises(MarketDataError, match="at least 14 bars for the warm-up of 'Trend'"):
        Desk(session, config, strategies, settings, bars=bars, rows=len(bars))
    with pytest.raises(MarketDataError, match=r"`data\.source` must name bars"):
        Desk(session, config, strategies, settings)
