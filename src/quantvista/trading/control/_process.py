"""Processes by number and time of start, so that a number used again is never taken for one."""

import os
from pathlib import Path
from typing import NamedTuple

__all__ = ["Process"]


class Process(NamedTuple):
    """A process that is or was.

    Parameters
    ----------
    pid : int
        Its number.
    started_ns : int
        From the start of the machine to its own, in ns, as the kernel counts; setting the clock
        does not change it.
    boot : str
        Which start of the machine.
    epoch : int
        Of the journal that it writes, 0 if it writes none.
    """

    pid: int
    started_ns: int
    boot: str
    epoch: int = 0

    @classmethod
    def of(cls, pid: int, epoch: int = 0) -> "Process | None":
        """Look a process up that runs now; None if there is none of this number."""
        started = _started_ns(pid)
        return None if started is None else cls(pid, started, _boot(), epoch)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; one that ended and nobody waited for does not."""
        return _started_ns(self.pid) == self.started_ns and _boot() == self.boot

    def signal(self, number: int) -> bool:
        """Send a signal to this very process.

        Parameters
        ----------
        number : int
            Such as ``signal.SIGTERM``.

        Returns
        -------
        bool
            False if it has ended; nothing else is hit, even if its number is used again.
        """
        import signal

        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            # The handle is of whatever has the number now; no other can come under it any more.
            if not self.alive:
                return False
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)
        return True


def _started_ns(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name is in brackets and may hold spaces and brackets; the state is the first after it.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return int(fields[19]) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
