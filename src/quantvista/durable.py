"""Files that are whole whenever they are read, and on the disk when we say so.

Of the standard library, and little of that: what halts a fund must load at once.
"""

import os
from pathlib import Path

__all__ = ["create_file", "replace_file", "sync_folder"]


def replace_file(path: Path, content: bytes, *, mode: int = 0o600, sync: bool = True) -> None:
    """Write a file beside its place, then rename it: a crash leaves the old one or the new one.

    Parameters
    ----------
    path : pathlib.Path
        The file; its folder must be there.
    content : bytes
        All of it.
    mode : int
        Of the new file; only its owner's by default.
    sync : bool
        Whether content and name are on the disk when this returns.

    Raises
    ------
    OSError
        If it cannot be written; the old one is still there.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _write(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), content, sync=sync)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if sync:
        sync_folder(path.parent)


def create_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file that is not there yet, durably.

    Raises
    ------
    FileExistsError
        If it is there.
    OSError
        If it cannot be written; then nothing is left of it.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        _write(handle, content, sync=True)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new and removed names of a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(handle: int, content: bytes, *, sync: bool) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        if sync:
            os.fsync(file.fileno())
