"""Sets of features: names, references, tables, streams."""

import json
import sys
from collections import deque
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantvista.cli._load_own import own_operators
from quantvista.errors import ConfigError, MarketDataError, QuantVistaError, StrategyError
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
        ({"ts": "close"}, "names other than .*'ts'"),
        ({"instrument": "close"}, "names other than .*'instrument'"),
        ({"": "close"}, "names other than"),
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


def _chain(length: int, expression: str) -> dict[str, str]:
    later = {f"f{k}": expression.replace("x", f"f{k - 1}") for k in range(length - 1, 0, -1)}
    return {**later, "f0": "close"}


def test_long_chains_are_computed_or_refused_at_once() -> None:
    made = FeatureSet(_chain(200, "x + 1"))
    assert made.warm_up["f199"] == 1
    assert made.compute(bars())["f199"].to_list() == pytest.approx(
        (bars()["close"] + 199).to_list(), rel=1e-12
    )
    with pytest.raises(ConfigError, match=r"at most 200 operators deep.* found 201 in 'f201'"):
        FeatureSet(_chain(3000, "x + 1"))
    with pytest.raises(ConfigError, match=r"f0 -> f1 .* -> f0"):
        FeatureSet({f"f{k}": f"f{(k + 1) % 3000}" for k in range(3000)})


def test_expressions_that_double_are_walked_once_or_refused() -> None:
    made = FeatureSet(_chain(14, "x * x + 1"))
    assert len(made._plan.stages) == 1
    assert made.columns == ("close",)
    with pytest.raises(ConfigError, match=r"at most 100,000 operators, .* found 131,069 in 'f15'"):
        FeatureSet(_chain(1000, "x * x + 1"))


def test_features_may_be_called_like_an_operator_or_a_column() -> None:
    made = FeatureSet({"mean": "mean(close, 3)", "x": "mean + 1", "time": "time.day"})
    assert made.expressions["x"] == "mean(close, 3) + 1"
    assert made.expressions["time"] == "time.day"


def test_a_feature_is_not_called_like_the_times_of_the_data() -> None:
    dated = bars().rename({"ts": "date"})
    with pytest.raises(ConfigError, match="column of times; found 'date'"):
        FeatureSet({"date": "close"}).compute(dated)
    assert FeatureSet({"date": "close + 1"}).compute(bars()).columns[-1] == "date"


def test_a_table_without_rows_gives_one() -> None:
    table = FeatureSet({"a": "close + 1"}).compute(bars().clear(), short=True)
    assert table.schema == {"ts": pl.Int64, "instrument": pl.String, "a": pl.Float64}
    with pytest.raises(ConfigError, match="must name at least one; found none"):
        FeatureSet({"a": "close + 1"}).stream([])


TIMES = """
from dataclasses import dataclass
from quantvista.features import Operator

FACTOR = 2

def scaled(x):
    return FACTOR * x

@dataclass
class Times(Operator):
    extra = 0
    def update(self, x: float) -> float:
        return scaled(x) + self.extra
"""


def _times(text: str) -> FeatureSet:
    names: dict[str, object] = {"__name__": "no_such_module"}
    exec(text, names)
    own: type[Operator] = names["Times"]  # type: ignore[assignment]
    return FeatureSet({"a": "times(close)"}, operators=[own])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FACTOR = 2", "FACTOR = 3"),
        ("return FACTOR * x", "return FACTOR * x * x"),
        ("extra = 0", "extra = 1"),
        ("+ self.extra", "- self.extra"),
    ],
)
def test_own_operator_that_was_changed_is_another(before: str, after: str) -> None:
    features, other = _times(TIMES), _times(TIMES.replace(before, after))
    assert _times(TIMES).digest == features.digest
    assert other.digest != features.digest
    saved = features.stream(["A.X"]).snapshot()
    _times(TIMES).stream(["A.X"]).restore(saved)
    with pytest.raises(ConfigError, match="of others"):
        other.stream(["A.X"]).restore(saved)


def test_own_operator_in_a_file_is_the_same_whatever_its_comments_say(tmp_path: Path) -> None:
    digests = []
    said = TIMES.replace("    def update", '    """Said."""  # more\n\n    def update')
    for number, text in enumerate((TIMES, said, TIMES.replace("self.extra", "self.extra * 2"))):
        file = tmp_path / f"times_{number}.py"
        file.write_text(text)
        made = FeatureSet({"a": "times(close)"}, operators=own_operators([f"{file}:Times"]))
        digests.append(made.digest)
    assert digests[0] == digests[1] != digests[2]


def test_own_operator_that_ends_the_program_is_an_error() -> None:
    @dataclass
    class Ends(Operator):
        def update(self, x: float) -> float:
            sys.exit(0)

    with pytest.raises(StrategyError, match=r"'Ends' raised SystemExit: 0 .*test_set.py, line"):
        FeatureSet(["ends(close)"], operators=[Ends]).compute(bars())


def test_damaged_snapshots_are_refused_and_change_nothing() -> None:
    features = FeatureSet({"a": "mean(middle(mean(close, 2), 3), 2)"}, operators=[Middle])
    close = bars()["close"].to_numpy().reshape(60, 3)
    stream = features.stream(["A.X", "B.X", "C.X"])
    stream.advance({"close": close[:30]})
    kept = stream.snapshot()
    later = features.stream(stream.instruments)
    later.advance({"close": close[:40]})
    saved = json.loads(later.snapshot())
    for place, state in product(range(3), ("zz", "00", 7, None, [], [1, 2, 3])):
        states = list(saved["states"])
        states[place] = state
        with pytest.raises(QuantVistaError):
            stream.restore(json.dumps({**saved, "states": states}).encode())
        assert stream.snapshot() == kept
    for rows in (-5, 1.5, "3", True):
        with pytest.raises(ConfigError, match="other bytes"):
            stream.restore(json.dumps({**saved, "rows": rows}).encode())
    with pytest.raises(ConfigError, match="other bytes"):
        stream.restore(json.dumps({**saved, "states": 3}).encode())
    assert stream.snapshot() == kept


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
