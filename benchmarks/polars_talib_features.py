"""TA-Lib's functions as expressions of Polars over a long frame, one group for each instrument."""

from importlib.metadata import version

import numpy as np
import polars as pl
import polars_talib as plta
from _common import INSTRUMENTS, Found, Stopwatch, main, symbols
from _features import COLUMNS, FEATURES, FeatureSpec, prices


def expression(place: int, feature: FeatureSpec) -> pl.Expr:
    """Write one feature; of several results the first."""
    function = getattr(plta, feature.function.lower())
    columns = [pl.col(name) for name in feature.inputs]
    made: pl.Expr = function(*columns, **feature.options)
    if feature.op == "macd":
        made = made.struct.field("macd")
    return made.over("symbol").alias(str(place))


def work(rows: int) -> Found:
    """Compute the same features in one query."""
    bars = prices(rows)
    frame = pl.DataFrame(
        {
            "symbol": np.repeat(symbols(), rows),
            **{name: np.ascontiguousarray(bars[name].T).ravel() for name in COLUMNS},
        }
    )
    query = [expression(place, feature) for place, feature in enumerate(FEATURES)]
    frame.lazy().select(query).collect()
    watch = Stopwatch()
    with watch:
        found = frame.lazy().select(query).collect()
    ends = found.to_numpy()[rows - 1 :: rows]
    agreed = f"{np.nansum(ends):.6e}"
    count = len(FEATURES) * rows * INSTRUMENTS
    return watch.seconds, count, version("polars-talib"), agreed, agreed


if __name__ == "__main__":
    main(work)
