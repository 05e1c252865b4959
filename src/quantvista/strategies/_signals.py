"""Features of a strategy, computed by the engine of all features."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from quantvista.errors import StrategyError
from quantvista.features import FeatureSet

__all__ = ["checked_features", "last_values"]

type Floats = NDArray[np.float64]


def last_values(features: Mapping[str, str], columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Compute features over trailing bars, and give those of the last one.

    Parameters
    ----------
    features : mapping of str to str
        Expressions by name.
    columns : mapping of str to float64, shape (bars, n)
        What they read, oldest first.

    Returns
    -------
    dict of str to float64, shape (n,)
        NaN where there is no value.
    """
    values = _compiled(tuple(features.items())).matrices(columns)[:, -1]
    return {name: values[place].copy() for place, name in enumerate(features)}


def checked_features(features: object, strategy: str) -> dict[str, str]:
    """Give the features of a strategy as plain text.

    Raises
    ------
    StrategyError
        If they are something else than expressions by name.
    """
    if not isinstance(features, Mapping) or not all(
        isinstance(each, str) for pair in features.items() for each in pair
    ):
        raise StrategyError(
            f"`features` must be expressions by name; found {features!r}; strategy {strategy!r}"
        )
    return dict(features)


@lru_cache(maxsize=256)
def _compiled(features: tuple[tuple[str, str], ...]) -> FeatureSet:
    """Parse once: a strategy decides many times."""
    return FeatureSet(dict(features))
