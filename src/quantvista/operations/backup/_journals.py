"""Copying a journal while its writer goes on: whole batches up to one record, and no further."""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from quantvista.engine import RawEngine
from quantvista.errors import BackupError, JournalDamagedError
from quantvista.fund.records import RUN_KINDS, NodeOpened
from quantvista.journal import INPUT, Reader

__all__ = ["JournalCut", "cut_journal", "node_states"]

_HEADER_BYTES = 128
_FRAME = struct.Struct("<IIQQHH")
_COMMIT = 65_535
_SNAPSHOTS = 2
_TELL = 20_000
_TRIES = 3

type Advance = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class JournalCut:
    """A journal up to one record.

    Parameters
    ----------
    folder : pathlib.Path
        Where it is.
    stream : str
        Its name.
    sequence : int
        Its last record.
    chain : str
        Its chain there, in hexadecimal digits.
    last_ts : int
        Time of its last record, UTC ns.
    files : tuple of (str, int)
        Names in the folder, and how many of their first bytes belong to it.
    snapshot : int or None
        Last record of the newest snapshot among them.
    """

    folder: Path
    stream: str
    sequence: int
    chain: str
    last_ts: int
    files: tuple[tuple[str, int], ...]
    snapshot: int | None

    def to_dict(self) -> dict[str, Any]:
        """Say what a manifest says of it."""
        names = ("stream", "sequence", "chain", "last_ts")
        return {name: getattr(self, name) for name in names}


def cut_journal(folder: Path) -> JournalCut | None:
    """Find where a journal ends now, and what of its files lies before that.

    Parameters
    ----------
    folder : pathlib.Path
        Of the journal; another process may write it.

    Returns
    -------
    JournalCut or None
        None if there is no journal, or nothing durable in it.

    Raises
    ------
    JournalDamagedError
        If its last segment does not verify.
    """
    found, ts = None, 0
    for first in reversed(_numbers(folder, ".qvj")):
        reader, last_ts = _read_to_end(folder, first)
        if reader.head is not None and reader.head.sequence >= first:
            found, ts = reader, last_ts
            break
    if found is None or found.head is None:
        return None
    end = found.head.sequence
    segments = [number for number in _numbers(folder, ".qvj") if number <= end]
    files = []
    for place, first in enumerate(segments):
        path = folder / f"{first:020}.qvj"
        last = segments[place + 1] - 1 if place + 1 < len(segments) else end
        # Closed segments hold nothing else; the newest closed one may just be cut to its length.
        size = _end_of(path, last) if place >= len(segments) - 2 else path.stat().st_size
        files.append((path.name, size))
    snapshots = [number for number in _numbers(folder, ".qvs") if number <= end]
    extra = [f"{number:020}.qvs" for number in snapshots[-_SNAPSHOTS:]]
    extra += [f"{number:020}.seal" for number in _numbers(folder, ".seal") if number <= end]
    files += [(name, (folder / name).stat().st_size) for name in extra]
    return JournalCut(
        folder,
        found.stream or "",
        end,
        found.head.chain.hex(),
        ts,
        tuple(files),
        snapshots[-1] if snapshots else None,
    )


def _read_to_end(folder: Path, first: int) -> tuple[Reader, int]:
    """Read to the end, and say when the last record was."""
    # What is just being written does not fit, and does when it is read again; damage stays.
    for attempt in range(_TRIES):
        reader, ts = Reader(folder, first), 0
        try:
            for batch in reader:
                ts = batch[-1].ts
        except JournalDamagedError:
            if attempt == _TRIES - 1:
                raise
        else:
            break
    return reader, ts


def _numbers(folder: Path, ending: str) -> list[int]:
    found = (path.stem for path in folder.glob(f"*{ending}"))
    return sorted(int(stem) for stem in found if stem.isdigit())


def _end_of(path: Path, last: int) -> int:
    """Find the byte behind the commit frame of a record, which a reader has verified."""
    at = _HEADER_BYTES
    # Mapped, since most of a segment may be space that is only reserved.
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        while at + _FRAME.size <= len(content):
            _, size, sequence, _, kind, _ = _FRAME.unpack_from(content, at)
            at += _FRAME.size + size
            if sequence > last:
                break
            if kind == _COMMIT and sequence == last:
                return int(at)
    raise BackupError(
        f"{path} has no end of a batch at record {last:,}; check it with "
        f"`qv journal verify {path.parent}`"
    )


def node_states(cut: JournalCut, progress: Advance) -> tuple[str, str]:
    """Do the inputs of a node again, for the state of its engine.

    Parameters
    ----------
    cut : JournalCut
        Its journal.
    progress : callable
        Told records done, records in all, and words.

    Returns
    -------
    (str, str)
        Hash of the state at the newest snapshot and at the end; empty where there is none.
    """
    engine: RawEngine | None = None
    at_snapshot, done = "", 0
    for batch in Reader(cut.folder):
        if batch[0].sequence > cut.sequence:
            break
        for record in batch:
            if record.kind == NodeOpened.KIND.number and engine is None:
                engine = RawEngine(json.loads(RUN_KINDS.body(record).engine))
            elif record.kind == INPUT.number:
                if engine is None:
                    return "", ""
                engine.apply_encoded(record.payload)
            done += 1
            if done % _TELL == 0:
                progress(done, cut.sequence, "doing the state again")
        if batch[-1].sequence == cut.snapshot and engine is not None:
            at_snapshot = engine.state_hash()
    return at_snapshot, "" if engine is None else engine.state_hash()
