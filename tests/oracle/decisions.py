"""Forecasts and weights again, in plain loops from their definitions, sharing no code.

A panel is a list of rows, each a list of closes with None where there is no bar.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from math import ceil, floor, sqrt

Rows = Sequence[Sequence[float | None]]
View = float | None


def close_as_of(rows: Rows, row: int, column: int) -> float | None:
    for at in range(row, row - 5, -1):
        if rows[at][column] is not None:
            return rows[at][column]
    return None


def change(rows: Rows, column: int, lookback: int, skip: int) -> float | None:
    now = len(rows) - 1
    start = close_as_of(rows, now - lookback, column)
    end = close_as_of(rows, now - skip, column)
    if start is None or end is None:
        return None
    return end / start - 1.0


def returns(rows: Rows, column: int, first: int, last: int) -> list[float]:
    """Simple returns from row `first` to row `last` that have both closes."""
    found = []
    for row in range(first + 1, last + 1):
        before, after = rows[row - 1][column], rows[row][column]
        if before is not None and after is not None:
            found.append(after / before - 1.0)
    return found


def deviation(sample: list[float]) -> float:
    mean = sum(sample) / len(sample)
    return sqrt(sum((x - mean) ** 2 for x in sample) / (len(sample) - 1))


def trend(rows: Rows, lookback: int, skip: int, graded: bool) -> list[View]:
    result: list[View] = []
    for column in range(len(rows[0])):
        moved = change(rows, column, lookback, skip)
        if moved is None:
            result.append(None)
        elif not graded:
            result.append(1.0 if moved > 0 else -1.0 if moved < 0 else 0.0)
        else:
            now = len(rows) - 1
            sample = returns(rows, column, now - lookback, now - skip)
            if len(sample) < 2 or 2 * len(sample) < lookback - skip or deviation(sample) == 0.0:
                result.append(None)
            else:
                error = deviation(sample) / sqrt(len(sample))
                result.append(min(1.0, max(-1.0, sum(sample) / len(sample) / error)))
    return result


def momentum(rows: Rows, ids: Sequence[str], lookback: int, skip: int, top: Fraction) -> list[View]:
    now = len(rows) - 1
    scores: dict[int, float] = {}
    for column in range(len(ids)):
        score = change(rows, column, lookback, skip)
        if score is not None and close_as_of(rows, now, column) is not None:
            scores[column] = score
    ranked = sorted(scores, key=lambda column: (-scores[column], ids[column]))
    winners = set(ranked[: ceil(top * len(ranked))])
    return [
        None if column not in scores else 1.0 if column in winners else 0.0
        for column in range(len(ids))
    ]


def weigh(
    forecast: Sequence[View], rows: Rows, *, exposure: str, weighting: str, window: int
) -> list[float]:
    """Weights before the caps."""
    now = len(rows) - 1
    total = 0.0
    raw = []
    for column, view in enumerate(forecast):
        scale: float | None = 1.0
        if weighting == "inverse_volatility":
            sample = returns(rows, column, max(0, now - window), now)
            scale = None
            if len(sample) >= 2 and 2 * len(sample) >= window and deviation(sample) >= 1e-8:
                scale = 1.0 / deviation(sample)
        if view is None or scale is None:
            raw.append(0.0)
            continue
        raw.append(max(view, 0.0) * scale)
        total += scale if exposure == "signal" else raw[-1]
    return [each / total if total else 0.0 for each in raw]


def cap(
    weights: Sequence[float],
    sectors: Sequence[str],
    weight_max: float | None,
    sector_max: float | None,
) -> list[float]:
    """Raise one common factor until the total is reached; names and sectors stop at their caps."""

    def at(factor: float, members: Sequence[int]) -> list[float]:
        return [min(weight_max or 1.0, factor * weights[i]) for i in members]

    def excess(members: Sequence[int], factor: float) -> float:
        return sum(at(factor, members)) - (sector_max or 1.0)

    def all_at(factor: float) -> list[float]:
        result = [0.0] * len(weights)
        for sector in set(sectors):
            members = [i for i in range(len(weights)) if sectors[i] == sector]
            values = at(factor, members)
            if sector_max is not None and sum(values) > sector_max:
                values = at(bisect(partial(excess, members), factor), members)
            for i, value in zip(members, values, strict=True):
                result[i] = value
        return result

    positive = [weight for weight in weights if weight > 0]
    if not positive:
        return [0.0] * len(weights)
    highest = 2.0 / min(positive)
    wanted = sum(weights)
    if sum(all_at(highest)) <= wanted:
        return all_at(highest)
    return all_at(bisect(lambda k: sum(all_at(k)) - wanted, highest))


def bisect(function: Callable[[float], float], high: float) -> float:
    """Find the root of a rising function between 0 and `high`."""
    low = 0.0
    for _ in range(200):
        middle = (low + high) / 2
        if function(middle) > 0:
            high = middle
        else:
            low = middle
    return low


def integer_weights(weights: Sequence[float]) -> list[int]:
    """Billionths, rounded down, from the exact value of each product as a float."""
    return [floor(weight * 1e9) for weight in weights]
