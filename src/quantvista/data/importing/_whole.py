"""Bars, quotes or trades of files as one table, without a lake: for checks of any file."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from quantvista.data.importing._convert import REJECTS, convert
from quantvista.data.importing._import import Progress, Work, open_sources, read_source
from quantvista.data.importing._names import Names
from quantvista.data.importing._options import ImportOptions
from quantvista.data.importing._source import Source
from quantvista.data.importing._understanding import Understanding
from quantvista.errors import ConfigError, MarketDataError

__all__ = ["NO_VENUE", "TICKS", "Whole", "open_named", "read_bars", "read_rows"]

NO_VENUE = "FILE"
"""Stands for the venue of bare symbols where nothing needs the true one."""
TICKS = ("quotes", "trades")
"""Kinds that are read as one table beside bars."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Rows as they stand in files.

    Parameters
    ----------
    kind : str
        What they are: ``bars``, ``quotes`` or ``trades``.
    rows : polars.DataFrame
        ``ts_event``, ``ts_received``, ``known_at``, ``instrument`` and values, in the order of the
        files; duplicates and impossible prices included.
    rejected : polars.DataFrame
        ``source``, ``row``, ``reason`` and ``text`` of rows that are none.
    understood : tuple of Understanding
        How each file was read.
    """

    kind: str
    rows: pl.DataFrame
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
    return Whole("bars", bars, pl.concat(rejects), tuple(made for _, made in found))


@dataclass
class _Whole(Work):
    """Files on their way into one table."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(self, kind: str, frame: pl.DataFrame, where: str, keyed: bool) -> None:
        """Keep rows."""
        self.frames.append(frame)


def read_rows(
    source: Path | object,
    options: ImportOptions | None = None,
    *,
    progress: Progress = lambda done, total, text: None,
) -> Whole:
    """Read bars, quotes or trades of a file, a folder or a frame: what it has is told by itself.

    Parameters
    ----------
    source : pathlib.Path or frame
        As of `understand`.
    options : ImportOptions or None
        As of `read_bars`; ``kind`` says what the rows are.
    progress : callable
        Given bytes done, bytes in all and the file.

    Returns
    -------
    Whole
        All of it, in memory. What is neither quotes nor trades is read as bars.

    Raises
    ------
    MarketDataError
        If a file cannot be read.
    """
    asked = options or ImportOptions()
    kind = asked.kind or _ticks(source, asked)
    if kind not in TICKS:
        return read_bars(source, asked)
    opened = open_named(source, replace(asked, kind=kind))
    for _, made in opened:
        if made.kind != kind:
            raise MarketDataError(f"{made.where}: must hold {kind}; found {made.kind}")
    work, done = _Whole(strict=False, progress=progress), 0
    total = sum(each.size for each, _ in opened)
    for each, made in opened:
        read_source(work, each, made, source, (done, total))
        done += each.size
    if not work.frames:
        raise MarketDataError(f"`source` must hold at least one row; found none in {source}")
    rejected = pl.concat([pl.DataFrame(schema={"source": pl.String, **REJECTS}), *work.rejected])
    rows = pl.concat(work.frames, how="diagonal_relaxed")
    return Whole(kind, rows, rejected, tuple(made for _, made in opened))


def _ticks(source: Path | object, asked: ImportOptions) -> str | None:
    """Name the ticks that a source is taken for, if it is."""
    try:
        kinds = {made.kind for _, made in open_named(source, asked)}
    except (MarketDataError, ConfigError):
        return None  # as bars it is refused with the better reason, or read
    return kinds.pop() if len(kinds) == 1 and kinds <= set(TICKS) else None


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
