"""Run a small fund of coins on paper for a minute, kill each of its processes, and prove the books.

``make demo-live`` runs it. Everything it shows is done by ``qv``; each step says with what.
"""

import argparse
import json
import signal
import time
from pathlib import Path

from live_fund import PROCESSES, LiveFund


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/demo-live"))
    parser.add_argument("--seconds", type=float, default=60.0, help="of trading")
    options = parser.parse_args()
    fund = _fund(options.out)
    say(f"A fund of coins in {fund.folder}: two strategies, a guard, and a venue on paper.")
    with fund.up():
        equity = _trade(fund, options.seconds)
        step("qv down")
    _prove(fund, equity)


def _fund(folder: Path) -> LiveFund:
    """Make the fund, with a market that is as lively as a minute of it needs."""
    # Starting Python takes seconds on a small machine: the guard is to be patient with that here.
    fund = LiveFund(folder, "heartbeat = { after_s = 60 }")
    text = fund.venue_file.read_text()
    for name, rate in (("move_rate = 2", 10), ("limit_rate = 10", 40), ("market_rate = 2", 20)):
        text = text.replace(name, f"{name.split(' ')[0]} = {rate}")
    fund.venue_file.write_text(text)
    return fund


def _trade(fund: LiveFund, seconds: float) -> float:
    """Trade and kill; the fund's equity at the end."""
    status = fund.until_trading()
    say("It trades. Its processes are killed now, one after the other, with kill -9:")
    began = time.monotonic()
    pause = max(3.0, (seconds - 30.0) / (len(PROCESSES) + 1))
    for name in PROCESSES:
        time.sleep(pause)
        status = fund.until_trading()
        say("")
        step(f"kill -9 {name}")
        say(
            f"  with {len(status['orders'])} orders working, "
            f"{status['counts']['fills']} fills in this epoch"
        )
        epoch = status["epoch"]
        at = time.monotonic()
        process = fund.place.process(name)
        assert process is not None, "it runs"
        process.signal(signal.SIGKILL)
        fund.until_replaced(name, process.pid)
        status = fund.until_trading(epoch if name == "node" else 0)
        venue = status["venues"][0]
        agree = "books and venue agree to the last unit" if venue["clean"] else "they differ"
        took = time.monotonic() - at
        say(f"  trading again after {took:.1f} s, epoch {status['epoch']}; {agree}")
    time.sleep(max(pause, seconds - (time.monotonic() - began)))
    say("")
    step("qv status")
    fund.qv("status")
    equity = float(fund.until_trading()["equity"])
    say("")
    step("qv halt")
    fund.qv("halt", "--reason", "end of the demo")
    return equity


def _prove(fund: LiveFund, equity: float) -> None:
    for words in (("journal", "verify", "state/journal"), ("replay", "state/journal")):
        say("")
        step("qv " + " ".join(words))
        fund.qv(*words)
    say("")
    # What a person had to do, and what the processes that died cost, beside a run without either.
    step("qv divergence --html divergence.html")
    fund.qv("divergence", "--html", "divergence.html")
    say("")
    orders, fills = _count(fund)
    say(f"In all {orders:,} orders and {fills:,} fills; equity at the end {equity:,.2f} USDT.")
    say("A generated market says nothing of what strategies are worth.")
    say("")
    say("Next")
    say(f"  cd {fund.folder} && qv up        the same fund, with a live view; Ctrl-C stops it")
    say(f"  cd {fund.folder} && qv explain state/journal 10")
    say(f"  open {fund.folder / 'divergence.html'}")


def _count(fund: LiveFund) -> tuple[int, int]:
    """Count orders and fills in the journal, from the command that reads it."""
    outputs = [
        each["value"]
        for each in json.loads(fund.read("journal", "show", "state/journal", "1..", "--json"))
        if each["kind"] == "output"
    ]
    kinds = ("order_submitted", "order_filled")
    orders, fills = (sum(kind in each for each in outputs) for kind in kinds)
    return orders, fills


def step(text: str) -> None:
    """Say what is done next."""
    print(f"$ {text}", flush=True)


def say(text: str) -> None:
    """Say something."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
