"""Processes of a fund killed at random moments under load: nothing is lost, nothing twice."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quantvista.backtest.recorded import replay
from quantvista.engine import RawEngine
from quantvista.journal import INPUT, OUTPUT, Reader, verify
from quantvista.trading.paper._config import load_config
from support.live_fund import NAMES, LiveFund
from support.lives.books import Ledger

ROUNDS = int(os.environ.get("ROUNDS", "50"))
SEED = int(os.environ.get("KILL_SEED", "1"))
EACH = 25  # rounds of one fund


@pytest.fixture
def fund(tmp_path: Path) -> Iterator[LiveFund]:
    found = LiveFund(tmp_path)
    yield found
    found.end()


@pytest.mark.parametrize("part", range(-(-ROUNDS // EACH)))
def test_nothing_is_lost_or_doubled_by_kills(fund: LiveFund, part: int) -> None:
    rounds = min(EACH, ROUNDS - part * EACH)
    dice = random.Random(SEED + part)
    fund.up()
    in_flight = 0
    until = time.monotonic() + 30
    while not fund.has_in_flight() and time.monotonic() < until:
        time.sleep(0.1)  # until the strategies have seen enough to quote
    for round_ in range(rounds):
        names = NAMES if round_ % 4 == 3 else (NAMES[round_ % 4],)
        time.sleep(dice.uniform(0.0, 1.0))
        before, guard, paper = fund.status(), fund.guard_epoch(), fund.place.process("paper")
        in_flight += bool(before["orders"])
        fund.kill(*names)
        if "guard" in names:
            fund.until_guarded(guard)
        if "paper" in names:
            fund.until_another("paper", paper)
        fund.until_trading(before["epoch"] if "node" in names else before["epoch"] - 1)
    assert in_flight >= 0.3 * rounds
    time.sleep(1.0)
    fund.until_trading()
    fund.halt()  # orders stay when a fund is stopped, and would fill without it
    has = fund.status()
    fund.down()
    _check(fund)
    _compare_money(fund, has)


def _compare_money(fund: LiveFund, has: dict[str, Any]) -> None:
    """Hold the node's money against what the venue's own reports add up to, to the last unit."""
    config, base = load_config(fund.folder / "paper.toml")
    (venue,) = config.venue
    terms, _ = venue.build(base)
    with fund.store() as store:
        rows = store.execute("SELECT number, report FROM reports ORDER BY number").fetchall()
    start = {code: int(amount.scaleb(12)) for code, amount in terms.accounts[0].balances}
    ledger = Ledger(terms.instruments, start, lambda after: rows[after:])
    money, held = ledger.at(len(rows))
    assert not held
    told = {each["currency"]: int(Decimal(each["amount"]).scaleb(12)) for each in has["balances"]}
    assert told == {code: money.get(code, 0) for code in told}
    assert set(money) <= set(told)


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
