"""What is kept running, and how long things may take."""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["PERMANENT", "Program", "Timing"]

PERMANENT = frozenset({2, 3, 4})
"""Exit codes that mend themselves by no restart: configuration, data, strategy."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process that is kept running.

    Parameters
    ----------
    name : str
        ``node``, ``guard`` or ``paper``; of its log and its socket.
    command : tuple of str
        The program and its arguments.
    cwd : pathlib.Path
        The folder that it runs in.
    url : str
        Where it listens once it is ready; empty if it answers on its control socket.
    takes_stop : bool
        Whether it is stopped over its control socket; else, and if it does not obey, by SIGTERM.
    environment : tuple of (str, str)
        Variables besides those of the supervisor.
    """

    name: str
    command: tuple[str, ...]
    cwd: Path = field(default_factory=Path)
    url: str = ""
    takes_stop: bool = False
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take, in seconds, and how much is tried.

    Parameters
    ----------
    ready_s : float
        Until a process that was started is ready.
    back_off_s : float
        Before the first restart; twice as long before each further one.
    back_off_max_s : float
        At most.
    healthy_s : float
        After so long a restart counts as the first again.
    failures_max : int
        After so many failures in a row it is given up.
    stop_s : float
        For a process that was told to stop over its socket.
    term_s : float
        For a process after SIGTERM; then it is killed.
    look_s : float
        Between two looks at what only looking tells.
    check_s : float
        Between two questions to a process that is ready.
    silences_max : int
        After so many without an answer in a row it hangs, and is killed.
    log_bytes : int
        From this size on a log is rotated.
    logs_kept : int
        Older ones that are kept.
    """

    ready_s: float = 60.0
    back_off_s: float = 0.2
    back_off_max_s: float = 30.0
    healthy_s: float = 60.0
    failures_max: int = 10
    stop_s: float = 10.0
    term_s: float = 5.0
    look_s: float = 0.1
    check_s: float = 10.0
    silences_max: int = 4
    log_bytes: int = 10_000_000
    logs_kept: int = 5

    def back_off(self, failures: int) -> float:
        """Say how long to wait after so many failures in a row.

        Examples
        --------
        >>> [Timing().back_off(failures) for failures in (1, 2, 3, 8, 9)]
        [0.2, 0.4, 0.8, 25.6, 30.0]
        """
        return min(self.back_off_s * 2.0 ** (failures - 1), self.back_off_max_s)
