"""What ``qv data universe`` does and says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from quantvista.cli._bars import named_columns
from quantvista.cli._lake import open_lake
from quantvista.cli._print import next_steps, number, percent, print_json, say, table, write_text
from quantvista.cli._quality import spare, write_table
from quantvista.cli._stopped import told_if_stopped
from quantvista.data.importing import ImportOptions, read_bars
from quantvista.data.universes import (
    Universe,
    build_universe,
    read_membership,
    read_rules,
    read_universe_source,
    store_universe,
    stored_table,
)
from quantvista.market import SecurityMaster

__all__ = ["make_universe"]

_LAKE = "lake:"
_SHOWN = 12


def make_universe(
    rules: Path | None,
    changes: Mapping[str, Any],
    source: str,
    output: str | None,
    *,
    within: str | None,
    html: Path | None,
    columns: Sequence[str],
    lake: Path | None,
    as_json: bool,
) -> None:
    """Decide, write and show."""
    written = None if output is None or output.startswith(_LAKE) else Path(output)
    read = [source, *(each for each in (within,) if each is not None)]
    spare(read, "--output", [written])
    spare(read, "--html", [html])
    made = read_rules(rules, changes)
    paths = [path for path in (written, html) if path is not None]
    dataset = None
    if output is not None and written is None:
        dataset = open_lake(lake).dataset(output.removeprefix(_LAKE))
    with told_if_stopped(paths, dataset):
        bars, master = _read(source, columns, made.calendar, lake)
        inside = None if within is None else read_membership(within, Path(), lake=lake)
        found = build_universe(made, bars, master=master, within=inside)
        commit = None if dataset is None else store_universe(dataset, found, source)
        if written is not None:
            _write(found, written)
        if html is not None:
            from quantvista.reporting import universe_page

            write_text(html, universe_page(found, source))
    if as_json:
        print_json(_facts(found, output, commit))
        return
    _show(found, master is not None)
    for path in (output, html):
        if path is not None:
            say(f"wrote {path}")
    if output is None:
        next_steps([f"qv data universe ... --input {source} --output members.csv"])


def _read(
    source: str, columns: Sequence[str], calendar: str, lake: Path | None
) -> tuple[pl.DataFrame, SecurityMaster | None]:
    if source.startswith(_LAKE):
        return read_universe_source(source, Path(), lake=lake)
    options = ImportOptions(columns=named_columns(columns), calendar=calendar)
    return read_bars(Path(source), options).rows, None


def _write(found: Universe, path: Path) -> None:
    made = stored_table(found.membership)
    if path.suffix == ".csv":
        made = made.with_columns(_spoken("ts_event", "ts_end", "known_at"))
    write_table(made, path)


def _facts(found: Universe, output: str | None, commit: str | None) -> dict[str, Any]:
    times = pl.col("ts", "effective").cast(pl.Datetime("ns", "UTC"))
    decisions = found.decisions.with_columns(times, found.turnover)
    last = int(found.decisions["effective"][-1])
    return {
        "rules": found.rules.model_dump(mode="json"),
        "decisions": decisions.with_columns(_spoken("ts", "effective")).to_dicts(),
        "members": list(found.members(last)),
        "instruments": len(found.membership.instruments),
        "output": output,
        "commit": commit,
    }


def _spoken(*names: str) -> pl.Expr:
    """Write timestamps as ISO text."""
    return pl.col(*names).dt.to_string("iso:strict").str.replace(r"\.?0*\+00:00$", "Z")


def _show(found: Universe, referenced: bool) -> None:
    rows = found.decisions.with_columns(found.turnover).tail(_SHOWN)
    dates = rows["ts"].cast(pl.Datetime("ns")).dt.date().cast(pl.String)
    names = ("candidates", "eligible", "members", "entered", "left")
    table(
        ("decided", *names, "turnover %"),
        (
            (day, *(f"{row[name]:,}" for name in names), percent(row["turnover"]))
            for day, row in zip(dates, rows.iter_rows(named=True), strict=True)
        ),
    )
    say("")
    counts = found.decisions
    mean = counts["members"].mean()
    say(
        f"{counts.height:,} decisions, {number(float(mean or 0.0), 1)} members on average, "  # type: ignore[arg-type]
        f"{len(found.membership.instruments):,} instruments in all"
    )
    if not referenced:
        say("There is no reference data: an instrument is listed while it has bars.")
