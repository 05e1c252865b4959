"""Prices that cannot be: refused with the place where they stand."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from quantvista.data._block import Block
from quantvista.errors import MarketDataError

__all__ = ["check_block"]

_ADJUSTED = (
    "; if the closes are adjusted and the rest is not, run on closes only: "
    'add open = "", high = "", low = "" to data.columns'
)
_UNITS_MAX = 10**15  # up to 15 significant digits, each decimal has a double of its own


def check_block(
    block: Block,
    digits: NDArray[np.int64],
    round_prices: bool,
    negative: NDArray[np.bool_] | None = None,
) -> Block:
    """Prove the prices of a file, and put them on their decimals.

    Parameters
    ----------
    block : Block
        As read.
    digits : int64, shape (n,)
        Decimals of the prices of each instrument.
    round_prices : bool
        Round finer prices to the nearest instead of refusing them.
    negative : bool, shape (n,), or None
        Instruments whose prices may be zero or less; ``None`` for none of them.

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
            if negative is None or not negative.all():
                positive = matrix <= 0 if negative is None else (matrix <= 0) & ~negative
                _refuse(block, field, matrix, positive, "must be positive")
            values[field] = _on_decimals(block, field, matrix, digits, round_prices, negative)
    if "open" in values:
        low, high = values["low"], values["high"]
        _refuse(block, "low", low, low > high, "must not be above `high`")
        for field in ("open", "close"):
            outside = (values[field] > high) | (values[field] < low)
            hint = _ADJUSTED if field == "close" else ""
            _refuse(block, field, values[field], outside, "must lie between `low` and `high`", hint)
    return replace(block, values=values)


def _on_decimals(
    block: Block,
    field: str,
    matrix: NDArray[np.float64],
    digits: NDArray[np.int64],
    round_prices: bool,
    negative: NDArray[np.bool_] | None,
) -> NDArray[np.float64]:
    scale = 10.0**digits
    units = np.rint(matrix * scale)
    too_large = np.abs(units) > _UNITS_MAX
    if too_large.any():
        most = _UNITS_MAX // 10 ** int(digits[_first(too_large)[1]])
        _refuse(block, field, matrix, too_large, f"must be at most {most}")
    rounded: NDArray[np.float64] = units / scale
    fine = (rounded != matrix) & ~np.isnan(matrix)
    if not round_prices and fine.any():
        places = int(digits[_first(fine)[1]])
        step = Decimal(1).scaleb(-places)
        rule = f"must have at most {places} decimals, because `data.tick_size` is a multiple of "
        hint = f"{step} (set a finer `data.tick_size`, or data.round_prices = true)"
        _refuse(block, field, matrix, fine, rule + hint)
    gone = rounded <= 0 if negative is None else (rounded <= 0) & ~negative
    if gone.any():
        places = int(digits[_first(gone)[1]])
        _refuse(block, field, matrix, gone, f"must not round to zero at {places} decimals")
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
