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
    members: NDArray[np.bool_] | None = None,
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
    members : bool, shape (n,), or None
        Who belongs to the universe now; the strategy sees a panel of these alone, and the others
        get a weight of 0. ``None``: all.

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
    if members is not None:
        return _of_members(strategy, panel, settings, sleeve, members)
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


def _of_members(
    strategy: PortfolioStrategy,
    panel: Panel,
    settings: WeightSettings,
    sleeve: str | None,
    members: NDArray[np.bool_],
) -> Decision:
    """Decide for some of the instruments."""
    forecast, shares = np.full(panel.n, np.nan), np.zeros(panel.n)
    weight_e9 = np.zeros(panel.n, np.int64)
    inside = np.flatnonzero(members).tolist()
    if inside:
        some = Panel(
            tuple(panel.instruments[place] for place in inside),
            tuple(panel.sectors[place] for place in inside),
            panel.ts,
            panel.close[:, inside],
        )
        decided = decide_weights(strategy, some, settings, sleeve=sleeve)
        forecast[inside], shares[inside] = decided.forecast, decided.weights
        weight_e9[inside] = decided.weight_e9
    return Decision(forecast, shares, weight_e9)


def rows_needed(strategy: PortfolioStrategy, settings: WeightSettings) -> int:
    """Rows of the panel that a decision depends on, at most."""
    return max(checked_warm_up(strategy), settings.volatility_window + 1)
