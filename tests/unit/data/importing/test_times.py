"""Times as files have them: none is read as another, and what is not clear must be said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.data.importing import (
    Imported,
    ImportOptions,
    Understanding,
    import_into,
    understand,
)
from quantvista.data.importing._zones import to_utc
from quantvista.data.lake import Lake
from quantvista.errors import MarketDataError

NEW_YORK = "America/New_York"


def said(**options: object) -> ImportOptions:
    return ImportOptions(**{"instrument": "A.XNYS", **options})  # type: ignore[arg-type]


def table(tmp_path: Path, times: list[str], header: str = "time,close") -> Path:
    path = tmp_path / "file.csv"
    lines = [f"{time},{number}" for number, time in enumerate(times, 1)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def read(tmp_path: Path, times: list[str], **options: object) -> Understanding:
    return understand(table(tmp_path, times), said(**options))[0]


def bring(tmp_path: Path, source: object, **options: object) -> tuple[Imported, list[str]]:
    dataset = Lake(tmp_path / "lake").dataset("d")
    done = import_into(dataset, source, said(stamp="close", **options))
    rows = dataset.at().scan("bars").collect().sort("close")
    return done, rows["ts_event"].cast(pl.Datetime("ns")).dt.strftime(
        "%Y-%m-%d %H:%M:%S%.f"
    ).to_list()


@pytest.mark.parametrize("clock", [" 09:00", " 09:00:00", " 09:00 AM", " 09:00:00 AM", ""])
@pytest.mark.parametrize("mark", ["/", "-"])
def test_months_and_days_with_a_time_of_day_must_be_told_apart(
    tmp_path: Path, clock: str, mark: str
) -> None:
    times = [f"0{day}/06/2024{clock}".replace("/", mark) for day in (3, 4, 5)]
    with pytest.raises(
        MarketDataError, match=r"must say which is the month; found .*--time-format"
    ):
        read(tmp_path, times)
    told = read(tmp_path, [*times, f"13/06/2024{clock}".replace("/", mark)])
    assert told.time is not None
    assert told.time.pattern.startswith(f"%d{mark}%m{mark}%Y")
    both = [
        *times,
        f"13/06/2024{clock}".replace("/", mark),
        f"06/14/2024{clock}".replace("/", mark),
    ]
    with pytest.raises(MarketDataError, match=r"which is the month; found '06.14.*beside '13.06"):
        read(tmp_path, both)


def test_a_row_that_is_no_date_is_quarantined_where_days_come_first(tmp_path: Path) -> None:
    days = [f"{day}/06/2024" for day in (10, 11, 12, 13, 14)]
    done, rows = bring(tmp_path, table(tmp_path, [*days, "soon"]))
    assert len(rows) == 5
    assert done.rejected["reason"].to_list() == ["'time' is no date %d/%m/%Y"]


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (["202401021530", "202401021531"], "2024-01-02 15:30:00"),
        (["20240102153000", "20240102153100"], "2024-01-02 15:30:00"),
        (["1704209400.0", "1704209460.0"], "2024-01-02 15:30:00"),
        (["1704209400.125", "1704209460.5"], "2024-01-02 15:30:00.125"),
        (["2024-01-02 15:30:00+00", "2024-01-02 15:31:00+00"], "2024-01-02 15:30:00"),
        (["2024-01-02T17:30:00+02", "2024-01-02T17:31:00+02"], "2024-01-02 15:30:00"),
        (["2024-01-02 03:30:00 PM", "2024-01-02 03:31:00 PM"], "2024-01-02 15:30:00"),
        (["2024/01/02 15:30", "2024/01/02 15:31"], "2024-01-02 15:30:00"),
    ],
)
def test_ways_to_write_a_time(tmp_path: Path, times: list[str], first: str) -> None:
    done, rows = bring(tmp_path, table(tmp_path, times))
    assert (rows[0], done.rejected.height) == (first, 0)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64])
def test_numbers_that_are_digits_of_a_time_or_a_count(
    tmp_path: Path, dtype: type[pl.DataType]
) -> None:
    for number, values in enumerate(([202401021530, 202401021531], [1704209400, 1704209460])):
        frame = pl.DataFrame({"time": pl.Series(values, dtype=dtype), "close": [1.0, 2.0]})
        folder = tmp_path / str(number)
        folder.mkdir()
        assert bring(folder, frame)[1] == ["2024-01-02 15:30:00", "2024-01-02 15:31:00"]


def test_a_count_in_another_unit_than_the_rest_is_quarantined(tmp_path: Path) -> None:
    times = ["1704205800000", "1704205860000", "1704205920"]
    done, rows = bring(tmp_path, table(tmp_path, times))
    assert rows == ["2024-01-02 14:30:00", "2024-01-02 14:31:00"]
    assert "of our time in another unit (--unit" in done.rejected["reason"][0]


def test_a_unit_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, ["1704205800", "1704205860"])
    with pytest.raises(MarketDataError, match=r"is of 1970 .* in ns, and of our time in another"):
        bring(tmp_path, path, unit="ns")
    early = table(tmp_path, ["-157766400", "50000000"])  # 1965 and 1971 stay what they are
    assert bring(tmp_path, early, unit="s")[1][0].startswith("1965-01-01")


@given(st.sampled_from(["s", "ms", "us", "ns"]), st.integers(100_000_000, 7_000_000_000 - 1))
def test_no_plausible_count_is_read_in_another_unit(unit: str, seconds: int) -> None:
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    frame = pl.DataFrame({"time": [seconds * scale], "close": [1.0]})
    time = understand(frame, said())[0].time
    assert time is not None
    digits = f"{seconds * scale}"  # the milliseconds of 1976 may be the digits of a time
    assert time.unit == unit or (time.form, len(digits)) == ("local", 12)


@pytest.mark.parametrize("step", [15, 30, 60])
@pytest.mark.parametrize("newest_first", [False, True])
def test_the_hour_that_comes_twice_is_told_by_the_order(
    tmp_path: Path, step: int, newest_first: bool
) -> None:
    start = datetime(2024, 11, 3, 4, tzinfo=UTC)  # midnight in New York; clocks go back at 2
    instants = [start + timedelta(minutes=step * n) for n in range(5 * 60 // step)]
    order = instants[::-1] if newest_first else instants
    zone = ZoneInfo(NEW_YORK)
    times = [f"{each.astimezone(zone):%Y-%m-%d %H:%M:%S}" for each in order]
    done, rows = bring(tmp_path, table(tmp_path, times), time_zone=NEW_YORK)
    assert done.rejected.is_empty()
    assert rows == [f"{each:%Y-%m-%d %H:%M:%S}" for each in order]
    assert any("comes twice" in each for each in done.understood[0].guessed)


def test_rows_in_no_order_do_not_tell_which_hour_it_is() -> None:
    hours = ["00:30", "01:30", "01:00", "04:00", "03:00"]
    local = pl.Series([f"2024-11-03 {hour}" for hour in hours]).str.to_datetime("%Y-%m-%d %H:%M")
    found, unclear = to_utc(local, NEW_YORK, once=True)
    assert unclear.to_list() == [False, True, True, False, False]
    assert found.is_null().to_list() == unclear.to_list()


@given(st.lists(st.integers(0, 5 * 60 - 1), min_size=1, max_size=40, unique=True), st.booleans())
def test_instruments_side_by_side_have_an_order_each(minutes: list[int], once: bool) -> None:
    start = int(datetime(2024, 11, 3, 4, tzinfo=UTC).timestamp())
    # Quarters of an hour at least, so that both hours are seen where one is.
    stamps = np.array(sorted({minute // 15 for minute in minutes} | set(range(20)))) * 900 + start
    both = np.repeat(stamps, 2)
    names = pl.Series(["A", "B"] * len(stamps))
    utc = pl.Series(both * 10**9).cast(pl.Datetime("ns", "UTC"))
    local = utc.dt.convert_time_zone(NEW_YORK).dt.replace_time_zone(None)
    found, unclear = to_utc(local, NEW_YORK, names, once)
    assert not unclear.any()
    assert found.to_list() == (both * 10**9).tolist()


def test_a_format_that_does_not_fit_is_refused_without_a_warning(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=r"'13/06/24', which is not written %d/%m/%Y"):
        read(tmp_path, ["13/06/24", "14/06/24"], time_format="%d/%m/%Y")
    with pytest.raises(MarketDataError, match=r"'13/06/24'.*say --time-format"):
        read(tmp_path, ["13/06/24", "14/06/24"])
