"""Bars that come in one at a time show what a history of them shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from quantvista.errors import ConfigError, EngineError, MarketDataError
from quantvista.fund.desk import BarSource, HistoryBars, LiveBars
from quantvista.market import Panel
from support.look_ahead import market
from support.panels import closes

type Floats = NDArray[np.float64]


def same(one: Panel | None, other: Panel | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        (one.instruments, one.sectors) == (other.instruments, other.sectors)
        and np.array_equal(one.ts, other.ts)
        and np.array_equal(one.close, other.close, equal_nan=True)
    )


@settings(max_examples=60, deadline=None)
@given(closes(), st.data())
def test_live_bars_show_what_a_history_shows(close: Floats, data: st.DataObject) -> None:
    """Whatever was history when they began, with splits, and after being dumped and loaded."""
    bars = market(close)
    rows = len(bars.ts)
    seed = data.draw(st.integers(0, 2**32 - 1))
    steps = np.random.default_rng(seed).choice([1.0, 1.0, 1.0, 2.0, 0.1, 1.003], close.shape)
    growth: Floats | None = np.cumprod(steps, axis=0).astype(np.float64)
    if data.draw(st.booleans()):
        growth = None
    known = data.draw(st.integers(0, rows))
    keep = data.draw(st.integers(1, rows))
    history: BarSource = HistoryBars(bars, growth)
    until = int(bars.ts[known - 1]) if known else int(bars.ts[0]) - 1
    live = LiveBars.after(bars, until, keep, growth)
    for row in range(known, rows):
        ts = int(bars.ts[row])
        live.add(ts, close[row], None if growth is None else growth[row])
        again = LiveBars(bars.ids, bars.sectors, keep)
        again.load(live.dump())
        assert len(again) == len(live) <= keep
        for asked in {1, keep}:
            expected = history.trailing(ts, asked)
            assert same(live.trailing(ts, asked), expected)
            assert same(again.trailing(ts + 1, asked), expected)
    assert live.last_ts == (int(bars.ts[-1]))


def test_nothing_is_shown_before_the_first_bar() -> None:
    bars = market(np.full((3, 1), 10.0))
    assert HistoryBars(bars).trailing(int(bars.ts[0]) - 1, 3) is None
    assert LiveBars(bars.ids, bars.sectors, 3).trailing(10**18, 3) is None


def test_bars_that_are_none_are_refused() -> None:
    live = LiveBars(["A.XNYS", "B.XNYS"], ["", ""], keep=2)
    live.add(5, [1.0, float("nan")])
    for ts, close, message in (
        (5, [1.0, 2.0], "later than that of the last bar, 5; found 5"),
        (6, [1.0], "for each of 2 instruments"),
        (6, [1.0, float("inf")], "finite"),
    ):
        with pytest.raises(MarketDataError, match=message):
            live.add(ts, close)
    with pytest.raises(MarketDataError, match="for each of 2 instruments"):
        live.add(6, [1.0, 2.0], [1.0])
    with pytest.raises(ConfigError, match="`keep` must be at least 3"):
        live.trailing(5, 3)
    with pytest.raises(ConfigError, match="`keep` must be at least 1"):
        LiveBars(["A.XNYS"], [""], keep=0)


def test_a_state_of_other_bars_is_refused() -> None:
    live = LiveBars(["A.XNYS"], [""], keep=2)
    other = LiveBars(["B.XNYS"], [""], keep=2)
    with pytest.raises(EngineError, match=r"A\.XNYS; found B\.XNYS"):
        live.load(other.dump())
    for damaged in (b"", b"[]", b'{"ids": ["A.XNYS"], "ts": [1], "rows": [[[1]]]}'):
        with pytest.raises(EngineError, match="dumped"):
            live.load(damaged)
