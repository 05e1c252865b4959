"""What is done from ``reduce`` on, in order: fence, cancel, confirm, flatten, look again."""

import asyncio
import contextlib
from collections.abc import Mapping

from quantvista.fund import GuardSection
from quantvista.trading.gateway import Rejected
from quantvista.trading.guard._hand import Hand, open_things
from quantvista.trading.guard._log import GuardLog
from quantvista.trading.guard._node import NodeView
from quantvista.trading.guard._records import Escalated, Level, Stepped
from quantvista.trading.guard._seams import NodeHandle
from quantvista.trading.guard.lease import LeaseWriter

__all__ = ["Chain"]

_ASK_EVERY_S = 0.25
_KILL_EVERY_S = 0.5
_FAR = 2  # an order that rests during a drill is at half the price


class Chain:
    """Brings a fund to where its level says, and keeps it there.

    Parameters
    ----------
    log : GuardLog
        Each step is written there.
    hands : mapping of str to Hand
        What is done at each venue.
    node : NodeHandle
        The process that is fenced.
    said : NodeView
        What it said last.
    lease : LeaseWriter
        What it may trade by.
    section : GuardSection
        Times.

    Notes
    -----
    Every step finds by asking whether it is done already, so that after a restart all of them are
    simply gone through again. A venue that does not answer holds up itself only.
    """

    def __init__(
        self,
        log: GuardLog,
        hands: Mapping[str, Hand],
        node: NodeHandle,
        said: NodeView,
        lease: LeaseWriter,
        section: GuardSection,
    ) -> None:
        self._log, self._hands, self._node, self._said = log, hands, node, said
        self._lease, self._section = lease, section
        self._changed = {name: asyncio.Event() for name in ("", *hands)}
        self._connected = {name: asyncio.Event() for name in hands}
        self._fenced_at: float | None = None
        self._reached: dict[str, int] = {}
        self._reduced = False
        self._work: dict[str, asyncio.Task[None]] = {}
        self._untidy = set(hands)

    @property
    def _level(self) -> int:
        return self._log.state.level

    @property
    def is_done(self) -> bool:
        """Whether everything that the level asks for has been confirmed."""
        if self._level < Level.REDUCE:
            return True
        if self._level == Level.REDUCE:
            return self._reduced
        reached = all(self._reached.get(name, 0) >= self._level for name in self._hands)
        return self._fenced_at is not None and reached

    def waits_for(self) -> str:
        """Say what it is at; empty if at nothing."""
        if self.is_done:
            return ""
        if self._level >= Level.HALT and self._fenced_at is None:
            return "the node is fenced"
        behind = [name for name in self._hands if self._reached.get(name, 0) < self._level]
        return f"venue {', '.join(behind)} is clear" if behind else "the node only reduces"

    def wake(self) -> None:
        """Look at once: the level has changed."""
        for each in self._changed.values():
            each.set()

    def lift(self) -> None:
        """Take for undone whatever was done: the node may trade, or says that it does.

        What is being done at venues is given up: without a fenced node it would cancel and take
        off what is not meant.
        """
        self._fenced_at, self._reached, self._reduced = None, {}, False
        for each in self._work.values():
            each.cancel()
        self.wake()

    def connected(self, venue: str) -> None:
        """Learn that a venue can be spoken to."""
        self._connected[venue].set()

    async def wait_connected(self, venue: str) -> None:
        """Wait until a venue can be spoken to."""
        await self._connected[venue].wait()

    # -- going there ------------------------------------------------------
    async def run(self) -> None:
        """Do what the level asks for, now and whenever it changes; look again from time to time."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lead(), name="guard fences")
            for name in self._hands:
                tasks.create_task(self._follow(name), name=f"guard acts at {name}")

    async def _wait(self, name: str) -> None:
        with contextlib.suppress(TimeoutError):
            pause = float(self._section.recheck_s)
            await asyncio.wait_for(self._changed[name].wait(), pause)
        self._changed[name].clear()

    async def _lead(self) -> None:
        while True:
            if self._level >= Level.HALT:
                await self._fence()
            elif self._level == Level.REDUCE:
                await self._reduce()
            await self._wait("")

    async def _follow(self, name: str) -> None:
        await self._connected[name].wait()
        while True:
            if self._level >= Level.HALT and self._fenced_at is not None:
                async with asyncio.TaskGroup() as tasks:
                    work = self._at_venue(name, self._fenced_at)
                    self._work[name] = tasks.create_task(work, name=f"guard clears {name}")
                del self._work[name]
            elif name in self._untidy:
                await self._hands[name].withdraw()
                self._untidy.discard(name)
            await self._wait(name)

    async def _at_venue(self, name: str, fenced_at: float) -> None:
        """Bring one venue to the level, which may rise meanwhile."""
        hand = self._hands[name]
        if self._reached.get(name, 0) >= self._level and await self._is_still_clear(hand):
            return
        self._reached.pop(name, None)
        await hand.resolve()
        await hand.cancel_all(fenced_at)
        self._reached[name] = Level.HALT
        if self._level >= Level.FLATTEN:
            await hand.flatten(fenced_at)
            await hand.cancel_all(fenced_at)
            self._reached[name] = Level.FLATTEN

    async def _is_still_clear(self, hand: Hand) -> bool:
        account = await hand.account("recheck")
        if account.orders:
            return False
        if self._level < Level.FLATTEN:
            return True
        return not open_things(account, hand.view.listings, hand.began, hand.home)

    # -- the node ------------------------------------------------------
    async def _fence(self) -> None:
        """Make sure that the node sends nothing any more: it says so, or it is gone."""
        if self._fenced_at is not None:
            heard_at = self._said.heard_at
            if heard_at is None or heard_at <= self._fenced_at or self._said.health != "trading":
                return
            self.lift()  # it says that it trades, which it must not
        self._lease.end()
        self._step("fence", "begun")
        loop = asyncio.get_running_loop()
        until = loop.time() + float(self._section.fence_s)
        done = ""
        while not done and loop.time() < until:
            if not await self._node.is_running():
                done = "it does not run"
            elif await self._obeys("halt", "halted"):
                done = "it has halted"
            else:
                await asyncio.sleep(_ASK_EVERY_S)
        if not done:
            self._step("kill", "begun", "the node did not confirm")
            while not await self._node.kill():
                await asyncio.sleep(_KILL_EVERY_S)
            self._step("kill", "done", "it is gone")
            done = "it was killed"
        self._lease.end()
        self._fenced_at = loop.time()
        self._reached = {}
        self._step("fence", "done", done)
        self.wake()

    async def _obeys(self, command: str, state: str) -> bool:
        """Tell the node, and hear that it has done it."""
        told = await self._node.ask(command, self._log.state.text or self._log.state.trigger)
        if told is None or not told.get("ok"):
            return False
        found = await self._node.ask("status", "")
        return found is not None and state in (found.get("state"), found.get("health"))

    async def _reduce(self) -> None:
        """Let the node only reduce; one that does not confirm is halted."""
        if self._reduced:
            return
        self._step("reduce", "begun")
        loop = asyncio.get_running_loop()
        until = loop.time() + float(self._section.fence_s)
        while loop.time() < until and self._level == Level.REDUCE:
            if await self._obeys("reduce", "reduce_only"):
                if self._level != Level.REDUCE:
                    return
                self._reduced = True
                self._step("reduce", "done", "the node only reduces")
                return
            await asyncio.sleep(_ASK_EVERY_S)
        if self._level == Level.REDUCE:
            text = "the node did not confirm that it only reduces"
            self._log.keep(Escalated(level=Level.HALT, trigger="reduce", text=text))
            self.wake()

    def _step(self, step: str, state: str, text: str = "") -> None:
        self._log.keep(Stepped(step=step, state=state, text=text))

    # -- a drill ------------------------------------------------------
    async def begin_drill(self, paper: frozenset[str]) -> list[str]:
        """Send what is to be cancelled and taken off: an order that rests, and one that fills.

        Returns
        -------
        list of str
            Why it could not be begun; empty if it was.
        """
        problems = []
        for name, hand in self._hands.items():
            assert name in paper, "a drill is only held on paper"
            problems += await self._arm(hand)
        if problems:  # what did go out is taken back
            self._untidy.update(self._hands)
            self.wake()
        return problems

    async def _arm(self, hand: Hand) -> list[str]:
        for name, listing in sorted(hand.view.listings.items()):
            mark = hand.view.marks.get(name)
            if listing.halted or mark is None or mark.ask is None or mark.bid is None:
                continue
            tick = listing.tick_size
            far = max(mark.bid // _FAR // tick * tick, tick)
            for kind, tif, price in (("limit", "gtc", far), ("market", "ioc", None)):
                # An answer may take long, and what happens meanwhile is in earnest.
                if self._level > Level.ALERT:
                    word = Level(self._level).word
                    return [f"the guard went to {word} while the drill was being prepared"]
                answer = await hand.send(hand.small(listing, kind, tif, price), 0, "drill")
                if isinstance(answer, Rejected):
                    return [f"venue {hand.venue} refused the drill's order: {answer.text}"]
            return []
        return [f"venue {hand.venue} quotes nothing that a drill could trade"]
