"""Oracles: what must hold at each moment of a life, whatever goes wrong."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import msgspec

from quantvista.engine import RawEngine
from quantvista.journal import INPUT, OUTPUT, Journal, Reader
from quantvista.trading.gateway import ClientOrderId, parse_client_order_id

if TYPE_CHECKING:
    from support.lives.world import World

__all__ = ["Killed", "Violation", "Watch", "WatchedJournal"]

_OPENED, _HEARD, _COMMANDED, _ANSWERED = 100, 101, 105, 106
_LATE_NS = 1_000_000_000
_TERMS = ("side", "quantity", "kind", "tif", "limit_price", "reduce_only")


class Violation(AssertionError):
    """Something that must never be."""


class Killed(BaseException):
    """The process ends here, at once."""


class WatchedJournal(Journal):
    """A journal that says what is written and what is durable, and where a process may die.

    ``countdown`` is how many more records, commits and snapshots it lives for; None: it lives.
    """

    watch: Watch
    dead = False
    countdown: int | None = None

    def _step(self) -> None:
        if self.dead:
            raise Killed
        if self.countdown is not None:
            self.countdown -= 1
            if self.countdown < 0:
                self.watch.world.lose_power()
                raise Killed

    def append(self, kind: int, version: int, ts: int, payload: bytes) -> int:
        self._step()
        sequence = super().append(kind, version, ts, payload)
        self.watch.appended(sequence, kind, payload)
        return sequence

    def commit(self) -> Any:  # noqa: ANN401
        self._step()
        head = super().commit()
        self.watch.durable()
        self._step()
        return head

    def snapshot(self, version: int, state: bytes) -> Any:  # noqa: ANN401
        self._step()
        head = super().snapshot(version, state)
        self.watch.durable()
        return head


class Watch:
    """Follows what a node writes and what leaves it, through all its processes.

    Parameters
    ----------
    world : World
        Around it.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.orders: dict[int, dict[str, Any]] = {}
        self.sent: dict[str, bytes] = {}
        self.heard = 0
        self.last = 0
        self.state = "active"
        self.halted_at: int | None = None
        self.by_breaker = False
        self.commanded = ""
        self.epochs: list[int] = []
        self._firsts: list[int] = []
        self._pending: list[tuple[int, int, bytes]] = []
        self.renumbered = False
        self.found: list[str] = []
        self.absent: set[str] = set()

    def fail(self, text: str) -> None:
        """Say what was found; who called may be a task that nobody listens to."""
        self.found.append(text)
        raise Violation(text)

    skipped = 0

    def skips(self) -> bool:
        """Say no once in a while, for who plants a sync that is skipped."""
        self.skipped += 1
        return bool(self.skipped % 5)

    # -- the journal -----------------------------------------------------------
    def appended(self, sequence: int, kind: int, payload: bytes) -> None:
        """See a record that is not durable yet."""
        self._pending.append((sequence, kind, payload))
        if kind == _HEARD:
            self._books(msgspec.msgpack.decode(payload)["sequence"])

    def _books(self, number: int) -> None:
        """Hold the node's books against the reference, as of the report that it has heard."""
        if self.renumbered:
            return
        money, held = self.world.ledger.at(number)
        ours, positions = self.world.our_books()
        if ours != money:
            self.fail(f"after report {number} the fund has {ours}, the venue's reports {money}")
        if positions != held:
            self.fail(f"after report {number} the fund holds {positions}, the reports {held}")

    def durable(self) -> None:
        """See that all that was written is durable."""
        pending, self._pending = self._pending, []
        for sequence, kind, payload in pending:
            self._follow(sequence, kind, payload)

    def lost(self) -> None:
        """See that the process is gone, and with it what was not durable."""
        self._pending.clear()

    def opened(self, head: int) -> None:
        """Read what turned out to be durable after a process has ended."""
        if head < self.last:
            self.fail(f"{self.last} records were durable, and {head} are left")
        for batch in Reader(self.world.disk, self.last + 1):
            for record in batch:
                if record.sequence > self.last:
                    self._follow(record.sequence, record.kind, record.payload)
        for name in self.sent:
            found = parse_client_order_id(name)
            if found is None or found.sequence not in self.orders:
                self.fail(f"order {name} was sent, and no durable record tells of it")

    def _follow(self, sequence: int, kind: int, payload: bytes) -> None:
        if sequence != self.last + 1:
            self.fail(f"record {sequence} follows {self.last}")
        self.last = sequence
        if kind == OUTPUT.number:
            if b"order_submitted" in payload[:40]:
                self._submitted(RawEngine.decode_output(payload)["order_submitted"])
            elif b"state_changed" in payload[:40]:
                self._state(RawEngine.decode_output(payload)["state_changed"])
        elif kind == INPUT.number and b"operator" in payload[:80]:
            event = RawEngine.decode_input(payload)["event"]
            if "operator" in event:
                self._operator(event["operator"])
        elif kind == _COMMANDED:
            self.commanded = msgspec.msgpack.decode(payload)["command"]
        elif kind == _ANSWERED:
            answer = msgspec.msgpack.decode(payload)
            if answer["command"] == "submit" and answer["answer"] == "absent":
                self.absent.add(self._name(answer["order"]))
        elif kind == _OPENED:
            opened = msgspec.msgpack.decode(payload)
            self.epochs.append(opened["epoch"])
            self._firsts.append(opened["first_order"])
            if self.epochs != sorted(set(self.epochs)):
                self.fail(f"epochs must ascend; found {self.epochs[-3:]}")

    def _name(self, order: int) -> str:
        place = bisect_right(self._firsts, order) - 1
        return str(ClientOrderId("lives", self.epochs[place], order))

    def _operator(self, command: Any) -> None:  # noqa: ANN401
        if command == "resume" and self.commanded != "resume":
            if self.by_breaker:
                self.fail("the node resumed after a breaker of the fund, and nobody asked it to")
            if self.halted_at is not None:
                self.fail("the node resumed a fund that was halted, and nobody asked it to")
        if command == "resume":
            self.by_breaker = False
        self.commanded = ""

    def _state(self, change: dict[str, Any]) -> None:
        self.state = change["state"]
        if change["cause"] not in ("operator", "flatten", "limit_crossed"):
            self.by_breaker = self.state != "active"
        self.halted_at = self.world.loop_ns() if self.state == "halted" else None

    def _submitted(self, order: dict[str, Any]) -> None:
        number = order["id"]
        if number in self.orders:
            self.fail(f"order {number} was made twice")
        self.orders[number] = order
        if order["origin"] == "operator":
            return
        if self.state == "halted":
            self.fail(f"order {number} was made while the fund is halted")
        name = self.world.terms.instruments[order["instrument"]]
        if self.state == "reduce_only" and order["side"] == "buy":
            self.fail(f"order {number} buys {name.id} while the fund reduces only")

    def look_at_venue(self) -> None:
        """Hold what the venue has against what was sent, and was given up."""
        self.world.ledger.at(self.world.paper.venue.sequence(0))
        for name, quantity in sorted(self.world.ledger.filled.items()):
            if name in self.sent and quantity > json.loads(self.sent[name])["quantity"]:
                self.fail(f"{quantity} of order {name} were filled, more than it asks for")
        for name in sorted(self.absent if not self.world.lied else ()):
            line = self.world.store.order(0, name)
            if line is not None and json.loads(line)["status"] != "rejected":
                self.fail(f"order {name} was taken for absent, and the venue has it")

    # -- the wire ------------------------------------------------------------------
    def leaves(self, body: bytes) -> None:
        """See an order as it leaves for the venue."""
        plain = json.loads(body)
        name = plain["client_order_id"]
        found = parse_client_order_id(name)
        if found is None or found.fund != "lives":
            self.fail(f"an order has the name {name}")
        assert found is not None
        if name in self.sent:
            same = "the same" if self.sent[name] == body else "other"
            self.fail(f"order {name} was sent twice, with {same} terms")
        self.sent[name] = body
        order = self.orders.get(found.sequence)
        if order is None:
            self.fail(f"order {name} left before it was durable")
        assert order is not None
        for term in _TERMS:
            if order[term] != plain[term]:
                self.fail(f"{term} of {name} is {order[term]} in the journal, {plain[term]} sent")
        if found.epoch != self.epochs[-1]:
            self.fail(f"order {name} left in epoch {self.epochs[-1]}")
        self._may_leave(name, order)

    def _may_leave(self, name: str, order: dict[str, Any]) -> None:
        now = self.world.loop_ns()
        lease = self.world.lease
        if not lease.on and now - lease.since > _LATE_NS:
            self.fail(f"order {name} left long after the lease was lost")
        if order["origin"] == "operator":
            return
        if self.halted_at is not None and now - self.halted_at > _LATE_NS:
            self.fail(f"order {name} left long after the fund was halted")
