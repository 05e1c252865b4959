"""The permission to trade: given by the guard for seconds, asked for by the node at each order."""

import contextlib
import json
from pathlib import Path
from typing import Protocol

from quantvista.durable import replace_file

__all__ = ["FileLease", "FileLeaseWriter", "Lease", "LeaseWriter", "NoLease"]

_READ_EVERY_NS = 100_000_000


class Lease(Protocol):
    """What a node asks before it sends an order or takes risk."""

    def valid(self, epoch: int, now_ns: int) -> bool:
        """Say whether the node of this epoch may trade now."""
        ...

    def forget(self) -> None:
        """Look at it anew next time, however little time has passed."""
        ...


class NoLease:
    """Permission without end, for a fund that runs without a guard."""

    def valid(self, epoch: int, now_ns: int) -> bool:
        """Say yes."""
        del epoch, now_ns
        return True

    def forget(self) -> None:
        """Forget nothing: there is nothing to look at."""


class FileLease:
    """The lease in a file, read again at most ten times a second.

    Parameters
    ----------
    path : pathlib.Path
        ``state/run/lease.json``. What cannot be read is no permission.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: int | None = None
        self._epoch, self._until = -1, 0

    def valid(self, epoch: int, now_ns: int) -> bool:
        """Say whether the node of this epoch may trade now."""
        # A clock that was set back must not make an old reading last.
        if self._read_at is None or not 0 <= now_ns - self._read_at < _READ_EVERY_NS:
            self._read(now_ns)
        return epoch == self._epoch and now_ns < self._until

    def forget(self) -> None:
        """Read it again next time, though it was read a moment ago."""
        self._read_at = None

    def _read(self, now_ns: int) -> None:
        self._read_at = now_ns
        self._epoch, self._until = -1, 0
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(self._path.read_bytes())
            self._epoch, self._until = int(found["epoch"]), int(found["until_ns"])


class LeaseWriter(Protocol):
    """What the guard writes leases with."""

    def grant(self, epoch: int, until_ns: int) -> None:
        """Let the node of this epoch trade until then."""
        ...

    def end(self) -> None:
        """Let nobody trade, at once and durably."""
        ...


class FileLeaseWriter:
    """Writes the lease into a file.

    Parameters
    ----------
    path : pathlib.Path
        ``state/run/lease.json``.
    by : str
        Who gives it.
    """

    def __init__(self, path: Path, by: str) -> None:
        self._path, self._by = path, by
        self._epoch = -1

    def grant(self, epoch: int, until_ns: int) -> None:
        """Let the node of this epoch trade until then."""
        self._epoch = epoch
        self._write(until_ns, durable=False)  # it is over in seconds anyway

    def end(self) -> None:
        """Let nobody trade, at once and durably."""
        self._write(0, durable=True)

    def _write(self, until_ns: int, *, durable: bool) -> None:
        """Let who reads find the old one or the new one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lease = {"epoch": self._epoch, "until_ns": until_ns, "by": self._by}
        replace_file(self._path, json.dumps(lease).encode(), sync=durable)
