from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from quantvista.errors import ConfigError, StrategyError
from quantvista.market import Panel
from quantvista.portfolio import (
    WeightSettings,
    decide_weights,
    rows_needed,
    trailing_volatility,
    weights,
)
from quantvista.strategies import EqualWeight, Exposure, Momentum, PortfolioStrategy, Trend
from support.panels import make_panel

NAN = float("nan")


def walk(bars: int, scales: list[float]) -> Panel:
    """Prices whose returns are + and - the scale of each column."""
    signs = np.where(np.arange(bars - 1) % 2 == 0, 1.0, -1.0)
    returns = signs[:, np.newaxis] * np.array(scales)
    first = np.full((1, len(scales)), 100.0)
    return make_panel(np.vstack([first, 100.0 * np.cumprod(1.0 + returns, axis=0)]))


def test_volatility_is_the_sample_deviation_of_the_window() -> None:
    panel = walk(30, [0.01, 0.02])
    expected = np.std(panel.returns[-10:], axis=0, ddof=1)
    np.testing.assert_allclose(trailing_volatility(panel, 10), expected, rtol=0, atol=1e-15)


def test_volatility_needs_half_of_its_window() -> None:
    close = walk(11, [0.01, 0.01, 0.01]).close.copy()
    close[:5, 0] = NAN  # 5 returns are left of 10
    close[:6, 1] = NAN  # 4
    close[:, 2] = 7.0  # never moved
    assert np.isnan(trailing_volatility(make_panel(close), 10)).tolist() == [False, True, True]


def test_calmer_instruments_weigh_more() -> None:
    forecast = np.array([1.0, 1.0])
    result = weights(forecast, walk(21, [0.01, 0.03]), "full", WeightSettings(volatility_window=20))
    np.testing.assert_allclose(result, [0.75, 0.25], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("forecast", "exposure", "expected"),
    [
        ([1.0, 0.0, NAN], "signal", [0.5, 0.0, 0.0]),
        ([1.0, 0.0, NAN], "full", [1.0, 0.0, 0.0]),
        ([1.0, -1.0, 0.5], "signal", [1 / 3, 0.0, 1 / 6]),
        ([1.0, -1.0, 0.5], "full", [2 / 3, 0.0, 1 / 3]),
        ([-1.0, -1.0, 0.0], "full", [0.0, 0.0, 0.0]),
        ([NAN, NAN, NAN], "signal", [0.0, 0.0, 0.0]),
    ],
)
def test_exposure_says_what_the_weights_add_up_to(
    forecast: list[float], exposure: Exposure, expected: list[float]
) -> None:
    panel = walk(3, [0.01, 0.01, 0.01])
    result = weights(np.array(forecast), panel, exposure, WeightSettings("equal"))
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weighting": "magic"},
        {"volatility_window": 1},
        {"weight_max": 0.0},
        {"weight_max": NAN},
        {"sector_max": 1.5},
    ],
)
def test_unusable_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"`{next(iter(wrong))}` must be"):
        WeightSettings(**wrong)


def test_decision_is_forecast_weights_and_integers() -> None:
    panel = walk(40, [0.01, 0.02, 0.03])
    decision = decide_weights(EqualWeight(), panel, WeightSettings("inverse_volatility", 20))
    # The strategy insists on equal weights, whatever the fund says.
    assert decision.weight_e9.tolist() == [333333333] * 3


def test_without_enough_rows_nothing_is_held() -> None:
    decision = decide_weights(Trend(lookback=50), walk(40, [0.01]), WeightSettings())
    assert np.isnan(decision.forecast).all()
    assert decision.weight_e9.tolist() == [0]


def test_sector_cap_names_the_instrument_without_sector() -> None:
    panel = make_panel(np.ones((6, 2)), sectors=("Tech", ""))
    with pytest.raises(ConfigError, match=r"found none for instrument 'I001\.XNYS'"):
        decide_weights(EqualWeight(), panel, WeightSettings(sector_max=0.5))


def test_rows_needed_cover_strategy_and_volatility() -> None:
    assert rows_needed(Momentum(), WeightSettings(volatility_window=63)) == 257
    assert rows_needed(EqualWeight(), WeightSettings(volatility_window=63)) == 64


def test_error_of_a_strategy_comes_through() -> None:
    class Failing(PortfolioStrategy):
        warm_up = 1

        def forecast(self, panel: Panel) -> NDArray[np.float64]:
            raise ValueError("no idea")

    with pytest.raises(StrategyError, match="ValueError: no idea"):
        decide_weights(Failing(), walk(3, [0.01]), WeightSettings())


def test_error_names_the_sleeve() -> None:
    class Wild(PortfolioStrategy):
        warm_up = 1

        def forecast(self, panel: Panel) -> NDArray[np.float64]:
            return np.full(panel.n, 2.0)

    with pytest.raises(StrategyError, match="strategy 'Wild' of sleeve 'main' at 1970"):
        decide_weights(Wild(), walk(3, [0.01]), WeightSettings(), sleeve="main")
