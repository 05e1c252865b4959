"""From forecasts to long-only weights of a sleeve's equity."""

from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import ConfigError
from quantvista.market import Panel
from quantvista.portfolio._caps import cap_weights
from quantvista.strategies import Exposure, Weighting

__all__ = ["VOLATILITY_MIN", "WeightSettings", "trailing_volatility", "weights"]

VOLATILITY_MIN = 1e-8
"""Volatilities per bar below this are rounding noise of a constant price, and undefined."""


@dataclass(frozen=True, slots=True)
class WeightSettings:
    """How forecasts become weights; the same for every sleeve of a fund.

    Parameters
    ----------
    weighting : {"inverse_volatility", "equal"}
        What a forecast is multiplied by: one over the instrument's volatility, or 1.
    volatility_window : int
        Trailing returns that the volatility is taken from, at least 2.
    weight_max : float or None
        Cap of each instrument, in (0, 1], share of the sleeve's equity.
    sector_max : float or None
        Cap of each sector, likewise.
    """

    weighting: Weighting = "inverse_volatility"
    volatility_window: int = 63
    weight_max: float | None = None
    sector_max: float | None = None

    def __post_init__(self) -> None:
        if self.weighting not in ("inverse_volatility", "equal"):
            raise ConfigError(
                "`weighting` must be 'inverse_volatility' or 'equal'; "
                f"found {self.weighting!r}; portfolio settings"
            )
        if self.volatility_window < 2:
            raise ConfigError(
                "`volatility_window` must be at least 2; "
                f"found {self.volatility_window}; portfolio settings"
            )
        for name, cap in (("weight_max", self.weight_max), ("sector_max", self.sector_max)):
            if cap is not None and not 0.0 < cap <= 1.0:
                raise ConfigError(f"`{name}` must be in (0, 1]; found {cap}; portfolio settings")


def weights(
    forecast: NDArray[np.float64], panel: Panel, exposure: Exposure, settings: WeightSettings
) -> NDArray[np.float64]:
    """Weigh the instruments that a strategy likes.

    With ``f`` the forecast and ``a`` one over the volatility (or 1), over the instruments that
    have both::

        w_i = max(f_i, 0) * a_i / sum_j a_j                        exposure "signal"
        w_i = max(f_i, 0) * a_i / sum_j max(f_j, 0) * a_j          exposure "full"

    and then the caps, see `cap_weights`.

    Parameters
    ----------
    forecast : float64, shape (n,)
        In [-1, 1], NaN is no view.
    panel : Panel
        Trailing prices; the last row is now.
    exposure : {"signal", "full"}
        Of the strategy.
    settings : WeightSettings
        Of the fund.

    Returns
    -------
    float64, shape (n,)
        Shares of the sleeve's equity, not negative, adding up to at most 1; no NaN. The rest is
        cash.

    Notes
    -----
    Missing data: an instrument without a forecast or a volatility has weight 0 and takes no
    part in the sums. Causality: uses the closes up to now.

    Examples
    --------
    >>> close = [[100.0, 100.0], [102.0, 101.0], [100.0, 100.0], [102.0, 101.0]]
    >>> panel = Panel(("A.X", "B.X"), ("", ""), range(4), close)
    >>> weights(np.array([1.0, 1.0]), panel, "full", WeightSettings("equal")).tolist()
    [0.5, 0.5]
    >>> calm = WeightSettings("inverse_volatility", volatility_window=3)
    >>> weights(np.array([1.0, 1.0]), panel, "full", calm).round(2).tolist()
    [0.33, 0.67]
    """
    if settings.weighting == "equal":
        scale = np.ones(panel.n)
    else:
        volatility = trailing_volatility(panel, settings.volatility_window)
        scale = np.divide(1.0, volatility, out=np.full(panel.n, np.nan), where=volatility > 0.0)
    view = np.isfinite(forecast) & np.isfinite(scale)
    raw = np.where(view, np.maximum(forecast, 0.0) * scale, 0.0)
    whole = fsum(scale[view]) if exposure == "signal" else fsum(raw)
    if whole == 0.0:
        return np.zeros(panel.n)
    return cap_weights(raw / whole, panel.sectors, settings.weight_max, settings.sector_max)


def trailing_volatility(panel: Panel, window: int) -> NDArray[np.float64]:
    """Sample standard deviation of the last simple returns, per bar, not annualised.

    Parameters
    ----------
    panel : Panel
        Trailing prices; rows before the last ``window + 1`` are not used.
    window : int
        Number of returns.

    Returns
    -------
    float64, shape (n,)
        NaN with fewer than half of ``window`` returns, fewer than 2, or (almost) none of them
        different from the others.
    """
    returns = panel.returns[-window:]
    known = np.isfinite(returns)
    count = known.sum(axis=0)
    enough = (count >= 2) & (2 * count >= window)
    size = np.where(enough, count, 2).astype(np.float64)
    mean = np.where(known, returns, 0.0).sum(axis=0) / size
    deviation = np.where(known, returns - mean, 0.0)
    volatility = np.sqrt((deviation**2).sum(axis=0) / (size - 1.0))
    return np.where(enough & (volatility >= VOLATILITY_MIN), volatility, np.nan)
