"""Tables that cannot be checked, and sources that have nothing in common."""

import numpy as np
import polars as pl
import pytest

from quantvista.data.quality import check_bars
from quantvista.errors import MarketDataError


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
