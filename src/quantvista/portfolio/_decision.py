"""The decision path: one function for research, paper and live trading."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import ConfigError
from quantvista.market import Panel
from quantvista.portfolio._boundary import to_weight_e9
from quantvista.portfolio._weighting import WeightSettings, weights
from quantvista.strategies import PortfolioStrategy, ask_forecast, checked_warm_up

__all__ = ["Decision", "decide_weights", "rows_needed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a sleeve decided at one time; every array has shape (n,).

    Parameters
    ----------
    forecast : float64
        Of the strategy, in [-1, 1], NaN is no view.
    weights : float64
        Shares of the sleeve's equity before rounding.
    weight_e9 : int64
        The same in billionths: what the engine is given and the run records.
    """

    forecast: NDArray[np.float64]
    weights: NDArray[np.float64]
    weight_e9: NDArray[np.int64]


def decide_weights(
    strategy: PortfolioStrategy,
    panel: Panel,
    settings: WeightSettings,
    *,
    sleeve: str | None = None,
) -> Decision:
    """Decide what a sleeve wants to hold, from what is known now.

    Parameters
    ----------
    strategy : PortfolioStrategy
        Sees its last ``warm_up`` rows of the panel. With fewer it has no view, all weights are 0.
    panel : Panel
        Trailing prices. Rows before the last `rows_needed` change nothing.
    settings : WeightSettings
        Of the fund; a strategy's own ``weighting`` goes first.
    sleeve : str, optional
        Id of the sleeve, for messages.

    Returns
    -------
    Decision
        Forecast, weights, integer weights.

    Raises
    ------
    StrategyError
        If the strategy raises, or its forecast is not what it must be.

    Examples
    --------
    >>> from quantvista.strategies import EqualWeight
    >>> panel = Panel(("A.X", "B.X"), ("", ""), range(5), np.ones((5, 2)))
    >>> decide_weights(EqualWeight(), panel, WeightSettings()).weight_e9
    array([500000000, 500000000])
    """
    if strategy.weighting is not None:
        settings = replace(settings, weighting=strategy.weighting)
    forecast = ask_forecast(strategy, panel, sleeve=sleeve)
    if settings.sector_max is not None and "" in panel.sectors:
        nameless = panel.instruments[panel.sectors.index("")]
        raise ConfigError(
            "`sector_max` must come with a sector for every instrument; "
            f"found none for instrument {nameless!r}"
        )
    result = weights(forecast, panel, strategy.exposure, settings)
    return Decision(forecast, result, to_weight_e9(result))


def rows_needed(strategy: PortfolioStrategy, settings: WeightSettings) -> int:
    """Rows of the panel that a decision depends on, at most."""
    return max(checked_warm_up(strategy), settings.volatility_window + 1)
