"""Logs of processes: one file each, rotated while they are written."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["LogFile", "last_lines"]

_BLOCK = 1 << 16


class LogFile:
    """A log that processes append to by themselves.

    They write into the file and not through the supervisor, so that they go on when it ends. So
    it is rotated by copying, then cutting: what is written between the two, microseconds apart,
    is lost, which a log can bear and a journal could not.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    size_max : int
        From this size in bytes on it is rotated.
    kept : int
        Older ones that are kept, as ``NAME.log.1`` (the newest) and so on.
    """

    def __init__(self, path: Path, size_max: int, kept: int) -> None:
        self._path = path
        self._size_max = size_max
        self._kept = kept
        self._begun = 0

    def begin(self) -> None:
        """Rotate it if it is large, and remember where the next process begins to write."""
        with contextlib.suppress(OSError):  # a full disk: the log waits
            self.rotate()
        try:
            self._begun = self._path.stat().st_size
        except FileNotFoundError:
            self._begun = 0

    def last(self, count: int) -> list[str]:
        """Read the last lines since it was begun, at most so many."""
        return last_lines(self._path, count, self._begun)

    def open(self) -> BinaryIO:
        """Open it for appending; for the standard output of a process."""
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "ab", buffering=0)

    def write(self, text: str) -> None:
        """Append a line."""
        with self.open() as file:
            file.write(text.encode() + b"\n")

    def rotate(self) -> bool:
        """Rotate it if it is large; say whether it was."""
        try:
            if self._path.stat().st_size < self._size_max:
                return False
        except FileNotFoundError:
            return False
        older = [self._path.with_name(f"{self._path.name}.{n + 1}") for n in range(self._kept)]
        for newer, old in zip(older[-2::-1], older[:0:-1], strict=True):
            if newer.exists():
                newer.replace(old)
        with self._path.open("r+b") as file:
            if older:
                handle = os.open(older[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as copy:
                    shutil.copyfileobj(file, copy)
            file.truncate(0)
        self._begun = 0
        return True


def last_lines(path: Path, count: int, start: int = 0) -> list[str]:
    """Read the last lines of a log, without reading all of it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    count : int
        How many lines at most.
    start : int
        From this byte on.

    Returns
    -------
    list of str
        Without their ends; none if there is no such file.
    """
    try:
        with path.open("rb") as file:
            found = b"".join(reversed(list(_back(file, count, start))))
    except FileNotFoundError:
        return []
    lines = found.decode("utf-8", "replace").splitlines()
    return lines[-count:] if count else []


def _back(file: BinaryIO, count: int, first: int) -> Iterator[bytes]:
    end = file.seek(0, os.SEEK_END)
    seen = 0
    while end > first and seen <= count:
        start = max(first, end - _BLOCK)
        file.seek(start)
        block = file.read(end - start)
        seen += block.count(b"\n")
        end = start
        yield block
