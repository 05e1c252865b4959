"""What fills cost by the fee schedules of a backtest, in whole numbers as the engine has them."""

from collections import deque
from collections.abc import Mapping
from typing import Any

__all__ = ["FeeSchedule"]

_RATE_ONE = 10**9
_MONEY_DIGITS = 12


class FeeSchedule:
    """Fees of the venues of a fund, by ``docs/engine/matching.md``, section 12.

    Parameters
    ----------
    config : mapping
        Of an engine with these venues.

    Notes
    -----
    Volume that counts for tiers is taken in the currency of the instrument.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._instruments = config["instruments"]
        self._models = [each["fee"] for each in config["venues"]]
        self._coins: list[int] = [
            10 ** (_MONEY_DIGITS - each["precision"]) for each in config["currencies"]
        ]
        self._today = [0] * len(self._models)
        self._days: list[deque[int]] = [deque(maxlen=each["window_days"]) for each in self._models]
        self._tiers = [0] * len(self._models)
        self._paid: dict[int, int] = {}
        self._of_trade: dict[str, int] = {}

    def of(self, execution: Mapping[str, Any]) -> int:
        """Say what an execution costs, in 1e-12 of its instrument's currency.

        Parameters
        ----------
        execution : mapping
            As reports have it; each is asked for once.
        """
        if execution["liquidity"] == "none":  # opposite orders of two sleeves, which cross
            self._of_trade[execution["trade"]] = 0
            return 0
        terms = self._instruments[execution["instrument"]]
        venue, quantity = terms["venue"], execution["quantity"]
        digits = _MONEY_DIGITS - terms["price_precision"] - terms["quantity_precision"]
        scaled = abs(quantity * execution["price"] * terms["multiplier"])
        notional = scaled * 10**digits if digits >= 0 else scaled // 10**-digits
        exact = self._exact(venue, terms, notional, quantity, execution["liquidity"])
        self._today[venue] += notional
        fee = self._charged(venue, execution["order"], exact)
        self._of_trade[execution["trade"]] = fee
        return fee

    def taken_back(self, execution: Mapping[str, Any]) -> int:
        """Say what was charged for a trade that is undone."""
        charged: int = execution["fee"]
        return self._of_trade.get(execution["trade"], charged)

    def end_day(self) -> None:
        """Let tiers follow the volume of the days that are over."""
        for venue, model in enumerate(self._models):
            self._days[venue].append(self._today[venue])
            self._today[venue] = 0
            volume = sum(self._days[venue])
            reached = sum(each["volume_from"] <= volume for each in model["tiers"])
            self._tiers[venue] = max(0, reached - 1)

    def _exact(
        self, venue: int, terms: Mapping[str, Any], notional: int, quantity: int, liquidity: str
    ) -> int:
        model, coin = self._models[venue], self._coins[terms["currency"]]
        rate: int = model["tiers"][self._tiers[venue]][liquidity]
        unit: int = 10 ** terms["quantity_precision"]
        amount = notional * rate * unit + model["per_unit"] * quantity * _RATE_ONE
        coins: int = -(-amount // (_RATE_ONE * unit * coin))
        return int(coins * coin)

    def _charged(self, venue: int, order: int, exact: int) -> int:
        least: int = self._models[venue]["minimum"]
        if not least:
            return exact
        before = self._paid.get(order)
        self._paid[order] = (before or 0) + exact
        if before is None:
            return max(exact, least)
        return max(before + exact, least) - max(before, least)
