"""What ``qv up``, ``qv down`` and ``qv logs`` do and say."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from quantvista.cli._print import next_steps, say
from quantvista.errors import ControlError, RunInterruptedError
from quantvista.trading.control import Place, ask
from quantvista.trading.supervisor import (
    LogFile,
    Program,
    Supervisor,
    Timing,
    last_lines,
    plan,
    stop_fund,
    unit_file,
)

__all__ = ["Up", "follow_logs", "show_units", "start_fund", "stop_all"]

_EVERY_S = 1.0
_POLL_S = 0.2
_LINES_KEPT = 16
_NEXT = ("status --follow", "logs --follow", "halt", "down")
_FOOT = "Ctrl-C stops the fund in order; elsewhere: qv status, qv halt, qv logs, qv down"


class Up(NamedTuple):
    """What is to be started.

    Parameters
    ----------
    fund : pathlib.Path
        The fund file.
    state : pathlib.Path or None
        Its state folder; beside the fund file by default.
    guard : bool
        Whether there is a guard.
    plain : bool
        Lines, also at a terminal.
    """

    fund: Path
    state: Path | None = None
    guard: bool = True
    plain: bool = False

    @property
    def place(self) -> Place:
        """The state folder."""
        return Place.beside(self.fund, self.state)

    def command(self) -> tuple[str, ...]:
        """Write what starts it in the foreground, in lines."""
        where = (str(self.fund.absolute()), "--state", str(self.place.folder.absolute()))
        rest = () if self.guard else ("--no-guard",)
        return sys.executable, "-m", "quantvista", "up", *where, "--plain", *rest


def show_units(up: Up) -> None:
    """Print the unit file of a fund."""
    plan(up.fund, up.place, guard=up.guard, keys=False)  # what is wrong with it is said now
    _, text = unit_file(up.fund, up.command())
    sys.stdout.write(text)


def start_fund(up: Up, *, detach: bool) -> int:
    """Start a fund, and stay with it unless told otherwise.

    Parameters
    ----------
    up : Up
        What.
    detach : bool
        Leave it in the background once everything runs.

    Returns
    -------
    int
        Exit code.
    """
    place = up.place
    supervisor = place.process("supervisor")
    if supervisor is not None and supervisor.alive:
        raise ControlError(
            f"the fund of {place.folder} runs already; see it with qv status, stop it with qv down"
        )
    programs = plan(up.fund, place, guard=up.guard)
    place.make()
    if place.order() is not None:
        say(f"an order to halt lies in {place.folder}: the fund starts halted; see qv resume")
    if detach:
        return _detached(up, place)
    if sys.stdout.isatty() and not up.plain:
        return asyncio.run(_with_view(place, programs))
    return asyncio.run(_in_lines(place, programs))


async def _in_lines(place: Place, programs: Sequence[Program]) -> int:
    lost = asyncio.Event()
    with _hangups(lost):
        return await Supervisor(place, programs, _told).run()


def _told(text: str) -> None:
    """Say a line; one that nobody can read any more is in the log."""
    try:
        say(text)
        sys.stdout.flush()
    except OSError:
        _to_nowhere()


async def _with_view(place: Place, programs: Sequence[Program]) -> int:
    """Draw once a second until everything has stopped, or the terminal is gone."""
    from quantvista.cli._live import View

    said: deque[str] = deque(maxlen=_LINES_KEPT)
    lost = asyncio.Event()
    view = View(place, _FOOT)
    with _hangups(lost):
        running = asyncio.create_task(Supervisor(place, programs, said.append).run())
        await asyncio.wait({running}, timeout=_POLL_S)  # it may end at once, with an error
        if not running.done():
            try:
                with view.shown():
                    while not running.done() and not lost.is_set():
                        with contextlib.suppress(ControlError):  # a frame is left out
                            view.draw(await asyncio.to_thread(view.look))
                        await asyncio.wait({running}, timeout=_EVERY_S)
            except (OSError, SystemExit):  # Rich ends a program whose reader has gone: not this one
                _to_nowhere()
        code = await running
    for text in said:
        _told(text)
    return code


def _to_nowhere() -> None:
    """Give up the terminal, which has gone; what is said is in the log."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


@contextlib.contextmanager
def _hangups(lost: asyncio.Event) -> Iterator[None]:
    """Let a fund outlive its terminal: a connection that breaks is no reason to stop trading."""
    loop = asyncio.get_running_loop()

    def hung_up() -> None:
        _to_nowhere()
        lost.set()

    loop.add_signal_handler(signal.SIGHUP, hung_up)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _detached(up: Up, place: Place) -> int:
    log = place.log("supervisor")
    tail = _Tail(log, log.stat().st_size if log.exists() else 0)
    with LogFile(log, sys.maxsize, 0).open() as errors:
        child = subprocess.Popen(
            up.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # what it says is in its log anyway
            stderr=errors,
            start_new_session=True,
        )
    try:
        while child.poll() is None:
            _echo(tail)
            with contextlib.suppress(ControlError):
                found = ask(place.socket("supervisor"), {"command": "status"})
                if found["state"] == "running":
                    _echo(tail)
                    next_steps(f"qv {each}{_where(place)}" for each in _NEXT)
                    return int(any(each["state"] == "gave up" for each in found["processes"]))
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        raise RunInterruptedError(
            "stopped looking; the fund goes on starting: see qv status, stop it with qv down"
        ) from None
    _echo(tail)
    return child.returncode or 1


def _where(place: Place) -> str:
    """Name the state folder for further commands, where they would not find it by themselves."""
    usual = place.folder.absolute() == Path("state").absolute()
    return "" if usual else f" --state {place.folder}"


def _echo(tail: "_Tail") -> None:
    for line in tail.lines():
        say(line)
    sys.stdout.flush()


def stop_all(state: Path) -> None:
    """Stop what runs in a state folder, in order."""
    stop_fund(Place(state), say, Timing())
    say("stopped")


class _Tail:
    """Reads on in a file that grows, and from its start again when that was rotated."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path = path
        self._offset = offset
        self._rest = b""

    def lines(self) -> list[str]:
        """Give the lines that are new and whole."""
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._offset:
                    self._offset, self._rest = 0, b""
                file.seek(self._offset)
                new = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(new)
        *whole, self._rest = (self._rest + new).split(b"\n")
        return [each.decode("utf-8", "replace") for each in whole]


def follow_logs(state: Path, name: str | None, count: int, *, follow: bool) -> None:
    """Print the logs of a fund's processes.

    Parameters
    ----------
    state : pathlib.Path
        Its state folder.
    name : str or None
        Of the process; None for all, each line with its name.
    count : int
        How many last lines of each.
    follow : bool
        Go on until Ctrl-C.
    """
    place = Place(state)
    known = sorted(path.stem for path in place.logs.glob("*.log"))
    if not known:
        raise ControlError(f"no logs in {place.folder}; start a fund with qv up, or name --state")
    if name is not None and name not in known:
        raise ControlError(f"`NAME` must be one of {', '.join(known)}; found {name}")
    names = known if name is None else [name]
    width = max(map(len, names))
    tails = {}
    for each in names:
        path = place.log(each)
        tails[each] = _Tail(path, path.stat().st_size)
        for line in last_lines(path, count):
            say(line if name else f"{each:<{width}}  {line}")
    while follow:
        for each, tail in tails.items():
            for line in tail.lines():
                say(line if name else f"{each:<{width}}  {line}")
        sys.stdout.flush()
        time.sleep(_POLL_S)
