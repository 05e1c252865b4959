"""All processes of a fund, started, watched and stopped in order."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from quantvista.trading.control import ControlServer, Place
from quantvista.trading.supervisor._child import Child, command_of, end_process
from quantvista.trading.supervisor._children import Children, left_over
from quantvista.trading.supervisor._keeper import Keeper
from quantvista.trading.supervisor._logs import LogFile
from quantvista.trading.supervisor._program import Program, Timing
from quantvista.trading.supervisor._ready import is_ready

__all__ = ["Supervisor"]

_ROTATE_S = 5.0
_LINES_SHOWN = 12


class Supervisor:
    """Runs the processes of a fund until it is told to stop.

    They are started one after the other, each when the one before is ready, and stopped the other
    way round. What ends is started again; what ends too often, or for a reason that a restart does
    not mend, is given up, and the others stay: the guard above all.

    Parameters
    ----------
    place : Place
        The state folder.
    programs : sequence of Program
        In the order in which they are started.
    say : callable
        Told what happens, a line at a time; all of it is in the log ``supervisor`` besides.
    timing : Timing
        How long things may take.
    """

    def __init__(
        self,
        place: Place,
        programs: Sequence[Program],
        say: Callable[[str], None],
        timing: Timing | None = None,
    ) -> None:
        self._place = place
        self._timing = timing or Timing()
        self._tell = say
        self._log = LogFile(place.log("supervisor"), self._timing.log_bytes, self._timing.logs_kept)
        self._keepers = [Keeper(each, place, self._timing, self._say) for each in programs]
        self._stop = asyncio.Event()
        self._state = "starting"

    async def run(self) -> int:
        """Start everything and keep it running until `stop`, SIGINT or SIGTERM.

        Returns
        -------
        int
            Exit code: 0 if nothing had to be given up.

        Raises
        ------
        ControlError
            If a supervisor runs in this place already.
        """
        self._place.make()
        with self._place.alone("supervisor"), _signals(self.stop):
            self._place.announce("supervisor")
            try:
                async with ControlServer(self._place.socket("supervisor"), self._answer):
                    return await self._whole()
            finally:
                self._place.withdraw("supervisor")

    def stop(self) -> None:
        """Stop everything in order; `run` returns when that is done."""
        if not self._stop.is_set():
            self._say("stopping")
        self._stop.set()

    @property
    def running(self) -> bool:
        """Whether everything was started."""
        return self._state == "running"

    def shown(self) -> dict[str, Any]:
        """Say how everything stands: plain JSON."""
        return {
            "state": self._state,
            "folder": str(self._place.folder.absolute()),
            "processes": [each.shown() for each in self._keepers],
        }

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["command"] == "status":
            return {"ok": True, **self.shown()}
        if request["command"] == "stop":
            self.stop()
            return {"ok": True, "text": "stopping"}
        return {"ok": False, "error": "a supervisor knows status and stop; ask the node"}

    async def _whole(self) -> int:
        # A fund that has traded may hold something, so its guard is left alone. A new one has
        # nothing to guard, and its mistakes are better said at once.
        known = self._place.journal.exists()
        rotating = asyncio.create_task(self._rotate())
        try:
            await self._start(known=known)
            if not self._stop.is_set():
                self._state = "running"
                down = [each.program.name for each in self._keepers if each.state == "gave up"]
                what = f"{' and '.join(down)} did not start" if down else "everything runs"
                self._say(f"{what}; journal, logs and sockets are in {self._place.folder}")
            await self._wait(known=known)
        finally:
            self._state = "stopping"
            for keeper in reversed(self._keepers):
                await keeper.stop()
            rotating.cancel()
        failed = [each for each in self._keepers if each.state == "gave up"]
        self._say("stopped")
        return max([each.exit_code or 1 for each in failed], default=0) if failed else 0

    async def _start(self, *, known: bool) -> None:
        adopted = await self._look_for_old()
        stopped = asyncio.create_task(self._stop.wait())
        for keeper in self._keepers:
            keeper.start(adopted.get(keeper.program.name))
            decided = asyncio.create_task(keeper.decided.wait())
            await asyncio.wait({decided, stopped}, return_when=asyncio.FIRST_COMPLETED)
            decided.cancel()
            if keeper.state == "gave up":
                self._explain(keeper)
                if not known:
                    self.stop()
            if self._stop.is_set():
                break
        stopped.cancel()

    async def _wait(self, *, known: bool) -> None:
        """Wait until all shall stop, or nothing is left that is worth running."""
        told = {each.program.name for each in self._keepers if each.state == "gave up"}
        while not self._stop.is_set():
            for each in self._keepers:
                if each.state == "gave up" and each.program.name not in told:
                    told.add(each.program.name)
                    self._explain(each)
            if told and not self._guarded():
                self.stop()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._timing.look_s)

    def _guarded(self) -> bool:
        """Whether a guard is there that watches on, or the node trades."""
        left = {each.program.name for each in self._keepers if each.state != "gave up"}
        return bool(left & {"guard", "node"})

    def _explain(self, keeper: Keeper) -> None:
        name = keeper.program.name
        self._say(f"the last that {name} said (qv logs {name}):")
        for line in keeper.log.last(_LINES_SHOWN):
            self._say(f"  {line}")

    async def _look_for_old(self) -> dict[str, Child]:
        """Take over what a supervisor that is gone has left, or end it, in order."""
        wanted = {each.program.name: each.program for each in self._keepers}
        kept = {}
        for name, process in left_over(self._place).items():
            child = Child(process, None, self._timing.look_s)
            program = wanted.get(name)
            same = program is not None and command_of(process) == program.command
            if program and same and await is_ready(program, self._place, process.pid):
                self._say(f"{name} runs already, process {process.pid}: taken over")
                kept[name] = child
                continue
            took = await end_process(
                child, self._place, name, self._timing, politely=name == "node"
            )
            Children(self._place).drop(name, process)
            self._say(f"{name} of an earlier start, process {process.pid}: {took}")
        return kept

    async def _rotate(self) -> None:
        while True:
            for each in (self._log, *(keeper.log for keeper in self._keepers)):
                with contextlib.suppress(OSError):  # a full disk: the logs wait
                    each.rotate()
            await asyncio.sleep(_ROTATE_S)

    def _say(self, text: str) -> None:
        # The time that a person reads; nothing is decided by it.
        with contextlib.suppress(OSError):
            self._log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {text}")
        self._tell(text)


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
