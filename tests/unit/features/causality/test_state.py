"""Features that remember earlier calls, read files, end the program, or hide what they see."""

import importlib
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from quantvista.cli._load_own import load_named
from quantvista.errors import StrategyError
from quantvista.features import FeatureSet, Operator
from quantvista.features.causality import Finding, Inputs, check_feature, check_set
from support.feature_bars import feature_bars


def _inputs(days: int = 60) -> Inputs:
    bars = feature_bars(4, days, 2, gaps=0.0).rename({"ts": "ts_received"}).drop("sector")
    return Inputs(bars.with_columns(pl.col("ts_received").alias("ts_event")))


def _check_file(folder: Path, text: str) -> list[Finding]:
    file = folder / "mine.py"
    file.write_text(f"import polars as pl\n{text}")
    name = f"{file}:signal"
    return check_feature(load_named(name), _inputs(), cut_count=4, fresh=lambda: load_named(name))


FIRST_KEPT = """
_kept = {}

def signal(bars):
    whole = _kept.setdefault("bars", bars)
    keys = ["ts_received", "instrument"]
    tomorrow = whole.select(*keys, pl.col("close").shift(-1).over("instrument"))
    return bars.select(keys).join(tomorrow, on=keys, how="left", maintain_order="left")["close"]
"""
LONGEST_KEPT = FIRST_KEPT.replace(
    'whole = _kept.setdefault("bars", bars)',
    'whole = _kept["bars"] = max(bars, _kept.get("bars", bars), key=len)',
)


def test_data_kept_from_the_first_call_are_found(tmp_path: Path) -> None:
    found = {each.kind: each for each in _check_file(tmp_path, FIRST_KEPT)}
    assert {"values", "truncated", "repeat"} <= set(found)
    assert "_kept" in found["truncated"].code or "shift(-1)" in found["truncated"].code


def test_data_kept_between_calls_are_found_without_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"import polars as pl\n{LONGEST_KEPT}")
    found = check_feature(load_named(f"{file}:signal"), _inputs())
    assert {each.kind for each in found} == {"repeat"}
    assert found[0].file == str(file)


def test_feature_that_is_drawn_at_random_is_told_so() -> None:
    def drawn(bars: pl.DataFrame) -> object:
        return np.random.default_rng().random(bars.height)

    assert {each.kind for each in check_feature(drawn, _inputs())} == {"repeat"}


def test_operator_that_keeps_values_of_an_earlier_run_is_found() -> None:
    class Counting(Operator):
        calls = 0

        def update(self, x: float) -> float:
            Counting.calls += 1
            return x + Counting.calls

    from dataclasses import dataclass

    features = FeatureSet({"a": "counting(close)"}, operators=[dataclass(Counting)])
    assert {each.kind for each in check_set(features, _inputs())} == {"repeat"}


READS = {
    "polars": ("", "pl.read_parquet(PATH)"),
    "scan": ("", "pl.scan_parquet(PATH).collect()"),
    "bytes": ("", "open(PATH.encode()).close()"),
    "pandas": ("import pandas as pd\n", "pd.read_parquet(PATH)"),
    "pandas_csv": ("import pandas as pd\n", "pd.read_csv(PATH + '.csv')"),
    "arrow": ("import pyarrow as pa\n", "pa.memory_map(PATH).close()"),
    "arrow_csv": ("import pyarrow.csv as pc\n", "pc.read_csv(PATH + '.csv')"),
    "duckdb": ("import duckdb\n", "duckdb.read_parquet(PATH).df()"),
    "sql": ("import duckdb\n", "duckdb.sql(f\"select * from '{PATH}'\").df()"),
    "connected": ("import duckdb\n", "duckdb.connect().sql(f\"select * from '{PATH}'\").df()"),
    "open": ("import pathlib\n", "pathlib.Path(PATH).read_bytes()"),
}


@pytest.mark.parametrize("how", READS)
def test_file_that_a_feature_reads_is_found_with_its_line(how: str, tmp_path: Path) -> None:
    path = tmp_path / "future.parquet"
    _inputs().bars.write_parquet(path)
    _inputs().bars.write_csv(f"{path}.csv")
    imports, reads = READS[how]
    signal = f"def signal(bars):\n    {reads}\n    return bars['close']\n"
    (found,) = _check_file(tmp_path, f"{imports}PATH = {str(path)!r}\n\n{signal}")
    assert found.kind == "files"
    assert str(path) in found.opened
    assert found.code == reads


def test_file_that_is_read_as_the_module_is_loaded_is_found(tmp_path: Path) -> None:
    path = tmp_path / "future.parquet"
    _inputs().bars.write_parquet(path)
    text = f"KEPT = pl.read_parquet({str(path)!r})\n\ndef signal(bars):\n    return bars['close']\n"
    (found,) = _check_file(tmp_path, text)
    assert (found.kind, found.line) == ("files", 2)


@pytest.mark.parametrize("size", [1e-8, 5e-10, 1e-12])
def test_future_in_the_last_digits_is_found(size: float) -> None:
    def tiny(bars: pl.DataFrame) -> pl.Series:
        up = pl.col("close").shift(-1).over("instrument") > pl.col("close")
        return bars.select(pl.col("close") * (1 + size * up.fill_null(value=False))).to_series()

    assert check_feature(tiny, _inputs())


def test_future_in_the_sign_of_infinity_is_found() -> None:
    def infinite(bars: pl.DataFrame) -> pl.Series:
        up = pl.col("close").shift(-1).over("instrument") > pl.col("close")
        return bars.select(pl.when(up).then(np.inf).otherwise(-np.inf)).to_series()

    assert check_feature(infinite, _inputs())


def jittered(bars: pl.DataFrame) -> object:
    """Give sums as several threads might: other last digits each time."""
    noise = np.random.default_rng().normal(0.0, 1e-13, bars.height)
    return bars["close"].to_numpy() * (1 + noise)


def multiplied(bars: pl.DataFrame) -> object:
    """Go through matrix products, which round by their shape."""
    close = bars["close"].to_numpy()
    rows = np.stack([close, np.log(close), np.sqrt(close), close**2], axis=1)
    return rows @ np.array([0.1, -0.7, 0.3, 1e-3])


def local_hours(bars: pl.DataFrame) -> object:
    """Read the system's time zones, which hold no prices."""
    from datetime import datetime

    zone = ZoneInfo.no_cache("America/New_York")
    return [datetime.fromtimestamp(ts // 10**9, zone).hour for ts in bars["ts_received"]]


def through_pandas(bars: pl.DataFrame) -> object:
    frame = bars.to_pandas()
    return pl.from_pandas(frame.groupby("instrument")["close"].transform(lambda x: x.ewm(9).mean()))


def lazily_imported(bars: pl.DataFrame) -> object:
    sys.modules.pop("colorsys", None)
    import colorsys

    return bars["close"] * colorsys.rgb_to_hsv(1, 1, 1)[2]


def lazy(bars: pl.DataFrame) -> object:
    return bars.lazy().select(pl.col("close").rolling_std(5).over("instrument"))


def queried(bars: pl.DataFrame) -> object:
    """Ask a database in memory about the bars alone."""
    query = "select row_number() over () as row, close * 2 as twice from bars"
    return duckdb.connect(":memory:").sql(query).pl()["twice"]


def memo(bars: pl.DataFrame, kept: dict[int, pd.Series] = {}) -> object:  # noqa: B006 - on purpose
    """Keep what was computed, by the data that it is of."""
    key = hash(bars.hash_rows().to_numpy().tobytes())
    if key not in kept:
        kept[key] = bars["close"].rolling_mean(3).to_pandas()
    return kept[key]


@pytest.mark.parametrize(
    "feature",
    [jittered, multiplied, local_hours, through_pandas, lazily_imported, lazy, queried, memo],
    ids=lambda f: f.__name__,
)
def test_honest_feature_is_left_alone(feature: Callable[..., object]) -> None:
    assert check_feature(feature, _inputs(), cut_count=6) == []


def test_feature_that_ends_the_program_is_an_error_with_its_place() -> None:
    def ends(bars: pl.DataFrame) -> None:
        sys.exit(0)

    with pytest.raises(StrategyError, match=r"'ends' raised SystemExit: 0 .*test_state.py, line"):
        check_feature(ends, _inputs())

    def wrong_column(bars: pl.DataFrame) -> object:
        return bars["ts"]

    with pytest.raises(StrategyError, match=r"ColumnNotFoundError.*test_state.py, line"):
        check_feature(wrong_column, _inputs())


def test_archives_that_an_import_looks_into_are_no_files_of_the_feature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("zipped_factor.py", "FACTOR = 2\n")
    monkeypatch.syspath_prepend(archive)

    def zipped(bars: pl.DataFrame) -> object:
        sys.modules.pop("zipped_factor", None)
        sys.path_importer_cache.pop(str(archive), None)
        return bars["close"] * importlib.import_module("zipped_factor").FACTOR

    assert check_feature(zipped, _inputs(), cut_count=2) == []
