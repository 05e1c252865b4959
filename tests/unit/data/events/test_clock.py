"""Barriers, ends of days, and the instants of corporate actions."""

import numpy as np
import pytest

from quantvista.data.events import clock_tape, session_clock
from quantvista.engine import Tape
from quantvista.errors import MarketDataError

NEW_YORK = "America/New_York"
MINUTE = 60 * 10**9


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def shown(tape: Tape) -> list[tuple[str, int]]:
    stamps = tape.ts_received.astype("datetime64[ns]").astype("datetime64[s]").astype(str).tolist()
    return list(zip(stamps, tape.flag.tolist(), strict=True))


def test_sessions_begin_and_end_at_their_open_and_close() -> None:
    first, last = ns("2024-07-03T08:00"), ns("2024-07-05T23:00")
    clock = session_clock("XNYS", NEW_YORK, first, last)
    barriers, days = clock_tape(clock, first, last)
    assert shown(barriers) == [
        ("2024-07-03T13:30:00", 1),
        ("2024-07-03T17:00:00", 2),  # an early close
        ("2024-07-05T13:30:00", 1),
        ("2024-07-05T20:00:00", 2),
    ]
    assert shown(days) == [
        ("2024-07-03T17:00:00", 1),
        ("2024-07-05T04:00:00", 0),  # Independence Day is over at midnight in New York
        ("2024-07-05T20:00:00", 1),
    ]


def test_sessions_are_cut_to_the_events() -> None:
    first, last = ns("2024-08-08T23:54"), ns("2024-08-09T00:05")
    clock = session_clock("24/7", NEW_YORK, first, last)
    barriers, days = clock_tape(clock, first, last)
    assert shown(barriers) == [
        ("2024-08-08T23:54:00", 1),
        ("2024-08-09T00:00:00", 3),  # the end of one day is the start of the next
        ("2024-08-09T00:05:00", 2),
    ]
    assert shown(days) == [("2024-08-09T00:00:00", 1), ("2024-08-09T00:05:00", 1)]


def test_barriers_within_a_session_are_counted_from_its_open() -> None:
    first, last = ns("2024-08-08T23:58:30"), ns("2024-08-09T00:00:30")
    clock = session_clock("24/7", NEW_YORK, first, last)
    barriers, _ = clock_tape(clock, first, last, every_ns=MINUTE)
    assert [stamp[11:] for stamp, _ in shown(barriers)] == [
        "23:58:30",
        "23:59:00",
        "00:00:00",
        "00:00:30",
    ]


def test_bars_begin_and_end_the_sessions_that_have_them() -> None:
    ts = np.array([ns("2024-07-03T15:00"), ns("2024-07-03T16:00")])
    first, last = int(ts[0]), ns("2024-07-05T22:00")
    clock = session_clock("XNYS", NEW_YORK, first, last)
    bars = (ts, np.array([True, False]), np.array([False, True]))
    barriers, _ = clock_tape(clock, first, last, bars)
    assert shown(barriers) == [
        ("2024-07-03T15:00:00", 1),
        ("2024-07-03T16:00:00", 2),
        ("2024-07-05T13:30:00", 1),
        ("2024-07-05T20:00:00", 2),
    ]


def test_actions_come_before_the_data_of_their_session() -> None:
    clock = session_clock("XNYS", NEW_YORK, ns("2024-07-03T08:00"), ns("2024-07-05T22:00"))
    assert clock.before(np.datetime64("2024-07-05")) == ns("2024-07-05T04:00") + 1
    with pytest.raises(MarketDataError, match=r"`ex_date` must be a session.*2024-07-04"):
        clock.before(np.datetime64("2024-07-04"))
    days = session_clock("24/7", NEW_YORK, ns("2024-07-03T08:00"), ns("2024-07-04T22:00"))
    assert days.before(np.datetime64("2024-07-04")) == ns("2024-07-04") + 1
    futures = session_clock("CMES", NEW_YORK, ns("2024-07-08T18:00"), ns("2024-07-09T15:00"))
    opened = int(futures.days.open_ns[-1])  # in the evening before
    assert opened < futures.midnight(np.datetime64("2024-07-09"))
    assert futures.before(np.datetime64("2024-07-09")) == opened + 1


def test_a_session_has_the_hours_around_it_unless_it_opens_the_evening_before() -> None:
    clock = session_clock("XNYS", NEW_YORK, ns("2024-07-03T08:00"), ns("2024-07-05T22:00"))
    assert clock.span == (ns("2024-07-03T04:00"), ns("2024-07-06T04:00"))
    futures = session_clock("CMES", NEW_YORK, ns("2024-07-09T10:00"), ns("2024-07-09T15:00"))
    assert futures.span == (int(futures.days.open_ns[0]), int(futures.days.close_ns[-1]))


def test_a_midnight_that_daylight_saving_skips() -> None:
    clock = session_clock("24/7", NEW_YORK, ns("2024-07-03T08:00"), ns("2024-07-03T22:00"))
    havana = type(clock)(clock.days, "America/Havana")
    assert havana.midnight(np.datetime64("2024-03-10")) == ns("2024-03-10T05:00")


def test_events_on_no_session_are_refused() -> None:
    with pytest.raises(MarketDataError, match="must touch a session of XNYS"):
        session_clock("XNYS", NEW_YORK, ns("2024-07-06T08:00"), ns("2024-07-06T22:00"))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # Daylight saving begins on the Sunday: 17:00 in New York is 22:00 UTC, then 21:00.
        (
            "2024-03-08",
            [
                ("2024-03-08T22:00:00", 1),
                ("2024-03-10T05:00:00", 0),  # Saturday is over at midnight in New York
                ("2024-03-10T21:00:00", 0),  # Sunday when the week opens, not within Monday
                ("2024-03-11T21:00:00", 1),
                ("2024-03-12T10:00:00", 1),
            ],
        ),
        # It ends: 21:00 UTC, then 22:00.
        (
            "2024-11-01",
            [
                ("2024-11-01T21:00:00", 1),
                ("2024-11-03T04:00:00", 0),
                ("2024-11-03T22:00:00", 0),
                ("2024-11-04T22:00:00", 1),
                ("2024-11-05T10:00:00", 1),
            ],
        ),
    ],
)
@pytest.mark.parametrize("zone", [NEW_YORK, "Australia/Sydney"])
def test_days_of_currencies_are_reset_at_17_in_new_york_whatever_the_fund_says(
    day: str, expected: list[tuple[str, int]], zone: str
) -> None:
    first = ns(f"{day}T10:00")
    last = first + 4 * 86_400 * 10**9
    _, days = clock_tape(session_clock("FX", zone, first, last), first, last)
    assert shown(days) == expected


def test_days_of_a_zone_are_reset_at_its_midnight() -> None:
    first, last = ns("2024-03-30T12:00"), ns("2024-04-01T12:00")
    clock = session_clock("24/7@Europe/Berlin", NEW_YORK, first, last)
    _, days = clock_tape(clock, first, last)
    assert shown(days) == [
        ("2024-03-30T23:00:00", 1),
        ("2024-03-31T22:00:00", 1),  # a day of 23 hours
        ("2024-04-01T12:00:00", 1),
    ]
