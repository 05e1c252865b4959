"""A portfolio strategy of your own: it says what it likes, the fund does the rest.

The fund file names it as ``mine.py:Crossing``. In a notebook, give the class itself.
"""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

import quantvista as qv


class Crossing(qv.PortfolioStrategy):
    """Like what trades above its own average: two moving averages per instrument."""

    class Params(qv.StrategyParams):
        """What the fund file may set below ``params``."""

        fast: int = Field(50, ge=1, description="sessions")
        slow: int = Field(200, ge=2, description="sessions")

    params: Params

    # "signal": money for what it does not like stays cash. "full": always fully invested.
    exposure: ClassVar[Literal["signal", "full"]] = "signal"

    @property
    def warm_up(self) -> int:
        """Rows of prices that it needs before its first forecast; five more to fill gaps from."""
        return self.params.slow + 5

    def forecast(self, panel: qv.Panel) -> NDArray[np.float64]:
        """Give each instrument a number from -1 to 1; NaN is no view.

        ``panel.close`` has a row per session, the last one is now, and a column per instrument.
        A long-only fund holds nothing where the number is negative.
        """
        close = panel.filled(limit=5)  # a missing price is the last one, for five sessions
        fast = close[-self.params.fast :].mean(axis=0)
        slow = close[-self.params.slow :].mean(axis=0)
        return np.sign(fast - slow)  # still missing, such as too young: NaN, no view
