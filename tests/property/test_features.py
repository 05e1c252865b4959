"""Every shipped feature: the same bits however bars come, no future, golden values."""

from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from golden.features.regenerate import PATH, values
from quantvista.features import FEATURES, FeatureSet
from quantvista.features.causality import Inputs, check_set
from support.feature_bars import feature_bars

pytestmark = pytest.mark.xdist_group("features")
N = 4


@cache
def all_features() -> FeatureSet:
    return FeatureSet(list(FEATURES))


def matrices(seed: int, rows: int) -> dict[str, NDArray[np.float64]]:
    table = feature_bars(seed, rows, N)
    whole = pl.DataFrame(
        {
            "ts": np.repeat(table["ts"].unique().sort().to_numpy(), N),
            "instrument": [f"I{k}.X" for k in range(N)] * table["ts"].n_unique(),
        }
    ).join(table, on=["ts", "instrument"], how="left", maintain_order="left")
    rng = np.random.default_rng(seed)
    columns = {}
    for name in all_features().columns:
        if name.startswith("time."):
            row = rng.integers(0, 12, whole["ts"].n_unique()).astype(float)
            columns[name] = np.ascontiguousarray(np.repeat(row[:, None], N, axis=1))
        else:
            flat = whole[name].fill_null(float("nan")).to_numpy()
            columns[name] = flat.reshape(-1, N)
    return columns


NAMES = [f"I{k}.X" for k in range(N)]
SECTORS = ["even", "odd", "even", "odd"]


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_pieces_and_restarts_change_no_bit(seed: int, data: st.DataObject) -> None:
    columns = matrices(seed, 330)
    rows = len(columns["close"])
    features = all_features()
    whole = features.stream(NAMES, SECTORS).advance(columns)
    cuts = sorted({0, rows, *data.draw(st.lists(st.integers(1, rows - 1), max_size=6))})
    stream = features.stream(NAMES, SECTORS)
    parts = []
    for start, end in pairwise(cuts):
        saved = stream.snapshot()
        stream = features.stream(NAMES, SECTORS)
        stream.restore(saved)
        parts.append(stream.advance({k: v[start:end] for k, v in columns.items()}))
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(N)))
def test_order_of_instruments_changes_no_bit(seed: int, order: list[int]) -> None:
    columns = matrices(seed, 300)
    features = all_features()
    whole = features.stream(NAMES, SECTORS).advance(columns)
    turned = {name: np.ascontiguousarray(each[:, order]) for name, each in columns.items()}
    names, sectors = [NAMES[k] for k in order], [SECTORS[k] for k in order]
    other = features.stream(names, sectors).advance(turned)
    assert np.ascontiguousarray(whole[:, :, order]).tobytes() == other.tobytes()


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(1, 299))
def test_the_future_changes_no_bit_of_the_past(seed: int, cut: int) -> None:
    columns = matrices(seed, 300)
    features = all_features()
    before = features.stream(NAMES, SECTORS).advance(columns)
    later = matrices(seed + 1, 300)
    mixed = {}
    for name, each in columns.items():
        mixed[name] = each.copy()
        mixed[name][cut:] = later[name][: len(each)][cut:]
    after = features.stream(NAMES, SECTORS).advance(mixed)
    assert before[:, :cut].tobytes() == after[:, :cut].tobytes()


def test_no_feature_is_infinite_and_each_has_values() -> None:
    table = all_features().compute(feature_bars(3, 900))
    for name in all_features().names:
        known = table[name].drop_nulls()
        assert known.is_finite().all(), name
        assert len(known) >= 0.5 * N * (900 - all_features().warm_up[name]), name
        if name not in ("hour_sine", "hour_cosine", "bar_gap_days"):  # one bar each day
            assert known.n_unique() > 1, name


def test_the_first_value_comes_where_the_warm_up_says() -> None:
    features = all_features()
    table = features.compute(feature_bars(4, 900, gaps=0.0)).filter(pl.col("instrument") == "I0.X")
    late = {}
    for name in features.names:
        first = int(np.argmax(table[name].is_not_null().to_numpy())) + 1
        if first != features.warm_up[name]:
            late[name] = (first, features.warm_up[name])
    # Divisions by a range of zero and the like leave out a first value, but never add one.
    assert all(first > warm for first, warm in late.values()), late
    assert len(late) <= 10, late


def test_honest_features_raise_no_alarm() -> None:
    bars = feature_bars(6, 800, 2, gaps=0.0).rename({"ts": "ts_received"}).drop("sector")
    inputs = Inputs(bars.with_columns(pl.col("ts_received").alias("ts_event")))
    found = check_set(all_features(), inputs, cut_count=1)
    assert [(each.feature, each.kind, each.before, each.after) for each in found] == []


def test_values_are_those_that_were_reviewed() -> None:
    """After a change on purpose run tests/golden/features/regenerate.py; read the difference."""
    written = pl.read_csv(PATH, infer_schema=False)
    now = values().select(pl.all().cast(pl.String))
    assert written["feature"].to_list() == now["feature"].to_list()
    for old, new in zip(written.iter_rows(), now.iter_rows(), strict=True):
        assert old[:5] == new[:5]
        for was, found in zip(old[5:], new[5:], strict=True):
            assert float(found) == pytest.approx(float(was), rel=1e-9, abs=1e-12), old[0]
