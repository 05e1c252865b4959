"""The guard's journal, and what follows from it: where it was, and what it sent."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from quantvista.fund.records import Restored
from quantvista.journal import Body, Journal, Reader
from quantvista.trading.gateway import ClientOrderId, Clock
from quantvista.trading.guard._records import (
    KINDS,
    Answered,
    Began,
    Escalated,
    Level,
    Sent,
    Started,
    Stepped,
    Valued,
)

__all__ = ["GuardLog", "GuardState"]

_STATE_VERSION = 1
_STEPS_MAX = 200
_S = 1_000_000_000


@dataclass(slots=True)
class GuardState:
    """All that a guard must know after a restart; a fold over its journal.

    ``unresolved`` are own orders of which it is not known whether the venue has them, by id, with
    their venue. ``steps`` are those of the incident, oldest first.
    """

    fund: str = ""
    epoch: int = 0
    sequence: int = 0
    level: int = Level.WATCH
    trigger: str = ""
    text: str = ""
    by: str = ""
    since_ns: int = 0
    unresolved: dict[str, str] = field(default_factory=dict)
    began: dict[str, dict[str, str]] = field(default_factory=dict)
    valued: Valued | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, body: Body, ts: int) -> None:
        """Take a record."""
        match body:
            case Started():
                self.fund, self.epoch, self.sequence = body.fund, body.epoch, 0
            case Restored():
                self.epoch = max(self.epoch, body.epoch_floor)
            case Escalated():
                if body.level <= Level.ALERT or self.level <= Level.ALERT:
                    self.steps = []  # an incident begins or ends
                self.level, self.trigger, self.text = body.level, body.trigger, body.text
                self.by, self.since_ns = body.by, ts
            case Sent():
                self.sequence += 1
                self.unresolved[body.client_order_id] = body.venue
            case Answered() if body.state != "unknown":
                self.unresolved.pop(body.client_order_id, None)
            case Began():
                self.began[body.venue] = dict(body.balances)
            case Valued():
                self.valued = body
            case Stepped():
                step = {"ts": ts, "step": body.step, "state": body.state}
                self.steps.append(step | {"venue": body.venue, "text": body.text})
                del self.steps[:-_STEPS_MAX]
            case _:
                pass


class GuardLog:
    """Writes what the guard does, and knows what it did.

    Parameters
    ----------
    place : path or MemoryDisk
        The journal's folder.
    fund : str
        Name of the fund.
    clock : Clock
        Times of records.
    encrypt : bool
        Whether the journal must be encrypted.

    Raises
    ------
    JournalLockedError
        If another guard of this fund runs.
    """

    def __init__(
        self,
        place: Any,  # noqa: ANN401 - a path or a disk in memory
        fund: str,
        clock: Clock,
        *,
        encrypt: bool = False,
    ) -> None:
        self._journal = Journal(place, f"{fund}/guard", encrypt=encrypt)
        self._clock = clock
        self.state = self._recover(place)
        if not self._journal.head.sequence:
            # A guard with another journal may have sent orders to the account: epochs begin above
            # this second, so that none of its ids comes again. To ask the venue could take long.
            self.state.epoch = clock.now_ns() // _S
        # The epoch is durable before any id is made with it, so that no id is ever used twice.
        self.note(Started(fund=fund, epoch=self.state.epoch + 1))
        self.commit()
        self._journal.snapshot(_STATE_VERSION, msgspec.msgpack.encode(self.state))

    def _recover(self, place: Any) -> GuardState:  # noqa: ANN401
        state, first = GuardState(), 1
        snapshot = self._journal.newest_snapshot()
        if snapshot is not None and snapshot.version == _STATE_VERSION:
            state = msgspec.msgpack.decode(snapshot.state, type=GuardState)
            first = snapshot.head.sequence + 1
        if self._journal.head.sequence >= first:
            for batch in Reader(place, first):
                for record in batch:
                    body = KINDS.body(record)
                    if body is not None:
                        state.apply(body, record.ts)
        return state

    def note(self, body: Body) -> None:
        """Write a record; it is durable after the next `commit`."""
        ts = self._clock.now_ns()
        self._journal.write(body, ts)
        self.state.apply(body, ts)

    def commit(self) -> None:
        """Make all that was written durable."""
        self._journal.commit()

    def keep(self, body: Body) -> None:
        """Write a record and make it durable."""
        self.note(body)
        self.commit()

    def order_id(self) -> str:
        """Make the next order id of this epoch; `Sent` with it takes it."""
        state = self.state
        return str(ClientOrderId(f"{state.fund}.guard", state.epoch, state.sequence + 1))

    def head(self) -> dict[str, Any]:
        """Say where the journal ends."""
        head = self._journal.head
        return {"sequence": head.sequence, "head": head.chain.hex()}

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()
