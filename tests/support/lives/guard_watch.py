"""Oracles for the guard: what it writes, what leaves it, and what must be after it has acted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from quantvista.trading.gateway import parse_client_order_id
from quantvista.trading.guard import GuardState, Level, _records
from support.gateway_worlds import STOCK
from support.lives.watch import Follower

if TYPE_CHECKING:
    from quantvista.trading.guard import Guard
    from support.lives.guarding import GuardProcess

__all__ = ["GuardWatch"]

_KNOWN = ("epoch", "sequence", "level", "trigger", "by", "unresolved", "began", "valued")
_DECODERS = {
    body.KIND.number: msgspec.msgpack.Decoder(body)
    for body in (
        _records.Started,
        _records.Noticed,
        _records.Escalated,
        _records.Stepped,
        _records.Sent,
        _records.Answered,
        _records.Began,
        _records.Valued,
        _records.Asked,
    )
}
_OWN = "lives.guard-"
_HEEDED_NS = 2_500_000_000
_NOTICED_NS = 5_000_000_000
_SETTLED_NS = 2_000_000_000
_PRICES = 38_000, 73_000  # the pair's, and somewhat more
_LOT = 10**7  # of the pair's base, in 1e-12


class GuardWatch(Follower):
    """Follows what a guard writes and what leaves it, through all its processes.

    Parameters
    ----------
    guard : GuardProcess
        Which.

    Attributes
    ----------
    fenced : bool
        It is durable that the node is fenced, and no leave was given since.
    clear, flat : bool
        It is durable that nothing is open, that nothing is held, and nothing else happened since.
    """

    def __init__(self, guard: GuardProcess) -> None:
        super().__init__()
        self._guard = guard
        self.state = GuardState()
        self.orders: dict[str, _records.Sent] = {}
        self.sent: dict[str, bytes] = {}
        self.fenced = self.clear = self.flat = self._was_clear = False
        self.disturbed_at = 0
        self.levels: set[str] = set()
        self.triggers: set[str] = set()
        self._asked_to_resume = False
        self._looked = self._base = self._unaware = 0

    def lose_power(self) -> None:
        self._guard.lose_power()

    # -- the journal -----------------------------------------------------------
    def opened(self, head: int) -> None:
        """Read what turned out to be durable after a process has ended."""
        self.read_on(self._guard.disk, head)
        for name in sorted(self.sent):
            if name not in self.orders:
                self.fail(f"order {name} of the guard was sent, and no durable record tells of it")

    def came_up(self, guard: Guard) -> None:
        """Hold what a process knows against what the records say."""
        knows, told = guard.log.state, self.state
        for name in _KNOWN:
            ours, theirs = getattr(told, name), getattr(knows, name)
            if ours != theirs:
                self.fail(f"after a restart the guard has {name} {theirs}, not {ours}")

    def follow(self, sequence: int, kind: int, payload: bytes) -> None:
        """Take a durable record."""
        decoder = _DECODERS.get(kind)
        if decoder is None:
            return
        body = decoder.decode(payload)
        before, state = self.state.level, self.state
        if isinstance(body, _records.Started) and body.epoch <= state.epoch:
            self.fail(f"epoch {body.epoch} of the guard follows {state.epoch}")
        state.apply(body, 0)
        match body:
            case _records.Asked():
                self._asked_to_resume |= body.command == "resume" and not body.refused
            case _records.Escalated():
                self._escalated(before, body)
            case _records.Began():
                self._begin(body)
            case _records.Sent():
                self._orders(body)
            case _records.Valued():
                self._valued(body)
            case _records.Stepped(state="done"):
                self._done(body.step)
            case _:
                pass

    def _begin(self, body: _records.Began) -> None:
        """Take what is to stay: somebody may have traded before the guard first looked."""
        ledger = self._guard.world.ledger
        ledger.at(self._guard.world.paper.venue.sequence(0))
        found = {code: int(amount) for code, amount in body.balances.items()}
        if all(money != found for money, _ in ledger.after):
            self.fail(f"the guard began with {found}, which never was")
        self._base = found["BTC"]

    def _valued(self, body: _records.Valued) -> None:
        """Hold what it counts from against what the account can ever have been worth."""
        world = self._guard.world
        low, high = world.ledger.worth_between(world.paper.venue.sequence(0), *_PRICES)
        for amount in (body.highest, body.day_start):
            if amount is not None and not low <= int(amount) <= high:
                self.fail(f"the guard counts from {amount}; it was worth {low} to {high}")

    def _escalated(self, before: int, body: _records.Escalated) -> None:
        self.levels.add(Level(body.level).word)
        self.triggers.add(body.trigger)
        if body.level >= Level.HALT or body.level == Level.WATCH:
            self._unaware = 0  # it noticed, or a person has looked at what it was halted for
        if body.level < before:
            if body.level != Level.WATCH or not self._asked_to_resume:
                self.fail(f"the guard went from level {before} to {body.level} by itself")
            self.fenced = self.clear = self.flat = self._was_clear = False
        self._asked_to_resume = False

    def _orders(self, body: _records.Sent) -> None:
        if body.client_order_id in self.orders:
            self.fail(f"the guard used the id {body.client_order_id} twice")
        if body.purpose != "drill" and not 0 < body.quantity <= body.held:
            self.fail(f"the guard sells {body.quantity} of {body.held}")
        self.orders[body.client_order_id] = body

    def _done(self, step: str) -> None:
        match step:
            case "fence":
                self.fenced = True
            case "cancel":
                self.clear = True
            case "flatten":
                self.flat = not self._is_disturbed()
        self.look_at_venue()

    def forgot(self) -> None:
        """See the venue lose its memory; a guard that is there must notice."""
        ledger = self._guard.world.ledger
        ledger.at(self._guard.world.paper.venue.sequence(0))
        self._looked = len(ledger.fills)
        self._was_clear, self.clear, self.flat = self.clear, False, False
        self._unaware = 0
        if self._guard.is_up and self._guard.world.would_notice(
            self._guard.guard.views["paper"].sequence
        ):
            self._unaware = self._guard.processes

    def _must_know(self) -> None:
        """Hold leave against a venue that forgot: who hears of it again heard that, too."""
        if self._unaware == self._guard.processes and self._has_heard():
            self.fail("the guard lets a node trade though the venue forgot what it told")

    def _has_heard(self) -> bool:
        """Whether the guard has heard of the venue long enough after it forgot."""
        at, view = self._guard.world.forgot_at, self._guard.guard.views["paper"]
        heard_ns = int((view.heard_at or 0.0) * 1e9)
        return at is not None and view.is_connected and heard_ns - at > _NOTICED_NS

    # -- the venue -----------------------------------------------------------------
    def disturbed(self) -> None:
        """Learn that somebody else changed what is held."""
        self.disturbed_at, self.flat = self._guard.world.loop_ns(), False

    def _is_disturbed(self) -> bool:
        at = self.disturbed_at
        return bool(at) and self._guard.world.loop_ns() - at < _SETTLED_NS

    def look_at_venue(self) -> None:
        """Hold the account against what was confirmed."""
        core = self._guard.world.paper.venue._core
        names = [each.client_order_id for each in core.open_orders(0)]
        if self._is_disturbed():  # somebody trades by hand at this moment
            names = [each for each in names if not each.startswith("@manual-")]
        if self.clear and names:
            self.fail(f"order {names[0]} is open after the guard confirmed that none is")
        if self.flat:
            held = {each.instrument: each.quantity for each in core.positions(0)}
            base = next(e.total for e in core.balances(0) if e.currency == "BTC") - self._base
            if held.get(STOCK) or base >= _LOT:
                self.fail(f"{held} and {base} are held after the guard confirmed that nothing is")
        self._look_at_fills()

    def _look_at_fills(self) -> None:
        """Hold the guard's own fills against what there was: they only ever reduce."""
        ledger = self._guard.world.ledger
        ledger.at(self._guard.world.paper.venue.sequence(0))
        fills, self._looked = ledger.fills[self._looked :], len(ledger.fills)
        for number, fill in fills:
            name = fill["client_order_id"]
            if not name.startswith(_OWN):
                continue
            if name not in self.sent:
                self.fail(f"order {name} has a fill, and the guard never sent it")
            if self.orders[name].purpose == "drill" or self._is_disturbed():
                continue
            (money, held), (money_then, held_then) = ledger.after[number], ledger.after[number - 1]
            if fill["instrument"] == STOCK:
                now, then = held.get(STOCK, 0), held_then.get(STOCK, 0)
                is_less = now * then >= 0 and abs(now) < abs(then)
            else:
                now, then = money["BTC"] - self._base, money_then["BTC"] - self._base
                is_less = 0 <= now < then
            if not is_less:
                self.fail(f"order {name} of the guard took {fill['instrument']}: {then} to {now}")

    def _must_heed(self) -> None:
        """Hold leave against what the firm's other fund says of itself."""
        world, others = self._guard.world, self._guard.others
        if not (others.is_there and others.is_wrong):
            return
        if world.loop_ns() - others.changed_at < _HEEDED_NS:
            return
        if others.found.unknown:
            self.fail("the guard lets a node trade though a fund of the firm does not answer")
        if self.state.level < Level[self._guard.section.firm.level.upper()]:
            self.fail(f"the firm is at {others.found}, and the guard at {self.state.level}")

    # -- what leaves ---------------------------------------------------------------
    def grants(self, epoch: int) -> None:
        """See leave to trade being given."""
        if self.state.level >= Level.HALT:
            self.fail(f"the guard lets epoch {epoch} trade at level {self.state.level}")
        self._must_know()
        self._must_heed()
        self.fenced = self.clear = self.flat = self._was_clear = False

    def leaves(self, body: bytes) -> None:
        """See an order of the guard as it leaves for the venue."""
        plain: dict[str, Any] = json.loads(body)
        name = plain["client_order_id"]
        found = parse_client_order_id(name)
        if found is None or not name.startswith(_OWN) or found.epoch != self.state.epoch:
            self.fail(f"an order of the guard has the name {name} in epoch {self.state.epoch}")
        if name in self.sent:
            self.fail(f"order {name} of the guard was sent twice")
        self.sent[name] = body
        told = self.orders.get(name)
        if told is None:
            self.fail(f"order {name} of the guard left before it was durable")
            return
        for term in ("instrument", "side", "quantity", "reduce_only"):
            if getattr(told, term) != plain[term]:
                self.fail(f"{term} of {name} is {getattr(told, term)} in the journal")
        is_clear = self.clear or (self._was_clear and not self._has_heard())
        if told.purpose != "drill" and not (self.fenced and is_clear):
            self.fail(f"order {name} takes something off before the node is fenced and all cleared")
