"""The line at which a feature first knew what it could not know."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import polars as pl

from quantvista.errors import StrategyError
from quantvista.features.causality._inputs import Inputs, call

__all__ = ["first_difference"]

type _Seen = list[tuple[int, dict[str, bytes | None]]]


def first_difference(
    fresh: Callable[[], Callable[..., object]], before: Inputs, after: Inputs, cut: int
) -> int | None:
    """Find the line whose result differs between two futures, in rows that were known by a time.

    Parameters
    ----------
    fresh : callable
        Gives the feature, a plain Python function, as it is before its first call.
    before, after : Inputs
        The data, and those with another future.
    cut : int
        UTC nanoseconds; rows up to it are compared.

    Returns
    -------
    int or None
        Line in the function's file, ``None`` where no local variable tells, as with a single
        expression; the line of the ``return`` is then where it happens.

    Notes
    -----
    Both runs are traced line by line. Of each local table or column that has as many rows as the
    bars, the rows up to ``cut`` are compared; the line before the first that differ is to blame.
    """
    runs = [_traced(fresh(), inputs, cut) for inputs in (before, after)]
    line_before: int | None = None
    for (line, mine), (other_line, other) in zip(*runs, strict=False):
        if line != other_line:
            return line_before
        if any(mine[name] != other[name] for name in mine if name in other):
            return line_before
        line_before = line
    return line_before


def _traced(function: Callable[..., object], inputs: Inputs, cut: int) -> _Seen:
    code = getattr(function, "__code__", None)
    seen: _Seen = []
    past = (inputs.bars["ts_received"] <= cut).to_numpy()

    def local(frame: FrameType, event: str, argument: object) -> Any:  # noqa: ANN401 - a tracer
        if event == "line":
            prints = {name: _print_of(value, past) for name, value in frame.f_locals.items()}
            seen.append((frame.f_lineno, prints))
        return local

    def tracer(frame: FrameType, event: str, argument: object) -> Any:  # noqa: ANN401 - a tracer
        return local if frame.f_code is code else None

    old = sys.gettrace()
    sys.settrace(tracer)
    try:
        call(function, inputs)
    except StrategyError:
        # The function ran on the same data before, when the difference was found; that it fails
        # only while it is watched is no finding, and the lines seen until then may still tell.
        pass
    finally:
        sys.settrace(old)
    return seen


def _print_of(value: Any, past: np.ndarray[Any, np.dtype[np.bool_]]) -> bytes | None:  # noqa: ANN401
    """Give the rows of a value that were known by the cut as bytes; ``None`` for others."""
    try:
        if isinstance(value, pl.DataFrame):
            columns = [each for each in value if each.dtype.is_numeric()]
            arrays = [each.cast(pl.Float64).to_numpy() for each in columns]
        elif hasattr(value, "select_dtypes"):
            arrays = [each for _, each in value.select_dtypes("number").items()]
        elif isinstance(value, float | int | np.floating):
            return repr(value).encode()
        else:
            arrays = [np.asarray(value, dtype=np.float64)]
        parts = []
        for array in arrays:
            numbers = np.asarray(array, dtype=np.float64)
            if numbers.shape != past.shape:
                return None
            parts.append(np.round(numbers[past], 12).tobytes())
    except (TypeError, ValueError, AttributeError, pl.exceptions.PolarsError):
        return None  # no table of numbers: it cannot tell, and is left out of the comparison
    return b"".join(parts)
