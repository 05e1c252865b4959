"""From files to a dataset: understood, converted in batches, and committed at once."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from quantvista.data._read import Table
from quantvista.data.events import EventSource, read_actions, read_event_table, read_events
from quantvista.data.events import read_factors as read_factor_file
from quantvista.data.importing._actions import action_frame
from quantvista.data.importing._convert import REJECTS, as_text, convert
from quantvista.data.importing._folders import RECORDINGS, folder_files, left_out
from quantvista.data.importing._guess import understand_source
from quantvista.data.importing._identity import (
    DATED,
    EVENTS,
    Identities,
    overlapping,
    renamed,
    resumed,
)
from quantvista.data.importing._names import Names
from quantvista.data.importing._options import ImportOptions
from quantvista.data.importing._quarantine import REJECTED, contradicting, once, quarantine
from quantvista.data.importing._source import Batch, FrameSource, Source, file_source
from quantvista.data.importing._understanding import Understanding
from quantvista.data.lake import KINDS, NAMES, Dataset, Snapshot, Transaction
from quantvista.errors import ConfigError, MarketDataError

__all__ = [
    "Imported",
    "Progress",
    "Work",
    "import_into",
    "open_sources",
    "read_source",
    "understand",
]

_CHUNK = 1 << 20

type Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Parameters
    ----------
    commit : str
        Id; that of the commit before if there was nothing new.
    understood : tuple of Understanding
        How each file was read.
    rows : mapping of str to int
        Rows added, by kind.
    unchanged : int
        Rows that were there already.
    rejected : polars.DataFrame
        ``source``, ``row``, ``reason``, ``text`` of what was quarantined, or was there before.
    notes : tuple of str
        What decoders of vendors' formats say, and which files of a folder were left out.
    """

    commit: str
    understood: tuple[Understanding, ...]
    rows: Mapping[str, int]
    unchanged: int
    rejected: pl.DataFrame
    notes: tuple[str, ...] = ()


@dataclass
class Work(ABC):
    """Files on their way to somewhere."""

    strict: bool
    progress: Progress
    rows: dict[str, int] = field(default_factory=dict)
    rejected: list[pl.DataFrame] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: Names = field(default_factory=lambda: Names("`source`"))
    now: tuple[pl.DataFrame, Batch] | None = None  # rows on their way, and what they were made of

    @abstractmethod
    def add(self, kind: str, frame: pl.DataFrame, where: str, keyed: bool) -> None:
        """Hand rows of a kind on."""

    def reject(self, rejects: pl.DataFrame, where: str) -> None:
        """Quarantine rows, or refuse them."""
        if not rejects.height:
            return
        if self.strict:
            row, reason, text = rejects.row(0)
            raise MarketDataError(
                f"{where}: {reason} in row {row}: {text} (without --strict such rows are "
                "quarantined)"
            )
        self.rejected.append(rejects.select(pl.lit(where).alias("source"), *REJECTS))


@dataclass
class _Import(Work):
    """An import on its way into a dataset."""

    writer: Transaction = field(kw_only=True)
    before: Snapshot = field(kw_only=True)
    ids: Identities = field(kw_only=True)
    spans: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    companies: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, frame: pl.DataFrame, where: str, keyed: bool) -> None:
        """Write rows of a kind; those that contradict others are rejected."""
        if not frame.height:
            return
        if kind in self.before.kinds:
            self._look(kind, frame)
        if not keyed:
            count = self.writer.append(kind, frame, where=where)
        else:
            conflicts: list[pl.DataFrame] = []
            count = self.writer.upsert(
                kind, frame, where=where, skip_unchanged=True, conflicts=conflicts
            )
            for each in conflicts:
                self.reject(contradicting(each, kind, self.now), where)
        self.rows[kind] = self.rows.get(kind, 0) + count

    def name(self, understood: Iterable[Understanding]) -> None:
        """Compare the names of files and of columns with those of earlier imports."""
        for made in understood:
            for found, name in made.values.items() if made.layout == "wide" else ():
                self.ids.claim(found, name)
            if made.called and made.instrument:
                self.ids.claim(made.instrument, made.called)
            elif made.instrument:
                self.ids.given(made.instrument)

    def told(self) -> list[str]:
        """Say what may be another instrument than it is taken for."""
        found = self.ids.notes()
        for kind, spans in self.spans.items():
            if kind in DATED:
                found += resumed(self.before, kind, spans, self.ids.names)
            else:
                found += overlapping(self.before, kind, spans)
        return found + renamed(self.before, self.companies)

    def _look(self, kind: str, frame: pl.DataFrame) -> None:
        """Note what tells whether a symbol is still that of the same instrument."""
        if kind == "reference":
            names = frame.filter((pl.col("field") == "name") & pl.col("value").is_not_null())
            self.companies.update(names.select("instrument", "value").iter_rows())
        if kind in (*DATED, *EVENTS):
            spans = self.spans.setdefault(kind, {})
            times = pl.col("ts_event").min().alias("low"), pl.col("ts_event").max().alias("high")
            for name, low, high in frame.group_by("instrument").agg(times).iter_rows():
                first, last = spans.get(name, (low, high))
                spans[name] = (min(first, low), max(last, high))


def understand(
    source: Path | object, options: ImportOptions | None = None
) -> tuple[Understanding, ...]:
    """Say how files would be read, without reading all of them.

    Parameters
    ----------
    source : pathlib.Path or frame
        A file, a folder of files, or a frame of Polars, pandas or Arrow.
    options : ImportOptions or None
        What is not to be guessed.

    Returns
    -------
    tuple of Understanding
        One for each file.

    Raises
    ------
    MarketDataError
        If something cannot be guessed; the message says what to say.
    """
    options = options or ImportOptions()
    return tuple(made for _, made in open_sources(source, options))


def import_into(
    dataset: Dataset,
    source: Path | object,
    options: ImportOptions | None = None,
    *,
    strict: bool = False,
    progress: Progress = lambda done, total, text: None,
) -> Imported:
    """Import files or a frame into a dataset, as one commit or not at all.

    Parameters
    ----------
    dataset : Dataset
        Where to; need not be there.
    source : pathlib.Path or frame
        As of `understand`.
    options : ImportOptions or None
        What is not to be guessed.
    strict : bool
        Refuse a row that cannot be used, instead of putting it into the quarantine of the dataset
        with its reason.
    progress : callable
        Given bytes done, bytes in all and the file.

    Returns
    -------
    Imported
        With the id of the commit.

    Raises
    ------
    MarketDataError
        If a file cannot be read, was imported before, or revises rows without saying when that
        was known; or a name would become the id that an earlier import gave to another name.

    Notes
    -----
    Files are read in batches, so that memory does not grow with their size. Rows that are there
    already are counted and left alone. Events (quotes, trades, books, news) have no key by which
    they could be recognised: a file of them, told by its hash, can be imported once.
    """
    options = options or ImportOptions()
    opened = open_sources(source, options)
    total = sum(each.size for each, _ in opened)
    hashes = {each.where: _digest(each, source) for each, _ in opened}
    with dataset.write() as writer:
        _refuse_again(dataset, hashes, [made for _, made in opened])
        before = dataset.at()
        ids = Identities(before, _of(source))
        names = Names("`source`", ids.claim)
        work = _Import(strict, progress, names=names, writer=writer, before=before, ids=ids)
        work.name(made for _, made in opened)
        done = 0
        for each, made in opened:
            progress(done, total, each.where)
            read_source(work, each, made, source, (done, total))
            done += each.size
        if not any(work.rows.values()) and not writer.unchanged:
            raise MarketDataError(_nothing(opened, work))
        rejected = pl.concat([pl.DataFrame(schema=REJECTED), *work.rejected])
        stored = quarantine(writer, dataset, rejected)
        if isinstance(source, Path):
            work.notes += left_out(source)
        work.notes += work.told()
        notes = {
            NAMES: {made: list(names) for made, names in ids.names.items()},
            "sources": {name: digest for name, digest in hashes.items() if digest},
            "understood": {made.where: [list(pair) for pair in made.words()] for _, made in opened},
            "rows": work.rows,
            "rejected": stored,
        }
        fresh = any(work.rows.values()) or stored
        commit = writer.commit("import", notes) if fresh else dataset.head()
        assert commit is not None
    return Imported(
        commit,
        tuple(made for _, made in opened),
        work.rows,
        writer.unchanged,
        rejected,
        tuple(work.notes),
    )


def open_sources(
    source: Path | object, options: ImportOptions
) -> list[tuple[Source, Understanding]]:
    """Open files, and say how each is read."""
    if not isinstance(source, Path):
        frame = FrameSource(source)
        return [(frame, understand_source(frame, options))]
    if not source.exists():
        raise MarketDataError(f"`source` must be a file or a folder; found no {source}")
    files = folder_files(source) if source.is_dir() else [source]
    names = [
        path.relative_to(source).as_posix() if source.is_dir() else path.name for path in files
    ]
    recorded = [path.name.lower().endswith(RECORDINGS) for path in files]
    if any(recorded):
        if not all(recorded):
            other = names[recorded.index(False)]
            raise MarketDataError(f"{source}: must hold recordings only; found {other}")
        return [_recording(source, files, options)]
    found, called = [], Names(str(source))
    for path, where in zip(files, names, strict=True):
        of = file_source(path, where, options.separator, options.encoding)
        made = understand_source(of, options)
        if made.instrument is not None and made.called:
            called.add(made.instrument, made.called)
        found.append((of, made))
    return found


def _of(source: Path | object) -> str:
    return source.name if isinstance(source, Path) else "frame"


class _Recording(Source):
    """Recorded messages, which their reader opens."""

    def __init__(self, path: Path, files: list[Path]) -> None:
        self.where, self.stem, self.format = path.name, path.stem, "recorded messages"
        self.columns, self.header = (), False
        self.size = sum(each.stat().st_size for each in files)
        self.files = files

    def batches(self) -> Generator[Any]:
        """Nothing: it is no table."""
        yield from ()


def _recording(
    path: Path, files: list[Path], options: ImportOptions
) -> tuple[Source, Understanding]:
    if options.instrument is None:
        raise MarketDataError(
            f"{path.name}: a recording must say whose it is: --instrument BTC-USDT.BINANCE"
        )
    made = _Recording(path, files)
    kinds = " and ".join(options.use)
    return made, Understanding(
        made.where,
        made.format,
        kinds,
        "reader",
        instrument=options.instrument,
        reader="binance",
        use=options.use,
    )


def _digest(source: Source, origin: Path | object) -> str:
    """SHA-256 of a file; of a frame nothing."""
    if not isinstance(origin, Path):
        return ""
    files = getattr(source, "files", None) or [origin / source.where if origin.is_dir() else origin]
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _refuse_again(
    dataset: Dataset, hashes: Mapping[str, str], understood: list[Understanding]
) -> None:
    """Refuse files of events that some commit holds already."""
    events = {
        hashes[made.where]: made.where
        for made in understood
        if not _keyed(made.kind.split()[0]) and hashes[made.where]
    }
    if not events:
        return
    for commit in dataset.history():
        for name, digest in commit.manifest.notes.get("sources", {}).items():
            if digest in events:
                raise MarketDataError(
                    f"{events[digest]}: must not be imported twice; commit {commit.id[:12]} has "
                    f"the same content, as {name}"
                )


def _keyed(kind: str) -> bool:
    return bool(KINDS[kind].key)


def _nothing(opened: list[tuple[Source, Understanding]], work: Work) -> str:
    where = opened[0][1].where
    if not work.rejected:
        return f"{where}: there is a header but no row below it"
    _, row, reason, text = work.rejected[0].row(0)
    return f"{where}: must have rows that can be used; found none: row {row} {reason}: {text}"


def read_source(
    work: Work, source: Source, made: Understanding, origin: Path | object, at: tuple[int, int]
) -> None:
    """Read one file, and hand its rows on."""
    if made.reader:
        _decoded(work, source, made, origin)
        return
    keyed = _keyed(made.kind)
    seen = 0
    done, total = at
    for batch in source.batches():
        frame, rejects = convert(batch, made, work.names)
        if keyed:
            frame, twice = once(frame, made.kind, batch)
            rejects = pl.concat([rejects, twice])
        work.reject(rejects, made.where)
        work.now = frame, batch
        work.add(made.kind, frame.drop("row"), made.where, keyed)
        seen += batch.frame.height
        work.progress(done + source.position, total, f"{made.where}: {seen:,} rows")


def _decoded(work: Work, source: Source, made: Understanding, origin: Path | object) -> None:
    """Let the reader of a vendor's format decode the whole file."""
    if made.reader in ("factors", "actions"):
        if not isinstance(origin, Path):
            raise ConfigError("`source` must be a file for corporate actions; found a frame")
        path = origin / source.where if origin.is_dir() else origin
        if made.reader == "factors":
            assert made.instrument is not None
            actions = read_factor_file(path, made.where, made.instrument, made.calendar)
        else:
            actions = read_actions(path, made.where)
        frame = action_frame(actions, made.calendar or "XNYS", made.where, made.known_at)
        work.add("actions", frame, made.where, keyed=True)
        return
    entry = EventSource(
        source.where if not isinstance(origin, Path) else origin.name,
        format=made.reader,
        instrument=made.instrument,
        venue=made.venue,
        columns=made.columns,
        time_zone=made.time.zone if made.time is not None and made.time.of_day else None,
        delay_us=made.delay_s * 10**6,
        use=made.use or ("levels", "trades"),
        set_aside=("suspicious", "gaps"),
    )
    if made.reader == "binance":
        assert isinstance(origin, Path)
        records = read_events(entry, origin.parent)
    else:
        records = [read_event_table(_table(work, source, made), entry)]
    for each in records:
        frame = each.frame.drop("row", strict=False)
        work.add(each.kind, frame, made.where, keyed=_keyed(each.kind))
        work.notes += [note for note in each.notes if note not in work.notes]


def _table(work: Work, source: Source, made: Understanding) -> Table:
    """Read a whole table; ticks that the vendor flags are quarantined."""
    frames = []
    for batch in source.batches():
        frame = batch.frame.rename(dict(made.renamed))
        frame = frame.with_columns(**{name: pl.lit(day) for name, day in made.constants.items()})
        if "suspicious" in frame.columns:
            flagged = frame["suspicious"].cast(pl.Float64, strict=False).fill_null(0.0) != 0
            rows = frame.filter(flagged).select(
                pl.Series("row", batch.rows).filter(flagged),
                pl.lit("flagged as suspicious by the vendor").alias("reason"),
            )
            text = as_text(frame.filter(flagged)).alias("text")
            work.reject(rows.with_columns(text), made.where)
        frames.append(frame)
    first = 1 if not source.header or source.format == "Parquet" else 2
    return Table(made.where, source.stem, pl.concat(frames), first)
