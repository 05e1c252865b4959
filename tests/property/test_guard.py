"""The guard against a venue that breaks, a node that does not obey, and its own death."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from quantvista.journal import verify
from quantvista.trading.gateway import Filled
from quantvista.trading.guard import Level
from quantvista.trading.paper import Fault
from support.gateway_worlds import CASH, MARGIN, PERPETUAL
from support.guard_worlds import QUIET, Lab, in_lab, timed_records

FAULTS = [
    Fault("drop", "submit", None, 0.1),
    Fault("error", "submit", None, 0.1),
    Fault("duplicate", "submit", None, 0.1),
    Fault("reject", "submit", None, 0.1),
    Fault("drop", "answer", None, 0.15),
    Fault("delay", "answer", None, 0.1, 400_000_000),
    Fault("drop", "cancel", None, 0.15),
    Fault("duplicate", "cancel", None, 0.1),
    Fault("reject", "cancel", None, 0.1),
    Fault("drop", "query", None, 0.1),
    Fault("error", "query", None, 0.1),
    Fault("lie", "query", None, 0.1),
    Fault("lie", "query", None, 0.1, status="unknown"),
    Fault("lie", "query", None, 0.1, status="filled"),
    Fault("drop", "report", None, 0.1),
    Fault("duplicate", "report", None, 0.1),
    Fault("reorder", "report", None, 0.1),
    Fault("drop", "market", None, 0.1),
]
SEEDS = (1, 2, 3, 5, 24, 30, 38)


async def break_things(lab: Lab, draw: random.Random) -> None:
    """Let the venue do everything that it can do wrong, for six seconds."""
    chosen = draw.sample(FAULTS, 8)
    for each in chosen:
        lab.world.faults.arm(replace(each))
    for _ in range(3):
        await asyncio.sleep(2 * draw.random())
        match draw.choice(("disconnect", "halt", "crash", "clock", "nothing")):
            case "crash":
                lab.world.faults.clear()
                await lab.world.crash()
                for each in chosen:
                    lab.world.faults.arm(replace(each))
            case "clock":  # of the guard alone; the venue's goes on
                lab.clock.offset_ns += draw.choice((-3, 5)) * 10**9
                lab.clock_was_set = True
            case "disconnect":
                await lab.world.fault(kind="disconnect", seconds=str(draw.random() * 3))
            case "halt":
                await lab.world.fault(kind="halt", instrument=lab.world.pair)
                await asyncio.sleep(draw.random())
                await lab.world.fault(kind="resume", instrument=lab.world.pair)
    lab.world.faults.clear()


async def kill_and_start_again(lab: Lab, draw: random.Random) -> None:
    """End the guard at some moment, three times, and let another one go on."""
    for _ in range(3):
        await asyncio.sleep(draw.random() * 2.5)
        await lab.kill_guard()
        await asyncio.sleep(draw.random() / 2)
        await lab.start_guard()


async def live(lab: Lab, seed: int) -> None:
    draw = random.Random(seed)
    lab.late = draw.choice((0.0, 0.4))
    lab.buys = draw.choice((0.3, 0.7)) if lab.world.pair == PERPETUAL else 0.7
    await lab.start_guard()
    await lab.node.start()
    await lab.until(lambda: lab.lease.grants > 2)
    await asyncio.sleep(3 * draw.random())
    lab.node.transport.late = draw.choice((0.0, 0.5))
    breaking = asyncio.create_task(break_things(lab, draw))
    await asyncio.sleep(draw.random())
    lab.node.deaf = draw.random() < 0.5
    lab.node.slow_to_die = draw.random() < 0.5
    answer = await lab.guard.handle({"command": "flatten", "by": "anna", "reason": "seed"})
    assert answer["ok"]
    if draw.random() < 0.7:
        await kill_and_start_again(lab, draw)
    await breaking
    await lab.until(lambda: lab.guard.chain.is_done)
    assert lab.guard.level is Level.FLATTEN
    await check(lab)


async def check(lab: Lab) -> None:
    account = lab.world.venue.snapshot(0)
    assert not account.orders
    assert not account.positions
    began = {code: int(amount) for code, amount in lab.guard.log.state.began["paper"].items()}
    for each in account.balances:
        if each.currency != "USDT":
            lot = 10**7  # 0.00001, in 1e-12
            assert each.total - began[each.currency] < lot
    assert lab.node.task is None or lab.node.state == "halted"
    await check_fills(lab, began)
    # Times of a clock that was set say nothing of how long something took.
    window_ns = -(10**18) if lab.clock_was_set else lab.world.terms.window_ns
    check_journal(timed_records(lab.disk), window_ns)
    verify(lab.disk)


async def check_fills(lab: Lab, began: dict[str, int]) -> None:
    """Follow every fill: the guard's own only ever take off what is there."""
    held = 0
    for fill in await lab.fills():
        before, signed = held, fill.quantity if fill.side == "buy" else -fill.quantity
        held += signed
        if own(fill):
            assert abs(held) < abs(before), f"{fill} enlarges {before}"
            assert held * before >= 0, f"{fill} flips {before}"
    # A pair of which the node sold more than it bought is not bought back.
    assert held <= 0 if "BTC" in began else held == 0


def own(fill: Filled) -> bool:
    return fill.client_order_id.startswith("test.guard-")


def check_journal(written: list[tuple[int, Any]], window_ns: int) -> None:
    """No id twice, none larger than what there was, and nothing before the step before it."""
    fenced = cleared = False
    fenced_at = 0
    ids = Counter[str]()
    for ts, body in written:
        match type(body).__name__:
            case "Started":
                fenced = cleared = False  # a new life makes sure itself
            case "Stepped" if body.state == "done":
                if body.step == "fence":
                    fenced, fenced_at = True, ts
                cleared = cleared or body.step == "cancel"
            case "Cancelling":
                assert fenced, "cancelled before the node was fenced"
            case "Sent":
                assert fenced, "flattened before the node was fenced"
                assert cleared, "flattened before everything was cancelled"
                assert ts > fenced_at + window_ns, "what the node sent may still arrive"
                assert 0 < body.quantity <= body.held
                ids[body.client_order_id] += 1
    assert set(ids.values()) <= {1}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_position_is_taken_off_whatever_breaks(seed: int) -> None:
    live_once(seed)


def live_once(seed: int) -> None:
    """In margin and cash, in slices and at once, by the seed."""
    share = Decimal(1) if seed % 4 < 2 else Decimal("0.25")
    section = QUIET.model_copy(update={"slice_share": share})
    window_ns = 10**9 if seed % 3 else 300_000_000
    terms = replace(MARGIN if seed % 2 else CASH, window_ns=window_ns)
    in_lab(lambda lab: live(lab, seed), seed=seed, terms=terms, section=section)


def test_the_same_seed_writes_the_same_journal() -> None:
    written: list[bytes] = []

    async def test(lab: Lab) -> None:
        await live(lab, 3)
        names = [name for name in lab.disk.names() if name.endswith(".qvj")]
        written.append(b"".join(lab.disk.content(name) or b"" for name in names))

    for _ in range(2):
        in_lab(test, seed=3, terms=MARGIN)
    assert written[0] == written[1]
