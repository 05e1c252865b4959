"""Quotes and trades with a planted defect for each check of them, for the page of the checks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantvista.data.quality import CheckOptions, Report, check_quotes, check_trades
from quantvista.market import sessions

__all__ = ["TICK_EXAMPLES", "TickExample", "checked", "clean_ticks"]

NAME = "ACME.XNYS"
_SECOND_NS = 10**9
_HOUR_NS = 3_600 * _SECOND_NS
type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TickExample:
    """Ticks with a defect, and what to draw of them.

    ``column`` is drawn, or ``shown`` if that is given, with ``grey`` below it. ``count`` flags must
    be found.
    """

    words: str
    ticks: pl.DataFrame
    count: int
    column: str
    label: str = ""
    grey: Floats | None = None
    shown: Floats | None = None
    calendar: str | None = None


def clean_ticks(kind: str) -> pl.DataFrame:
    """Two hundred and forty quotes or trades of one morning, the same every time."""
    opened = _opened()
    rng, count = np.random.default_rng(11), 240
    ts = opened + np.sort(rng.integers(0, 3_600, count)) * _SECOND_NS + np.arange(count)
    middle = 50 + np.cumsum(rng.normal(0, 0.006, count))
    half = rng.integers(1, 4, count) * 0.005
    sizes = rng.integers(1, 40, (2, count)) * 100.0
    if kind == "trades":
        price = np.round(middle + rng.choice([-1, 1], count) * half, 2)
        return pl.DataFrame(
            {"ts": ts, "instrument": NAME, "price": price, "size": sizes[0], "id": np.arange(count)}
        )
    return pl.DataFrame(
        {
            "ts": ts,
            "instrument": NAME,
            "bid": np.round(middle - half, 2),
            "bid_size": sizes[0],
            "ask": np.round(middle + half + 0.01, 2),
            "ask_size": sizes[1],
        }
    )


def checked(kind: str, example: TickExample) -> Report:
    """Look for what is wrong with an example."""
    check = check_quotes if kind == "quotes" else check_trades
    return check(example.ticks, CheckOptions(calendar=example.calendar))


def _opened() -> int:
    day = np.datetime64("2010-02-01")
    return int(sessions("XNYS", day, day).open_ns[0])


def _put(frame: pl.DataFrame, name: str, values: Mapping[int, float]) -> pl.DataFrame:
    column = frame[name].to_numpy().copy().astype(float)
    for row, value in values.items():
        column[row] = value
    return frame.with_columns(pl.Series(name, column))


def _of(frame: pl.DataFrame, name: str) -> Floats:
    return np.asarray(frame[name].to_numpy(), np.float64)


def _first(kind: str) -> str:
    return "bid" if kind == "quotes" else "price"


def _missing_value(clean: pl.DataFrame, kind: str) -> TickExample:
    name, ticks = _first(kind), clean
    for column in ("bid", "ask") if kind == "quotes" else ("price",):
        ticks = _put(ticks, column, dict.fromkeys((60, 61, 150), np.nan))
    words = f"Three {kind} have no price."
    return TickExample(words, ticks, 3, name, grey=_of(clean, name))


def _time_order(clean: pl.DataFrame, kind: str) -> TickExample:
    order = np.arange(48)
    order[[12, 13]], order[30:33] = [13, 12], [32, 30, 31]
    ticks = clean[order]
    shown = (ticks["ts"].to_numpy() - clean["ts"][0]) / _SECOND_NS
    words = "Two rows change places, and a row comes two rows too early."
    return TickExample(
        words, ticks, 3, "", "second of each row, in the order of the file", None, shown
    )


def _duplicate(clean: pl.DataFrame, kind: str) -> TickExample:
    ticks = pl.concat([clean[:60], clean[59], clean[60:150], clean[149], clean[150:]])
    words = f"Two {kind} stand twice."
    return TickExample(words, ticks, 2, _first(kind))


def _id_gap(clean: pl.DataFrame, kind: str) -> TickExample:
    gone = [70, 71, 72, 160]
    ticks = clean.filter(~pl.col("id").is_in(gone))
    words = "Three trades in a row are left out, and one alone."
    return TickExample(words, ticks, 2, "price")


def _price_sign(clean: pl.DataFrame, kind: str) -> TickExample:
    name = _first(kind)
    ticks = _put(clean, name, {80: 0.0, 170: -clean[name][170]})
    words = "A price is 0, and one is negative."
    return TickExample(words, ticks, 2, name, grey=_of(clean, name))


def _size_sign(clean: pl.DataFrame, kind: str) -> TickExample:
    name = "bid_size" if kind == "quotes" else "size"
    ticks = _put(clean, name, {80: 0.0, 170: -clean[name][170]})
    words = "A size is 0, and one is negative."
    return TickExample(words, ticks, 2, name, grey=_of(clean, name))


def _swapped(clean: pl.DataFrame, kind: str) -> TickExample:
    first, second = ("bid", "ask") if kind == "quotes" else ("price", "size")
    a, b, rows = _of(clean, first), _of(clean, second), (50, 120, 190)
    ticks = _put(_put(clean, first, {r: b[r] for r in rows}), second, {r: a[r] for r in rows})
    words = f"In three rows {first} and {second} change places."
    return TickExample(words, ticks, 3, first, grey=a)


def _crossed(clean: pl.DataFrame, kind: str) -> TickExample:
    ticks = _put(clean, "bid", {r: round(clean["ask"][r] + 0.12, 2) for r in (70, 180)})
    words = "Two bids stand twelve cents above the ask."
    return TickExample(words, ticks, 2, "bid", grey=_of(clean, "ask"))


def _locked(clean: pl.DataFrame, kind: str) -> TickExample:
    ticks = _put(clean, "bid", {r: clean["ask"][r] for r in (70, 71, 180)})
    words = "Three bids are as high as the ask."
    return TickExample(words, ticks, 3, "bid", grey=_of(clean, "ask"))


def _one_sided(clean: pl.DataFrame, kind: str) -> TickExample:
    ticks = _put(clean, "ask", dict.fromkeys((90, 200), np.nan))
    words = "Two quotes have no ask."
    return TickExample(words, ticks, 2, "ask", grey=_of(clean, "ask"))


def _wide_spread(clean: pl.DataFrame, kind: str) -> TickExample:
    # As far as a quarter of a percent on each side, which is no outlier yet.
    wide = dict.fromkeys((100, 101), -0.23)
    ticks = _put(clean, "bid", {r: clean["bid"][r] + by for r, by in wide.items()})
    ticks = _put(ticks, "ask", {r: clean["ask"][r] - by for r, by in wide.items()})
    words = "Two quotes are 23 cents wider on each side."
    return TickExample(words, ticks, 2, "ask", grey=_of(clean, "bid"))


def _gap(clean: pl.DataFrame, kind: str) -> TickExample:
    seconds = (clean["ts"] - clean["ts"][0]) / _SECOND_NS
    gone = ((seconds > 1_500) & (seconds < 2_500)).to_numpy()
    name = _first(kind)
    # The hole is shown where it is: among as many rows as there are without it.
    shown = np.where(gone, np.nan, _of(clean, name))
    ticks = clean.filter(pl.Series(~gone))
    if kind == "trades":
        ticks = ticks.with_columns(pl.Series("id", np.arange(ticks.height)))
    words = "Nothing for a quarter of an hour; as many rows are left free in the picture."
    return TickExample(words, ticks, 1, name, "", _of(clean, name), shown, calendar="XNYS")


def _stale(clean: pl.DataFrame, kind: str) -> TickExample:
    ticks = clean
    for name in ("bid", "bid_size", "ask", "ask_size") if kind == "quotes" else ("price", "size"):
        ticks = _put(ticks, name, dict.fromkeys(range(101, 151), clean[name][100]))
    words = f"The feed is frozen for fifty {kind}."
    return TickExample(words, ticks, 50, _first(kind), grey=_of(clean, _first(kind)))


def _outlier(clean: pl.DataFrame, kind: str) -> TickExample:
    name = _first(kind)
    down = {r: round(clean[name][r] * 0.97, 2) for r in (90, 91)}
    ticks = _put(clean, name, down)
    count = 2
    if kind == "trades":
        ticks = _put(ticks, name, {180: round(clean[name][180] * 1.02, 2)})
        count = 3
    words = "Bad prints, three percent below." if count == 2 else "Bad prints below and above."
    return TickExample(words, ticks, count, name, grey=_of(clean, name))


def _magnitude(clean: pl.DataFrame, kind: str) -> TickExample:
    ticks = clean
    for name in ("bid", "ask") if kind == "quotes" else ("price",):
        ticks = _put(ticks, name, {r: round(clean[name][r] * 100, 2) for r in range(120, 160)})
    words = f"Forty {kind} are in cents."
    return TickExample(words, ticks, 40, _first(kind), grey=_of(clean, _first(kind)))


def _time_zone(clean: pl.DataFrame, kind: str) -> TickExample:
    ticks = clean.with_columns(pl.col("ts") - 5 * _HOUR_NS)
    shown = (ticks["ts"].to_numpy() % (24 * _HOUR_NS)) / _HOUR_NS
    label = "hour of each row, UTC; the session is from 14:30 to 21:00"
    words = "Written in the time of New York, taken for UTC."
    return TickExample(words, ticks, ticks.height, "", label, None, shown, calendar="XNYS")


def _outside(clean: pl.DataFrame, kind: str) -> TickExample:
    opened = _opened()
    ticks = clean.with_columns(pl.col("ts") - 180 * _SECOND_NS)
    outside = int((ticks["ts"] < opened).sum())
    shown = (ticks["ts"].to_numpy() - opened) / _SECOND_NS
    label = "seconds from the open of each row"
    words = "The first three minutes are before the open."
    return TickExample(words, ticks, outside, "", label, None, shown, calendar="XNYS")


TICK_EXAMPLES: Mapping[str, Callable[[pl.DataFrame, str], TickExample]] = {
    "missing_value": _missing_value,
    "time_order": _time_order,
    "duplicate": _duplicate,
    "id_gap": _id_gap,
    "price_sign": _price_sign,
    "size_sign": _size_sign,
    "swapped": _swapped,
    "crossed": _crossed,
    "locked": _locked,
    "one_sided": _one_sided,
    "wide_spread": _wide_spread,
    "gap": _gap,
    "stale": _stale,
    "outlier": _outlier,
    "magnitude": _magnitude,
    "time_zone": _time_zone,
    "outside_session": _outside,
}
