"""What ``qv data check`` and ``qv data repair`` do."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from quantvista.cli._bars import load_bars
from quantvista.cli._print import console, next_steps, print_json, say, table, write_text
from quantvista.data.events import read_actions
from quantvista.data.quality import CHECKS, CheckOptions, Report, check_bars, repair_bars
from quantvista.errors import ConfigError, MarketDataError, OutputError
from quantvista.market import CorporateAction

__all__ = ["check_source", "repair_source"]

_DATA_EXIT = 3


def check_source(
    source: str,
    *,
    calendar: str | None,
    against: Path | None,
    actions: Path | None,
    raw: bool,
    policies: Sequence[str],
    columns: Sequence[str],
    html: Path | None,
    flags: Path | None,
    lake: Path | None,
    as_json: bool,
) -> None:
    """Check, and show what was found."""
    bars, words, usual = load_bars(source, columns, lake)
    options = _options(calendar or usual, raw, policies)
    other = None if against is None else load_bars(str(against), columns, lake)[0]
    known = () if actions is None else read_actions(actions, actions.name)
    if actions is not None:
        words.append(("actions", _of_these(known, bars, actions.name)))
    report = _checked(bars, options, other, known, quiet=as_json)
    if report.compared is not None and against is not None:
        words.append(
            ("compared", f"{report.compared:,} of {report.rows:,} bars with {against.name}")
        )
    if flags is not None:
        write_table(report.flags, flags)
    if html is not None:
        from quantvista.reporting import quality_page

        write_text(html, quality_page(report, bars, source))
    if as_json:
        print_json({"source": source, "read": words, **report.scorecard()})
    else:
        _show(report, words)
        steps = [f"qv data check {source} --html check.html"] if html is None else []
        if any(report.policies[name] in ("quarantine", "repair") for name in report.counts):
            steps.append(f"qv data repair {source} --output clean.parquet")
        for path in (each for each in (html, flags) if each is not None):
            say(f"wrote {path}")
        if steps:
            next_steps(steps)
    if any(CHECKS[name].severity == "error" for name in report.counts):
        raise typer.Exit(_DATA_EXIT)


def repair_source(
    source: str,
    output: Path,
    *,
    calendar: str | None,
    raw: bool,
    policies: Sequence[str],
    columns: Sequence[str],
    lake: Path | None,
    as_json: bool,
) -> None:
    """Apply the policies, and write everything that comes of it."""
    bars, words, usual = load_bars(source, columns, lake)
    report = _checked(bars, _options(calendar or usual, raw, policies), None, (), quiet=as_json)
    done = repair_bars(bars, report)
    aside = output.with_suffix(".quarantine.parquet")
    changed = output.with_suffix(".changes.parquet")
    kept = done.bars.rename({"ts": "ts_received"})
    for frame, path in ((kept, output), (done.quarantined, aside), (done.changes, changed)):
        write_table(frame, path)
    counts = {
        "bars": done.bars.height,
        "quarantined": done.quarantined.height,
        "changes": done.changes.height,
    }
    if as_json:
        print_json({"source": source, "read": words, **counts, **report.scorecard()})
        return
    _show(report, words)
    say(f"wrote {output}: {counts['bars']:,} bars")
    say(f"wrote {aside}: {counts['quarantined']:,} bars with their reasons")
    say(f"wrote {changed}: {counts['changes']:,} values before and after")


def _of_these(actions: Sequence[CorporateAction], bars: pl.DataFrame, name: str) -> str:
    """Say how many actions are of these bars; none at all is a mistake of names.

    Raises
    ------
    MarketDataError
        If there is none.
    """
    there = set(bars["instrument"].unique())
    count = sum(each.instrument in there for each in actions)
    if not count:
        ours = ", ".join(sorted(there)[:3])
        theirs = ", ".join(sorted({each.instrument for each in actions})[:3]) or "no action"
        raise MarketDataError(f"{name}: must name instruments of the bars ({ours}); found {theirs}")
    return f"{count:,} of {len(actions):,} in {name} are of these instruments"


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as CSV or Parquet, by the suffix.

    Raises
    ------
    ConfigError
        If the suffix is neither.
    OutputError
        If it cannot be written.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"`--output` must end in .csv or .parquet; found {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


def _options(calendar: str | None, raw: bool, policies: Sequence[str]) -> CheckOptions:
    chosen = {}
    for each in policies:
        name, sign, policy = each.partition("=")
        if not sign:
            raise ConfigError(f"`--policy` must be CHECK=POLICY; found {each!r}")
        chosen[name] = policy
    return CheckOptions(calendar, chosen, adjusted=not raw)


def _checked(
    bars: pl.DataFrame,
    options: CheckOptions,
    other: pl.DataFrame | None,
    actions: Sequence[CorporateAction],
    *,
    quiet: bool,
) -> Report:
    shown = Progress(
        TextColumn("checking"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total} instruments"),
        TimeRemainingColumn(),
        console=console(),
        transient=True,
        disable=quiet or not sys.stdout.isatty(),
    )
    with shown:
        task = shown.add_task("checking", total=bars["instrument"].n_unique())
        return check_bars(
            bars,
            options,
            other=other,
            actions=actions,
            progress=lambda done, total: shown.update(task, completed=done, total=total),
        )


def _show(report: Report, words: Sequence[tuple[str, str]]) -> None:
    for what, text in words:
        say(f"{what:<12} {text}")
    errors = sum(n for c, n in report.counts.items() if CHECKS[c].severity == "error")
    warnings = sum(n for c, n in report.counts.items() if CHECKS[c].severity == "warning")
    say("")
    if errors or warnings:
        clean = math.floor(100 * report.score) / 100
        share = f"{clean:.2f} % of {report.rows:,} bars are without a flag"
        say(f"{errors:,} errors and {warnings:,} warnings; {share}.")
    else:
        say(f"Nothing is wrong with these {report.rows:,} bars, as far as the checks can see.")
    rows = [
        (name, CHECKS[name].severity, f"{count:,}", report.policies[name])
        for name, count in report.counts.items()
    ]
    if rows:
        table(("check", "severity", "flags", "then"), rows)
