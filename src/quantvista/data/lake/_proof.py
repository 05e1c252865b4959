"""Proof that files have the bytes that a commit names, once for each file and process."""

import os
from collections.abc import Iterable
from pathlib import Path

from quantvista.data.lake._manifest import FileEntry
from quantvista.data.lake._storage import Storage
from quantvista.errors import MarketDataError

__all__ = ["prove", "remember"]

type _State = tuple[int, int, int, int]

_proven: dict[str, tuple[_State, str]] = {}
"""By absolute path: what the file system said of it when its bytes were hashed, and their hash."""


def prove(
    storage: Storage,
    files: Iterable[FileEntry],
    commit: str,
    *,
    anew: bool = False,
    sizes_only: bool = False,
) -> int:
    """Prove that files are whole before something reads them.

    Parameters
    ----------
    storage : Storage
        Of the dataset.
    files : iterable of FileEntry
        As the commit names them.
    commit : str
        How messages call it.
    anew : bool
        Hash every file, also one that was proven before.
    sizes_only : bool
        Hash none.

    Returns
    -------
    int
        Files.

    Raises
    ------
    MarketDataError
        Naming the first that is missing, cannot be read or was changed.

    Notes
    -----
    The size is compared always, the hash when the process first meets the file and again whenever
    its size, time, inode or device is another: one or two seconds for each GB, and nothing for
    what is read again.
    """
    count = 0
    for each in files:
        path = storage.place(each.path)
        try:
            state = _state(path)
            key = os.path.abspath(path)  # noqa: PTH100 - a key, links stay as they are
            if anew or _proven.get(key) != (state, each.sha256):
                is_right = state[0] == storage.size(each.size)
                if is_right and not sizes_only:
                    is_right = storage.digest(each.path) == each.sha256
                if not is_right:
                    raise MarketDataError(
                        f"{path}: must have the content that commit {commit} names; found other "
                        "bytes: restore the file, or go back to another commit"
                    )
                if not sizes_only:
                    _proven[key] = (state, each.sha256)
            count += 1
        except FileNotFoundError:
            raise MarketDataError(f"{path}: must be there, commit {commit} names it") from None
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise MarketDataError(f"{path}: cannot be read: {reason}") from None
    return count


def remember(path: Path, digest: str) -> None:
    """Note the hash of a file that this process wrote itself."""
    _proven[os.path.abspath(path)] = (_state(path), digest)  # noqa: PTH100


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev
