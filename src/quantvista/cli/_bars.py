"""Bars for a command, from a file, a folder or the lake."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from quantvista.data.importing import ImportOptions, read_bars
from quantvista.data.lake import Lake, lake_dir
from quantvista.errors import ConfigError

__all__ = ["load_bars", "named_columns"]


def load_bars(
    source: str, columns: Sequence[str], lake: Path | None
) -> tuple[pl.DataFrame, list[tuple[str, str]], str | None]:
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
    (polars.DataFrame, list of (str, str), str or None)
        Bars with ``ts``, UTC nanoseconds, at which each was known; words; and the calendar of
        bars that have dates.

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
        words = [("dataset", f"{name}: {bars.height:,} bars")]
        if later := rows.height - bars.height:
            words.append(("revisions", f"{later:,} not seen: each bar is as first known"))
        calendar = None
    else:
        found = read_bars(Path(source), ImportOptions(columns=named_columns(columns)))
        bars = found.bars
        calendar = found.understood[0].calendar or None
        words = [pair for each in found.understood[:1] for pair in each.words()]
        if len(found.understood) > 1:
            words.append(("files", f"and {len(found.understood) - 1} more"))
        if found.rejected.height:
            words.append(("rejected", f"{found.rejected.height:,} rows that are none"))
    bars = bars.drop("ts", "date", "known_at", strict=False).rename({"ts_received": "ts"})
    return bars, words, calendar


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
