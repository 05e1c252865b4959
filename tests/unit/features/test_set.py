"""Sets of features: names, references, tables, streams."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pytest

from quantvista.errors import ConfigError, MarketDataError, StrategyError
from quantvista.features import FEATURES, FeatureSet, Operator
from quantvista.market import Panel


def bars(rows: int = 60, n: int = 3, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, (rows, n)), axis=0))
    return pl.DataFrame(
        {
            "ts": np.repeat(np.arange(rows) * 10, n),
            "instrument": [f"I{k}.X" for k in range(n)] * rows,
            "close": close.ravel(),
            "volume": rng.integers(1, 1000, rows * n).astype(float),
        }
    )


@dataclass
class Middle(Operator):
    """Median of a window, in plain Python."""

    n: int
    seen: deque[float] = field(default_factory=deque, init=False)

    @property
    def warm_up(self) -> int:
        return self.n

    @property
    def look_back(self) -> int:
        return self.n

    def update(self, x: float) -> float:
        self.seen.append(x)
        if len(self.seen) > self.n:
            self.seen.popleft()
        return float(np.median(self.seen)) if len(self.seen) == self.n else float("nan")


def test_own_operator_agrees_with_the_core_between_its_operators() -> None:
    features = FeatureSet(
        {
            "own": "rank(mean(middle(returns(close, 1), 5), 3))",
            "core": "rank(mean(median(returns(close, 1), 5), 3))",
        },
        operators=[Middle],
    )
    table = features.compute(bars())
    assert table["own"].to_list() == table["core"].to_list()
    assert features.warm_up == {"own": 8, "core": 8}
    assert features.look_back == {"own": 8, "core": 8}
    assert table["own"].null_count() == 3 * 7


def test_own_operator_that_raises_is_named_with_its_line() -> None:
    @dataclass
    class Broken(Operator):
        def update(self, x: float) -> float:
            return [x][1]

    with pytest.raises(StrategyError, match=r"'Broken' raised IndexError.*test_set.py, line \d+"):
        FeatureSet(["broken(close)"], operators=[Broken]).compute(bars())


def test_own_operator_without_a_file_works_as_in_a_notebook() -> None:
    cell = (
        "from dataclasses import dataclass\n"
        "from quantvista.features import Operator\n"
        "@dataclass\n"
        "class Twice(Operator):\n"
        "    def update(self, x: float) -> float:\n"
        "        return 2 * x\n"
    )
    names: dict[str, object] = {"__name__": "no_such_module"}
    exec(cell, names)
    own: type[Operator] = names["Twice"]  # type: ignore[assignment]
    table = FeatureSet({"a": "twice(close)", "b": "close * 2"}, operators=[own]).compute(bars())
    assert table["a"].to_list() == table["b"].to_list()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"a": "b + 1", "b": "c * 2", "c": "a"}, "a -> b -> c -> a"),
        ({"a": "a + 1"}, "a -> a"),
        ({}, "at least one"),
        ({"a": "1 + 1"}, "at least one column"),
        (["rsi(14)", "rsi(close, 14)"], "once"),
    ],
)
def test_sets_that_cannot_be_are_refused(features: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        assert FeatureSet(features).columns


def test_features_use_each_other_and_shipped_ones() -> None:
    made = FeatureSet({"a": "rsi_14 / 100", "b": "a - delay(a, 1)"})
    plain = FeatureSet(
        {"a": "rsi(close, 14) / 100", "b": "rsi(close, 14) / 100 - delay(rsi(close, 14) / 100, 1)"}
    )
    assert made.digest == plain.digest
    assert made.compute(bars()).equals(plain.compute(bars()))


def test_rows_may_come_in_any_order_and_missing_bars_leave_no_row() -> None:
    table = bars()
    gaps = table.filter(pl.col("ts") % 70 != 0)
    features = FeatureSet({"m": "mean(close, 5)", "r": "rank(close)"})
    expected = features.compute(gaps)
    assert features.compute(gaps.sample(fraction=1.0, shuffle=True, seed=4)).equals(expected)
    assert expected.height == gaps.height


def test_panel_and_table_agree() -> None:
    table = bars()
    close = table["close"].to_numpy().reshape(60, 3)
    panel = Panel(("I0.X", "I1.X", "I2.X"), ("", "", ""), np.arange(60) * 10, close)
    features = FeatureSet(["volatility"])
    assert features.compute(panel).equals(features.compute(table))


def test_data_that_cannot_be_used_are_refused() -> None:
    features = FeatureSet(["amihud(close, volume, 5)"])
    table = bars()
    for bad, message in (
        (table.drop("volume"), "'volume'"),
        (table.drop("ts"), "ts or date"),
        (pl.concat([table, table[:1]]), "twice"),
        (table.with_columns(pl.lit("x").alias("volume")), "numbers"),
    ):
        with pytest.raises(MarketDataError, match=message):
            features.compute(bad)


def test_look_back_beyond_the_data_is_refused_with_both_figures() -> None:
    features = FeatureSet({"slow": "mean(close, 61)", "slower": "mean(close, 90)"})
    message = "must have 61 bars of an instrument for 'slow' to have a value; found 60"
    with pytest.raises(MarketDataError, match=message):
        features.compute(bars())
    with pytest.raises(MarketDataError, match="found 0"):
        features.compute(bars().clear())
    assert features.compute(bars(), short=True)["slow"].null_count() == 180
    assert features.compute(bars(61))["slow"].null_count() == 180
    # One that has values is reason enough to compute the others too.
    mixed = FeatureSet({"slow": "mean(close, 61)", "fast": "mean(close, 2)"}).compute(bars())
    assert mixed["fast"].null_count() == 3


def test_stream_in_pieces_and_restored_gives_the_same_bits() -> None:
    features = FeatureSet(
        {"a": "macd", "b": "rank(middle(close, 4))", "c": "zscore(volume, 9)"}, operators=[Middle]
    )
    table = bars()
    names = ["I0.X", "I1.X", "I2.X"]
    columns = {name: table[name].to_numpy().reshape(60, 3) for name in features.columns}
    whole = features.stream(names).advance(columns)
    stream = features.stream(names)
    parts = []
    for start, end in ((0, 1), (1, 20), (20, 21), (21, 60)):
        saved = stream.snapshot()
        stream = features.stream(names)
        stream.restore(saved)
        parts.append(stream.advance({name: each[start:end] for name, each in columns.items()}))
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()
    other = FeatureSet(["rsi(close, 3)"]).stream(names)
    with pytest.raises(ConfigError, match="of others"):
        other.restore(stream.snapshot())
    with pytest.raises(ConfigError, match="other bytes"):
        stream.restore(b"{}")


def test_shipped_features_have_distinct_expressions() -> None:
    texts = FeatureSet(list(FEATURES)).expressions
    assert len(set(texts.values())) == len(texts)
    assert len(texts) >= 120
