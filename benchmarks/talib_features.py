"""TA-Lib's functions, one call for each instrument and feature, on columns side by side."""

from typing import Any

import numpy as np
import talib
from _common import INSTRUMENTS, Found, Stopwatch, main
from _features import FEATURES, prices
from numpy.typing import NDArray


def compute(bars: dict[str, NDArray[np.float64]]) -> list[list[Any]]:
    """Call each function for each instrument."""
    found = []
    for feature in FEATURES:
        function = getattr(talib, feature.function)
        columns = [bars[name] for name in feature.inputs]
        series = (tuple(column[i] for column in columns) for i in range(INSTRUMENTS))
        found.append([function(*each, **feature.options) for each in series])
    return found


def work(rows: int) -> Found:
    """Compute the same features; TA-Lib wants each instrument's rows side by side."""
    bars = {name: np.ascontiguousarray(x.T) for name, x in prices(rows).items()}
    compute(bars)
    last = 0.0
    watch = Stopwatch()
    with watch:
        found = compute(bars)
    for each in found:
        first = (one[0] if isinstance(one, tuple) else one for one in each)
        last += sum(float(values[-1]) for values in first)
    count = len(FEATURES) * rows * INSTRUMENTS
    agreed = f"{last:.6e}"
    return watch.seconds, count, talib.__version__, agreed, agreed


if __name__ == "__main__":
    main(work)
