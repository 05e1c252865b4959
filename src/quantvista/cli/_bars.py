"""Bars, quotes or trades for a command, from a file, a folder or the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from quantvista.data.importing import NO_VENUE, ImportOptions, read_rows
from quantvista.data.lake import Lake, Snapshot, lake_dir
from quantvista.data.quality import CHECKS_OF, NOUNS, counted
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["LoadedRows", "load_bars", "load_rows", "named_columns"]

_REASONS = 8  # that are said


@dataclass(frozen=True, slots=True)
class LoadedRows:
    """Bars, quotes or trades, and all that is to be said of where they are from.

    Parameters
    ----------
    kind : str
        What they are: ``bars``, ``quotes`` or ``trades``.
    rows : polars.DataFrame
        With ``ts``, UTC nanoseconds, at which each was known, and with ``date`` where bars have
        dates.
    words : list of (str, str)
        How they were understood.
    calendar : str or None
        Of bars that have dates.
    rejected : polars.DataFrame
        ``source``, ``row``, ``reason`` and ``text`` of rows that are none of them.
    """

    kind: str
    rows: pl.DataFrame
    words: list[tuple[str, str]]
    calendar: str | None
    rejected: pl.DataFrame


def load_bars(
    source: str, columns: Sequence[str], lake: Path | None
) -> tuple[pl.DataFrame, list[tuple[str, str]], str | None]:
    """Read bars as `load_rows` does, for those that need no more than the bars.

    Returns
    -------
    (polars.DataFrame, list of (str, str), str or None)
        Bars, without dates; words; calendar.
    """
    loaded = load_rows(source, columns, lake, "bars")
    return loaded.rows.drop("date", strict=False), loaded.words, loaded.calendar


def load_rows(
    source: str, columns: Sequence[str], lake: Path | None, kind: str | None
) -> LoadedRows:
    """Read bars, quotes or trades, and say how they were understood.

    Parameters
    ----------
    source : str
        A file, a folder, or ``lake:NAME``.
    columns : sequence of str
        ``OURS=THEIRS``.
    lake : pathlib.Path or None
        Folder of the lake; ``None`` is the usual one.
    kind : str or None
        What the rows are; ``None`` takes what there is.

    Returns
    -------
    LoadedRows
        All of it.

    Raises
    ------
    MarketDataError
        If there are no such rows.
    """
    if kind is not None and kind not in CHECKS_OF:
        raise ConfigError(f"`--rows` must be one of {', '.join(CHECKS_OF)}; found {kind!r}")
    if source.startswith("lake:"):
        return _of_lake(source.removeprefix("lake:"), lake, kind)
    found = read_rows(Path(source), ImportOptions(kind=kind, columns=named_columns(columns)))
    words = [_named_here(*pair) for each in found.understood[:1] for pair in each.words()]
    if len(found.understood) > 1:
        words.append(("files", f"and {len(found.understood) - 1} more"))
    words += _rejects(found.rejected)
    rows = found.rows.drop("ts", "known_at", strict=False).rename({"ts_received": "ts"})
    calendar = found.understood[0].calendar or None
    return LoadedRows(found.kind, rows, words, calendar, found.rejected)


def _of_lake(source: str, lake: Path | None, kind: str | None) -> LoadedRows:
    """Read rows of a dataset as a run sees them: each bar as it was first known."""
    name, _, commit = source.partition("@")
    root = lake if lake is not None else lake_dir(Path())
    snapshot = Lake(root).open(name).at(commit or None)
    kind = kind or _kind_of(snapshot, name)
    if kind == "bars":
        rows = snapshot.scan(kind, vintages=True).collect()
        first = rows.sort("known_at", maintain_order=True)
        first = first.unique(["instrument", "ts_event"], keep="first", maintain_order=True)
    else:
        rows = first = snapshot.scan(kind).collect()
    words = [("dataset", f"{name}: {counted(first.height, NOUNS[kind])}")]
    if later := rows.height - first.height:
        words.append(("revisions", f"{later:,} not seen: each bar is as first known"))
    found = first.sort("ts_event", "instrument", maintain_order=True)
    found = found.drop("ts", "known_at", strict=False).rename({"ts_received": "ts"})
    return LoadedRows(kind, found, words, None, pl.DataFrame())


def _kind_of(snapshot: Snapshot, name: str) -> str:
    """Choose what to look at of a dataset: its bars, else its quotes, else its trades."""
    for kind in CHECKS_OF:
        if kind in snapshot.kinds:
            return kind
    there = ", ".join(snapshot.kinds) or "nothing"
    raise MarketDataError(f"lake:{name}: must hold {', '.join(CHECKS_OF)}; found {there}")


def _named_here(what: str, text: str) -> tuple[str, str]:
    """Say of names that no file says where they come from."""
    if what == "venue" and text == NO_VENUE:
        return what, f"none in the file; {NO_VENUE} stands for it here"
    if what == "instrument" and text.endswith(f".{NO_VENUE}"):
        return what, f"{text}, after the file, which names none and no venue"
    return what, text


def _rejects(rejected: pl.DataFrame) -> list[tuple[str, str]]:
    """Say which rows cannot be used, and why: each reason with its first row."""
    if rejected.is_empty():
        return []
    reasons = rejected.group_by("reason", maintain_order=True).agg(
        pl.len().alias("count"), pl.col("row").first(), pl.col("source").first()
    )
    reasons = reasons.sort("count", descending=True, maintain_order=True)
    said = [
        ("rejected", f"{counted(count, 'row')}: {reason} (row {row} of {source})")
        for reason, count, row, source in reasons.head(_REASONS).iter_rows()
    ]
    if reasons.height > _REASONS:
        rest = counted(int(reasons["count"][_REASONS:].sum()), "row")
        said.append(("rejected", f"{rest} for {reasons.height - _REASONS} other reasons"))
    return said


def named_columns(pairs: Sequence[str]) -> Mapping[str, str]:
    """Read ``OURS=THEIRS``.

    Raises
    ------
    ConfigError
        If there is no equals sign.
    """
    named = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not sign:
            raise ConfigError(f"`--column` must be OURS=THEIRS; found {pair!r}")
        named[ours] = theirs
    return named
