"""Prove that a feature does not see the future, and needs no more past than it says."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from quantvista.errors import ConfigError
from quantvista.features._set import FeatureSet
from quantvista.features.causality._inputs import Inputs, call
from quantvista.features.causality._perturb import cuts, perturbed
from quantvista.features.causality._trace import first_difference

__all__ = ["Finding", "check_feature", "check_set"]

_TOLERANCE = 1e-9
# Of a recursive operator the start still weighs up to 1e-9 of the inputs, which may be a thousand
# times what is left of their differences.
_TOLERANCE_START = 1e-6


@dataclass(frozen=True, slots=True)
class Finding:
    """A way in which a feature is not what it must be.

    Parameters
    ----------
    feature : str
        Its name.
    kind : str
        ``values``, ``truncated``, ``revisions`` or ``universe``: what was altered after ``cut``;
        or ``warm_up``: the value depends on bars before those that it declares.
    instrument : str
        Of the first value that differs.
    ts : int
        Its time, UTC nanoseconds.
    cut : int
        The time after which the data were altered, or before which they were left out.
    before, after : float or None
        The value with the data as they are, and as they were altered.
    file : str
        Where the feature is defined.
    line : int
        The line to blame, 0 where there is no file.
    code : str
        That line.
    """

    feature: str
    kind: str
    instrument: str
    ts: int
    cut: int
    before: float | None
    after: float | None
    file: str = ""
    line: int = 0
    code: str = ""


def check_feature(
    function: Callable[..., object],
    inputs: Inputs,
    *,
    cut_count: int = 12,
    seed: int = 0,
    warm_up: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Finding]:
    """Check a feature that is a function of whole tables.

    Parameters
    ----------
    function : callable
        See `call` for what it takes and returns.
    inputs : Inputs
        Data to try it on.
    cut_count : int
        At how many times the future is altered.
    seed : int
        Of the times and of what is altered.
    warm_up : int or None
        Bars that a value depends on, if it says so; an attribute ``warm_up`` of the function
        counts too. ``None`` does not check it.
    progress : callable or None
        Told the share that is done.

    Returns
    -------
    list of Finding
        Empty if it is honest, as far as was tried; at most one of a kind and column.

    Raises
    ------
    StrategyError
        If the function raises or returns something else.
    ConfigError
        If there are too few bars to try anything.
    """
    rng = np.random.default_rng(seed)
    base = call(function, inputs)
    times = cuts(inputs, cut_count, rng, start=_start(base, inputs, {}))
    found: dict[tuple[str, str], tuple[Finding, Inputs]] = {}
    for done, cut in enumerate(times):
        for kind, altered in perturbed(inputs, cut, rng):
            if not altered.bars.is_empty():
                for finding in _differences(base, call(function, altered), kind, cut):
                    found.setdefault((finding.feature, kind), (finding, altered))
        if progress is not None:
            progress((done + 1) / (len(times) + 1))
    findings = [_blamed(function, inputs, *each) for each in found.values()]
    declared = warm_up if warm_up is not None else getattr(function, "warm_up", None)
    if isinstance(declared, int):
        findings += _recursion(function, inputs, base, declared)
    if progress is not None:
        progress(1.0)
    return findings


def check_set(
    features: FeatureSet, inputs: Inputs, *, cut_count: int = 4, seed: int = 0
) -> list[Finding]:
    """Check expressions and operators of one's own.

    Parameters
    ----------
    features : FeatureSet
        All of them are checked together.
    inputs : Inputs
        Data to try them on; series are joined to the bars as they were known.
    cut_count, seed : int
        See `check_feature`.

    Returns
    -------
    list of Finding
        Empty if they are honest. A look-back that is too short is found too.
    """
    from quantvista.features._join import join

    def compute(given: Inputs) -> pl.DataFrame:
        bars = given.bars
        for name in sorted(given.series):
            bars = join(bars, given.series[name])
        bars = bars.drop("ts_event").rename({"ts_received": "ts"})
        return features.compute(bars, short=True).rename({"ts": "ts_received"})

    rng = np.random.default_rng(seed)
    base = compute(inputs)
    times = cuts(inputs, cut_count, rng, start=_start(base, inputs, features.warm_up))
    findings: dict[tuple[str, str], Finding] = {}
    for cut in times:
        for kind, altered in perturbed(inputs, cut, rng):
            if not altered.bars.is_empty():
                for each in _differences(base, compute(altered), kind, cut):
                    findings.setdefault((each.feature, kind), each)
    late = _later_start(inputs)
    if late is not None:
        values = compute(late)
        for name, needed in features.look_back.items():
            if needed is not None:
                findings.update(_short(base, values, name, needed))
    return list(findings.values())


def _start(base: pl.DataFrame, inputs: Inputs, warm_up: Mapping[str, int]) -> int:
    """Find the time from which every feature has values; before it no change could be seen.

    Raises
    ------
    ConfigError
        If there is none before the last: nothing could be tried, and nothing be called honest.
    """
    if inputs.bars["ts_received"].n_unique() < 2:
        raise ConfigError(f"`bars` must have at least 2 times; found {inputs.bars.height} rows")
    last = base["ts_received"].max()
    start = 0
    for name in base.columns[2:]:
        valued = base.filter(pl.col(name).is_not_null())["ts_received"]
        if valued.is_empty() or valued.min() == last:
            needed = f"at least {warm_up[name] + 1} bars" if name in warm_up else "more bars"
            longest = int(inputs.bars["instrument"].value_counts()["count"].to_numpy().max())
            rule = f"must have {needed} of an instrument to check {name!r}"
            raise ConfigError(f"`bars` {rule}; found {longest}")
        start = max(start, int(str(valued.min())))
    return start


def _differences(base: pl.DataFrame, other: pl.DataFrame, kind: str, cut: int) -> list[Finding]:
    """Find the first value of each column that is known by the cut and differs."""
    keys = ["ts_received", "instrument"]
    past = base.filter(pl.col("ts_received") <= cut)
    both = past.join(
        other.filter(pl.col("ts_received") <= cut),
        on=keys,
        how="full",
        suffix="_other",
        coalesce=True,
    ).sort(keys)
    findings = []
    for name in (column for column in base.columns if column not in keys):
        label = f"{name}_other"
        if label not in both.columns:
            findings.append(_at(past, name, kind, cut, None))
            continue
        differ = both.filter(_unequal(pl.col(name), pl.col(label)))
        if not differ.is_empty():
            findings.append(_at(differ, name, kind, cut, label))
    return findings


def _unequal(
    left: pl.Expr, right: pl.Expr, tolerance: float = _TOLERANCE, least: float = 0.0
) -> pl.Expr:
    scale = pl.max_horizontal(left.abs(), right.abs(), pl.lit(least))
    return (left.is_null() != right.is_null()) | (
        ((left - right).abs() > tolerance * scale).fill_null(value=False)
    )


def _at(rows: pl.DataFrame, name: str, kind: str, cut: int, label: str | None) -> Finding:
    row = rows.row(0, named=True)
    after = None if label is None else row[label]
    return Finding(name, kind, row["instrument"], row["ts_received"], cut, row[name], after)


def _blamed(
    function: Callable[..., object], before: Inputs, finding: Finding, after: Inputs
) -> Finding:
    """Add the place in the user's file."""
    file, lines, first = _source(function)
    if not lines:
        return finding
    line = first_difference(function, before, after, finding.cut)
    if line is None:
        returns = [first + k for k, text in enumerate(lines) if "return" in text]
        line = returns[-1] if returns else first
    code = lines[line - first].strip() if first <= line < first + len(lines) else ""
    fields = {
        name: getattr(finding, name) for name in ("feature", "kind", "instrument", "ts", "cut")
    }
    return Finding(
        **fields, before=finding.before, after=finding.after, file=file, line=line, code=code
    )


def _later_start(inputs: Inputs) -> Inputs | None:
    """Leave out the first third of the data."""
    times = inputs.bars["ts_received"].unique().sort()
    if len(times) < 6:
        return None
    start = times[len(times) // 3]
    return Inputs(
        inputs.bars.filter(pl.col("ts_received") >= start), inputs.series, inputs.universe
    )


def _recursion(
    function: Callable[..., object], inputs: Inputs, base: pl.DataFrame, warm_up: int
) -> list[Finding]:
    late = _later_start(inputs)
    if late is None:
        return []
    values = call(function, late)
    found: Mapping[tuple[str, str], Finding] = {}
    for name in (each for each in base.columns if each not in ("ts_received", "instrument")):
        found = {**found, **_short(base, values, name, warm_up)}
    file, lines, line = _source(function)
    code = lines[0].strip() if lines else ""
    return [
        Finding(e.feature, e.kind, e.instrument, e.ts, e.cut, e.before, e.after, file, line, code)
        for e in found.values()
    ]


def _source(function: Callable[..., object]) -> tuple[str, list[str], int]:
    """File, lines and number of the first; what was found stands without them."""
    try:
        lines, first = inspect.getsourcelines(function)
        return inspect.getsourcefile(function) or "", lines, first
    except (OSError, TypeError):
        return "", [], 0  # a built-in, a callable object, or typed into a shell


def _short(
    base: pl.DataFrame, late: pl.DataFrame, name: str, needed: int
) -> dict[tuple[str, str], Finding]:
    """Values that still differ after as many bars as they say they need."""
    if name not in late.columns or late.is_empty():
        return {}
    start = int(late["ts_received"].min() or 0)  # type: ignore[arg-type]
    place = pl.int_range(pl.len()).over("instrument")
    settled = late.sort("ts_received").with_columns(place.alias("_bar"))
    settled = settled.filter(pl.col("_bar") >= needed - 1).select("ts_received", "instrument", name)
    both = base.select("ts_received", "instrument", name).join(
        settled, on=["ts_received", "instrument"], suffix="_other"
    )
    usual = float(base[name].abs().median() or 0.0)  # type: ignore[arg-type]
    unequal = _unequal(pl.col(name), pl.col(f"{name}_other"), _TOLERANCE_START, usual)
    differ = both.filter(unequal).sort("ts_received")
    if differ.is_empty():
        return {}
    return {(name, "warm_up"): _at(differ, name, "warm_up", start, f"{name}_other")}
