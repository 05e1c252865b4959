"""Processes of a fund killed at random moments under load: nothing is lost, nothing twice."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantvista.backtest.recorded import replay
from quantvista.engine import RawEngine
from quantvista.journal import INPUT, OUTPUT, Reader, verify
from support.live_fund import NAMES, LiveFund

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SEED = int(os.environ.get("KILL_SEED", "1"))


@pytest.fixture
def fund(tmp_path: Path) -> Iterator[LiveFund]:
    found = LiveFund(tmp_path)
    yield found
    found.end()


def test_nothing_is_lost_or_doubled_by_kills(fund: LiveFund) -> None:
    dice = random.Random(SEED)
    fund.up()
    in_flight = 0
    until = time.monotonic() + 30
    while not fund.has_in_flight() and time.monotonic() < until:
        time.sleep(0.2)  # until the strategies have seen enough to quote
    for round_ in range(ROUNDS):
        names = NAMES if round_ % 4 == 3 else (NAMES[round_ % 4],)
        time.sleep(dice.uniform(0.0, 1.5))
        epoch = fund.status()["epoch"]
        in_flight += fund.has_in_flight()
        fund.kill(*names)
        time.sleep(0.2)
        fund.until_trading(epoch if "node" in names else epoch - 1)
    assert in_flight >= 0.3 * ROUNDS
    time.sleep(2.0)
    fund.until_trading()
    fund.halt()  # orders stay when a fund is stopped, and would fill without it
    fund.down()
    _check(fund)


def _check(fund: LiveFund) -> None:
    """Hold what the journal says against what the venue keeps."""
    assert verify(fund.place.journal).records > 0
    assert verify(fund.place.guard_journal).records > 0
    replayed = replay(fund.place.journal)
    assert replayed.agrees, replayed.parting
    assert replayed.status == "closed"
    told: Counter[str] = Counter()
    sent: set[int] = set()
    for batch in Reader(fund.place.journal):
        for record in batch:
            if record.kind == INPUT.number:
                event = RawEngine.decode_input(record.payload)["event"]
                filled = event.get("report", {}).get("filled")
                if filled is not None:
                    told[filled["trade"]] += 1
            elif record.kind == OUTPUT.number:
                output = RawEngine.decode_output(record.payload)
                if "order_submitted" in output:
                    sent.add(output["order_submitted"]["id"])
    with fund.store() as store:
        rows = store.execute("SELECT report, trade_id FROM reports").fetchall()
        names = [row[0] for row in store.execute("SELECT client FROM orders")]
    trades = {row[1] for row in rows if row[1] is not None and "Filled" in json.loads(row[0])}
    trades = trades or {row[1] for row in rows if row[1] is not None}
    assert trades
    assert told == dict.fromkeys(trades, 1), "each fill is in the journal once"
    numbers = [int(name.rpartition("-")[2]) for name in names if name.startswith("paper-")]
    assert len(numbers) == len(set(numbers)), "no order is at the venue under two names"
    assert set(numbers) <= sent, "nothing was sent that the journal does not know"
