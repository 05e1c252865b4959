"""Bars for a command, from a file, a folder or the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from quantvista.data.importing import NO_VENUE, ImportOptions, read_bars
from quantvista.data.lake import Lake, lake_dir
from quantvista.data.quality import counted
from quantvista.errors import ConfigError

__all__ = ["LoadedBars", "load_bars", "load_whole", "named_columns"]

_REASONS = 8  # that are said


@dataclass(frozen=True, slots=True)
class LoadedBars:
    """Bars, and all that is to be said of where they are from.

    Parameters
    ----------
    bars : polars.DataFrame
        With ``ts``, UTC nanoseconds, at which each was known, and with ``date`` where they have
        dates.
    words : list of (str, str)
        How they were understood.
    calendar : str or None
        Of bars that have dates.
    rejected : polars.DataFrame
        ``source``, ``row``, ``reason`` and ``text`` of rows that are no bars.
    """

    bars: pl.DataFrame
    words: list[tuple[str, str]]
    calendar: str | None
    rejected: pl.DataFrame


def load_bars(
    source: str, columns: Sequence[str], lake: Path | None
) -> tuple[pl.DataFrame, list[tuple[str, str]], str | None]:
    """Read bars as `load_whole` does, for those that need no more than the bars.

    Returns
    -------
    (polars.DataFrame, list of (str, str), str or None)
        Bars, without dates; words; calendar.
    """
    loaded = load_whole(source, columns, lake)
    return loaded.bars.drop("date", strict=False), loaded.words, loaded.calendar


def load_whole(source: str, columns: Sequence[str], lake: Path | None) -> LoadedBars:
    """Read bars, and say how they were understood.

    Parameters
    ----------
    source : str
        A file, a folder, or ``lake:NAME``.
    columns : sequence of str
        ``OURS=THEIRS``.
    lake : pathlib.Path or None
        Folder of the lake; ``None`` is the usual one.

    Returns
    -------
    LoadedBars
        All of it.

    Raises
    ------
    MarketDataError
        If there are no bars.
    """
    if source.startswith("lake:"):
        name, _, commit = source.removeprefix("lake:").partition("@")
        root = lake if lake is not None else lake_dir(Path())
        snapshot = Lake(root).open(name).at(commit or None)
        rows = snapshot.scan("bars", vintages=True).collect()
        # Each bar as it was first known, which is what a run sees.
        bars = rows.sort("known_at", maintain_order=True)
        bars = bars.unique(["instrument", "ts_event"], keep="first", maintain_order=True)
        bars = bars.sort("ts_event", "instrument")
        words = [("dataset", f"{name}: {counted(bars.height, 'bar')}")]
        if later := rows.height - bars.height:
            words.append(("revisions", f"{later:,} not seen: each bar is as first known"))
        calendar, rejected = None, pl.DataFrame()
    else:
        found = read_bars(Path(source), ImportOptions(columns=named_columns(columns)))
        bars, rejected = found.bars, found.rejected
        calendar = found.understood[0].calendar or None
        words = [_named_here(*pair) for each in found.understood[:1] for pair in each.words()]
        if len(found.understood) > 1:
            words.append(("files", f"and {len(found.understood) - 1} more"))
        words += _rejects(rejected)
    bars = bars.drop("ts", "known_at", strict=False).rename({"ts_received": "ts"})
    return LoadedBars(bars, words, calendar, rejected)


def _named_here(what: str, text: str) -> tuple[str, str]:
    """Say of names that no file says where they come from."""
    if what == "venue" and text == NO_VENUE:
        return what, f"none in the file; {NO_VENUE} stands for it here"
    if what == "instrument" and text.endswith(f".{NO_VENUE}"):
        return what, f"{text}, after the file, which names none and no venue"
    return what, text


def _rejects(rejected: pl.DataFrame) -> list[tuple[str, str]]:
    """Say which rows are no bars, and why: each reason with its first row."""
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
