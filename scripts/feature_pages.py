"""Pages and pictures of the shipped features and of the operators they are made of."""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from sheets import Cell, feature_sheet

from golden.features.regenerate import PATH, ROWS
from quantvista.features import FEATURES, GROUPS, Feature, FeatureSet, OperatorInfo, operator_infos
from support.feature_bars import feature_bars

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images" / "features"
OPERATOR_IMAGES = ROOT / "docs" / "images" / "operators"
SHOWN = 200
OPERATOR_BARS = 60
BEFORE = 14

_FEATURES = """\
# Shipped features

All {count}, by group. Made by `scripts/reference.py`; [Features](../guide/features.md) says how to
use them, and [Operators](operators.md) has the formula of everything that an expression calls.

- The **expression** is the formula: it is what is computed, and `qv features show NAME` prints it.
- The **first value** comes at that bar, counted from 1, if no bar is missing before it.
- **Looks back**: so many bars decide a value. With recursive operators the start never quite wears
  off; there it is the bar from which it weighs less than 10⁻⁹.
- The **reference values** are those at the last three bars of an instrument on generated bars, with
  the least and greatest that it had there. The bars are `feature_bars(5, {rows}, gaps=0.0)` of
  `tests/support/feature_bars.py`, the instrument is `I1.X`, and a test holds every feature to
  [these values](../../tests/golden/features/values.csv).

The pictures show the last {shown} of those bars, the price above in grey and each feature below it;
of a candle, the last bars that have its shape, hollow where they rise, with a dot below the bar at
which it is 1. Generated prices show what a feature looks like, not what it is good for.
"""
_TITLES = {
    "cross_section": "Cross-section",
    "alpha158": "Alpha158",
}
_TEXTS = {
    "trend": "Where the price stands to its own past, and how straight its way was.",
    "momentum": "How far the price has come.",
    "oscillator": "How far a move has gone, between bounds or around zero.",
    "volatility": "How far the price moves, in a bar unless it says otherwise.",
    "volume": "What changed hands, and on which side.",
    "range": "Where the bar stands to the bars before.",
    "candle": "Shapes of one to three bars: 1 at the bar that ends one, 0 elsewhere.",
    "microstructure": "Spreads, imbalances and costs of trading, from bars and best quotes.",
    "dependence": "How the price moves with something else, or with itself.",
    "drawdown": "How far below its peak, and for how long.",
    "calendar": "What the clock alone says, in UTC; what tells hours is flat on daily bars.",
    "cross_section": "Compared with the other instruments of the same time.",
    "alpha158": "A set after that of the platform Qlib.",
    "macro": "Series that are the same for all. Join them first, by when they were known.",
    "fundamental": "What a company earns and owns. Join it first, by when it was known.",
}


def images() -> dict[Path, str]:
    """One sheet for each group."""
    table = _values().tail(SHOWN)
    close = table["close"].to_numpy()
    found = {}
    for group in GROUPS:
        cells = [
            _shape(each.name)
            if group == "candle" and _values()[each.name].drop_nulls().is_in([0.0, 1.0]).all()
            else Cell(each.name, table[each.name].cast(pl.Float64).fill_null(np.nan).to_numpy())
            for each in FEATURES.group(group)
        ]
        label = f"Features of the group {group}, each below the price"
        found[IMAGES / f"{group}.svg"] = feature_sheet(cells, close, label)
    return found


def _shape(name: str) -> Cell:
    """Cut out the last bars in which a candle has its shape, of any instrument."""
    bars = feature_bars(5, ROWS, gaps=0.0)
    found = _all_values().filter(pl.col(name) == 1).tail(1)
    own = bars.filter(pl.col("instrument") == found["instrument"][0])
    place = int(own["ts"].search_sorted(found["ts"][0]))
    start = min(max(0, place - BEFORE), own.height - BEFORE - 4)
    shown = own[start : start + BEFORE + 4]
    candles = shown.select("open", "high", "low", "close").to_numpy().T
    return Cell(name, np.zeros(0), candles, place - start)


def features_page() -> str:
    """All shipped features."""
    golden = {row["feature"]: row for row in pl.read_csv(PATH).iter_rows(named=True)}
    head = _FEATURES.format(count=len(FEATURES), rows=ROWS, shown=SHOWN)
    links = ", ".join(
        f"[{_title(group).lower()}](#{_title(group).lower()}) ({len(FEATURES.group(group))})"
        for group in GROUPS
    )
    parts = [head, f"Groups: {links}.\n"]
    for group in GROUPS:
        parts.append(f"## {_title(group)}\n\n{_TEXTS[group]}\n")
        parts.append(f"![All of them below the price](../images/features/{group}.svg)\n")
        parts += [_entry(each, golden[each.name]) for each in FEATURES.group(group)]
    return "\n".join(parts)


def _title(group: str) -> str:
    return _TITLES.get(group, group.capitalize())


def _entry(feature: Feature, golden: dict[str, object]) -> str:
    first, back = int(str(golden["warm_up"])), golden["look_back"]
    reach = "looks back at all bars so far" if back is None else f"looks back {back} bars"
    if back == 1:
        reach = "looks at its own bar only"
    known = _values()[feature.name].drop_nulls()
    least, most = (_number(float(each), 4) for each in (known.min(), known.max()))
    last = ", ".join(_number(float(str(golden[each])), 9) for each in ("third", "second", "last"))
    columns = ", ".join(f"`{each}`" for each in FeatureSet([feature.name]).columns)
    formula = f"\n\n    {feature.formula}" if feature.formula else ""
    version = f" Version {feature.version}." if feature.version > 1 else ""
    return (
        f"### {feature.name}\n\n{feature.text}{version}\n\n"
        f"```text\n{_wrapped(feature.expression)}\n```{formula}\n\n"
        f"- From {columns}; first value at bar {first}, {reach}.\n"
        f"- Source: {feature.source.rstrip('.')}.\n"
        f"- Reference: {last}; from {least} to {most}.\n"
    )


def _number(value: float, digits: int) -> str:
    return f"{value + 0.0:.{digits}g}".replace("-", "\N{MINUS SIGN}")


def _wrapped(text: str) -> str:
    """Break an expression that is longer than a line, between its words."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) > 94:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


@cache
def _all_values() -> pl.DataFrame:
    return FeatureSet(list(FEATURES)).compute(feature_bars(5, ROWS, gaps=0.0))


@cache
def _values() -> pl.DataFrame:
    bars = feature_bars(5, ROWS, gaps=0.0)
    table = _all_values().filter(pl.col("instrument") == "I1.X")
    closes = bars.filter(pl.col("instrument") == "I1.X").select("ts", "close")
    return table.join(closes, on="ts", maintain_order="left")


# -- operators -------------------------------------------------------------------------------
_OPERATORS = """\
# Operators

All {count} that expressions are made of. Made by `scripts/reference.py`;
[Features](../guide/features.md) has the rules that all of them follow, [Shipped
features](features.md) what comes of them.

- **First** is the value at which the first result comes, counted from 1, if none is missing before.
  **Settled** is the value from which the start of a recursive operator weighs less than 10⁻⁹;
  *never* where it always counts. Both are of the call that is shown.
- The **reference values** are those of that call at the last three rows of the table below that
  have one, or, of operators that compare instruments, those of four instruments in one row. A test
  holds this page to what the operators give.

## The table

Ten rows of one instrument; `x` is the close, `y` the open.

{table}

The pictures have {bars} generated bars, and windows of {window}: in grey the close, below it the
operator, of the inputs of its reference.

In the row of the operators that compare instruments, `x` is {across} for the four, and the sectors
are {sectors}.
"""
_SECTORS = ("one", "one", "two", "two")
_ACROSS = (3.0, 1.0, 4.0, 1.5)
_GIVEN = {
    "n": 3,
    "q": 0.25,
    "alpha": 0.5,
    "fast": 2,
    "middle": 3,
    "slow": 4,
    "step": 0.02,
    "most": 0.2,
    "factor": 1,
    "k": 2,
    "value": 5,
    "low": 100,
    "high": 102,
}
_DRAWN = {"n": 10, "fast": 5, "middle": 10, "slow": 20, "value": 5}
_COUNTS = {"kurt": 4}
_USUAL = {
    "kyle": ["close", "volume"],
    "roll_spread": ["open"],
    "count_true": ["gt(close, open)"],
    "product": ["close / open"],
}
_WORDS = {"constant": "0 * close + 5", "and": "{0} and {1}", "or": "{0} or {1}", "not": "not {0}"}
_INPUTS = {"condition": "gt(close, open)", "x": "close", "y": "open", "price": "close"}
_KINDS = (
    ("One bar", lambda each: not each.cross and each.memory == "none"),
    ("A window of bars", lambda each: not each.cross and each.memory == "window"),
    ("All bars so far", lambda each: not each.cross and each.memory == "recursive"),
    ("Across instruments", lambda each: each.cross),
)


def operators_page() -> str:
    """All operators of the core."""
    bars = _ten_rows()
    names = bars.columns[2:]
    lines = [f"| row | {' | '.join(names)} |", "|" + "---:|" * (len(names) + 1)]
    for place, row in enumerate(bars.select(names).iter_rows(), 1):
        lines.append(f"| {place} | {' | '.join(f'{each:g}' for each in row)} |")
    infos = operator_infos()
    head = _OPERATORS.format(
        count=len(infos),
        table="\n".join(lines),
        across=", ".join(f"{each:g}" for each in _ACROSS),
        sectors=", ".join(_SECTORS),
        bars=OPERATOR_BARS,
        window=_DRAWN["n"],
    )
    parts = [head]
    for title, belongs in _KINDS:
        parts.append(f"## {title}\n")
        image = f"../images/operators/{_file_of(title)}.svg"
        parts.append(f"![All of them below the price]({image})\n")
        parts += [_operator(each, bars) for each in infos.values() if belongs(each)]
    return "\n".join(parts)


def _operator(info: OperatorInfo, bars: pl.DataFrame) -> str:
    call = _call(info)
    made = FeatureSet({"value": call})
    if info.cross:
        frame = pl.DataFrame(
            {
                "ts": [1] * len(_ACROSS),
                "instrument": [f"I{k}.X" for k in range(len(_ACROSS))],
                "sector": _SECTORS,
                "close": _ACROSS,
            }
        )
        found = made.compute(frame)["value"].to_list()
    else:
        found = made.compute(bars)["value"].drop_nulls().to_list()[-3:]
    values = ", ".join(_number(each, 9) for each in found)
    first, back = made.warm_up["value"], made.look_back["value"]
    settled = "never" if back is None else str(back)
    reach = f"; settled at {settled}" if info.memory == "recursive" else ""
    bounds = [
        f"`{each.name}` "
        + (f"from {each.least:g}" if each.least > -1e300 else "any number")
        + (f" to {each.most:g}" if each.most < 1e6 else "")
        + (f", {each.default:g} if it is left out" if each.default is not None else "")
        for each in info.params
    ]
    usual = info.default_inputs()
    if info.inputs and usual is not None:
        bounds.append(f"on {', '.join(f'`{each}`' for each in usual)} if no input is given")
    rest = f"- {'; '.join(bounds)}.\n" if bounds else ""
    source = "" if info.source == "Definition." else f"- Source: {info.source.rstrip('.')}.\n"
    return (
        f"### {info.name}\n\n{info.doc}\n\n```text\n{info.signature()} = {info.formula}\n```\n\n"
        f"{rest}{source}"
        f"- Reference: `{call}` gives {values}; first at {first}{reach}.\n"
    )


def operator_images() -> dict[Path, str]:
    """One sheet for each kind of operators, over bars like those of the features."""
    bars = feature_bars(5, ROWS, gaps=0.0)
    own = bars.filter(pl.col("instrument") == "I1.X").tail(OPERATOR_BARS)
    close = own["close"].to_numpy()
    middle = float(own["close"].median() or 0.0)  # type: ignore[arg-type]
    given = {**_DRAWN, "low": round(0.97 * middle, 2), "high": round(1.03 * middle, 2)}
    found = {}
    for title, belongs in _KINDS:
        infos = [each for each in operator_infos().values() if belongs(each)]
        calls = {each.name: _call(each, given, round(middle, 2)) for each in infos}
        # A word of the language is no name of a column.
        made = FeatureSet({f"of_{name}": call for name, call in calls.items()}).compute(bars)
        table = made.filter(pl.col("instrument") == "I1.X").tail(OPERATOR_BARS)
        columns = {name: table[f"of_{name}"].cast(pl.Float64).fill_null(np.nan) for name in calls}
        cells = [Cell(name, column.to_numpy()) for name, column in columns.items()]
        label = f"Operators: {title.lower()}, each below the price"
        found[OPERATOR_IMAGES / f"{_file_of(title)}.svg"] = feature_sheet(cells, close, label)
    return found


def _file_of(title: str) -> str:
    return title.lower().replace(" ", "_")


def _call(
    info: OperatorInfo, values: Mapping[str, float] = MappingProxyType({}), level: float = 101
) -> str:
    inputs = [_INPUTS.get(each, each) for each in info.inputs]
    if info.name in _WORDS:
        return _WORDS[info.name].format("gt(close, open)", f"gt(close, {level:g})")
    given = {**_GIVEN, "n": _COUNTS.get(info.name, _GIVEN["n"]), **values}
    inputs = _USUAL.get(info.name, inputs)
    params = [f"{given[each.name]:g}" for each in info.params]
    return f"{info.name}({', '.join([*inputs, *params])})"


def _ten_rows() -> pl.DataFrame:
    """Ten bars that a person can follow; every kind of step is among them."""
    close = [100.0, 101.5, 101.0, 102.5, 102.5, 101.0, 99.5, 100.5, 102.0, 101.5]
    opens = [99.5, 100.5, 101.5, 101.0, 102.0, 102.5, 101.0, 99.0, 100.5, 102.5]
    high = [100.5, 102.0, 102.0, 103.0, 103.5, 102.5, 101.5, 101.0, 102.5, 103.0]
    low = [99.0, 100.0, 100.5, 101.0, 101.5, 100.5, 99.0, 98.5, 100.0, 101.0]
    return pl.DataFrame(
        {
            "ts": list(range(10)),
            "instrument": ["A.X"] * 10,
            "open": opens,
            "high": high,
            "low": low,
            "close": close,
            "volume": [1000.0, 1500, 1200, 2000, 900, 1800, 2500, 1600, 1400, 1100],
            "bid": [each - 0.05 for each in close],
            "bid_size": [500.0, 300, 400, 600, 200, 100, 300, 500, 400, 300],
            "ask": [each + 0.05 for each in close],
            "ask_size": [400.0, 400, 200, 300, 500, 600, 400, 200, 300, 300],
        }
    )


def pages() -> dict[Path, str]:
    """Pages and pictures, by where they belong."""
    folder = ROOT / "docs" / "reference"
    return {
        folder / "features.md": features_page(),
        folder / "operators.md": operators_page(),
        **images(),
        **operator_images(),
    }
