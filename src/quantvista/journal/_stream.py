"""Writing a stream, and following it."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from quantvista._native import KeyRing, MemoryDisk, RawJournal, RawReader, Record
from quantvista.errors import ConfigError
from quantvista.journal._records import Body
from quantvista.journal._ring import key_ring

__all__ = ["Journal", "Reader", "require_journal", "segments", "tail"]

_POLL_S = 0.05


class Journal(RawJournal):
    """The one writer of a stream.

    Opening cuts off what a crash left behind the last whole batch (``torn`` says how many bytes
    it was; they are kept in a file) and refuses anything else that does not verify. ``append``
    and `write` add to the batch, in memory; ``commit`` makes it durable, with other threads
    running meanwhile, and says where the journal then ends. ``with`` commits at the end, unless
    there was an error; ``close`` does not.

    Parameters
    ----------
    place : path or MemoryDisk
        The folder, made if need be.
    stream : str
        Its name: 1 to 64 letters, digits, and ``-_./``.
    segment_bytes : int, optional
        The space that is reserved for a segment: 64 MiB, in memory 256 KiB.
    keys : KeyRing, optional
        What it may be encrypted with; by default the ring that the environment names, if any.
    encrypt : bool
        Whether it must be encrypted. One that is stays so in any case; one that was begun in the
        clear is refused.

    Raises
    ------
    JournalLockedError
        If another process writes it.
    JournalDamagedError
        If what was durable does not verify any more; says where.
    ConfigError
        If it is the journal of another stream, its key is not there, or it is in the clear and
        must not be.
    OutputError
        If the disk is full, or cannot be written.
    JournalError
        From ``append`` and ``commit``, after a write that failed: what is durable is then only
        known to who opens it anew.
    """

    def __new__(
        cls,
        place: str | PathLike[str] | MemoryDisk,
        stream: str,
        *,
        segment_bytes: int | None = None,
        keys: KeyRing | None = None,
        encrypt: bool = False,
    ) -> Self:
        return super().__new__(
            cls,
            place,
            stream,
            segment_bytes=segment_bytes,
            keys=keys or key_ring(required=encrypt),
            encrypt=encrypt,
        )

    def write(self, body: Body, ts: int) -> int:
        """Append a body as a record of its kind.

        Parameters
        ----------
        body : Body
            What it says.
        ts : int
            UTC nanoseconds.

        Returns
        -------
        int
            The record's sequence, durable after the next ``commit``.
        """
        kind = body.KIND
        return self.append(kind.number, kind.version, ts, body.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.commit()
        finally:
            self.close()


class Reader(RawReader):
    """Reads whole batches in order, also while another process writes.

    Every frame, and the chain, is checked on the way. ``read`` gives the records of the next
    batch, or ``None`` at the end, and never waits; iterating stops there, and goes on from there
    when it is begun again. ``head`` is the place behind the last batch.

    Parameters
    ----------
    place : path or MemoryDisk
        The journal.
    start : int, default 1
        The first record to give. The chain before its segment is taken as it is.
    keys : KeyRing, optional
        What it may be encrypted with; by default the ring that the environment names, if any.

    Raises
    ------
    JournalDamagedError
        When something does not verify; says where.
    ConfigError
        When the key of what is encrypted is not there.
    """

    def __new__(
        cls,
        place: str | PathLike[str] | MemoryDisk,
        start: int = 1,
        *,
        keys: KeyRing | None = None,
    ) -> Self:
        return super().__new__(cls, place, start, keys=keys or key_ring())

    def follow(
        self,
        *,
        poll_s: float = _POLL_S,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> Iterator[list[Record]]:
        """Give batches as they become durable; wait at the end.

        Parameters
        ----------
        poll_s : float
            How long to wait before looking again.
        goes_on : callable
            Asked at the end, before waiting.

        Yields
        ------
        list of Record
            A batch.
        """
        while True:
            yield from self
            if not goes_on():
                return
            time.sleep(poll_s)


def require_journal(folder: Path) -> None:
    """Refuse a folder without a journal in it.

    Parameters
    ----------
    folder : Path
        Where it should be.

    Raises
    ------
    ConfigError
        If there is no segment.
    """
    if not segments(folder):
        what = "no segment (*.qvj)" if folder.is_dir() else "no such folder"
        raise ConfigError(
            f"`folder` must hold a journal; found {what}: {folder}; name the folder that a node, "
            "guard or venue writes its records to"
        )


def segments(folder: Path) -> list[Path]:
    """List the segments of a journal, in order.

    Parameters
    ----------
    folder : Path
        The journal.

    Returns
    -------
    list of Path
        Each is named after its first record.
    """
    return sorted(path for path in folder.glob("*.qvj") if path.stem.isdigit())


def tail(
    folder: Path, count: int, wanted: Callable[[Record], bool] = lambda record: True
) -> list[Record]:
    """Read the last records of a journal, from its end.

    Parameters
    ----------
    folder : Path
        The journal.
    count : int
        How many.
    wanted : callable
        Which ones count; all by default.

    Returns
    -------
    list of Record
        In order. A segment is read whole, so the cost is that of the segments they are in.
    """
    found: deque[Record] = deque()
    end: int | None = None
    for segment in reversed(segments(folder)):
        first = int(segment.stem)
        last: deque[Record] = deque(maxlen=count)
        for batch in Reader(folder, first):
            if end is not None and batch[0].sequence >= end:
                break
            last.extend(record for record in batch if wanted(record))
        found.extendleft(reversed(last))
        end = first
        if len(found) >= count:
            break
    return list(found)[-count:] if count else []
