"""What ``qv data`` does and says."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from rich.text import Text

from quantvista.cli._print import NONE, console, next_steps, number, print_json, say, table
from quantvista.cli._progress import progress_bar
from quantvista.data.importing import (
    Imported,
    ImportOptions,
    Understanding,
    import_into,
    left_out,
    understand,
)
from quantvista.data.lake import Dataset, Lake, compact, encrypt_lake, lake_dir
from quantvista.errors import ConfigError, MarketDataError

__all__ = [
    "compact_dataset",
    "encrypt_datasets",
    "import_files",
    "instant",
    "list_datasets",
    "open_lake",
    "show_dataset",
    "show_history",
    "shown",
]

_STAMPS = ("ts_event", "ts_received", "known_at")
_SHORT = 12  # characters of a commit that are printed


def open_lake(folder: Path | None) -> Lake:
    """Open the lake that an option names, or the usual one."""
    return Lake(folder if folder is not None else lake_dir(Path()))


def list_datasets(folder: Path | None, *, as_json: bool) -> None:
    """Print the datasets of a lake."""
    lake = open_lake(folder)
    found, damaged = [], {}
    for name in lake.names():
        try:
            dataset = lake.open(name)
            dataset.at().verify(sizes_only=True)
            found.append(_facts(dataset))
        except (ConfigError, MarketDataError) as error:  # the others are there all the same
            damaged[name] = str(error)
    if as_json:
        print_json({"lake": str(lake.root), "datasets": found, "damaged": damaged})
    elif not found and not damaged:
        say(f"The lake {lake.root} is empty.")
        next_steps(["qv data import FILE --into NAME"])
    else:
        header = ("dataset", "commit", "kinds", "rows", "MB")
        table(
            header,
            (
                (
                    str(each["name"]),
                    str(each["commit"])[:_SHORT],
                    ", ".join(each["kinds"]),
                    number(sum(of["rows"] for of in each["kinds"].values()), 0),
                    number(each["bytes"] / 1e6, 1),
                )
                for each in found
            ),
        )
    if damaged:
        raise MarketDataError("; ".join(f"{name}: {text}" for name, text in damaged.items()))


def _facts(dataset: Dataset, commit: str | None = None) -> dict[str, Any]:
    snapshot = dataset.at(commit)
    kinds = {}
    for kind in snapshot.kinds:
        files = snapshot.manifest.of(kind)
        kinds[kind] = {
            "rows": snapshot.rows(kind),
            "files": len(files),
            # The rows of the quarantine have no times.
            "first": shown(min(e.ts_event[0] for e in files)) if kind != "quarantine" else None,
            "last": shown(max(e.ts_event[1] for e in files)) if kind != "quarantine" else None,
            "columns": dict(snapshot.columns(kind)),
            "revised": bool(snapshot.manifest.kinds[kind].revised),
        }
    return {
        "name": dataset.name,
        "commit": snapshot.commit,
        "encrypted": dataset.is_encrypted,
        "bytes": sum(each.size for each in snapshot.manifest.files),
        "kinds": kinds,
    }


def shown(stamp: int) -> str:
    """Write UTC nanoseconds as ISO text."""
    text = pl.Series([stamp]).cast(pl.Datetime("ns")).dt.strftime("%Y-%m-%dT%H:%M:%S%.f")[0]
    return f"{text.rstrip('0').rstrip('.')}Z" if "." in text else f"{text}Z"


def import_files(
    folder: Path | None,
    into: str,
    source: Path,
    options: Mapping[str, Any],
    *,
    columns: Sequence[str],
    known_at: str | None,
    strict: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import files into a dataset, and say how they were understood and what came of it."""
    dataset = open_lake(folder).dataset(into)
    said = ImportOptions(
        **options,
        columns=_columns(columns),
        known_at=None if known_at is None else instant(known_at, "--known-at"),
    )
    if dry_run:
        made = understand(source, said)
        if as_json:
            print_json({"understood": _words(made), "notes": left_out(source)})
        else:
            _say_understood(made)
            for note in left_out(source):
                console().print(Text(note), soft_wrap=True)
        return
    with progress_bar(enabled=not as_json) as advance:
        done = import_into(dataset, source, said, strict=strict, progress=advance)
    if as_json:
        print_json(_outcome(into, done))
        return
    _say_understood(done.understood)
    _say_outcome(into, done)


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        ours, mark, theirs = pair.partition("=")
        if not mark or not ours:
            raise ConfigError(f"`--column` must be OURS=THEIRS, such as close=px; found {pair!r}")
        found[ours] = theirs
    return found


def instant(text: str, option: str) -> int:
    """UTC nanoseconds of an ISO date or time; a time without an offset is UTC."""
    if text == "now":
        when = dt.datetime.now(tz=dt.UTC)
    else:
        try:
            when = dt.datetime.fromisoformat(text)
        except ValueError:
            rule = "must be an ISO date or time such as 2024-01-31T16:00:00Z"
            raise ConfigError(f"`{option}` {rule}; found {text!r}") from None
        when = when.replace(tzinfo=dt.UTC) if when.tzinfo is None else when
    delta = when - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (delta // dt.timedelta(microseconds=1)) * 1000


def _words(made: Sequence[Understanding]) -> list[list[list[str]]]:
    return [[list(pair) for pair in each.words()] for each in made]


def _outcome(into: str, done: Imported) -> dict[str, Any]:
    reasons = done.rejected["reason"].value_counts().sort("count", descending=True)
    return {
        "dataset": into,
        "commit": done.commit,
        "rows": dict(done.rows),
        "unchanged": done.unchanged,
        "rejected": dict(reasons.iter_rows()),
        "understood": _words(done.understood),
        "notes": list(done.notes),
    }


def _say_understood(made: Sequence[Understanding]) -> None:
    """Print each way of reading once, with the number of files that are read so."""
    out = console()
    seen: dict[str, list[Understanding]] = {}
    for each in made:
        how = str([pair for pair in each.words() if pair[0] not in ("file", "instrument")])
        seen.setdefault(how, []).append(each)
    for group in seen.values():
        for what, text in group[0].words():
            others = "1 file" if len(group) == 2 else f"{len(group) - 1} files"
            more = f" and {others} like it" if what == "file" and group[1:] else ""
            out.print(Text.assemble((f"{what}: ", "bold"), text + more), soft_wrap=True)
        say("")


def _say_outcome(into: str, done: Imported) -> None:
    out = console()
    counts = ", ".join(f"{_rows(count)} of {kind}" for kind, count in done.rows.items())
    same = f", {done.unchanged:,} {_were(done.unchanged)} there already" if done.unchanged else ""
    out.print(Text(f"{into}: {counts or 'nothing new'}{same}; commit {done.commit[:_SHORT]}."))
    for note in done.notes:
        out.print(Text(note), soft_wrap=True)
    if done.rejected.height:
        reasons = done.rejected["reason"].value_counts().sort("count", "reason", descending=True)
        verb = "is" if done.rejected.height == 1 else "are"
        text = f"{_rows(done.rejected.height)} {verb} in quarantine:"
        out.print(Text(text, style="yellow"))
        for reason, count in reasons.head(8).iter_rows():
            first = done.rejected.filter(pl.col("reason") == reason).row(0)
            out.print(Text(f"  {count:,}: {reason} (row {first[1]} of {first[0]})"), soft_wrap=True)
    steps = [f"qv data show {into}"]
    if done.rejected.height:
        steps.append(f"qv data show {into} --kind quarantine")
    next_steps(steps)


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def show_dataset(
    folder: Path | None,
    name: str,
    *,
    kind: str | None,
    instrument: str | None,
    as_of: str | None,
    commit: str | None,
    rows: int,
    verify: bool,
    as_json: bool,
) -> None:
    """Print what a dataset holds, or rows of one kind."""
    dataset = open_lake(folder).open(name)
    snapshot = dataset.at(commit)
    facts: dict[str, Any] = _facts(dataset, snapshot.commit)
    if verify:
        facts["verified"] = snapshot.verify()
    if kind is None and (instrument is not None or as_of is not None):
        kind = next(iter(each for each in snapshot.kinds if each != "quarantine"), None)
    frame = None
    if kind is not None:
        frame = (
            snapshot.scan(
                kind,
                as_of=None if as_of is None else instant(as_of, "--as-of"),
                instruments=None if instrument is None else [instrument],
            )
            .sort(*_order(snapshot.columns(kind)))
            .head(rows)
            .collect()
        )
        shown = (
            pl.col(each).cast(pl.Datetime("ns", "UTC")).dt.to_string("iso:strict")
            for each in _STAMPS
        )
        frame = frame.with_columns(shown)
    if as_json:
        if frame is not None:
            facts["rows"] = frame.with_columns(pl.selectors.temporal().cast(pl.String)).to_dicts()
        print_json(facts)
    elif frame is not None:
        _say_frame(frame)
    else:
        _say_facts(facts)


def _order(columns: Mapping[str, str]) -> list[str]:
    return [name for name in ("instrument", "ts_event", "known_at", "row") if name in columns]


def _say_frame(frame: pl.DataFrame) -> None:
    """Print rows, leaving out what says nothing: empty columns, and times that are the same."""
    names = [n for n in frame.columns if frame[n].null_count() < frame.height or not frame.height]
    if "reason" in names:  # the quarantine has no times
        names = [name for name in names if name not in _STAMPS]
    same = [n for n in names if n in _STAMPS[1:] and frame[n].equals(frame["ts_event"])]
    shown = frame.select(
        pl.col(name).str.replace(r"\.?0*\+00:00$", "Z") if name in _STAMPS else pl.col(name)
        for name in names
        if name not in same
    )
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_width_chars=1_000,
        fmt_str_lengths=60,
        tbl_formatting="ASCII_MARKDOWN",
    ):
        say(str(shown))


def _say_facts(facts: Mapping[str, Any]) -> None:
    say(f"{facts['name']}, commit {str(facts['commit'])[:_SHORT]}")
    if "verified" in facts:
        say(f"All {facts['verified']:,} files have the content that the commit names.")
    if facts["encrypted"]:
        say("Encrypted.")
    say("")
    table(
        ("kind", "rows", "files", "first", "last"),
        (
            (
                kind,
                number(of["rows"], 0),
                number(of["files"], 0),
                of["first"] or NONE,
                of["last"] or NONE,
            )
            for kind, of in facts["kinds"].items()
        ),
    )
    say("")
    for kind, of in facts["kinds"].items():
        names = ", ".join(f"{name} {dtype}" for name, dtype in of["columns"].items())
        revised = "; with revisions" if of["revised"] else ""
        console().print(Text.assemble((f"{kind}: ", "bold"), names + revised), soft_wrap=True)


def show_history(folder: Path | None, name: str, *, as_json: bool) -> None:
    """Print the commits of a dataset."""
    dataset = open_lake(folder).open(name)
    found = [
        {
            "commit": each.id,
            "operation": each.manifest.operation,
            "written": shown(each.written_ns // 10**9 * 10**9),
            "rows": sum(of.rows for of in each.manifest.files),
            "notes": dict(each.manifest.notes),
        }
        for each in dataset.history()
    ]
    if as_json:
        print_json({"dataset": name, "commits": found})
        return
    table(
        ("commit", "written", "operation", "rows", "from"),
        (
            (
                str(each["commit"])[:_SHORT],
                str(each["written"]),
                str(each["operation"]),
                number(float(each["rows"]), 0),  # type: ignore[arg-type]
                ", ".join(each["notes"].get("sources", {})),  # type: ignore[attr-defined]
            )
            for each in found
        ),
    )


def compact_dataset(folder: Path | None, name: str, *, keep: int | None, as_json: bool) -> None:
    """Merge small files, and forget what only old commits name."""
    dataset = open_lake(folder).open(name)
    before = len(dataset.at().manifest.files)
    commit = compact(dataset)
    after = len(dataset.at().manifest.files)
    gone = dataset.vacuum(keep=keep) if keep is not None else None
    if as_json:
        removed = None if gone is None else {"commits": gone.commits, "files": gone.files}
        value = {"commit": commit, "files_before": before, "files": after, "removed": removed}
        print_json(value)
        return
    say(f"{name}: {before:,} files became {after:,}; commit {str(commit)[:_SHORT]}.")
    if gone is not None:
        size = number(gone.size / 1e6, 1)
        say(f"Removed {gone.commits:,} commits and {gone.files:,} files, {size} MB.")


def encrypt_datasets(folder: Path | None, *, as_json: bool) -> None:
    """Encrypt a lake."""
    lake = open_lake(folder)
    with progress_bar(enabled=not as_json) as advance:
        done = encrypt_lake(
            lake, lambda name, count, total: advance(count, total, f"encrypting {name}")
        )
    if as_json:
        print_json({"lake": str(lake.root), "datasets": [asdict(each) for each in done]})
        return
    for each in done:
        new, again = _files(each.encrypted), _files(each.renewed)
        if each.encrypted:
            say(f"{each.dataset}: {new} encrypted; {each.removed:,} in the clear removed.")
        elif each.renewed:
            say(f"{each.dataset}: {again} encrypted anew with the newest key.")
        else:
            say(f"{each.dataset}: nothing to do; all of it has the newest key.")
    say(f"The lake {lake.root} is encrypted. Keep a copy of the ring elsewhere: without it all of")
    say("that is lost.")
    next_steps(["qv data list"])


def _files(count: int) -> str:
    return f"{count:,} file" + ("" if count == 1 else "s")
