"""The same share of everything: the yardstick of every other strategy."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from quantvista.market import Panel
from quantvista.strategies._base import Exposure, PortfolioStrategy, Weighting
from quantvista.strategies._recent import RECENT_BARS, recent_close

__all__ = ["EqualWeight"]


class EqualWeight(PortfolioStrategy):
    """Hold every instrument that has a price, each with the same weight.

    Forecast 1 for each instrument with a close in the last 5 bars, NaN for the others; the
    weight is ``1 / m`` of ``m`` such instruments, whatever weighting the fund has.

    Notes
    -----
    Source: DeMiguel, Garlappi and Uppal (2009), the "1/N" rule, among the instruments of the day.

    References
    ----------
    DeMiguel, Garlappi and Uppal (2009), Optimal versus naive diversification: how inefficient
    is the 1/N portfolio strategy?, Review of Financial Studies 22(5).

    Examples
    --------
    >>> close = [[float("nan"), 1.0]] * 5
    >>> panel = Panel(("A.X", "B.X"), ("", ""), range(5), close)
    >>> EqualWeight().forecast(panel)
    array([nan,  1.])
    """

    exposure: ClassVar[Exposure] = "full"
    weighting: ClassVar[Weighting | None] = "equal"

    @property
    def warm_up(self) -> int:
        """Five bars: a close counts for that long."""
        return RECENT_BARS

    def forecast(self, panel: Panel) -> NDArray[np.float64]:
        """Like everything that has a price.

        Parameters
        ----------
        panel : Panel
            At least `warm_up` rows; those before are not used.

        Returns
        -------
        float64, shape (n,)
            1, or NaN without a recent close.
        """
        return np.where(np.isnan(recent_close(panel.close, panel.bars - 1)), np.nan, 1.0)
