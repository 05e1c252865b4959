"""Bars of a dataset of the lake, for runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from quantvista.data._block import Block, to_block
from quantvista.data._read import Table
from quantvista.data._types import Bias, DataSpec
from quantvista.data.lake import Dataset, Lake, Snapshot, lake_dir
from quantvista.data.quality import counted
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["LAKE", "has_lake_actions", "lake_block", "lake_folder", "open_source"]

LAKE = "lake:"
_FIXED = ("columns", "venue", "instrument", "period_s")
_GUESSES = 6  # that a report repeats
_VALUES = ("open", "high", "low", "close", "volume")


def _named(source: str, base: Path) -> tuple[Dataset, str | None]:
    """Split ``lake:NAME@COMMIT``."""
    name, mark, commit = source.removeprefix(LAKE).partition("@")
    if mark and not commit:
        raise ConfigError(f"`data.source` must name a commit after @; found {source!r}")
    return Lake(lake_dir(base)).dataset(name), commit or None


def lake_folder(source: str, base: Path) -> Path:
    """Folder of the dataset that a source names."""
    return _named(source, base)[0].folder


def open_source(source: str, base: Path) -> Snapshot:
    """Open the commit that a source names, the newest by default."""
    dataset, commit = _named(source, base)
    return Lake(dataset.folder.parent).open(dataset.name).at(commit)


def has_lake_actions(source: str, base: Path) -> bool:
    """Whether a source is a dataset with corporate actions; False if it is not there."""
    if not source.startswith(LAKE) or _named(source, base)[0].head() is None:
        return False
    return "actions" in open_source(source, base).kinds


def lake_block(
    spec: DataSpec, base: Path
) -> tuple[Block, Snapshot, tuple[Bias, ...], tuple[str, ...]]:
    """Read the bars of a dataset.

    Parameters
    ----------
    spec : DataSpec
        ``source`` is ``lake:NAME`` or ``lake:NAME@COMMIT``.
    base : pathlib.Path
        Folder of the fund file.

    Returns
    -------
    (Block, Snapshot, tuple of Bias, tuple of str)
        Not checked yet; the commit; and what is to be said of it.

    Raises
    ------
    MarketDataError
        If the dataset is not there, has no bars, or its files were changed.
    ConfigError
        If an option does not apply.

    Notes
    -----
    Of each bar the first vintage is read: what was there when it came, not what it was corrected
    to later.
    """
    for option in _FIXED:
        if getattr(spec, option):
            rule = "must be left out for a dataset of the lake, where the import said it"
            raise ConfigError(f"`data.{option}` {rule}; found it beside {spec.source}")
    snapshot = open_source(spec.source, base)
    if "bars" not in snapshot.kinds:
        kinds = ", ".join(snapshot.kinds)
        raise MarketDataError(f"`data.source` {spec.source} must have bars; found {kinds}")
    snapshot.verify()
    columns = snapshot.columns("bars")
    names = [name for name in (*_VALUES, "date") if name in columns]
    keys = ["instrument", "ts_event", "ts_received", "known_at"]
    rows = snapshot.scan("bars", columns=[*keys, *names], vintages=True).collect()
    first = rows.sort("known_at", maintain_order=True)
    first = first.unique(["instrument", "ts_event"], keep="first", maintain_order=True)
    frame, daily = _stamped(first.sort("ts_event", "instrument"), spec.source)
    used = [name for name in _VALUES if name in frame.columns and frame[name].count()]
    table = Table(spec.source, "", frame.select("date" if daily else "ts", "instrument", *used), 1)
    block = replace(to_block(table, {}, None, exact=False), unused=())
    assert snapshot.commit is not None
    notes = [f"Bars are those of commit {snapshot.commit[:12]} of {spec.source.partition('@')[0]}."]
    notes += _imported(snapshot, spec.source, base)
    if revised := rows.height - first.height:
        notes.append(f"{revised} later vintages of bars are not seen: each bar is as first known.")
    return block, snapshot, _late(first), tuple(notes)


def _imported(snapshot: Snapshot, source: str, base: Path) -> list[str]:
    """Repeat what imports up to a commit guessed, and how many rows they set aside."""
    guesses: dict[str, list[str]] = {}
    rejected = 0
    begun = False
    for commit in _named(source, base)[0].history():
        begun = begun or commit.id == snapshot.commit
        if begun:
            for where, pairs in commit.manifest.notes.get("understood", {}).items():
                for text in (pair[1] for pair in pairs if pair[0] == "guessed"):
                    guesses.setdefault(text, []).append(where)
            rejected += int(commit.manifest.notes.get("rejected", 0))
    said = [
        f"Guessed when {_files(files)} was imported: {text}."
        for text, files in list(guesses.items())[:_GUESSES]
    ]
    if len(guesses) > _GUESSES:
        said.append(f"Imports guessed {len(guesses) - _GUESSES} more things; see qv data history.")
    if rejected:
        name = source.removeprefix(LAKE).partition("@")[0]
        said.append(
            f"Imports set {counted(rejected, 'row')} aside, each with its reason: "
            f"qv data show {name} --kind quarantine."
        )
    return said


def _files(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def _stamped(frame: pl.DataFrame, source: str) -> tuple[pl.DataFrame, bool]:
    """Dates of daily bars, else the instants at which bars were received."""
    dated = frame["date"].count() if "date" in frame.columns else 0
    if dated == frame.height:
        return frame, True
    if dated:
        raise MarketDataError(
            f"{source}: bars must agree on dates or instants; found {dated} of {frame.height} with "
            "a date: keep daily bars in a dataset of their own"
        )
    return frame.with_columns(pl.col("ts_received").alias("ts")).drop("date", strict=False), False


def _late(first: pl.DataFrame) -> tuple[Bias, ...]:
    """Say what was known only after the time at which a run sees it."""
    seen = "ts_event" if "date" in first.columns and first["date"].count() else "ts_received"
    late = first["known_at"] - first[seen]
    count = int((late > 0).sum())
    if not count:
        return ()
    days = float(np.max(late.to_numpy())) / (86_400 * 1e9)
    text = (
        f"{count} of {first.height} bars were known later than the run sees them, by up to "
        f"{days:,.1f} days: a decision could not have been made on them."
    )
    return (Bias("known_later", text),)
