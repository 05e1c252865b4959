import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.portfolio.metrics import measure, simple_returns
from quantvista.portfolio.periodic import monthly_returns, rolling_sharpe, rolling_volatility

DAY = 86_400_000_000_000


def stamps(*days: str) -> np.ndarray:
    return np.array(days, "M8[D]")


def test_a_month_without_bars_is_undefined_and_its_move_falls_into_the_next() -> None:
    ts = stamps("2020-11-30", "2021-01-29", "2021-02-01", "2021-02-26")
    table = monthly_returns(ts, np.array([100.0, 110.0, 111.0, 99.0]))
    assert table.years == (2020, 2021)
    assert math.isnan(table.months[0, 10])
    assert math.isnan(table.months[0, 11])
    assert table.months[1, 0] == pytest.approx(0.1)
    assert table.months[1, 1] == pytest.approx(-0.1)
    assert math.isnan(table.totals[0])


def test_nothing_has_no_rows() -> None:
    assert monthly_returns(np.empty(0, "M8[D]"), np.empty(0)).years == ()


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=400), st.integers(0, 20_000))
@settings(deadline=None)
def test_years_compound_to_the_total_return(moves: list[float], first: int) -> None:
    equity = np.cumprod(np.concatenate(([100.0], 1.0 + np.array(moves))))
    dates = (first + np.arange(equity.size)).astype("M8[D]")
    table = monthly_returns(dates, equity)
    compounded = np.prod(1.0 + table.totals[np.isfinite(table.totals)])
    assert compounded == pytest.approx(equity[-1] / equity[0])


def test_the_last_rolling_window_equals_the_metric_of_that_window() -> None:
    rng = np.random.default_rng(1)
    equity = 100 * np.cumprod(1 + rng.normal(0.001, 0.01, 400))
    window = measure(np.arange(64) * DAY, equity[-64:], periods=252)
    assert rolling_sharpe(equity, 63, 252)[-1] == pytest.approx(window["sharpe"].value)
    assert rolling_volatility(equity, 63, 252)[-1] == pytest.approx(window["volatility"].value)
    assert int(np.isnan(rolling_sharpe(equity, 63, 252)).sum()) == 63


def test_rolling_ratios_are_undefined_where_nothing_moves() -> None:
    assert np.isnan(rolling_sharpe(np.full(100, 5.0), 20, 252)).all()
    assert np.isnan(rolling_volatility(np.full(10, 5.0), 20, 252)).all()
    assert simple_returns(np.array([1.0])).size == 0
