"""Bars one by one: windows, sessions, sizes, what is known when, and what is refused."""

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from quantvista.data.bars import BarBuilder, BarCounts, BarOptions, BarSpec, aggregate
from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import sessions

SECOND, MINUTE = 10**9, 60 * 10**9
DAY = 1440 * MINUTE
DAY_0 = 1_709_510_400_000_000_000  # Monday 2024-03-04, midnight UTC


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "Z").timestamp()) * SECOND


def ticks(*rows: tuple[int, float, float], **columns: list[str]) -> pl.DataFrame:
    names = ["ts_event", "price", "size"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(**{name: pl.Series(values) for name, values in columns.items()})


def bars(
    frame: pl.DataFrame,
    spec: BarSpec,
    *columns: str,
    **options: Any,  # noqa: ANN401 - those of BarOptions and aggregate
) -> list[tuple[Any, ...]]:
    ending = {name: options.pop(name) for name in ("until", "partial") if name in options}
    found = aggregate(frame, spec, BarOptions(**options), **ending).bars[spec.name]
    return found.select(columns).rows()


OHLCV = ("open", "high", "low", "close", "volume")


def test_a_window_holds_its_start_and_not_its_end() -> None:
    frame = ticks((0, 5.0, 1.0), (MINUTE - 1, 7.0, 2.0), (MINUTE, 6.0, 4.0), (2 * MINUTE, 1.0, 1.0))
    found = bars(frame, BarSpec("time", "1m"), "ts_start", "ts_event", *OHLCV, "value", "ticks")
    assert found == [
        (0, MINUTE, 5.0, 7.0, 5.0, 7.0, 3.0, 19.0, 2),
        (MINUTE, 2 * MINUTE, 6.0, 6.0, 6.0, 6.0, 4.0, 24.0, 1),
    ]


def test_the_last_bar_is_given_only_when_asked_for_and_marked() -> None:
    frame = ticks((0, 5.0, 1.0), (3, 6.0, 1.0))
    spec = BarSpec("time", "1m")
    assert bars(frame, spec, "close") == []
    assert bars(frame, spec, "ts_event", "close", "ended_by", partial=True) == [(3, 6.0, "open")]
    assert bars(frame, spec, "ts_event", "ended_by", until=MINUTE) == [(MINUTE, "clock")]
    assert bars(frame, spec, "close", until=MINUTE - 1) == []


def test_a_bar_is_known_at_its_end_and_not_before_its_last_row_was_received() -> None:
    frame = ticks((0, 5.0, 1.0), (9, 6.0, 1.0), (MINUTE, 7.0, 1.0))
    late = frame.with_columns(ts_received=pl.Series([MINUTE + 50, 9, MINUTE]))
    known = late.with_columns(known_at=pl.Series([MINUTE + 50, MINUTE + 70, MINUTE]))
    columns = ("ts_event", "ts_received", "known_at")
    spec = BarSpec("time", "1m")
    assert bars(frame, spec, *columns) == [(MINUTE, MINUTE, MINUTE)]
    assert bars(late, spec, *columns) == [(MINUTE, MINUTE + 50, MINUTE + 50)]
    assert bars(known, spec, *columns) == [(MINUTE, MINUTE + 50, MINUTE + 70)]
    assert bars(late, BarSpec("tick", 2), *columns) == [(9, MINUTE + 50, MINUTE + 50)]


def test_the_row_that_reaches_a_size_ends_the_bar_whole() -> None:
    frame = ticks((1, 10.0, 6.0), (2, 11.0, 6.0), (3, 12.0, 1.0), (4, 13.0, 30.0), (5, 9.0, 2.0))
    found = bars(frame, BarSpec("volume", 10), "ts_start", "ts_event", "volume", "vwap", "number")
    assert found == [(1, 2, 12.0, 10.5, 1), (3, 4, 31.0, 402 / 31, 2)]
    assert bars(frame, BarSpec("dollar", 120), "ts_event", "value") == [(2, 126.0), (4, 402.0)]
    assert bars(frame, BarSpec("tick", 2), "ts_event", "ended_by") == [(2, "size"), (4, "size")]


def test_ten_tenths_reach_one() -> None:
    frame = ticks(*((second, 1.0, 0.1) for second in range(10)))
    assert bars(frame, BarSpec("volume", 1), "ts_event", "volume") == [(9, 1.0)]


def test_sides_come_from_the_rows_or_from_the_last_change_of_the_price() -> None:
    frame = ticks((1, 10.0, 1.0), (2, 11.0, 2.0), (3, 11.0, 4.0), (4, 10.5, 8.0))
    spec = BarSpec("tick", 4)
    given = frame.with_columns(aggressor=pl.Series(["sell", "buy", None, "buy"]))
    assert bars(given, spec, "buy_volume", "sell_volume") == [(10.0, 1.0)]
    assert bars(frame, spec, "buy_volume", "sell_volume", sides="tick_rule") == [(6.0, 8.0)]
    assert "buy_volume" not in aggregate(frame, spec).bars["tick_4"].columns


def test_no_bar_leaves_its_session_and_half_days_end_early() -> None:
    half = at("2024-07-03T16:58:00")  # closes at 17:00 UTC, 13:00 in New York
    frame = ticks(
        (half, 1.0, 1.0),
        (half + 90 * SECOND, 2.0, 1.0),
        (half + 3 * MINUTE, 3.0, 1.0),  # after the close
        (at("2024-07-05T13:30:00"), 4.0, 1.0),
        (at("2024-07-05T14:31:00"), 5.0, 1.0),
    )
    found = aggregate(
        frame, [BarSpec("time", "1h"), BarSpec("volume", 9)], BarOptions(calendar="XNYS")
    )
    assert found.counts == BarCounts(rows=5, outside=1)
    close, opened = at("2024-07-03T17:00:00"), at("2024-07-05T13:30:00")
    columns = ("ts_start", "ts_event", "close", "ended_by")
    assert found.bars["1h"].select(columns).rows() == [
        (close - 30 * MINUTE, close, 2.0, "clock"),
        (opened, opened + 60 * MINUTE, 4.0, "clock"),
    ]
    assert found.bars["volume_9"].select(columns).rows() == [(half, close, 2.0, "session")]


def test_a_row_outside_the_session_says_that_it_is_over() -> None:
    close = at("2024-07-03T17:00:00")
    frame = ticks((close - 1, 1.0, 1.0), (close + 5 * MINUTE, 2.0, 1.0))
    found = bars(frame, BarSpec("time", "1m"), "ts_event", "close", calendar="XNYS")
    assert found == [(close, 1.0)]


def test_rows_outside_the_sessions_can_be_kept_in_bars_of_their_own() -> None:
    close = at("2024-07-03T17:00:00")
    frame = ticks((close - 1, 1.0, 1.0), (close, 2.0, 1.0), (close + 60 * MINUTE, 3.0, 1.0))
    options = {"calendar": "XNYS", "outside": "keep"}
    found = bars(frame, BarSpec("time", "1h"), "ts_start", "close", partial=True, **options)
    assert found == [(close - 30 * MINUTE, 1.0), (close, 2.0), (close + 60 * MINUTE, 3.0)]


def test_hours_can_be_counted_from_the_day_in_place_of_the_open() -> None:
    opened = at("2024-03-05T14:30:00")
    frame = ticks((opened, 1.0, 1.0), (opened + 45 * MINUTE, 2.0, 1.0))
    new_york = {"calendar": "XNYS", "time_zone": "America/New_York"}
    columns = ("ts_start", "ts_event")
    by_open = bars(frame, BarSpec("time", "1h"), *columns, until=opened + DAY, **new_york)
    assert by_open == [(opened, opened + 60 * MINUTE)]
    by_day = bars(
        frame, BarSpec("time", "1h"), *columns, until=opened + DAY, anchor="day", **new_york
    )
    ten = opened + 30 * MINUTE
    assert by_day == [(opened, ten), (ten, ten + 60 * MINUTE)]


def test_a_day_begins_in_its_zone_and_may_have_25_hours() -> None:
    zone = {"time_zone": "America/New_York"}
    start = at("2024-11-03T04:00:00")  # the day on which clocks go back
    frame = ticks((start, 1.0, 1.0), (start + 25 * 60 * MINUTE, 2.0, 1.0))
    assert bars(frame, BarSpec("time", "1d"), "ts_start", "ts_event", **zone) == [
        (start, start + 25 * 60 * MINUTE)
    ]
    four = bars(frame, BarSpec("time", "4h"), "ts_event", fill=True, **zone)
    assert [(end - start) // (60 * MINUTE) for (end,) in four] == [4, 8, 12, 16, 20, 24, 25]


def test_weeks_and_months_of_a_calendar_end_with_their_last_session() -> None:
    found = sessions("XNYS", "2024-02-26", "2024-04-05")
    frame = ticks(*((int(ts), 1.0, 1.0) for ts in found.open_ns))
    weeks, months = ["03-01", "03-08", "03-15", "03-22", "03-28"], ["02-29", "03-28"]
    labels = found.labels.astype(str).tolist()
    for every, ends in (("1w", weeks), ("1mo", months)):
        made = bars(frame, BarSpec("time", every), "ts_event", calendar="XNYS")
        closes = [int(found.close_ns[labels.index(f"2024-{day}")]) for day in ends]
        assert [end for (end,) in made] == closes


def test_the_week_of_currencies_is_one_bar_in_days_of_new_york() -> None:
    sunday = at("2024-03-03T22:00:00")
    frame = ticks((sunday, 1.0, 1.0), (sunday + DAY, 2.0, 1.0), (sunday + 7 * DAY, 3.0, 1.0))
    found = bars(frame, BarSpec("time", "1d"), "ts_start", "close", time_zone="America/New_York")
    assert found == [(at("2024-03-03T05:00:00"), 1.0), (at("2024-03-04T05:00:00"), 2.0)]


def test_empty_windows_are_filled_when_asked_for_within_sessions_only() -> None:
    close = at("2024-07-03T17:00:00")
    frame = ticks((close - 150 * SECOND, 5.0, 2.0), (at("2024-07-05T13:31:00"), 6.0, 1.0))
    found = bars(
        frame, BarSpec("time", "1m"), "ts_event", *OHLCV, "ticks", calendar="XNYS", fill=True
    )
    opened = at("2024-07-05T13:30:00")
    assert found == [
        (close - 2 * MINUTE, *[5.0] * 4, 2.0, 1),
        (close - MINUTE, *[5.0] * 4, 0.0, 0),
        (close, *[5.0] * 4, 0.0, 0),
        (opened + MINUTE, *[5.0] * 4, 0.0, 0),
    ]


def test_a_gap_that_would_be_filled_with_millions_of_bars_is_refused() -> None:
    frame = ticks((0, 5.0, 2.0), (400 * DAY, 6.0, 1.0))
    with pytest.raises(MarketDataError, match="more than 10,000,000 bars"):
        bars(frame, BarSpec("time", "1s"), "close", fill=True)


def test_late_rows_and_rows_without_a_price_are_refused_with_their_place_or_counted() -> None:
    frame = ticks((5, 1.0, 1.0), (4, 2.0, 1.0), (6, float("nan"), 1.0), (7, 3.0, -1.0))
    frame = frame.with_columns(instrument=pl.lit("A.X"))
    with pytest.raises(MarketDataError, match=r"found 4 after 5 in row 2 of 'A.X'"):
        aggregate(frame, BarSpec("tick", 1))
    with pytest.raises(MarketDataError, match=r"found price NaN and size 1 in row 3 of 'A.X'"):
        aggregate(frame, BarSpec("tick", 1), BarOptions(late="drop"))
    found = aggregate(frame, BarSpec("tick", 1), BarOptions(late="drop", missing="drop"))
    assert found.counts == BarCounts(rows=4, late=1, missing=2)
    assert found.bars["tick_1"]["ts_event"].to_list() == [5]


def test_quotes_become_bars_of_the_price_that_is_named() -> None:
    frame = pl.DataFrame(
        {"ts_event": [0, 1, MINUTE], "bid": [1.0, 3.0, 2.0], "ask": [2.0, 5.0, 3.0]}
    )
    spec = BarSpec("time", "1m")
    assert bars(frame, spec, "open", "close", "ticks") == [(1.5, 4.0, 2)]
    assert bars(frame, spec, "open", "close", price="ask") == [(2.0, 5.0)]
    assert "volume" not in aggregate(frame, spec).bars["1m"].columns
    with pytest.raises(ConfigError, match="quotes, which have no volume"):
        aggregate(frame, BarSpec("volume", 3))


def hour_of(*minutes: tuple[int, float, float, float, float, float]) -> pl.DataFrame:
    names = ["ts_event", "open", "high", "low", "close", "volume"]
    return pl.DataFrame(minutes, schema=names, orient="row")


def test_bars_belong_to_the_window_in_which_they_end() -> None:
    frame = hour_of(
        (59 * MINUTE, 1.0, 4.0, 1.0, 2.0, 10.0),
        (60 * MINUTE, 2.0, 3.0, 0.5, 3.0, 5.0),
        (61 * MINUTE, 3.0, 3.0, 3.0, 3.0, 1.0),
    )
    found = bars(frame, BarSpec("time", "1h"), "ts_event", *OHLCV)
    assert found == [(60 * MINUTE, 1.0, 4.0, 0.5, 3.0, 15.0)]


def test_a_bar_that_ends_with_its_window_needs_no_later_row() -> None:
    frame = hour_of((60 * MINUTE, 2.0, 3.0, 0.5, 3.0, 5.0))
    assert bars(frame, BarSpec("time", "1h"), "close") == [(3.0,)]


def test_volume_that_is_missing_in_a_bar_is_missing_in_the_longer_one() -> None:
    frame = hour_of(
        (30 * MINUTE, 1.0, 1.0, 1.0, 1.0, 2.0), (60 * MINUTE, 1.0, 1.0, 1.0, 1.0, float("nan"))
    )
    assert bars(frame, BarSpec("time", "1h"), "close", "volume") == [(1.0, None)]


def test_bars_that_do_not_fit_into_longer_ones_are_refused() -> None:
    frame = hour_of((7 * MINUTE, 1.0, 1.0, 1.0, 1.0, 2.0)).with_columns(ts_start=4 * MINUTE)
    with pytest.raises(MarketDataError, match="within one longer bar"):
        aggregate(frame, BarSpec("time", "5m"))
    again = hour_of(*[(MINUTE, 1.0, 1.0, 1.0, 1.0, 2.0)] * 2)
    with pytest.raises(MarketDataError, match=r"must rise; found 60000000000 after 60000000000"):
        aggregate(again, BarSpec("time", "5m"))


def test_balanced_flow_makes_imbalance_bars_of_about_the_length_that_was_asked_for() -> None:
    sides = np.random.default_rng(1).choice(["buy", "sell"], 40_000).tolist()
    frame = ticks(*((number, 10.0, 1.0) for number in range(40_000)), aggressor=sides)
    for kind in ("tick_imbalance", "volume_imbalance", "dollar_imbalance"):
        spec = BarSpec(kind, 100)
        found = aggregate(frame, spec).bars[spec.name]
        assert found["ticks"].is_between(25, 400).all()
        assert 50 < found["ticks"].sum() / found.height < 250


def test_one_sided_flow_ends_imbalance_bars_as_it_is_expected() -> None:
    frame = ticks(*((number, 10.0, 1.0) for number in range(1_000)), aggressor=["buy"] * 1_000)
    found = bars(frame, BarSpec("tick_imbalance", 50), "ticks", "ended_by")
    assert found == [(50, "size")] * 20


def test_a_bar_builder_says_what_does_not_fit() -> None:
    with pytest.raises(ConfigError, match=r"such as 5m; found '5min', did you mean 5m\?"):
        BarSpec("time", "5min")
    with pytest.raises(ConfigError, match=r"found '2d'"):
        BarSpec("time", "2d")
    with pytest.raises(ConfigError, match=r"found 'volum', did you mean volume\?"):
        BarSpec("volum", 3)
    with pytest.raises(ConfigError, match="must be a positive number; found -3"):
        BarSpec("dollar", -3)
    with pytest.raises(ConfigError, match="1 <= least <= size <= most"):
        BarSpec("tick_imbalance", 10, least=11)
    with pytest.raises(ConfigError, match="must be different; found 5m, 5m"):
        BarBuilder([BarSpec("time", "5m")] * 2)
    with pytest.raises(ConfigError, match=r"`fill` must not come with `outside`"):
        BarOptions(calendar="XNYS", outside="keep", fill=True)
    with pytest.raises(ConfigError, match="no column 'aggressor': tick_rule takes the side"):
        aggregate(ticks((1, 1.0, 1.0)), BarSpec("tick_imbalance", 5))
    with pytest.raises(MarketDataError, match="at least one row; found none"):
        aggregate(ticks((1, 1.0, 1.0)).head(0), BarSpec("tick", 5))
    with pytest.raises(MarketDataError, match="found columns ts_event"):
        aggregate(pl.DataFrame({"ts_event": [1]}), BarSpec("tick", 5))


def test_a_snapshot_is_taken_back_only_by_the_same_kinds() -> None:
    builder = BarBuilder([BarSpec("tick", 5)])
    with pytest.raises(ConfigError, match="found none"):
        builder.snapshot()
    builder.add(ticks((1, 1.0, 1.0)))
    state = builder.snapshot()
    with pytest.raises(ConfigError, match="belongs to another setting"):
        BarBuilder([BarSpec("tick", 6)]).restore(state)
    for damaged in (state[:-1], b"", b"given|close\n", state[:-1] + bytes([state[-1] ^ 1])):
        with pytest.raises(ConfigError, match="damaged"):
            builder.restore(damaged)
    assert builder.snapshot() == state
