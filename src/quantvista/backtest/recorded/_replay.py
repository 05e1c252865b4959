"""Doing a recorded run again: the engine from its inputs, or everything from the data."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantvista.backtest.recorded._reading import Progress, each_record, run_started
from quantvista.backtest.recorded._recorder import Recorder
from quantvista.engine import FORMAT_VERSION, RawEngine
from quantvista.errors import ConfigError, QuantVistaError
from quantvista.fund.records import (
    RUN_KINDS,
    Decided,
    NodeClosed,
    NodeOpened,
    RunEnded,
    RunStarted,
)
from quantvista.journal import INPUT, OUTPUT, Body, Record

__all__ = ["Parting", "Replay", "replay"]

type Rerun = Callable[[RunStarted, Recorder], None]


@dataclass(frozen=True, slots=True)
class Parting:
    """The first record at which the journal and the replay are not the same.

    Parameters
    ----------
    sequence : int
        In the journal; where it ends too early, the one that is missing.
    ts : int
        UTC ns; 0 where there is none.
    kind : str
        Of the record.
    recorded, replayed : object
        What each says, decoded; None where it says nothing.
    """

    sequence: int
    ts: int
    kind: str
    recorded: Any
    replayed: Any

    def differences(self) -> list[tuple[str, Any, Any]]:
        """Fields that differ, by their path, with both values."""
        return list(_differences("", self.recorded, self.replayed))


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found.

    Parameters
    ----------
    level : {"R1", "R2"}
        Whether the engine alone was run again, or features and strategies too.
    fund : str
        Name of the fund.
    inputs, outputs, decisions : int
        Records of each that agree.
    state_hash : str
        Of the replay at its end.
    status : str
        How the recorded run ended; empty where the journal breaks off.
    parting : Parting or None
        Where they part, if they do.
    """

    level: str
    fund: str
    inputs: int
    outputs: int
    decisions: int
    state_hash: str
    status: str
    parting: Parting | None

    @property
    def agrees(self) -> bool:
        """Whether all that was recorded came out again."""
        return self.parting is None


def replay(
    folder: str | os.PathLike[str],
    *,
    rerun: Rerun | None = None,
    progress: Progress | None = None,
) -> Replay:
    """Do a recorded run again, and say where it and its journal part, if they do.

    Without `rerun` the engine gets the recorded inputs (R1): its outputs and its last state must
    be the recorded ones, byte for byte. With it all is derived again (R2), and every input,
    decision and output must be.

    Parameters
    ----------
    folder : path
        The journal of a run.
    rerun : callable, optional
        Runs the fund again, from what the run started with, into a recorder.
    progress : callable, optional
        Called with records done, 0 and a text, now and then.

    Returns
    -------
    Replay
        With the first difference.

    Raises
    ------
    ConfigError
        If there is no journal.
    JournalError
        If it is not that of a run, or is damaged.
    """
    path = Path(folder)
    records = each_record(path, progress, "replaying")
    started = run_started(next(records, None), path)
    comparing = _Comparing(records)
    if rerun is None:
        _again(started, comparing)
    elif isinstance(started, RunStarted):
        _derive(started, rerun, comparing)
    else:
        raise ConfigError(
            "`fund` must be left out for the journal of a node, which derives everything again at "
            f"each of its starts; found one beside {path}"
        )
    return comparing.result("R1" if rerun is None else "R2", started.fund)


class _StopError(Exception):
    """Stops a replay that has parted from its journal, or has come to where that breaks off."""


class _Comparing:
    """Takes records as a journal would, and compares each with the recorded one."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self._sequence = 1
        self._is_over = False
        self.parting: Parting | None = None
        self.counts = {"input": 0, "output": 0, "decided": 0}
        self.state_hash = ""
        self.status = ""

    def next(self) -> Record | None:
        """Next recorded one."""
        record = next(self._records, None)
        if record is not None:
            self._sequence = record.sequence
        return record

    def append(self, kind: int, version: int, ts: int, payload: bytes) -> int:
        """Compare a record of the replay."""
        recorded = None if self._is_over else self.next()
        if self._is_over or self._breaks_off(recorded, kind):
            # A run may take the stop for an error of a strategy's, and write that as well.
            self._is_over = True
            raise _StopError
        self.compare(recorded, Record(self._sequence, ts, kind, version, payload))
        return self._sequence

    def _breaks_off(self, recorded: Record | None, kind: int) -> bool:
        """Whether the run was stopped here, where the replay goes on."""
        if recorded is None:
            return not self.status
        if recorded.kind != RunEnded.KIND.number or kind == RunEnded.KIND.number:
            return False
        ended = RUN_KINDS.body(recorded)
        if ended.status != "incomplete":
            return False
        self.status = ended.status
        return True

    def write(self, body: Body, ts: int) -> int:
        """Compare a body of the replay."""
        if isinstance(body, RunStarted):
            return 1
        if isinstance(body, RunEnded):
            self.state_hash = body.state_hash
        kind = body.KIND
        return self.append(kind.number, kind.version, ts, body.encode())

    def commit(self) -> object:
        """Nothing is kept."""
        return None

    def compare(self, recorded: Record | None, replayed: Record | None) -> None:
        """Count what agrees; stop at what does not."""
        if recorded is not None and replayed is not None and _same(recorded, replayed):
            name = RUN_KINDS.name(recorded.kind)
            if name in self.counts:
                self.counts[name] += 1
            self._ended(recorded)
            return
        shown = recorded or replayed
        assert shown is not None, "there is something to compare"
        self.parting = Parting(
            recorded.sequence if recorded is not None else self._sequence + 1,
            shown.ts,
            RUN_KINDS.name(shown.kind),
            None if recorded is None else RUN_KINDS.entry(recorded).value,
            None if replayed is None else RUN_KINDS.entry(replayed).value,
        )
        self._is_over = True
        raise _StopError

    def _ended(self, record: Record) -> None:
        if record.kind == RunEnded.KIND.number:
            self.status = RUN_KINDS.body(record).status

    def result(self, level: str, fund: str) -> Replay:
        """Sum up."""
        counts = self.counts
        return Replay(
            level,
            fund,
            counts["input"],
            counts["output"],
            counts["decided"],
            self.state_hash,
            self.status,
            self.parting,
        )


def _again(started: RunStarted | NodeOpened, comparing: _Comparing) -> None:
    """Give an engine the recorded inputs."""
    engine = RawEngine(json.loads(started.engine))
    said: deque[bytes] = deque()
    try:
        while (record := comparing.next()) is not None:
            if record.kind == OUTPUT.number:
                payload = said.popleft() if said else None
                comparing.compare(record, None if payload is None else _output(record, payload))
                continue
            if said and record.kind in (INPUT.number, RunEnded.KIND.number):
                comparing.compare(None, _output(record, said[0]))
            if record.kind == INPUT.number:
                said.extend(_apply(engine, record, comparing))
                comparing.counts["input"] += 1
            elif record.kind == RunEnded.KIND.number:
                body = RUN_KINDS.body(record)
                ended = RunEnded(body.status, engine.state_hash(), body.error)
                comparing.compare(record, _like(record, ended.encode()))
            elif record.kind == NodeClosed.KIND.number:
                closed = NodeClosed(engine.state_hash())
                comparing.compare(record, _like(record, closed.encode()))
                comparing.status = "closed"
            elif record.kind == NodeOpened.KIND.number:
                comparing.status = ""
            else:
                comparing.counts["decided"] += record.kind == Decided.KIND.number
        if said:
            comparing.compare(None, Record(0, 0, OUTPUT.number, FORMAT_VERSION, said[0]))
    except _StopError:
        pass
    comparing.state_hash = engine.state_hash()


def _apply(engine: RawEngine, record: Record, comparing: _Comparing) -> list[bytes]:
    """Apply an input; one that the engine now refuses is a difference."""
    try:
        return engine.apply_encoded(record.payload)
    except QuantVistaError as error:
        comparing.parting = Parting(
            record.sequence,
            record.ts,
            "input",
            RUN_KINDS.entry(record).value,
            f"the engine refuses it: {error}",
        )
        raise _StopError from None


def _derive(started: RunStarted, rerun: Rerun, comparing: _Comparing) -> None:
    """Run the fund again into the comparison."""
    try:
        rerun(started, Recorder(comparing))
        if (rest := comparing.next()) is not None:
            comparing.compare(rest, None)
    except _StopError:
        pass


def _output(near: Record, payload: bytes) -> Record:
    return Record(near.sequence, near.ts, OUTPUT.number, FORMAT_VERSION, payload)


def _like(record: Record, payload: bytes) -> Record:
    return Record(record.sequence, record.ts, record.kind, record.version, payload)


def _same(one: Record, other: Record) -> bool:
    if one.kind != other.kind:
        return False
    if one.version == other.version:
        return one.payload == other.payload
    # Another encoding of what may be the same.
    return bool(RUN_KINDS.entry(one).value == RUN_KINDS.entry(other).value)


def _differences(path: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *(name for name in other if name not in one)]:
            yield from _differences(f"{path}.{name}".lstrip("."), one.get(name), other.get(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _differences(f"{path}[{place}]", a, b)
    elif one != other:
        yield path or "record", one, other
