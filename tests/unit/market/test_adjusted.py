"""Adjusted prices as of a decision: by hand, and by generated histories."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.errors import ConfigError, MarketDataError
from quantvista.market import adjusted, distinct_actions


def bars(closes: list[float], **more: object) -> pl.DataFrame:
    """Bars at 10, 20, 30 and so on."""
    stamps = [10 * (place + 1) for place in range(len(closes))]
    frame = pl.DataFrame({"instrument": "A.X", "ts_event": stamps, "close": closes})
    return frame.with_columns(**{name: pl.lit(value) for name, value in more.items()})


def action(kind: str, ts: int, **terms: object) -> dict[str, object]:
    row: dict[str, object] = {"instrument": "A.X", "action": kind, "ts_event": ts, "known_at": ts}
    return {**row, "source": "one", "numerator": None, "denominator": None, "amount": None, **terms}


def table(*rows: dict[str, object]) -> pl.DataFrame:
    schema = {"numerator": pl.Int64, "denominator": pl.Int64, "amount": pl.String}
    return pl.DataFrame(list(rows), schema_overrides=schema, infer_schema_length=None)


def split(ts: int, new: int, old: int, **more: object) -> dict[str, object]:
    return action("split", ts, numerator=new, denominator=old, **more)


def dividend(ts: int, amount: str, **more: object) -> dict[str, object]:
    return action("cash_dividend", ts, amount=amount, **more)


def test_a_split_changes_prices_and_volume_before_it() -> None:
    found = adjusted(bars([40.0, 44.0, 11.0], volume=100), table(split(25, 4, 1)), 30)
    assert found["close"].to_list() == [10.0, 11.0, 11.0]
    assert found["volume"].to_list() == [400.0, 400.0, 100.0]
    assert found["factor"].to_list() == [0.25, 0.25, 1.0]


def test_a_dividend_is_a_share_of_the_close_before_it() -> None:
    found = adjusted(bars([50.0, 100.0, 98.0], volume=100), table(dividend(25, "2")), 30)
    assert found["close"].to_list() == [49.0, 98.0, 98.0]
    assert found["volume"].to_list() == [100.0] * 3
    raw = adjusted(bars([50.0, 100.0, 98.0]), table(dividend(25, "2")), 30, dividends=False)
    assert raw["close"].to_list() == [50.0, 100.0, 98.0]


def test_nothing_is_adjusted_before_it_happened_and_was_known() -> None:
    prices, actions = bars([40.0, 40.0, 10.0]), table(split(25, 4, 1, known_at=5))
    assert adjusted(prices, actions, 24)["close"].to_list() == [40.0, 40.0]
    assert adjusted(prices, actions, 25)["close"].to_list() == [10.0, 10.0]
    late = table(split(25, 4, 1, known_at=40))
    assert adjusted(prices, late, 39)["close"].to_list() == [40.0, 40.0, 10.0]
    assert adjusted(prices, late, 40)["close"].to_list() == [10.0, 10.0, 10.0]


def test_bars_that_were_known_later_are_left_out() -> None:
    first = bars([40.0, 41.0]).with_columns(known_at=pl.col("ts_event"))
    revised = first.filter(pl.col("ts_event") == 20).with_columns(
        known_at=pl.lit(50, dtype=pl.Int64), close=pl.lit(42.0)
    )
    both = pl.concat([first, revised.select(first.columns)])
    assert adjusted(both, table(split(15, 2, 1)), 49)["close"].to_list() == [20.0, 41.0]
    assert adjusted(both, table(split(15, 2, 1)), 50)["close"].to_list() == [20.0, 42.0]


def test_a_correction_of_an_action_takes_its_place_from_when_it_was_known() -> None:
    rows = [dividend(25, "2", number=0), dividend(25, "4", number=0, known_at=30)]
    prices = bars([100.0, 100.0, 98.0])
    assert adjusted(prices, table(*rows), 29)["close"].to_list() == [98.0, 98.0]
    assert adjusted(prices, table(*rows), 30)["close"].to_list() == [96.0, 96.0, 98.0]


def test_a_dividend_and_a_split_of_one_day() -> None:
    found = adjusted(bars([100.0, 49.0]), table(dividend(15, "2"), split(15, 2, 1)), 20)
    assert found["close"].to_list() == [49.0, 49.0]


def test_stock_dividends_and_spin_offs() -> None:
    stock = action("stock_dividend", 15, numerator=1, denominator=4)
    assert adjusted(bars([10.0, 8.0]), table(stock), 20)["close"].to_list() == [8.0, 8.0]
    spun = action("spin_off", 15, numerator=1, denominator=2, into_price="4")
    assert adjusted(bars([10.0, 8.0]), table(spun), 20)["close"].to_list() == [8.0, 8.0]
    bare = action("spin_off", 15, numerator=1, denominator=2)
    with pytest.raises(MarketDataError, match="`into_price` must be there"):
        adjusted(bars([10.0, 8.0]), table(bare), 20)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(MarketDataError, match=r"below the close before it, 10\.0; found 11"):
        adjusted(bars([10.0, 1.0]), table(dividend(15, "11")), 20)
    early = adjusted(bars([10.0, 11.0]), table(dividend(5, "11")), 20)
    assert early["close"].to_list() == [10.0, 11.0]


def test_the_same_action_of_two_sources_counts_once() -> None:
    day = 86_400 * 10**9
    rows = [
        dividend(10 * day, "0.22"),
        dividend(10 * day, "0.05", number=1),  # a special one beside it: both count
        dividend(11 * day, "0.2701", source="two"),  # the sum, a day off and rounded
        dividend(100 * day, "0.22"),
        dividend(100 * day + 5, "0.22", source="two"),
        dividend(190 * day, "0.22", source="two"),
        split(50 * day, 4, 1, source="two"),
        split(50 * day, 4, 1),
    ]
    found = distinct_actions(table(*rows))
    assert found.select("source", "ts_event").rows() == [
        ("one", 10 * day),
        ("one", 10 * day),
        ("one", 50 * day),
        ("one", 100 * day),
        ("two", 190 * day),
    ]
    other = distinct_actions(table(*rows), sources=["two"])
    assert set(other["source"]) == {"two"}
    assert other["ts_event"].to_list() == [11 * day, 50 * day, 100 * day + 5, 190 * day]
    with pytest.raises(ConfigError, match="must name each source once"):
        distinct_actions(table(*rows), sources=["two", "two"])


def test_sources_that_contradict_each_other_are_refused() -> None:
    rows = [split(25, 4, 1), split(25, 2, 1, source="two")]
    with pytest.raises(MarketDataError, match=r"sources must agree on the split of .A\.X."):
        adjusted(bars([4.0, 4.0, 1.0]), table(*rows), 30)


@dataclass(frozen=True)
class History:
    """A generated stock: what one unit of the first day is worth, and what was paid and split."""

    frame: pl.DataFrame
    actions: pl.DataFrame
    worth: np.ndarray


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Raw prices of a stock whose total return is drawn, and actions that two sources report."""
    count = draw(st.integers(2, 12))
    moves = draw(st.lists(st.floats(-0.2, 0.2), min_size=count, max_size=count))
    worth = 100.0 * np.cumprod(1.0 + np.array(moves))
    close, rows = [float(worth[0])], []
    for day in range(1, count):
        price = close[-1] * worth[day] / worth[day - 1]
        what = draw(st.sampled_from(["nothing", "split", "dividend", "both"]))
        ts = 10 * (day + 1) - 5
        if what in ("dividend", "both"):
            share = draw(st.floats(0.01, 0.2))
            amount = close[-1] * share
            price *= 1.0 - share
            rows.append(dividend(ts, repr(float(amount))))
        if what in ("split", "both"):
            new, old = draw(st.sampled_from([(2, 1), (3, 2), (7, 1), (1, 10)]))
            price *= old / new
            rows.append(split(ts, new, old))
        close.append(price)
    again = draw(st.sets(st.sampled_from(range(len(rows))))) if rows else set()
    rows += [{**rows[place], "source": "two"} for place in sorted(again)]
    empty = split(0, 2, 1)
    return History(bars(close), table(*rows, empty).filter(pl.col("ts_event") > 0), worth)


@given(histories(), st.integers(0, 12))
def test_no_split_is_seen_and_no_dividend_counts_twice(history: History, day: int) -> None:
    """Generated histories: as of every time the adjusted returns are the total returns."""
    as_of = 10 * (min(day, history.frame.height - 1) + 1)
    found = adjusted(history.frame, history.actions, as_of)["close"].to_numpy()
    worth = history.worth[: len(found)]
    assert found[-1] == history.frame["close"][len(found) - 1], "the last price is as it traded"
    np.testing.assert_allclose(found[1:] / found[:-1], worth[1:] / worth[:-1], rtol=1e-9)


@given(histories(), st.integers(0, 12))
def test_what_happens_later_changes_nothing(history: History, day: int) -> None:
    as_of = 10 * (min(day, history.frame.height - 1) + 1)
    before = adjusted(
        history.frame.filter(pl.col("ts_event") <= as_of),
        history.actions.filter(pl.col("ts_event") <= as_of),
        as_of,
    )
    assert adjusted(history.frame, history.actions, as_of).equals(before)
