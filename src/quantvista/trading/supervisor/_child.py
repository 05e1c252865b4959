"""One process of the operating system: ours, or left over by a supervisor that is gone."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from quantvista.errors import ControlError
from quantvista.trading.control import Place, Process, ask
from quantvista.trading.supervisor._logs import LogFile
from quantvista.trading.supervisor._program import Program, Timing

__all__ = ["Child", "command_of", "end_process", "spawn"]

_ASK_S = 2.0


class Child:
    """A process that is watched.

    Parameters
    ----------
    process : Process
        Which.
    own : asyncio.subprocess.Process or None
        None if another supervisor started it; then nobody learns its exit code.
    look_s : float
        Between two looks at one that is not ours.
    """

    def __init__(
        self, process: Process, own: asyncio.subprocess.Process | None, look_s: float
    ) -> None:
        self.process = process
        self._own = own
        self._look_s = look_s

    async def wait(self) -> int | None:
        """Wait for its end; returns its exit code, negative for a signal, None if not known."""
        if self._own is not None:
            return await self._own.wait()
        while self.process.alive:
            await asyncio.sleep(self._look_s)
        return None

    async def ended_within(self, seconds: float) -> bool:
        """Wait for its end, but not for ever."""
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            return False
        return True


async def spawn(program: Program, log: LogFile, look_s: float) -> Child:
    """Start a process, in a session of its own so that Ctrl-C reaches the supervisor alone."""
    log.begin()
    with log.open() as out:
        own = await asyncio.create_subprocess_exec(
            *program.command,
            cwd=program.cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **dict(program.environment)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    # It may have ended already; its number stays taken until we have waited for it.
    process = Process.of(own.pid) or Process(own.pid, 0, "")
    return Child(process, own, look_s)


async def end_process(
    child: Child, place: Place, name: str, timing: Timing, *, politely: bool
) -> str:
    """End a process: by its socket if it takes that, by SIGTERM, at last by SIGKILL.

    Returns
    -------
    str
        What it took: ``stopped``, ``terminated`` or ``killed``.
    """
    if politely:
        request = {"command": "stop", "by": "supervisor", "reason": "ordered stop"}
        with contextlib.suppress(ControlError):
            answer = await asyncio.to_thread(ask, place.socket(name), request, _ASK_S)
            if answer.get("ok") is True and await child.ended_within(timing.stop_s):
                return "stopped"
    if child.process.signal(signal.SIGTERM) and not await child.ended_within(timing.term_s):
        child.process.signal(signal.SIGKILL)
        await child.wait()
        return "killed"
    await child.wait()
    return "terminated" if politely else "stopped"


def command_of(process: Process) -> tuple[str, ...]:
    """Read the command line of a process; empty if it has ended."""
    try:
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ()
    found = tuple(os.fsdecode(each) for each in words.split(b"\0")[:-1])
    return found if process.alive else ()
