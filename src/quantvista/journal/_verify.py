"""Checking every byte of a journal, and what was signed about it."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from quantvista._native import Head, KeyRing, MemoryDisk, Seal, verify_journal
from quantvista.errors import JournalDamagedError
from quantvista.journal._ring import key_ring

__all__ = ["Verified", "seals_of", "verify"]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a journal is, when all of it verifies.

    Parameters
    ----------
    stream : str
        Its name.
    segments, records, batches, bytes : int
        How much it is; reserved space does not count.
    first_ts, last_ts : int or None
        Of its first and last record, UTC nanoseconds; none if there is no record.
    head : Head
        Where it ends.
    seals : tuple of Seal
        Those that were checked, ascending.
    torn_bytes : int
        What an interrupted write left behind the end; the next writer cuts it off.
    keys : tuple of str
        What the keys are called that it is encrypted with; empty if it is in the clear.
    opened : int
        How many of its encrypted records were decrypted, too.
    """

    stream: str
    segments: int
    records: int
    batches: int
    bytes: int
    first_ts: int | None
    last_ts: int | None
    head: Head
    seals: tuple[Seal, ...]
    torn_bytes: int
    keys: tuple[str, ...] = ()
    opened: int = 0


def verify(
    place: str | PathLike[str] | MemoryDisk,
    *,
    key: bytes | None = None,
    progress: Callable[[int, int], object] | None = None,
    keys: KeyRing | None = None,
) -> Verified:
    """Check every header, frame, batch and seal, from the first segment on.

    An encrypted journal needs no keys for that: checksums, chain and seals are over what is on the
    disk. What there is a key of is decrypted as well, which shows that a writer with that key wrote
    it.

    Parameters
    ----------
    place : path or MemoryDisk
        The journal, with its seals.
    key : bytes, optional
        The public key that the seals must be signed with, of which there must be one. Without it
        seals are checked against the keys that they name, which anybody could have made.
    progress : callable, optional
        Told the bytes done and the bytes in all, after each segment.
    keys : KeyRing, optional
        To decrypt with; by default the ring that the environment names, if any.

    Returns
    -------
    Verified
        What it is.

    Raises
    ------
    JournalDamagedError
        At the first place that does not verify.
    """
    keys = keys or key_ring()
    seals = seals_of(place)
    for seal in seals:
        if key is not None and seal.key != key:
            text = f"{seal.file_name}: the seal is signed with another key: {seal.key.hex()}"
            raise JournalDamagedError(text, seal.file_name, problem="signed with another key")
    if key is not None and not seals:
        text = (
            f"the journal {place} has no seal that the key could check; copy the *.seal files "
            "beside its segments, or seal it"
        )
        raise JournalDamagedError(text, problem="there is no seal")
    try:
        found = verify_journal(place, seals, progress, keys)
    except JournalDamagedError as error:
        if error.file != max(_files(place, ".qvj"), default=""):
            raise
        # It may just be written: pages that were read before and after a write do not fit.
        # What is damaged stays so.
        found = verify_journal(place, seals, progress, keys)
    return Verified(**found, seals=tuple(seals))


def seals_of(place: str | PathLike[str] | MemoryDisk) -> list[Seal]:
    """Read the seals beside a journal, and check their signatures.

    Parameters
    ----------
    place : path or MemoryDisk
        The journal.

    Returns
    -------
    list of Seal
        Ascending.

    Raises
    ------
    JournalDamagedError
        If one of them cannot be read, or is not what its key signed.
    """
    found = []
    for name in _files(place, ".seal"):
        try:
            seal = Seal.from_text(_content(place, name).decode())
            seal.check()
            if seal.file_name != name:
                raise JournalDamagedError("the seal is not that of its file's name")
        except (JournalDamagedError, UnicodeDecodeError) as error:
            problem = str(error)
            if isinstance(error, UnicodeDecodeError):
                problem = "the seal cannot be read"
            text = f"{name}: {problem}; put the seal back from a copy"
            raise JournalDamagedError(text, name, problem=problem) from None
        found.append(seal)
    return found


def _files(place: str | PathLike[str] | MemoryDisk, ending: str) -> list[str]:
    """Names, ascending."""
    if isinstance(place, MemoryDisk):
        return [name for name in place.names() if name.endswith(ending)]
    return sorted(path.name for path in Path(place).glob(f"*{ending}"))


def _content(place: str | PathLike[str] | MemoryDisk, name: str) -> bytes:
    if isinstance(place, MemoryDisk):
        return place.content(name) or b""
    return Path(place, name).read_bytes()
