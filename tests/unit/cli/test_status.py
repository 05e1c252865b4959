"""``qv status``: what is drawn, in 80 columns, and what is said of who is silent."""

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from quantvista.cli import _status, _status_view
from quantvista.cli._status import Standing
from quantvista.cli._status_view import standing_view
from quantvista.trading.control import Place
from support.answering import answering

S = 1_000_000_000
NOW = 1_795_000_000 * S
NODE: dict[str, Any] = {
    "ok": True,
    "fund": "demo",
    "now": NOW,
    "health": "trading",
    "why": [],
    "state": "active",
    "currency": "USDT",
    "equity": "100012.3456",
    "cash": "40012.10",
    "day_pnl": "-12.3",
    "positions": [
        {
            "instrument": "BTC-USDT.PAPER",
            "sleeve": "trend",
            "quantity": "-1.20000",
            "mark": "50012.1",
            "value": "-60014.52",
            "pnl": "14.52",
        }
    ],
    "orders": [
        {
            "instrument": "ETH-USDT.PAPER",
            "side": "buy",
            "type": "limit",
            "quantity": "0.5",
            "filled": "0.1",
            "limit": None,
            "status": "partially_filled",
            "age_ns": 75 * S,
        }
    ],
    "venues": [
        {
            "id": "paper",
            "connected": False,
            "last_report": NOW - 4 * S,
            "clock_offset_ns": -3_000_000,
            "lag_ns": 5_400_000,
        }
    ],
    "decisions": [{"ts": NOW - 2 * S, "text": "older"}, {"ts": NOW - S, "text": "x" * 90}],
    "limits": [
        {"name": "gross", "used": "0.95", "limit": "1"},
        {"name": "none", "used": None, "limit": None},
    ],
    "journal": {"sequence": 123456, "head": "ab12cd34ef", "bytes": 12345678},
    "counts": {"orders": 412, "fills": 317},
}
SUPERVISOR: dict[str, Any] = {
    "ok": True,
    "state": "running",
    "folder": "funds/crypto/state",
    "processes": [
        {
            "name": "guard",
            "pid": None,
            "state": "gave up",
            "for_s": 4.0,
            "restarts": 0,
            "ended": "ended with exit code 2",
        },
        {
            "name": "node",
            "pid": 12,
            "state": "ready",
            "for_s": 90_000.0,
            "restarts": 2,
            "ended": "was ended by SIGKILL",
        },
    ],
}


def standing(node: dict[str, Any] | None = NODE, **rest: Any) -> Standing:  # noqa: ANN401
    answers = {"supervisor": SUPERVISOR, **({} if node is None else {"node": node})}
    found = Standing(NOW, answers, {}, None, NOW)
    return found._replace(**rest)


def drawn(found: Standing, height: int | None = None, *, colour: bool = False) -> str:
    out = io.StringIO()
    system = "truecolor" if colour else None
    console = Console(
        file=out,
        width=80,
        force_terminal=colour,
        color_system=system,  # type: ignore[arg-type]
        highlight=False,
    )
    console.print(standing_view(found, height))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_everything_is_there_in_80_columns() -> None:
    text = drawn(standing())
    assert max(map(len, text.splitlines())) <= 80
    assert text.splitlines()[0].split() == ["demo", "TRADING", "2026-11-18", "11:06:40", "UTC"]
    for line in (
        "equity USDT 100,012.35   day −12.30   cash 40,012.10",  # noqa: RUF001 - a minus sign
        "BTC-USDT.PAPER  trend   −1.20000  50,012.1  −60,014.52  +14.52",  # noqa: RUF001
        "ETH-USDT.PAPER  buy limit       0.5     0.1      –  partially filled  1 min",  # noqa: RUF001
        "gross 0.95 1 ━━━━━━━━━━━─  95 %",
        "none       –      –                   –",  # noqa: RUF001
        "paper  not connected        4.0 s  −3.0 ms  5.4 ms",  # noqa: RUF001
        "11:06:38   older",
        "guard      gave up  4.0 s    –  ended with exit code 2",  # noqa: RUF001
        "node       ready      1 d   12  2 restarts; last it was ended by SIGKILL",
        "journal 123,456 records, 12.3 MB, head ab12cd34",
        "this process: 317 fills, 412 orders",
    ):
        assert " ".join(line.split()) in [" ".join(each.split()) for each in text.splitlines()]
    assert f"11:06:39  {'x' * 69}…" in text


def test_a_halt_is_an_alarm_and_a_loss_is_none() -> None:
    alarm = "48;2;196;0;43"
    assert alarm not in drawn(standing(answers={"node": NODE}), colour=True)
    for node in ({**NODE, "health": "halted"}, {**NODE, "state": "halted"}):
        text = drawn(standing(answers={"node": node}), colour=True)
        assert f"{alarm}m HALTED " in text
        assert "nothing new is sent until qv resume" in text
    assert f"{alarm}mgave up" in drawn(standing(), colour=True)


def test_reasons_and_states_are_said() -> None:
    node = {**NODE, "health": "no_new_risk", "state": "reduce_only", "why": ["quotes are old"]}
    guard = {"ok": True, "level": "reduce", "why": ["loss of the day"], "waits_for": "the node"}
    lines = drawn(
        standing(answers={"node": node, "guard": guard}, order={"by": "ann"})
    ).splitlines()
    assert lines[0].startswith("demo   NO NEW RISK   reduce-only")
    assert lines[2:5] == [
        "  the guard:  reduce  loss of the day; waits until the node",
        "  quotes are old",
        "  an order to halt, by ann, lies there until qv resume",
    ]
    lapsed = {"ok": True, "level": "watch", "lease": "lapses", "why": ["the venue is silent"]}
    text = drawn(standing(answers={"node": NODE, "guard": lapsed}))
    assert "the guard:  permission lapses  the venue is silent" in text


def test_the_guard_speaks_where_the_node_is_silent() -> None:
    guard = {
        "ok": True,
        "fund": "demo",
        "level": "halt",
        "currency": "USDT",
        "equity": "99.00",
        "why": ["no heartbeat"],
        "limits": [
            {"name": "drawdown", "used": "0.19", "limit": "0.2"},
            {"name": "orders", "used": "1", "limit": "500"},
        ],
        "venues": [{"id": "paper", "connected": True, "last_report": 1234}],
    }
    text = drawn(standing(answers={"guard": guard}, errors={"node": "the node hangs"}))
    assert text.startswith("demo   SILENT")
    assert "equity USDT 99.00" in text
    assert "as the guard has it" in text
    assert "the guard:  halt  no heartbeat" in text
    assert "guard: drawdown" in text
    assert "guard: orders" not in text
    assert "connected 1,234" in " ".join(text.split())


def test_a_silent_node_is_shown_as_it_was_with_its_age() -> None:
    error = {"node": "the node of state did not answer within 2 s; see qv logs node"}
    silent = Standing(NOW + 6 * S, {"supervisor": SUPERVISOR}, error, None, NOW + 6 * S)
    text = drawn(silent.after(standing()))
    assert "demo   SILENT" in text
    assert "as of 6.0 s ago" in text
    assert "did not answer within 2 s" in text
    assert "BTC-USDT.PAPER" in text
    assert "node       silent " in text
    assert drawn(silent.after(None)).startswith("crypto   SILENT")
    starting = {"supervisor": {**SUPERVISOR, "state": "starting"}}
    text = drawn(silent._replace(answers=starting))
    assert text.startswith("crypto   STARTING")
    assert "did not answer" not in text
    assert drawn(silent._replace(answers={})).startswith("fund   NOT RUNNING")


@pytest.mark.parametrize("height", [24, 30, 50])
def test_a_low_terminal_gets_what_fits(height: int) -> None:
    many = {**NODE, "positions": NODE["positions"] * 50, "decisions": NODE["decisions"] * 20}
    lines = drawn(standing(many), height).splitlines()
    assert len(lines) <= max(height, 30)  # below that the least of each section remains
    assert any(line.startswith("and ") and line.endswith(" more") for line in lines)
    assert lines[-1] == "this process: 317 fills, 412 orders"


def test_odd_answers_do_not_break_the_view() -> None:
    odd: dict[str, Any] = {
        "ok": True,
        "equity": "NaN",
        "day_pnl": "x",
        "positions": [{}],
        "orders": [{}],
        "venues": [{}],
        "decisions": [{}],
        "limits": [{"used": "1", "limit": "0"}],
        "journal": {},
        "counts": None,
    }
    assert "UNKNOWN" in drawn(standing(odd))
    assert "P&L" not in drawn(standing(odd))  # this node does not say


@pytest.mark.parametrize("name", ["_GAIN", "_LOSS", "_CAUTION"])
def test_colours_can_be_read_on_black_and_on_white(name: str) -> None:
    digits = getattr(_status_view, name).rpartition("#")[2]
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [
        each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    light = sum(w * each for w, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    assert 1.05 / (light + 0.05) >= 4.5
    assert (light + 0.05) / 0.05 >= 4.5


def test_the_command_prints_what_is_answered(
    qv: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_status, "_ASK_S", 1.0)
    place = Place(tmp_path / "state")
    done = qv("status", "--state", place.folder)
    assert done.code == 1
    assert "no such state folder" in done.err
    with answering(place, "node", {"status": NODE}), answering(place, "guard", {}):
        done = qv("status", "--state", place.folder)
        assert (done.code, done.err) == (0, "")
        assert "BTC-USDT.PAPER" in done.out
        assert qv("status", "--state", place.folder, "--follow").code == 0  # no terminal: once
        found = json.loads(qv("status", "--state", place.folder, "--json").out)
    assert (found["ok"], found["guard"], found["order"]) == (True, None, None)
    assert Decimal(found["node"]["equity"]) == Decimal("100012.3456")
    assert found["errors"]["guard"] == "the guard said: not now; wait"
    done = qv("status", "--state", place.folder)
    assert done.code == 1
    assert "NOT RUNNING" in done.out
