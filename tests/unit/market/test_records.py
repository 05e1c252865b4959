"""Records are proved before they reach the engine, and the row that is wrong is named."""

from typing import Any

import polars as pl
import pytest

from quantvista.errors import MarketDataError
from quantvista.market import SCHEMAS, EventKind, Instrument, Records, check_records

T = 1_700_000_000_000_000_000
STOCK = {"A.X": Instrument("A.X"), "B.X": Instrument("B.X")}
OIL = {"A.X": Instrument("A.X", allow_negative_prices=True)}
NAMES = {"instrument": ["A.X", "A.X", "A.X"]}
TIMES = {"ts_received": [T, T + 1, T + 1]}

GOOD: dict[str, dict[str, list[Any]]] = {
    "quotes": {"bid": [1.0, None, 1.0], "ask": [1.0, 2.0, None]},
    "trades": {"price": [1.0, 2.0, 3.0], "size": [1.0, 2.0, 3.0]},
    "levels": {
        "side": ["bid", "ask", "ask"],
        "price": [1.0, 2.0, 3.0],
        "size": [1.0, 2.0, 0.0],
        "message": [0, 1, 1],
        "snapshot": [True, False, False],
    },
    "orders": {
        "action": ["added", "modified", "deleted"],
        "side": ["bid", "bid", None],
        "price": [1.0, 1.0, None],
        "size": [2.0, 1.0, None],
        "order_id": [7, 7, 7],
        "message": [0, 1, 2],
    },
    "auctions": {"phase": ["open", "close", "open"], "price": [1.0, 1.0, 1.0]},
    "statuses": {"status": ["halted", "trading", "halted"]},
    "funding": {"rate": [0.0001, -0.0001, 0.0]},
    "rates": {"currency": ["EUR", "EUR", "EUR"], "rate": [1.1, 1.2, 1.3]},
}


def records(kind: str, **changes: list[Any]) -> Records:
    names = {} if kind == "rates" else NAMES
    columns = {**TIMES, **names, **GOOD[kind], **changes}
    return Records(kind, pl.DataFrame(columns), "file.csv", row_first=2)


def test_every_kind_has_a_good_example() -> None:
    assert set(GOOD) == set(SCHEMAS)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_good_records_pass(kind: str) -> None:
    made = records(kind)
    assert made.frame.columns == list(SCHEMAS[kind])
    assert made.frame["ts_event"].to_list() == TIMES["ts_received"]
    check_records(made, STOCK)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("quotes", {"ts_received": [T, T - 1, T]}, "'ts_received' must not go back.*in row 3"),
        ("quotes", {"ts_received": [T, 1, T]}, "must be nanoseconds since 1970 UTC.*1 in row 3"),
        ("quotes", {"instrument": ["A.X", None, "A.X"]}, "'instrument' must not be empty.*row 3"),
        ("quotes", {"instrument": ["A.X", "C.X", "A.X"]}, "instruments of the run; found 'C.X'"),
        ("quotes", {"bid": [1.0, None, 1.0], "ask": [1.0, None, 1.0]}, "a quote has a side"),
        ("quotes", {"bid": [2.5, None, 1.0]}, "'bid' must not be above the ask.*2.5 in row 2"),
        ("quotes", {"bid": [0.0, None, 1.0]}, "'bid' must be positive.*allow_negative_prices"),
        ("quotes", {"ask": [float("inf"), 2.0, None]}, "'ask' must be finite; found inf in row 2"),
        ("quotes", {"bid_size": [0.0, None, 1.0]}, "'bid_size' must be positive; empty the bid"),
        ("quotes", {"bid_size": [1.0, 1.0, 1.0]}, "must not stand without a price in bid.*row 3"),
        (
            "trades",
            {"price": [1.0, None, 1.0]},
            "'price' must not be empty; found nothing in row 3",
        ),
        ("trades", {"size": [1.0, 0.0, 1.0]}, "'size' must be positive; found 0.0 in row 3"),
        ("trades", {"price": [1.0, -1.0, 1.0]}, "'price' must be positive.*found -1.0 in row 3"),
        ("levels", {"side": ["bid", None, "ask"]}, "'side' must be bid or ask.*row 3"),
        ("levels", {"size": [0.0, 1.0, 1.0]}, "must be positive in a snapshot; found 0.0 in row 2"),
        ("levels", {"size": [1.0, -1.0, 1.0]}, "'size' must not be negative"),
        ("levels", {"size": [1.0, None, 1.0]}, "must not be empty; 0 removes a level"),
        ("levels", {"message": [0, 1, 0]}, "'message' must not go back; found 0 in row 4"),
        ("levels", {"message": [0, 0, 1]}, "must be the same in all rows of a message.*row 3"),
        (
            "levels",
            {"snapshot": [False, False, True], "size": [1.0, 1.0, 1.0]},
            "'snapshot' must be the same in all rows",
        ),
        ("orders", {"order_id": [7, 8, 7]}, "must be added once.*found 8 in row 3"),
        ("orders", {"action": ["added", "added", "deleted"]}, "must be added once"),
        ("orders", {"action": ["added", "deleted", "deleted"]}, "must be added once.*row 4"),
        ("orders", {"action": ["added", "cleared", "deleted"]}, "must be added once.*row 4"),
        ("orders", {"size": [0.0, 1.0, None]}, "'size' must be positive"),
        ("orders", {"order_id": [7, None, 7]}, "'order_id' must not be empty"),
        ("auctions", {"phase": ["open", None, "open"]}, "'phase' must be open or close"),
        ("auctions", {"volume": [1.0, -1.0, 1.0]}, "'volume' must not be negative"),
        ("statuses", {"status": ["halted", None, "halted"]}, "must be trading or halted"),
        ("funding", {"rate": [0.0, 1.0, 0.0]}, "must be between -1 and 1.*1.0 in row 3"),
        ("rates", {"rate": [1.0, 0.0, 1.0]}, "'rate' must be positive"),
        ("rates", {"currency": ["EUR", None, "EUR"]}, "'currency' must not be empty"),
    ],
)
def test_records_that_cannot_be_are_refused(
    kind: str, changes: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(MarketDataError, match=f"file.csv: .*{message}"):
        check_records(records(kind, **changes), STOCK)


def test_an_order_may_live_again_after_it_was_deleted_or_cleared() -> None:
    times = {"ts_received": [T] * 4, "instrument": ["A.X"] * 4}
    again = {
        "action": ["added", "deleted", "added", "cleared"],
        "side": ["bid", None, "ask", None],
        "price": [1.0, None, 2.0, None],
        "size": [1.0, None, 1.0, None],
        "order_id": [1, 1, 1, None],
        "message": [0, 1, 2, 3],
    }
    check_records(Records("orders", pl.DataFrame(times | again)), STOCK)


def test_negative_prices_pass_where_the_instrument_has_them() -> None:
    check_records(records("trades", price=[-37.63, 0.0, 1.0]), OIL)


def test_an_empty_snapshot_is_a_book_without_levels() -> None:
    nothing: dict[str, list[Any]] = {
        "side": [None, "ask", "ask"],
        "price": [None, 2.0, 3.0],
        "size": [None, 2.0, 0.0],
    }
    check_records(records("levels", **nothing), STOCK)


def test_rows_are_called_by_their_own_number() -> None:
    made = records("trades", price=[1.0, 1.0, -1.0], row=[10, 20, 30])
    with pytest.raises(MarketDataError, match=r"found -1.0 in row 30"):
        check_records(made, STOCK)


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        ("ticks", {"ts_received": [T]}, "`kind` must be one of quotes"),
        ("trades", {"ts_received": [T], "instrument": ["A.X"]}, "must have a column 'price'"),
        ("trades", {"instrument": ["A.X"]}, "must have a column 'ts_received'"),
    ],
)
def test_tables_without_what_they_need_are_refused(
    kind: str, columns: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(MarketDataError, match=message):
        Records(kind, pl.DataFrame(columns))


def test_timestamps_with_a_zone_are_understood_and_naive_ones_refused() -> None:
    stamp = pl.Series("ts_received", [T], dtype=pl.Int64).cast(pl.Datetime("ns"))
    frame = pl.DataFrame({"instrument": ["A.X"], "rate": [0.1]})
    aware = frame.with_columns(stamp.dt.replace_time_zone("UTC"))
    assert Records("funding", aware).frame["ts_received"][0] == T
    with pytest.raises(MarketDataError, match="must have a time zone"):
        Records("funding", frame.with_columns(stamp))


def test_kinds_have_the_numbers_of_the_engine() -> None:
    assert [kind.value for kind in EventKind] == list(range(1, 18))
