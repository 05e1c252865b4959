"""Run a small fund of coins on paper for a minute, kill each of its processes, and prove the books.

``make demo-live`` runs it. Everything it shows is done by ``qv``; each step says with what.
"""

import argparse
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from quantvista.errors import ControlError
from quantvista.fund import write_template
from quantvista.trading.control import Place, ask

_READY_S = 60.0
_PROCESSES = ("node", "paper", "guard")


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo-live"))
    parser.add_argument("--seconds", type=float, default=60.0, help="of trading")
    options = parser.parse_args()
    folder: Path = options.out
    if folder.exists():
        shutil.rmtree(folder)
    _write(folder)
    fund = Place(folder / "state")
    say(f"A fund of coins in {folder}: two strategies, a guard, and a venue on paper.")
    up = _qv_in_background(folder, "up", "fund.toml", "--plain")
    try:
        _trade(folder, fund, options.seconds)
        step("qv down")
        _qv(folder, "down")
        up.wait(30)
    finally:
        if up.poll() is None:
            up.send_signal(signal.SIGTERM)
            up.wait(30)
    _prove(folder)


def _write(folder: Path) -> None:
    """Write the fund and its venue, at a port that is free."""
    folder.mkdir(parents=True)
    write_template("paper", folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    paper, fund = folder / "paper.toml", folder / "fund.toml"
    text = paper.read_text().replace("port = 8710", f"port = {port}")
    for name, rate in (("move_rate = 2", 10), ("limit_rate = 10", 40), ("market_rate = 2", 20)):
        text = text.replace(name, f"{name.split(' ')[0]} = {rate}")
    paper.write_text(text)
    words = fund.read_text().replace(":8710", f":{port}")
    words = words.replace("gamma = 0.01 ", "warm_up_events = 20\ngamma = 0.01 ", 1)
    # Starting Python takes seconds on a small machine: the guard is to be patient with that here.
    fund.write_text(words + "\n[guard]\nheartbeat = { after_s = 60 }\n")


def _trade(folder: Path, fund: Place, seconds: float) -> None:
    status = _until_trading(fund)
    say("It trades. Its processes are killed now, one after the other, with kill -9:")
    began = time.monotonic()
    pause = max(3.0, (seconds - 30.0) / (len(_PROCESSES) + 1))
    for name in _PROCESSES:
        time.sleep(pause)
        status = _until_trading(fund)
        say("")
        step(f"kill -9 {name}")
        say(
            f"  with {len(status['orders'])} orders working, "
            f"{status['counts']['fills']} fills in this epoch"
        )
        epoch = status["epoch"]
        at = time.monotonic()
        process = fund.process(name)
        assert process is not None, "it runs"
        process.signal(signal.SIGKILL)
        _until_back(fund, name, process.pid)
        status = _until_trading(fund, epoch if name == "node" else 0)
        venue = status["venues"][0]
        agree = "books and venue agree to the last unit" if venue["clean"] else "they differ"
        took = time.monotonic() - at
        say(f"  trading again after {took:.1f} s, epoch {status['epoch']}; {agree}")
    time.sleep(max(pause, seconds - (time.monotonic() - began)))
    say("")
    step("qv status")
    _qv(folder, "status")
    say("")
    step("qv halt")
    _qv(folder, "halt", "--reason", "end of the demo")


def _prove(folder: Path) -> None:
    for words in (("journal", "verify", "state/journal"), ("replay", "state/journal")):
        say("")
        step("qv " + " ".join(words))
        _qv(folder, *words)
    say("")
    # What a person had to do, and what the processes that died cost, beside a run without either.
    step("qv divergence --html divergence.html")
    _qv(folder, "divergence", "--html", "divergence.html")
    say("")
    orders, fills, money = _report(folder)
    say(f"In all {orders:,} orders and {fills:,} fills; equity at the end {money} USDT.")
    say("A generated market says nothing of what strategies are worth.")
    say("")
    say("Next")
    say(f"  cd {folder} && qv up        the same fund, with a live view; Ctrl-C stops it")
    say(f"  cd {folder} && qv explain state/journal 10")
    say(f"  open {folder / 'divergence.html'}")


def _report(folder: Path) -> tuple[int, int, str]:
    """Count what the journal holds, from the commands that read it."""
    found = {}
    for kind in ("order_submitted", "order_filled"):
        found[kind] = 0
    lines = subprocess.run(
        [sys.executable, "-m", "quantvista", "journal", "show", "state/journal", "1..", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for each in json.loads(lines):
        value = each["value"]
        for kind in found:
            found[kind] += each["kind"] == "output" and kind in value
    final = json.loads((folder / "last.json").read_text())
    return found["order_submitted"], found["order_filled"], f"{float(final['equity']):,.2f}"


def _until_back(fund: Place, name: str, pid: int) -> None:
    """Wait until another process has taken the place of one."""
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        with contextlib.suppress(ControlError):
            found = fund.process(name)
            if found is not None and found.pid != pid:
                if name != "paper":
                    ask(fund.socket(name), {"command": "status", "by": "demo"}, 5.0)
                return
        time.sleep(0.1)
    sys.exit(f"{name} does not come back; see {fund.logs}")


def _until_trading(fund: Place, epoch_after: int = 0) -> dict[str, Any]:
    until = time.monotonic() + _READY_S
    last: Any = None
    while time.monotonic() < until:
        with contextlib.suppress(ControlError):
            last = ask(fund.socket("node"), {"command": "status", "by": "demo"}, 5.0)
            if last["health"] == "trading" and last["epoch"] > epoch_after:
                (fund.folder.parent / "last.json").write_text(json.dumps(last))
                return dict(last)
        time.sleep(0.1)
    sys.exit(f"the fund does not come to trade: {last}; see {fund.logs}")


def _qv(folder: Path, *words: str) -> None:
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "quantvista", *words], cwd=folder, check=True)


def _qv_in_background(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    with (folder / "up.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "quantvista", *words], cwd=folder, stdout=log, stderr=log
        )


def step(text: str) -> None:
    """Say what is done next."""
    print(f"$ {text}", flush=True)


def say(text: str) -> None:
    """Say something."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
