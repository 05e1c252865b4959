"""Whether a process is ready: it answers, or it listens."""

import asyncio
import contextlib
from urllib.parse import urlsplit

from quantvista.errors import ControlError
from quantvista.trading.control import Place, ask
from quantvista.trading.supervisor._program import Program

__all__ = ["is_ready"]

_ASK_S = 2.0


async def is_ready(program: Program, place: Place, pid: int) -> bool:
    """Ask a process once.

    Parameters
    ----------
    program : Program
        Which.
    place : Place
        Where its socket is.
    pid : int
        Its number; an answer of another process does not count.

    Returns
    -------
    bool
        Whether it does its work by now.
    """
    if program.url:
        return await _listens(program.url)
    try:
        answer = await asyncio.to_thread(
            ask, place.socket(program.name), {"command": "status", "by": "supervisor"}, _ASK_S
        )
        announced = place.process(program.name)
    except ControlError:
        return False
    is_up = answer.get("ok") is True and answer.get("ready", True) is True
    return is_up and announced is not None and announced.pid == pid


async def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        _, writer = await asyncio.wait_for(
            asyncio.open_connection(parts.hostname, parts.port), _ASK_S
        )
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
