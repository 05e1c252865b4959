"""Metrics agree with empyrical-reloaded where definitions agree, and are right in the corners."""

import math
import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from quantvista.portfolio.metrics import (
    infer_periods,
    measure,
    measure_against,
    sharpe_standard_error,
    simple_returns,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports optional data readers
    import empyrical

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
DAY = 86_400_000_000_000


def weekdays(count: int) -> Ints:
    first = np.datetime64("2001-01-01")
    days = first + np.arange(2 * count + 7).astype("m8[D]")
    working = days[np.is_busday(days)][:count]
    stamps: Ints = working.astype("M8[ns]").astype(np.int64)
    return stamps


def levels(returns: Floats, start: float = 100.0) -> Floats:
    return start * np.cumprod(np.concatenate(([1.0], 1.0 + returns)))


@pytest.fixture(scope="module")
def pair() -> tuple[Ints, Floats, Floats]:
    rng = np.random.default_rng(5)
    market = 0.01 * rng.standard_t(4, 1500)
    ours = 0.0004 + 0.7 * market + 0.006 * rng.standard_t(5, 1500)
    return weekdays(1501), levels(ours), levels(market)


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("total_return", "cum_returns_final"),
        ("volatility", "annual_volatility"),
        ("sharpe", "sharpe_ratio"),
        ("sortino", "sortino_ratio"),
        ("max_drawdown", "max_drawdown"),
        ("tail_ratio", "tail_ratio"),
        ("var_95", "value_at_risk"),
        ("cvar_95", "conditional_value_at_risk"),
    ],
)
def test_equals_empyrical(pair: tuple[Ints, Floats, Floats], name: str, peer: str) -> None:
    ts, ours, _ = pair
    found = measure(ts, ours, periods=252)[name].value
    assert found == pytest.approx(getattr(empyrical, peer)(simple_returns(ours)), rel=1e-9)


@pytest.mark.parametrize("name", ["beta", "alpha"])
def test_relative_metrics_equal_empyrical(pair: tuple[Ints, Floats, Floats], name: str) -> None:
    ts, ours, market = pair
    peer = getattr(empyrical, name)(simple_returns(ours), simple_returns(market))
    found = measure_against(ts, ours, market, periods=252)[name].value
    assert found == pytest.approx(peer, rel=1e-9)


def test_tracking_error_is_the_volatility_of_the_active_return(
    pair: tuple[Ints, Floats, Floats],
) -> None:
    ts, ours, market = pair
    active = simple_returns(ours) - simple_returns(market)
    found = measure_against(ts, ours, market, periods=252)["tracking_error"].value
    assert found == pytest.approx(empyrical.annual_volatility(active), rel=1e-9)


def test_information_ratio_differs_from_empyrical_by_annualisation_only(
    pair: tuple[Ints, Floats, Floats],
) -> None:
    ts, ours, market = pair
    peer = empyrical.excess_sharpe(simple_returns(ours), simple_returns(market))
    found = measure_against(ts, ours, market, periods=252)["information_ratio"].value
    assert found == pytest.approx(peer * math.sqrt(252), rel=1e-9)


def test_growth_a_year_differs_from_empyrical_by_the_length_of_the_year_only(
    pair: tuple[Ints, Floats, Floats],
) -> None:
    """Ours divides calendar time by 365.25 days; empyrical divides the number of returns by 252."""
    ts, ours, _ = pair
    peer = empyrical.annual_return(simple_returns(ours))
    years_theirs = (ts.size - 1) / 252
    years_ours = float(ts[-1] - ts[0]) / DAY / 365.25
    found = measure(ts, ours)
    assert found["cagr"].value == pytest.approx((1 + peer) ** (years_theirs / years_ours) - 1)
    assert found["calmar"].value == pytest.approx(
        found["cagr"].value / -empyrical.max_drawdown(simple_returns(ours))
    )


def test_moments_equal_scipy(pair: tuple[Ints, Floats, Floats]) -> None:
    ts, ours, _ = pair
    found, returns = measure(ts, ours), simple_returns(ours)
    assert found["skew"].value == pytest.approx(stats.skew(returns))
    assert found["kurtosis"].value == pytest.approx(stats.kurtosis(returns))


def test_win_rate_and_profit_factor_by_hand() -> None:
    found = measure(weekdays(6), levels(np.array([0.02, -0.01, 0.0, 0.01, -0.02])))
    assert found["win_rate"].value == 0.5
    assert found["profit_factor"].value == pytest.approx(1.0)


def test_standard_error_matches_the_spread_of_simulated_ratios() -> None:
    rng = np.random.default_rng(11)
    sample = 0.001 + 0.01 * rng.standard_gamma(2.0, (4000, 500)) - 0.02  # skewed, fat-tailed
    ratios = sample.mean(axis=1) / sample.std(axis=1, ddof=1) * math.sqrt(252)
    errors = [sharpe_standard_error(row, 252).value for row in sample[:400]]
    assert np.mean(errors) == pytest.approx(ratios.std(), rel=0.04)


def test_standard_error_of_normal_returns_is_that_of_lo() -> None:
    returns = np.random.default_rng(3).normal(0.001, 0.01, 100_000)
    ratio = returns.mean() / returns.std(ddof=1)
    lo = math.sqrt((1 + ratio**2 / 2) / returns.size * 252)
    assert sharpe_standard_error(returns, 252).value == pytest.approx(lo, rel=5e-3)


# -- corners ---------------------------------------------------------------------------------
def test_one_bar_has_no_metric_and_says_why() -> None:
    found = measure(weekdays(1), np.array([100.0]))
    assert all(math.isnan(each.value) and each.reason for each in found.values())


def test_two_bars_have_growth_but_no_volatility() -> None:
    found = measure(weekdays(2), np.array([100.0, 110.0]))
    assert found["total_return"].value == pytest.approx(0.1)
    assert found["cagr"].reason == "shorter than 30 days"
    assert found["volatility"].reason == "needs at least two returns"


def test_constant_equity_has_undefined_ratios_but_no_loss() -> None:
    found = measure(weekdays(50), np.full(50, 1e6))
    assert found["volatility"].value == 0.0
    assert found["max_drawdown"].value == 0.0
    assert found["max_drawdown_days"].value == 0.0
    for name in ("sharpe", "sharpe_se", "sortino", "calmar", "skew", "win_rate", "profit_factor"):
        assert math.isnan(found[name].value), name
        assert found[name].reason, name


def test_constant_growth_has_no_volatility_despite_rounding() -> None:
    found = measure(weekdays(300), levels(np.full(299, 0.001)))
    assert found["volatility"].value == 0.0
    assert found["sharpe"].reason == "volatility is zero"
    assert found["sortino"].reason == "no losing bar"
    assert found["calmar"].reason == "no drawdown"


def test_all_losses() -> None:
    found = measure(weekdays(300), levels(np.linspace(-0.002, -0.001, 299)))
    assert found["win_rate"].value == 0.0
    assert found["profit_factor"].value == 0.0
    assert found["sharpe"].value < 0
    assert found["max_drawdown"].value == pytest.approx(found["total_return"].value)
    assert found["cvar_95"].value <= found["var_95"].value < 0


def test_a_total_loss_is_minus_one_and_later_returns_are_undefined() -> None:
    found = measure(weekdays(60), np.concatenate((np.full(58, 100.0), [0.0, 0.0])))
    assert found["total_return"].value == -1.0
    assert found["cagr"].value == -1.0
    assert found["max_drawdown"].value == -1.0
    assert found["sharpe"].reason == "equity fell to zero"


def test_missing_days_make_a_longer_return_not_a_zero() -> None:
    ts, level = weekdays(100), levels(np.full(99, 0.01))
    keep = np.ones(100, bool)
    keep[40:45] = False
    found = measure(ts[keep], level[keep])
    assert found["total_return"].value == measure(ts, level)["total_return"].value
    assert found["best_day"].value == pytest.approx(1.01**6 - 1)


def test_a_benchmark_with_gaps_is_compared_over_the_gap() -> None:
    ts, ours = weekdays(80), levels(np.sin(np.arange(79.0)) / 50)
    gaps = ours.copy()
    gaps[[10, 11, 50]] = np.nan
    found = measure_against(ts, ours, gaps)
    assert found["beta"].value == pytest.approx(1.0)
    assert found["tracking_error"].value == 0.0
    assert found["information_ratio"].reason == "no tracking error"


def test_a_benchmark_that_stands_still_has_no_beta() -> None:
    found = measure_against(weekdays(80), levels(np.sin(np.arange(79.0)) / 50), np.ones(80))
    assert found["beta"].reason == found["alpha"].reason == "the benchmark does not move"
    assert found["correlation"].reason == "the benchmark does not move"


@pytest.mark.parametrize(
    ("gap", "periods"), [(DAY, 252.0), (7 * DAY, 52.0), (30 * DAY, 12.0), (91 * DAY, 4.0)]
)
def test_periods_follow_the_spacing(gap: int, periods: float) -> None:
    assert infer_periods(np.arange(20, dtype=np.int64) * gap) == periods


def test_bars_on_weekends_make_a_year_of_365_days() -> None:
    assert infer_periods(np.arange(100, dtype=np.int64) * DAY) == 365.0


@pytest.mark.parametrize(
    ("days", "periods"), [((0, 1, 2, 3, 4), 260.0), (range(7), 365.0), ((0, 1, 2, 3, 4, 6), 313.0)]
)
def test_a_year_or_more_of_days_is_counted(days: Sequence[int], periods: float) -> None:
    """Markets that open on Sunday evening have six sessions a week."""
    ts = np.array([7 * week + day for week in range(157) for day in days], np.int64) * DAY
    assert infer_periods(ts) == pytest.approx(periods, abs=0.5)


def test_exchange_years_keep_252() -> None:
    every = weekdays(1500)
    assert infer_periods(every[np.arange(1500) % 29 != 0]) == 252.0


def test_intraday_bars_are_counted() -> None:
    ts = np.arange(24 * 365, dtype=np.int64) * (DAY // 24)
    assert infer_periods(ts) == pytest.approx(24 * 365.25)


@pytest.mark.parametrize(
    ("ts", "equity", "message"),
    [
        ([0, 1], [1.0], "one level per bar"),
        ([1, 1], [1.0, 1.0], "increase strictly"),
        ([0, 1], [1.0, math.nan], "found nan at bar 1"),
    ],
)
def test_bad_input_is_refused(ts: list[int], equity: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure(np.array(ts), np.array(equity))


# -- properties ------------------------------------------------------------------------------
moves = st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=60).map(np.array)


@given(moves, st.floats(0.01, 1e9))
@settings(deadline=None)
def test_scale_of_money_changes_nothing(returns: Floats, start: float) -> None:
    ts = weekdays(returns.size + 1)
    one, other = measure(ts, levels(returns)), measure(ts, levels(returns, start))
    for name, metric in one.items():
        if metric.reason or other[name].reason:
            continue  # rounding may decide whether a flat stretch is a drawdown
        if name.endswith("_days") or name in ("win_rate", "calmar", "profit_factor", "sortino"):
            continue  # these jump where a return is zero up to rounding
        assert other[name].value == pytest.approx(metric.value, rel=1e-6, abs=1e-9), name


@given(moves)
@settings(deadline=None)
def test_every_metric_is_finite_or_has_a_reason(returns: Floats) -> None:
    ts = weekdays(returns.size + 1)
    equity = levels(returns)
    found = measure(ts, equity) | measure_against(ts, equity, levels(returns[::-1]))
    for name, metric in found.items():
        assert math.isfinite(metric.value) != bool(metric.reason), name


@given(moves)
@settings(deadline=None)
def test_losses_are_ordered(returns: Floats) -> None:
    found = measure(weekdays(returns.size + 1), levels(returns))
    assert found["worst_day"].value <= found["cvar_95"].value + 1e-15
    assert found["cvar_95"].value <= found["var_95"].value + 1e-15
    assert -1.0 <= found["max_drawdown"].value <= 0.0
    assert found["max_drawdown"].value <= min(found["worst_day"].value, 0.0) + 1e-12


def test_nothing_is_given_for_a_year_from_less_than_thirty_days() -> None:
    ts = weekdays(15)
    equity = 100.0 + np.sin(np.arange(15.0))
    found = measure(ts, equity) | measure_against(ts, equity, 100.0 + np.cos(np.arange(15.0)))
    undefined = {name for name, each in found.items() if each.reason == "shorter than 30 days"}
    assert undefined == {
        "cagr", "calmar", "volatility", "sharpe", "sharpe_se", "sortino",
        "alpha", "tracking_error", "information_ratio",
    }  # fmt: skip
    assert not found["beta"].reason
    assert not found["max_drawdown"].reason
