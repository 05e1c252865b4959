"""Page and pictures of the quality checks: a planted defect for each, and what is flagged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sheets import picture
from tick_page import TICK_EXAMPLES, TickExample, checked, clean_ticks

from quantvista.data.quality import CHECKS, CHECKS_OF, Check, CheckOptions, check_bars
from quantvista.market import CorporateAction, sessions
from quantvista.reporting._lines import line_chart

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images" / "quality"
FIELDS = ("open", "high", "low", "close")
NAME = "ACME.XNYS"
HOUR_NS = 3_600 * 10**9
type Floats = NDArray[np.float64]

_INTRO = """\
# Quality checks

All {count} of bars, {quotes} of quotes and {trades} of trades, with a defect planted for each in
generated data, and what is flagged: daily bars of {days} sessions of XNYS, and {ticks} quotes and
trades of a morning there. Made by `scripts/reference.py`, which fails unless as many flags are
found as there should be, and none of another check. The grey line is what the data were before; a
dot is a flag.
How well the checks find defects in real prices, and what becomes of them, says
[What is wrong with data](../guide/quality.md).
"""


@dataclass(frozen=True, slots=True)
class Example:
    """Bars with a defect, and what to draw of them.

    ``column`` is drawn, or ``shown`` if that is given; ``grey`` goes below it. ``count`` flags must
    be found.
    """

    words: str
    bars: pl.DataFrame
    count: int
    column: str = "close"
    label: str = ""
    grey: Floats | None = None
    shown: Floats | None = None
    by_row: bool = False
    options: CheckOptions = field(default_factory=CheckOptions)
    other: pl.DataFrame | None = None
    actions: tuple[CorporateAction, ...] = ()


def daily() -> pl.DataFrame:
    """Bars of the sessions from 2010-02-01 to 2010-07-30, the same every time."""
    known = sessions("XNYS", np.datetime64("2010-02-01"), np.datetime64("2010-07-30"))
    rng = np.random.default_rng(7)
    n = len(known)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.008, n)))
    opened = np.concatenate([[50.0], close[:-1]]) * np.exp(rng.normal(0, 0.003, n))
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, 0.004, n)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, 0.004, n)))
    prices = zip(FIELDS, (opened, high, low, close), strict=True)
    return pl.DataFrame(
        {
            "ts": known.close_ns,
            "instrument": [NAME] * n,
            **{name: np.round(each, 2) for name, each in prices},
            "volume": rng.integers(80_000, 220_000, n).astype(float),
        }
    )


def changed(frame: pl.DataFrame, rows: dict[str, dict[int, float]]) -> pl.DataFrame:
    """Put values into columns, by row."""
    columns = []
    for name, values in rows.items():
        column = frame[name].to_numpy().copy()
        for row, value in values.items():
            column[row] = value
        columns.append(pl.Series(name, column))
    return frame.with_columns(columns)


def scaled(frame: pl.DataFrame, rows: slice, factor: float, volume: float = 1.0) -> pl.DataFrame:
    """Multiply the prices of some rows, and their volume."""
    columns = []
    for name in (*FIELDS, "volume"):
        column = frame[name].to_numpy().copy()
        column[rows] *= volume if name == "volume" else factor
        columns.append(pl.Series(name, np.round(column, 2)))
    return frame.with_columns(columns)


def _missing_value(clean: pl.DataFrame) -> Example:
    bars = changed(clean, {"open": {20: np.nan, 61: np.nan, 95: np.nan}})
    return Example("Three opens are left out.", bars, 3, "open", grey=_of(clean, "open"))


def _time_order(clean: pl.DataFrame) -> Example:
    order = np.arange(36)
    order[[12, 13]], order[24:27] = [13, 12], [26, 24, 25]
    bars = clean[order]
    days = (bars["ts"].to_numpy() - bars["ts"].min()) / 86_400e9
    return Example(
        "Two rows change places, and a row comes two rows too early.",
        bars,
        3,
        label="day of each row, in the order of the file",
        shown=days,
        by_row=True,
    )


def _duplicate(clean: pl.DataFrame) -> Example:
    bars = pl.concat([clean[:12], clean[11], clean[12:25], clean[24], clean[25:36]])
    days = (bars["ts"].to_numpy() - bars["ts"].min()) / 86_400e9
    return Example(
        "Two rows stand twice.",
        bars,
        2,
        label="day of each row, in the order of the file",
        shown=days,
        by_row=True,
    )


def _price_sign(clean: pl.DataFrame) -> Example:
    bars = changed(clean, {"low": {33: 0.0, 88: -clean["low"][88]}})
    return Example("A low is 0, and one is negative.", bars, 2, "low", grey=_of(clean, "low"))


def _swapped(clean: pl.DataFrame) -> Example:
    rows = (25, 64, 101)
    high, low = _of(clean, "high"), _of(clean, "low")
    bars = changed(clean, {"high": {r: low[r] for r in rows}, "low": {r: high[r] for r in rows}})
    return Example("High and low of three bars change places.", bars, 3, "high", grey=high)


def _ohlc_order(clean: pl.DataFrame) -> Example:
    high, low = _of(clean, "high"), _of(clean, "low")
    bars = changed(clean, {"close": {42: high[42] * 1.02, 90: low[90] * 0.98}})
    words = "A close lies 2 % above its high, another 2 % below its low."
    return Example(words, bars, 2, "close", grey=_of(clean, "close"))


def _negative_volume(clean: pl.DataFrame) -> Example:
    volume = _of(clean, "volume")
    bars = changed(clean, {"volume": {r: -volume[r] for r in (37, 76)}})
    return Example("Two volumes have a minus.", bars, 2, "volume", grey=volume)


def _zero_volume(clean: pl.DataFrame) -> Example:
    bars = changed(clean, {"volume": dict.fromkeys((37, 76, 77), 0.0)})
    return Example("Three volumes are 0.", bars, 3, "volume", grey=_of(clean, "volume"))


def _gap(clean: pl.DataFrame) -> Example:
    gone = [28, 70, 71, 72]
    kept = clean.with_row_index("row").filter(~pl.col("row").is_in(gone)).drop("row")
    close = _of(clean, "close").copy()
    grey = close.copy()
    close[gone] = np.nan
    options = CheckOptions(calendar="XNYS")
    return Example("Four sessions are left out.", kept, 4, grey=grey, shown=close, options=options)


def _stale(clean: pl.DataFrame) -> Example:
    rows = range(51, 58)
    columns = (*FIELDS, "volume")
    bars = changed(clean, {n: dict.fromkeys(rows, clean[n][50]) for n in columns})
    return Example("A bar repeats itself seven times.", bars, 7, grey=_of(clean, "close"))


def _outlier(clean: pl.DataFrame) -> Example:
    bars = scaled(scaled(clean, slice(40, 41), 1.25), slice(85, 86), 0.7)
    words = "A bar is a quarter too high, another three tenths too low."
    return Example(words, bars, 2, grey=_of(clean, "close"))


def _unadjusted_split(clean: pl.DataFrame) -> Example:
    bars = scaled(clean, slice(60, None), 0.5, 2.0)
    return Example("A split of 2 for 1, not adjusted.", bars, 1, grey=_of(clean, "close"))


def _unadjusted_dividend(clean: pl.DataFrame) -> Example:
    close = _of(clean, "close")
    paid = round(0.08 * close[59], 2)
    bars = scaled(clean, slice(60, None), 0.92)
    day = date.fromtimestamp(int(clean["ts"][60]) / 1e9)  # noqa: DTZ012 - noon in New York
    action = CorporateAction(day, NAME, "cash_dividend", amount=Decimal(str(paid)))
    words = f"A dividend of {paid:g} is known and not taken off the closes before."
    return Example(words, bars, 1, grey=close, actions=(action,))


def _magnitude(clean: pl.DataFrame) -> Example:
    bars = scaled(clean, slice(70, 78), 100.0)
    return Example("Eight bars are in cents.", bars, 8, grey=_of(clean, "close"))


def _time_zone(clean: pl.DataFrame) -> Example:
    known = sessions("XNYS", np.datetime64("2010-02-01"), np.datetime64("2010-02-12"))
    ts = np.concatenate([known.open_ns + k * HOUR_NS // 2 for k in range(1, 14)])
    ts = np.sort(ts) - 5 * HOUR_NS
    rng = np.random.default_rng(3)
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.001, len(ts)))), 2)
    bars = pl.DataFrame({"ts": ts, "instrument": [NAME] * len(ts), "close": close})
    hours = (ts % (24 * HOUR_NS)) / HOUR_NS
    outside = int((hours < 14.5).sum())
    return Example(
        "Bars of half an hour in the time of New York, taken for UTC.",
        bars,
        outside,
        label="hour of each bar, UTC; the sessions are from 14:30 to 21:00",
        shown=hours,
        options=CheckOptions(calendar="XNYS"),
    )


def _disagreement(clean: pl.DataFrame) -> Example:
    bars = scaled(scaled(clean, slice(30, 31), 1.03), slice(92, 93), 0.985)
    words = "Two closes are 3 % and 1.5 % off those of another source."
    return Example(words, bars, 2, grey=_of(clean, "close"), other=clean)


def _market_event(clean: pl.DataFrame) -> Example:
    stamp = np.datetime64("2010-05-06").astype("datetime64[ns]").astype(np.int64)
    row = int(np.searchsorted(clean["ts"].to_numpy(), stamp))
    bars = scaled(clean, slice(row, None), 0.94)
    words = "The day of the flash crash, 2010-05-06; it is no error."
    return Example(words, bars, 1, grey=_of(clean, "close"))


EXAMPLES: dict[str, Callable[[pl.DataFrame], Example]] = {
    "missing_value": _missing_value,
    "time_order": _time_order,
    "duplicate": _duplicate,
    "price_sign": _price_sign,
    "swapped": _swapped,
    "ohlc_order": _ohlc_order,
    "negative_volume": _negative_volume,
    "zero_volume": _zero_volume,
    "gap": _gap,
    "stale": _stale,
    "outlier": _outlier,
    "unadjusted_split": _unadjusted_split,
    "unadjusted_dividend": _unadjusted_dividend,
    "magnitude": _magnitude,
    "time_zone": _time_zone,
    "disagreement": _disagreement,
    "market_event": _market_event,
}


_DRAWN_OF_TRADES = ("duplicate", "id_gap", "swapped", "outlier")  # the others look as of quotes
_WITH = {"time_zone": ("outside_session", "gap"), "outlier": ("wide_spread",)}


def pages() -> dict[Path, str]:
    """Make the page and the pictures, by where they belong."""
    clean, ticks = daily(), {kind: clean_ticks(kind) for kind in ("quotes", "trades")}
    counts = {kind: len(checks) for kind, checks in CHECKS_OF.items()}
    numbers = {"count": counts["bars"], "quotes": counts["quotes"], "trades": counts["trades"]}
    parts = [_INTRO.format(**numbers, days=clean.height, ticks=ticks["quotes"].height), "## Bars\n"]
    found: dict[Path, str] = {}
    for name, check in CHECKS.items():
        example = EXAMPLES[name](clean)
        flags = _flags(name, example)
        parts.append(_section(check, name, example.words, flags))
        found[IMAGES / f"{name}.svg"] = _drawn(name, example, flags)
    for kind, table in ticks.items():
        parts.append(f"## {kind.capitalize()}\n")
        for name, check in CHECKS_OF[kind].items():
            tick = TICK_EXAMPLES[name](table, kind)
            flags = _tick_flags(kind, name, tick)
            drawn = kind == "quotes" or name in _DRAWN_OF_TRADES
            image = f"{kind if drawn else 'quotes'}_{name}"
            parts.append(_section(check, image, tick.words, flags, drawn=drawn))
            if drawn:
                found[IMAGES / f"{image}.svg"] = _drawn_ticks(name, tick, flags, table)
    return {ROOT / "docs" / "reference" / "checks.md": "\n".join(parts), **found}


def _section(
    check: Check, image: str, words: str, flags: pl.DataFrame, *, drawn: bool = True
) -> str:
    repair = f" Repair: {check.repair}" if check.repair else ""
    say = "flag says" if len(flags) == 1 else "flags say"
    picture = f"![{words}](../images/quality/{image}.svg)\n\n" if drawn else ""
    return (
        f"### {check.name}\n\n{check.text}\n\n"
        f"{check.severity.capitalize()}; {check.policy} unless another policy is asked for."
        f"{repair}\n\n"
        f"{picture}{words} {len(flags)} {say}: "
        f"{flags['text'][0]}.\n"
    )


def _flags(name: str, example: Example) -> pl.DataFrame:
    """Run the check; nothing else may be found beside what it finds."""
    report = check_bars(example.bars, example.options, other=example.other, actions=example.actions)
    flags = report.flags.filter(pl.col("check") == name)
    if flags.height != example.count or set(report.counts) != {name}:
        raise SystemExit(f"{name} must give {example.count} flags; found {dict(report.counts)}")
    return flags


def _tick_flags(kind: str, name: str, example: TickExample) -> pl.DataFrame:
    """Run the check; nothing else may be found but what comes with it."""
    report = checked(kind, example)
    flags = report.flags.filter(pl.col("check") == name)
    beside = set(report.counts) - {name, *_WITH.get(name, ())}
    if flags.height != example.count or beside:
        found = dict(report.counts)
        raise SystemExit(f"{name} of {kind} must give {example.count} flags; found {found}")
    return flags


def _drawn_ticks(name: str, example: TickExample, flags: pl.DataFrame, clean: pl.DataFrame) -> str:
    values = _of(example.ticks, example.column) if example.shown is None else example.shown
    ts = example.ticks["ts"].to_numpy()
    rows = flags["row"].to_list()
    if len(ts) != len(values):  # what is left out is shown too
        ts = clean["ts"].to_numpy()
        rows = np.searchsorted(ts, flags["ts"].to_numpy()).tolist()
    label = example.label or f"{example.column} of {NAME}"
    marks, ends = rows[:60], ("first row", "last row")  # more hide the line
    chart = line_chart(ts, values, label, marks=marks, expected=example.grey, height=110, ends=ends)
    inner = str(chart).split(">", 1)[1].removesuffix("</svg>")
    return picture(720, 156, f"{name}: {example.words}", [inner])


def _drawn(name: str, example: Example, flags: pl.DataFrame) -> str:
    ts = example.bars["ts"].to_numpy()
    values = example.shown
    if values is None:
        values = _of(example.bars, example.column)
    elif len(values) != len(ts):
        ts = daily()["ts"].to_numpy()  # the bars that are missing are shown too
    rows = flags["row"].to_list()
    if min(rows) < 0:
        days = [each // (24 * HOUR_NS) for each in flags["ts"].to_list()]
        rows = np.searchsorted(ts // (24 * HOUR_NS), days).tolist()
    grey = example.grey
    label = example.label or f"{example.column} of {NAME}"
    ends = ("first row", "last row") if example.by_row else None
    chart = line_chart(ts, values, label, marks=rows, expected=grey, height=130, ends=ends)
    inner = str(chart).split(">", 1)[1].removesuffix("</svg>")
    return picture(720, 176, f"{name}: {example.words}", [inner])


def _of(frame: pl.DataFrame, name: str) -> Floats:
    return np.asarray(frame[name].to_numpy(), np.float64)
