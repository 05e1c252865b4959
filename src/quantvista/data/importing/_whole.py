"""Bars of files as one table, without a lake: for checks and features of any file."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from quantvista.data.importing._convert import REJECTS, convert
from quantvista.data.importing._import import open_sources
from quantvista.data.importing._names import Names
from quantvista.data.importing._options import ImportOptions
from quantvista.data.importing._source import Source
from quantvista.data.importing._understanding import Understanding
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["NO_VENUE", "Whole", "open_named", "read_bars"]

NO_VENUE = "FILE"
"""Stands for the venue of bare symbols where nothing needs the true one."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Bars as they stand in files.

    Parameters
    ----------
    bars : polars.DataFrame
        ``ts_event``, ``ts_received``, ``known_at``, ``instrument`` and values, in the order of the
        files; duplicates and impossible prices included.
    rejected : polars.DataFrame
        ``source``, ``row``, ``reason`` and ``text`` of rows that are none.
    understood : tuple of Understanding
        How each file was read.
    """

    bars: pl.DataFrame
    rejected: pl.DataFrame
    understood: tuple[Understanding, ...]


def read_bars(source: Path | object, options: ImportOptions | None = None) -> Whole:
    """Read bars of a file, a folder or a frame.

    Parameters
    ----------
    source : pathlib.Path or frame
        As of `understand`.
    options : ImportOptions or None
        What is not to be guessed. Bare symbols get the venue FILE, and a file without a column of
        instruments is called after its name.

    Returns
    -------
    Whole
        All of it, in memory.

    Raises
    ------
    MarketDataError
        If a file cannot be read, or holds something else than bars.
    """
    asked = replace(options or ImportOptions(), kind=(options and options.kind) or "bars")
    found = open_named(source, asked)
    frames, rejects = [], [pl.DataFrame(schema={"source": pl.String, **REJECTS})]
    names = Names(found[0][0].where)
    for each, made in found:
        if made.kind != "bars" or made.reader:
            what = "quotes, trades or the like" if made.reader else made.kind
            raise MarketDataError(f"{made.where}: must hold bars; found {what}")
        for batch in each.batches():
            frame, rejected = convert(batch, made, names)
            frames.append(frame.drop("row"))
            rejects.append(rejected.select(pl.lit(made.where).alias("source"), *REJECTS))
    bars = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame()
    if bars.is_empty():
        raise MarketDataError(f"`source` must hold at least one bar; found none in {source}")
    return Whole(bars, pl.concat(rejects), tuple(made for _, made in found))


def open_named(source: Path | object, asked: ImportOptions) -> list[tuple[Source, Understanding]]:
    """Open with what was said; then with a venue for bare symbols; then with a name for all.

    Parameters
    ----------
    source : pathlib.Path or frame
        As of `understand`.
    asked : ImportOptions
        What is not to be guessed.

    Returns
    -------
    list of (Source, Understanding)
        One for each file.
    """
    asked = replace(asked, in_place=True)
    symbol = "BARS"
    if isinstance(source, Path) and source.is_file():
        name = re.sub(r"[^A-Z0-9._&-]", "", source.name.split(".")[0].upper()).strip("._&-")
        symbol = name or symbol
    with_venue = replace(asked, venue=asked.venue or NO_VENUE)
    last = replace(with_venue, instrument=asked.instrument or f"{symbol}.{NO_VENUE}")
    for options in (asked, with_venue):
        try:
            return open_sources(source, options)
        except (MarketDataError, ConfigError):
            # An attempt says only what it lacks: the next one has it. Whatever else is wrong with
            # the source or the options is still wrong in the last, which is raised as it is.
            continue
    return open_sources(source, last)
