"""Objects of Python that are handed to Arrow's threads, and back when those let go of them.

A thread that still reads from a file of Python, or frees it, while the interpreter shuts down ends
the process by a signal. So whoever hands a file over waits until nobody has it any more.
"""

import time
import weakref
from threading import Lock
from typing import IO, Any

__all__ = ["HandedFile", "wait_until_free"]

_PAUSE_S = 0.0005
_PAUSES = 10_000  # about 5 s


class HandedFile:
    """A file to read from, which is at its end as soon as nobody wants more.

    Parameters
    ----------
    file : binary file
        What is read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._lock, self._over = file, Lock(), False
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """Read bytes; none after `stop`."""
        with self._lock:
            return b"" if self._over else self._file.read(size)

    def stop(self) -> None:
        """Let the file be at its end; it is not read from any more when this returns."""
        with self._lock:
            self._over = True

    def close(self) -> None:
        """Do nothing: whoever opened the file closes it."""


def wait_until_free(*handed: "weakref.ref[Any]") -> None:
    """Wait until nobody has what was handed over, at most some seconds."""
    for _ in range(_PAUSES):
        if all(each() is None for each in handed):
            return
        time.sleep(_PAUSE_S)
