"""The state folder of a running fund: which file is where."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from quantvista.durable import sync_folder
from quantvista.errors import ControlError
from quantvista.trading.control._files import read_json, write_json
from quantvista.trading.control._process import Process

__all__ = ["ApiKey", "Place"]


class ApiKey(NamedTuple):
    """What a process signs its requests to a venue with.

    Parameters
    ----------
    key : str
        Its public name.
    secret : str
        Never to be printed.
    """

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"ApiKey({self.key!r}, ...)"


class Place:
    """The state folder of a fund.

    Parameters
    ----------
    folder : pathlib.Path or str
        The folder; it need not be there yet.

    Examples
    --------
    >>> place = Place.beside(Path("funds/crypto/fund.toml"))
    >>> place.socket("node").as_posix()
    'funds/crypto/state/run/node.sock'
    """

    __slots__ = ("folder",)

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    @classmethod
    def beside(cls, fund: Path, state: Path | None = None) -> "Place":
        """Name the place of a fund: the folder given, else ``state`` beside its file."""
        return cls(fund.parent / "state" if state is None else state)

    @property
    def journal(self) -> Path:
        """Folder of the node's journal."""
        return self.folder / "journal"

    @property
    def guard_journal(self) -> Path:
        """Folder of the guard's journal."""
        return self.folder / "guard" / "journal"

    @property
    def run(self) -> Path:
        """Folder of sockets and of what is true only while processes run."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """Folder of what the processes print."""
        return self.folder / "logs"

    @property
    def lease(self) -> Path:
        """The guard's permission to send orders."""
        return self.run / "lease.json"

    def socket(self, name: str) -> Path:
        """Name the socket of a process: ``node``, ``guard`` or ``supervisor``."""
        return self.run / f"{name}.sock"

    def log(self, name: str) -> Path:
        """Log of what a process prints."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Make the folders that are not there; only their owner may look into them."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for each in (self.run, self.logs):
            each.mkdir(exist_ok=True, mode=0o700)

    # -- processes ---------------------------------------------------------------------------
    def announce(self, name: str, epoch: int = 0) -> Process:
        """Write down that this process is the one of a name, durably.

        Parameters
        ----------
        name : str
            ``node``, ``guard`` or ``supervisor``.
        epoch : int
            Of its journal.

        Returns
        -------
        Process
            This process.
        """
        return self.announce_other(name, os.getpid(), epoch)

    def announce_other(self, name: str, pid: int, epoch: int = 0) -> Process:
        """Write down the same of a process that does not know of places."""
        process = Process.of(pid, epoch)
        if process is None:
            raise ControlError(f"`pid` must be of a process that runs; found {pid}")
        write_json(self._pid_file(name), process._asdict())
        return process

    def process(self, name: str) -> Process | None:
        """Find the process of a name.

        Parameters
        ----------
        name : str
            ``node``, ``guard``, ``paper`` or ``supervisor``.

        Returns
        -------
        Process or None
            As it announced itself; None if it ended in order or never was. It may have died
            since: see `Process.alive`.
        """
        found = read_json(self._pid_file(name))
        if found is None:
            return None
        try:
            return Process(
                int(found["pid"]),
                int(found["started_ns"]),
                str(found["boot"]),
                int(found["epoch"]),
            )
        except (KeyError, TypeError, ValueError):
            path = self._pid_file(name)
            raise ControlError(f"{path} is damaged: it must name a process; remove it") from None

    def withdraw(self, name: str, process: Process | None = None) -> None:
        """Remove what was announced, if it is of this process, or of the one that is given."""
        pid = os.getpid() if process is None else process.pid
        found = self.process(name)
        if found is not None and found.pid == pid:
            self._pid_file(name).unlink(missing_ok=True)

    def _pid_file(self, name: str) -> Path:
        return self.run / f"{name}.json"

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold a name while the block lasts, so that two processes never are the same one.

        Raises
        ------
        ControlError
            If another process holds it.
        """
        # The lock goes with the process however that ends; so does no file that says "locked".
        with (self.run / f"{name}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ControlError(
                    f"a {name} runs already in {self.folder}; see it with qv status, stop it with "
                    "qv down"
                ) from None
            yield

    # -- a halt that nobody heard ------------------------------------------------------------
    def leave_order(self, request: Mapping[str, Any]) -> Path:
        """Write down an order for a node and a guard that do not answer.

        Each carries it out at its next start or look, the node as if it had been told over its
        socket, before anything else. It lies there until a person resumes the fund.

        Parameters
        ----------
        request : mapping
            As for `ask`, with ``ts`` in UTC ns besides.

        Returns
        -------
        pathlib.Path
            Where it lies, durably.
        """
        write_json(self._order_file, request)
        return self._order_file

    def order(self) -> dict[str, Any] | None:
        """Read the order that was left, if there is one."""
        return read_json(self._order_file)

    def drop_order(self) -> None:
        """Forget it, durably."""
        with contextlib.suppress(FileNotFoundError):
            self._order_file.unlink()
            sync_folder(self.run)

    @property
    def _order_file(self) -> Path:
        return self.run / "halt.json"

    # -- keys --------------------------------------------------------------------------------
    def key(self, name: str, venue: str) -> ApiKey | None:
        """Find the key of a process at a venue.

        Parameters
        ----------
        name : str
            ``node`` or ``guard``, or as the fund file says.
        venue : str
            Id of the venue in the fund file.

        Returns
        -------
        ApiKey or None
            None if there is none; ``qv up`` makes those of paper venues.
        """
        self._check_private()
        every = read_json(self._keys) or {}
        try:
            found = every.get(name, {}).get(venue)
            return None if found is None else ApiKey(found["key"], found["secret"])
        except (AttributeError, KeyError, TypeError):  # whose words might have a secret in them
            raise ControlError(
                f"{self._keys} is damaged: it must hold a key and a secret by name and venue; "
                "remove it, and `qv up` makes those of paper venues beside the fund file again"
            ) from None

    def _check_private(self) -> None:
        """Refuse keys that others may have read."""
        if not self._keys.exists():
            return
        mode = self._keys.stat().st_mode & 0o777
        if mode & 0o077:
            raise ControlError(
                f"{self._keys} must be readable by you alone; found mode {mode:o}. Others may know "
                "the keys: remove the file, and qv up makes new ones for a paper venue of its own"
            )

    def put_key(self, name: str, venue: str, key: ApiKey) -> None:
        """Keep a key, in a file that only its owner reads."""
        every = read_json(self._keys) or {}
        every.setdefault(name, {})[venue] = key._asdict()
        write_json(self._keys, every)

    @property
    def _keys(self) -> Path:
        return self.folder / "keys.json"
