"""One run at a time in a folder."""

import errno
import fcntl
import os
from pathlib import Path

from quantvista.errors import OutputError

__all__ = ["FolderLock"]

_NAME = ".lock"
_NONE = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # some network file systems have no locks


class FolderLock:
    """A lock on a folder until it is released or the process ends, however it ends.

    Parameters
    ----------
    folder : pathlib.Path
        Which must be there. The lock is a file ``.lock`` in it; one that is left behind by a
        process that was killed does no harm.

    Raises
    ------
    OutputError
        If another run holds it.
    OSError
        If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._file: int | None = None
        while self._file is None:
            self._file = self._taken(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666))

    def _taken(self, file: int) -> int | None:
        """Lock the open file; None if it was removed in between, by whoever held it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file), self._path.stat()):
                return file
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno in _NONE:
                return file
            os.close(file)
            if isinstance(error, BlockingIOError):
                raise OutputError(
                    f"`out` must be a folder of its own for each run; found another run that is "
                    f"writing here; {self._path.parent}"
                ) from None
            raise
        os.close(file)
        return None

    def release(self) -> None:
        """Let others write here, and remove the file."""
        if self._file is None:
            return
        self._path.unlink(missing_ok=True)  # before others can have it
        os.close(self._file)
        self._file = None
