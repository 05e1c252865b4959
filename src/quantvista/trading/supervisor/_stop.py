"""Stopping a fund from outside."""

import asyncio
import signal
from collections.abc import Callable

from quantvista.errors import ControlError
from quantvista.trading.control import NotRunningError, Place, ask
from quantvista.trading.supervisor._child import Child, end_process
from quantvista.trading.supervisor._children import Children, left_over
from quantvista.trading.supervisor._program import Timing

__all__ = ["stop_fund"]

_ASK_S = 2.0


def stop_fund(
    place: Place, say: Callable[[str], None], timing: Timing | None = None, by: str = ""
) -> None:
    """Stop everything that runs in a place, in order.

    Parameters
    ----------
    place : Place
        Where.
    say : callable
        Told what happens, a line at a time.
    timing : Timing, optional
        How long things may take.
    by : str
        Who wants it.

    Raises
    ------
    NotRunningError
        If there is no such state folder, or nothing runs in it.
    ControlError
        If something is still there after all time limits.
    """
    timing = timing or Timing()
    if not place.run.is_dir():
        raise NotRunningError(
            f"no fund runs in {place.folder}: there is no such state folder; name it with --state"
        )
    supervisor = place.process("supervisor")
    found = left_over(place)
    if supervisor is not None and supervisor.alive:
        watched = Child(supervisor, None, timing.look_s)
        try:
            ask(place.socket("supervisor"), {"command": "stop", "by": by}, _ASK_S)
        except ControlError:  # it hangs, or has only begun: it knows the signal, too
            supervisor.signal(signal.SIGTERM)
        say("the supervisor stops everything in order")
        limit_s = _ASK_S + (len(found) + 1) * (timing.stop_s + 2 * timing.term_s)
        if not asyncio.run(watched.ended_within(limit_s)):
            raise ControlError(
                f"the supervisor, process {supervisor.pid}, did not end within {limit_s:g} s; see "
                "qv logs supervisor, end it with SIGKILL, then qv down again"
            )
    elif not found:
        raise NotRunningError(f"nothing runs in {place.folder}")
    # With a supervisor nothing is left by now; without one this is what ends them.
    for name, process in left_over(place).items():
        child = Child(process, None, timing.look_s)
        took = asyncio.run(end_process(child, place, name, timing, politely=name == "node"))
        Children(place).drop(name, process)
        say(f"{name}, process {process.pid}: {took}")
