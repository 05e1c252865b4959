"""Records become whole units on one tape, in the one order."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantvista.engine import MISSING, MORE, Tape, merge_tapes, records_tape
from quantvista.errors import MarketDataError
from quantvista.market import EventKind, Instrument, Records

T = 1_700_000_000_000_000_000
A, B = Instrument("A.X"), Instrument("B.X", price_precision=3, quantity_precision=2)


def records(kind: str, **columns: list[object]) -> Records:
    count = len(next(iter(columns.values())))
    times = {"ts_received": [T + k for k in range(count)], "ts_event": [T] * count}
    return Records(kind, pl.DataFrame({**times, "instrument": ["A.X"] * count, **columns}), "f")


def test_quotes_are_in_units_and_absent_sides_missing() -> None:
    made = records("quotes", bid=[1.23, None], ask=[1.25, 2.0], ask_size=[7.0, None])
    tape = records_tape(made, [A, B])
    assert tape.counts() == {"quote": 2}
    assert tape.a.tolist() == [123, MISSING]
    assert tape.b.tolist() == [MISSING, MISSING]
    assert (tape.c.tolist(), tape.d.tolist()) == ([125, 200], [7, MISSING])
    assert (tape.ts_received.tolist(), tape.ts_event.tolist()) == ([T, T + 1], [T, T])


def test_units_are_those_of_each_row_s_instrument() -> None:
    made = records("trades", instrument=["B.X", "A.X"], price=[1.234, 1.23], size=[0.01, 3.0])
    tape = records_tape(made, [A, B])
    assert tape.instrument.tolist() == [1, 0]
    assert (tape.a.tolist(), tape.b.tolist()) == ([1234, 123], [1, 3])


def test_aggressor_is_unknown_buy_or_sell() -> None:
    made = records("trades", price=[1.0] * 3, size=[1.0] * 3, aggressor=[None, "buy", "sell"])
    assert records_tape(made, [A]).flag.tolist() == [0, 1, 2]


def test_levels_say_that_a_message_goes_on_and_a_snapshot_clears_first() -> None:
    made = records(
        "levels",
        side=["bid", "ask", "ask", None],
        price=[1.0, 2.0, 3.0, None],
        size=[1.0, 2.0, 0.0, None],
        message=[0, 0, 1, 2],
        snapshot=[True, True, False, True],
    )
    tape = records_tape(made, [A])
    kinds = [EventKind(kind).name for kind in tape.kind]
    assert kinds == ["BOOK_CLEAR", "BOOK_LEVEL", "BOOK_LEVEL", "BOOK_LEVEL", "BOOK_CLEAR"]
    assert tape.flag.tolist() == [MORE, MORE, 1, 1, 0]
    assert tape.a.tolist() == [MISSING, 100, 200, 300, MISSING]


def test_orders_of_a_book_keep_their_ids() -> None:
    made = records(
        "orders",
        action=["added", "modified", "deleted", "cleared"],
        side=["ask", "ask", "ask", None],
        price=[1.0, 1.0, 1.0, None],
        size=[2.0, 1.0, 0.0, None],
        order_id=[5, 5, 5, None],
        message=[0, 0, 1, 2],
    )
    tape = records_tape(made, [A])
    assert tape.kind.tolist() == [5, 6, 7, 4]
    assert tape.flag.tolist() == [1 | MORE, 1, 1, 0]
    assert tape.c.tolist() == [5, 5, 5, MISSING]
    assert tape.a.tolist() == [100, 100, MISSING, MISSING]


def test_phases_statuses_and_rates() -> None:
    auction = records_tape(records("auctions", phase=["open", "close"], price=[1.0, 2.0]), [A])
    assert (auction.flag.tolist(), auction.b.tolist()) == ([1, 2], [MISSING, MISSING])
    status = records_tape(records("statuses", status=["trading", "halted"]), [A])
    assert status.flag.tolist() == [0, 1]
    funding = records_tape(records("funding", rate=[0.0001, -1e-9]), [A])
    assert funding.a.tolist() == [100_000, -1]
    frame = pl.DataFrame({"ts_received": [T], "currency": ["JPY"], "rate": [0.0068]})
    rates = records_tape(Records("rates", frame), [A], ["USD", "EUR", "JPY"])
    assert (rates.instrument.tolist(), rates.a.tolist()) == ([2], [6_800_000_000])
    for currency in ("USD", "GBP"):
        wrong = Records("rates", frame.with_columns(currency=pl.lit(currency)), "r.csv")
        with pytest.raises(MarketDataError, match="a currency of the run other than the fund's"):
            records_tape(wrong, [A], ["USD", "EUR", "JPY"])


def test_prices_finer_than_the_precision_are_refused_or_rounded() -> None:
    made = records("trades", price=[1.0, 1.234], size=[1.0, 1.0])
    with pytest.raises(MarketDataError, match=r"'price' must have at most 2 dec.*1.234 in row 2"):
        records_tape(made, [A])
    assert records_tape(made, [A], round_prices=True).a.tolist() == [100, 123]


def test_noise_of_floats_is_no_finer_price() -> None:
    made = records("trades", price=[0.1 + 0.2, 1.15 * 3], size=[1.0, 1.0])
    assert records_tape(made, [A]).a.tolist() == [30, 345]


def test_a_price_beyond_exact_floats_is_refused() -> None:
    with pytest.raises(MarketDataError, match=r"must be below 2\*\*53 units"):
        records_tape(records("trades", price=[1e14], size=[1.0]), [A])


@given(st.integers(0, 2**50), st.integers(0, 6))
def test_every_decimal_comes_back_as_its_units(units: int, digits: int) -> None:
    instrument = Instrument("A.X", price_precision=digits, tick_size=A.tick_size.scaleb(2 - digits))
    made = records("trades", price=[units / 10**digits + 0.0], size=[1.0])
    assert records_tape(made, [instrument]).a.tolist() == [units]


SOURCES = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(EventKind))), max_size=12),
    max_size=4,
)


@given(SOURCES)
def test_merged_tapes_are_in_the_canonical_order(
    sources: list[list[tuple[int, EventKind]]],
) -> None:
    tapes, expected = [], []
    for number, rows in enumerate(sources):
        rows.sort(key=lambda row: row[0])
        ts = np.array([row[0] for row in rows], dtype=np.int64)
        kind = np.array([row[1] for row in rows], dtype=np.uint8)
        place = np.arange(len(rows), dtype=np.int64)
        tapes.append(Tape.of(kind, ts, values={"a": np.full_like(ts, number), "b": place}))
        for index, (at, of) in enumerate(rows):
            rank = {EventKind.ACTION: 1, EventKind.INSTRUMENT_ENDED: 1}.get(of, 2)
            rank = 3 if of in (EventKind.BARRIER, EventKind.DAY_ENDED) else rank
            expected.append((at, rank, number, index))
    merged = merge_tapes(tapes)
    found = list(
        zip(merged.ts_received.tolist(), merged.a.tolist(), merged.b.tolist(), strict=True)
    )
    assert found == [(at, number, index) for at, _, number, index in sorted(expected)]


def test_a_tape_refuses_columns_of_different_lengths() -> None:
    tape = Tape.of(EventKind.QUOTE, np.array([1, 2]))
    with pytest.raises(AssertionError, match="must have 2 rows"):
        Tape(**{**tape.columns(), "a": np.array([1])})
    assert repr(tape) == "Tape(2 events)"
    assert len(tape.take(slice(0, 1))) == 1
