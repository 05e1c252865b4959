"""The same features, one row of 500 instruments after another, as a live node gets them."""

import numpy as np
from _common import Found, Stopwatch, main
from _features import COLUMNS, FEATURES, prices, spec

import quantvista
from quantvista import _native


def work(rows: int) -> Found:
    """Advance by one row at a time; what comes out has the bits of the whole run."""
    bars = prices(rows)
    columns = [bars[name] for name in COLUMNS]
    program = _native.FeatureProgram(spec(), columns[0].shape[1])
    watch = Stopwatch()
    for row in range(rows):
        now = [column[row : row + 1] for column in columns]
        with watch:
            result = program.advance(now)
    batch = _native.FeatureProgram(spec(), columns[0].shape[1]).advance(columns)
    assert result.tobytes() == batch[:, -1:].tobytes(), "a stream must have the bits of a batch"
    agreed = f"{np.nansum(result):.6e}"
    count = len(FEATURES) * columns[0].size
    return watch.seconds, count, quantvista.__version__, agreed, agreed


if __name__ == "__main__":
    main(work)
