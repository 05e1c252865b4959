"""The rules that do not change during a run, and the arithmetic of money.

The configuration is a plain dictionary::

    {"semantics": 2, "fund": "demo", "currency_precision": 2,
     "sleeves": ["a", "b"], "cash": [money, money],          # both by sleeve, ids ascending
     "instruments": [{"id", "price_precision", "quantity_precision", "tick_size", "lot_size",
                      "multiplier", "sector", "effective_from", "effective_to", "close_only"}],
     "venue": {"fee_rate", "slippage", "limit_fill": "through" | "touch",
               "participation_max": rate | None, "on_close_cutoff_ns"},
     "limits": {"price_band", "fat_finger_notional", "fat_finger_quantity", "position_max",
                "weight_max", "sector_max", "gross_max"}}    # None: not configured (not the band)

Units are those of ``docs/engine/bars.md``, section 1: prices and quantities in the instrument's own
units, money in 1e-12, rates in 1e-9, times in nanoseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

RATE_ONE = 10**9
"""A rate of one (100 %)."""

MONEY_DIGITS = 12
"""Decimal places of money."""


class ReferenceInputError(ValueError):
    """An input that ``docs/engine/bars.md`` calls an error."""


@dataclass(frozen=True)
class Instrument:
    """What can be traded."""

    index: int
    id: str
    price_precision: int
    quantity_precision: int
    tick_size: int
    lot_size: int
    multiplier: int
    sector: str
    effective_from: int | None
    effective_to: int | None
    close_only: bool

    def notional(self, quantity: int, price: int) -> int:
        """Money for a quantity at a price; exact."""
        scale: int = 10 ** (MONEY_DIGITS - self.price_precision - self.quantity_precision)
        return quantity * price * self.multiplier * scale

    def listed(self, ts: int) -> bool:
        """Whether a time lies in the effective dates."""
        started = self.effective_from is None or self.effective_from <= ts
        return started and (self.effective_to is None or ts < self.effective_to)


@dataclass(frozen=True)
class Venue:
    """Costs and fill rules of the simulated venue."""

    fee_rate: int
    slippage: int
    limit_fill: str
    participation_max: int | None
    on_close_cutoff_ns: int


@dataclass(frozen=True)
class Limits:
    """Limits of the gate; ``None`` means that the check is off."""

    price_band: int
    fat_finger_notional: int | None
    fat_finger_quantity: int | None
    position_max: int | None
    weight_max: int | None
    sector_max: int | None
    gross_max: int | None


@dataclass(frozen=True)
class Rules:
    """Everything of the configuration."""

    currency_precision: int
    sleeves: tuple[str, ...]
    cash: tuple[int, ...]
    instruments: tuple[Instrument, ...]
    venue: Venue
    limits: Limits

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Rules:
        """Read the dictionary shown at the top of this module."""
        if config["semantics"] != 2:
            raise ReferenceInputError(f"`semantics` must be 2; found {config['semantics']}")
        instruments = tuple(
            Instrument(index=index, **entry) for index, entry in enumerate(config["instruments"])
        )
        sleeves = tuple(config["sleeves"])
        for ids in (sleeves, tuple(instrument.id for instrument in instruments)):
            if list(ids) != sorted(set(ids)):
                raise ReferenceInputError(f"ids must ascend; found {ids}")
        return cls(
            currency_precision=config["currency_precision"],
            sleeves=sleeves,
            cash=tuple(config["cash"]),
            instruments=instruments,
            venue=Venue(**config["venue"]),
            limits=Limits(**config["limits"]),
        )

    def fee(self, instrument: Instrument, quantity: int, price: int) -> int:
        """Fee of a trade, rounded up to the minor unit of the currency."""
        minor: int = 10 ** (MONEY_DIGITS - self.currency_precision)
        exact = Fraction(instrument.notional(quantity, price) * self.venue.fee_rate, RATE_ONE)
        return math.ceil(exact / minor) * minor

    def slipped(self, instrument: Instrument, side: str, price: int) -> int:
        """Price after slippage, on the tick that is worse for us; a sale gets at least a tick."""
        slippage = self.venue.slippage if side == "buy" else -self.venue.slippage
        ticks = Fraction(price * (RATE_ONE + slippage), RATE_ONE * instrument.tick_size)
        if side == "buy":
            return math.ceil(ticks) * instrument.tick_size
        return max(1, math.floor(ticks)) * instrument.tick_size

    def band_low(self, price: int) -> Fraction:
        """Lower edge of the price band around a price."""
        return Fraction(price * (RATE_ONE - self.limits.price_band), RATE_ONE)

    def band_high(self, price: int) -> Fraction:
        """Upper edge of the price band around a price."""
        return Fraction(price * (RATE_ONE + self.limits.price_band), RATE_ONE)


def share_of(rate: int, money: int) -> int:
    """A share of an amount of money, rounded down."""
    return math.floor(Fraction(rate * money, RATE_ONE))


def largest(most: int, allowed: Callable[[int], bool]) -> int:
    """Return the largest whole number in 0..most that is allowed; zero always counts as allowed.

    What is allowed must be a range from below: each number less than an allowed one is allowed.
    """
    if most > 0 and allowed(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if allowed(middle):
            low = middle
        else:
            high = middle
    return low


def allocate(total: int, weights: list[int]) -> list[int]:
    """Share a whole total by weights: largest remainder first, ties to the earlier entry."""
    if total == 0:
        return [0] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    shares = [math.floor(share) for share in exact]
    by_remainder = sorted(
        range(len(weights)), key=lambda entry: (shares[entry] - exact[entry], entry)
    )
    for entry in by_remainder[: total - sum(shares)]:
        shares[entry] += 1
    return shares
