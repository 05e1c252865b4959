"""A bar belongs to the session that it closes in, and is dated by it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from quantvista.market import session_dates, session_ends


def stamps(*times: str) -> NDArray[np.int64]:
    return np.array(times, "M8[ns]").astype(np.int64)


def dates(ts: NDArray[np.int64], calendar: str, zone: str) -> list[str]:
    found: list[str] = session_dates(ts, calendar, zone).astype(str).tolist()
    return found


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/London", "Asia/Tokyo"])
@pytest.mark.parametrize("calendar", ["24/7", "24/5"])
def test_a_close_at_midnight_ends_the_day_before(calendar: str, zone: str) -> None:
    """In every time zone, and in summer and winter alike."""
    closes = stamps("2024-01-03", "2024-03-30", "2024-07-03")
    assert dates(closes, calendar, zone) == ["2024-01-02", "2024-03-29", "2024-07-02"]


def test_closes_of_an_exchange_have_the_date_of_their_time_zone() -> None:
    closes = stamps("2024-01-02T21:00", "2024-07-03T17:00")
    assert dates(closes, "XNYS", "America/New_York") == ["2024-01-02", "2024-07-03"]
    assert dates(stamps("2024-01-02T05:00"), "XASX", "Australia/Sydney") == ["2024-01-02"]


def test_every_bar_of_daily_data_ends_a_session() -> None:
    """Also where the time zone of another continent calls two of them by one date."""
    closes = stamps("2024-04-05T05:00", "2024-04-08T06:00", "2024-04-09T06:00")
    assert session_ends(closes, "XASX", "America/New_York").all()
    assert session_ends(closes[:1], "", "UTC").tolist() == [True]
    assert session_ends(closes[:0], "", "UTC").tolist() == []


def test_a_session_over_midnight_ends_once() -> None:
    bars = stamps(
        "2024-01-02T23:30", "2024-01-03T12:00", "2024-01-03T23:00",
        "2024-01-03T23:30", "2024-01-04T12:00", "2024-01-04T23:00",
    )  # fmt: skip
    assert session_ends(bars, "CMES", "America/Chicago").nonzero()[0].tolist() == [2, 5]


@pytest.mark.parametrize("calendar", ["", "NO_SUCH"])
def test_without_a_calendar_bars_of_one_date_are_a_session(calendar: str) -> None:
    bars = stamps("2024-01-02T20:00", "2024-01-03T00:00", "2024-01-03T20:00")
    assert session_ends(bars, calendar, "UTC").tolist() == [False, True, True]
    assert session_ends(bars, calendar, "America/New_York").tolist() == [False, True, True]
