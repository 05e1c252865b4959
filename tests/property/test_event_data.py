"""Properties of tapes: nothing is lost, order of sources does not matter, nothing looks ahead."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.data import DataSpec
from quantvista.data.events import EventData, EventSource, load_events
from quantvista.market import EventKind

START = 1_704_205_800 * 10**9  # 2024-01-02, half past nine in New York
PRICES = st.integers(1, 10_000).map(lambda cents: cents / 100)
QUOTES = st.lists(
    st.tuples(st.integers(0, 10**9), st.sampled_from("AB"), PRICES, st.integers(0, 50)),
    min_size=1,
    max_size=30,
)


def load(quotes: list[tuple[int, str, float, int]], parts: int = 1) -> EventData:
    """Write quotes into some files and load them."""
    rows = sorted(quotes, key=lambda row: row[0])
    frame = pl.DataFrame(
        {
            "ts_received": [START + row[0] for row in rows],
            "instrument": [f"{row[1]}.X" for row in rows],
            "bid": [row[2] for row in rows],
            "ask": [round(row[2] + row[3] / 100, 2) for row in rows],
        }
    )
    with TemporaryDirectory() as folder:
        sources = []
        for part in range(parts):
            piece = frame[part::parts]
            if piece.height:
                piece.write_parquet(Path(folder) / f"{part}.parquet")
                sources.append(EventSource(f"{part}.parquet"))
        return load_events(DataSpec(events=tuple(sources)), base=Path(folder), calendar="XNYS")


@given(QUOTES)
def test_every_quote_is_on_the_tape_in_exact_units(
    quotes: list[tuple[int, str, float, int]],
) -> None:
    data = load(quotes)
    rows = data.tape.take(data.tape.kind == EventKind.QUOTE)
    found = sorted(
        (ts - START, data.ids[number][0], bid, ask)
        for ts, number, bid, ask in zip(
            rows.ts_received.tolist(),
            rows.instrument.tolist(),
            rows.a.tolist(),
            rows.c.tolist(),
            strict=True,
        )
    )
    assert found == sorted(
        (ts, name, round(bid * 100), round(bid * 100) + spread) for ts, name, bid, spread in quotes
    )


@given(QUOTES, st.integers(2, 4))
def test_files_of_one_stream_give_the_times_of_the_whole(
    quotes: list[tuple[int, str, float, int]], parts: int
) -> None:
    whole, split = load(quotes).tape, load(quotes, parts).tape
    assert whole.ts_received.tolist() == split.ts_received.tolist()
    assert whole.counts() == split.counts()


@given(QUOTES, st.integers(0, 10**9))
@settings(max_examples=50)
def test_later_events_change_no_earlier_row(
    quotes: list[tuple[int, str, float, int]], now: int
) -> None:
    known = [row for row in quotes if row[0] <= now]
    if {row[1] for row in known} != {row[1] for row in quotes}:
        return  # the numbers of instruments differ
    later = [(ts, name, bid + (1 if ts > now else 0), gap) for ts, name, bid, gap in quotes]
    before, after = load(quotes).tape, load(later).tape
    rows = before.ts_received <= START + now
    for name, array in before.columns().items():
        assert np.array_equal(array[rows], after.columns()[name][: int(rows.sum())]), name
