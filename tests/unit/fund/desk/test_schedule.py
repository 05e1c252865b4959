"""Whether a barrier decides, one at a time, as over a whole history at once."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.errors import ConfigError
from quantvista.fund.desk import DecisionSchedule, decision_rows
from quantvista.market import sessions

CALENDARS = {
    "XNYS": "America/New_York",
    "XASX": "Australia/Sydney",
    "XTKS": "Asia/Tokyo",
    "24/7": "Europe/Berlin",
    "24/7@America/New_York 17:00": "UTC",
    "24/7@Asia/Tokyo": "UTC",
    "FX": "America/New_York",
}
REBALANCE = ("daily", "week_end", "month_end", "quarter_end")
NS = 10**9


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CALENDARS)),
    st.sampled_from(REBALANCE),
    st.dates(dt.date(2005, 1, 1), dt.date(2024, 1, 1)),
    st.integers(2, 130),
    st.lists(st.integers(1, 5 * 3600), max_size=3),
    st.sampled_from([0, 1, 59, 600]),
)
def test_barriers_decide_as_in_a_backtest(
    calendar: str,
    rebalance: str,
    start: dt.date,
    days: int,
    within: list[int],
    early: int,
) -> None:
    """Sessions end at their close or some seconds before it; other barriers lie within them."""
    known = sessions(calendar, str(start), str(start + dt.timedelta(days=days)))
    barriers: dict[int, bool] = {}
    for close in known.close_ns.tolist():
        end = close - early * NS
        barriers |= {end - seconds * NS: False for seconds in within}
        barriers[end] = True
    ts = np.array(sorted(barriers), dtype=np.int64)
    ends = np.array([barriers[each] for each in ts.tolist()], dtype=np.bool_)
    zone = CALENDARS[calendar]
    batch = decision_rows(ts, ends, rebalance, calendar, zone)
    schedule = DecisionSchedule(rebalance, calendar, zone)
    one_by_one = [
        schedule.decides(each, end) for each, end in zip(ts.tolist(), ends.tolist(), strict=True)
    ]
    # A backtest decides nothing on its last bar, after which nothing could fill.
    assert one_by_one[:-1] == batch[:-1].tolist()


def test_the_last_session_of_a_month_is_known_by_the_calendar() -> None:
    friday = sessions("XNYS", "2024-03-28", "2024-03-28")  # Good Friday is the 29th
    schedule = DecisionSchedule("month_end", "XNYS", "America/New_York")
    close = int(friday.close_ns[0])
    assert schedule.decides(close, session_end=True)
    assert not schedule.decides(close, session_end=False)
    assert not schedule.decides(close - 86_400 * NS, session_end=True)
    assert schedule.next_close(close) == int(
        sessions("XNYS", "2024-04-01", "2024-04-01").close_ns[0]
    )


def test_a_calendar_that_ends_is_said_to() -> None:
    schedule = DecisionSchedule("daily", "XNYS", "America/New_York")
    with pytest.raises(ConfigError, match="XNYS"):
        schedule.decides(int(np.datetime64("2199-12-30", "ns").astype(np.int64)), session_end=True)
