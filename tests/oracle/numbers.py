"""Whole numbers only: the divisions, roundings and searches that the rules name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd

RATE_ONE = 10**9
MONEY_ONE = 10**12
MASK = 2**64 - 1


class InputError(ValueError):
    """What the pages call an error; it changes nothing."""


def up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def nearest(numerator: int, denominator: int) -> int:
    """Round to the nearest whole number, a half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def towards_zero(numerator: int, denominator: int) -> int:
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def reduced(numerator: int, denominator: int) -> tuple[int, int]:
    common = gcd(numerator, denominator)
    return numerator // common, denominator // common


def largest(most: int, allowed: Callable[[int], bool]) -> int:
    """Return the largest of 0..most that is allowed; what is allowed is a range from below."""
    if most <= 0:
        return 0
    if allowed(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if allowed(middle):
            low = middle
        else:
            high = middle
    return low


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Share a total by weights: largest remainder first, ties to the earlier."""
    if total == 0:
        return [0] * len(weights)
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    rests = [total * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-rests[place], place))
    for place in order[: total - sum(shares)]:
        shares[place] += 1
    return shares


def splitmix64(x: int) -> int:
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)
