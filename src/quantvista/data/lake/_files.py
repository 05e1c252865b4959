"""Files that are whole or not there: written aside, synced, renamed, and the folder synced.

`observers` hear of every step before it is taken, so that tests can end the process between any
two of them.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from quantvista.errors import OutputError

__all__ = ["TEMPORARY", "locked", "make_folder", "observers", "remove", "sha256", "write_whole"]

TEMPORARY = ".tmp-"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # of some network file systems
_CHUNK = 1 << 20

observers: list[Callable[[str, Path], None]] = []
"""Called with the name of a step and its path."""


def _step(name: str, path: Path) -> None:
    for each in observers:
        each(name, path)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each made known to the disk."""
    if path.is_dir():
        return
    make_folder(path.parent)
    _step("make folder", path)
    path.mkdir(exist_ok=True)
    _sync_folder(path.parent)


def write_whole(
    path: Path, write: Callable[[Path], None], name: Callable[[], str] | None = None
) -> None:
    """Let a file appear under its name only when all of it is on the disk.

    Parameters
    ----------
    path : pathlib.Path
        Its name; what was there before is replaced.
    write : callable
        Writes the content to the path that it is given, beside the final one.
    name : callable or None
        Gives the name instead, once the content is known.

    Raises
    ------
    OutputError
        If Polars cannot write it, as where a file becomes larger than allowed.
    """
    make_folder(path.parent)
    aside = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        _step("write", aside)
        write(aside)
        _step("sync", aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        path = path.with_name(name()) if name is not None else path
        _step("rename", path)
        aside.replace(path)
    except BaseException as error:
        aside.unlink(missing_ok=True)
        if isinstance(error, pl.exceptions.PolarsError):  # it has no words for a full disk
            reason = str(error).strip().splitlines()[0]
            raise OutputError(f"`dataset` cannot be written to {path.parent}: {reason}") from None
        raise
    _sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file that nothing names any more."""
    _step("remove", path)
    path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    _step("sync folder", path)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Hash a file's bytes, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only writer of a folder until the block or the process ends, however it ends.

    Raises
    ------
    OutputError
        If another process writes there.
    """
    make_folder(folder)
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if isinstance(error, BlockingIOError):
                raise OutputError(
                    f"`dataset` must have one writer at a time; found another one in {folder}; "
                    "wait for it to end"
                ) from None
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)
