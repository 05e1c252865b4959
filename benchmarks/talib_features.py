"""TA-Lib's functions, one call for each instrument and feature, on columns side by side."""

import numpy as np
import talib
from _common import INSTRUMENTS, Found, Stopwatch, main
from _features import FEATURES, prices


def work(rows: int) -> Found:
    """Compute the same features; TA-Lib wants each instrument's rows side by side."""
    bars = {name: np.ascontiguousarray(x.T) for name, x in prices(rows).items()}
    last = 0.0
    watch = Stopwatch()
    with watch:
        found = []
        for feature in FEATURES:
            function = getattr(talib, feature.function)
            options = feature.options
            columns = [bars[name] for name in feature.inputs]
            found.append(
                [function(*(c[i] for c in columns), **options) for i in range(INSTRUMENTS)]
            )
    for each in found:
        first = (one[0] if isinstance(one, tuple) else one for one in each)
        last += sum(float(values[-1]) for values in first)
    count = len(FEATURES) * rows * INSTRUMENTS
    agreed = f"{last:.6e}"
    return watch.seconds, count, talib.__version__, agreed, agreed


if __name__ == "__main__":
    main(work)
