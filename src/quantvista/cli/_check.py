"""What ``qv check`` does."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from quantvista.cli._bars import load_bars
from quantvista.cli._load_own import load_named
from quantvista.cli._print import console, print_json, say
from quantvista.errors import ConfigError, MarketDataError

if TYPE_CHECKING:
    from quantvista.backtest import FundFinding
    from quantvista.features.causality import Finding

__all__ = ["check_target"]

_WORDS: Mapping[str, str] = {
    "values": "it changed when what came later was altered",
    "truncated": "it changed when what came later was left out",
    "revisions": "it changed when earlier figures were revised later",
    "universe": "it changed when others joined or left the universe later",
    "warm_up": "it depends on more history than it says",
    "repeat": "it came out otherwise when the same data came again",
    "restart": "it came out otherwise when it was saved and restored in the middle",
    "files": "it opened a file while it was at work",
}


def check_target(
    target: str,
    *,
    source: str | None,
    series: Sequence[str],
    universe: Path | None,
    columns: Sequence[str],
    lake: Path | None,
    cut_count: int,
    seed: int,
    as_json: bool,
) -> None:
    """Check a fund, a function or an expression; end with 4 if it is not honest."""
    if target.endswith(".toml") or Path(target).is_dir():
        findings = _fund(target, cut_count, seed, quiet=as_json)
    else:
        findings = _feature(
            target, source, series, universe, columns, lake, cut_count, seed, quiet=as_json
        )
    if as_json:
        print_json({"target": target, "honest": not findings, "findings": findings})
    elif not findings:
        say(f"{target}: decides on the past alone, as far as {cut_count} other futures can tell.")
    else:
        for each in findings:
            _say(each)
    if findings:
        raise typer.Exit(4)


def _fund(target: str, cut_count: int, seed: int, *, quiet: bool) -> list[dict[str, object]]:
    from quantvista.backtest import check_fund
    from quantvista.fund import load_fund

    path = Path(target)
    loaded = load_fund(path / "fund.toml" if path.is_dir() else path)
    with _progress(quiet) as shown:
        task = shown.add_task("checking", total=1.0)
        found = check_fund(
            loaded,
            cut_count=cut_count,
            seed=seed,
            progress=lambda share: shown.update(task, completed=share),
        )
    return [_finding(f"strategy {each.strategy} of sleeve {each.sleeve}", each) for each in found]


def _feature(
    target: str,
    source: str | None,
    series: Sequence[str],
    universe: Path | None,
    columns: Sequence[str],
    lake: Path | None,
    cut_count: int,
    seed: int,
    *,
    quiet: bool,
) -> list[dict[str, object]]:
    from quantvista.features import FeatureSet
    from quantvista.features.causality import Inputs, check_feature, check_set

    if source is None:
        raise ConfigError("`--input` must name bars for a feature; found none")
    bars, _, _ = load_bars(source, columns, lake)
    bars = bars.rename({"ts": "ts_received"}).sort("ts_received", "instrument")
    inputs = Inputs(
        bars,
        {name: _table(path) for name, path in (_pair(each) for each in series)},
        None if universe is None else _table(str(universe)),
    )
    if ".py:" in target:
        function = load_named(target)
        if not callable(function):
            raise ConfigError(f"`target` must name a function; found {target}")
        with _progress(quiet) as shown:
            task = shown.add_task("checking", total=1.0)
            found = check_feature(
                function,
                inputs,
                cut_count=cut_count,
                seed=seed,
                fresh=lambda: load_named(target),
                progress=lambda share: shown.update(task, completed=share),
            )
    else:
        found = check_set(FeatureSet([target]), inputs, cut_count=cut_count, seed=seed)
    findings = [_finding(f"feature {each.feature}", each, each.code) for each in found]
    for given, each in zip(findings, found, strict=True):
        if each.opened:
            given["after"] = each.opened
    return findings


def _finding(what: str, found: "FundFinding | Finding", code: str = "") -> dict[str, object]:
    """Give a finding as plain values; of a fund there is no line of code to show."""
    names = ("kind", "instrument", "ts", "cut", "before", "after", "file", "line")
    return {"what": what, **{name: getattr(found, name) for name in names}, "code": code}


def _pair(text: str) -> tuple[str, str]:
    name, sign, path = text.partition("=")
    if not sign or not name.isidentifier():
        raise ConfigError(f"`--series` must be NAME=FILE; found {text!r}")
    return name, path


def _table(path: str) -> pl.DataFrame:
    """Read a table as it stands; times must be UTC nanoseconds or timestamps."""
    try:
        frame = pl.read_parquet(path) if path.endswith(".parquet") else pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise MarketDataError(f"{path} must be a CSV or Parquet table; {reason}") from None
    instants = []
    for name in ("ts_event", "known_at", "start", "end"):
        if name in frame.columns:
            column = pl.col(name)
            if frame[name].dtype == pl.String:
                column = column.str.to_datetime(time_unit="ns", time_zone="UTC")
            if frame[name].dtype == pl.Date:
                column = column.cast(pl.Datetime("ns"))
            if not frame[name].dtype.is_integer():
                column = column.dt.epoch("ns")
            instants.append(column.alias(name))
    return frame.with_columns(instants)


def _progress(quiet: bool) -> Progress:
    return Progress(
        TextColumn("trying other futures"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console(),
        transient=True,
        disable=quiet or not sys.stdout.isatty(),
    )


def _say(finding: Mapping[str, object]) -> None:
    say(f"{finding['what']}: {_WORDS[str(finding['kind'])]}.")
    if finding["instrument"]:
        altered = "" if finding["kind"] == "repeat" else f", altered after {_when(finding['cut'])}"
        when = f"{_when(finding['ts'])}{altered}"
        say(f"  {finding['instrument']} at {when}")
    if finding["kind"] == "files":
        say(f"  {finding['after']}")
    else:
        say(f"  was {_value(finding['before'])}, became {_value(finding['after'])}")
    if finding["file"]:
        say(f"  {finding['file']}, line {finding['line']}")
    if finding["code"]:
        say(f"    {finding['code']}")


def _when(ts: object) -> str:
    return datetime.fromtimestamp(int(str(ts)) // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    return "nothing" if value in (None, "") else str(value)
