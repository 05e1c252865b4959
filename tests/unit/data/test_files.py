import gzip
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantvista.data import DataSpec, MarketData, load
from quantvista.errors import ConfigError

WIDE = """date,B.XNYS,A.XNYS
2024-01-02,10.50,20.01
2024-01-03,,20.02
2024-01-04,10.70,20.03
"""
LONG = """date,instrument,open,high,low,close,volume
2024-01-02,A.XNYS,20.00,20.10,19.90,20.01,100
2024-01-02,B.XNYS,10.00,10.60,9.90,10.50,200
2024-01-03,A.XNYS,20.01,20.20,19.80,20.02,300
2024-01-04,A.XNYS,20.02,20.10,20.00,20.03,400
2024-01-04,B.XNYS,10.50,10.80,10.40,10.70,500
"""
type Loader = Callable[..., MarketData]


@pytest.fixture
def read(tmp_path: Path) -> Loader:
    def inner(
        content: str | bytes | pl.DataFrame,
        name: str = "prices.csv",
        calendar: str = "XNYS",
        **options: object,
    ) -> MarketData:
        path = tmp_path / name
        if isinstance(content, pl.DataFrame):
            content.write_parquet(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        spec = DataSpec(name, **options)  # type: ignore[arg-type]
        return load(spec, base=tmp_path, calendar=calendar)

    return inner


def _utc(ns: int) -> str:
    return str(np.datetime64(int(ns), "ns").astype("datetime64[m]"))


def test_wide_csv_gives_closes_by_ascending_id(read: Loader) -> None:
    data = read(WIDE)
    assert data.ids == ("A.XNYS", "B.XNYS")
    assert data.close[:, 0].tolist() == [20.01, 20.02, 20.03]
    assert np.isnan(data.close[1, 1])
    assert data.open is None
    assert data.volume is None
    assert data.daily
    assert [each.name for each in data.biases] == ["unknown_origin", "close_only"]


def test_dates_become_session_closes_in_utc(read: Loader) -> None:
    assert [_utc(ns) for ns in read(WIDE).ts] == [
        "2024-01-02T21:00",
        "2024-01-03T21:00",
        "2024-01-04T21:00",
    ]


def test_long_csv_has_bars_and_volume(read: Loader) -> None:
    data = read(LONG)
    assert data.open is not None
    assert data.volume is not None
    assert data.open[:, 1].tolist()[::2] == [10.0, 10.5]
    assert data.volume[:, 0].tolist() == [100.0, 300.0, 400.0]
    assert np.isnan(data.volume[1, 1])
    assert [each.name for each in data.biases] == ["unknown_origin"]


def test_long_and_wide_agree(read: Loader) -> None:
    closes = "\n".join(
        ",".join((row.split(",")[0], row.split(",")[1], row.split(",")[5]))
        for row in LONG.strip().splitlines()
    )
    assert read(closes, "long.csv").fingerprint == read(WIDE).fingerprint


def test_rows_in_any_order_give_the_same_data(read: Loader) -> None:
    header, *rows = WIDE.strip().splitlines()
    assert read("\n".join([header, *rows[::-1]]), "b.csv").fingerprint == read(WIDE).fingerprint
    header, *rows = LONG.strip().splitlines()
    assert read("\n".join([header, *rows[::-1]]), "b.csv").fingerprint == read(LONG).fingerprint


@pytest.mark.parametrize(
    "content",
    [
        WIDE.replace("\n", "\r\n"),
        "\ufeff" + WIDE,
        WIDE + "\n\n",
        WIDE.rstrip("\n"),
        WIDE.replace(",,", ",NaN,"),
        WIDE.replace(",,", ", ,"),
        WIDE.replace("10.50", " 10.50 "),
        WIDE.replace("10.50", "1.050e1"),
        WIDE.replace("10.50", '"10.5"'),
        WIDE.replace("date", "Date"),
        WIDE.replace("date", '"date"'),
    ],
)
def test_csv_dialects_read_the_same(read: Loader, content: str) -> None:
    assert read(content, "other.csv").fingerprint == read(WIDE).fingerprint


def test_gzip_and_parquet_read_the_same(read: Loader) -> None:
    expected = read(WIDE).fingerprint
    assert read(gzip.compress(WIDE.encode()), "p.csv.gz").fingerprint == expected
    frame = pl.DataFrame(
        {
            "date": [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)],
            "A.XNYS": [20.01, 20.02, 20.03],
            "B.XNYS": [10.5, None, 10.7],
        }
    )
    assert read(frame, "p.parquet").fingerprint == expected
    for dtype in (pl.Float32, pl.Decimal(12, 4), pl.String):
        typed = frame.with_columns(pl.col("A.XNYS", "B.XNYS").cast(dtype))
        assert read(typed, "p.parquet").fingerprint == expected
    naive = frame.with_columns(pl.col("date").cast(pl.Datetime("us")))
    assert read(naive, "p.parquet").fingerprint == expected
    assert read(frame.with_columns(pl.col("date").cast(pl.String)), "p.parquet").fingerprint == (
        expected
    )


def test_folder_joins_files_of_one_instrument_each(tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "A.XNYS.csv").write_text("date,close\n2024-01-02,20.01\n2024-01-03,20.02\n")
    (folder / "B.XNYS.csv").write_text("date,close\n2024-01-02,10.50\n")
    (folder / "notes.txt").write_text("not prices")
    data = load(DataSpec("prices"), base=tmp_path, calendar="XNYS")
    assert data.ids == ("A.XNYS", "B.XNYS")
    assert data.close[0].tolist() == [20.01, 10.5]
    assert np.isnan(data.close[1, 1])


def test_folder_joins_years_of_the_same_instruments(tmp_path: Path, read: Loader) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    header, *rows = WIDE.strip().splitlines()
    for number, row in enumerate(rows):
        (folder / f"{number}.csv").write_text(f"{header}\n{row}\n")
    joined = load(DataSpec("prices"), base=tmp_path, calendar="XNYS")
    assert joined.fingerprint == read(WIDE).fingerprint


def test_columns_and_venue_adapt_a_foreign_file(read: Loader) -> None:
    content = "Day,symbol,close,adj\n2024-01-02,A,99,20.01\n2024-01-03,A,99,20.02\n"
    columns = {"date": "Day", "instrument": "symbol", "close": "adj"}
    data = read(content, columns=columns, venue="XNAS")
    assert data.ids == ("A.XNAS",)
    assert data.close[:, 0].tolist() == [20.01, 20.02]
    assert data.assumptions == ("Columns of the data that are not used: close.",)


def test_sessions_without_any_row_are_missing_bars(read: Loader) -> None:
    data = read("date,A.XNYS\n2024-01-02,20\n2024-01-08,21\n")
    assert len(data.ts) == 5
    assert np.isnan(data.close[1:4]).all()
    assert data.assumptions == ("3 of 5 bars have no price of any instrument.",)


def test_window_takes_both_ends(read: Loader) -> None:
    data = read(WIDE, start=date(2024, 1, 3), end=date(2024, 1, 4))
    assert data.close[:, 0].tolist() == [20.02, 20.03]


def test_benchmark_is_apart_from_the_universe(read: Loader) -> None:
    data = read(WIDE.replace("B.XNYS", "SPY.ARCX"), benchmark="SPY.ARCX")
    assert data.ids == ("A.XNYS",)
    assert data.benchmark is not None
    assert data.benchmark.tolist() == [10.5, 10.5, 10.7]
    assert data.assumptions == ("The benchmark has no price at 1 of 3 bars; the last one stands.",)


def test_benchmark_that_is_also_asked_for_is_traded(read: Loader) -> None:
    data = read(WIDE, benchmark="B.XNYS", instruments=("B.XNYS", "A.XNYS"))
    assert data.ids == ("A.XNYS", "B.XNYS")


def test_instrument_without_price_in_the_window_is_left_out_and_named(read: Loader) -> None:
    data = read(WIDE, start=date(2024, 1, 3), end=date(2024, 1, 3))
    assert data.ids == ("A.XNYS",)
    assert data.assumptions == ("Left out, without a price in the window: B.XNYS.",)


def test_steps_sectors_and_currency_reach_the_instruments(read: Loader) -> None:
    sectors = {"A.XNYS": "Energy"}
    data = read(
        WIDE, tick_size=Decimal("0.0050"), lot_size=Decimal("0.01"), sectors=sectors, venue=None
    )
    first, second = data.instruments
    assert (first.price_precision, first.tick_units) == (3, 5)
    assert (first.quantity_precision, first.lot_units) == (2, 1)
    assert (first.sector, second.sector) == ("Energy", "")


def test_rounding_is_explicit_and_said(read: Loader) -> None:
    data = read(WIDE.replace("20.01", "20.0149"), round_prices=True)
    assert data.close[0, 0] == 20.01
    assert data.assumptions == ("Prices are rounded to 2 decimals.",)


def test_arrays_cannot_be_changed(read: Loader) -> None:
    data = read(WIDE)
    with pytest.raises(ValueError, match="read-only"):
        data.close[0, 0] = 1.0


INTRADAY = """ts,instrument,close
2024-01-02T15:00:00Z,A.XNYS,20
2024-01-02T16:00:00-05:00,A.XNYS,21
2024-01-03 15:00:00+00:00,A.XNYS,22
2024-01-03T16:00:00Z,A.XNYS,23
2024-01-03T21:00:00Z,A.XNYS,24
"""


def test_instants_give_intraday_bars_with_session_flags(read: Loader) -> None:
    data = read(INTRADAY)
    assert _utc(data.ts[1]) == "2024-01-02T21:00"
    assert data.session_start.tolist() == [True, False, True, False, False]
    assert data.session_end.tolist() == [False, True, False, False, True]
    assert not data.daily
    assert read(INTRADAY, start=date(2024, 1, 3)).close[:, 0].tolist() == [22, 23, 24]


def test_instants_read_the_same_in_every_type(read: Loader) -> None:
    expected = read(INTRADAY)
    ns = expected.ts.tolist()
    frame = pl.DataFrame({"ts": ns, "A.XNYS": [20, 21, 22, 23, 24]})
    assert read(frame, "i.parquet").fingerprint == expected.fingerprint
    for unit in ("us", "ms", "ns"):
        stamps = pl.from_epoch(pl.Series(ns), "ns").dt.cast_time_unit(unit)
        zoned = frame.with_columns(stamps.dt.replace_time_zone("UTC").alias("ts"))
        assert read(zoned, "i.parquet").fingerprint == expected.fingerprint
        local = zoned.with_columns(pl.col("ts").dt.convert_time_zone("America/New_York"))
        assert read(local, "i.parquet").fingerprint == expected.fingerprint
    assert read(frame.write_csv(), "i.csv").fingerprint == expected.fingerprint


def test_coins_trade_on_every_day(read: Loader) -> None:
    content = "date,BTC-USDT.BINANCE\n2024-01-06,43000.10\n2024-01-07,44000.20\n"
    data = read(content, calendar="24/7")
    assert [_utc(ns) for ns in data.ts] == ["2024-01-07T00:00", "2024-01-08T00:00"]


def test_fingerprint_depends_on_content_only(read: Loader) -> None:
    expected = read(WIDE).fingerprint
    assert read(WIDE, "other.csv").fingerprint == expected
    assert read(WIDE.replace("20.03", "20.04")).fingerprint != expected
    assert read(WIDE.replace("A.XNYS", "C.XNYS")).fingerprint != expected
    assert read(WIDE, tick_size=Decimal("0.05")).fingerprint != expected
    assert read(WIDE, sectors={"A.XNYS": "Energy"}).fingerprint != expected


def test_columns_with_an_empty_name_are_not_used(read: Loader) -> None:
    data = read(LONG, columns={"open": "", "high": "", "low": "", "volume": ""})
    assert data.open is None
    assert data.volume is None
    assert "Columns of the data that are not used: high, low, open, volume." in data.assumptions


def test_sectors_come_from_a_column_if_it_is_named(read: Loader) -> None:
    lines = LONG.splitlines()
    content = "\n".join([lines[0] + ",sector"] + [f"{line},S{line[11]}" for line in lines[1:]])
    assert read(content).sectors == ("", "")
    assert read(content, columns={"sector": "sector"}).sectors == ("SA", "SB")
    named = {"columns": {"sector": "sector"}, "sectors": {"A.XNYS": "Mine"}}
    assert read(content, **named).sectors == ("Mine", "SB")


def test_moves_that_may_be_splits_are_said(read: Loader) -> None:
    data = read(
        "date,A.XNYS,I.XNYS\n2024-01-02,100.00,9.00\n2024-01-03,,9.00\n2024-01-04,14.50,18.00\n",
        benchmark="I.XNYS",
    )
    assert [note for note in data.assumptions if "moved" in note] == [
        "A.XNYS moved -85.5 % at 2024-01-04: a split or an error? Nothing was adjusted.",
        "I.XNYS moved +100.0 % at 2024-01-04: a split or an error? Nothing was adjusted.",
    ]
    assert data.close[:, 0].tolist()[::2] == [100.0, 14.5]


def test_pairs_that_are_quoted_in_another_currency_are_said(read: Loader) -> None:
    data = read(
        "date,ETH-BTC.BINANCE,ADA-BTC.BINANCE,BTC-USD.BINANCE,BRK-B.XNYS\n"
        "2024-01-02,0.05,0.01,40000.00,300.00\n",
        calendar="24/7",
    )
    said = [bias.text for bias in data.biases if bias.name == "quoted_otherwise"]
    assert said == [
        "ADA-BTC.BINANCE, ETH-BTC.BINANCE: the name says BTC, the prices are taken as USD. "
        "Declare their `currency` in [[instrument]]."
    ]


def test_many_large_moves_are_counted(read: Loader) -> None:
    prices = enumerate([1, 2, 1, 2, 1, 2, 1, 2], start=2)
    rows = "".join(f"2024-01-{day:02},{price}.00\n" for day, price in prices)
    data = read("date,A.X\n" + rows, calendar="24/7")
    assert len(data.assumptions) == 6
    assert "at 2024-01-03: a split" in data.assumptions[0]
    assert data.assumptions[-1] == "2 more moves of over 40 % from a bar to the next."


def test_ordinary_moves_are_not_said(read: Loader) -> None:
    assert not any("moved" in note for note in read(WIDE).assumptions)


def test_bars_stamped_with_their_open_are_known_a_period_later(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text(
        "date,close\n2024-01-02T00:00:00Z,1.00\n2024-01-02T01:00:00Z,1.01\n"
    )
    options = {"columns": {"ts": "date"}, "instrument": "XRP-USD.KRAKEN", "stamp": "open"}
    spec = DataSpec("raw.csv", **options, period_s=3600)  # type: ignore[arg-type]
    data = load(spec, base=tmp_path, calendar="24/7")
    assert data.ids == ("XRP-USD.KRAKEN",)
    assert data.ts.astype("M8[ns]").astype("M8[h]").astype(str).tolist() == [
        "2024-01-02T01",
        "2024-01-02T02",
    ]
    assert "Bars are stamped with their open; they are known 3600 s later." in data.assumptions
    with pytest.raises(ConfigError, match=r"`data.period_s` must come with stamp"):
        load(DataSpec("raw.csv", **options), base=tmp_path, calendar="24/7")  # type: ignore[arg-type]
    (tmp_path / "day.csv").write_text("date,close\n2024-01-02,1.00\n")
    spec = DataSpec("day.csv", instrument="A.X", stamp="open", period_s=60)
    with pytest.raises(ConfigError, match=r"`data.stamp` must be left out for dates"):
        load(spec, base=tmp_path, calendar="24/7")


def test_prices_in_deci_cents_are_read_as_money(tmp_path: Path) -> None:
    (tmp_path / "lean.csv").write_text(
        "open_e4,high_e4,low_e4,close_e4,volume,date\n136300,162501,135000,162501,5,1998-01-02\n"
    )
    spec = DataSpec("lean.csv", instrument="AAPL.XNAS", tick_size=Decimal("0.0001"))
    data = load(spec, base=tmp_path, calendar="XNYS")
    assert (data.close[0, 0], data.ids) == (16.2501, ("AAPL.XNAS",))


def test_an_instrument_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for name in ("A.X", "B.X"):
        (tmp_path / "d" / f"{name}.csv").write_text("date,close\n2024-01-02,1.00\n")
    with pytest.raises(ConfigError, match=r"`data.instrument` must be left out for a folder"):
        load(DataSpec("d", instrument="C.X"), base=tmp_path, calendar="24/7")
    (tmp_path / "long.csv").write_text("date,instrument,close\n2024-01-02,A.X,1.00\n")
    with pytest.raises(ConfigError, match=r"`data.instrument` must be left out where the file"):
        load(DataSpec("long.csv", instrument="C.X"), base=tmp_path, calendar="24/7")
