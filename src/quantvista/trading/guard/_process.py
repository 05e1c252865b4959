"""The guard's seams on a real machine: the node's process, its journal, files, other funds."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from quantvista.errors import ControlError, JournalError
from quantvista.journal import Reader
from quantvista.market import CalendarReachError, sessions
from quantvista.trading.control import Place, ask
from quantvista.trading.guard._seams import Standing
from quantvista.trading.guard._watch import Firm

__all__ = ["FileHalts", "NodeProcess", "OtherFunds", "opening_times"]

_log = logging.getLogger(__name__)
_ASK_S = 2.0
_KILL_S = 0.5
_LOOK_S = 0.02
_BATCHES_MAX = 2_000
_DAY_NS = 86_400 * 10**9


class NodeProcess:
    """The node of a state folder.

    Parameters
    ----------
    place : Place
        The folder.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tail = _JournalTail(place.journal)

    async def ask(self, command: str, reason: str) -> dict[str, Any] | None:
        """Ask over its socket; None where there is no answer in time."""
        request = {"command": command, "by": "guard", "reason": reason}
        try:
            return await asyncio.to_thread(ask, self._place.socket("node"), request, _ASK_S)
        except ControlError:
            return None

    async def is_running(self) -> bool:
        """Say whether the process lives that announced itself last."""
        process = self._place.process("node")
        return process is not None and process.alive

    async def kill(self) -> bool:
        """Send SIGKILL to this very process; say whether it is gone."""
        process = self._place.process("node")
        if process is None or not process.signal(signal.SIGKILL):
            return True
        loop = asyncio.get_running_loop()
        until = loop.time() + _KILL_S
        while process.alive and loop.time() < until:
            await asyncio.sleep(_LOOK_S)
        return not process.alive

    async def tail(self) -> tuple[int, int] | None:
        """Read on in its journal: the last sequence, and bytes since we began."""
        return await asyncio.to_thread(self._tail.read)


class _JournalTail:
    """Follows a journal that another process writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: Reader | None = None
        self._sequence = self._bytes = 0

    def read(self) -> tuple[int, int] | None:
        """Read what is new, so much at a time; None where there is nothing to read."""
        try:
            if self._reader is None:
                newest = max((int(each.stem) for each in self._folder.glob("*.qvj")), default=None)
                if newest is None:
                    return None
                self._reader = Reader(self._folder, newest)
            for _ in range(_BATCHES_MAX):
                batch = self._reader.read()
                if batch is None:
                    break
                self._sequence = batch[-1].sequence
                self._bytes += sum(len(each.payload) for each in batch)
        except (JournalError, OSError) as error:
            # What it says then is an old number, so that it counts as not growing.
            _log.error("the node's journal cannot be read", extra={"error": str(error)})
            self._reader = None
        return self._sequence, self._bytes


class FileHalts:
    """Orders that were left in a state folder while nobody answered."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def read(self) -> Standing | None:
        """Read it; a file that cannot be understood is a halt, too."""
        try:
            found = self._place.order()
        except ControlError as error:
            return Standing("halt", "a file", str(error))
        if found is None:
            return None
        command, by, reason = (str(found.get(key, "")) for key in ("command", "by", "reason"))
        return Standing(command, by, reason)

    def clear(self) -> None:
        """Take it away."""
        self._place.drop_order()


class OtherFunds:
    """The guards of other funds, by their state folders.

    Parameters
    ----------
    folders : sequence of pathlib.Path
        One for each fund.
    currency : str
        Of this fund, which must be theirs.
    """

    def __init__(self, folders: Sequence[Path], currency: str) -> None:
        self._folders, self._currency = folders, currency
        self._last: dict[Path, tuple[int, int]] = {}

    async def firm(self) -> Firm | None:
        """Add them up; None where there are none."""
        if not self._folders:
            return None
        unknown = []
        for folder in self._folders:
            place = Place(folder)
            # One that ended in order counts with what it had last, or with nothing.
            if place.process("guard") is None:
                self._last.setdefault(folder, (0, 0))
                continue
            found = await self._ask(place)
            if found is None:
                unknown.append(folder.parent.name)
                self._last.setdefault(folder, (0, 0))
            else:
                self._last[folder] = found
        figures = self._last.values()
        return Firm(sum(each[0] for each in figures), sum(each[1] for each in figures), (*unknown,))

    async def _ask(self, place: Place) -> tuple[int, int] | None:
        request = {"command": "status", "by": "guard"}
        with contextlib.suppress(ControlError, KeyError, ValueError, TypeError, ArithmeticError):
            said = await asyncio.to_thread(ask, place.socket("guard"), request, _ASK_S)
            if said["currency"] == self._currency:
                gross, equity, start = (
                    int(Decimal(said[key]).scaleb(12)) for key in ("gross", "equity", "day_start")
                )
                return gross, equity - start
        return None


def opening_times(calendar: str) -> Callable[[int], int | None]:
    """Say when the session began that a time is in.

    Parameters
    ----------
    calendar : str
        Of the fund.

    Returns
    -------
    callable
        From UTC nanoseconds to UTC nanoseconds; None outside of sessions.
    """
    known: dict[int, list[tuple[int, int]]] = {}

    def opened_at(now_ns: int) -> int | None:
        day = now_ns // _DAY_NS
        if day not in known:
            known.clear()
            known[day] = _sessions_around(calendar, day)
        return next((start for start, end in known[day] if start <= now_ns < end), None)

    return (lambda now_ns: 0) if calendar == "24/7" else opened_at


def _sessions_around(calendar: str, day: int) -> list[tuple[int, int]]:
    first, last = np.datetime64(day - 4, "D"), np.datetime64(day + 2, "D")
    try:
        found = sessions(calendar, first, last)
    except CalendarReachError as error:
        found = sessions(calendar, max(first, error.first), min(last, error.last))
    return [
        (int(start), int(end)) for start, end in zip(found.open_ns, found.close_ns, strict=True)
    ]
