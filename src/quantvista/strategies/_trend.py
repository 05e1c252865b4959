"""Time-series momentum: hold what has risen."""

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from quantvista.market import Panel
from quantvista.strategies._base import PortfolioStrategy
from quantvista.strategies._params import StrategyParams
from quantvista.strategies._recent import RECENT_BARS, carried, delayed, recent_close

__all__ = ["Trend"]


class Trend(PortfolioStrategy):
    """Time-series momentum: each instrument against its own past.

    With ``P[k]`` the close ``k`` bars ago, ``L = lookback`` and ``s = skip``::

        r        = P[s] / P[L] - 1
        forecast = sign(r)                                      by default
        forecast = min(1, max(-1, mean(x) / (std(x) / sqrt(m))))  if graded

    where ``x`` are the ``m`` simple one-bar returns between ``P[L]`` and ``P[s]`` that exist, and
    ``std`` is their sample deviation: the t-statistic of the trend, cut at one.

    Notes
    -----
    Source: Moskowitz, Ooi and Pedersen (2012), equation 5, with ``lookback = 252, skip = 0``.
    They scale each position by its volatility, which here is the fund's ``weighting``; they
    use returns in excess of cash, here they are total returns; and they go short, whereas a
    fund here is long-only and holds nothing where the forecast is negative. The graded form is
    the TREND rule of Baltas and Kosowski, with a plain t-statistic.

    Missing data: a missing ``P[k]`` is the last close at most 5 bars older, else the
    instrument has no view. Graded, it also needs half of its returns, at least 2, that differ.
    Causality: uses the closes up to now. Instruments do not influence each other.

    References
    ----------
    Moskowitz, Ooi and Pedersen (2012), Time series momentum, J. Financial Economics 104(2).
    Baltas and Kosowski (2020), Demystifying time-series momentum strategies, in: Market
    Momentum, Wiley.

    Examples
    --------
    >>> close = np.array([[10.0, 10.0]] * 5 + [[11.0, 9.0]])
    >>> panel = Panel(("A.X", "B.X"), ("", ""), range(6), close)
    >>> Trend(lookback=1).forecast(panel)
    array([ 1., -1.])
    """

    class Params(StrategyParams):
        """Parameters of `Trend`."""

        lookback: int = Field(252, ge=1, le=100_000, description="bars from the start to now")
        skip: int = Field(0, ge=0, le=100_000, description="latest bars to leave out")
        graded: bool = Field(False, description="strength in [-1, 1] instead of the sign")

        @model_validator(mode="after")
        def _check_skip(self) -> Self:
            if self.skip >= self.lookback:
                raise ValueError(f"`skip` must be less than `lookback` ({self.lookback})")
            return self

    params: Params

    @property
    def warm_up(self) -> int:
        """``lookback`` bars, and room for a missing first one."""
        return self.params.lookback + RECENT_BARS

    @property
    def features(self) -> Mapping[str, str]:
        """The forecast, of closes carried forward over missing bars, or of the returns there are.

        ``gain`` is a return, or 0 where there is none; ``known`` is 1 or 0 accordingly.
        """
        lookback, skip = self.params.lookback, self.params.skip
        if not self.params.graded:
            return {"direction": f"sign({delayed('close', skip)} / delay(close, {lookback}) - 1)"}
        bars = lookback - skip
        count, total = f"sum(known, {bars})", f"sum(gain, {bars})"
        spread = f"sum(gain * gain, {bars}) - {total} * {total} / {count}"
        error = f"sqrt({count} * ({spread}) / ({count} - 1))"
        return {"strength": f"clip({total} / {error}, -1, 1)"}

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        """Sign or strength of each instrument's trend.

        Parameters
        ----------
        panel : Panel
            At least `warm_up` rows; those before are not used.

        Returns
        -------
        float64, shape (n,)
            In [-1, 1], NaN without enough history.
        """
        end = panel.bars - 1 - self.params.skip
        start = panel.bars - 1 - self.params.lookback
        gain = panel.returns[start:end]
        known = np.isfinite(gain)
        if self.params.graded:
            columns = {"gain": np.where(known, gain, 0.0), "known": known.astype(np.float64)}
            view = self.signals(panel, columns)["strength"]
            count = known.sum(axis=0)
            view[(count < 2) | (2 * count < len(gain))] = np.nan
        else:
            view = self.signals(panel, {"close": carried(panel.close)})["direction"]
        for row in (start, end):
            view[np.isnan(recent_close(panel.close, row))] = np.nan
        return view
