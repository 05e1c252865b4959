"""Caps per instrument and per sector, the excess shared out."""

from math import fsum

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import ConfigError

__all__ = ["WEIGHT_DUST", "cap_weights", "water_fill"]

WEIGHT_DUST = 1e-12
"""Weights below this count as zero: no order comes of them, and scaled up they would overflow."""


def cap_weights(
    weights: NDArray[np.float64],
    sectors: tuple[str, ...],
    weight_max: float | None,
    sector_max: float | None,
) -> NDArray[np.float64]:
    """Cut weights to their caps and share the excess out in proportion to the weights.

    With ``w`` the weights, ``c`` the cap of each and ``S`` that of each sector, the result is ::

        x_i = min(u_i, k * w_i),   u_i = min(c, k_s * w_i)

    with ``k_s`` such that sector ``s`` sums to ``S`` (infinite if ``c`` alone keeps it below), and
    ``k`` such that the ``x_i`` sum to what the ``w_i`` summed to (infinite if the ``u_i`` together
    are less: the rest stays cash). There is one such ``x``, whatever the order of instruments.

    Parameters
    ----------
    weights : float64, shape (n,)
        Not negative, adding up to at most 1. Zero, or less than
        `WEIGHT_DUST`, stays or becomes zero.
    sectors : tuple of str, length n
        Sector of each instrument.
    weight_max : float or None
        Cap of each instrument.
    sector_max : float or None
        Cap of each sector.

    Returns
    -------
    float64, shape (n,)
        The sum is at most that of ``weights``.

    Raises
    ------
    ConfigError
        If there is a ``sector_max`` and an instrument with a weight has no sector.

    Examples
    --------
    >>> cap_weights(np.array([0.6, 0.2, 0.2]), ("", "", ""), 0.5, None)
    array([0.5 , 0.25, 0.25])
    >>> cap_weights(np.array([0.6, 0.2, 0.2]), ("Tech", "Tech", "Energy"), 0.5, 0.6)
    array([0.45, 0.15, 0.4 ])
    """
    weights = np.where(weights < WEIGHT_DUST, 0.0, weights)
    ceilings = np.where(weights > 0.0, 1.0 if weight_max is None else weight_max, 0.0)
    if sector_max is not None:
        names = np.array(sectors, dtype=np.str_)
        if np.any((names == "") & (weights > 0.0)):
            raise ConfigError(
                "`sector_max` must come with a sector for every instrument; found none for "
                f"column {int(np.argmax((names == '') & (weights > 0.0)))}"
            )
        for sector in np.unique(names):
            member = names == sector
            ceilings[member] = water_fill(weights[member], ceilings[member], sector_max)
    return water_fill(weights, ceilings, fsum(weights))


def water_fill(
    weights: NDArray[np.float64], ceilings: NDArray[np.float64], total: float
) -> NDArray[np.float64]:
    """Scale weights to a total, each no higher than its ceiling: ``min(ceiling, k * weight)``.

    Parameters
    ----------
    weights : float64, shape (n,)
        Not negative.
    ceilings : float64, shape (n,)
        Not negative, may be infinite; 0 where the weight is 0.
    total : float
        What to distribute.

    Returns
    -------
    float64, shape (n,)
        Sums to ``total``, or is ``ceilings`` itself where these sum to less.

    Notes
    -----
    Each round fixes at least one weight at its ceiling, so there are at most n. Sums are exact
    before they are rounded, so the order of instruments changes no bit.
    """
    if fsum(ceilings) <= total:
        return ceilings.copy()
    filled = np.zeros_like(weights)
    free = weights > 0.0
    while free.any():
        scaled = weights * (max(0.0, total - fsum(filled[~free])) / fsum(weights[free]))
        over = free & (scaled >= ceilings)
        if not over.any():
            filled[free] = scaled[free]
            break
        filled[over] = ceilings[over]
        free &= ~over
    return filled
