"""Keeps one process running, until it is told to stop or has to give up."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from typing import Any

from quantvista.errors import ControlError, printable
from quantvista.trading.control import Place
from quantvista.trading.supervisor._child import Child, end_process, spawn
from quantvista.trading.supervisor._children import Children
from quantvista.trading.supervisor._logs import LogFile
from quantvista.trading.supervisor._program import PERMANENT, Program, Timing
from quantvista.trading.supervisor._ready import is_ready

__all__ = ["Keeper"]

_log = logging.getLogger(__name__)
_LATE = "it was not ready in time"


class Keeper:
    """Keeps a program running.

    Parameters
    ----------
    program : Program
        What.
    place : Place
        Where.
    timing : Timing
        How long things may take.
    say : callable
        Told what happens, a line at a time.
    """

    def __init__(
        self, program: Program, place: Place, timing: Timing, say: Callable[[str], None]
    ) -> None:
        self.program = program
        self.log = LogFile(place.log(program.name), timing.log_bytes, timing.logs_kept)
        self.state = "waiting"
        self.exit_code: int | None = None
        self.decided = asyncio.Event()  # ready for the first time, or given up
        self._place = place
        self._timing = timing
        self._say = say
        self._children = Children(place)
        self._stop = asyncio.Event()
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self._failures = self._restarts = 0
        self._ended = ""
        self._since = 0.0

    def start(self, adopted: Child | None = None) -> None:
        """Begin, with a process that runs already or a new one."""
        self._task = asyncio.create_task(self._keep(adopted), name=f"keep {self.program.name}")

    async def stop(self) -> None:
        """End the process, and with it this."""
        self._stop.set()
        if self._task is not None:
            await self._task

    def shown(self) -> dict[str, Any]:
        """Say how it stands: plain JSON; ``for_s`` is since when, in seconds."""
        now = asyncio.get_running_loop().time()
        return {
            "name": self.program.name,
            "pid": None if self._child is None else self._child.process.pid,
            "state": self.state,
            "for_s": round(now - self._since, 1) if self._since else None,
            "restarts": self._restarts,
            "ended": self._ended,
        }

    def _become(self, state: str) -> None:
        self.state = state
        self._since = asyncio.get_running_loop().time()

    async def _keep(self, adopted: Child | None) -> None:
        child = adopted
        try:
            while not self._stop.is_set():
                ready_at = await self._run(child)
                child = None
                if self._stop.is_set():
                    break
                self._count(ready_at)
                if self.exit_code in PERMANENT or self._failures >= self._timing.failures_max:
                    self._give_up()
                    return
                wait = self._timing.back_off(self._failures)
                self._become("backing off")
                self._say(f"{self.program.name} {self._ended}; next try in {wait:g} s")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), wait)
                self._restarts += 1
        except Exception as error:  # the others are watched on, and all are still stopped in order
            _log.exception("a process is watched no longer: name=%s", self.program.name)
            self._ended = f"internal error: {type(error).__name__}: {printable(error)}"
            self._give_up()
        finally:
            if self.state != "gave up":
                self._become("stopped")
            self.decided.set()

    async def _run(self, adopted: Child | None) -> float | None:
        """Run it once; returns when it became ready, None if it did not."""
        name = self.program.name
        self.exit_code = None
        self._become("starting")
        child = adopted
        if child is None:
            try:
                child = await spawn(self.program, self.log, self._timing.look_s)
            except OSError as error:
                self._ended = f"could not be started: {printable(error)}"
                return None
        self._child = child
        # A disk that is full is no reason to watch it no longer. What is not written down costs
        # the next supervisor its knowledge of this process, and no more.
        with contextlib.suppress(OSError, ControlError):
            self._children.put(name, child.process)
            if self.program.url:  # it does not know of places; the others announce themselves
                self._place.announce_other(name, child.process.pid)
        ended = asyncio.create_task(child.wait())
        stopped = asyncio.create_task(self._stop.wait())
        try:
            return await self._watch(child, ended, stopped)
        finally:
            stopped.cancel()
            if self._stop.is_set() and child.process.alive:
                self._become("stopping")
                took = await end_process(
                    child, self._place, name, self._timing, politely=self.program.takes_stop
                )
                self._say(f"{name} {took}")
            await ended
            self._child = None
            with contextlib.suppress(OSError, ControlError):
                self._children.drop(name, child.process)

    async def _watch(
        self, child: Child, ended: asyncio.Task[int | None], stopped: asyncio.Task[bool]
    ) -> float | None:
        """Wait until it ends or shall; returns when it became ready."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timing.ready_s
        ready_at = None
        while ready_at is None and not ended.done() and not stopped.done():
            if await is_ready(self.program, self._place, child.process.pid) and not ended.done():
                ready_at = loop.time()
                self._become("ready")
                self._say(f"{self.program.name} ready, process {child.process.pid}")
                self.decided.set()
            elif loop.time() > end:
                await self._kill(child)
                self._ended = f"{_LATE}, {self._timing.ready_s:g} s, and was killed"
                return None
            else:
                await asyncio.wait({ended, stopped}, timeout=self._timing.look_s)
        hung = await self._hangs(child, ended, stopped)
        if hung:
            await self._kill(child)
            self._ended = f"did not answer {self._timing.silences_max} times, and was killed"
        elif ended.done():
            self.exit_code = ended.result()
            self._ended = _told(self.exit_code)
        return ready_at

    async def _hangs(
        self, child: Child, ended: asyncio.Task[int | None], stopped: asyncio.Task[bool]
    ) -> bool:
        """Ask it now and then until it ends or shall; whether it has become silent.

        A node that hangs is fenced by its guard long before. This is for the guard itself, and
        for funds without one.
        """
        silences = 0
        while silences < self._timing.silences_max:
            await asyncio.wait(
                {ended, stopped},
                timeout=self._timing.check_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ended.done() or stopped.done():
                return False
            ready = await is_ready(self.program, self._place, child.process.pid)
            silences = 0 if ready else silences + 1
        return not ended.done()

    async def _kill(self, child: Child) -> None:
        child.process.signal(signal.SIGTERM)
        if not await child.ended_within(self._timing.term_s):
            child.process.signal(signal.SIGKILL)

    def _count(self, ready_at: float | None) -> None:
        now = asyncio.get_running_loop().time()
        if ready_at is not None and now - ready_at >= self._timing.healthy_s:
            self._failures = 0
        self._failures += 1

    def _give_up(self) -> None:
        self._become("gave up")
        why = (
            "a restart does not mend that"
            if self.exit_code in PERMANENT
            else f"{self._failures} times in a row"
        )
        self._say(f"GAVE UP: {self.program.name} {self._ended}, {why}; it stays down")


def _told(code: int | None) -> str:
    if code is None:
        return "ended"
    if code < 0:
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"
    return f"ended with exit code {code}"
