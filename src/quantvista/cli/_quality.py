"""What ``qv data check`` and ``qv data repair`` do."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import typer

from quantvista.cli._bars import LoadedRows, load_bars, load_rows
from quantvista.cli._print import next_steps, print_json, say, table, write_text
from quantvista.cli._progress import progress_bar
from quantvista.data.events import read_actions
from quantvista.data.quality import (
    CheckOptions,
    Report,
    apart,
    check_bars,
    check_quotes,
    check_trades,
    counted,
    repair_rows,
)
from quantvista.errors import ConfigError, MarketDataError, OutputError
from quantvista.market import CorporateAction

__all__ = [
    "Asked",
    "check_source",
    "repair_source",
    "spare",
    "write_table",
    "write_tables",
]

_DATA_EXIT = 3
_TABLES = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class Asked:
    """What both commands are told.

    Parameters
    ----------
    source : str
        A file, a folder, or ``lake:NAME``.
    rows : str or None
        What its rows are, where that is not to be told by themselves.
    calendar : str or None
        Whose sessions there must be.
    against, actions : pathlib.Path or None
        Another source, and known splits and dividends.
    raw : bool
        Prices are not adjusted.
    policies, columns : sequence of str
        ``CHECK=POLICY``, ``OURS=THEIRS``.
    lake : pathlib.Path or None
        Folder of the lake.
    as_json : bool
        Print JSON, nothing else.
    """

    source: str
    rows: str | None
    calendar: str | None
    against: Path | None
    actions: Path | None
    raw: bool
    policies: Sequence[str]
    columns: Sequence[str]
    lake: Path | None
    as_json: bool


def check_source(asked: Asked, *, html: Path | None, flags: Path | None) -> None:
    """Check, and show what was found."""
    _spare(asked, "--html", [html])
    _spare(asked, "--flags", [flags])
    _check_suffixes(each for each in (flags,) if each is not None)
    loaded, report, words = _inspect(asked, lambda _, report: report)
    if flags is not None:
        write_table(report.flags, flags)
    if html is not None:
        from quantvista.reporting import quality_page

        write_text(html, quality_page(report, loaded.rows, asked.source))
    if asked.as_json:
        print_json(_figures(asked, loaded, report, words))
    else:
        _show(report, words, loaded.rejected.height)
        for path in (each for each in (html, flags) if each is not None):
            say(f"wrote {path}")
        steps = [f"qv data check {asked.source} --html check.html"] if html is None else []
        if any(report.policies[name] in ("quarantine", "repair") for name in report.counts):
            steps.append(f"qv data repair {asked.source} --output clean.parquet")
        if steps:
            next_steps(steps)
    if loaded.rejected.height or any(report.checks[n].severity == "error" for n in report.counts):
        raise typer.Exit(_DATA_EXIT)


def repair_source(asked: Asked, output: Path) -> None:
    """Apply the policies, and write everything that comes of it."""
    aside = output.with_suffix(".quarantine.parquet")
    changed = output.with_suffix(".changes.parquet")
    _check_suffixes([output])
    _spare(asked, "--output", [output, aside, changed])
    loaded, (report, done), words = _inspect(
        asked, lambda rows, report: (report, repair_rows(rows, report))
    )
    unreadable = _unreadable(loaded.rejected)
    found = apart(done.quarantined, ("source", "source_row", "content"))
    quarantined = pl.concat([found, unreadable], how="diagonal")
    kept = done.rows.rename({"ts": "ts_received"})
    write_tables({aside: quarantined, changed: done.changes, output: kept})
    counts = {
        report.kind: kept.height,
        "quarantined": done.quarantined.height,
        "unreadable": unreadable.height,
        "changes": done.changes.height,
    }
    if asked.as_json:
        print_json({**_figures(asked, loaded, report, words), **counts})
        return
    _show(report, words, loaded.rejected.height)
    say(f"wrote {output}: {counted(kept.height, report.noun)}")
    more = f" and {counted(unreadable.height, 'unreadable row')}" if unreadable.height else ""
    reasons = f"{counted(counts['quarantined'], report.noun)}{more}, with the reasons"
    say(f"wrote {aside}: {reasons}")
    say(f"wrote {changed}: {counted(counts['changes'], 'value')} before and after")
    place = "[data]" if report.kind == "bars" else "[[data.events]]"
    say(f'A fund reads the {report.kind} by source = "{output}" in {place}.')
    calendar = asked.calendar or loaded.calendar
    sessions = f" --calendar {calendar}" if calendar else ""
    next_steps([f"qv data check {output}{sessions}", f"qv data import {output} --into NAME"])


def _inspect[T](
    asked: Asked, then: Callable[[pl.DataFrame, Report], T]
) -> tuple[LoadedRows, T, list[tuple[str, str]]]:
    """Read, check, and go on with the report, telling how far it is."""
    with progress_bar(enabled=not asked.as_json) as advance:
        advance(0, 0, f"reading {asked.source}")
        loaded = load_rows(asked.source, asked.columns, asked.lake, asked.rows)
        _only_bars(asked, loaded.kind)
        words, other = list(loaded.words), None
        known: Sequence[CorporateAction] = ()
        if asked.against is not None:
            other = load_bars(str(asked.against), asked.columns, asked.lake)[0]
        if asked.actions is not None:
            known = read_actions(asked.actions, asked.actions.name)
            words.append(("actions", _of_these(known, loaded.rows, asked.actions.name)))
        report = _checked(asked, loaded, other, known, advance)
        if report.compared is not None and asked.against is not None:
            compared = f"{report.compared:,} of {counted(report.rows, 'bar')}"
            words.append(("compared", f"{compared} with {asked.against.name}"))
        result = then(loaded.rows, report)
    return loaded, result, words


def _checked(
    asked: Asked,
    loaded: LoadedRows,
    other: pl.DataFrame | None,
    known: Sequence[CorporateAction],
    advance: Callable[[int, int, str], None],
) -> Report:
    options = _options(asked, loaded.calendar)
    if loaded.kind != "bars":
        check = check_quotes if loaded.kind == "quotes" else check_trades
        return check(
            loaded.rows, options, progress=lambda done, total: advance(done, total, "checking")
        )
    return check_bars(
        loaded.rows,
        options,
        other=other,
        actions=known,
        progress=lambda done, total: advance(done, total, "checking"),
    )


def _only_bars(asked: Asked, kind: str) -> None:
    """Refuse what no check of quotes and trades reads.

    Raises
    ------
    ConfigError
        Naming the option.
    """
    for option, given in (
        ("--against", asked.against),
        ("--actions", asked.actions),
        ("--raw", asked.raw),
    ):
        if given and kind != "bars":
            raise ConfigError(f"`{option}` is for bars; found {kind} (--rows bars says otherwise)")


def _unreadable(rejected: pl.DataFrame) -> pl.DataFrame:
    """Rows that cannot be used, as the quarantine has them."""
    if rejected.is_empty():
        return pl.DataFrame()
    return rejected.select(
        pl.lit("unreadable").alias("check"),
        pl.col("reason").alias("text"),
        "source",
        pl.col("row").cast(pl.Int64).alias("source_row"),
        pl.col("text").alias("content"),
    )


def _figures(
    asked: Asked, loaded: LoadedRows, report: Report, words: Sequence[tuple[str, str]]
) -> Mapping[str, object]:
    reasons: dict[str, int] = {}
    if loaded.rejected.height:
        reasons = dict(loaded.rejected["reason"].value_counts().iter_rows())
    return {"source": asked.source, "read": words, "rejected": reasons, **report.scorecard()}


def _spare(asked: Asked, option: str, outputs: Sequence[Path | None]) -> None:
    others = [each for each in (asked.against, asked.actions) if each is not None]
    spare([asked.source, *map(str, others)], option, outputs)


def spare(sources: Sequence[str], option: str, outputs: Sequence[Path | None]) -> None:
    """Refuse to write over, or among, what is read.

    Parameters
    ----------
    sources : sequence of str
        Files and folders; a dataset of the lake is none.
    option : str
        Which names the outputs.
    outputs : sequence of pathlib.Path or None
        Files to write.

    Raises
    ------
    ConfigError
        Naming the file.
    """
    read = [Path(each) for each in sources if not each.startswith("lake:")]
    for output in (each for each in outputs if each is not None):
        place = output.resolve()
        for each in read:
            same = output.exists() and each.exists() and output.samefile(each)
            if same or place == each.resolve():
                rule = "must be another file than what is read"
                raise ConfigError(f"`{option}` {rule}; found {output}")
            if output.suffix in _TABLES and each.is_dir() and place.is_relative_to(each.resolve()):
                rule = f"must lie outside the folder that is read, {each}"
                raise ConfigError(f"`{option}` {rule}; found {output}")


def _check_suffixes(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.suffix not in _TABLES:
            raise ConfigError(f"`--output` must end in .csv or .parquet; found {path}")


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
    """Write a table as CSV or Parquet, by the suffix; see `write_tables`."""
    write_tables({path: frame})


def write_tables(frames: Mapping[Path, pl.DataFrame]) -> None:
    """Write tables as CSV or Parquet, by their suffix: aside first, then all under their names.

    Parameters
    ----------
    frames : mapping of pathlib.Path to polars.DataFrame
        The last one is named last.

    Raises
    ------
    ConfigError
        If a suffix is neither.
    OutputError
        If one cannot be written; what was under the names before is there still.
    """
    _check_suffixes(frames)
    asides = {path: path.with_name(f".tmp-{os.getpid()}-{path.name}") for path in frames}
    path = next(iter(frames))
    try:
        for path, frame in frames.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".csv":
                frame.write_csv(asides[path])
            else:
                frame.write_parquet(asides[path])
        for path, aside in asides.items():
            aside.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error).splitlines()[0]
        raise OutputError(f"{path} cannot be written: {reason}") from None
    finally:
        for aside in asides.values():
            if aside.parent.is_dir():
                aside.unlink(missing_ok=True)


def _options(asked: Asked, usual: str | None) -> CheckOptions:
    chosen = {}
    for each in asked.policies:
        name, sign, policy = each.partition("=")
        if not sign:
            raise ConfigError(f"`--policy` must be CHECK=POLICY; found {each!r}")
        chosen[name] = policy
    return CheckOptions(asked.calendar or usual, chosen, adjusted=not asked.raw)


def _show(report: Report, words: Sequence[tuple[str, str]], rejected: int) -> None:
    for what, text in words:
        say(f"{what:<12} {text}")
    say("")
    if rejected:
        unread = f"{counted(rejected, 'row')} of the source could not be read as {report.kind}"
        say(f"{unread}, see rejected.")
    say(report.verdict)
    rows = [
        (name, report.checks[name].severity, f"{count:,}", report.policies[name])
        for name, count in report.counts.items()
    ]
    if rows:
        table(("check", "severity", "flags", "then"), rows)
