"""The guard as a process, beside a venue of its own and a node that it may kill."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.errors import ConfigError, ControlError
from quantvista.journal import verify
from quantvista.trading.control import Place, ask
from quantvista.trading.guard import FileLease
from quantvista.trading.guard.serving import serve
from quantvista.trading.supervisor import plan

TESTS = Path(__file__).parents[1]
FUND = """
version = 1
fund = {{ name = "guarded", currency = "USDT", cash = "100000", calendar = "24/7" }}
data = {{ source = "sample:sp500" }}
sleeve = [{{ id = "all", strategy = "equal_weight" }}]
guard = {{ fence_s = 1, slice_pause_s = 0.1, heartbeat = {{ after_s = 3600 }} }}
[[venue]]
id = "paper"
kind = "paper"
url = "http://127.0.0.1:{port}"
instruments = ["BTC-USDT.PAPER"]
"""
PAPER = """
version = 1
port = {port}
[[venue]]
id = "paper"
window_s = 1
accounts = {{ main = {{ USDT = 100000, BTC = 1 }} }}
[[venue.instrument]]
id = "BTC-USDT.PAPER"
kind = "pair"
base = "BTC"
tick_size = "0.01"
lot_size = "0.00001"
price = 50000
size = 100000
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "fund.toml").write_text(FUND.format(port=port))
    (tmp_path / "paper.toml").write_text(PAPER.format(port=port))
    return tmp_path


@contextlib.contextmanager
def running(words: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=folder, stdout=log, stderr=log, env=dict(os.environ)
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(what: Callable[[], bool], folder: Path, within_s: float = 90.0) -> None:
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, (folder / "log").read_text()
        time.sleep(0.05)


def answers(place: Place) -> bool:
    with contextlib.suppress(ControlError):
        return ask(place.socket("guard"), {"command": "status"})["ok"] is True
    return False


def test_a_guard_lets_trade_drills_halts_and_kills(folder: Path) -> None:
    fund, place = folder / "fund.toml", Place(folder / "state")
    plan(fund, place)  # makes the keys
    lease = FileLease(place.lease)

    def leased() -> bool:
        return lease.valid(1, time.time_ns())

    node_script = str(TESTS / "support" / "fake_node.py")
    with (
        running(["-m", "quantvista", "paper", "serve"], folder),
        running([node_script, str(place.folder)], folder) as node,
        running(["-m", "quantvista", "guard", str(fund)], folder) as guard,
    ):
        wait_for(leased, folder)
        words = ["drill", "--state", str(place.folder), "--resume", "--json"]
        found = CliRunner().invoke(app, words)
        assert found.exit_code == 0, found.output
        drill = json.loads(found.stdout)
        done = [each["step"] for each in drill["steps"] if each["state"] == "done"]
        assert (drill["done"], drill["resumed"]) == (True, True)
        assert done == ["fence", "cancel", "flatten", "cancel"]
        wait_for(leased, folder)

        node.send_signal(signal.SIGSTOP)  # it hangs
        request = {"command": "halt", "by": "anna", "reason": "it hangs"}
        answer = ask(place.socket("guard"), request, 20.0)
        assert answer["text"] == "halt: the node is fenced, nothing is open"
        assert node.wait(5) == -signal.SIGKILL
        assert not FileLease(place.lease).valid(1, time.time_ns())

        epoch = ask(place.socket("guard"), {"command": "status"})["epoch"]
        guard.kill()
        guard.wait()
        with running(["-m", "quantvista", "guard", str(fund)], folder) as second:
            wait_for(lambda: answers(place), folder)
            status = ask(place.socket("guard"), {"command": "status"})
            assert (status["level"], status["epoch"], status["by"]) == ("halt", epoch + 1, "anna")
            with pytest.raises(ControlError, match="runs already"):
                serve(fund, None, print)
            second.send_signal(signal.SIGTERM)
            assert second.wait(20) == 0
    assert place.process("guard") is None
    assert verify(place.guard_journal).records > 20


def test_a_guard_says_what_it_lacks(folder: Path) -> None:
    with pytest.raises(ConfigError, match="the key 'guard' of venue 'paper' must be in"):
        serve(folder / "fund.toml", None, print)
    text = (folder / "fund.toml").read_text().partition("[[venue]]")[0]
    (folder / "fund.toml").write_text(text)
    with pytest.raises(ConfigError, match="must be paper"):
        serve(folder / "fund.toml", None, print)


def test_a_schedule_is_printed(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["drill", "--schedule", "--state", str(tmp_path)])
    assert found.exit_code == 0
    assert f"drill --resume --state {tmp_path}" in found.stdout
    assert "OnCalendar" in found.stdout


def test_no_drill_where_nothing_runs(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["drill", "--state", str(tmp_path / "state")])
    assert (found.exit_code, "no fund runs" in found.output) == (1, True)
