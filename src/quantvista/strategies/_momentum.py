"""Cross-sectional momentum: hold what has risen most."""

from collections.abc import Mapping
from math import ceil
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from quantvista.market import Panel
from quantvista.strategies._base import Exposure, PortfolioStrategy
from quantvista.strategies._params import StrategyParams
from quantvista.strategies._recent import RECENT_BARS, carried, delayed, recent_close

__all__ = ["Momentum"]


class Momentum(PortfolioStrategy):
    """Cross-sectional momentum: each instrument against the others, 12 months less the last.

    With ``P[k]`` the close ``k`` bars ago, over the ``m`` instruments that have both closes::

        score    = P[skip] / P[lookback] - 1
        forecast = 1 for the ceil(top * m) highest scores, 0 for the others

    Ties go to the instrument whose id comes first. The sleeve is fully invested in the winners.

    Notes
    -----
    Source: Jegadeesh and Titman (1993), section I: they sort by past return into ten groups and buy
    the highest, with or without a gap before the purchase; the gap of a month is the common
    12-1 form of Asness, Moskowitz and Pedersen (2013). They also sell the losers
    short and hold overlapping portfolios; here the fund is long-only and holds one at a time.

    Missing data: a missing ``P[k]`` is the last close at most 5 bars older, else the
    instrument has no view and is not ranked. Causality: uses the closes up to ``skip`` bars
    ago, and whether the instrument has a recent close.

    References
    ----------
    Jegadeesh and Titman (1993), Returns to buying winners and selling losers, J. Finance 48(1).
    Asness, Moskowitz and Pedersen (2013), Value and momentum everywhere, J. Finance 68(3).

    Examples
    --------
    >>> close = np.array([[10.0, 10.0, 10.0]] * 5 + [[11.0, 9.0, 12.0]])
    >>> panel = Panel(("A.X", "B.X", "C.X"), ("", "", ""), range(6), close)
    >>> Momentum(lookback=1, skip=0, top=0.3).forecast(panel)
    array([0., 0., 1.])
    """

    class Params(StrategyParams):
        """Parameters of `Momentum`."""

        lookback: int = Field(252, ge=1, le=100_000, description="bars from the start to now")
        skip: int = Field(21, ge=0, le=100_000, description="latest bars to leave out")
        top: float = Field(0.3, gt=0, le=1, description="share of the instruments to hold")

        @model_validator(mode="after")
        def _check_skip(self) -> Self:
            if self.skip >= self.lookback:
                raise ValueError(f"`skip` must be less than `lookback` ({self.lookback})")
            return self

    params: Params
    exposure: ClassVar[Exposure] = "full"

    @property
    def warm_up(self) -> int:
        """``lookback`` bars, and room for a missing first one."""
        return self.params.lookback + RECENT_BARS

    @property
    def features(self) -> Mapping[str, str]:
        """The score, of closes carried forward over missing bars."""
        then, now = (delayed("close", bars) for bars in (self.params.lookback, self.params.skip))
        return {"score": f"{now} / {then} - 1"}

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        """Rank the instruments and choose the winners.

        Parameters
        ----------
        panel : Panel
            At least `warm_up` rows; those before are not used.

        Returns
        -------
        float64, shape (n,)
            1 for winners, 0 for the others, NaN without enough history.
        """
        score = self.signals(panel, {"close": carried(panel.close)})["score"]
        for back in (self.params.lookback, self.params.skip, 0):
            score[np.isnan(recent_close(panel.close, panel.bars - 1 - back))] = np.nan
        ranked = np.flatnonzero(np.isfinite(score))
        forecast = np.full(panel.n, np.nan)
        forecast[ranked] = 0.0
        # Rounded, so that 0.1 * 30 = 3.0000000000000004 does not become four winners.
        winners = ceil(round(self.params.top * len(ranked), 9))
        order = np.lexsort((np.array(panel.instruments)[ranked], -score[ranked]))
        forecast[ranked[order[:winners]]] = 1.0
        return forecast
