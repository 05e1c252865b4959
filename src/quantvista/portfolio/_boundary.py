"""The float boundary: where weights become integers, and nothing after depends on floats."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEIGHT_UNIT", "to_weight_e9"]

WEIGHT_UNIT = 1_000_000_000
"""An integer weight of this much is all of the sleeve's equity."""


def to_weight_e9(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn weights into the engine's integers, rounding down.

    Parameters
    ----------
    weights : float64, shape (n,)
        Shares of the sleeve's equity in [0, 1].

    Returns
    -------
    int64, shape (n,)
        Billionths. Weights that add up to at most 1 still do.

    Examples
    --------
    >>> to_weight_e9(np.array([0.5, 1 / 3]))
    array([500000000, 333333333])
    """
    assert weights.dtype == np.float64, "weights must be float64"
    assert np.all((weights >= 0.0) & (weights <= 1.0)), "weights must be in [0, 1] and no NaN"
    return np.floor(weights * WEIGHT_UNIT).astype(np.int64)
