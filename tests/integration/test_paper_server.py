"""A paper venue as a process: killed at any moment, it still has all that it acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quantvista.cli._app import app
from quantvista.keyring import make_ring
from quantvista.trading.gateway import (
    Acknowledged,
    Cancelled,
    CancelOrder,
    Filled,
    Report,
    SubmitOrder,
    Unknown,
)
from quantvista.trading.gateway.http import HttpTransport, SystemClock
from quantvista.trading.paper import Credentials, GatewaySettings, PaperGateway
from support.gateway_worlds import Heard, order

ROUNDS = 2
PAIR = "BTC-USDT.PAPER"
CONFIG = """
version = 1
[[venue]]
id = "paper"
fee_bps = 10
accounts = { main = { USDT = 1000000, BTC = 10 } }
[[venue.instrument]]
id = "BTC-USDT.PAPER"
kind = "pair"
base = "BTC"
tick_size = "0.01"
lot_size = "0.00001"
price = 50000
move_rate = 50
size = 1000
"""
QV = (sys.executable, "-m", "quantvista")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "paper.toml").write_text(CONFIG)
    return tmp_path


@contextlib.contextmanager
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a folder, and where it listens."""
    command = [*QV, "paper", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            if process.poll() is None:
                process.kill()


def qv(folder: Path, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - what JSON there is
    """Run a command in this process, which starts no Python of its own."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(app, ["paper", *arguments, "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code == 0 else done.stderr


def gateway(url: str, key: dict[str, str], seed: int) -> PaperGateway:
    return PaperGateway(
        HttpTransport(url),
        "paper",
        Credentials(key["key"], key["secret"]),
        SystemClock(),
        seed=seed,
        settings=GatewaySettings(timeout_s=2.0),
    )


async def trade_until_dead(
    process: subprocess.Popen[str], to: PaperGateway, first: int, draw: random.Random
) -> tuple[list[SubmitOrder], list[Acknowledged], list[Report]]:
    """Send orders, several at a time, until the server is killed in the middle of them."""
    await to.connect()
    heard = Heard(to)
    sent: list[SubmitOrder] = []
    known: list[Acknowledged] = []

    async def one() -> None:
        limit: dict[str, Any] = {}
        if draw.random() < 0.5:
            limit = {"kind": "limit", "limit_price": 4_990_000}
        sent.append(order(draw.choice(("buy", "sell")), 10, first + len(sent), **limit))
        answer = await to.submit(sent[-1])
        if isinstance(answer, Acknowledged):
            known.append(answer)
            if limit and draw.random() < 0.5:
                await to.cancel(CancelOrder(client_order_id=answer.client_order_id))

    async def kill() -> None:
        await asyncio.sleep(0.2 + draw.random() / 2)
        os.kill(process.pid, signal.SIGKILL)

    async def send() -> None:
        while process.poll() is None:
            await one()

    await asyncio.gather(kill(), *(send() for _ in range(3)))
    with contextlib.suppress(TimeoutError):
        await heard.up_to(10**9, within_s=0.05)
    await to.close()
    return sent, known, heard.reports


async def check(
    to: PaperGateway, sent: list[SubmitOrder], known: list[Acknowledged], heard: list[Report]
) -> None:
    await to.connect()
    # Its market goes on: what is asked for first is in what is told later.
    states = {each.client_order_id: await to.order(each.client_order_id) for each in sent}
    snapshot = await to.account()
    reports = await Heard(to).up_to(snapshot.sequence)
    assert reports[: len(heard)] == heard
    fills = [each for each in reports if isinstance(each, Filled)]
    assert len({each.trade_id for each in fills}) == len(fills)
    for answer in known:
        state = states[answer.client_order_id]
        assert state is not None
        assert state.venue_order_id == answer.venue_order_id
    for each in sent:
        state = states[each.client_order_id]
        filled = sum(f.quantity for f in fills if f.client_order_id == each.client_order_id)
        if state is None:
            assert filled == 0
        else:
            assert state.filled <= filled <= each.quantity
            assert filled == state.filled or state.status in ("accepted", "partially_filled")
    money = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
    for fill in fills:
        way = 1 if fill.side == "buy" else -1
        quantity = Decimal(fill.quantity).scaleb(-5)
        money["BTC"] += way * quantity
        money["USDT"] -= way * quantity * Decimal(fill.price).scaleb(-2)
        money["USDT"] -= Decimal(fill.fee).scaleb(-12)
    assert {each.currency: Decimal(each.total).scaleb(-12) for each in snapshot.balances} == money
    working = {each.client_order_id for each in snapshot.orders}
    gone = {each.client_order_id for each in reports if isinstance(each, Cancelled)}
    assert not working & gone
    # The same orders again, also those that nobody knows of: none trades twice.
    for each in sent[-5:]:
        before = await to.order(each.client_order_id)
        again = await to.submit(each)
        assert not isinstance(again, Unknown)
        if isinstance(again, Acknowledged):
            assert again.duplicate == (before is not None)
    await to.close()


@pytest.mark.parametrize("encrypted", [False, True])
def test_server_that_is_killed_has_all_that_it_acknowledged(folder: Path, encrypted: bool) -> None:
    if encrypted:
        make_ring(folder / "coins.keys")
        (folder / "paper.toml").write_text(f'encrypted = true\nkey_ring = "coins.keys"\n{CONFIG}')
    key = qv(folder, "key")
    sent: list[SubmitOrder] = []
    known: list[Acknowledged] = []
    heard: list[Report] = []
    for number in range(ROUNDS + 1):
        draw = random.Random(number)
        with server(folder) as (process, url):
            if number:
                asyncio.run(check(gateway(url, key, 2 * number + 1), sent, known, heard))
            if number == ROUNDS:
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
                break
            to = gateway(url, key, 2 * number)
            new = asyncio.run(trade_until_dead(process, to, 1_000 * number + 1, draw))
        assert len(new[0]) > 5
        sent, known, heard = sent + new[0], known + new[1], new[2]


def test_commands_show_and_break_a_server(folder: Path) -> None:
    with server(folder) as (process, _):
        made = qv(folder, "key")
        kept = folder / "paper" / "keys.json"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert made["secret"] in kept.read_text()
        traded = qv(folder, "fault", "trade", "side=buy", f"instrument={PAIR}", "quantity=0.001")
        assert traded["order"]["client_order_id"] == "@manual-1"
        assert qv(folder, "fault", "drop", "--on", "report", "--count", "2")["on"] == "report"
        status = qv(folder, "status")
        assert status["faults"]["armed"] == [{"kind": "drop", "on": "report", "count": 2}]
        assert status["faults"]["happened"] == {"trade": 1}
        assert status["accounts"]["main"]["sequence"] >= 2
        assert "`on` must be" in qv(folder, "fault", "drop", "--on", "nothing", code=1)
        money = qv(folder, "status")["accounts"]["main"]["balances"]
        assert qv(folder, "pay", "10.5", "USDT")["amount"] == 10_500_000_000_000
        assert qv(folder, "pay", "20", "USDT", "--out")["amount"] == -(20 * 10**12)
        paid = qv(folder, "status")["accounts"]["main"]["balances"]
        gained = [now["total"] - was["total"] for now, was in zip(paid, money, strict=True)]
        assert gained.count(-9_500_000_000_000) == len(gained) - gained.count(0) == 1
        for amount in ("0", "much", "nan"):
            assert "`amount` must be a number above 0" in qv(folder, "pay", amount, "USDT", code=2)
        assert "worth less than" in qv(folder, "pay", "1e15", "USDT", code=1)
        assert qv(folder, "fault", "clear") == {"armed": 0}
        assert "in use by another" in qv(folder, "serve", "--port", "0", code=2)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert "no venue answers" in qv(folder, "status", code=1)
