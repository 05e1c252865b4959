"""Prices as the guard hears them, and which of them can be built upon."""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Mark", "Trust"]

_TOLD_MAX = 5
_NEAR = 20  # two prices confirm one another that differ by at most a twentieth


@dataclass(slots=True)
class Mark:
    """What an instrument is worth, by its last quote; prices in units of its precision."""

    at: float
    bid: int | None = None
    ask: int | None = None
    last: int | None = None

    @property
    def twice(self) -> int | None:
        """Twice the price, so that the middle of a spread is a whole number."""
        if self.bid is not None and self.ask is not None:
            return self.bid + self.ask
        found = next((each for each in (self.bid, self.ask, self.last) if each is not None), None)
        return None if found is None else 2 * found

    @property
    def is_sound(self) -> bool:
        """Whether it has a price at all, each is positive, and no bid is above an ask."""
        prices = [each for each in (self.bid, self.ask, self.last) if each is not None]
        is_crossed = self.bid is not None and self.ask is not None and self.bid > self.ask
        return bool(prices) and min(prices) > 0 and not is_crossed


class Trust:
    """Says which price of an instrument can be built upon.

    Parameters
    ----------
    recalled : int or None
        Twice a price that could be in an earlier life. It confirms others, no more.

    Attributes
    ----------
    twice : int or None
        Twice the newest price that another one confirms.

    Notes
    -----
    A price is confirmed by any other of the last five that is near it, be it another quote, a trade
    or a fill. Where five in a row are never near one another, the middle one of them counts, so
    that no market is too wild to be valued. What is told again, with the same time, is the same.
    """

    def __init__(self, recalled: int | None = None) -> None:
        self.twice: int | None = None
        self._told: deque[tuple[int | None, int]] = deque(maxlen=_TOLD_MAX)
        self._last: tuple[int | None, int] | None = None
        if recalled is not None:
            self._told.append((None, recalled))

    def take(self, ts: int, twice: int, *, is_mark: bool = True) -> None:
        """Take twice a price; ``is_mark`` where things are valued by it."""
        told = (ts, twice)
        if told in self._told:
            return
        self._told.append(told)
        self._last = told if is_mark else self._last
        if self._last is None:
            return
        if any(each is not self._last and _are_near(each[1], self._last[1]) for each in self._told):
            self.twice = self._last[1]
        elif len(self._told) == _TOLD_MAX:
            prices = sorted(price for _, price in self._told)
            if not any(_are_near(*each) for each in pairwise(prices)):
                self.twice = prices[_TOLD_MAX // 2]


def _are_near(one: int, other: int) -> bool:
    return abs(one - other) * _NEAR <= min(one, other)
