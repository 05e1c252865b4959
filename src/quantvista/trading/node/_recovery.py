"""Where a fund was when its last process ended: newest snapshot, and what the journal adds."""

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quantvista.engine import RawEngine, Session
from quantvista.errors import ConfigError, JournalError
from quantvista.fund.records import Decided, Restored
from quantvista.journal import INPUT, OUTPUT, Journal, Reader, Record
from quantvista.trading.node._adoption import Adoption, Part
from quantvista.trading.node._bodies import (
    NODE_KINDS,
    Commanded,
    Computed,
    DayBegan,
    Doubted,
    Flowed,
    Heard,
    NodeClosed,
    NodeOpened,
    NodeState,
    StrategyFailed,
    Woken,
)
from quantvista.trading.node._cash import Cash
from quantvista.trading.node._changes import check_changes
from quantvista.trading.node._orders import Orders
from quantvista.trading.node._stage import Stage, Told, is_by_breaker
from quantvista.trading.node._terms import NodeSetup

__all__ = ["Past", "recover"]

_DERIVED = {
    *(INPUT.number, OUTPUT.number),
    *(each.KIND.number for each in (Computed, Decided, StrategyFailed)),
}
_DECISIONS = {
    *("target_portfolio", "submit_order", "submit_list", "amend_order", "replace_order"),
    *("cancel_order", "activate_semantics"),
}
_OWNERS_KEPT = 10_000
_S = 1_000_000_000
# Most of a journal are prices, of which only the engine must know what they say. An input is a
# header of 13 bytes, four numbers of at most 9 bytes, and a map of one name.
_PRICES = re.compile(rb"\x81(?:\xa5quote|\xa5trade|\xaabook_level|\xacbook_cleared)")
_NAME_AT, _NAME_END = 13, 64


@dataclass
class Past:
    """What a journal leads to.

    Parameters
    ----------
    stage : Stage
        Engine and strategies, as they were.
    heard : dict of str to int
        Last report of each venue.
    adoption : Adoption
        How trades that are nobody's were divided.
    reduced : bool
        Whether the node itself took the fund to reducing.
    cash : Cash
        What it remembers of money beside the engine.
    first, last : NodeOpened or None
        What the first and the last process said.
    was_closed : bool
        Whether the last process ended in order.
    limits : list of (str, int or None)
        Limits that the fund file now has otherwise.
    replayed : int
        Records behind the snapshot.
    commanded : bool
        Whether the operator's input that comes next is a person's.
    pardonable : bool
        Whether a strategy had failed by the newest snapshot.
    epoch_floor : int
        The new epoch is above it, where the journal came back out of a backup.
    doubts : set of (str, str)
        Venue and cause of what a person is to judge.
    """

    stage: Stage
    heard: dict[str, int] = field(default_factory=dict)
    adoption: Adoption = field(default_factory=Adoption)
    reduced: bool = False
    cash: Cash = field(default_factory=Cash)
    first: NodeOpened | None = None
    last: NodeOpened | None = None
    was_closed: bool = True
    limits: list[tuple[str, int | None]] = field(default_factory=list)
    replayed: int = 0
    commanded: bool = False
    pardonable: bool = False
    epoch_floor: int = 0
    doubts: set[tuple[str, str]] = field(default_factory=set)

    def state(self) -> NodeState:
        """Write it down; the stage must be between two steps."""
        assert self.first is not None, "a process has opened it"
        assert self.last is not None, "a process has opened it"
        orders, desk = self.stage.orders, self.stage.desk
        return NodeState(
            session=self.stage.session.snapshot(desk.dump()),
            epochs=orders.epochs,
            heard=self.heard,
            owners=orders.owners(_OWNERS_KEPT),
            reduced=self.reduced,
            first=self.first,
            last=self.last,
            failed=self.stage.failed,
            bars=b"" if self.stage.bars is None else self.stage.bars.dump(),
            closes=tuple(self.stage.closes.items()),
            adopted=tuple(self.adoption.known),
            doubts=tuple(sorted(self.doubts)),
            **self.cash.state(),  # type: ignore[arg-type]
        )


def recover(
    setup: NodeSetup,
    journal: Journal,
    place: Any,  # noqa: ANN401
    now: int,
    *,
    was_used: bool = False,
) -> Past:
    """Bring a fund to where its journal ends, and open a new epoch, durably.

    Parameters
    ----------
    setup : NodeSetup
        The fund as its file now says.
    journal : Journal
        Open.
    place : path or MemoryDisk
        Of the journal.
    now : int
        UTC ns.
    was_used : bool
        Whether accounts have a history that a new journal knows nothing of. Then epochs begin
        above this second, as after a restore: no id is one that was used by an older journal.

    Returns
    -------
    Past
        Ready to go on.

    Raises
    ------
    ConfigError
        If the fund file was changed in a way that cannot be gone on with.
    JournalError
        If engine or strategies do not come to what the journal says, with the first difference.
    """
    newest = journal.newest_snapshot()
    state = None if newest is None else NodeState.decode(newest.state)
    first = state.first if state is not None else _opened(place)
    engine = dict(setup.config) if first is None else json.loads(first.engine)
    session = Session(engine, live=True, record="accounts")
    orders = Orders(setup.fund, [])
    bars = setup.bars()
    stage = Stage(
        session,
        setup.desk(session, bars),
        orders,
        bars,
        setup.schedule,
        [each.price_precision for each in setup.instruments],
        _refuse,
    )
    past = Past(stage, first=first)
    if first is None and was_used:
        past.epoch_floor = now // _S
    if state is not None:
        _resume(past, state)
    start = 1 if newest is None else newest.head.sequence + 1
    _replay(past, setup, place, start)
    _open(past, setup, journal, now)
    return past


def _refuse(_kind: int, _version: int, _ts: int, _payload: bytes) -> None:
    raise AssertionError("nothing is written before the past is known")


def _opened(place: Any) -> NodeOpened | None:  # noqa: ANN401
    """Read what the journal began with; None of a new one."""
    batch = Reader(place).read()
    if not batch:
        return None
    found = NODE_KINDS.body(batch[0])
    if not isinstance(found, NodeOpened):
        raise JournalError(
            f"the journal must be that of a node; found {NODE_KINDS.name(batch[0].kind)} at its "
            "beginning; name another state folder"
        )
    return found


def _resume(past: Past, state: NodeState) -> None:
    stage = past.stage
    stage.desk.load(stage.session.restore(state.session))
    stage.orders.epochs[:] = state.epochs
    for order, sleeve, instrument in state.owners:
        stage.orders.owned(order, sleeve, instrument)
    for each in stage.session.working():  # older than the newest that are kept, and still there
        stage.orders.owned(each["id"], each["sleeve"], each["instrument"])
    stage.failed, past.pardonable = state.failed, bool(state.failed)
    stage.closes.update(state.closes)
    if stage.bars is not None:
        stage.bars.load(state.bars)
    past.adoption = Adoption(state.adopted)
    past.heard, past.reduced = dict(state.heard), state.reduced
    past.cash.resume(state.day, state.unpriced, state.owed, state.waiting, state.purses)
    past.last, past.doubts = state.last, set(state.doubts)


def _replay(past: Past, setup: NodeSetup, place: Any, start: int) -> None:  # noqa: ANN401
    """Do again what is recorded behind the snapshot, and compare."""
    comparing = _Comparing()
    past.stage.write = comparing.take
    for batch in Reader(place, start):
        if batch[-1].sequence < start:
            continue
        past.was_closed = False
        _check_code(past, setup, batch)
        comparing.expect(batch)
        again = _Again.of(batch)
        past.stage.recorded = again.computed
        past.stage.give_again(again.seen, again.encoded)
        last = past.stage.session.now if again.last is None else again.last
        woken = [record.ts for record in batch if record.kind == Woken.KIND.number]
        past.stage.run_again(last, max([last, *woken]))
        comparing.check()
        for record in batch:
            _follow(past, record, again.decoded.get(record.sequence))
        past.replayed += len(batch)
    past.stage.recorded = None
    past.stage.effects.clear()
    past.stage.state_moved = False
    past.stage.write = _refuse


def _check_code(past: Past, setup: NodeSetup, batch: list[Record]) -> None:
    """Refuse to do again with other strategies what the old ones did."""
    if past.last is None or past.last.fund_hash == setup.fund_hash:
        return
    if any(record.kind == INPUT.number for record in batch):
        raise ConfigError(
            "the fund file or a strategy was changed while its last process had not ended in "
            "order, so that what it did last cannot be done again; put the old ones back, run "
            "`qv up` and `qv down` once, and change them then"
        )


@dataclass
class _Again:
    """What came from outside in a batch.

    ``encoded`` is all of it as it was written, ``seen`` what others than the engine look at, and
    ``last`` when the last was received; ``decoded`` has all inputs but prices, by their number;
    ``computed`` what strategies were told of computations.
    """

    encoded: list[bytes] = field(default_factory=list)
    seen: list[Mapping[str, Any]] = field(default_factory=list)
    last: int | None = None
    decoded: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    computed: dict[tuple[int, int], Computed] = field(default_factory=dict)

    @classmethod
    def of(cls, batch: list[Record]) -> "_Again":
        """Find it."""
        found = cls()
        for record in batch:
            if record.kind == Computed.KIND.number:
                body = NODE_KINDS.body(record)
                assert isinstance(body, Computed), "it is of that kind"
                found.computed[body.sleeve, body.number] = body
            if record.kind != INPUT.number:
                continue
            if _PRICES.search(record.payload, _NAME_AT, _NAME_END) is None:
                decoded = RawEngine.decode_input(record.payload)
                found.decoded[record.sequence] = decoded["event"]
                if _DECISIONS & decoded["event"].keys():
                    continue
                found.seen.append(decoded)
            found.encoded.append(record.payload)
            found.last = record.ts
        return found


def _follow(past: Past, record: Record, event: Mapping[str, Any] | None) -> None:
    """Keep up with what is not the engine's; an input comes with what it says, but for prices."""
    if record.kind == INPUT.number:
        if event is None:
            return
        if "operator" in event:
            past.reduced = event["operator"] == "reduce" and not past.commanded
            past.commanded = False
        filled = event.get("report", {}).get("filled")
        if filled is not None and filled["order"] is None:
            part = (filled[name] for name in ("trade", "sleeve", "quantity", "fee"))
            past.adoption.booked(Part(*part))
        return
    if record.kind == OUTPUT.number:
        if is_by_breaker(record.payload):
            past.reduced = False
        return
    match NODE_KINDS.body(record):
        case NodeOpened() as opened:
            _pardon(past, opened.fund_hash)
            past.first = past.first or opened
            past.last = opened
            past.stage.orders.epochs.append((opened.epoch, opened.first_order))
        case Heard(venue=venue, sequence=sequence) as heard:
            past.heard[venue] = sequence
            past.cash.heard(heard)
        case Flowed() as flowed:
            past.cash.flowed(flowed, record.ts)
        case DayBegan() as began:
            past.cash.began(began, record.ts)
        case Commanded():
            past.commanded = True
        case Doubted(venue=venue, cause=cause, on=on):
            (past.doubts.add if on else past.doubts.discard)((venue, cause))
        case NodeClosed():
            past.was_closed = True
        case Restored(epoch_floor=floor):
            past.epoch_floor = floor


def _pardon(past: Past, fund_hash: str) -> None:
    """Call strategies again that had failed, once somebody has changed the fund.

    Those only that a snapshot says have failed: an engine at which they fail here and now goes on
    without them.
    """
    if past.pardonable and past.last is not None and past.last.fund_hash != fund_hash:
        past.stage.failed, past.pardonable = "", False


def _open(past: Past, setup: NodeSetup, journal: Journal, now: int) -> None:
    """Say that a new process writes, before it does anything."""
    changes: list[str] = []
    if past.last is not None:
        changes, past.limits = check_changes(past.last, setup)
    _pardon(past, setup.fund_hash)
    epochs = past.stage.orders.epochs
    opened = NodeOpened(
        fund=setup.fund,
        epoch=max(epochs[-1][0] if epochs else 0, past.epoch_floor) + 1,
        first_order=past.stage.session.last_order + 1,
        config=setup.resolved,
        engine=json.dumps(setup.config, sort_keys=True),
        fund_hash=setup.fund_hash,
        fingerprint=dict(setup.fingerprint),
        changes=tuple(changes),
    )
    epochs.append((opened.epoch, opened.first_order))
    past.first, past.last = past.first or opened, opened
    ts = max(now, past.stage.session.now, 0)
    journal.write(opened, ts)
    past.stage.write = journal.append
    # In one batch with what says that they changed: either both are durable or neither.
    told: list[Told] = []
    for name, value in past.limits:
        ts += 1
        told.append((ts, ts, {"operator": {"change_limit": {"name": name, "value": value}}}))
    if told:
        past.stage.give(told, ts)
    journal.commit()


class _Comparing:
    """Holds what is derived again against what was recorded."""

    def __init__(self) -> None:
        self._recorded: deque[Record] = deque()

    def expect(self, batch: list[Record]) -> None:
        """Take the next batch."""
        self._recorded = deque(record for record in batch if record.kind in _DERIVED)

    def take(self, kind: int, version: int, ts: int, payload: bytes) -> None:
        """Compare one record."""
        if kind not in _DERIVED:
            return
        recorded = self._recorded.popleft() if self._recorded else None
        if recorded is None:
            raise _parted(None, Record(0, ts, kind, version, payload))
        same = (recorded.kind, recorded.payload) == (kind, payload)
        if not same:
            raise _parted(recorded, Record(recorded.sequence, ts, kind, version, payload))

    def check(self) -> None:
        """Be sure that nothing recorded was left out."""
        if self._recorded:
            raise _parted(self._recorded[0], None)


def _parted(recorded: Record | None, derived: Record | None) -> JournalError:
    def said(record: Record | None) -> str:
        if record is None:
            return "nothing"
        entry = NODE_KINDS.entry(record)
        text = json.dumps(_plain(entry.value), default=str)
        return f"{entry.kind} {text[:300]}"

    where = f"record {recorded.sequence}" if recorded is not None else "after the last record"
    return JournalError(
        f"the fund does not come to what its journal says at {where}: recorded {said(recorded)}; "
        f"now {said(derived)}. Was a strategy or this package changed? Put the old ones back. "
        "Does a strategy keep something outside its `State`? That is lost in a restart. "
        "`qv replay` says whether the engine agrees"
    )


def _plain(value: Any) -> Any:  # noqa: ANN401
    return dict(value) if isinstance(value, Mapping) else value
