"""Prove that a feature does not see the future, and needs no more past than it says."""

import inspect
import linecache
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from quantvista.errors import ConfigError
from quantvista.features._parse import names_in
from quantvista.features._set import FeatureSet
from quantvista.features.causality._hidden import Hidden
from quantvista.features.causality._inputs import Inputs, call
from quantvista.features.causality._opened import files_opened
from quantvista.features.causality._perturb import cuts, perturbed, truncated
from quantvista.features.causality._still import moved, moving_for, numbers, valued_for
from quantvista.features.causality._trace import first_difference

__all__ = ["Finding", "check_feature", "check_set"]

# Compiled libraries may round otherwise when there are more rows; what is more than that is seen.
_ROUNDING = 1e-13
# What a function may differ by that differs when it is given the same data again, as sums do that
# several threads add up.
_INEXACT = 1e-9
# Of a recursive operator the start still weighs up to 1e-9 of the inputs, which may be a thousand
# times what is left of their differences.
_TOLERANCE_START = 1e-6
_KEYS = ["ts_received", "instrument"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A way in which a feature is not what it must be.

    Parameters
    ----------
    feature : str
        Its name.
    kind : str
        ``values``, ``truncated``, ``revisions`` or ``universe``: what was altered after ``cut``;
        ``warm_up``: the value depends on bars before those that it declares; ``repeat``: the same
        data give another one when others were seen before; ``restart``: they do when the stream
        is saved and restored in the middle; ``files``: it opened a file.
    instrument : str
        Of the first value that differs, empty for files.
    ts : int
        Its time, UTC nanoseconds, 0 for files.
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
    opened : str
        The file that was opened, empty for other kinds.
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
    opened: str = ""


def check_feature(
    function: Callable[..., object],
    inputs: Inputs,
    *,
    cut_count: int = 12,
    seed: int = 0,
    warm_up: int | None = None,
    fresh: Callable[[], Callable[..., object]] | None = None,
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
    fresh : callable or None
        Makes the function anew, with nothing remembered of earlier calls, as by running its file
        again. Without it a function that keeps the first data it ever saw goes unseen.
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
    new = fresh or (lambda: function)
    tell = progress or (lambda share: None)
    with files_opened(_file_of(function)) as opened:
        calls = _repeated(lambda: partial(call, new()), inputs)
        rng = np.random.default_rng(seed)
        times = cuts(inputs, cut_count, rng, start=_start(calls.base, inputs, {}))
        repeats = calls.differences()
        if repeats and (fresh is None or not calls.steady):
            times = []  # what is not the same on the same data tells nothing about the future
        found = _futures(new, inputs, calls, times, rng, tell)
        findings = [_blamed(function, new, inputs, *each) for each in found]
        declared = warm_up if warm_up is not None else getattr(function, "warm_up", None)
        if isinstance(declared, int) and not repeats:
            findings += _recursion(new(), inputs, calls.base, declared, seed)
    findings += [_placed(function, each) for each in repeats]
    findings += [_opening(*each) for each in opened.items()]
    tell(1.0)
    return findings


def _futures(
    new: Callable[[], Callable[..., object]],
    inputs: Inputs,
    calls: "_Repeated",
    times: Sequence[int],
    rng: np.random.Generator,
    tell: Callable[[float], None],
) -> list[tuple[Finding, Inputs]]:
    """Alter what comes after each time; give the first finding of a kind, with those data."""
    found: dict[tuple[str, str], tuple[Finding, Inputs]] = {}
    for done, cut in enumerate(times):
        for kind, altered in perturbed(inputs, cut, rng):
            if not altered.bars.is_empty():
                other = call(new(), altered)
                for finding in _differences(calls.base, other, kind, cut, calls.tolerance):
                    found.setdefault((finding.feature, kind), (finding, altered))
        tell((done + 1) / (len(times) + 1))
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A feature called several times on the same data.

    Parameters
    ----------
    first, short_again : polars.DataFrame
        Of the data up to ``cut``: before anything else was seen, and after the whole.
    base, again : polars.DataFrame
        Of all data: with nothing remembered, and after earlier calls.
    steady : bool
        Whether a call with nothing remembered comes out the same each time.
    tolerance : float
        Up to which values count as equal, because the same data give other ones within it.
    cut, last : int
        UTC nanoseconds; the last time there is.
    """

    first: pl.DataFrame
    short_again: pl.DataFrame
    base: pl.DataFrame
    again: pl.DataFrame
    steady: bool
    tolerance: float
    cut: int
    last: int

    def differences(self) -> list[Finding]:
        """Values that depend on earlier calls."""
        found = _differences(self.base, self.again, "repeat", self.last, _INEXACT)
        names = {each.feature for each in found}
        short = _differences(self.first, self.short_again, "repeat", self.cut, _INEXACT)
        return [*found, *(each for each in short if each.feature not in names)]


def _repeated(new: Callable[[], Callable[[Inputs], pl.DataFrame]], inputs: Inputs) -> _Repeated:
    """Compute on less before the whole was ever seen, and on both again."""
    times = inputs.bars["ts_received"].unique().sort()
    if len(times) < 2:
        raise ConfigError(f"`bars` must have at least 2 times; found {inputs.bars.height} rows")
    cut, last = int(times[max(1, 3 * len(times) // 4) - 1]), int(times[-1])
    short = truncated(inputs, cut)
    one = new()
    first = one(short)
    base = new()(inputs)
    again, short_again = one(inputs), one(short)
    exact = not (
        _differences(base, again, "repeat", last, 0.0)
        or _differences(first, short_again, "repeat", cut, 0.0)
    )
    steady = exact or not _differences(base, new()(inputs), "repeat", last, _INEXACT)
    tolerance = _ROUNDING if exact else _INEXACT
    return _Repeated(first, short_again, base, again, steady, tolerance, cut, last)


def _file_of(function: Callable[..., object]) -> dict[str, str]:
    """Name of a feature by its file, as `files_opened` takes it."""
    routine = function if inspect.isroutine(function) else type(function).__call__
    code = getattr(inspect.unwrap(routine), "__code__", None)
    name = getattr(function, "__name__", "feature")
    return {} if code is None else {code.co_filename: f"{name}\n{code.co_filename}"}


def _opening(name: str, opened: tuple[str, int]) -> Finding:
    feature, _, file = name.partition("\n")
    path, line = opened
    code = linecache.getline(file, line).strip()
    return Finding(feature, "files", "", 0, 0, None, None, file, line, code, path)


def _placed(function: Callable[..., object], finding: Finding) -> Finding:
    """Add where the whole function is written."""
    file, lines, line = _source(function)
    return replace(finding, file=file, line=line, code=lines[0].strip() if lines else "")


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

    def joined(given: Inputs) -> Inputs:
        bars = given.bars
        for name in sorted(given.series):
            bars = join(bars, given.series[name])
        return Inputs(bars, universe=given.universe)

    def compute(given: Inputs, restart: Callable[[], object] | None = None) -> pl.DataFrame:
        bars = joined(given).bars.drop("ts_event").rename({"ts_received": "ts"})
        found = features.compute(bars, short=True, restart=restart)
        return found.rename({"ts": "ts_received"})

    rng = np.random.default_rng(seed)
    hidden = Hidden(features.own_operators)
    calls = _repeated(lambda: compute, inputs)
    base = calls.base
    last = int(str(inputs.bars["ts_received"].max()))
    times = cuts(inputs, cut_count, rng, start=_start(base, inputs, features.warm_up))
    findings = {(each.feature, each.kind): each for each in calls.differences()}
    if features.own_operators and not findings:
        other = compute(inputs, hidden.forget)
        again = _differences(base, other, "restart", last, calls.tolerance)
        findings = {(each.feature, each.kind): each for each in again}
    if findings:
        return list(findings.values())
    for cut in times:
        for kind, altered in perturbed(inputs, cut, rng):
            if not altered.bars.is_empty():
                for each in _differences(base, compute(altered), kind, cut, calls.tolerance):
                    findings.setdefault((each.feature, kind), each)
    whole = joined(inputs)
    needed = {name: count for name, count in features.look_back.items() if count is not None}
    there = set(numbers(whole.bars))
    read = {name: sorted(there & set(names_in(features.expressions[name]))) for name in needed}
    findings.update(_Starts(compute, needed, read).compare(whole, base, seed))
    return list(findings.values())


def _start(base: pl.DataFrame, inputs: Inputs, warm_up: Mapping[str, int]) -> int:
    """Find the time from which every feature has values; before it no change could be seen.

    Raises
    ------
    ConfigError
        If there is none before the last: nothing could be tried, and nothing be called honest.
    """
    last = base["ts_received"].max()
    start = 0
    for name in base.columns[2:]:
        valued = base.filter(pl.col(name).is_not_null())["ts_received"]
        if valued.is_empty() or valued.min() == last:
            least = warm_up.get(name, -1) + 1
            longest = int(inputs.bars["instrument"].value_counts()["count"].to_numpy().max())
            if longest >= least > 0:
                raise ConfigError(
                    f"`bars` must give {name!r} a value before the last of them; found none in "
                    f"{longest} bars: what it reads is missing, or does not move"
                )
            needed = f"at least {least} bars" if least else "more bars"
            rule = f"must have {needed} of an instrument to check {name!r}"
            raise ConfigError(f"`bars` {rule}; found {longest}")
        start = max(start, int(str(valued.min())))
    return start


def _differences(
    base: pl.DataFrame, other: pl.DataFrame, kind: str, cut: int, tolerance: float
) -> list[Finding]:
    """Find the first value of each column that is known by the cut and differs."""
    past = base.filter(pl.col("ts_received") <= cut)
    both = past.join(
        other.filter(pl.col("ts_received") <= cut),
        on=_KEYS,
        how="full",
        suffix="_other",
        coalesce=True,
    ).sort(_KEYS)
    findings = []
    for name in (column for column in base.columns if column not in _KEYS):
        label = f"{name}_other"
        if label not in both.columns:
            findings.append(_at(past, name, kind, cut, None))
            continue
        differ = both.filter(_unequal(pl.col(name), pl.col(label), tolerance))
        if not differ.is_empty():
            findings.append(_at(differ, name, kind, cut, label))
    return findings


def _unequal(left: pl.Expr, right: pl.Expr, tolerance: float) -> pl.Expr:
    """Tell values apart by what they are, or what the column usually is, whichever is more."""
    usual = left.filter(left.is_finite()).abs().median()
    scale = pl.max_horizontal(left.abs(), right.abs(), usual)
    far = scale.is_infinite() | ((left - right).abs() > tolerance * scale)
    return (left.is_null() != right.is_null()) | ((left != right) & far).fill_null(value=False)


def _at(rows: pl.DataFrame, name: str, kind: str, cut: int, label: str | None) -> Finding:
    row = rows.row(0, named=True)
    after = None if label is None else row[label]
    return Finding(name, kind, row["instrument"], row["ts_received"], cut, row[name], after)


def _blamed(
    function: Callable[..., object],
    new: Callable[[], Callable[..., object]],
    before: Inputs,
    finding: Finding,
    after: Inputs,
) -> Finding:
    """Add the place in the user's file."""
    file, lines, first = _source(function)
    if not lines:
        return finding
    line = first_difference(new, before, after, finding.cut)
    if line is None:
        returns = [first + k for k, text in enumerate(lines) if "return" in text]
        line = returns[-1] if returns else first
    code = lines[line - first].strip() if first <= line < first + len(lines) else ""
    return replace(finding, file=file, line=line, code=code)


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
    function: Callable[..., object], inputs: Inputs, base: pl.DataFrame, warm_up: int, seed: int
) -> list[Finding]:
    names = [each for each in base.columns if each not in _KEYS]
    read = dict.fromkeys(names, numbers(inputs.bars))
    starts = _Starts(partial(call, function), dict.fromkeys(names, warm_up), read)
    return [_placed(function, each) for each in starts.compare(inputs, base, seed).values()]


@dataclass(frozen=True, slots=True)
class _Starts:
    """Features that are computed with less history before them.

    Parameters
    ----------
    compute : callable
        Gives their values.
    needed : mapping of str to int
        Bars that each needs, by its name.
    read : mapping of str to sequence of str
        Columns that each reads. Where one of them stands still within those bars, or the feature
        has no value there, operators reach further back, for they leave out what is missing, and
        what is left of older bars may be no less than what is left of these: there nothing is
        compared.
    """

    compute: Callable[[Inputs], pl.DataFrame]
    needed: Mapping[str, int]
    read: Mapping[str, Sequence[str]]

    def compare(
        self, inputs: Inputs, base: pl.DataFrame, seed: int
    ) -> dict[tuple[str, str], Finding]:
        """Find values that need more, in the bars as they are and where all of them move."""
        if not self.needed:
            return {}
        found = self._short(inputs, base)
        other = moved(inputs, np.random.default_rng(seed))
        return {**self._short(other, self.compute(other)), **found}

    def _short(self, inputs: Inputs, base: pl.DataFrame) -> dict[tuple[str, str], Finding]:
        late = _later_start(inputs)
        if late is None:
            return {}
        values = self.compute(late)
        used = {each for name in self.needed for each in self.read[name]}
        bars = moving_for(inputs.bars, sorted(used))
        found: dict[tuple[str, str], Finding] = {}
        for name, count in self.needed.items():
            moving = pl.min_horizontal(pl.lit(count), *self.read[name]) >= count
            rows = base.join(bars.filter(moving), on=_KEYS, how="semi")
            rows = rows.join(base.filter(valued_for(name) >= count), on=_KEYS, how="semi")
            found.update(_short(rows, values, name, count))
        return found


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
    unequal = _unequal(pl.col(name), pl.col(f"{name}_other"), _TOLERANCE_START)
    differ = both.filter(unequal).sort("ts_received")
    if differ.is_empty():
        return {}
    return {(name, "warm_up"): _at(differ, name, "warm_up", start, f"{name}_other")}
