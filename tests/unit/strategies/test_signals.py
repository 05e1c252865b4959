"""Strategies that decide by features: what they see, what is said of them, what is refused."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from quantvista.backtest._assumptions import features_said
from quantvista.errors import StrategyError
from quantvista.features import FeatureSet
from quantvista.market import Panel
from quantvista.strategies import EqualWeight, Momentum, PortfolioStrategy, Trend, ask_forecast
from quantvista.strategies._recent import carried, recent_close

CLOSE = np.round(50.0 * np.exp(np.random.default_rng(5).normal(0.0, 0.02, (40, 4)).cumsum(0)), 2)


def panel(close: NDArray[np.float64]) -> Panel:
    ids = tuple(f"I{column}.X" for column in range(close.shape[1]))
    return Panel(ids, ("",) * len(ids), range(len(close)), close)


class Gap(PortfolioStrategy):
    """A user's own."""

    warm_up = 12

    @property
    def features(self) -> Mapping[str, str]:
        return {"gap": "close / mean(close, 10) - 1", "rank": "rank(gap)"}

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        return np.clip(self.signals(panel)["rank"], -1.0, 1.0)


def test_signals_are_the_values_of_the_last_bar() -> None:
    strategy = Gap()
    ours = ask_forecast(strategy, panel(CLOSE))
    theirs = FeatureSet(dict(strategy.features)).matrices({"close": CLOSE})[1, -1]
    assert ours.tolist() == theirs.tolist()


def test_windows_of_shipped_strategies_are_counted_in_rows_whatever_is_missing() -> None:
    close = CLOSE.copy()
    close[20:32, 1] = np.nan  # longer than a close counts, inside of the window
    close[39, 2] = np.nan  # now, but not for long
    close[:28, 3] = np.nan  # begins too late
    forecast = Momentum(lookback=30, skip=2, top=0.4).forecast(panel(close))
    score = recent_close(close, 37) / recent_close(close, 9) - 1.0
    assert np.isnan(forecast).tolist() == [False, False, False, True]
    best = sorted(range(3), key=lambda column: -score[column])[:2]
    assert sorted(np.flatnonzero(forecast == 1.0)) == sorted(best)
    assert Trend(lookback=30).forecast(panel(close))[1] == np.sign(close[39, 1] - close[9, 1])


def test_closes_are_carried_without_limit() -> None:
    close = CLOSE.copy()
    assert carried(close) is close
    close[3:30, 0] = np.nan
    close[:2, 1] = np.nan
    found = carried(close)
    assert (found[3:30, 0] == close[2, 0]).all()
    assert np.isnan(found[:2, 1]).all()
    for row in range(5, 40):
        recent = recent_close(close, row)
        known = ~np.isnan(recent)
        assert (found[row, known] == recent[known]).all()


def test_a_run_says_by_which_features_sleeves_decide() -> None:
    said = features_said({"b": Momentum(lookback=5, skip=0), "a": Gap(), "c": EqualWeight()})
    assert said == [
        "Sleeve a decides by features of its panel: gap = close / mean(close, 10) - 1; "
        "rank = rank(gap).",
        "Sleeve b decides by features of its panel: score = close / delay(close, 5) - 1.",
    ]


def test_features_that_are_none_are_refused() -> None:
    class Odd(Gap):
        features = ["close"]  # type: ignore[assignment]  # noqa: RUF012

    with pytest.raises(StrategyError, match="`features` must be expressions by name"):
        features_said({"a": Odd()})
    with pytest.raises(StrategyError, match="`features` must be expressions by name"):
        Odd().forecast(panel(CLOSE))

    class Typo(Gap):
        features = {"rank": "rnak(close)"}  # noqa: RUF012

    with pytest.raises(StrategyError, match="did you mean 'rank'"):
        ask_forecast(Typo(), panel(CLOSE))
