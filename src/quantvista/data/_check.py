"""Prices that cannot be: refused with the place where they stand."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from quantvista.data._block import Block
from quantvista.errors import MarketDataError

__all__ = ["check_block", "decimals"]

_ADJUSTED = (
    "; if the closes are adjusted and the rest is not, run on closes only: "
    'add open = "", high = "", low = "" to data.columns'
)
_UNITS_MAX = 10**15  # up to 15 significant digits, each decimal has a double of its own


def decimals(step: Decimal) -> int:
    """Decimals that a step needs.

    Examples
    --------
    >>> decimals(Decimal("0.0500")), decimals(Decimal("1"))
    (2, 0)
    """
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def check_block(block: Block, digits: int, round_prices: bool) -> Block:
    """Prove the prices of a file, and put them on their decimals.

    Parameters
    ----------
    block : Block
        As read.
    digits : int
        Decimals of prices.
    round_prices : bool
        Round finer prices to the nearest instead of refusing them.

    Returns
    -------
    Block
        Each price is the double nearest to a decimal of ``digits`` places.

    Raises
    ------
    MarketDataError
        If a price is not positive, too large or too fine, if open, high, low and close
        contradict each other, or a value is missing beside others that are there.
    """
    close = block.values["close"]
    there = ~np.isnan(close)
    values = {}
    for field, matrix in block.values.items():
        lonely = np.isnan(matrix) == there
        if lonely.any():
            at = _first(lonely)
            missing, beside = (field, "close") if there[at] else ("close", field)
            raise MarketDataError(
                f"{block.where}: `{missing}` must not be missing where `{beside}` is there; "
                f"{block.place(missing, at)}"
            )
        if field == "volume":
            _refuse(block, field, matrix, matrix < 0, "must not be negative")
            values[field] = matrix
        else:
            values[field] = _on_decimals(block, field, matrix, digits, round_prices)
    if "open" in values:
        low, high = values["low"], values["high"]
        _refuse(block, "low", low, low > high, "must not be above `high`")
        for field in ("open", "close"):
            outside = (values[field] > high) | (values[field] < low)
            hint = _ADJUSTED if field == "close" else ""
            _refuse(block, field, values[field], outside, "must lie between `low` and `high`", hint)
    return replace(block, values=values)


def _on_decimals(
    block: Block, field: str, matrix: NDArray[np.float64], digits: int, round_prices: bool
) -> NDArray[np.float64]:
    scale = 10.0**digits
    _refuse(block, field, matrix, matrix <= 0, "must be positive")
    units = np.rint(matrix * scale)
    too_large = units > _UNITS_MAX
    _refuse(block, field, matrix, too_large, f"must be at most {_UNITS_MAX // 10**digits}")
    rounded: NDArray[np.float64] = units / scale
    if not round_prices:
        step = Decimal(1).scaleb(-digits)
        rule = f"must have at most {digits} decimals, because `data.tick_size` is a multiple of "
        hint = f"{step} (set a finer `data.tick_size`, or data.round_prices = true)"
        _refuse(block, field, matrix, (rounded != matrix) & ~np.isnan(matrix), rule + hint)
    _refuse(block, field, matrix, rounded <= 0, f"must not round to zero at {digits} decimals")
    return rounded


def _refuse(
    block: Block,
    field: str,
    matrix: NDArray[np.float64],
    bad: NDArray[np.bool_],
    rule: str,
    hint: str = "",
) -> None:
    if bad.any():
        at = _first(bad)
        found = f"found {float(matrix[at])!r} in {block.place(field, at)}"
        raise MarketDataError(f"{block.where}: `{field}` {rule}; {found}{hint}")


def _first(bad: NDArray[np.bool_]) -> tuple[int, int]:
    row, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return int(row), int(column)
