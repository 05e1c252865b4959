"""Altering prices after t changes no decision up to t; a strategy that peeks is caught."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import quantvista as qv
from quantvista.data import MarketData
from quantvista.market import Panel
from quantvista.strategies import EqualWeight, Momentum, Trend
from support.funds_on_disk import prices
from support.look_ahead import (
    LookAheadError,
    Make,
    check_look_ahead,
    decisions,
    market,
    set_up,
)

FILLS_MIN = 10


class Dips(qv.EventStrategy):
    """Buys what fell and sells what rose, by limit orders and by what it remembers."""

    @dataclass
    class State:
        close: dict[str, float] = field(default_factory=dict)

    state: State

    def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
        before = self.state.close.get(bar.instrument, bar.close)
        self.state.close[bar.instrument] = bar.close
        if bar.close < before:
            ctx.submit(bar.instrument, "buy", 10, type="limit", limit_price=round(bar.close, 2))
        elif ctx.position(bar.instrument) >= 5:
            ctx.submit(bar.instrument, "sell", 5)


HONEST: dict[str, Make] = {
    "trend": lambda _: Trend(lookback=6),
    "graded trend": lambda _: Trend(lookback=8, skip=1, graded=True),
    "momentum": lambda _: Momentum(lookback=8, skip=2, top=0.5),
    "equal_weight": lambda _: EqualWeight(),
    "events": lambda _: Dips(),
}


class Peek(qv.PortfolioStrategy):
    """Holds what will have risen tomorrow: it has got hold of the data itself."""

    warm_up = 1

    def __init__(self, data: MarketData) -> None:
        super().__init__()
        self.data = data

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        row = int(np.searchsorted(self.data.ts, panel.now))
        after = self.data.close[min(row + 1, len(self.data.ts) - 1)]
        rises: NDArray[np.bool_] = after > panel.close[-1]
        return rises.astype(np.float64)


class PeekAtLevel(qv.PortfolioStrategy):
    """Scales by the mean of the whole history, the usual slip of research code."""

    warm_up = 1

    def __init__(self, data: MarketData) -> None:
        super().__init__()
        self.mean = np.nanmean(data.close, axis=0)

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        forecast: NDArray[np.float64] = np.clip(self.mean / panel.close[-1] - 1.0, -1.0, 1.0)
        return forecast


class PeekByEvents(qv.EventStrategy):
    """Buys today what opens the door tomorrow."""

    def __init__(self, data: MarketData) -> None:
        super().__init__()
        self.data = data

    def on_bar(self, ctx: qv.Context, bar: qv.Bar) -> None:
        row = int(np.searchsorted(self.data.ts, bar.ts))
        column = self.data.ids.index(bar.instrument)
        after = self.data.close[min(row + 1, len(self.data.ts) - 1), column]
        if after > bar.close:
            ctx.submit(bar.instrument, "buy", 10)
        elif ctx.position(bar.instrument) >= 10:
            ctx.submit(bar.instrument, "sell", 10)


@dataclass(frozen=True)
class Case:
    """A market, a time in it, and another future."""

    data: MarketData
    row: int
    later: NDArray[np.float64]


@st.composite
def markets(draw: st.DrawFn) -> MarketData:
    rows, count = draw(st.integers(40, 70)), draw(st.integers(3, 6))
    return market(prices(draw(st.integers(0, 2**32 - 1)), rows, count, gaps=draw(st.booleans())))


def first_rows(make: Make, data: MarketData, **sections: Any) -> int:  # noqa: ANN401
    """The first row at which a run has had enough fills, or the last one."""
    run = set_up(make, data, **sections)
    while run.session.fills < FILLS_MIN and run.session.row < run.session.rows:
        run.run(run.session.row + 1)
    return run.session.row - 1


def case(draw: st.DrawFn, /, make: Make, data: MarketData, **sections: Any) -> Case:  # noqa: ANN401
    rows = len(data.ts)
    first = first_rows(make, data, **sections)
    assume(first < rows - 2)
    row = draw(st.integers(first, rows - 2))
    after = data.close[row + 1 :]
    # Other prices at the same places: when an instrument ends is no price.
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    how = draw(st.sampled_from(["scaled", "shuffled", "crash", "one cell"]))
    factor = np.ones_like(after)
    if how == "scaled":
        factor = np.exp(random.normal(0.0, 0.3, after.shape))
    elif how == "shuffled":
        factor = random.uniform(0.05, 20.0, after.shape)
    elif how == "crash":
        factor[:] = 0.01
    else:
        column = int(random.choice(np.flatnonzero(~np.isnan(after).all(axis=0))))
        factor[np.flatnonzero(~np.isnan(after[:, column]))[0], column] = 3.0
    later = np.maximum(np.rint(after * factor * 100.0), 1.0) / 100.0
    assume(not np.array_equal(later, after, equal_nan=True))
    return Case(data, row, later)


@settings(max_examples=25, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
@pytest.mark.parametrize("name", HONEST)
def test_the_future_does_not_change_the_past(name: str, data: st.DataObject) -> None:
    make = HONEST[name]
    rebalance = data.draw(st.sampled_from(["daily", "daily", "week_end"]))
    portfolio = {"rebalance": rebalance, "volatility_window": data.draw(st.integers(3, 10))}
    risk = data.draw(st.sampled_from([{}, {"weight_max": "0.4", "sector_max": "0.6"}]))
    sections: dict[str, Any] = {"portfolio": portfolio, "risk": risk}
    made = data.draw(st.composite(case)(make, data.draw(markets()), **sections))
    fills = check_look_ahead(make, made.data, made.later, made.row, **sections)
    assert fills >= FILLS_MIN


@pytest.mark.parametrize("peek", [Peek, PeekAtLevel, PeekByEvents])
def test_a_planted_peek_is_caught(peek: Make) -> None:
    data = market(prices(11, 60, 4))
    later = np.rint(data.close[31:] * [50.0, 150.0, 40.0, 180.0]) / 100.0
    with pytest.raises(LookAheadError, match="depend on prices after"):
        check_look_ahead(peek, data, later, 30)
    assert check_look_ahead(HONEST["trend"], data, later, 30) >= FILLS_MIN


def test_a_panel_leads_to_no_later_price() -> None:
    seen: list[NDArray[np.float64]] = []

    class Digging(qv.PortfolioStrategy):
        warm_up = 3

        def forecast(self, panel: Panel) -> NDArray[np.float64]:
            array: object = panel.close
            while isinstance(array, np.ndarray):
                seen.append(array)
                array = array.base
            return np.ones(panel.n)

    data = market(prices(3, 30, 3))
    tables = decisions(set_up(lambda _: Digging(), data), 30)
    assert tables["fills"].num_rows >= FILLS_MIN
    assert max(len(array) for array in seen) < len(data.ts) // 2
    assert not any(np.shares_memory(array, data.close) for array in seen)
