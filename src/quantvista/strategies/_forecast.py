"""Asking a portfolio strategy for its forecast, and checking the answer."""

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import StrategyError
from quantvista.market import Panel
from quantvista.strategies._base import PortfolioStrategy
from quantvista.strategies._guard import iso_utc, run_guarded, strategy_error

__all__ = ["ask_forecast", "check_forecast", "checked_warm_up"]


def ask_forecast(strategy: PortfolioStrategy, panel: Panel) -> NDArray[np.float64]:
    """Call ``strategy.forecast`` with its trailing rows and check what it returns.

    The strategy sees exactly its ``warm_up`` rows, however many the panel has, so a run in
    research, which has all of history, decides as live trading does, which has not. With
    fewer rows than that it is not called and has no view.

    Parameters
    ----------
    strategy : PortfolioStrategy
        Whose forecast.
    panel : Panel
        Trailing prices, the last row is now.

    Returns
    -------
    float64, shape (n,)
        A copy; in [-1, 1], NaN is no view.

    Raises
    ------
    StrategyError
        If ``forecast`` raises or returns something else than it must.
    """
    rows = checked_warm_up(strategy)
    if len(panel.ts) < rows:
        return np.full(len(panel.instruments), np.nan)
    seen = Panel(panel.instruments, panel.sectors, panel.ts[-rows:], panel.close[-rows:])
    try:
        forecast = strategy.forecast(seen)
    except (Exception, SystemExit) as error:
        raise strategy_error(error, strategy, "forecast", ts=int(panel.ts[-1])) from error
    return check_forecast(strategy, forecast, panel)


def check_forecast(
    strategy: PortfolioStrategy, forecast: object, panel: Panel
) -> NDArray[np.float64]:
    """Refuse a forecast of the wrong type, shape or range; return a copy of a good one."""
    name = type(strategy).__name__
    where = f"strategy {name!r} at {iso_utc(int(panel.ts[-1]))}"
    n = len(panel.instruments)
    if not isinstance(forecast, np.ndarray):
        raise StrategyError(
            f"`forecast` must return a NumPy array; found {type(forecast).__name__}; {where}"
        )
    if forecast.shape != (n,):
        raise StrategyError(
            f"`forecast` must have shape ({n},), one number per instrument; "
            f"found {forecast.shape}; {where}"
        )
    if not np.issubdtype(forecast.dtype, np.floating):
        raise StrategyError(
            f"`forecast` must be floats (use .astype(float)); found {forecast.dtype}; {where}"
        )
    wrong = np.abs(forecast) > 1.0  # NaN compares false, infinities true
    if wrong.any():
        first = int(np.argmax(wrong))
        raise StrategyError(
            f"`forecast` must be in [-1, 1], or NaN for no view; found {float(forecast[first])!r} "
            f"for instrument {panel.instruments[first]!r}; {where}"
        )
    return forecast.astype(np.float64, copy=True)


def checked_warm_up(strategy: PortfolioStrategy) -> int:
    """Read ``strategy.warm_up``; refuse what is not a whole number of at least 1."""
    rows: object = run_guarded(strategy, "warm_up", lambda: strategy.warm_up)
    if not isinstance(rows, int | np.integer) or isinstance(rows, bool) or rows < 1:
        raise StrategyError(
            f"`warm_up` must be a whole number of rows, at least 1; found {rows!r}; "
            f"strategy {type(strategy).__name__!r}"
        )
    return int(rows)
