"""Sessions over changes of daylight saving and years, against the library and against clocks."""

import datetime as dt
import warnings
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.errors import ConfigError
from quantvista.market import CalendarReachError, Sessions, calendar_zone, session_dates, sessions

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Sydney", "America/Santiago", "UTC")
STARTS = st.dates(dt.date(1975, 1, 1), dt.date(2036, 1, 1))
LENGTHS = st.integers(1, 500)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
HOUR = 3_600 * 10**9


def local(ns: int, zone: ZoneInfo) -> dt.datetime:
    return (EPOCH + dt.timedelta(seconds=ns // 10**9)).astimezone(zone)


def between(name: str, start: dt.date, days: int) -> Sessions:
    return sessions(name, str(start), str(start + dt.timedelta(days=days)))


@settings(max_examples=40)
@given(STARTS, LENGTHS)
def test_the_week_of_currencies_is_that_of_new_york(start: dt.date, days: int) -> None:
    found = between("FX", start, days)
    every = (start + dt.timedelta(days=k) for k in range(days + 1))
    shut = {(1, 1), (12, 25)}
    expected = [d for d in every if d.weekday() < 5 and (d.month, d.day) not in shut]
    assert found.labels.astype(object).tolist() == expected
    for label, open_ns, close_ns in zip(expected, found.open_ns, found.close_ns, strict=True):
        opened, closed = (local(int(ns), NEW_YORK) for ns in (open_ns, close_ns))
        assert (closed.date(), closed.time()) == (label, dt.time(17))
        assert (opened.date(), opened.time()) == (label - dt.timedelta(days=1), dt.time(17))
    assert (np.diff(found.close_ns) >= 23 * HOUR).all()
    assert (found.open_ns[1:] >= found.close_ns[:-1]).all()
    assert not found.half_days.any()


@settings(max_examples=60)
@given(st.sampled_from(ZONES), st.integers(0, 23), st.booleans(), STARTS, LENGTHS)
def test_days_of_a_zone_follow_each_other_and_end_by_its_clock(
    zone: str, hour: int, half: bool, start: dt.date, days: int
) -> None:
    minute = 30 * half
    name = f"24/7@{zone} {hour:02}:{minute:02}" if hour or minute else f"24/7@{zone}"
    found = between(name, start, days)
    assert len(found) == days + 1
    assert found.open_ns[1:].tolist() == found.close_ns[:-1].tolist()
    lengths = (found.close_ns - found.open_ns) / HOUR
    assert set(lengths.tolist()) <= {23.0, 24.0, 25.0}
    ahead = 0 if hour or minute else 1  # a day that ends at midnight has the date before
    for label, close_ns in zip(found.labels.astype(object), found.close_ns, strict=True):
        closed = local(int(close_ns), ZoneInfo(zone))
        assert closed.date() == label + dt.timedelta(days=ahead)
        late = closed.hour * 60 + closed.minute - hour * 60 - minute
        assert late in (0, 60)  # an hour late where daylight saving skips the time
    dates = session_dates(found.close_ns, name, "Asia/Tokyo")
    assert dates.tolist() == found.labels.tolist()
    assert calendar_zone(name) == zone


@pytest.mark.parametrize("name", ["XNYS", "XLON", "CMES", "24/5"])
def test_sessions_are_those_of_the_library_across_years(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library is behind pandas
        import exchange_calendars

        known = exchange_calendars.get_calendar(name, start="2010-01-01", end="2022-12-31").schedule
        opens, closes = (
            known[each].dt.tz_convert(None).to_numpy(dtype="datetime64[ns]").astype(np.int64)
            for each in ("open", "close")
        )
    whole = sessions(name, "2010-01-01", "2022-12-31")
    assert whole.labels.astype(str).tolist() == [str(each.date()) for each in known.index]
    assert (whole.open_ns == opens).all()
    assert (whole.close_ns == closes).all()
    for year, after in pairwise(range(2010, 2024)):
        part = sessions(name, f"{year}-01-01", f"{after - 1}-12-31")
        rows = slice(*np.searchsorted(whole.labels, part.labels[[0, -1]]) + np.array([0, 1]))
        assert part.close_ns.tolist() == whole.close_ns[rows].tolist()


@pytest.mark.parametrize(
    ("name", "year", "half"),
    [
        ("XNYS", 2024, ["2024-07-03", "2024-11-29", "2024-12-24"]),
        ("XNYS", 2023, ["2023-07-03", "2023-11-24"]),
        ("XLON", 2024, ["2024-12-24", "2024-12-31"]),
        ("24/7", 2024, []),
        ("24/7@Europe/Berlin", 2024, []),
    ],
)
def test_half_days(name: str, year: int, half: list[str]) -> None:
    days = sessions(name, f"{year}-01-01", f"{year}-12-31")
    assert days.labels[days.half_days].astype(str).tolist() == half


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("24/7@Europe/Berln", "must name an IANA time zone"),
        ("24/7@Europe/Berlin 24:00", "must be like 24/7@Europe/Berlin or"),
        ("24/7@Europe/Berlin 7:00", "must be like 24/7@Europe/Berlin or"),
        ("24/7@", "must be like 24/7@Europe/Berlin or"),
        ("FXX", "must be a name of exchange_calendars, 24/7 or FX; found 'FXX'"),
    ],
)
def test_other_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sessions(name, "2024-01-01", "2024-01-02")


def test_no_zone_is_computed_further_than_its_rules_are() -> None:
    assert len(sessions("FX", "2099-12-30", "2099-12-31")) == 2
    with pytest.raises(CalendarReachError, match="FX covers 1900-01-01 to 2099-12-31"):
        sessions("FX", "2099-12-30", "2100-01-04")


def test_a_fund_over_a_change_of_daylight_saving_decides_at_its_own_close() -> None:
    """Weeks end on Friday 17:00 in New York, in summer and in winter."""
    days = sessions("FX", "2024-03-04", "2024-03-15")
    dates = session_dates(days.close_ns, "FX", "Australia/Sydney")
    assert dates.tolist() == days.labels.tolist()
    assert len(set((days.close_ns % (24 * HOUR)).tolist())) == 2
