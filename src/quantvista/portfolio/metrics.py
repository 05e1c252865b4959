"""Performance metrics: each one a value, or NaN with the reason why there is none.

Conventions that hold for every function here:

- Returns are simple, per bar, after costs. Missing days are never filled: a return spans the gap.
- What is a loss is negative: drawdowns, worst days, VaR and CVaR are returns.
- The risk-free rate is zero. `periods` is the number of returns in a year.
- An undefined ratio is NaN, never 0 and never infinite.

Definitions agree with empyrical-reloaded where `tests/unit/portfolio/test_metrics.py` says so. They
differ on purpose in two places: growth a year counts calendar time, not rows (`cagr`), and the
information ratio is annualised.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quantvista.portfolio.drawdowns import drawdowns

__all__ = [
    "Metric",
    "infer_periods",
    "measure",
    "measure_against",
    "sharpe_standard_error",
    "simple_returns",
    "years_between",
]

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

_DAY_NS: Final = 86_400_000_000_000
_YEAR_NS: Final = 365.25 * _DAY_NS
_TAIL: Final = 0.05
SHORTEST_YEARS: Final = 30 / 365.25  # a yearly figure from less is fiction
TOO_SHORT: Final = "shorter than 30 days"
# A standard deviation below this is rounding of the returns themselves (a few ulp around one).
_NOISE: Final = 1e-14
_USUAL: Final = (252.0, 260.0, 365.0)
_CLOSE: Final = 0.02
# Widest median gap in days that still counts as this many periods in a year.
_CALENDAR: Final = ((10.0, 52.0), (45.0, 12.0), (120.0, 4.0), (math.inf, 1.0))


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure, or NaN and the reason.

    Parameters
    ----------
    value : float
        NaN where the metric is undefined.
    reason : str
        Why it is undefined, in plain words; empty otherwise.

    Examples
    --------
    >>> Metric.undefined("needs at least two returns")
    Metric(value=nan, reason='needs at least two returns')
    """

    value: float
    reason: str = ""

    @classmethod
    def undefined(cls, reason: str) -> "Metric":
        """Build the metric that has no value, and why."""
        return cls(math.nan, reason)


def years_between(start: int, end: int) -> float:
    """Calendar time between two instants in years of 365.25 days."""
    return (end - start) / _YEAR_NS


def infer_periods(ts: Ints) -> float:
    """Infer the number of returns in a year, by convention, from the spacing of the bars.

    Parameters
    ----------
    ts : int64, shape (bars,)
        UTC nanoseconds, increasing.

    Returns
    -------
    float
        Daily bars of a year or more are counted: bars in a year of 365.25 days, or 252, 260 or 365
        if the count is within 2 % of it. Less than a year of them counts as 252, or 365 if more
        than one bar in twenty is on a weekend. 52, 12, 4 or 1 for slower ones. Bars closer than 20
        hours are counted.

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> infer_periods(np.arange(5) * day)
    252.0
    """
    if ts.size < 2:
        return 252.0
    gap_days = float(np.median(np.diff(ts))) / _DAY_NS
    years = years_between(int(ts[0]), int(ts[-1]))
    if gap_days < 20 / 24:
        return (ts.size - 1) / years
    if gap_days < 5 and years >= 1:
        count = (ts.size - 1) / years
        usual = min(_USUAL, key=lambda each: abs(count / each - 1))
        return usual if abs(count / usual - 1) <= _CLOSE else count
    if gap_days < 5:
        weekday = (ts // _DAY_NS + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
        return 365.0 if ts.size > 20 and float(np.mean(weekday >= 5)) > 0.05 else 252.0
    return next(periods for widest, periods in _CALENDAR if gap_days <= widest)


def simple_returns(equity: Floats) -> Floats:
    """Return from each level to the next; NaN where the earlier level is not positive."""
    before = equity[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(before > 0, equity[1:] / before - 1.0, np.nan)


def measure(ts: Ints, equity: Floats, *, periods: float | None = None) -> dict[str, Metric]:
    """Measure one equity curve.

    Parameters
    ----------
    ts : int64, shape (bars,)
        UTC nanoseconds, strictly increasing.
    equity : float64, shape (bars,)
        Level after costs, in money or as an index; finite.
    periods : float, optional
        Returns in a year; by default `infer_periods`.

    Returns
    -------
    dict of str to Metric
        Ratios and volatility are annualised; drawdown lengths are calendar days.

    Raises
    ------
    ValueError
        If the two arrays differ in length, time does not increase or a level is not finite.

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> found = measure(np.arange(3) * day, np.array([100.0, 110.0, 99.0]))
    >>> round(found["total_return"].value, 4), round(found["max_drawdown"].value, 4)
    (-0.01, -0.1)
    """
    _check(ts, equity)
    periods = infer_periods(ts) if periods is None else periods
    out = _growth(ts, equity)
    returns = simple_returns(equity)
    reason = _unusable(returns)
    yearly = reason or _too_short(ts)
    for name, function in _OF_RETURNS.items():
        why = yearly if name in _YEARLY else reason
        out[name] = Metric.undefined(why) if why else function(returns, periods)
    out.update(_drawdown_metrics(ts, equity))
    out["calmar"] = _ratio(
        out["cagr"], Metric(-out["max_drawdown"].value, out["max_drawdown"].reason), "no drawdown"
    )
    return out


def measure_against(
    ts: Ints, equity: Floats, benchmark: Floats, *, periods: float | None = None
) -> dict[str, Metric]:
    """Measure an equity curve against a benchmark on the bars where both have a level.

    Parameters
    ----------
    ts : int64, shape (bars,)
        UTC nanoseconds, strictly increasing.
    equity : float64, shape (bars,)
        Ours, after costs.
    benchmark : float64, shape (bars,)
        Level of the benchmark; NaN where it has none, and then the next return spans the gap.
    periods : float, optional
        Returns in a year; by default `infer_periods`.

    Returns
    -------
    dict of str to Metric
        ``beta``, ``alpha`` (mean residual return, compounded to a year), ``correlation``,
        ``tracking_error`` and ``information_ratio`` (both annualised).
    """
    _check(ts, equity)
    both = np.isfinite(benchmark)
    ours, theirs = simple_returns(equity[both]), simple_returns(benchmark[both])
    periods = infer_periods(ts) if periods is None else periods
    reason = _unusable(ours) or _unusable(theirs).replace("equity", "the benchmark")
    if reason:
        return {name: Metric.undefined(reason) for name in _RELATIVE}
    sd_ours, sd_theirs = _deviation(ours), _deviation(theirs)
    covariance = float(np.cov(ours, theirs, ddof=1)[0, 1])
    flat = "the benchmark does not move"
    beta = Metric.undefined(flat) if sd_theirs == 0 else Metric(covariance / sd_theirs**2)
    alpha = Metric.undefined(flat)
    correlation = Metric.undefined(flat if sd_theirs == 0 else "equity does not move")
    if sd_theirs > 0:
        residual = float(np.mean(ours - beta.value * theirs))
        alpha = _yearly(1.0 + residual, periods)
        if sd_ours > 0:
            correlation = Metric(covariance / (sd_ours * sd_theirs))
    active = ours - theirs
    error = Metric(_deviation(active) * math.sqrt(periods))
    ratio = _ratio(Metric(float(np.mean(active)) * periods), error, "no tracking error")
    if why := _too_short(ts):
        alpha = error = ratio = Metric.undefined(why)
    return dict(zip(_RELATIVE, (beta, alpha, correlation, error, ratio), strict=True))


def sharpe_standard_error(returns: Floats, periods: float) -> Metric:
    """Estimate the standard error of the annualised Sharpe ratio, skew and fat tails included.

    ``sqrt((1 - skew * s + (kurtosis - 1) / 4 * s**2) / (n - 1)) * sqrt(periods)``, ``s`` the ratio
    per period and ``kurtosis`` 3 for a normal distribution. Assumes independent returns.

    References
    ----------
    Lo (2002), Financial Analysts Journal 58(4), for normal returns; Mertens (2002) adds skew and
    kurtosis; n - 1 follows Bailey and López de Prado (2012), Journal of Risk 15(2).
    """
    deviation = _deviation(returns)
    if deviation == 0:
        return Metric.undefined("volatility is zero")
    ratio = float(np.mean(returns)) / deviation
    skew, excess = _moment(returns, 3), _moment(returns, 4) - 3.0
    variance = (1.0 - skew * ratio + (excess + 2.0) / 4.0 * ratio**2) / (returns.size - 1)
    return Metric(math.sqrt(max(variance, 0.0) * periods))


# -- of returns ------------------------------------------------------------------------------
def _volatility(returns: Floats, periods: float) -> Metric:
    return Metric(_deviation(returns) * math.sqrt(periods))


def _sharpe(returns: Floats, periods: float) -> Metric:
    deviation = Metric(_deviation(returns))
    return _ratio(
        Metric(float(np.mean(returns)) * math.sqrt(periods)), deviation, "volatility is zero"
    )


def _sortino(returns: Floats, periods: float) -> Metric:
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return _ratio(
        Metric(float(np.mean(returns)) * math.sqrt(periods)), Metric(downside), "no losing bar"
    )


def _skew(returns: Floats, periods: float) -> Metric:
    if _deviation(returns) == 0:
        return Metric.undefined("volatility is zero")
    return Metric(_moment(returns, 3))


def _kurtosis(returns: Floats, periods: float) -> Metric:
    """Excess over the normal distribution, population form."""
    if _deviation(returns) == 0:
        return Metric.undefined("volatility is zero")
    return Metric(_moment(returns, 4) - 3.0)


def _win_rate(returns: Floats, periods: float) -> Metric:
    """Share of winning bars among those that won or lost."""
    moved = int(np.count_nonzero(returns))
    if moved == 0:
        return Metric.undefined("equity never moved")
    return Metric(int(np.count_nonzero(returns > 0)) / moved)


def _profit_factor(returns: Floats, periods: float) -> Metric:
    gains, losses = float(returns[returns > 0].sum()), -float(returns[returns < 0].sum())
    return _ratio(Metric(gains), Metric(losses), "no losing bar")


def _tail_ratio(returns: Floats, periods: float) -> Metric:
    low, high = np.percentile(returns, (100 * _TAIL, 100 - 100 * _TAIL))
    return _ratio(Metric(abs(float(high))), Metric(abs(float(low))), "5th percentile is zero")


def _var(returns: Floats, periods: float) -> Metric:
    return Metric(float(np.percentile(returns, 100 * _TAIL)))


def _cvar(returns: Floats, periods: float) -> Metric:
    """Mean of the worst returns, as many as the tail holds, at least one."""
    last = int((returns.size - 1) * _TAIL)
    return Metric(float(np.mean(np.partition(returns, last)[: last + 1])))


def _best(returns: Floats, periods: float) -> Metric:
    return Metric(float(returns.max()))


def _worst(returns: Floats, periods: float) -> Metric:
    return Metric(float(returns.min()))


_OF_RETURNS: Final[dict[str, Callable[[Floats, float], Metric]]] = {
    "volatility": _volatility,
    "sharpe": _sharpe,
    "sharpe_se": sharpe_standard_error,
    "sortino": _sortino,
    "skew": _skew,
    "kurtosis": _kurtosis,
    "win_rate": _win_rate,
    "profit_factor": _profit_factor,
    "tail_ratio": _tail_ratio,
    "var_95": _var,
    "cvar_95": _cvar,
    "best_day": _best,
    "worst_day": _worst,
}
_YEARLY: Final = frozenset({"volatility", "sharpe", "sharpe_se", "sortino"})
_RELATIVE: Final = ("beta", "alpha", "correlation", "tracking_error", "information_ratio")


# -- of levels -------------------------------------------------------------------------------
def _growth(ts: Ints, equity: Floats) -> dict[str, Metric]:
    if equity.size < 2:
        reason = "needs at least two bars"
        return {"total_return": Metric.undefined(reason), "cagr": Metric.undefined(reason)}
    if equity[0] <= 0:
        reason = "equity does not start above zero"
        return {"total_return": Metric.undefined(reason), "cagr": Metric.undefined(reason)}
    growth = float(equity[-1] / equity[0])
    years = years_between(int(ts[0]), int(ts[-1]))
    cagr = Metric.undefined(TOO_SHORT) if years < SHORTEST_YEARS else _yearly(growth, 1.0 / years)
    return {"total_return": Metric(growth - 1.0), "cagr": cagr}


def _drawdown_metrics(ts: Ints, equity: Floats) -> dict[str, Metric]:
    names = ("max_drawdown", "max_drawdown_days", "longest_drawdown_days")
    if equity.size < 2 or equity[0] <= 0:
        return {name: Metric.undefined("needs two bars and a positive start") for name in names}
    found = drawdowns(ts, equity)
    if not found:
        return {name: Metric(0.0) for name in names}
    return {
        "max_drawdown": Metric(found[0].depth),
        "max_drawdown_days": Metric(float(found[0].days)),
        "longest_drawdown_days": Metric(float(max(each.days for each in found))),
    }


# -- small parts -----------------------------------------------------------------------------
def _check(ts: Ints, equity: Floats) -> None:
    if ts.shape != equity.shape or ts.ndim != 1:
        raise ValueError(
            f"`equity` must have one level per bar; found {equity.shape} for {ts.shape}"
        )
    if ts.size > 1 and not bool(np.all(np.diff(ts) > 0)):
        raise ValueError("`ts` must increase strictly; found a bar that does not")
    if not bool(np.all(np.isfinite(equity))):
        where = int(np.flatnonzero(~np.isfinite(equity))[0])
        raise ValueError(f"`equity` must be finite; found {equity[where]} at bar {where}")


def _too_short(ts: Ints) -> str:
    """Say why nothing is given for a year; empty if the time is long enough for that."""
    return TOO_SHORT if years_between(int(ts[0]), int(ts[-1])) < SHORTEST_YEARS else ""


def _unusable(returns: Floats) -> str:
    if returns.size < 2:
        return "needs at least two returns"
    if not bool(np.all(np.isfinite(returns))):
        return "equity fell to zero"
    return ""


def _yearly(growth: float, power: float) -> Metric:
    if growth <= 0:
        return Metric(-1.0)
    exponent = math.log(growth) * power
    if exponent > 700:
        return Metric.undefined("too large to express as a yearly rate")
    return Metric(math.expm1(exponent))


def _deviation(returns: Floats) -> float:
    found = float(np.std(returns, ddof=1))
    return found if found > _NOISE else 0.0


def _moment(returns: Floats, order: int) -> float:
    centred = returns - np.mean(returns)
    return float(np.mean(centred**order) / np.mean(centred**2) ** (order / 2))


def _ratio(above: Metric, below: Metric, reason: str) -> Metric:
    for part in (above, below):
        if part.reason:
            return Metric.undefined(part.reason)
    return Metric.undefined(reason) if below.value == 0 else Metric(above.value / below.value)
