"""Oracles: what must hold at each moment of a life, whatever goes wrong."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

import msgspec

from quantvista.engine import RawEngine
from quantvista.journal import INPUT, OUTPUT, Journal, MemoryDisk, Reader
from quantvista.trading.gateway import ClientOrderId, parse_client_order_id

if TYPE_CHECKING:
    from support.lives.world import World

__all__ = ["Follower", "Killed", "Violation", "Watch", "WatchedJournal"]

_OPENED, _HEARD, _RECONCILED, _COMMANDED, _ANSWERED, _DOUBTED = 100, 101, 103, 105, 106, 110
_UNNOTICED_NS = 10_000_000_000
_LATE_NS = 1_000_000_000
_LEASE_READ_NS = 150_000_000  # a node reads its lease ten times a second
_TERMS = ("side", "quantity", "kind", "tif", "limit_price", "reduce_only")


class Violation(AssertionError):
    """Something that must never be."""


class Killed(BaseException):
    """The process ends here, at once."""


class WatchedJournal(Journal):
    """A journal that says what is written and what is durable, and where a process may die.

    ``countdown`` is how many more records, commits and snapshots it lives for; None: it lives.
    """

    watch: Follower
    dead = False
    countdown: int | None = None

    def _step(self) -> None:
        if self.dead:
            raise Killed
        if self.countdown is not None:
            self.countdown -= 1
            if self.countdown < 0:
                self.watch.lose_power()
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


class Follower:
    """Follows a journal through all the processes that write it."""

    def __init__(self) -> None:
        self.last = 0
        self.found: list[str] = []
        self.pending: list[tuple[int, int, bytes]] = []
        self.skipped = 0

    def fail(self, text: str) -> None:
        """Say what was found; who called may be a task that nobody listens to."""
        self.found.append(text)
        raise Violation(text)

    def skips(self) -> bool:
        """Say no once in a while, for who plants a sync that is skipped."""
        self.skipped += 1
        return bool(self.skipped % 5)

    def lose_power(self) -> None:
        """End the process that writes."""
        raise NotImplementedError

    def appended(self, sequence: int, kind: int, payload: bytes) -> None:
        """See a record that is not durable yet."""
        self.pending.append((sequence, kind, payload))

    def follow(self, sequence: int, kind: int, payload: bytes) -> None:
        """Take a durable record."""
        raise NotImplementedError

    def durable(self) -> None:
        """See that all that was written is durable."""
        pending, self.pending = self.pending, []
        for record in pending:
            self._take(*record)

    def lost(self) -> None:
        """See that the process is gone, and with it what was not durable."""
        self.pending.clear()

    def read_on(self, disk: MemoryDisk, head: int) -> None:
        """Read what turned out to be durable after a process has ended."""
        if head < self.last:
            self.fail(f"{self.last} records were durable, and {head} are left")
        for batch in Reader(disk, self.last + 1):
            for record in batch:
                if record.sequence > self.last:
                    self._take(record.sequence, record.kind, record.payload)

    def _take(self, sequence: int, kind: int, payload: bytes) -> None:
        if sequence != self.last + 1:
            self.fail(f"record {sequence} follows {self.last}")
        self.last = sequence
        self.follow(sequence, kind, payload)


class Watch(Follower):
    """Follows what a node writes and what leaves it, through all its processes.

    Parameters
    ----------
    world : World
        Around it.
    """

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.orders: dict[int, dict[str, Any]] = {}
        self.sent: dict[str, bytes] = {}
        self.state = "active"
        self.halted_at: int | None = None
        self.by_breaker = False
        self.commanded = ""
        self.epochs: list[int] = []
        self._firsts: list[int] = []
        self.absent: set[str] = set()
        self.heard = 0
        self.sent_before: dict[str, bytes] = {}
        self.told_forgot = self.judged = False

    @property
    def orders_sent(self) -> int:
        """How many orders left for the venue, with any journal."""
        return len(self.sent) + len(self.sent_before)

    def forgot(self) -> None:
        """See the venue lose its memory."""
        self.told_forgot = self.judged = False

    def asked_to_resume(self) -> None:
        """See a person ask for it."""
        self.judged |= self.told_forgot

    def begin_anew(self) -> None:
        """See a new journal begin."""
        before = self.sent_before | self.sent
        self.__init__(self.world)  # type: ignore[misc]
        self.sent_before = before

    def lose_power(self) -> None:
        self.world.lose_power()

    # -- the journal -----------------------------------------------------------
    def appended(self, sequence: int, kind: int, payload: bytes) -> None:
        """See a record that is not durable yet."""
        super().appended(sequence, kind, payload)
        if kind == _HEARD:
            self._books(msgspec.msgpack.decode(payload)["sequence"])

    def _books(self, number: int) -> None:
        """Hold the node's books against the reference, as of the report that it has heard.

        While a venue has forgotten what it told, there is nothing to hold them against.
        """
        if self.world.forgot_at is not None:
            return
        money, held = self.world.ledger.at(number)
        ours, positions = self.world.our_books()
        # A withdrawal waits for prices: an engine that has none yet takes no money out.
        for (code, _), amount in self.world.node.cashier._cash.owed.items():
            ours[code] += amount
        if ours != money:
            self.fail(f"after report {number} the fund has {ours}, the venue's reports {money}")
        if positions != held:
            self.fail(f"after report {number} the fund holds {positions}, the reports {held}")

    def opened(self, head: int) -> None:
        """Read what turned out to be durable after a process has ended."""
        self.read_on(self.world.disk, head)
        for name in self.sent:
            found = parse_client_order_id(name)
            if found is None or found.sequence not in self.orders:
                self.fail(f"order {name} was sent, and no durable record tells of it")

    def follow(self, sequence: int, kind: int, payload: bytes) -> None:
        """Take a durable record."""
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
        elif kind == _HEARD:
            self.heard = msgspec.msgpack.decode(payload)["sequence"]
        elif kind == _DOUBTED:
            self._doubted(msgspec.msgpack.decode(payload))
        elif kind == _RECONCILED:
            compared = msgspec.msgpack.decode(payload)
            # An account that was read before the venue forgot tells of what it forgot.
            is_of_now = compared["sequence"] <= self.world.paper.venue.sequence(0)
            if is_of_now:
                self._must_say()
            agrees = is_of_now and not compared.get("differences")
            if agrees and (self.judged or not (self.told_forgot or self.world.must_notice)):
                self.world.agree()
        elif kind == _OPENED:
            opened = msgspec.msgpack.decode(payload)
            self.epochs.append(opened["epoch"])
            self._firsts.append(opened["first_order"])
            if self.epochs != sorted(set(self.epochs)):
                self.fail(f"epochs must ascend; found {self.epochs[-3:]}")

    def _doubted(self, doubt: dict[str, Any]) -> None:
        if doubt["cause"] != "forgot":
            return
        if not doubt["on"] and not self.judged:
            self.fail("the node forgets that its venue forgot, and nobody has looked")
        self.told_forgot |= doubt["on"]

    def _must_say(self) -> None:
        """Hold a comparison with a venue that has forgotten against what was said of it before."""
        at = self.world.forgot_at
        if at is None or not self.world.must_notice or self.told_forgot or self.judged:
            return
        if self.world.loop_ns() - at > _UNNOTICED_NS:
            self.fail("the node compares its books with a venue that forgot, and does not say so")

    def _may_be_made(self, number: int) -> None:
        """Hold an order against a venue that has forgotten, and that nobody has looked at."""
        at = self.world.forgot_at
        if at is None or self.state != "active":
            return
        if self.told_forgot:
            self.fail(f"order {number} was made while books and a venue that forgot do not agree")
        if self.world.must_notice and self.world.loop_ns() - at > _UNNOTICED_NS:
            self.fail(f"order {number} was made though the venue forgot, and nobody noticed")

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
        self._may_be_made(number)
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
        if name in self.sent_before and self.world.store.order(0, name) is not None:
            self.fail(f"order {name} has the name of an older one, which the venue knows")
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
        self._may_leave(name, order, found.epoch)

    def _may_leave(self, name: str, order: dict[str, Any], epoch: int) -> None:
        now, lease = self.world.loop_ns(), self.world.lease
        if not lease.lets(epoch) and now - lease.changed_at > _LEASE_READ_NS:
            self.fail(f"order {name} left without a lease")
        if self.world.guard.watch.fenced:
            self.fail(f"order {name} left after the guard confirmed that the node is fenced")
        if order["origin"] == "operator":
            return
        if self.halted_at is not None and now - self.halted_at > _LATE_NS:
            self.fail(f"order {name} left long after the fund was halted")
