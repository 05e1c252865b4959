"""Bars of generated ticks: chunks and restarts change no bit, and a plain loop finds the same."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantvista.data.bars import BarBuilder, BarOptions, BarSpec, aggregate
from quantvista.errors import MarketDataError

MINUTE = 60 * 10**9
START = (
    1_709_902_800_000_000_000  # Friday 2024-03-08 13:00 UTC: an open, a weekend, a change of clocks
)
SPECS = (
    BarSpec("time", "7m"),
    BarSpec("time", "1h"),
    BarSpec("time", "1d"),
    BarSpec("tick", 5),
    BarSpec("volume", 9.5),
    BarSpec("dollar", 700),
    BarSpec("tick_imbalance", 4),
    BarSpec("volume_imbalance", 4, span=3),
    BarSpec("dollar_imbalance", 6, most=9),
)
OPTIONS = st.builds(
    BarOptions,
    calendar=st.sampled_from([None, "XNYS"]),
    time_zone=st.sampled_from(["UTC", "America/New_York"]),
    anchor=st.sampled_from([None, "day"]),
    fill=st.booleans(),
    sides=st.just("tick_rule"),
    late=st.just("drop"),
    missing=st.just("drop"),
)
SEEDS = st.integers(0, 2**32 - 1)


def ticks(seed: int, *, dirty: bool) -> pl.DataFrame:
    """Trades of three instruments over a weekend; some late, some without a price."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(20, 300))
    gaps = rng.exponential(10**10, count) * rng.choice(
        [0, 1, 30, 900], count, p=[0.2, 0.5, 0.28, 0.02]
    )
    ts = START + np.cumsum(gaps).astype(np.int64)
    price = np.round(10 + np.cumsum(rng.choice([-0.01, 0.0, 0.01], count)), 2)
    if dirty:
        ts[rng.random(count) < 0.02] -= MINUTE
        price[rng.random(count) < 0.02] = np.nan
    return pl.DataFrame(
        {
            "instrument": rng.choice(["A.X", "B.X", "C.X"], count),
            "ts_event": ts,
            "ts_received": ts + rng.integers(0, 10**9, count),
            "price": price,
            "size": rng.integers(1, 40, count) / 10,
        }
    )


def cut(frame: pl.DataFrame, seed: int) -> Iterator[pl.DataFrame]:
    places = np.sort(np.random.default_rng(seed).integers(0, frame.height, 4)).tolist()
    for start, end in zip([0, *places], [*places, frame.height], strict=True):
        yield frame.slice(start, end - start)


def same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Whether every bit is; == would call -0.0 and 0.0 the same."""
    bits = pl.selectors.float().reinterpret(signed=True)
    return one.schema == other.schema and one.with_columns(bits).equals(other.with_columns(bits))


@settings(max_examples=20)
@given(SEEDS, SEEDS, OPTIONS)
def test_chunks_and_a_restart_give_the_bits_of_one_run(
    seed: int, places: int, options: BarOptions
) -> None:
    frame = ticks(seed, dirty=True)
    until = int(frame["ts_event"].max()) + 3 * MINUTE  # type: ignore[arg-type]
    whole = aggregate(frame, SPECS, options, until=until, partial=True)
    chunked = aggregate(cut(frame, places), SPECS, options, until=until, partial=True)
    builder = BarBuilder(SPECS, options)
    parts = []
    for part in cut(frame, places):
        parts.append(builder.add(part))
        state = builder.snapshot()
        builder = BarBuilder(SPECS, options)
        builder.restore(state)
        assert builder.snapshot() == state
    parts += [builder.close(until), builder.open_bars()]
    assert chunked.counts == builder.counts == whole.counts
    for spec in SPECS:
        restarted = pl.concat([part[spec.name] for part in parts])
        restarted = restarted.sort("ts_event", "instrument", "number", maintain_order=True)
        assert same(whole.bars[spec.name], chunked.bars[spec.name])
        assert same(whole.bars[spec.name], restarted)


@settings(max_examples=12)
@given(SEEDS, st.integers(1, 200))
def test_what_comes_later_changes_no_bar_and_no_bar_is_known_before_its_rows(
    seed: int, count: int
) -> None:
    frame = ticks(seed, dirty=False)
    options = BarOptions(sides="tick_rule")
    whole = aggregate(frame, SPECS, options)
    before = aggregate(frame.head(count), SPECS, options)
    for spec in SPECS:
        bars = whole.bars[spec.name]
        assert (bars["ts_received"] >= bars["ts_event"]).all()
        for row in bars.iter_rows(named=True):
            inside = frame.filter(
                pl.col("instrument") == row["instrument"],
                pl.col("ts_event") >= row["ts_start"],
                pl.col("ts_event") < row["ts_event"] + (spec.kind != "time"),
            )
            if spec.kind == "time":
                assert row["ts_received"] >= inside["ts_received"].max()
        keys = ["instrument", "number"]
        early = before.bars[spec.name].sort(keys)
        assert same(bars.join(early, on=keys, how="semi").sort(keys), early)


@settings(max_examples=12)
@given(SEEDS)
def test_instruments_do_not_touch_each_other(seed: int) -> None:
    frame = ticks(seed, dirty=False)
    options = BarOptions(sides="tick_rule", fill=True)
    whole = aggregate(frame, SPECS, options, partial=True)
    for name in frame["instrument"].unique(maintain_order=True):
        alone = aggregate(frame.filter(pl.col("instrument") == name), SPECS, options, partial=True)
        for spec in SPECS:
            ours = whole.bars[spec.name].filter(pl.col("instrument") == name)
            assert same(ours, alone.bars[spec.name])


def plain(rows: list[dict[str, Any]], spec: BarSpec) -> list[tuple[float, ...]]:
    """Bars by a loop that knows nothing of the kernel: open, high, low, close, volume, ticks."""
    bars: list[list[dict[str, Any]]] = [[]]
    for row in rows:
        if spec.kind == "time":
            window = row["ts_event"] // spec.step_ns
            if bars[-1] and window != bars[-1][-1]["ts_event"] // spec.step_ns:
                bars.append([])
            bars[-1].append(row)
            continue
        bars[-1].append(row)
        size = {
            "tick": len(bars[-1]),
            "volume": round(sum(each["size"] for each in bars[-1]), 6),
            "dollar": round(sum(each["size"] * each["price"] for each in bars[-1]), 6),
        }[spec.kind]
        if size >= float(spec.size):
            bars.append([])
    return [
        (
            bar[0]["price"],
            max(each["price"] for each in bar),
            min(each["price"] for each in bar),
            bar[-1]["price"],
            round(sum(each["size"] for each in bar), 6),
            len(bar),
        )
        for bar in bars[:-1]
    ]


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([BarSpec("time", "10m"), *SPECS[3:6]]))
def test_a_plain_loop_finds_the_same_bars(seed: int, spec: BarSpec) -> None:
    frame = ticks(seed, dirty=False)
    found = aggregate(frame, spec).bars[spec.name]
    for name in frame["instrument"].unique(maintain_order=True):
        rows = frame.filter(pl.col("instrument") == name).to_dicts()
        ours = found.filter(pl.col("instrument") == name).sort("number")
        columns = ("open", "high", "low", "close", pl.col("volume").round(6), "ticks")
        assert ours.select(columns).rows() == plain(rows, spec)


@settings(max_examples=12)
@given(SEEDS)
def test_bars_of_bars_are_those_of_the_ticks(seed: int) -> None:
    frame = ticks(seed, dirty=False)
    until = int(frame["ts_event"].max()) + 10**9  # type: ignore[arg-type]
    until = until // (60 * MINUTE) * 60 * MINUTE + 60 * MINUTE
    specs = [BarSpec("time", "5m"), BarSpec("time", "1h")]
    made = aggregate(frame, specs, until=until).bars
    again = aggregate(made["5m"], BarSpec("time", "1h"), until=until).bars["1h"]
    exact = [
        "instrument",
        "ts_event",
        "ts_start",
        "ts_received",
        "open",
        "high",
        "low",
        "close",
        "ticks",
    ]
    assert again.select(exact).equals(made["1h"].select(exact))
    assert np.allclose(again["volume"], made["1h"]["volume"], rtol=1e-12)


@settings(max_examples=12)
@given(SEEDS)
def test_a_refused_chunk_leaves_everything_as_it_was(seed: int) -> None:
    frame = ticks(seed, dirty=False)
    builder = BarBuilder(SPECS, BarOptions(sides="tick_rule"))
    builder.add(frame.head(10))
    state = builder.snapshot()
    bad = frame.slice(10).with_columns(price=pl.lit(float("nan")))
    with pytest.raises(MarketDataError, match=r"row 11"):
        builder.add(bad)
    after = BarBuilder(SPECS, BarOptions(sides="tick_rule"))
    after.restore(state)
    assert same(builder.add(frame.slice(10))["tick_5"], after.add(frame.slice(10))["tick_5"])
