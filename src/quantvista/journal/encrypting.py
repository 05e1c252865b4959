"""Encrypting a journal that is there: a copy, held against the original, takes its place."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from quantvista._native import KeyRing, Record, exchange_folders
from quantvista.errors import ConfigError, JournalError, OutputError
from quantvista.journal._ring import key_ring
from quantvista.journal._stream import Journal, Reader, require_journal, segments
from quantvista.journal._verify import seals_of, verify

__all__ = ["Encrypted", "encrypt_journal"]

_FORMAT = slice(8, 10)  # of a segment's header; 2 is encrypted
_TELL = 1_000

type Advance = Callable[[int, int, str], object]


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A journal that was encrypted.

    Parameters
    ----------
    stream : str
        Its name.
    records : int
        How many.
    key : str
        What the key is called.
    kept : pathlib.Path or None
        Where the journal is that was there before.
    """

    stream: str
    records: int
    key: str
    kept: Path | None


def encrypt_journal(
    folder: Path,
    *,
    keep: Path | None = None,
    keys: KeyRing | None = None,
    progress: Advance = lambda done, total, text: None,
) -> Encrypted:
    """Put an encrypted copy of a journal in its place, batch for batch.

    All of the journal is verified first, and each record of the copy is held against its own before
    the two change names at one stroke. One that is encrypted already is encrypted anew, all of it
    with the newest key. The chain of the copy is another one, since it is over what is encrypted.

    Parameters
    ----------
    folder : pathlib.Path
        The journal, which nobody may write meanwhile.
    keep : pathlib.Path, optional
        A new folder on the same disk for the journal as it was; by default it is removed. A sealed
        journal must be kept: its seals are of its own chain.
    keys : KeyRing, optional
        By default the ring that the environment names.
    progress : callable
        Told records done, records in all, and words.

    Returns
    -------
    Encrypted
        Durable.

    Raises
    ------
    ConfigError
        If there is no journal or no key, or it is sealed and not to be kept.
    JournalLockedError, JournalDamagedError
        If another process writes it, or it does not verify.
    OutputError
        If there is no room; the journal is then as it was.
    """
    require_journal(folder)
    keys = keys or key_ring(required=True)
    assert keys is not None, "it is required"
    folder = folder.absolute()
    _check_place(folder, keep)
    copy = folder.with_name(f".{folder.name}.encrypting")
    _clear(copy)
    reader = Reader(folder, keys=keys)
    reader.read()
    with Journal(folder, reader.stream or "", keys=keys) as old:
        try:
            count = _copy(old, folder, copy, keys, progress)
            _compare(folder, copy, keys, count, progress)
            exchange_folders(folder, copy)
        except OSError as error:
            shutil.rmtree(copy, ignore_errors=True)
            if isinstance(error, OutputError):
                raise
            reason = (error.strerror or type(error).__name__).lower()
            raise OutputError(f"the journal {folder} cannot be encrypted: {reason}") from None
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            raise
    # What was the journal has the copy's name now.
    if keep is None:
        shutil.rmtree(copy)
    else:
        copy.rename(keep)
    return Encrypted(old.stream, count, keys.ids[-1], keep)


def _check_place(folder: Path, keep: Path | None) -> None:
    if keep is None:
        if seals_of(folder):
            raise ConfigError(
                f"`--keep` must name a folder for the journal as it was, since its seals are of "
                f"that one alone; found none: {folder}"
            )
        return
    if keep.exists():
        raise ConfigError(f"`--keep` must name a new folder; found {keep}")
    parent = keep.absolute().parent
    if not parent.is_dir() or parent.stat().st_dev != folder.stat().st_dev:
        raise ConfigError(
            f"`--keep` must lie in a folder that is there, on the disk of the journal; found {keep}"
        )


def _clear(copy: Path) -> None:
    """Remove the beginning of a copy; what may be the only original stays."""
    if not copy.exists():
        return
    left = segments(copy)
    is_copy = not any(copy.glob("*.seal")) and all(
        each.read_bytes()[_FORMAT] == b"\x02\x00" for each in left[:1]
    )
    if not is_copy:
        raise ConfigError(
            f"{copy} is what the journal was before it was encrypted, left by an end in between; "
            "move it away, or remove it, and start again"
        )
    shutil.rmtree(copy)


def _copy(old: Journal, folder: Path, copy: Path, keys: KeyRing, progress: Advance) -> int:
    total = old.head.sequence
    verify(folder, keys=keys, progress=lambda done, all_: progress(done, all_, "checking"))
    snapshot = old.newest_snapshot()
    copy.mkdir(mode=0o700)
    with Journal(copy, old.stream, keys=keys, encrypt=True) as new:
        for number, batch in enumerate(Reader(folder, keys=keys)):
            for record in batch:
                new.append(record.kind, record.version, record.ts, record.payload)
            new.commit()
            if snapshot is not None and batch[-1].sequence == snapshot.head.sequence:
                new.snapshot(snapshot.version, snapshot.state)
            if number % _TELL == 0:
                progress(batch[-1].sequence, total, "encrypting")
    return total


def _compare(folder: Path, copy: Path, keys: KeyRing, count: int, progress: Advance) -> None:
    """Hold every record of the copy against its own."""
    found = verify(copy, keys=keys, progress=lambda done, all_: progress(done, all_, "checking"))
    # Batch for batch, since neither may be larger than memory.
    pairs = zip_longest(Reader(folder, keys=keys), Reader(copy, keys=keys))
    is_same = all(
        ours is not None
        and theirs is not None
        and list(map(_plain, ours)) == [*map(_plain, theirs)]
        for ours, theirs in pairs
    )
    if not is_same or (found.records, found.opened) != (count, count):
        raise JournalError(
            f"the encrypted copy of {folder} is not what the journal is; nothing was changed. Run "
            f"`qv journal verify {folder}`, check the disk, and start again"
        )


def _plain(record: Record) -> tuple[int, int, int, int, bytes]:
    return record.sequence, record.ts, record.kind, record.version, record.payload
