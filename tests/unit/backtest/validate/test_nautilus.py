import ast
import json
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from quantvista.backtest.validate import Kind, find_python
from quantvista.backtest.validate._generate import generate
from quantvista.backtest.validate._nautilus import CHILD, TheirSide, given, read
from quantvista.backtest.validate._result import End
from quantvista.backtest.validate._session import Command, Order, Session
from quantvista.errors import ConfigError, EngineError


def test_an_interpreter_that_is_not_there_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="make nautilus") as caught:
        find_python(tmp_path / "python")
    assert "`python` must be" in str(caught.value)
    assert find_python(Path(sys.executable)) == Path(sys.executable)
    made = tmp_path / ".venv-nautilus" / "bin" / "python"
    made.parent.mkdir(parents=True)
    made.touch()
    monkeypatch.chdir(tmp_path)
    assert find_python() == made


def test_a_process_that_ends_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no module of that name' >&2\nexit 1\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    session = generate(1)
    with TheirSide(broken) as side:
        side.start(session)
        with pytest.raises(EngineError, match="session 1: no module of that name") as caught:
            side.finish(session)
    assert "make nautilus" in str(caught.value)


def test_the_child_does_not_need_this_package() -> None:
    tree = ast.parse(CHILD.read_text("utf-8"))
    names = {
        each.module if isinstance(each, ast.ImportFrom) else alias.name
        for each in ast.walk(tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for alias in each.names
    }
    assert not [name for name in names if name and name.startswith("quantvista")]


def only(session: Session, *orders: Order) -> Session:
    """The session with these orders alone."""
    ts = session.commands[0].ts
    commands = tuple(Command(ts + index, "submit", order) for index, order in enumerate(orders))
    return replace(session, commands=commands)


def test_what_is_given_is_json() -> None:
    for seed in range(4):
        assert json.loads(json.dumps(given(generate(seed))))["seed"] == seed


def test_orders_on_bars_come_after_the_next_open() -> None:
    session = only(generate(1, "bars"), Order(1, 0, "buy", 1))
    (command,) = given(session)["commands"]
    sent = session.commands[0].ts
    closed = max(row.ts for row in session.tape if row.ts < sent)
    opened = closed + session.open_delay_ns
    assert sent < opened < command["ts"] < closed + session.bar_ns


@pytest.mark.parametrize("kind", ["quotes", "books"])
def test_orders_on_quotes_and_books_keep_their_times(kind: Kind) -> None:
    session = only(generate(1, kind), Order(1, 0, "buy", 1), Order(2, 0, "sell", 1))
    sent = [each["ts"] for each in given(session)["commands"]]
    assert sent == [each.ts for each in session.commands]


def test_orders_on_trades_come_after_the_trade_that_they_meet() -> None:
    trail = Order(2, 0, "sell", 1, "trailing_stop", trail=5)
    session = only(generate(1, "trades"), Order(1, 0, "buy", 1), trail)
    by_id = {each["order"]["id"]: each["ts"] for each in given(session)["commands"]}
    later = [row.ts for row in session.tape if row.instrument == 0]
    first = next(ts for ts in later if ts > session.commands[0].ts)
    after = next(ts for ts in later if ts > first)
    assert first < by_id[1] < after
    assert by_id[2] == session.commands[1].ts  # follows the price from the start


def test_day_orders_become_orders_that_are_cancelled_when_the_day_ends() -> None:
    session = only(generate(1, "bars"), Order(1, 0, "buy", 1, "limit", "day", limit=1))
    sent, ended = given(session)["commands"]
    assert sent["order"]["tif"] == "gtc"
    assert (ended["do"], ended["id"]) == ("cancel", 1)
    assert ended["ts"] > next(ts for ts in session.day_ends if ts > session.commands[0].ts)


def test_results_are_read_in_our_times() -> None:
    session = only(generate(1, "bars"), Order(1, 0, "buy", 2))
    ts = session.tape[1].ts
    inside = ts - session.bar_ns + session.open_delay_ns + 5
    quote = session.account.cash[0][0]
    mark = session.marks[0]
    value = {
        "fills": [[inside, 1, "buy", 2, 1_000, "0.10", "taker"]],
        "marks": [
            {
                "ts": mark.ts,
                "balances": {quote: "900.00", session.instruments[0].base: "3"},
                "positions": [["2", "1.50"]] * len(session.instruments),
            }
        ],
        "ends": {"1": [inside, "rejected", "for a reason"]},
        "stopped": False,
        "version": "1.0",
    }
    result = read(value, session)
    assert [fill.ts for fill in result.fills] == [ts]
    assert result.ends == {1: End(inside, "rejected", "for a reason")}
    assert result.looks[0].equity > 900
