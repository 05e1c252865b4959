"""Rows of files handed on as they are read, without a lake."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from quantvista.data.importing._convert import REJECTS
from quantvista.data.importing._import import Progress, Work, read_source
from quantvista.data.importing._options import ImportOptions
from quantvista.data.importing._understanding import Understanding
from quantvista.data.importing._whole import open_named

__all__ = ["Fed", "feed_rows"]


@dataclass(frozen=True, slots=True)
class Fed:
    """How files were read, and what was not handed on.

    Parameters
    ----------
    understood : tuple of Understanding
        How each file was read.
    rejected : polars.DataFrame
        ``source``, ``row``, ``reason``, ``text`` of rows that cannot be used.
    notes : tuple of str
        What decoders of vendors' formats say.
    """

    understood: tuple[Understanding, ...]
    rejected: pl.DataFrame
    notes: tuple[str, ...]


@dataclass
class _Feed(Work):
    """Files on their way to a function."""

    receive: Callable[[str, pl.DataFrame], None] = field(kw_only=True)

    def add(self, kind: str, frame: pl.DataFrame, where: str, keyed: bool) -> None:
        """Hand rows of a kind on."""
        if frame.height:
            self.receive(kind, frame)


def feed_rows(
    source: Path | object,
    receive: Callable[[str, pl.DataFrame], None],
    options: ImportOptions | None = None,
    *,
    progress: Progress = lambda done, total, text: None,
) -> Fed:
    """Read a file, a folder or a frame in batches, as an import would.

    Parameters
    ----------
    source : pathlib.Path or frame
        As of `understand`.
    receive : callable
        Given the kind of the rows (``trades``, ``bars``, ...) and a table with ``ts_event``,
        ``ts_received``, ``known_at``, ``instrument`` and values, batch by batch.
    options : ImportOptions or None
        What is not to be guessed. Bare symbols get the venue FILE, and a file without a column of
        instruments is called after its name.
    progress : callable
        Given bytes done, bytes in all and the file.

    Returns
    -------
    Fed
        Once everything was handed on.

    Raises
    ------
    MarketDataError
        If a file cannot be read.
    """
    opened = open_named(source, options or ImportOptions())
    work = _Feed(strict=False, progress=progress, receive=receive)
    total = sum(each.size for each, _ in opened)
    done = 0
    for each, made in opened:
        progress(done, total, each.where)
        read_source(work, each, made, source, (done, total))
        done += each.size
    rejected = pl.concat([pl.DataFrame(schema={"source": pl.String, **REJECTS}), *work.rejected])
    return Fed(tuple(made for _, made in opened), rejected, tuple(work.notes))
