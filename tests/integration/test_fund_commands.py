"""``qv up`` and its kin over real processes: node and guard are stand-ins, the rest is as it is."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.errors import ControlError
from quantvista.trading.control import Place, ask
from quantvista.trading.supervisor import stop_fund
from support.command import environment

TESTS = Path(__file__).parents[1]
PATH = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
QV = (sys.executable, "-m", "support.qv_stand_in")
WAIT_S = 20.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "fund.toml").write_text("")
    yield tmp_path
    with contextlib.suppress(ControlError):
        stop_fund(Place(tmp_path / "state"), lambda _: None)


def run(folder: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*QV, *words],
        cwd=folder,
        env=environment(PYTHONPATH=PATH, **changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def here(*words: object) -> tuple[int, str, str]:
    """Run a command in this process, which is quicker."""
    found = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(app, [*map(str, words)])
    return found.exit_code, found.stdout, found.stderr


@pytest.fixture
def supervised(folder: Path) -> Iterator[Place]:
    """A fund that runs already."""
    place = Place(folder / "state")
    running = subprocess.Popen(
        [sys.executable, "-m", "support.supervised", str(place.folder), "guard", "node"],
        env=environment(PYTHONPATH=PATH),
        stdout=subprocess.DEVNULL,
    )
    until(lambda: is_running(place))
    yield place
    running.send_signal(signal.SIGTERM)
    running.wait(WAIT_S)


def until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not check():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def is_running(place: Place) -> bool:
    try:
        answer = ask(place.socket("supervisor"), {"command": "status"})
    except ControlError:
        return False
    return bool(answer["state"] == "running")


class Terminal:
    """``qv`` at a terminal of 80 columns and 24 lines."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.seen = b""
        mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {**os.environ, "PYTHONPATH": PATH, "TERM": "xterm-256color"}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            env.pop(name, None)
        self.process = subprocess.Popen(
            [*QV, *words],
            cwd=folder,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self._mine = mine

    def read(self, seconds: float) -> bool:
        """Read what is there; say whether more may come."""
        if not select.select([self._mine], [], [], seconds)[0]:
            return True
        try:
            part = os.read(self._mine, 1 << 16)
        except OSError:  # the other end is closed
            return False
        self.seen += part
        return bool(part)

    def until(self, check: Callable[[bytes], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not check(self.seen):
            assert time.monotonic() < end, self.seen[-3_000:].decode(errors="replace")
            assert self.read(0.1) or check(self.seen), self.seen[-3_000:].decode(errors="replace")

    def end(self) -> int:
        """Wait for its end, reading on."""
        end = time.monotonic() + WAIT_S
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        while self.read(0) and select.select([self._mine], [], [], 0)[0]:
            pass
        return self.process.wait(1)

    def hang_up(self) -> None:
        """Close the terminal, as a connection does that breaks."""
        os.close(self._mine)


def test_a_fund_in_the_background(folder: Path) -> None:
    done = run(folder, "up", "--detach")
    assert (done.returncode, done.stderr) == (0, "")
    assert "guard ready, process" in done.stdout
    assert "everything runs; journal, logs and sockets are in" in done.stdout
    assert "qv status --follow" in done.stdout
    where = ("--state", folder / "state")
    code, _, err = here("up", folder / "fund.toml")
    assert code == 1
    assert "runs already; see it with qv status" in err
    code, out, _ = here("status", *where)
    assert code == 0
    assert "stand-in   TRADING" in out
    assert "guard       guard says hello" in here("logs", "-n", "1", *where)[1].splitlines()
    assert here("logs", "node", *where)[1] == "node says hello\n"
    assert "`NAME` must be one of guard, node, supervisor" in here("logs", "x", *where)[2]
    assert run(folder, "halt", "--reason", "odd").returncode == 0
    code, out, _ = here("down", *where)
    assert (code, out.splitlines()[-1]) == (0, "stopped")
    assert "nothing runs in" in here("down", *where)[2]
    told = (folder / "state" / "history").read_text().splitlines()
    assert [each.split()[:2] for each in told] == [
        ["guard", "start"],
        ["node", "start"],
        ["node", "halt"],
        ["node", "end"],
        ["guard", "end"],
    ]


def test_a_fund_that_cannot_start_says_why(folder: Path) -> None:
    done = run(folder, "up", "--detach", NODE_TRAITS="fail=2")
    assert done.returncode == 2
    assert "GAVE UP: node ended with exit code 2" in done.stdout
    assert "node has a reason" in done.stdout
    code, _, err = here("up", folder / "none.toml")
    assert code == 2
    assert "`fund` must be a readable file; found no such file or directory" in err
    assert here("logs", "--state", folder)[0] == 1


def test_a_halt_that_only_the_guard_hears(folder: Path, supervised: Place) -> None:
    node = supervised.process("node")
    assert node is not None
    node.signal(signal.SIGSTOP)  # as if it hung
    done = run(folder, "halt")
    node.signal(signal.SIGCONT)
    assert done.returncode == 0
    assert "the node of state did not answer within 2 s" in done.stdout
    assert "(confirmed by the guard)" in done.stdout


def test_the_view_stands_still_and_leaves_the_terminal_as_it_was(folder: Path) -> None:
    terminal = Terminal(folder, "up")
    terminal.until(lambda seen: b"TRADING" in seen)
    assert b"Processes" in terminal.seen
    assert b"Ctrl-C stops the fund in order" in terminal.seen
    assert terminal.seen.count(b"\x1b[?1049h") == 1  # the other screen, once
    assert b"\x1b[2J" not in terminal.seen.partition(b"TRADING")[2]  # it is never cleared
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 0
    rest = terminal.seen.rpartition(b"\x1b[?1049l")[2].decode()
    assert rest.split("\r\n")[-4:-1] == ["node stopped", "guard stopped", "stopped"]
    assert "\x1b[?25h" in terminal.seen.decode(errors="replace")  # the cursor is back


def test_a_terminal_that_is_lost_does_not_stop_the_fund(folder: Path) -> None:
    terminal = Terminal(folder, "up")
    terminal.until(lambda seen: b"TRADING" in seen)
    place = Place(folder / "state")
    terminal.hang_up()
    time.sleep(1.5)  # longer than a frame
    assert terminal.process.poll() is None
    assert is_running(place)
    stop_fund(place, lambda _: None)
    assert terminal.process.wait(WAIT_S) == 0


def test_a_pipe_that_is_closed_does_not_stop_the_fund(folder: Path) -> None:
    reader = subprocess.Popen(
        [*QV, "up"], cwd=folder, env=environment(PYTHONPATH=PATH), stdout=subprocess.PIPE, text=True
    )
    place = Place(folder / "state")
    assert reader.stdout is not None
    assert "guard ready" in reader.stdout.readline()
    reader.stdout.close()
    until(lambda: is_running(place))
    node = place.process("node")
    assert node is not None
    node.signal(signal.SIGKILL)  # more is said that nobody reads
    until(lambda: (now := place.process("node")) is not None and now.alive)
    assert reader.poll() is None
    reader.send_signal(signal.SIGTERM)
    assert reader.wait(WAIT_S) == 0


def test_watching_is_not_running(folder: Path, supervised: Place) -> None:
    terminal = Terminal(folder, "status", "--follow")
    terminal.until(lambda seen: b"Ctrl-C ends this view; the fund runs on" in seen)
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 0
    follower = subprocess.Popen(
        [*QV, "logs", "supervisor", "-f", "-n", "1"],
        cwd=folder,
        env=environment(PYTHONPATH=PATH),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert follower.stdout is not None
        assert "everything runs" in follower.stdout.readline()
        node = supervised.process("node")
        assert node is not None
        node.signal(signal.SIGKILL)
        assert "node was ended by SIGKILL" in follower.stdout.readline()
    finally:
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=WAIT_S)
    assert follower.returncode == 130


def test_a_unit_is_printed_and_nothing_started(folder: Path) -> None:
    code, out, _ = here("up", folder / "fund.toml", "--systemd", "--no-guard")
    assert code == 0
    assert f"WorkingDirectory={folder}" in out.splitlines()
    [start] = [each for each in out.splitlines() if each.startswith("ExecStart=")]
    assert start.endswith("--plain --no-guard")
    assert not (folder / "state").exists()
