"""Asking a portfolio strategy for its forecast, and checking the answer."""

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import StrategyError, printable
from quantvista.market import Panel
from quantvista.strategies._base import EventStrategy, PortfolioStrategy
from quantvista.strategies._guard import iso_utc, run_guarded, strategy_error

__all__ = ["ask_forecast", "check_forecast", "checked_warm_up"]


def ask_forecast(
    strategy: PortfolioStrategy, panel: Panel, *, sleeve: str | None = None
) -> NDArray[np.float64]:
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
    sleeve : str, optional
        Id of the sleeve, for messages.

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
    if panel.bars < rows:
        return np.full(panel.n, np.nan)
    seen = Panel(panel.instruments, panel.sectors, panel.ts[-rows:], panel.close[-rows:])
    try:
        forecast = strategy.forecast(seen)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise strategy_error(error, strategy, "forecast", ts=panel.now, sleeve=sleeve) from error
    return check_forecast(strategy, forecast, panel, sleeve=sleeve)


def check_forecast(
    strategy: PortfolioStrategy, forecast: object, panel: Panel, *, sleeve: str | None = None
) -> NDArray[np.float64]:
    """Refuse a forecast of the wrong type, shape or range; return a copy of a good one."""
    name = type(strategy).__name__
    whose = "" if sleeve is None else f" of sleeve {sleeve!r}"
    where = f"strategy {name!r}{whose} at {iso_utc(panel.now)}"
    n = panel.n
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
    if isinstance(forecast, np.ma.MaskedArray):
        forecast = forecast.filled(np.nan)  # masked is no view, whatever lies below the mask
    wrong = np.abs(forecast) > 1.0  # NaN compares false, infinities true
    if wrong.any():
        first = int(np.argmax(wrong))
        raise StrategyError(
            f"`forecast` must be in [-1, 1], or NaN for no view; found {float(forecast[first])!r} "
            f"for instrument {panel.instruments[first]!r}; {where}"
        )
    return forecast.astype(np.float64, copy=True)


def checked_warm_up(strategy: PortfolioStrategy | EventStrategy) -> int:
    """Read ``strategy.warm_up``; refuse what is no whole number, at least 1 (for events 0)."""
    least = 0 if isinstance(strategy, EventStrategy) else 1
    rows: object = run_guarded(strategy, "warm_up", lambda: strategy.warm_up)
    if not isinstance(rows, int | np.integer) or isinstance(rows, bool) or rows < least:
        raise StrategyError(
            f"`warm_up` must be a whole number of rows, at least {least}; "
            f"found {printable(rows, repr)}; strategy {type(strategy).__name__!r}"
        )
    return int(rows)
