"""Tables that cannot be checked, and sources that have nothing in common."""

import numpy as np
import polars as pl
import pytest

from quantvista.data.quality import CheckOptions, Repaired, check_bars, repair_rows
from quantvista.errors import MarketDataError
from quantvista.market import sessions


def bars(rows: int = 60, name: str = "A.X") -> pl.DataFrame:
    rng = np.random.default_rng(2)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.01, rows)))
    return pl.DataFrame({"ts": np.arange(rows) * 10, "instrument": [name] * rows, "close": close})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (bars().drop("ts"), "a column ts or date"),
        (bars().drop("close"), "must have a close"),
        (bars().clear(), "at least one row"),
        (bars().with_columns(pl.lit("x").alias("close")), "'close' must hold numbers"),
        (bars().with_columns(pl.lit(None).alias("ts")), "a time in every row"),
        (bars().with_columns(pl.lit(0.5).alias("ts")), "found Float64"),
        (
            bars(3).with_columns(pl.Series("ts", ["2024-01-02", "2024-01-03", "n/a"])),
            "all in one form; found 'n/a' in row 3",
        ),
        (
            bars(2).with_columns(pl.Series("instrument", ["A.X", None])),
            "an instrument in every row; found a null",
        ),
    ],
)
def test_tables_that_are_none_are_refused(table: pl.DataFrame, message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        check_bars(table)


def test_sources_are_compared_where_they_meet() -> None:
    mine, theirs = bars(60), bars(40).with_columns(pl.col("close") * 3)
    assert check_bars(mine).compared is None
    report = check_bars(mine, other=theirs)
    assert report.compared == 40
    assert report.counts == {}
    both = pl.concat([mine, bars(60, "B.X")])
    assert check_bars(both, other=theirs).compared == 40
    for other in (bars(60, "C.X"), theirs[:4]):
        with pytest.raises(MarketDataError, match="none in common"):
            check_bars(both, other=other)


def whole(rows: int = 80) -> pl.DataFrame:
    """Sound bars with all columns."""
    rng = np.random.default_rng(5)
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.01, rows))), 2)
    return pl.DataFrame(
        {
            "ts": np.arange(rows) * 10,
            "instrument": ["A.X"] * rows,
            "open": np.round(close * 0.999, 2),
            "high": np.round(close * 1.01, 2),
            "low": np.round(close * 0.99, 2),
            "close": close,
            "volume": rng.integers(1_000_000, 2_000_000, rows).astype(float),
        }
    )


def with_swap(bars: pl.DataFrame, row: int, one: str, other: str) -> pl.DataFrame:
    columns = {name: bars[name].to_list() for name in (one, other)}
    columns[one][row], columns[other][row] = columns[other][row], columns[one][row]
    return bars.with_columns(pl.Series(name, values) for name, values in columns.items())


def mended(bars: pl.DataFrame, *checks: str) -> Repaired:
    report = check_bars(bars, CheckOptions(policies=dict.fromkeys(checks, "repair")))
    return repair_rows(bars, report)


@pytest.mark.parametrize("other", ["open", "high", "low", "close"])
def test_a_price_and_the_volume_are_put_back_and_the_bar_stays(other: str) -> None:
    sound = whole()
    done = mended(with_swap(sound, 40, other, "volume"), "swapped")
    assert done.rows.equals(sound)
    assert done.quarantined.is_empty()
    assert sorted(done.changes["column"]) == sorted([other, "volume"])


def test_high_and_low_are_put_back() -> None:
    sound = whole()
    done = mended(with_swap(sound, 40, "high", "low"), "swapped")
    assert done.rows.equals(sound)


def test_what_is_mended_for_one_check_is_judged_again_by_the_others() -> None:
    """Two faults in one bar: high and low changed places, and the open lies above both."""
    sound = whole()
    wrong = with_swap(sound, 40, "high", "low")
    scaled = wrong.with_columns(
        pl.when(pl.col("ts") == 400).then(pl.col(name) * 100).otherwise(name).alias(name)
        for name in ("open", "high", "low", "close")
    )
    done = mended(scaled, "magnitude", "swapped")
    assert done.quarantined.is_empty()
    prices = sound.select("open", "high", "low", "close")
    assert np.allclose(done.rows.select(prices.columns).to_numpy(), prices.to_numpy(), rtol=1e-12)


def test_a_bar_that_cannot_be_mended_is_set_aside_with_that_word() -> None:
    """Low above high, and neither holds open and close when they change places."""
    wrong = whole().with_columns(
        pl.when(pl.col("ts") == 400).then(pl.col("high") * 1.05).otherwise("low").alias("low")
    )
    done = mended(wrong, "ohlc_order")
    assert done.rows.height == wrong.height - 1
    assert done.quarantined["check"].to_list() == ["ohlc_order"]
    assert "could not be mended" in done.quarantined["text"][0]


def test_units_are_divided_back_to_the_decimals_that_were() -> None:
    sound = whole()
    wrong = sound.with_columns(
        pl.when(pl.col("ts").is_between(300, 340))
        .then((pl.col(name) * 100).round())
        .otherwise(name)
        .alias(name)
        for name in ("open", "high", "low", "close")
    )
    assert mended(wrong, "magnitude").rows.equals(sound)


def test_missing_sessions_are_counted_beside_the_share_of_rows() -> None:
    days = sessions("XNYS", "2024-01-02", "2024-03-28").labels.astype("datetime64[D]")
    rows = whole(len(days)).with_columns(pl.Series("date", days)).drop("ts")
    left = rows.filter(~pl.int_range(pl.len()).is_in([20, 30])).with_columns(
        pl.when(pl.int_range(pl.len()) == 5).then(-1.0).otherwise("volume").alias("volume")
    )
    report = check_bars(left, CheckOptions(calendar="XNYS"))
    assert report.missing == 2
    assert report.score == pytest.approx(100 * (left.height - 1) / left.height)
    assert report.scorecard()["missing"] == 2


def test_columns_of_the_data_by_our_names_are_kept_apart() -> None:
    names = ["row", "check", "text", "text_data"]
    wrong = (
        whole()
        .with_columns(*(pl.lit(7).alias(name) for name in names))
        .with_columns(pl.when(pl.col("ts") == 400).then(-1.0).otherwise("low").alias("low"))
    )
    done = repair_rows(wrong, check_bars(wrong))
    assert done.rows.columns == wrong.columns
    (row,) = done.quarantined.to_dicts()
    assert (row["row"], row["check"], row["text"]) == (40, "price_sign", "not positive")
    assert [row[name] for name in ("row_data", "check_data", "text_data", "text_data_")] == [7] * 4


@pytest.mark.parametrize("volume", [None, float("nan")])
def test_bars_without_any_volume_are_checked_in_silence(volume: float | None) -> None:
    empty = whole().with_columns(pl.lit(volume, dtype=pl.Float64).alias("volume"))
    assert check_bars(empty).counts == {}  # a warning of NumPy would be an error here
