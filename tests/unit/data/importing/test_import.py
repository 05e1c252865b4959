"""Files as people have them: guessed, said, and what cannot be used quarantined with its reason."""

import contextlib
import gc
import gzip
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from quantvista.data.importing import (
    Imported,
    ImportOptions,
    Understanding,
    import_into,
    understand,
)
from quantvista.data.importing._handed import HandedFile
from quantvista.data.lake import Dataset, Lake
from quantvista.errors import ConfigError, MarketDataError

DAY = 86_400 * 10**9
BARS = "date,open,high,low,close,volume\n2024-01-02,1,3,1,2,10\n2024-01-03,2,4,2,3,20\n"
OF_A = {"instrument": "A.XNYS"}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Lake(tmp_path / "lake").dataset("d")


def said(**options: object) -> ImportOptions:
    return ImportOptions(**options)  # type: ignore[arg-type]


def file(tmp_path: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def bring(
    dataset: Dataset, source: object, kind: str = "bars", **options: object
) -> tuple[Imported, pl.DataFrame]:
    done = import_into(dataset, source, said(**options))
    return done, dataset.at().scan(kind).collect().sort("ts_event")


def read(path: object, **options: object) -> Understanding:
    return understand(path, said(**options))[0]


def text_of(stamps: pl.Series) -> list[str]:
    return stamps.cast(pl.Datetime("ns")).dt.strftime("%Y-%m-%d %H:%M:%S").to_list()


def test_daily_bars_are_known_at_the_close_of_their_session(
    tmp_path: Path, dataset: Dataset
) -> None:
    done, rows = bring(dataset, file(tmp_path, BARS), **OF_A)
    assert text_of(rows["known_at"]) == ["2024-01-02 21:00:00", "2024-01-03 21:00:00"]
    assert rows["close"].to_list() == [2.0, 3.0]
    assert ("guessed", "sessions of XNYS (--calendar says others)") in done.understood[0].words()


@pytest.mark.parametrize(
    ("times", "form", "first"),
    [
        (["2024-01-02 10:00:00", "2024-01-02 11:00:00"], "times of UTC", "2024-01-02 11:00:00"),
        (["2024-01-02T10:00:00Z", "2024-01-02T11:00:00Z"], "instants", "2024-01-02 11:00:00"),
        (
            ["2024-01-02T10:00:00+01:00", "2024-01-02 11:00:00+01:00"],
            "instants",
            "2024-01-02 10:00:00",
        ),
        (["1704189600", "1704193200"], "s since 1970", "2024-01-02 11:00:00"),
        (["1704189600000", "1704193200000"], "ms since 1970", "2024-01-02 11:00:00"),
        (["1704189600000000", "1704193200000000"], "us since 1970", "2024-01-02 11:00:00"),
        (["1704189600000000000", "1704193200000000000"], "ns since", "2024-01-02 11:00:00"),
        (["20240102", "20240103"], "dates written %Y%m%d", "2024-01-02 21:00:00"),
        (["01/13/2023", "01/17/2023"], "dates written %m/%d/%Y", "2023-01-13 21:00:00"),
        (["13/01/2023", "17/01/2023"], "dates written %d/%m/%Y", "2023-01-13 21:00:00"),
        (["02-Jan-2024", "03-Jan-2024"], "dates written %d-%b-%Y", "2024-01-02 21:00:00"),
        (["2024.01.02 10:00", "2024.01.02 11:00"], "times of UTC", "2024-01-02 11:00:00"),
        (["2024-01-02 00:00:00", "2024-01-03 00:00:00"], "dates", "2024-01-02 21:00:00"),
    ],
)
def test_times_are_guessed(
    tmp_path: Path, dataset: Dataset, times: list[str], form: str, first: str
) -> None:
    lines = "".join(f"{time},1\n" for time in times)
    path = file(tmp_path, f"time,close\n{lines}")
    if form == "instants" and "+01:00" in times[0]:  # one way of writing in a file
        path = file(tmp_path, f"time,close\n{lines}".replace("T", " "))
    done, rows = bring(dataset, path, period_s=3600, **OF_A)
    assert form in dict(done.understood[0].words())["time"]
    assert text_of(rows["ts_event"])[0] == first


def test_a_day_and_a_time_of_day_are_one_time(tmp_path: Path, dataset: Dataset) -> None:
    path = file(tmp_path, "<DATE>,<TIME>,<CLOSE>\n2024.01.02,09:30:00,1\n2024.01.02,09:31:00,2\n")
    done, rows = bring(dataset, path, time_zone="America/New_York", stamp="close", **OF_A)
    assert text_of(rows["ts_event"]) == ["2024-01-02 14:30:00", "2024-01-02 14:31:00"]
    assert "'<DATE>' and '<TIME>'" in dict(done.understood[0].words())["time"]


def test_days_and_months_that_cannot_be_told_apart_must_be_said(
    tmp_path: Path, dataset: Dataset
) -> None:
    path = file(tmp_path, "date,close\n01/02/2024,1\n02/02/2024,2\n")
    with pytest.raises(MarketDataError, match="must say which is the month; found '01/02/2024'"):
        read(path, **OF_A)
    _, rows = bring(dataset, path, time_format="%d/%m/%Y", **OF_A)
    assert text_of(rows["ts_event"]) == ["2024-02-01 21:00:00", "2024-02-02 21:00:00"]


def test_bars_in_doubt_are_stamped_with_their_open(tmp_path: Path) -> None:
    frame = "{},close\n2024-01-02T10:00:00Z,1\n2024-01-02T10:05:00Z,2\n"
    doubt = read(file(tmp_path, frame.format("time")), **OF_A)
    assert (doubt.stamp, doubt.period_s) == ("open", 300)
    assert any("careful way in doubt" in each for each in doubt.guessed)
    assert read(file(tmp_path, frame.format("ts")), **OF_A).stamp == "open"
    ours = "ts_event,ts_received,close\n2024-01-02T10:00:00Z,2024-01-02T10:00:00Z,1\n"
    assert read(file(tmp_path, ours), **OF_A).stamp == "close"
    assert read(file(tmp_path, frame.format("time")), stamp="close", **OF_A).stamp == "close"


def test_wide_files_have_a_column_for_each_instrument(tmp_path: Path, dataset: Dataset) -> None:
    path = file(tmp_path, "Date,AAPL,BRK.B\n2024-01-02,1,\n2024-01-03,2,x\n2024-01-04,3,5\n")
    with pytest.raises(MarketDataError, match="'AAPL' trades: --venue"):
        read(path, kind="bars")
    done, rows = bring(dataset, path, kind="bars", venue="XNYS")
    found = rows.select("instrument", "close").sort("instrument", "close").rows()
    assert found == [(name, close) for name, close in found]
    assert found == [
        ("AAPL.XNYS", 1.0),
        ("AAPL.XNYS", 2.0),
        ("AAPL.XNYS", 3.0),
        ("BRK.B.XNYS", 5.0),
    ]
    assert done.rejected.rows() == [("file.csv", 3, "'BRK.B' is no number", "x")]


def test_what_cannot_be_used_is_quarantined_with_row_and_reason(
    tmp_path: Path, dataset: Dataset
) -> None:
    content = (
        b"date,open,high,low,close,volume\n"
        b"2024-01-02,1,3,1,2,10\n"
        b"2024-01-03,1,3,1\n"  # ragged
        b"\n"
        b"2024-01-04,1,3,1,n/k,10\n"
        b"2024-01-06,1,3,1,2,10\n"  # a Saturday among working days
        b"not a day,1,3,1,2,10\n"
        b"2024-01-05,1,3,1,\xe9,10\n"
        b"2024-01-08,1,3,1,inf,10\n"
        b"2024-01-09,,,,,\n"
        b"2024-01-10,1,3,1,2,10,7,8\n"
        b"2024-01-11,1,3,1,2,10\n"
        b"2024-01-11,1,3,1,5,10\n"
    )
    done, rows = bring(dataset, file(tmp_path, content), calendar="XNYS", **OF_A)
    assert rows["date"].cast(pl.String).to_list() == ["2024-01-02", "2024-01-11"]
    assert rows["close"].to_list() == [2.0, 2.0]
    reasons = {row: reason for _, row, reason, _ in done.rejected.rows()}
    assert reasons == {
        3: "has 4 fields, the header has 6",
        5: "'close' is no number: n/k",
        6: "no session of XNYS",
        7: "'date' is no date %Y-%m-%d",
        8: "not UTF-8 text as the rest is (--encoding says what the whole file is)",
        9: "'close' is no number: inf",
        10: "no values",
        11: "has 8 fields, the header has 6",
        13: "the time of row 12 again",
    }
    stored = dataset.at().scan("quarantine").collect().sort("row")
    assert stored["row"].to_list() == sorted(reasons)
    assert stored["text"][0] == "2024-01-03,1,3,1"
    with pytest.raises(MarketDataError, match=r"has 4 fields.* in row 3.*without --strict"):
        import_into(Lake(tmp_path).dataset("e"), tmp_path / "file.csv", said(**OF_A), strict=True)


def test_mixed_time_zones(tmp_path: Path, dataset: Dataset) -> None:
    lines = [f"2024-01-02 1{hour}:00:00+00:00,1" for hour in range(6)]
    lines.insert(3, "2024-01-02 12:30:00-05:00,2")
    lines.insert(4, "2024-01-02 13:00:00,3")
    path = file(tmp_path, "\n".join(["ts,close", *lines]))
    done, rows = bring(dataset, path, stamp="close", **OF_A)
    assert "2024-01-02 17:30:00" in text_of(rows["ts_event"])
    assert done.rejected.rows() == [
        ("file.csv", 6, "'ts' is no time with a UTC offset", "2024-01-02 13:00:00,3")
    ]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "f.csv", "the file is empty"),
        (b"\n\n", "f.csv", "the file is empty"),
        (b"date,close\n", "f.csv", "a header but no row"),
        (b"date,close\n", "f.txt", "a header but no row"),
        ("date,close\n2024-01-02,1\n".encode("utf-16"), "f.csv", "UTF-16: say --encoding"),
        (b"date\0,close\n", "f.csv", "binary data"),
        (b"date,close\xe9\n2024-01-02,1\n", "f.csv", "byte 0xe9 in row 1: say --encoding"),
        (b"date,close,close\n2024-01-02,1,2\n", "f.csv", "'close' twice"),
        (b"date,,close\n2024-01-02,1,2\n", "f.csv", "column 2 has no name"),
        (b'date,close\n2024-01-02,"1\n2024-01-03,2\n', "f.csv", "quotes must match"),
        (b"PAR1 and no more", "f.parquet", "not a readable Parquet file.*fetch it again"),
        (b"ARROW1 and no more", "f.feather", "not a readable Arrow file"),
        (b"\x1f\x8b\x08\x00 cut", "f.csv.gz", "not a whole packed file"),
        (b"PK and no more", "f.zip", "not a whole packed file"),
        (b"a,b\n1,2\n", "f.csv", "must have a column of times; found a, b"),
        (b"date,close\nx,y\n", "f.csv", "must have a column of times"),
        (b"date,close\n2024-01-02,x\n", "f.csv", "rows that can be used; found none: row 2"),
        (b"1,2,3\n4,5,6\n", "f.csv", "must have a header"),
        (b"x", "f.xlsx", r"must end in \.csv"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, dataset: Dataset, content: bytes, name: str, message: str
) -> None:
    with pytest.raises(MarketDataError, match=message) as error:
        bring(dataset, file(tmp_path, content, name), **OF_A)
    assert str(error.value).startswith((name, "`"))
    assert dataset.head() is None


def test_a_truncated_parquet_file(tmp_path: Path, dataset: Dataset) -> None:
    path = tmp_path / "cut.parquet"
    pl.DataFrame({"date": ["2024-01-02"] * 999, "close": range(999)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(MarketDataError, match=r"cut\.parquet: not a readable Parquet file"):
        bring(dataset, path, **OF_A)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_marks_and_line_ends(tmp_path: Path, dataset: Dataset, separator: str) -> None:
    text = "\ufeff" + BARS.replace(",", separator).replace("\n", "\r\n")
    done, rows = bring(dataset, file(tmp_path, text), **OF_A)
    assert (rows["close"].to_list(), done.rejected.height) == ([2.0, 3.0], 0)


def test_packed_files_and_other_encodings(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with gzip.open(tmp_path / "a.csv.gz", "wb") as packed:
        packed.write(BARS.encode())
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("b.csv", BARS)
    (tmp_path / "c.csv").write_bytes(BARS.encode("utf-16"))
    for name, encoding in (("a.csv.gz", None), ("b.zip", None), ("c.csv", "utf-16")):
        dataset = lake.dataset(name[0])
        _, rows = bring(dataset, tmp_path / name, encoding=encoding, **OF_A)
        assert rows["close"].to_list() == [2.0, 3.0]
    with zipfile.ZipFile(tmp_path / "b.zip", "a") as archive:
        archive.writestr("c.csv", BARS)
    with pytest.raises(MarketDataError, match="must hold one file; found 2"):
        read(tmp_path / "b.zip", **OF_A)
    with pytest.raises(ConfigError, match="`encoding` must be an encoding of text"):
        read(tmp_path / "c.csv", encoding="nonsense", **OF_A)


def test_frames_of_every_library(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    frame = pl.DataFrame({"date": ["2024-01-02", "2024-01-03"], "close": [1.0, 2.0]})
    frame = frame.with_columns(pl.col("date").str.to_date())
    panda = pd.DataFrame(
        {"close": [1.0, 2.0]}, index=pd.DatetimeIndex(["2024-01-02", "2024-01-03"])
    )
    panda.index.name = "date"
    arrow = pa.table({"date": ["2024-01-02", "2024-01-03"], "close": [1.0, 2.0]})
    commits = set()
    for number, each in enumerate((frame, frame.lazy(), panda, arrow)):
        dataset = lake.dataset(f"d{number}")
        _, rows = bring(dataset, each, calendar="XNYS", **OF_A)
        assert rows["close"].to_list() == [1.0, 2.0]
        commits.add(tuple(each.sha256 for each in dataset.at().manifest.files))
    assert len(commits) == 1
    with pytest.raises(MarketDataError, match="frame of Polars, pandas or Arrow; found dict"):
        read({"a": 1})


def test_folders_of_files_named_after_their_instruments(tmp_path: Path, dataset: Dataset) -> None:
    folder = tmp_path / "prices"
    for name in ("AAA.XNYS.csv", "deep/BBB.XNYS.parquet"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("csv"):
            path.write_text(BARS)
        else:
            pl.read_csv(BARS.encode()).write_parquet(path)
    (folder / "notes.md").write_text("not a table")
    (folder / "sheet.xlsx").write_text("not a table")
    (folder / "folder.csv").mkdir()
    (folder / "CCC.XNYS.csv").symlink_to("CCC.XNYS.csv")
    done, rows = bring(dataset, folder)
    assert done.notes == (
        "Left out, for they are no files of a known format: CCC.XNYS.csv, folder.csv, notes.md, "
        "sheet.xlsx",
    )
    assert rows["instrument"].value_counts().sort("instrument").rows() == [
        ("AAA.XNYS", 2),
        ("BBB.XNYS", 2),
    ]
    assert [each.where for each in done.understood] == ["AAA.XNYS.csv", "deep/BBB.XNYS.parquet"]
    with pytest.raises(MarketDataError, match="must hold files ending in"):
        read(_empty(tmp_path))


def _empty(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_dumps_of_binance_have_no_header(tmp_path: Path, dataset: Dataset) -> None:
    line = "1704189600000,1.5,2.5,1.0,2.0,10,1704189659999,20,3,4,5,0\n"
    path = file(tmp_path, line, "BTCUSDT-1m-2024-01.csv")
    done, rows = bring(dataset, path, venue="BINANCE")
    assert rows["instrument"].to_list() == ["BTC-USDT.BINANCE"]
    assert text_of(rows["ts_event"]) == ["2024-01-02 10:01:00"]
    assert rows["quote_volume"].to_list() == [20.0]
    assert done.understood[0].period_s == 60


def test_minutes_of_lean_are_of_the_day_in_their_name(tmp_path: Path, dataset: Dataset) -> None:
    lines = "34200000,100000,101000,99000,100500,7\n34260000,100500,100500,100500,100500,8\n"
    path = file(tmp_path, lines, "20131007_spy_minute_trade.csv")
    _, rows = bring(dataset, path, venue="ARCX")
    assert rows.select("instrument", "close").rows() == [("SPY.ARCX", 10.05)] * 2
    assert text_of(rows["ts_event"]) == ["2013-10-07 13:31:00", "2013-10-07 13:32:00"]
    daily = file(tmp_path, "20131007 00:00,100000,101000,99000,100500,7\n", "spy.csv")
    _, rows = bring(Lake(tmp_path).dataset("x"), daily, venue="ARCX")
    assert text_of(rows["ts_event"]) == ["2013-10-07 20:00:00"]


def test_fundamentals_are_known_when_they_were_filed_and_may_be_restated(
    tmp_path: Path, dataset: Dataset
) -> None:
    path = file(
        tmp_path,
        "symbol,period_end,item,value,filed\n"
        "A,2023-12-31,revenue,100,2024-02-01\n"
        "A,2023-12-31,revenue,90,2024-05-01\n",
    )
    bring(dataset, path, "fundamentals", venue="XNYS")
    snapshot = dataset.at()
    values = {}
    for day in ("2024-01-31", "2024-02-01", "2024-02-02", "2024-05-02"):
        when = int(pl.Series([day]).str.to_date().cast(pl.Datetime("ns")).to_physical()[0])
        values[day] = snapshot.scan("fundamentals", as_of=when).collect()["value"].to_list()
    assert values == {
        "2024-01-31": [],
        "2024-02-01": [],
        "2024-02-02": [100.0],
        "2024-05-02": [90.0],
    }


def test_series_are_known_at_the_end_of_what_they_measure(tmp_path: Path, dataset: Dataset) -> None:
    path = file(tmp_path, "Date,Rate\n2024-01-01,1.5\n2024-02-01,1.6\n2024-03-01,1.7\n", "fed.csv")
    _, rows = bring(dataset, path, "series", delay_s=86_400)
    assert text_of(rows["known_at"])[0] == "2024-02-02 00:00:00"
    assert rows.select("instrument", "field", "value").row(0) == ("FED.SERIES", "rate", 1.5)


def test_news_and_reference_without_times_must_say_when_they_were_known(
    tmp_path: Path, dataset: Dataset
) -> None:
    news = file(tmp_path, "text,label\nup,1\ndown,0\n")
    with pytest.raises(MarketDataError, match="must say when it became known: --known-at"):
        read(news)
    _, rows = bring(dataset, news, "news", known_at=5)
    assert rows["known_at"].to_list() == [5, 5]
    facts = file(tmp_path, "symbol,sector\nA,Energy\nB,\n", "facts.csv")
    _, rows = bring(dataset, facts, "reference", known_at=5, venue="XNYS")
    assert sorted(rows.select("instrument", "field", "value").rows()) == [
        ("A.XNYS", "sector", "Energy"),
        ("A.XNYS", "symbol", "A"),
        ("B.XNYS", "symbol", "B"),
    ]


def test_revisions_must_say_when_they_were_known(tmp_path: Path, dataset: Dataset) -> None:
    bring(dataset, file(tmp_path, BARS), **OF_A)
    revised = file(tmp_path, BARS.replace("2,4,2,3,20", "2,4,2,3.5,20") + "2024-01-04,1,1,1,1,1\n")
    with pytest.raises(MarketDataError, match="say when the revision was known: `known_at`"):
        bring(dataset, revised, **OF_A)
    when = 19_800 * DAY
    done, rows = bring(dataset, revised, known_at=when, **OF_A)
    assert (done.rows, done.unchanged) == ({"bars": 2}, 1)
    assert rows["close"].to_list() == [2.0, 3.5, 1.0]
    before = dataset.at().scan("bars", as_of=when - 1).collect().sort("ts_event")
    assert before["close"].to_list() == [2.0, 3.0]


def test_columns_are_said_where_the_guess_is_not_right(tmp_path: Path, dataset: Dataset) -> None:
    path = file(tmp_path, "when,px,Close,note\n2024-01-02,7,1,a\n2024-01-03,8,2,b\n")
    with pytest.raises(ConfigError, match=r"`columns` close must be a column of file\.csv; found"):
        read(path, columns={"close": "pxx"}, **OF_A)
    options: dict[str, Any] = {"columns": {"ts": "when", "close": "px"}, **OF_A}
    done, rows = bring(dataset, path, **options)
    assert rows["close"].to_list() == [7.0, 8.0]
    assert done.understood[0].kept == {"close_": "Close", "note": "note"}
    assert rows["close_"].to_list() == [1.0, 2.0]


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "candles"},
        {"unit": "h"},
        {"stamp": "middle"},
        {"period_s": 0},
        {"delay_s": -1},
        {"scale": 0.0},
        {"scale": float("inf")},
        {"scale": 1e-320},
        {"delay_s": 99_999_999_999},
        {"period_s": 9_999_999_999_999},
        {"known_at": 2**63},
        {"decimal": ";"},
        {"separator": ",,"},
        {"separator": "\N{SECTION SIGN}"},
        {"encoding": "rot13"},
        {"instrument": "aapl"},
        {"venue": "new york"},
        {"time_zone": "Mars/Olympus"},
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"`{next(iter(options))}`|SYMBOL.VENUE"):
        said(**options)


def test_a_row_that_contradicts_another_file_is_quarantined_as_it_stands(
    tmp_path: Path, dataset: Dataset
) -> None:
    header = "date;symbol;close;note\n"
    folder = tmp_path / "in"
    folder.mkdir()
    file(folder, f"{header}2024-01-02;A.XNYS;1;x\n2024-01-03;A.XNYS;2;x\n", "a.csv")
    file(folder, f"{header}2024-01-04;A.XNYS;3;\n2024-01-03;A.XNYS;5;y\n", "b.csv")
    done, _ = bring(dataset, folder)
    reason = "another row of bars has its time with other values"
    assert done.rejected.rows() == [("b.csv", 3, reason, "2024-01-03,A.XNYS,5,y")]


def test_a_row_whose_time_was_there_is_quarantined_as_it_stands(
    tmp_path: Path, dataset: Dataset
) -> None:
    done, _ = bring(dataset, file(tmp_path, f"{BARS}2024-01-03,2,4,2,3,21\n"), **OF_A)
    assert done.rejected.rows() == [
        ("file.csv", 4, "the time of row 3 again", "2024-01-03,2,4,2,3,21")
    ]


def test_the_same_rows_are_quarantined_once(tmp_path: Path, dataset: Dataset) -> None:
    wrong = f"{BARS}2024-01-04,1,1,1,n/k,1\n"
    first, _ = bring(dataset, file(tmp_path, wrong), **OF_A)
    again, _ = bring(dataset, file(tmp_path, wrong, "corrected.csv"), **OF_A)
    assert (again.commit, again.rejected.height) == (first.commit, 1)
    more = f"{wrong}2024-01-05,1,1,1,n/k,1\n"
    bring(dataset, file(tmp_path, more), **OF_A)
    assert dataset.at().scan("quarantine").collect()["row"].sort().to_list() == [4, 5]


def test_a_file_whose_rows_have_other_fields_than_its_header_says_so(
    tmp_path: Path, dataset: Dataset
) -> None:
    title = file(tmp_path, f"Prices of A\n{BARS}")
    with pytest.raises(MarketDataError, match=r"row 1 has 1 field.*row 2 has 6"):
        bring(dataset, title, **OF_A)
    comma = file(tmp_path, BARS.replace("10\n", "10,\n").replace("20\n", "20,\n"))
    with pytest.raises(MarketDataError, match=r"row 1 has 6 fields.*row 2 has 7"):
        bring(dataset, comma, **OF_A)


@pytest.mark.parametrize("content", ["date,close\n", "\ndate,close\n", "# a\ndate,close\n", BARS])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_no_thread_has_the_file_when_it_was_read(tmp_path: Path, content: str, name: str) -> None:
    # Else the process ends by a signal if it ends just then.
    packed = gzip.compress(content.encode()) if name.endswith("gz") else content.encode()
    path = file(tmp_path, packed, name)
    for _ in range(10):
        with contextlib.suppress(MarketDataError):
            read(path, **OF_A)
        assert not [each for each in gc.get_objects() if type(each) is HandedFile]
