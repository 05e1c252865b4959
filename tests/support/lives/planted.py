"""Bugs to plant in what a life runs, each of which its oracles must notice."""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from unittest.mock import patch

__all__ = ["PLANTED", "plant"]

_NODE = "quantvista.trading.node"
_GUARD = "quantvista.trading.guard"
_PAPER = "quantvista.trading.paper"


class Edit(NamedTuple):
    """A text of a function, and what stands there instead."""

    module: str
    function: str
    old: str
    new: str


PLANTED: dict[str, tuple[Edit, ...]] = {
    "effects before the commit": (
        Edit(f"{_NODE}._node", "Node._sync", "self.journal.commit()", "self._release()"),
        Edit(
            f"{_NODE}._node",
            "Node._sync",
            "    self._release()\n    if ",
            "    self.journal.commit()\n    if ",
        ),
    ),
    "a sync skipped": (
        Edit(
            "support.lives.watch",
            "WatchedJournal.commit",
            "head = super().commit()",
            "head = super(WatchedJournal, self).commit() if self.watch.skips() else self.head",
        ),
    ),
    "the order id of another order": (
        Edit(
            f"{_NODE}._orders",
            "Orders.client_id",
            "self.epochs[place][0], order)",
            "self.epochs[place][0], order % 200 + 1)",
        ),
    ),
    "the epoch of the process before": (
        Edit(f"{_NODE}._recovery", "_open", "past.epoch_floor) + 1", "past.epoch_floor, 1)"),
    ),
    "sent again after Unknown": (
        Edit(
            f"{_NODE}._sender",
            "Sender._submit",
            "await self._resolve(order, command.client_order_id)",
            "await self._submit(order, command)",
        ),
    ),
    "sent again after a restart": (
        Edit(f"{_NODE}._recovery", "_replay", "past.stage.effects.clear()", "pass"),
    ),
    "heard before the reports are durable": (
        Edit(
            f"{_NODE}._node",
            "Node._report",
            "self._urgent = True",
            "self.write(self.cashier.heard('paper', sequence)); self.journal.commit()",
        ),
    ),
    "commands that are lost by a failed disk": (
        Edit(
            f"{_NODE}._node",
            "Node._sync",
            "self.journal.commit()",
            "try:\n        self.journal.commit()\n    except Exception:\n        pass",
        ),
    ),
    "absent without being asked for": (
        Edit(
            f"{_NODE}._sender",
            "Sender._resolve",
            "state = await self._question(client_id)",
            "state = None",
        ),
    ),
    "heard and not journaled": (
        Edit(
            f"{_NODE}._node",
            "Node._sync",
            "self.write(self.cashier.heard(venue, sequence))",
            "pass",
        ),
    ),
    "heard forgotten by recovery": (
        Edit(f"{_NODE}._recovery", "_follow", "past.heard[venue] = sequence", "pass"),
    ),
    "a snapshot without what was heard": (
        Edit(f"{_NODE}._recovery", "Past.state", "heard=self.heard", "heard={}"),
    ),
    "a breaker undone by the node": (
        Edit(f"{_NODE}._stage", "is_by_breaker", "output[:_NAME_END]", "output[:20]"),
    ),
    "reports passed on twice": (
        Edit(
            "quantvista.trading.gateway._sequence",
            "Sequencer.take",
            "ready = []",
            "ready = [(sequence, report)] if sequence <= self._last else []",
        ),
    ),
    "a gap ignored": (
        Edit(
            "quantvista.trading.gateway._sequence",
            "Sequencer.take",
            "ready = []",
            "ready = []\n    self._last = max(self._last, min(self._waiting, default=0) - 1)",
        ),
    ),
    "a halt undone by the node": (
        Edit(
            f"{_NODE}._node",
            "Node._hold",
            "elif not reasons and self.past.reduced:",
            'elif not reasons and state == "halted":\n'
            '        self._tell({"operator": "resume"})\n'
            "    elif not reasons and self.past.reduced:",
        ),
    ),
    "nonsense taken for prices": (
        Edit(
            f"{_NODE}._sense",
            "nonsense",
            "if not _is_whole(data.ts):",
            'if True:\n        return ""\n    if not _is_whole(data.ts):',
        ),
    ),
    "an undone trade not booked": (
        Edit(f"{_NODE}._events", "Translator.report", "Filled | Busted", "Filled"),
    ),
    "an order taken twice by the venue": (
        Edit(f"{_PAPER}._venue", "PaperVenue.submit", "if before is not None:", "if False:"),
    ),
    "time that goes back": (
        Edit(
            f"{_NODE}._node",
            "Node.tell_all",
            "max(self.clock.now_ns(), self._last_told + 1, self._last + 1)",
            "self.clock.now_ns()",
        ),
    ),
    "timers forgotten by recovery": (
        Edit(f"{_NODE}._recovery", "_replay", "max([last, *woken])", "last"),
    ),
    "taken off without a fence": (
        Edit(
            f"{_GUARD}._chain",
            "Chain._lead",
            "await self._fence()",
            "if self._fenced_at is None:\n"
            "                self._fenced_at = asyncio.get_running_loop().time()\n"
            "                self.wake()",
        ),
    ),
    "a level forgotten by a restart": (
        Edit(f"{_GUARD}._log", "GuardLog.__init__", "self._recover(place)", "GuardState()"),
    ),
    "a guard's order id used twice": (
        Edit(
            f"{_GUARD}._log", "GuardLog.order_id", "state.sequence + 1", "state.sequence // 2 + 1"
        ),
    ),
    "more taken off than there is": (
        Edit(f"{_GUARD}._hand", "Hand.slice_of", "lot), left.quantity)", "lot), 10**9) + lot"),
    ),
    "a venue that forgot, not noticed": (
        Edit(f"{_NODE}._node", "Node._status", 'if status.state == "reset":', "if False:"),
    ),
    "a venue that forgot, not noticed by the guard": (
        Edit(f"{_GUARD}._views", "VenueView._state", "self.resets += 1", "pass"),
    ),
    "a doubt forgotten by a restart": (
        Edit(
            f"{_NODE}._links",
            "Link.doubt_again",
            'self.forgot = (self.venue.id, "forgot") in doubts',
            "pass",
        ),
    ),
    "a firm's loss not counted": (
        Edit(f"{_GUARD}._watch", "Watch._losses", "own - firm.day_pnl", "own"),
    ),
    "a silent fund of the firm passed over": (
        Edit(f"{_GUARD}._watch", "Watch.unknown", "if self.firm is not None:", "if False:"),
    ),
    "a worth that rests upon one price": (
        Edit(f"{_GUARD}._prices", "Trust.take", "if any(", "if True or any("),
    ),
    "a lease read too seldom": (
        Edit(f"{_GUARD}.lease", "FileLease.valid", "< _READ_EVERY_NS", "< 50 * _READ_EVERY_NS"),
    ),
    "random numbers drawn anew": (
        Edit(
            "quantvista.fund.desk._desk", "Desk.load", "load_rng(rng, rng_state.encode())", "pass"
        ),
    ),
}
"""By what is wrong."""


@contextmanager
def plant(name: str) -> Iterator[None]:
    """Run with a bug.

    Parameters
    ----------
    name : str
        Of `PLANTED`.
    """
    with ExitStack() as stack:
        for edit in PLANTED[name]:
            module = importlib.import_module(edit.module)
            owner, _, method = edit.function.rpartition(".")
            place = getattr(module, owner) if owner else module
            function = getattr(place, method)
            source = getattr(function, "planted_source", None)
            if source is None:
                source = textwrap.dedent(inspect.getsource(function))
            if source.count(edit.old) != 1:
                raise LookupError(f"{edit.function} must have {edit.old!r} once, to plant {name!r}")
            source = source.replace(edit.old, edit.new)
            made: dict[str, object] = {}
            # Names are looked up in the module, as those of the original are.
            exec(compile(source, f"<{name}>", "exec"), vars(module), made)
            new = made[method]
            new.planted_source = source  # type: ignore[attr-defined]
            stack.enter_context(patch.object(place, method, new))
            for other in _importers(function):
                stack.enter_context(patch.object(other, method, new))
        yield


def _importers(function: object) -> list[object]:
    """Modules that have imported a function by its name."""
    import sys

    name = getattr(function, "__name__", "")
    return [
        module
        for key, module in sorted(sys.modules.items())
        if key.startswith("quantvista.trading") and vars(module).get(name) is function
    ]
