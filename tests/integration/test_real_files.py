"""Files as vendors write them load, or are refused with row and rule.

The files lie beside the checkout and are not part of it; without them these tests are skipped.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import quantvista as qv
from quantvista.data import DataSpec, MarketData, load
from quantvista.errors import MarketDataError

FILES = Path(__file__).parents[3] / "shared" / "data"
PRICES = ("open", "high", "low", "close")
SYMBOLS = {"instrument": "symbol"}

type Reader = Callable[..., MarketData]


def _frame(name: str) -> pl.DataFrame:
    path = FILES / name
    if not path.is_file():
        pytest.skip(f"needs the file {name} beside the checkout, which is not here")
    return pl.read_parquet(path)


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Write a frame under a name, whose ending is the format, and load it."""

    def inner(
        frame: pl.DataFrame, name: str, calendar: str = "XNYS", **options: object
    ) -> MarketData:
        if name.endswith(".csv"):
            frame.write_csv(tmp_path / name)
        else:
            frame.write_parquet(tmp_path / name)
        spec = DataSpec(name, **options)  # type: ignore[arg-type]
        return load(spec, base=tmp_path, calendar=calendar)

    return inner


def test_stocks_of_yahoo_load_at_six_decimals(read: Reader) -> None:
    frame = _frame("equities_daily/stocknet_dev.parquet")
    options = {"columns": SYMBOLS, "venue": "XNYS", "tick_size": Decimal("0.000001")}
    data = read(frame, "p.parquet", **options)
    assert data.close.shape == (1258, 62)
    assert str(np.datetime64(int(data.ts[0]), "ns"))[:10] == "2012-09-04"
    assert data.assumptions == (
        "Columns of the data that are not used: adj_close, sector.",
        "AGFS.XNYS moved -48.9 % at 2016-11-09: a split or an error? Nothing was adjusted.",
    )
    sectors = read(frame, "p.parquet", **{**options, "columns": {**SYMBOLS, "sector": "sector"}})
    assert "" not in sectors.sectors
    empty = frame.filter(pl.col("close").is_null())  # one row: a missing bar
    assert empty["symbol"].to_list() == ["PTR"]
    day = int((data.ts < int(np.datetime64(empty["date"][0], "ns").astype(np.int64))).sum())
    assert np.isnan(data.close[day, data.ids.index("PTR.XNYS")])
    assert read(frame, "p.csv", **options).fingerprint == data.fingerprint


def test_stocks_of_yahoo_are_finer_than_a_cent(read: Reader) -> None:
    frame = _frame("equities_daily/stocknet_dev.parquet")
    message = r"p.csv: `close` must have at most 2 decimals.* found 96.424286 in row 2, column"
    with pytest.raises(MarketDataError, match=message):
        read(frame, "p.csv", columns=SYMBOLS, venue="XNYS")
    data = read(frame, "p.csv", columns=SYMBOLS, venue="XNYS", round_prices=True)
    assert "Prices are rounded to 2 decimals." in data.assumptions


GOOD_BAR = (
    (pl.col("low") > 0)
    & (pl.min_horizontal("open", "close") >= pl.col("low"))
    & (pl.max_horizontal("open", "close") <= pl.col("high"))
)


@pytest.mark.parametrize(
    ("dirty", "message"),
    [
        (pl.col("open") == 0, "`open` must be positive; found 0.0 in row 501, column 'open'"),
        (
            (pl.col("open") > 0) & pl.col("high").is_between(0.01, pl.col("low") - 0.01),
            "`low` must not be above `high`; found .* in row 501, column 'low'",
        ),
    ],
)
def test_dirty_row_of_google_is_refused(read: Reader, dirty: pl.Expr, message: str) -> None:
    frame = _frame("equities_daily/us_google_finance_dev.parquet")
    clean = frame.filter(GOOD_BAR & (pl.col("symbol") == "A")).head(500)
    options = {"columns": SYMBOLS, "venue": "XNYS", "round_prices": True}
    assert np.isfinite(read(clean, "p.parquet", **options).close).sum() == 500
    row = frame.filter(dirty & (pl.col("symbol") != "A")).head(1)
    with pytest.raises(MarketDataError, match=f"^p.parquet: {message}"):
        read(pl.concat([clean, row]), "p.parquet", **options)


def test_closes_of_google_on_a_holiday_are_refused(read: Reader) -> None:
    frame = _frame("equities_daily/us_google_finance_dev.parquet")
    closes = frame.select("date", "symbol", "close").filter(pl.col("date").dt.year() == 2008)
    message = r"`date` must be a session of the calendar XNYS; found 2008-11-27 in row \d+$"
    with pytest.raises(MarketDataError, match=message):
        read(closes, "p.parquet", columns=SYMBOLS, venue="XNYS", round_prices=True)


def test_dirty_file_of_google_is_refused_as_a_whole(read: Reader) -> None:
    frame = _frame("equities_daily/us_google_finance_dev.parquet")
    with pytest.raises(MarketDataError, match=r"`open` must be positive; found 0.0 in row 752801"):
        read(frame, "p.parquet", columns=SYMBOLS, venue="XNYS", round_prices=True)


def test_raw_prices_of_spy_load_exactly(read: Reader) -> None:
    raw = _frame("equities_daily/lean_spy_1d_raw.parquet")
    frame = raw.select(
        "date",
        *(pl.Series(name, raw[f"{name}_e4"].to_numpy() / 10_000) for name in PRICES),
        "volume",
    )
    data = read(frame, "SPY.ARCX.csv", tick_size=Decimal("0.0001"))
    assert data.ids == ("SPY.ARCX",)
    there = ~np.isnan(data.close[:, 0])
    assert np.rint(data.close[there, 0] * 10_000).tolist() == raw["close_e4"].to_list()
    assert read(frame, "SPY.ARCX.parquet", tick_size=Decimal("0.0001")).ids == data.ids
    with pytest.raises(MarketDataError, match="must have at most 2 decimals"):
        read(frame, "SPY.ARCX.csv")


def test_bars_of_bitcoin_load_on_every_day(read: Reader) -> None:
    daily = _frame("crypto/coinbase_btcusd_1d.parquet").rename({"volume_btc": "volume"})
    data = read(daily, "BTC-USD.COINBASE.csv", "24/7")
    assert (data.close.shape, data.daily) == ((1782, 1), True)
    assert "12 of 1782 bars have no price of any instrument." in data.assumptions
    hourly = _frame("crypto/coinbase_btcusd_1h.parquet").rename({"volume_btc": "volume"})
    data = read(hourly, "BTC-USD.COINBASE.parquet", "24/7")
    assert (data.close.shape, data.daily) == ((20_111, 1), False)
    text = hourly.with_columns(pl.col("ts").dt.strftime("%Y-%m-%d %H:%M:%S%:z"))
    assert read(text, "BTC-USD.COINBASE.csv", "24/7").fingerprint == data.fingerprint


def test_microseconds_of_bitcoin_are_refused(read: Reader) -> None:
    hourly = _frame("crypto/coinbase_btcusd_1h.parquet").with_columns(pl.col("ts").to_physical())
    with pytest.raises(MarketDataError, match=r"looks like microseconds.*'1498906800000000' in ro"):
        read(hourly, "BTC-USD.COINBASE.csv", "24/7")


def _euro() -> pl.DataFrame:
    """Hourly bars by their close."""
    stamped = pl.col("time").dt.replace_time_zone("UTC").dt.offset_by("1h")
    return _frame("fx/eurusd_1h_ask_2017.parquet").with_columns(time=stamped)


def test_times_of_euro_need_a_zone(read: Reader) -> None:
    naive = _frame("fx/eurusd_1h_ask_2017.parquet")
    with pytest.raises(MarketDataError, match="'time' must have a time zone; found naive"):
        read(naive, "EURUSD.FX.parquet", "24/7", columns={"ts": "time"})


@pytest.mark.parametrize("calendar", ["24/5", "CMES"])
def test_sunday_of_euro_is_outside_other_calendars(read: Reader, calendar: str) -> None:
    message = f"within a session of the calendar {calendar}; found 2017-01-01T23:00.* in row 1"
    options = {"columns": {"ts": "time"}, "tick_size": Decimal("0.00001")}
    with pytest.raises(MarketDataError, match=message):
        read(_euro(), "EURUSD.FX.parquet", calendar, **options)


def test_hours_of_euro_run_on_all_days(tmp_path: Path) -> None:
    frame = _euro().rename({"time": "ts"})
    frame.write_parquet(tmp_path / "EURUSD.FX.parquet")
    (tmp_path / "fund.toml").write_text(
        'version = 1\n[fund]\nname = "euro"\ncash = "100000.00"\ncalendar = "24/7"\n'
        '[data]\nsource = "EURUSD.FX.parquet"\ntick_size = "0.00001"\n'
        '[[sleeve]]\nid = "all"\nstrategy = "equal_weight"\n[portfolio]\nrebalance = "month_end"\n'
    )
    result = qv.run(tmp_path / "fund.toml", out=tmp_path / "out")
    assert len(result.equity) == len(frame)
    assert len(result.fills) > 0
