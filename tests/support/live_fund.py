"""A fund that trades on paper as processes of its own, to be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from quantvista.errors import ControlError
from quantvista.fund import write_template
from quantvista.trading.control import Place, Process, ask
from quantvista.trading.supervisor import Program, Supervisor, Timing, _keeper, _ready, plan

TESTS = Path(__file__).parents[1]
SRC = TESTS.parent / "src"
# As `qv up`, but for one that is killed more often than it gives up.
TIMING = Timing(back_off_s=0.1, back_off_max_s=0.2, failures_max=1_000_000)
NAMES = ("node", "paper", "guard")
_STATUS = {"command": "status", "by": "test"}
_FORKED = str(Path(__file__).with_name("forked.py"))
WAIT_S = 60.0


class LiveFund:
    """The fund of the template ``paper`` in a folder, at a port of its own.

    Parameters
    ----------
    folder : pathlib.Path
        Empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, Place(folder / "state")
        write_template("paper", folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        paper, fund = folder / "paper.toml", folder / "fund.toml"
        text = paper.read_text().replace("port = 8710", f"port = {port}")
        # A market that moves fast, so that there is something in flight when a process dies.
        text = text.replace("move_rate = 2", "move_rate = 20")
        text = text.replace("limit_rate = 10", "limit_rate = 60")
        text = text.replace("market_rate = 2", "market_rate = 40")
        paper.write_text(text.replace("_ms = 5", "_ms = 40"))
        words = fund.read_text().replace(":8710", f":{port}")
        words = words.replace("gamma = 0.01 ", "warm_up_events = 10\ngamma = 0.01 ", 1)
        # A busy machine starts processes slowly; that is not what is tested.
        fund.write_text(
            words + "\n[guard]\nheartbeat = { after_s = 600 }\nvenue = { after_s = 600 }\n"
        )
        self._up: subprocess.Popen[bytes] | None = None
        self._forks: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        """Start it, and wait until it trades."""
        # A socket's path has 107 letters at most, more than the folders of tests leave.
        self._short = tempfile.TemporaryDirectory()
        forks = Path(self._short.name) / "forks"
        self._forks = self._start("support.forked", str(forks))
        for _ in range(int(WAIT_S / 0.05)):
            if forks.exists():
                break
            assert self._forks.poll() is None, self.said()
            time.sleep(0.05)
        self._up = self._start("support.live_fund", str(forks))
        self.until_trading()

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / "up.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(SRC)])},
                stdout=log,
                stderr=log,
            )

    def down(self) -> None:
        """Stop it in order."""
        assert self._up is not None, "it runs"
        self._up.send_signal(signal.SIGTERM)
        assert self._up.wait(WAIT_S) == 0, self.said()

    def said(self) -> str:
        """What its processes printed."""
        logs = [self.folder / "up.log", *sorted(self.place.logs.glob("*.log"))]
        return "\n".join(f"-- {each.name}\n{each.read_text()[-2000:]}" for each in logs)

    def kill(self, *names: str) -> None:
        """End processes at once."""
        for name in names:
            process = self.place.process(name)
            if process is not None:
                process.signal(signal.SIGKILL)

    def end(self) -> None:
        """Let nothing stay, whatever became of it."""
        if self._up is not None and self._up.poll() is None:
            self._up.kill()
            self._up.wait()
        with contextlib.suppress(ControlError):
            self.kill(*NAMES)
        if self._forks is not None:
            self._forks.kill()
            self._forks.wait()
            self._short.cleanup()

    def guard_epoch(self) -> int:
        """Ask the guard for its epoch; 0 while it does not answer."""
        with contextlib.suppress(ControlError):
            return int(ask(self.place.socket("guard"), _STATUS, 5.0)["epoch"])
        return 0

    def until_guarded(self, epoch_after: int) -> None:
        """Wait until a guard of a later epoch answers."""
        for _ in range(int(WAIT_S / 0.05)):
            if self.guard_epoch() > epoch_after:
                return
            time.sleep(0.05)
        raise AssertionError(f"no guard comes back\n{self.said()}")

    def until_another(self, name: str, before: Process | None) -> None:
        """Wait until another process has the place of one that was killed."""
        for _ in range(int(WAIT_S / 0.05)):
            now = self.place.process(name)
            if now is not None and now != before and now.alive:
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} does not come back\n{self.said()}")

    def status(self) -> dict[str, Any]:
        """Ask the node how it stands."""
        return ask(self.place.socket("node"), _STATUS, 5.0)

    def until_trading(self, epoch_after: int = 0) -> dict[str, Any]:
        """Wait until a process of a later epoch trades."""
        last: Any = None
        for _ in range(int(WAIT_S / 0.05)):
            with contextlib.suppress(ControlError):
                last = self.status()
                if last["health"] == "trading" and last["epoch"] > epoch_after:
                    return dict(last)
            assert self._up is None or self._up.poll() is None, self.said()
            time.sleep(0.05)
        raise AssertionError(f"it does not come to trade: {last}\n{self.said()}")

    def halt(self) -> None:
        """Halt it, and wait until nothing works any more."""
        ask(self.place.socket("node"), {"command": "halt", "by": "test"}, 10.0)
        for _ in range(int(WAIT_S / 0.1)):
            if not self.has_in_flight():
                return
            time.sleep(0.1)
        raise AssertionError(f"orders stay: {self.status()['orders']}")

    def has_in_flight(self) -> bool:
        """Whether an order works or is on its way."""
        return bool(self.status()["orders"])

    @contextlib.contextmanager
    def store(self) -> Iterator[sqlite3.Connection]:
        """Look into what the venue keeps."""
        path = self.folder / "paper" / "paper" / "venue.db"
        found = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            yield found
        finally:
            found.close()


def main() -> int:
    """Supervise the fund of the working folder; its processes are forked off ``sys.argv[1]``."""
    fund = Path("fund.toml")
    place = Place.beside(fund.absolute())
    place.make()
    programs = [
        replace(each, command=(sys.executable, "-S", "-E", _FORKED, sys.argv[1], *each.command[3:]))
        for each in plan(fund.absolute(), place)
    ]
    # What was forked announces itself; the process that is watched is the one that waits for it.
    with patch.object(_keeper, "is_ready", partial(_is_ready, _ready.is_ready)):
        return asyncio.run(Supervisor(place, programs, print, TIMING).run())


async def _is_ready(
    ask_it: Callable[[Program, Place, int], Awaitable[bool]],
    program: Program,
    place: Place,
    pid: int,
) -> bool:
    announced = place.process(program.name)
    return await ask_it(program, place, pid if announced is None else announced.pid)


if __name__ == "__main__":
    sys.exit(main())
