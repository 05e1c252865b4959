import numpy as np
import pytest
from numpy.typing import NDArray

from quantvista.market import Panel
from quantvista.strategies import EqualWeight, Momentum, Trend
from support.panels import make_panel

NAN = float("nan")


def prices(*columns: list[float]) -> Panel:
    return make_panel(np.array(columns).T)


def check(forecast: NDArray[np.float64], expected: list[float]) -> None:
    np.testing.assert_array_equal(forecast, expected)


def test_trend_follows_the_sign_of_its_own_past() -> None:
    flat = [5.0] * 4
    panel = prices([*flat, 5, 6, 7], [*flat, 5, 9, 4], [*flat, 5, 3, 5], [*flat, NAN, 6, 7])
    # The last one misses its first close, and an older one counts.
    check(Trend(lookback=2).forecast(panel), [1, -1, 0, 1])


def test_trend_without_history_has_no_view() -> None:
    panel = prices([NAN] * 5 + [5.0, 6.0, 7.0], [5.0] * 3 + [NAN] * 5, [5.0] * 4 + [NAN] * 4)
    check(Trend(lookback=3, skip=0).forecast(panel), [NAN, NAN, 0.0])


def test_trend_leaves_out_the_latest_bars() -> None:
    panel = prices([5.0, 5.0, 5.0, 5.0, 5.0, 6.0, 1.0])
    check(Trend(lookback=2, skip=1).forecast(panel), [1.0])


def test_graded_trend_is_the_t_statistic_cut_at_one() -> None:
    returns = np.array([0.1, -0.1, 0.05])
    close = 100.0 * np.cumprod(np.concatenate([np.ones(5), 1.0 + returns]))
    panel = prices(close.tolist(), np.linspace(1.0, 8.0, 8).tolist(), [5.0] * 8)
    t = returns.mean() / (returns.std(ddof=1) / np.sqrt(3))
    assert 0.0 < t < 1.0
    forecast = Trend(lookback=3, graded=True).forecast(panel)
    np.testing.assert_allclose(forecast, [t, 1.0, NAN], rtol=0, atol=1e-12)


def test_momentum_holds_the_top_by_the_months_before_the_last() -> None:
    start = [10.0] * 5
    panel = prices(
        [*start, 11, 99],  # its last bar does not count
        [*start, 13, 1],
        [*start, 12, 12],
        [*start, NAN, 12],  # an older close counts
        [NAN] * 5 + [12.0, 12.0],
    )
    check(Momentum(lookback=2, skip=1, top=0.5).forecast(panel), [0, 1, 1, 0, NAN])


@pytest.mark.parametrize(("top", "winners"), [(0.01, 1), (0.1, 3), (0.11, 4), (1.0, 30)])
def test_momentum_rounds_the_number_of_winners_up(top: float, winners: int) -> None:
    close = np.vstack([np.ones((5, 30)), np.arange(2.0, 32.0)])
    forecast = Momentum(lookback=1, skip=0, top=top).forecast(make_panel(close))
    assert forecast.sum() == winners
    assert forecast[-winners:].all()


def test_momentum_breaks_ties_by_id() -> None:
    close = np.vstack([np.ones((5, 3)), np.full((1, 3), 2.0)])
    panel = make_panel(close, ids=("C.XNYS", "A.XNYS", "B.XNYS"))
    check(Momentum(lookback=1, skip=0, top=0.5).forecast(panel), [0, 1, 1])


def test_momentum_ignores_what_no_longer_trades() -> None:
    panel = prices([1.0] * 5 + [9.0] + [NAN] * 5, [1.0] * 11)
    check(Momentum(lookback=6, skip=5, top=0.5).forecast(panel), [NAN, 1])


def test_equal_weight_holds_what_traded_in_the_last_five_bars() -> None:
    panel = prices([1.0] + [NAN] * 5, [NAN, 1.0] + [NAN] * 4, [1.0] * 6)
    check(EqualWeight().forecast(panel), [NAN, 1, 1])
