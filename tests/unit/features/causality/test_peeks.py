"""Planted peeks are found, and honest features are left alone."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pytest

from quantvista.errors import ConfigError
from quantvista.features import FeatureSet, join
from quantvista.features.causality import Inputs, check_feature, check_set
from support.feature_bars import feature_bars

DAY = 86_400_000_000_000


def _inputs(seed: int = 7, days: int = 120, n: int = 4) -> Inputs:
    """Generated bars, quarterly fundamentals with revisions, and a universe with a delisting."""
    rng = np.random.default_rng(seed)
    names = [f"I{k}.X" for k in range(n)]
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (days, n)), axis=0))
    rows = list(product(range(days), range(n)))
    bars = pl.DataFrame(
        {
            "ts_event": [d * DAY for d, _ in rows],
            "ts_received": [d * DAY + 60_000_000_000 for d, _ in rows],
            "instrument": [names[k] for _, k in rows],
            "close": [float(close[d, k]) for d, k in rows],
            "volume": [float(v) for v in rng.integers(1000, 9000, len(rows))],
        }
    )
    published = []
    for quarter, name in product(range(4), names):
        event, known = quarter * 30 * DAY, quarter * 30 * DAY + 12 * DAY
        value = float(rng.uniform(1, 2))
        published.append((event, known, name, value))
        if quarter % 2 == 0:
            published.append((event, known + 40 * DAY, name, value * 1.3))
    fundamentals = pl.DataFrame(
        published, schema=["ts_event", "known_at", "instrument", "earnings"], orient="row"
    )
    universe = pl.DataFrame(
        {
            "instrument": [*names, names[0]],
            "start": [0] * (n + 1),
            "end": [None] * n + [80 * DAY],
            "known_at": [0] * n + [80 * DAY],
        },
        schema_overrides={"end": pl.Int64},
    )
    return Inputs(bars, {"fundamentals": fundamentals}, universe)


def by_instrument(expression: pl.Expr) -> pl.Expr:
    return expression.over("instrument")


def shift_back(bars: pl.DataFrame) -> pl.Series:
    close = pl.col("close")
    tomorrow = bars.select(close.shift(-1).over("instrument")).to_series()
    return tomorrow / bars["close"] - 1


def full_sample_scaling(bars: pl.DataFrame) -> pl.Series:
    returns = bars.select(by_instrument(pl.col("close").pct_change())).to_series()
    mean = returns.mean()
    return (returns - mean) / returns.std()


def centred_window(bars: pl.DataFrame) -> pl.Series:
    smooth = bars.select(by_instrument(pl.col("close").rolling_mean(5, center=True))).to_series()
    return smooth / bars["close"]


def pandas_shift(bars: pd.DataFrame) -> object:
    groups = bars.groupby("instrument")["close"]
    return groups.shift(-1) / bars["close"]


def restated(bars: pl.DataFrame, fundamentals: pl.DataFrame) -> pl.DataFrame:
    newest = fundamentals.sort("known_at").group_by("instrument", "ts_event").last()
    newest = newest.sort("ts_event")
    newest = newest.with_columns((pl.col("ts_event") + 12 * DAY).alias("at"))
    joined = bars.sort("ts_received").join_asof(
        newest.sort("at"),
        left_on="ts_received",
        right_on="at",
        by="instrument",
        check_sortedness=False,
    )
    return joined.select("ts_received", "instrument", "earnings")


def joined_on_event(bars: pl.DataFrame, fundamentals: pl.DataFrame) -> pl.DataFrame:
    first = fundamentals.sort("known_at").group_by("instrument", "ts_event").first()
    joined = bars.sort("ts_event").join_asof(
        first.sort("ts_event"), on="ts_event", by="instrument", check_sortedness=False
    )
    return joined.select("ts_received", "instrument", "earnings")


def survivors(bars: pl.DataFrame, universe: pl.DataFrame) -> pl.DataFrame:
    gone = universe.filter(pl.col("end").is_not_null())["instrument"]
    alive = bars.filter(~pl.col("instrument").is_in(gone.implode()))
    return alive.select("ts_received", "instrument", pl.col("close").alias("value"))


PEEKS = {
    shift_back: ("values", ".shift(-1)"),
    full_sample_scaling: ("values", ".mean()"),
    centred_window: ("values", "center=True"),
    pandas_shift: ("values", "shift(-1)"),
    restated: ("revisions", ""),
    joined_on_event: ("values", ""),
    survivors: ("universe", ""),
}


def momentum(bars: pl.DataFrame) -> pl.Series:
    past = by_instrument(pl.col("close").shift(5))
    return bars.select(pl.col("close") / past - 1).to_series()


def expanding_scale(bars: pl.DataFrame) -> pl.Series:
    total = by_instrument(pl.col("close").cum_sum())
    count = by_instrument(pl.col("close").cum_count())
    return bars.select(pl.col("close") / (total / count)).to_series()


def pandas_mean(bars: pd.DataFrame) -> object:
    return bars.groupby("instrument")["close"].transform(lambda x: x.rolling(7).mean())


def known_earnings(bars: pl.DataFrame, fundamentals: pl.DataFrame) -> pl.DataFrame:
    return join(bars, fundamentals).select("ts_received", "instrument", "earnings")


def members(bars: pl.DataFrame, universe: pl.DataFrame) -> pl.DataFrame:
    """Who is a member now, by the rows that were known by then."""
    rows = []
    for ts, name, close in bars.select("ts_received", "instrument", "close").iter_rows():
        known = universe.filter((pl.col("instrument") == name) & (pl.col("known_at") <= ts))
        last = known.sort("known_at").row(-1, named=True) if known.height else None
        if last and last["start"] <= ts and (last["end"] is None or ts < last["end"]):
            rows.append((ts, name, close))
    return pl.DataFrame(rows, schema=["ts_received", "instrument", "value"], orient="row")


HONEST = (momentum, expanding_scale, pandas_mean, known_earnings, members)


@pytest.mark.parametrize("peek", PEEKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("seed", range(2))
def test_planted_peek_is_found_with_its_place(peek: Callable[..., object], seed: int) -> None:
    kind, code = PEEKS[peek]
    findings = check_feature(peek, _inputs(seed), seed=seed)
    kinds = {each.kind for each in findings}
    assert kind in kinds
    for each in findings:
        assert each.ts <= each.cut
        assert each.file.endswith("test_peeks.py")
        assert each.instrument.endswith(".X")
    assert code in next(each for each in findings if each.kind == kind).code


@pytest.mark.parametrize("feature", HONEST, ids=lambda f: f.__name__)
@pytest.mark.parametrize("seed", range(2))
def test_honest_feature_is_left_alone(feature: Callable[..., object], seed: int) -> None:
    assert check_feature(feature, _inputs(seed, days=60), seed=seed, cut_count=4) == []


def test_warm_up_that_is_too_short_is_found() -> None:
    findings = check_feature(momentum, _inputs(), warm_up=3)
    assert {each.kind for each in findings} == {"warm_up"}
    assert check_feature(momentum, _inputs(), warm_up=6) == []


def test_bars_that_are_too_few_to_see_anything_are_refused() -> None:
    """A feature without a value changes with no future, which proves nothing."""
    few = _generated(40)
    inputs = Inputs(few)
    with pytest.raises(ConfigError, match=r"at least 51 bars .* 'mean\(close, 50\)'; found 40"):
        check_set(FeatureSet(["mean(close, 50)"]), inputs)
    with pytest.raises(ConfigError, match=r"at least 41 bars"):
        check_set(FeatureSet(["mean(close, 40)"]), inputs)
    assert check_set(FeatureSet(["mean(close, 39)"]), inputs) == []
    one = Inputs(few.filter(pl.col("ts_received") == 0))
    with pytest.raises(ConfigError, match="at least 2 times"):
        check_set(FeatureSet(["close"]), one)


def test_cuts_lie_where_a_slow_feature_has_values() -> None:
    """A peek of a feature with a long warm-up is seen by a single cut, wherever it falls."""
    bars = _generated(60)

    def slow(bars: pl.DataFrame) -> pl.Series:
        return bars["close"].rolling_mean(50).shift(-1)

    for seed in range(10):
        found = check_feature(slow, Inputs(bars), cut_count=1, seed=seed)
        assert {each.kind for each in found} >= {"values"}


def test_function_without_a_file_is_checked_all_the_same() -> None:
    names: dict[str, object] = {}
    exec("def peek(bars):\n    return bars['close'].shift(-1)\n", names)
    peek: Callable[..., object] = names["peek"]  # type: ignore[assignment]
    found = check_feature(peek, Inputs(_generated(40)), warm_up=3)
    assert found
    assert {each.file for each in found} == {""}


def _generated(days: int) -> pl.DataFrame:
    bars = feature_bars(4, days, 1, gaps=0.0).rename({"ts": "ts_received"}).drop("sector")
    return bars.with_columns(pl.col("ts_received").alias("ts_event"))
