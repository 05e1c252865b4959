"""Writing a run down while it happens."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from quantvista.engine import Session
from quantvista.errors import ConfigError
from quantvista.fund.records import Decided, RunEnded, RunStarted
from quantvista.journal import INPUT, OUTPUT, Body, Journal
from quantvista.portfolio import Decision

__all__ = ["Recorder", "RunJournal", "Sink"]

_KINDS = {"input": INPUT, "output": OUTPUT}


class Sink(Protocol):
    """Where records go: a journal, or something that compares with one."""

    def append(self, kind: int, version: int, ts: int, payload: bytes) -> int:
        """Take a record."""

    def write(self, body: Body, ts: int) -> int:
        """Take a body."""

    def commit(self) -> object:
        """Make all so far durable."""


class Recorder:
    """Takes what happens in a session, in the order in which it happens.

    Parameters
    ----------
    sink : Sink
        Where it goes.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._session: Session | None = None

    def begin(self, session: Session, started: RunStarted, ts: int) -> None:
        """Write what the run starts with, at the time of its first data, and listen from now on."""
        self._session = session
        session.open_log()
        self._sink.write(started, ts)
        self._sink.commit()

    def drain(self) -> None:
        """Write what the engine was told, and said, since the last time."""
        assert self._session is not None, "`begin` comes first"
        for side, ts, payload in self._session.take_log():
            kind = _KINDS[side]
            self._sink.append(kind.number, kind.version, ts, payload)

    def decided(
        self, sleeve: str, known_ts: int, instruments: Sequence[str], decision: Decision
    ) -> None:
        """Write a decision, before what it leads to."""
        self.drain()
        assert self._session is not None, "`begin` comes first"
        body = Decided.of(sleeve, known_ts, instruments, decision)
        self._sink.write(body, self._session.now)

    def checkpoint(self) -> None:
        """Make all so far durable."""
        self.drain()
        self._sink.commit()

    def end(self, status: str, error: str = "") -> None:
        """Write how it ended."""
        self.drain()
        assert self._session is not None, "`begin` comes first"
        now = max(0, self._session.now)
        self._sink.write(RunEnded(status, self._session.state_hash(), error), now)
        self._sink.commit()


class RunJournal(Recorder):
    """A recorder into a new folder.

    Parameters
    ----------
    folder : path
        Made if it is not there; must be empty.
    fund : str
        Name of the fund, of which the stream is.
    encrypt : bool
        Whether the journal is encrypted.

    Raises
    ------
    ConfigError
        If the folder holds anything.
    OutputError
        If it cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], fund: str, *, encrypt: bool = False) -> None:
        path = Path(folder)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ConfigError(
                f"`journal` must be a new or an empty folder, for a journal is never written "
                f"over; found {path}"
            )
        self._journal = Journal(path, f"run/{fund}"[:64], encrypt=encrypt)
        super().__init__(self._journal)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the folder."""
        self._journal.close()
