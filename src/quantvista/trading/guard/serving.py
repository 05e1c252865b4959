"""The guard as a process: from a fund file to a guard that answers, until it is told to stop."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantvista.fund import Fund, GuardSection, LoadedFund, load_fund
from quantvista.trading.control import ControlServer, Place
from quantvista.trading.gateway.http import SystemClock
from quantvista.trading.guard._guard import Guard
from quantvista.trading.guard._process import (
    FileHalts,
    NodeProcess,
    OtherFunds,
    opening_times,
)
from quantvista.trading.guard._terms import GuardTerms, Seams
from quantvista.trading.guard.lease import FileLeaseWriter
from quantvista.trading.paper.linking import linked_gateway

__all__ = ["guard_terms", "serve"]

_CONFIRM_S = 8.0
_LOOK_S = 0.05
_CHAINED = ("reduce", "halt", "flatten")


def guard_terms(fund: Fund) -> GuardTerms:
    """Say what the guard of a fund guards.

    Parameters
    ----------
    fund : Fund
        Its venues are paper venues.

    Returns
    -------
    GuardTerms
        With the defaults where the file has no ``[guard]``.
    """
    return GuardTerms(
        fund.fund.name,
        fund.fund.currency,
        fund.fund.time_zone,
        fund.guard or GuardSection(),
        frozenset(each.id for each in fund.venue if each.is_paper),
        opening_times(fund.fund.calendar),
        traded=frozenset(name for each in fund.venue for name in each.instruments),
    )


def serve(path: Path, state: Path | None, said: Callable[[str], None]) -> None:
    """Guard a fund until an interrupt or a termination.

    Parameters
    ----------
    path : pathlib.Path
        The fund file.
    state : pathlib.Path or None
        Its state folder; beside the file by default.
    said : callable
        Told when it answers.

    Raises
    ------
    ConfigError
        If the fund cannot be guarded: a venue is simulated, or there is no key.
    ControlError
        If a guard of this fund runs already.
    """
    loaded = load_fund(path)
    place = Place.beside(path, state)
    place.make()
    with place.alone("guard"):
        try:
            asyncio.run(_serve(loaded, place, said))
        except BaseExceptionGroup as group:
            raise _first(group) from group


def _first(error: BaseException) -> BaseException:
    """Find what went wrong first, out of the tasks that ended with it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _serve(loaded: LoadedFund, place: Place, said: Callable[[str], None]) -> None:
    fund = loaded.fund
    clock = SystemClock()
    gateways = {each.id: linked_gateway(each, place, "guard", clock) for each in fund.venue}
    terms = replace(guard_terms(fund), encrypt=loaded.must_encrypt())
    seams = Seams(
        NodeProcess(place),
        FileLeaseWriter(place.lease, "guard"),
        clock,
        FileHalts(place),
        OtherFunds([loaded.base / each for each in terms.section.firm.states], fund.fund.currency),
        lambda: _free(place.folder),
    )
    guard = Guard(terms, gateways, place.guard_journal, seams)
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(guard.run(), name="guard")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    ending = asyncio.create_task(_end(guard, stop, running), name="guard ends")
    async with ControlServer(place.socket("guard"), _confirmed(guard)):
        place.announce("guard", guard.log.state.epoch)
        said(f"guard of {terms.fund} answers in {place.folder}, epoch {guard.log.state.epoch}")
        with contextlib.suppress(asyncio.CancelledError):
            await running
    ending.cancel()
    place.withdraw("guard")


async def _end(guard: Guard, stop: asyncio.Event, running: asyncio.Task[None]) -> None:
    await stop.wait()
    try:
        await guard.release()
    finally:
        running.cancel()


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _confirmed(guard: Guard) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
    """Answer orders when they are carried out, or say how far they are after some seconds."""

    async def handle(request: dict[str, Any]) -> dict[str, Any]:
        answer = await guard.handle(request)
        if not answer["ok"] or request["command"] not in _CHAINED:
            return answer
        loop = asyncio.get_running_loop()
        until = loop.time() + _CONFIRM_S
        while not guard.chain.is_done and loop.time() < until:
            await asyncio.sleep(_LOOK_S)
        return {**answer, "text": _told(guard)}

    return handle


def _told(guard: Guard) -> str:
    level = guard.level.word
    if not guard.chain.is_done:
        return f"{level} has begun and goes on: {guard.chain.waits_for()}; see qv status"
    return {
        "reduce": "reduce: the node only reduces",
        "halt": "halt: the node is fenced, nothing is open",
        "flatten": "flatten: the node is fenced, nothing is open, nothing is held",
    }.get(level, level)
