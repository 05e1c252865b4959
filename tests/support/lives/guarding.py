"""The guard of a life, and what it stands on: the lease between it and a node, the node's process.

The guard is the production one, with its own journal and its own way to the venue; the node reads
the lease by production code. Files and sockets between them are made here, and go wrong here.
"""

from __future__ import annotations

import asyncio
import json
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from quantvista.errors import JournalError, OutputError
from quantvista.fund import GuardSection
from quantvista.journal import MemoryDisk
from quantvista.trading.guard import Firm, Guard, GuardTerms, Seams, _log
from quantvista.trading.node import status
from quantvista.trading.paper import Credentials, GatewaySettings, PaperGateway
from support.gateway_worlds import SECRET
from support.guard_worlds import MemoryHalts
from support.lives.guard_watch import GuardWatch
from support.lives.watch import Killed, Violation, WatchedJournal
from support.lives.wires import Line, Network

if TYPE_CHECKING:
    from support.lives.world import World

__all__ = ["FIRM_MAX", "GUARD_STATES", "ROOM", "GuardProcess", "LeaseFile"]

GUARD_STATES = ("down", "watch", "reduce", "halt", "flatten")
"""What a guard can be in when something goes wrong."""

_GATEWAY = GatewaySettings(timeout_s=0.2, silence_s=2.5, pause_s=0.05, pause_max_s=2.0)
ROOM = 10**12
"""Free on the disk while all is well, in bytes."""
FIRM_MAX = 1_000_000
"""What a firm may have in positions, and lose in a day: more than this fund alone can."""
_ASK_S = 2.0
_KILL_S = 0.5


def section(draw: random.Random) -> GuardSection:
    """Thresholds near enough to be crossed."""
    return GuardSection.model_validate(
        {
            "drawdown": {"limit": Decimal("0.03")},
            "day_loss": {"limit": Decimal("0.04"), "level": draw.choice(("halt", "flatten"))},
            "rejects": {"count": draw.choice((60, 200)), "window_s": 60, "level": "reduce"},
            "stale": {"after_s": draw.choice((5, 30)), "level": "reduce"},
            "dislocation": {"limit": Decimal("0.05"), "window_s": 5, "level": "reduce"},
            "orders": {"count": draw.choice((400, 3_000)), "window_s": 10, "open_max": 100},
            "reconciliation": {"after_s": draw.choice((8, 30)), "level": "halt"},
            "heartbeat": {"after_s": draw.choice((4, 12))},
            "venue": {"after_s": draw.choice((8, 60))},
            "dead_man_s": draw.choice((3, 60)),
            "fence_s": 1,
            "recheck_s": 2,
            "slice_pause_s": Decimal("0.05"),
            "firm": {
                "gross_max": Decimal(FIRM_MAX),
                "day_loss_max": Decimal(FIRM_MAX),
                "level": draw.choice(("reduce", "halt", "flatten")),
            },
        },
        strict=False,
    )


class OtherFund:
    """Another fund of the firm, by what its guard says of it; some funds are alone.

    Parameters
    ----------
    world : World
        Around it.
    is_there : bool
        Whether there is one.
    """

    def __init__(self, world: World, is_there: bool) -> None:
        self._world, self.is_there = world, is_there
        self.changed_at = 0
        self.heal()

    async def firm(self) -> Firm | None:
        """As its guard answers."""
        return self.found if self.is_there else None

    def tell(self, gross: int = 0, lost: int = 0, unknown: bool = False) -> None:
        """Let it say something else from now on; money in whole units."""
        self.changed_at = self._world.loop_ns()
        self.found = Firm(gross * 10**12, -lost * 10**12, ("other",) if unknown else ())
        self.is_wrong = bool(gross or lost or unknown)

    def heal(self) -> None:
        """Let it be well."""
        self.found, self.is_wrong = Firm(10**12, 0), False


class LeaseFile:
    """``state/run/lease.json``, for a writer and for readers; who was killed writes no more."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._content: bytes | None = None
        self.hidden = False
        self.epoch, self.until, self.changed_at = -1, 0, 0

    def read_bytes(self) -> bytes:
        """As a path does, for `FileLease`."""
        if self.hidden or self._content is None:
            raise FileNotFoundError
        return self._content

    def write(self, epoch: int, until_ns: int) -> None:
        """Replace it."""
        self.epoch, self.until = epoch, until_ns
        self.changed_at = self._world.loop_ns()
        self._content = json.dumps({"epoch": epoch, "until_ns": until_ns}).encode()

    def hide(self, hidden: bool) -> None:
        """Let nobody read it, or let them again."""
        self.hidden, self.changed_at = hidden, self._world.loop_ns()

    def lets(self, epoch: int) -> bool:
        """Say whether it lets the node of an epoch trade now."""
        now = self._world.clock.now_ns()
        return not self.hidden and epoch == self.epoch and now < self.until


class LeaseHand:
    """One guard's hand on the lease."""

    def __init__(self, guard: GuardProcess) -> None:
        self._guard, self._file, self.dead = guard, guard.world.lease, False
        self._epoch = -1

    def grant(self, epoch: int, until_ns: int) -> None:
        if not self.dead:
            self._guard.watch.grants(epoch)
            self._epoch = epoch
            self._file.write(epoch, until_ns)

    def end(self) -> None:
        if not self.dead:
            self._file.write(self._epoch, 0)


class NodeAsSeen:
    """The node's process and its control socket, as a guard reaches them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.deaf = False

    async def ask(self, command: str, reason: str) -> dict[str, Any] | None:
        world = self.world
        await asyncio.sleep(0.001)
        if not world.is_up:
            return None
        if self.deaf:
            await asyncio.sleep(_ASK_S)
            return None
        if command == "status":
            return status(world.node)
        return await world.ask(command, by="guard", reason=reason, within_s=_ASK_S) or None

    async def is_running(self) -> bool:
        return self.world.is_up

    async def kill(self) -> bool:
        world = self.world
        world.doom("killed by the guard")
        until = world.loop_ns() + int(_KILL_S * 1e9)
        while world.is_up and world.loop_ns() < until:
            await asyncio.sleep(0.02)
        return not world.is_up

    async def tail(self) -> tuple[int, int] | None:
        return None


class GuardProcess:
    """The guard through all its processes; its journal and what was left for it outlive them.

    Parameters
    ----------
    world : World
        Around it.
    seed : int
        Of its thresholds and of its network.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.section = section(self.random)
        self.disk, self.halts = MemoryDisk(), MemoryHalts()
        self.others = OtherFund(world, self.random.random() < 0.4)
        self.network = Network(self.random.randrange(2**32))
        self.node = NodeAsSeen(world)
        self.watch = GuardWatch(self)
        self.disk_free = ROOM
        self.processes = 0
        self._disk_failed = False
        self._task: asyncio.Task[None] | None = None
        self._asked: set[asyncio.Task[dict[str, Any]]] = set()

    @property
    def is_up(self) -> bool:
        return self._task is not None

    @property
    def state(self) -> str:
        """What it is in: how far it has gone, or ``down``."""
        if self._task is None or self._task.done():
            return "down"
        word = self.guard.level.word
        return "watch" if word == "alert" else word

    # -- processes -----------------------------------------------------------------
    def boot(self) -> bool:
        """Start a process; False if it was killed while it recovered."""
        assert self._task is None, "one at a time"
        world = self.world
        self.processes += 1
        self._journal: WatchedJournal | None = None
        terms = GuardTerms("lives", "USDT", "UTC", self.section, frozenset({"paper"}))
        self.line = Line(world, self.network, self.watch.leaves)
        world.paper._transports.append(self.line)
        self.hand = LeaseHand(self)
        gateway = PaperGateway(
            self.line,
            world.terms.id,
            Credentials("guard", SECRET),
            world.clock,
            seed=world.seed * 1000 + 500 + self.processes,
            settings=_GATEWAY,
        )
        seams = Seams(
            self.node, self.hand, world.clock, self.halts, self.others, lambda: self.disk_free
        )
        try:
            with patch.object(_log, "Journal", self._open):
                self.guard = Guard(terms, {"paper": gateway}, self.disk, seams)
        except (Killed, JournalError, OutputError) as error:
            if not isinstance(error, Killed) and not self._disk_failed:
                raise Violation(f"the guard does not come up: {error}") from error
            self.lose_power()
            self._bury()
            return False
        self.watch.came_up(self.guard)
        self._task = world.loop.create_task(self.guard.run())
        return True

    def _open(self, place: Any, stream: str, **terms: Any) -> WatchedJournal:  # noqa: ANN401
        journal = WatchedJournal(place, stream, **terms)
        journal.watch = self.watch
        self._journal = journal
        self.watch.opened(journal.head.sequence)
        if self.random.random() < 0.05:
            journal.countdown = self.random.randrange(3)
        return journal

    def die_within(self, steps: int) -> None:
        """Let it be killed at one of its next records."""
        assert self._journal is not None, "it has one"
        self._journal.countdown = steps

    def live_on(self) -> None:
        """Let it not be killed, after all."""
        if self._journal is not None:
            self._journal.countdown = None

    @property
    def has_failed_disk(self) -> bool:
        return self._disk_failed

    def fail_disk(self, changes: int) -> None:
        """Let its disk fail after so many changes."""
        self._disk_failed = True
        self.disk.fail_after(changes)

    def lose_power(self) -> None:
        """Lose what is not durable, or half of it; nothing leaves it any more."""
        if self._journal is not None:
            self._journal.dead = True
        self.line.dead = self.hand.dead = True
        self._disk_failed = False
        self.disk.lose_power(self.random.randrange(2**32))
        self.watch.lost()

    async def kill(self) -> None:
        """End the process at once."""
        task = self._task
        assert task is not None, "it runs"
        self.lose_power()
        task.cancel()
        await self._end(task)

    async def stop(self) -> None:
        """End the process as a termination does."""
        task = self._task
        assert task is not None, "it runs"
        await self.guard.release()
        task.cancel()
        await self._end(task)

    async def _end(self, task: asyncio.Task[None]) -> None:
        for each in self._asked:
            each.cancel()
        await asyncio.gather(task, *self._asked, return_exceptions=True)
        self._bury()

    def _bury(self) -> None:
        self.line.dead = self.hand.dead = True
        self.world.paper._transports.remove(self.line)
        if self._journal is not None:
            self._journal.close()
        self._task = None

    async def look(self) -> None:
        """Take note if the process has ended; fail if it had no reason to."""
        if self.watch.found:
            raise Violation(self.watch.found[0])
        task = self._task
        if task is None or not task.done():
            return
        errors = [] if task.cancelled() else _leaves(task.exception())
        if any(isinstance(each, Killed) for each in errors):
            await self._end(task)
        elif self._disk_failed and all(isinstance(e, JournalError | OutputError) for e in errors):
            self.lose_power()
            await self._end(task)
        else:
            raise Violation(f"the guard ended by itself: {errors!r}")

    async def ask(self, command: str, by: str = "anna") -> dict[str, Any]:
        """Ask it for something; what is not answered is an empty answer."""
        if self._task is None:
            return {}
        request = {"command": command, "by": by, "reason": "a life"}
        asked = self.world.loop.create_task(self.guard.handle(request))
        self._asked.add(asked)
        asked.add_done_callback(self._asked.discard)
        await asyncio.wait({asked, self._task}, timeout=5, return_when="FIRST_COMPLETED")
        if not asked.done() or asked.cancelled():
            return {}
        error = asked.exception()
        if error is None:
            return asked.result()
        if isinstance(error, Killed):
            if self._task is not None:
                await self.kill()
            return {}
        if self._disk_failed:
            return {}  # its next record ends it
        raise Violation(f"the guard answered {command} by {error!r}") from error


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [] if error is None else [error]
