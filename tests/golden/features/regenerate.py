"""Write the values of every shipped feature on generated bars, for the golden test.

PYTHONPATH=tests .venv/bin/python tests/golden/features/regenerate.py
"""

from pathlib import Path

import polars as pl

from quantvista.features import FEATURES, FeatureSet
from support.feature_bars import feature_bars

PATH = Path(__file__).parent / "values.csv"
ROWS = 800


def values() -> pl.DataFrame:
    """Name, digest, warm-up, look-back, number of values, and the last three of one instrument."""
    features = FeatureSet(list(FEATURES))
    table = features.compute(feature_bars(5, ROWS, gaps=0.0)).filter(pl.col("instrument") == "I1.X")
    rows = []
    for name in features.names:
        known = table[name].drop_nulls()
        last = [f"{each:.12g}" for each in known.tail(3)]
        digest, back = FEATURES[name].digest, features.look_back[name]
        rows.append((name, digest, features.warm_up[name], back, len(known), *last))
    header = ["feature", "digest", "warm_up", "look_back", "values", "third", "second", "last"]
    return pl.DataFrame(rows, schema=header, orient="row")


if __name__ == "__main__":
    values().write_csv(PATH)
