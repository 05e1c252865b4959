"""Adjusted closes are those of LEAN's factor files, from raw prices and actions of the lake.

The files lie beside the checkout and are not part of it; without them the tests are skipped.

QQQ has no closes from 2004-12-01 to 2011-03-22: a dividend within its gap has no close before it,
and its factor is made with the last one before the gap, not with the one in the factor file. The
bars of the gap are therefore given as the factor file has them, for these dividends alone.
"""

import datetime as dt
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantvista.data.importing import ImportOptions, import_into
from quantvista.data.lake import Lake, Snapshot
from quantvista.market import adjusted, sessions

FILES = Path(__file__).parents[3] / "shared" / "data" / "equities_daily"
DAY = 86_400 * 10**9


def bring(symbol: str, folder: Path) -> Snapshot:
    if not FILES.is_dir():
        pytest.skip("needs equities_daily beside the checkout, which is not here")
    dataset = Lake(folder).dataset(symbol)
    options = ImportOptions(instrument=f"{symbol.upper()}.X")
    for name in (f"lean_{symbol}_1d_raw.parquet", f"lean_factor_{symbol}.csv"):
        import_into(dataset, FILES / name, options)
    return dataset.at()


def factors(symbol: str) -> pl.DataFrame:
    names = ["date", "price", "split", "reference"]
    frame = pl.read_csv(FILES / f"lean_factor_{symbol}.csv", has_header=False, new_columns=names)
    return frame.with_columns(pl.col("date").cast(pl.String).str.to_date("%Y%m%d"))


def references(symbol: str, bars: pl.DataFrame) -> pl.DataFrame:
    """Closes of the factor file on days of actions for which there is no bar."""
    missing = factors(symbol).filter(
        ~pl.col("date").is_in(bars["date"].implode()), pl.col("date") < bars["date"].max()
    )
    missing = missing.filter(pl.col("date") > bars["date"].min())
    if not missing.height:
        return bars.clear()
    days = sessions("XNYS", str(missing["date"].min()), str(missing["date"].max()))
    close = dict(zip(days.labels.astype(dt.date).tolist(), days.close_ns.tolist(), strict=True))
    made = missing.select(
        pl.lit(bars["instrument"][0]).alias("instrument"),
        pl.col("date").replace_strict(close, return_dtype=pl.Int64).alias("ts_event"),
        pl.col("date"),
        pl.col("reference").cast(pl.Float64).alias("close"),
    )
    return made.with_columns(ts_received="ts_event", known_at="ts_event")


@pytest.mark.parametrize("symbol", ["aapl", "spy", "iwm", "qqq"])
@pytest.mark.parametrize("until", ["2005-01-03", "2014-07-01", "2021-03-31"])
def test_adjusted_closes_are_those_of_the_factor_files(
    symbol: str, until: str, tmp_path: Path
) -> None:
    snapshot = bring(symbol, tmp_path)
    raw = snapshot.scan("bars").collect()
    bars = pl.concat([raw, references(symbol, raw)], how="diagonal")
    as_of = int(np.datetime64(until, "D").astype(np.int64) + 1) * DAY
    found = adjusted(bars, snapshot.scan("actions").collect(), as_of)
    found = found.join(raw.select("ts_event"), on="ts_event", how="semi")
    # The file's factors are as of its last row; those of a day make them as of that one.
    table = factors(symbol).sort("date")
    now = table.filter(pl.col("date") >= dt.date.fromisoformat(until)).row(0, named=True)
    joined = found.sort("date").join_asof(
        table, on="date", strategy="forward", check_sortedness=False
    )
    original = raw.sort("date").filter(pl.col("ts_event") <= as_of)["close"].to_numpy()
    split = np.array([round_ratio(value) for value in joined["split"].to_list()])
    factor = joined["price"].cast(pl.Float64).to_numpy() * split
    expected = original * factor / (float(now["price"]) * round_ratio(now["split"]))
    np.testing.assert_allclose(found.sort("date")["close"].to_numpy(), expected, rtol=2e-6)


def round_ratio(value: float) -> float:
    """Ratio of whole numbers that a factor of seven or eight decimals stands for."""
    return float(Fraction(str(value)).limit_denominator(1_000))
