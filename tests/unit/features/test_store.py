"""The store: what was trained on is what is served, and nothing is known before its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantvista.data.lake import Lake, encrypt_lake
from quantvista.errors import ConfigError, MarketDataError
from quantvista.features import FeatureSet, FeatureStore, InProcess, Operator
from quantvista.keyring import KEY_RING_VARIABLE, make_ring
from support.feature_bars import DAY_NS, feature_bars

FEATURES = FeatureSet({"rsi": "rsi(close, 5)", "trend": "ema(close, 3) / close - 1"})
OTHER = FeatureSet({"rsi": "rsi(close, 6)", "trend": "ema(close, 3) / close - 1"})
NAMES = ("I0.X", "I1.X", "I2.X")


def bars(rows: int = 60) -> pl.DataFrame:
    return feature_bars(9, 60, len(NAMES), gaps=0.0).filter(pl.col("ts") < rows * DAY_NS)


def store(folder: Path) -> FeatureStore:
    return FeatureStore(Lake(folder / "lake").dataset("features"))


def row(
    table: pl.DataFrame, day: int
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    now = table.filter(pl.col("ts") == day * DAY_NS)
    return {"close": now["close"].to_numpy()}


def test_history_is_what_was_computed(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.materialise("core", FEATURES, bars())
    found = kept.history("core", FEATURES)
    assert found.drop("known_at").equals(FEATURES.compute(bars()))
    assert (found["known_at"] == found["ts"]).all()
    window = kept.history(
        "core", FEATURES, start=10 * DAY_NS, end=20 * DAY_NS, instruments=["I1.X"]
    )
    assert window["instrument"].unique().to_list() == ["I1.X"]
    assert window["ts"].min() == 10 * DAY_NS


def test_an_encrypted_store_keeps_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_ring(tmp_path / "lake.keys")
    monkeypatch.setenv(KEY_RING_VARIABLE, str(tmp_path / "lake.keys"))
    clear, hidden = store(tmp_path / "clear"), store(tmp_path / "hidden")
    encrypt_lake(Lake(tmp_path / "hidden" / "lake"))
    for kept in (clear, hidden):
        kept.materialise("core", FEATURES, bars())
    assert hidden.history("core", FEATURES).equals(clear.history("core", FEATURES))
    assert hidden.versions() == clear.versions()
    for path in (tmp_path / "hidden").rglob("*"):
        content = path.name.encode() + (path.read_bytes() if path.is_file() else b"")
        assert not [word for word in (b"core", b"rsi", b"trend", b"I1.X") if word in content]


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.materialise("core", FEATURES, bars())
    before = kept.history("core", FEATURES)
    kept.materialise("core", FEATURES, bars())
    assert kept.history("core", FEATURES).equals(before)
    assert [each.rows for each in kept.versions()] == [before.height]


def test_a_restart_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    whole = store(tmp_path / "whole")
    whole.materialise("core", FEATURES, bars())
    store(tmp_path / "halves").materialise("core", FEATURES, bars(25))
    again = store(tmp_path / "halves")  # another process would see no more than the disk
    again.materialise("core", FEATURES, bars())
    assert again.history("core", FEATURES).equals(whole.history("core", FEATURES))


def test_online_equals_offline_bit_for_bit_over_a_restart(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.materialise("core", FEATURES, bars())
    offline = kept.history("core", FEATURES)
    live = store(tmp_path)
    stream = FEATURES.stream(NAMES)
    for day in range(60):
        if day == 31:
            saved = stream.snapshot()
            stream = FEATURES.stream(NAMES)
            stream.restore(saved)
        live.push("core", FEATURES, day * DAY_NS, NAMES, stream.update(row(bars(), day)))
        served = live.serve("core", FEATURES, NAMES, at=day * DAY_NS, tolerance_ns=0)
        then = offline.filter(pl.col("ts") == day * DAY_NS).select("rsi", "trend")
        expected = then.cast(pl.Float64).fill_null(np.nan).to_numpy().T
        assert np.ascontiguousarray(expected).tobytes() == served.tobytes()


def test_materialised_values_are_served_until_they_are_too_old(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.materialise("core", FEATURES, bars())
    last = kept.history("core", FEATURES).filter(pl.col("ts") == 59 * DAY_NS)

    def served(at: int, instruments: Sequence[str] = NAMES) -> list[float]:
        values = kept.serve("core", FEATURES, instruments, at=at, tolerance_ns=DAY_NS)
        return [float(each) for each in values[0]]

    assert served(60 * DAY_NS) == last["rsi"].to_list()
    assert np.isnan(served(60 * DAY_NS + 1)).all()
    assert np.isnan(served(58 * DAY_NS)).all()  # later than now: not known yet
    assert np.isnan(served(60 * DAY_NS, ["NEW.X"])).all()


def test_older_values_do_not_replace_newer_ones() -> None:
    online = InProcess()
    online.put("t", 20, ["A.X"], np.array([[2.0]]))
    online.put("t", 10, ["A.X"], np.array([[1.0]]))
    assert online.get("t", ["A.X", "B.X"]) == [(20, np.array([2.0])), None]


def test_other_features_of_the_name_are_refused_with_the_remedy(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.materialise("core", FEATURES, bars())
    samples = pl.DataFrame({"ts_received": [30 * DAY_NS], "instrument": ["I0.X"]})
    values = np.zeros((2, 3))
    for ask in (
        lambda: kept.history("core", OTHER),
        lambda: kept.training("core", OTHER, samples),
        lambda: kept.serve("core", OTHER, NAMES, at=0, tolerance_ns=1),
        lambda: kept.push("core", OTHER, 0, NAMES, values),
    ):
        with pytest.raises(ConfigError, match=r"'rsi' = 'rsi\(close, 6\)'.* materialise them"):
            ask()
    fewer = FeatureSet({"rsi": "rsi(close, 5)"})
    with pytest.raises(ConfigError, match="found no trend"):
        kept.history("core", fewer)
    with pytest.raises(ConfigError, match=r"found no 'cole' \(only core\)"):
        kept.history("cole", FEATURES)
    kept.materialise("core", OTHER, bars())
    assert kept.history("core", OTHER).height == kept.history("core", FEATURES).height
    assert [each.digest for each in kept.versions("core")] == [OTHER.digest, FEATURES.digest]


def test_what_was_never_stored_can_be_pushed_and_served(tmp_path: Path) -> None:
    kept = store(tmp_path)
    with pytest.raises(ConfigError, match="only nothing"):
        kept.serve("live", FEATURES, NAMES, at=0, tolerance_ns=1)
    kept.push("live", FEATURES, 5, NAMES, np.ones((2, 3)))
    assert (kept.serve("live", FEATURES, NAMES, at=6, tolerance_ns=1) == 1.0).all()


def test_revised_bars_are_another_vintage(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.materialise("core", FEATURES, bars())
    revised = bars().with_columns(
        pl.when(pl.col("ts") == 40 * DAY_NS)
        .then(pl.col("close") * 1.1)
        .otherwise("close")
        .alias("close")
    )
    with pytest.raises(MarketDataError, match="known_at"):
        kept.materialise("core", FEATURES, revised)
    kept.materialise("core", FEATURES, revised, known_at=59 * DAY_NS + 1)
    then = kept.history("core", FEATURES, as_of=58 * DAY_NS)
    first = FEATURES.compute(bars()).filter(pl.col("ts") <= 58 * DAY_NS)
    assert then.drop("known_at").equals(first)


@pytest.mark.parametrize("name", ["", "Core", "a-b", "x" * 41, "../up"])
def test_names_that_are_none_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="`name` of stored features"):
        store(tmp_path).materialise(name, FEATURES, bars())


def test_bars_without_nanoseconds_and_values_of_another_shape_are_refused(tmp_path: Path) -> None:
    kept = store(tmp_path)
    dated = bars().with_columns(pl.from_epoch("ts", time_unit="ns"))
    with pytest.raises(MarketDataError, match="whole UTC nanoseconds"):
        kept.materialise("core", FEATURES, dated)
    with pytest.raises(MarketDataError, match=r"shape \(2, 3\); found \(3, 2\)"):
        kept.push("core", FEATURES, 0, NAMES, np.zeros((3, 2)))


def test_operators_of_ones_own_that_were_changed_are_refused(tmp_path: Path) -> None:
    @dataclass
    class Twice(Operator):
        def update(self, x: float) -> float:
            return 2 * x

    before = FeatureSet({"a": "twice(close)"}, operators=[Twice])

    @dataclass
    class Twice(Operator):  # type: ignore[no-redef]
        def update(self, x: float) -> float:
            return 3 * x

    after = FeatureSet({"a": "twice(close)"}, operators=[Twice])
    kept = store(tmp_path)
    kept.materialise("core", before, bars())
    assert kept.history("core", before).height == bars().height
    samples = pl.DataFrame({"ts_received": [30 * DAY_NS], "instrument": ["I0.X"]})
    for ask in (
        lambda: kept.history("core", after),
        lambda: kept.training("core", after, samples),
        lambda: kept.serve("core", after, NAMES, at=0, tolerance_ns=1),
        lambda: kept.push("core", after, 0, NAMES, np.zeros((1, 3))),
    ):
        with pytest.raises(ConfigError, match=r"operator 'twice' with other code .* again"):
            ask()
