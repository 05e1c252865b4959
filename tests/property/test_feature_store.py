"""Point-in-time joins against a plain loop: nothing is used before it was known."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.data.lake import Lake
from quantvista.features import FeatureSet, FeatureStore, join

NAMES = ("A.X", "B.X")
type Row = tuple[str, int, int, float]

SERIES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 20), st.integers(0, 15), st.integers(1, 99)),
    max_size=25,
    unique_by=lambda row: row[:3],
)
SAMPLES = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 40)), min_size=1, max_size=15)


def expected(rows: list[Row], name: str, at: int, tolerance: int | None) -> float | None:
    """Of what was known by then, the latest period in its latest revision."""
    known = [(event, event + lag, value) for n, event, lag, value in rows if n == name]
    known = [each for each in known if each[1] <= at]
    if not known:
        return None
    event, _, value = max(known)
    return None if tolerance is not None and at - event > tolerance else value


@settings(max_examples=150, deadline=None)
@given(rows=SERIES, samples=SAMPLES, tolerance=st.none() | st.integers(0, 30))
def test_join_is_what_a_loop_finds(
    rows: list[Row], samples: list[tuple[str, int]], tolerance: int | None
) -> None:
    series = pl.DataFrame(
        {
            "instrument": [row[0] for row in rows],
            "ts_event": [row[1] for row in rows],
            "known_at": [row[1] + row[2] for row in rows],
            "value": [float(row[3]) for row in rows],
        },
        schema={
            "instrument": pl.String,
            "ts_event": pl.Int64,
            "known_at": pl.Int64,
            "value": pl.Float64,
        },
    )
    table = pl.DataFrame(
        {"instrument": [each[0] for each in samples], "ts_received": [each[1] for each in samples]}
    )
    found = join(table, series, tolerance_ns=tolerance)
    assert found.select(table.columns).equals(table)
    assert found["value"].to_list() == [expected(rows, *each, tolerance) for each in samples]


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    revised=st.lists(
        st.tuples(st.integers(0, 19), st.integers(0, 30)),
        max_size=3,
        unique_by=lambda each: each[1],
    ),
    samples=SAMPLES,
)
def test_training_never_sees_what_was_known_later(
    seed: int, revised: list[tuple[int, int]], samples: list[tuple[str, int]]
) -> None:
    """Values of the store at any time are those of a store that had ended at that time."""
    rng = np.random.default_rng(seed)
    features = FeatureSet({"mean": "mean(close, 3)", "ema": "ema(close, 2)"})
    bars = pl.DataFrame(
        {
            "ts": np.repeat(np.arange(20), 2),
            "instrument": list(NAMES) * 20,
            "close": rng.integers(10, 99, 40).astype(float),
        }
    )
    versions: list[tuple[pl.DataFrame, int | None]] = [(bars, None)]
    for place, lag in sorted(revised, key=lambda each: 20 + each[1]):
        changed = pl.when(pl.col("ts") == place).then(pl.col("close") + 1).otherwise("close")
        bars = bars.with_columns(changed.alias("close"))
        versions.append((bars, 20 + lag))
    table = pl.DataFrame(
        {"instrument": [each[0] for each in samples], "ts_received": [each[1] for each in samples]}
    )

    def trained(until: int, asked: pl.DataFrame) -> pl.DataFrame:
        with tempfile.TemporaryDirectory() as folder:
            store = FeatureStore(Lake(Path(folder)).dataset("features"))
            for each, known_at in versions:
                if known_at is None or known_at <= until:
                    past = each.filter(pl.col("ts") <= until)
                    store.materialise("core", features, past, known_at=known_at)
            return store.training("core", features, asked)

    whole = trained(100, table)
    for name, at in set(samples):
        one = table.filter((pl.col("instrument") == name) & (pl.col("ts_received") == at))
        then = whole.filter((pl.col("instrument") == name) & (pl.col("ts_received") == at))
        if at < 1:  # one bar is too few for either feature, and is not stored
            assert then.select(features.names).null_count().row(0) == (then.height,) * 2
            continue
        assert trained(at, one).equals(then)
