"""Bars that stand still make no honest feature a liar, and no liar honest."""

from dataclasses import dataclass, field

import polars as pl
import pytest

from quantvista.errors import ConfigError
from quantvista.features import FEATURES, FeatureSet, Operator
from quantvista.features.causality import Inputs, check_feature, check_set
from support.feature_bars import feature_bars

FLAT = ("all", "late", "one", "volume", "steps", "thin")


def bars_that_stand(how: str, days: int) -> Inputs:
    """Bars of which some prices or volumes do not move."""
    bars = feature_bars(3, days, 2, gaps=0.0).rename({"ts": "ts_received"}).drop("sector")
    numbers = [each for each in bars.columns if bars[each].dtype.is_numeric()]
    numbers = [each for each in numbers if not each.startswith("ts")]
    place = pl.int_range(pl.len()).over("instrument")
    first = {name: pl.col(name).first().over("instrument") for name in numbers}
    if how == "all":
        made = bars.with_columns(**first)
    elif how == "late":  # they move for a while, and never again
        held = {
            name: pl.col(name).gather(min(40, days // 4)).first().over("instrument")
            for name in numbers
        }
        early = place <= min(40, days // 4)
        made = bars.with_columns(
            pl.when(early).then(pl.col(name)).otherwise(held[name]).alias(name) for name in numbers
        )
    elif how == "one":
        of = pl.col("instrument") == bars["instrument"][0]
        made = bars.with_columns(
            pl.when(of).then(first[name]).otherwise(pl.col(name)).alias(name) for name in numbers
        )
    elif how == "volume":
        made = bars.with_columns(pl.lit(0.0).alias("volume"))
    elif how == "steps":  # a price that moves every hundredth bar
        made = bars.with_columns(
            pl.when(place % 100 == 7)
            .then(pl.col(name))
            .forward_fill()
            .over("instrument")
            .fill_null(pl.col(name).first().over("instrument"))
            for name in numbers
        )
    else:  # nothing is traded on most days
        made = bars.with_columns(
            pl.when(place % 50 == 7).then(pl.col("volume")).otherwise(0.0).alias("volume")
        )
    made = made.with_columns(pl.col("ts_received").alias("ts_event"))
    return Inputs(made)


@pytest.mark.parametrize("how", FLAT)
def test_honest_features_raise_no_alarm_on_bars_that_stand_still(how: str) -> None:
    inputs = bars_that_stand(how, 800)
    valued = FeatureSet(list(FEATURES)).compute(
        inputs.bars.drop("ts_event").rename({"ts_received": "ts"}), short=True
    )
    ends = valued.filter(pl.col("ts") < valued["ts"].max())
    names = [name for name in FEATURES if ends[name].count()]
    found = check_set(FeatureSet(names), inputs, cut_count=1)
    assert [(each.feature, each.kind, each.before, each.after) for each in found] == []


def test_a_feature_without_a_value_on_flat_bars_says_why() -> None:
    with pytest.raises(ConfigError, match=r"must give 'zscore\(close, 20\)' a value .* not move"):
        check_set(FeatureSet(["zscore(close, 20)"]), bars_that_stand("all", 120))


@dataclass
class Forgetful(Operator):
    """Mean of all there was, which says that it needs five bars."""

    total: float = field(default=0.0, init=False)
    count: int = field(default=0, init=False)

    @property
    def look_back(self) -> int | None:
        return 5

    def update(self, x: float) -> float:
        self.total += x
        self.count += 1
        return self.total / self.count


@pytest.mark.parametrize("how", FLAT)
def test_a_look_back_that_is_too_short_is_found_on_flat_bars(how: str) -> None:
    features = FeatureSet({"a": "forgetful(close)"}, operators=[Forgetful])
    found = check_set(features, bars_that_stand(how, 120))
    assert {each.kind for each in found} == {"warm_up"}


def test_a_warm_up_of_a_function_is_looked_at_on_flat_bars() -> None:
    def distance(bars: pl.DataFrame) -> pl.Series:
        slow = pl.col("close").ewm_mean(alpha=0.5).over("instrument")
        return bars.select(pl.col("close") - slow).to_series()

    for how in FLAT:
        inputs = bars_that_stand(how, 300)
        assert check_feature(distance, inputs, cut_count=2, warm_up=60) == []
        found = check_feature(distance, inputs, cut_count=2, warm_up=4)
        assert {each.kind for each in found} == {"warm_up"}
