"""A fund of the template `paper` that runs in a folder of its own, for scripts that watch one."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quantvista.errors import ControlError
from quantvista.fund import write_template
from quantvista.trading.control import Place, ask

__all__ = ["PROCESSES", "LiveFund"]

PROCESSES = ("node", "paper", "guard")
_READY_S = 120.0
_END_S = 60.0


class LiveFund:
    """A fund and its venue, at a port that is free.

    Parameters
    ----------
    folder : Path
        Made anew; what was there is removed.
    guard : str
        What stands in the fund's table ``[guard]``, as TOML.
    """

    def __init__(self, folder: Path, guard: str) -> None:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        write_template("paper", folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.folder = folder
        self.place = Place(folder.absolute() / "state")
        self.venue_file = folder / "paper.toml"
        text = self.venue_file.read_text()
        self.venue_file.write_text(text.replace("port = 8710", f"port = {port}"))
        fund = folder / "fund.toml"
        words = fund.read_text().replace(":8710", f":{port}")
        # Nobody wants to wait for the market maker's hundred quotes.
        words = words.replace("gamma = 0.01 ", "warm_up_events = 20\ngamma = 0.01 ", 1)
        fund.write_text(f"{words}\n[guard]\n{guard}\n")

    def qv(self, *words: str) -> None:
        """Run a command in its folder, in front of the user."""
        sys.stdout.flush()
        subprocess.run(self._command(words), cwd=self.folder, check=True)

    def read(self, *words: str) -> str:
        """Say what a command prints."""
        return subprocess.run(
            self._command(words), cwd=self.folder, capture_output=True, text=True, check=True
        ).stdout

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start it; when the block is left it has been told to stop, and has ended."""
        with (self.folder / "up.log").open("wb") as log:
            up = subprocess.Popen(
                self._command(("up", "fund.toml", "--plain")),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        try:
            yield up
            self.qv("down")
            up.wait(_END_S)
        finally:
            if up.poll() is None:
                up.send_signal(signal.SIGTERM)
                up.wait(_END_S)

    def until_trading(self, epoch_after: int = 0) -> dict[str, Any]:
        """Wait until it trades, in an epoch later than this one; its status."""
        until = time.monotonic() + _READY_S
        last: Any = None
        while time.monotonic() < until:
            with contextlib.suppress(ControlError):
                last = ask(self.place.socket("node"), {"command": "status"}, 5.0)
                if last["health"] == "trading" and last["epoch"] > epoch_after:
                    return dict(last)
            time.sleep(0.1)
        sys.exit(f"the fund does not come to trade: {last}; see {self.place.logs}")

    def until_replaced(self, name: str, pid: int) -> None:
        """Wait until another process has taken the place of this one, and answers."""
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            with contextlib.suppress(ControlError):
                found = self.place.process(name)
                if found is not None and found.pid != pid:
                    if name != "paper":
                        ask(self.place.socket(name), {"command": "status"}, 5.0)
                    return
            time.sleep(0.1)
        sys.exit(f"{name} does not come back; see {self.place.logs}")

    @staticmethod
    def _command(words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "quantvista", *words]
