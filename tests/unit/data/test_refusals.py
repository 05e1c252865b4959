"""Whatever is wrong with the data is said in words, with file and place."""

import gzip
import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quantvista.data import DataSpec, load
from quantvista.errors import ConfigError, MarketDataError

GOOD = "date,A.XNYS,B.XNYS\n2024-01-02,1.00,2.00\n2024-01-03,1.01,2.01\n"
LONG = (
    "date,instrument,open,high,low,close,volume\n"
    "2024-01-02,A.XNYS,20.00,20.10,19.90,20.01,100\n"
    "2024-01-03,A.XNYS,20.01,20.20,19.80,20.02,300\n"
)


def _load(tmp_path: Path, content: bytes | str, name: str = "p.csv", **options: object) -> None:
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / name).write_bytes(data)
    spec = DataSpec(name, **options)  # type: ignore[arg-type]
    load(spec, base=tmp_path, calendar="XNYS")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "p.csv: the file is empty"),
        (b"\n\n", "p.csv: the file is empty"),
        (b"\xef\xbb\xbf", "p.csv: the file is empty"),
        ("date,A.XNYS\n", "p.csv: there is a header but no row"),
        ("date,A.XNYS", "p.csv: there is a header but no row"),
        (b"\x00\x01\x02\x03", "p.csv: must be text; found binary"),
        (b"date,A.XNYS\n2024-01-02,\x00\n", "p.csv: must be text; found binary"),
        (b"date,A.XNYS\n2024-01-02,\xe9\n", "must be UTF-8 text; found byte 0xe9 in row 2"),
        (GOOD.encode("utf-16"), "p.csv: must be UTF-8 text; found UTF-16"),
        (GOOD.replace(",", ";"), "must be separated by ','; found ';' in row 1"),
        (GOOD.replace(",", "\t"), r"must be separated by ','; found '\\t' in row 1"),
        (GOOD + "2024-01-04,1.02\n", "must have 3 fields like the header; found 2 in row 4"),
        (GOOD + "2024-01-04,1.02,2,3\n", "must have 3 fields like the header; found 4 in row 4"),
        (GOOD + "\n2024-01-04,1.02,2.02\n", "must have 3 fields .* found 1 in row 4"),
        (GOOD + '2024-01-04,"1.02\n', "p.csv: not readable as CSV"),
        (GOOD + '2024-01-04,"1.02"x,1\n', "p.csv: not readable as CSV"),
        (GOOD.replace("B.XNYS", "A.XNYS"), "must be unique; found 'A.XNYS' twice"),
        (GOOD.replace("B.XNYS", ""), "column 3 has no name"),
        ("date\n2024-01-02\n", "must have a time column and a price column"),
        ("<html><body>404</body></html>", "there is a header but no row"),
        ('{"prices": [1, 2],\n "x": 3}', "column 3 has no name in row 1"),
        (GOOD.replace("date", "when"), "must have a column 'date' or 'ts'; found 'when'"),
        (GOOD.replace("date,", "dates,"), "is it 'dates'"),
        ("date,ts,A.XNYS\n2024-01-02,1,1\n", "must have one time column"),
    ],
)
def test_malformed_csv_raises(tmp_path: Path, content: bytes | str, message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        _load(tmp_path, content)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1.01", "abc", "column 'A.XNYS' must be a number; found 'abc' in row 3"),
        ("1.01", "1.0.1", "must be a number; found '1.0.1' in row 3"),
        ("1.01", "NA", "must be a number; found 'NA' in row 3"),
        ("1.01", "1_0", "must be a number; found '1_0' in row 3"),
        ("1.01", "inf", "must be finite; found 'inf' in row 3"),
        ("1.01", "-Infinity", "must be finite; found '-Infinity' in row 3"),
        ("1.01", "1e400", "must be finite; found '1e400' in row 3"),
        ("1.01", "0", r"`close` must be positive; found 0.0 in row 3, column 'A.XNYS'"),
        ("1.01", "-1", r"`close` must be positive; found -1.0 in row 3"),
        ("1.01", "1e16", "`close` must be at most 10000000000000; found 1e[+]16 in row 3"),
        ("1.01", "1.015", r"must have at most 2 decimals.* found 1.015 in row 3, column 'A.XNYS'"),
        ("2024-01-03", "2024-01-02", "must be there once; found 2024-01-02 in rows 2 and 3"),
        ("2024-01-03", "2024-01-06", "must be a session of the calendar XNYS; found 2024-01-06"),
        ("2024-01-03", "03/01/2024", "must be an ISO date .* found '03/01/2024' in row 3"),
        ("2024-01-03", "2024-1-3", "must be an ISO date"),
        ("2024-01-03", "2024-02-30", "must be an ISO date"),
        ("2024-01-03", "", "must be an ISO date .* found nothing in row 3"),
        (
            "2024-01-03",
            "1066-10-14",
            "must lie in the years 1900 to 2199; found '1066-10-14' in ro",
        ),
        (
            "2024-01-03",
            "2200-01-01",
            "must lie in the years 1900 to 2199; found '2200-01-01' in ro",
        ),
        ("1.01", "1.0100000000000000001", "at most 15 significant digits.* in row 3"),
        ("1.01", "9007199254740993.00", "at most 15 significant digits.* in row 3"),
        ("1.01", "\N{FULLWIDTH DIGIT ONE}.01", "must be a number"),
        ("B.XNYS", "B" * 65 + ".XNYS", "must have at most 64 characters; found 70"),
        ("B.XNYS", "BBB", "must be SYMBOL.VENUE .* found 'BBB'; set data.venue"),
        ("B.XNYS", "b.xnys", "must be SYMBOL.VENUE in upper case"),
        ("B.XNYS", "open", "column 'open' needs a column 'close' beside it"),
    ],
)
def test_bad_value_raises_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises((MarketDataError, ConfigError), match=message):
        _load(tmp_path, GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("20.10", "19.00", "`low` must not be above `high`; found 19.9 in row 2, column 'low'"),
        ("20.01,100", "20.50,100", "`close` must lie between `low` and `high`; found 20.5"),
        ("20.00,20.10", "19.00,20.10", "`open` must lie between `low` and `high`; found 19.0"),
        ("20.01,100", ",100", "`close` must not be missing where `open` is there; row 2"),
        ("20.00,20.10", ",20.10", "`open` must not be missing where `close` is there; row 2"),
        (",300", ",", "`volume` must not be missing where `close` is there; row 3"),
        (",300", ",-1", "`volume` must not be negative; found -1.0 in row 3"),
        ("A.XNYS,20.01", ",20.01", "column 'instrument' must not be empty; found nothing in row 3"),
        ("2024-01-03", "2024-01-02", "found 2024-01-02 of 'A.XNYS' in rows 2 and 3"),
        ("high,low", "top,low", "must have all of open, high and low, or none; missing high"),
        ("close", "clsoe", "must have a column 'close'; is it 'clsoe'. set data.columns"),
        ("low", "Close", r"column 'close' must be unique; found \['Close', 'close'\]"),
    ],
)
def test_bad_bar_raises_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        _load(tmp_path, LONG.replace(old, new, 1))


@pytest.mark.parametrize(
    ("stamp", "message"),
    [
        ("2024-01-02T15:00:00", "must have a UTC offset"),
        ("yesterday", "must have a UTC offset"),
        ("1704207600", "looks like seconds: multiply by 1000000000, .* in row 2"),
        ("1704207600000", "looks like milliseconds: multiply by 1000000, .* in row 2"),
        ("1704207600000000", "looks like microseconds: multiply by 1000, .* in row 2"),
        ("-5", "must be nanoseconds since 1970 UTC, of 1973 or later; found '-5' in row 2"),
        ("20240102", "looks like a date: write it as 2024-01-31.* found '20240102' in row 2"),
        ("9" * 30, "must be nanoseconds since 1970 UTC"),
        ("1830-01-02T15:00:00Z", "must lie in the years 1900 to 2199; found '1830-01-02T15"),
        ("2300-01-02T15:00:00Z", "must lie in the years 1900 to 2199; found '2300-01-02T15"),
        ("7900000000000000000", "must lie in the years 1900 to 2199; found '79"),
        ("2024-01-02T14:30:00Z", "must be the close of a bar within a session"),
        ("2024-01-02T22:00:00Z", "must be the close of a bar within a session"),
        ("2024-01-06T15:00:00Z", "found 2024-01-06T15:00:00.000000Z in row 2"),
        ("", "must have a UTC offset.* found nothing in row 2"),
    ],
)
def test_bad_instant_raises(tmp_path: Path, stamp: str, message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        _load(tmp_path, f"ts,A.XNYS\n{stamp},1\n")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pl.DataFrame({"date": [date(2024, 1, 2)], "A.XNYS": [True]}),
            "must hold numbers; found type Bool",
        ),
        (
            pl.DataFrame({"date": [date(2024, 1, 2)], "A.XNYS": [[1.0]]}),
            "must hold numbers; found type List",
        ),
        (pl.DataFrame({"date": [1], "A.XNYS": [1.0]}), "must hold dates; found type Int64"),
        (pl.DataFrame({"date": [None], "A.XNYS": [1.0]}), "must hold dates; found type Null"),
        (
            pl.DataFrame({"date": [date(2024, 1, 2), None], "A.XNYS": [1.0, 2.0]}),
            "column 'date' must not be empty; found nothing in row 2",
        ),
        (
            pl.DataFrame({"date": [datetime(2024, 1, 2, 15)], "A.XNYS": [1.0]}),  # noqa: DTZ001
            "times need a time zone",
        ),
        (
            pl.DataFrame({"ts": [datetime(2024, 1, 2, 15)], "A.XNYS": [1.0]}),  # noqa: DTZ001
            "must have a time zone; found naive",
        ),
        (pl.DataFrame({"ts": [1.5], "A.XNYS": [1.0]}), "must hold timestamps; found type Float64"),
        (pl.DataFrame({"date": [], "A.XNYS": []}), "there is a header but no row"),
        (
            pl.DataFrame({"date": [date(2024, 1, 2)], "instrument": [1], "close": [1.0]}),
            "column 'instrument' must hold text",
        ),
    ],
)
def test_parquet_of_wrong_types_raises(tmp_path: Path, frame: pl.DataFrame, message: str) -> None:
    frame.write_parquet(tmp_path / "p.parquet")
    with pytest.raises(MarketDataError, match=message):
        load(DataSpec("p.parquet"), base=tmp_path, calendar="XNYS")


def test_instants_called_date_are_pointed_out(tmp_path: Path) -> None:
    frame = pl.DataFrame({"date": [datetime(2024, 1, 2, 15)], "A.XNYS": [1.0]})  # noqa: DTZ001
    frame = frame.with_columns(pl.col("date").dt.replace_time_zone("UTC"))
    frame.write_parquet(tmp_path / "p.parquet")
    with pytest.raises(MarketDataError, match=r'set data.columns = \{ ts = "date" \}'):
        load(DataSpec("p.parquet"), base=tmp_path, calendar="XNYS")
    spec = DataSpec("p.parquet", columns={"ts": "date"})
    assert load(spec, base=tmp_path, calendar="XNYS").close.shape == (1, 1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.parquet", b"junk", "p.parquet: not a readable Parquet file"),
        ("p.parquet", b"PAR1" + b"\x00" * 64 + b"PAR1", "not a readable Parquet file"),
        ("p.csv.gz", b"junk", "p.csv.gz: not a whole gzip file"),
        (
            "p.csv.gz",
            gzip.compress(GOOD.encode(), mtime=0)[:-12],
            "p.csv.gz: not a whole gzip file",
        ),
        ("p.xlsx", b"PK", "`data.source` must end in .csv, .csv.gz, .parquet; found p.xlsx"),
    ],
)
def test_damaged_file_raises(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(MarketDataError, match=message):
        _load(tmp_path, content, name)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": date(2023, 1, 1)}, MarketDataError, "`data.start` must lie within the data"),
        ({"end": date(2025, 1, 1)}, MarketDataError, "`data.end` must lie within the data"),
        ({"instruments": ()}, ConfigError, "must name at least one instrument"),
        (
            {"instruments": ("A.XNAS",)},
            ConfigError,
            "`data.instruments` must be in p.csv; found 'A.XNAS'; did you mean A.XNYS",
        ),
        ({"benchmark": "C.XNYS"}, ConfigError, "`data.benchmark` must be in p.csv"),
        ({"sectors": {"C.XNYS": "x"}}, ConfigError, "`data.sectors` must be in p.csv"),
        ({"columns": {"price": "x"}}, ConfigError, "`data.columns` must use the names"),
        ({"columns": {"date": "x"}}, ConfigError, "`data.columns.date` must be a column of p.csv"),
        ({"columns": {"date": "dat"}}, ConfigError, "did you mean 'date'"),
        ({"tick_size": Decimal("1")}, MarketDataError, "must have at most 0 decimals"),
        (
            {"tick_size": Decimal("1e-9"), "lot_size": Decimal("1e-9")},
            ConfigError,
            "must be at most 12",
        ),
        (
            {"tick_size": Decimal("10"), "round_prices": True},
            None,
            "",
        ),
    ],
)
def test_bad_option_raises(
    tmp_path: Path, options: dict[str, Any], error: type[Exception] | None, message: str
) -> None:
    if error is None:
        _load(tmp_path, GOOD, **options)
        return
    with pytest.raises(error, match=message):
        _load(tmp_path, GOOD, **options)


def test_price_that_rounds_to_zero_raises(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="must not round to zero at 2 decimals"):
        _load(tmp_path, GOOD.replace("1.01", "0.001"), round_prices=True)


def test_window_without_session_raises(tmp_path: Path) -> None:
    content = "date,A.XNYS\n2024-01-05,1\n2024-01-08,1\n"
    with pytest.raises(MarketDataError, match="must hold a session; found none"):
        _load(tmp_path, content, start=date(2024, 1, 6), end=date(2024, 1, 7))


def test_benchmark_missing_at_the_start_raises(tmp_path: Path) -> None:
    with pytest.raises(
        MarketDataError, match=r"`data\.benchmark` must have a price from the start"
    ):
        _load(tmp_path, GOOD.replace("1.00", ""), benchmark="A.XNYS")


def test_universe_without_a_price_raises(tmp_path: Path) -> None:
    content = "date,A.XNYS,B.XNYS\n2024-01-02,,1\n2024-01-03,,1\n"
    with pytest.raises(MarketDataError, match="the universe is empty"):
        _load(tmp_path, content, benchmark="B.XNYS")
    with pytest.raises(MarketDataError, match="must have prices in the window; found none of"):
        _load(tmp_path, content, instruments=("A.XNYS",))


def test_sector_is_required_where_sectors_are_limited(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(GOOD)
    spec = DataSpec("p.csv", sectors={"A.XNYS": "Energy"})
    with pytest.raises(ConfigError, match=r"found none for 'B\.XNYS'"):
        load(spec, base=tmp_path, calendar="XNYS", sectors_required=True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.csv", "'none.csv' does not exist"),
        ("a\0b.csv", "`data.source` must be a path"),
        ("empty", "found none in folder empty"),
        ("x" * 300 + ".csv", "cannot be read|does not exist"),
    ],
)
def test_source_that_is_not_there_raises(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MarketDataError, match=message):
        load(DataSpec(source), base=tmp_path, calendar="XNYS")


def test_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.csv")
    with pytest.raises(MarketDataError, match="is neither a file nor a folder"):
        load(DataSpec("p.csv"), base=tmp_path, calendar="XNYS")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("date,close\n2024-01-02,1\n", "found 2024-01-02 of 'A.XNYS' in another file too"),
        ("date,close,volume\n2024-01-03,1,1\n", "files must have the same values"),
        ("ts,close\n2024-01-03T15:00:00Z,1\n", "files must agree on dates or instants"),
    ],
)
def test_files_of_a_folder_that_contradict_raise(tmp_path: Path, second: str, message: str) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    (folder / "1.csv").write_text("date,A.XNYS\n2024-01-02,1\n")
    (folder / "A.XNYS.csv").write_text(second)
    with pytest.raises(MarketDataError, match=message):
        load(DataSpec("prices"), base=tmp_path, calendar="XNYS")


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 10**3), ("us", 10**6)])
def test_whole_numbers_of_another_unit_are_refused_in_every_format(
    tmp_path: Path, unit: str, factor: int
) -> None:
    stamps = [factor * (1_704_229_200 + day * 86_400) for day in range(2)]
    frame = pl.DataFrame({"ts": stamps, "A.XNYS": [1.0, 1.0]})
    frame.write_parquet(tmp_path / "p.parquet")
    frame.write_csv(tmp_path / "p.csv")
    name = {"s": "seconds", "ms": "milliseconds", "us": "microseconds"}[unit]
    for file, row in (("p.csv", 2), ("p.parquet", 1)):
        with pytest.raises(MarketDataError, match=f"looks like {name}.*row {row}$"):
            load(DataSpec(file), base=tmp_path, calendar="24/7")
    frame.with_columns(pl.col("ts") * (10**9 // factor)).write_csv(tmp_path / "p.csv")
    found = load(DataSpec("p.csv"), base=tmp_path, calendar="24/7")
    assert (found.ts // (10**9 // factor)).tolist() == stamps


def test_row_without_an_instant_is_named_among_whole_numbers(tmp_path: Path) -> None:
    content = "ts,A.XNYS\n1704229200000000000,1\n,1\n"
    with pytest.raises(MarketDataError, match="1973 or later; found nothing in row 3"):
        _load(tmp_path, content)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("year", [1830, 2250])
def test_timestamp_outside_the_years_raises(tmp_path: Path, unit: str, year: int) -> None:
    frame = pl.DataFrame({"ts": [datetime(year, 1, 2, 15)], "A.XNYS": [1.0]})  # noqa: DTZ001
    frame = frame.with_columns(pl.col("ts").cast(pl.Datetime(unit, "UTC")))  # type: ignore[arg-type]
    frame.write_parquet(tmp_path / "p.parquet")
    message = f"must lie in the years 1900 to 2199; found '{year}-01-02 .* in row 1"
    with pytest.raises(MarketDataError, match=message):
        load(DataSpec("p.parquet"), base=tmp_path, calendar="24/7")


def test_date_before_the_calendar_raises_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("date,A.XTKS\n1997-01-06,1\n1990-01-04,1\n")
    message = (
        r"^p.csv: `date` must lie within the calendar XTKS, 1997-01-01 to .* 1990-01-04 in row 3"
    )
    with pytest.raises(MarketDataError, match=message):
        load(DataSpec("p.csv"), base=tmp_path, calendar="XTKS")
    (tmp_path / "p.csv").write_text("ts,A.XTKS\n1990-01-04T05:00:00Z,1\n")
    with pytest.raises(MarketDataError, match="`ts` must lie within the calendar XTKS"):
        load(DataSpec("p.csv"), base=tmp_path, calendar="XTKS")


def test_decimals_beyond_a_double_are_refused_unless_rounded(tmp_path: Path) -> None:
    _load(tmp_path, GOOD.replace("1.01", "1.0100000000000000888"), round_prices=True)
    _load(tmp_path, GOOD.replace("1.01", "1.01000000000000000000"))
    frame = pl.DataFrame(
        {"date": [date(2024, 1, 2)], "A.XNYS": [Decimal("10.0000000000000000001")]}
    )
    frame.write_parquet(tmp_path / "p.parquet")
    with pytest.raises(MarketDataError, match=r"at most 15 significant digits.* in row 1"):
        load(DataSpec("p.parquet"), base=tmp_path, calendar="XNYS")


def test_price_that_shares_its_double_with_another_raises(tmp_path: Path) -> None:
    assert float("8796093022208.001") == float("8796093022208.002")
    with pytest.raises(MarketDataError, match="`close` must be at most 1000000000000; found"):
        _load(tmp_path, GOOD.replace("1.01", "8796093022208.002"), tick_size=Decimal("0.001"))


RAW = "date,symbol,close\n2024-01-02,AAPL,1.00\n2024-01-03,AAPL,1.01\n"


@pytest.mark.parametrize(
    ("old", "new", "name", "message"),
    [
        ("", "", "raw.csv", "`instrument` must be SYMBOL.VENUE.* found 'raw'; no column 'instru"),
        ("", "", "raw.csv", "name was taken; columns not used: 'symbol'; set data.columns = "),
        ("symbol", "Ticker", "raw.csv", 'set data.columns = { instrument = "Ticker" }'),
        ("symbol", "beta", "raw.csv", "not used: 'beta'; name the file like AAPL.XNAS.csv"),
        ("01-03", "01-02", "RAW.XNAS.csv", "in rows 2 and 3; no column 'instrument'.*\"symbol\""),
        ("symbol,close", "Ticker,Price", "raw.csv", '{ instrument = "Ticker", close = "Price" }'),
        ("symbol,close", "Ticker,value", "raw.csv", '{ instrument = "Ticker", close = "..." }'),
        ("symbol,close", "instrument,Adj Close", "raw.csv", "is it 'Adj Close'. set data.columns"),
        ("date", "timestamp", "raw.csv", "is it 'timestamp'. set data.columns = { date = \"time"),
        ("date", "Day", "raw.csv", "is it 'Day'. set data.columns = { date = \"Day\" }"),
        ("date", "", "raw.csv", "column 1 has no name in row 1; in pandas.* index=False, or index"),
    ],
)
def test_names_of_others_are_recognised(
    tmp_path: Path, old: str, new: str, name: str, message: str
) -> None:
    with pytest.raises(MarketDataError, match=message):
        _load(tmp_path, RAW.replace(old, new, 1) if old else RAW, name)


def test_instants_under_another_name_are_recognised(tmp_path: Path) -> None:
    content = "datetime,A.XNYS\n2024-01-02T21:00:00Z,1.00\n"
    with pytest.raises(MarketDataError, match=r'set data.columns = { ts = "datetime" }'):
        _load(tmp_path, content)


def test_adjusted_close_outside_the_bar_names_the_way_out(tmp_path: Path) -> None:
    content = LONG.replace("close,volume", "close,adj_close").replace(",100", ",10.5")
    with pytest.raises(MarketDataError, match=r'closes only: add open = "", high = "", low = ""'):
        _load(tmp_path, content, columns={"close": "adj_close"})
    closes = {"close": "adj_close", "open": "", "high": "", "low": ""}
    _load(tmp_path, content.replace(",300", ",10.6"), columns=closes)


def test_sector_that_changes_raises(tmp_path: Path) -> None:
    content = RAW.replace("symbol,close", "instrument,close,kind").replace("AAPL", "AAPL.XNAS")
    content = content.replace("1.00", "1.00,Tech").replace("1.01", "1.01,Media")
    message = "column 'kind' must hold one sector per instrument; found 'Tech' in row 2 and 'Media'"
    with pytest.raises(MarketDataError, match=message):
        _load(tmp_path, content, columns={"sector": "kind"})


def test_sector_that_differs_between_files_raises(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for day, sector in (("02", "Tech"), ("03", "Media")):
        row = f"2024-01-{day},A.XNYS,1.00,{sector}\n"
        (tmp_path / "d" / f"{day}.csv").write_text("date,instrument,close,sector\n" + row)
    spec = DataSpec("d", columns={"sector": "sector"})
    with pytest.raises(MarketDataError, match=r"d/03.csv: must give 'A.XNYS' the sector .* 'Media"):
        load(spec, base=tmp_path, calendar="XNYS")
