"""``qv halt`` and its kin: who is asked, what is said, how it ends."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantvista.cli import _operator
from quantvista.cli._operator import COMMANDS, at_once
from quantvista.trading.control import Place
from support.answering import answering
from support.command import environment

OK: dict[str, Any] = {"ok": True}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_operator, "_NODE_S", 0.2)
    monkeypatch.setattr(_operator, "_GUARD_S", 0.4)
    return Place("state")


@pytest.fixture
def run(place: Place, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def inner(*words: str) -> tuple[int, str, str]:
        code = at_once(list(words))
        assert code is not None
        out, err = capsys.readouterr()
        return code, out, err

    return inner


def test_the_node_halts(place: Place, run: Any) -> None:  # noqa: ANN401
    with answering(place, "node", {"halt": OK}) as heard:
        code, out, err = run("halt", "--reason", "odd prices")
    assert (code, err) == (0, "")
    assert out == "halted: nothing new is sent (confirmed by the node)\n"
    assert heard[0]["command"] == "halt"
    assert heard[0]["reason"] == "odd prices"
    assert heard[0]["by"]
    assert place.order() is None


def test_what_the_node_says_is_printed(place: Place, run: Any) -> None:  # noqa: ANN401
    with answering(place, "node", {"reduce": {"ok": True, "text": "2 orders cut"}}):
        assert run("reduce")[1] == "2 orders cut (confirmed by the node)\n"
        found = json.loads(run("reduce", "--json")[1])
    assert found == {
        "answer": {"ok": True, "text": "2 orders cut"},
        "by": "node",
        **OK,
        "tried": {},
    }


@pytest.mark.parametrize("node", [None, {"ok": False, "error": "broken"}, {}])
def test_the_guard_halts_where_the_node_does_not(
    place: Place,
    run: Any,  # noqa: ANN401
    node: dict[str, Any] | None,
) -> None:
    with answering(place, "node", {"halt": node}), answering(place, "guard", {"halt": OK}) as heard:
        code, out, _ = run("halt")
    assert code == 0
    assert "(confirmed by the guard)" in out
    assert "the node" in out
    assert len(heard) == 1


def test_an_order_that_nobody_confirms_is_left(place: Place, run: Any) -> None:  # noqa: ANN401
    place.make()
    code, out, err = run("halt", "--reason", "x")
    assert (code, out) == (1, "")
    assert err.startswith("error: nothing confirmed the halt\n")
    assert "the node of state does not run" in err
    assert "the guard of state does not run" in err
    assert "the order lies in state/run/halt.json" in err
    assert "neither runs, so nothing is being sent" in err
    order = place.order()
    assert order is not None
    assert (order["command"], order["reason"]) == ("halt", "x")
    assert order["ts"] > 1_700_000_000_000_000_000
    found = json.loads(run("halt", "--json")[1])
    assert (found["ok"], found["by"], found["file"]) == (False, None, "state/run/halt.json")


def test_a_process_whose_socket_is_gone_is_not_said_to_be_dead(
    place: Place,
    run: Any,  # noqa: ANN401
) -> None:
    place.make()
    mine = place.announce("node")
    _, _, err = run("halt")
    assert "neither runs" not in err
    assert f"the node is process {mine.pid}, alive but silent" in err


def test_who_is_silent_is_named(place: Place, run: Any) -> None:  # noqa: ANN401
    with answering(place, "node", {"halt": None}):
        mine = place.announce("node")
        code, _, err = run("halt")
    assert code == 1
    assert "did not answer within 0.2 s" in err
    assert f"the node is process {mine.pid}, alive but silent: end the fund with qv down" in err


def test_a_full_disk_is_said(
    place: Place,
    run: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place.make()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Place, "leave_order", full)
    assert "the order could not be written either: [Errno 28] No space" in run("halt")[2]


def test_reducing_leaves_no_order(place: Place, run: Any) -> None:  # noqa: ANN401
    place.make()
    code, _, err = run("reduce")
    assert code == 1
    assert "nothing confirmed the reduce" in err
    assert place.order() is None


@pytest.mark.parametrize("command", COMMANDS)
def test_no_state_folder_names_the_way(run: Any, command: str) -> None:  # noqa: ANN401
    words = ["--yes"] if command == "flatten" else []
    code, _, err = run(command, "--state=none", *words)
    assert code == 1
    assert "no such state folder; start one with qv up" in err
    assert not Path("none").exists()


def test_resuming_asks_the_guard_then_the_node(place: Place, run: Any) -> None:  # noqa: ANN401
    node = {"resume": OK, "status": {"ok": True, "health": "halted"}}
    with answering(place, "node", node) as heard:
        assert run("resume")[0] == 0  # without a guard the node knows whether it may
        with answering(place, "guard", {"resume": {"ok": False, "error": "loss of the day"}}):
            code, _, err = run("resume")
            assert code == 1
            assert "the guard refused: loss of the day" in err
        with answering(place, "guard", {"resume": OK}):
            code, out, _ = run("resume")
            assert (code, out) == (0, "trading again (confirmed by the node)\n")
        with answering(place, "guard", {"resume": None}):
            code, _, err = run("resume")
            assert code == 1
            assert "the guard of state did not answer" in err
    assert [each["command"] for each in heard if each["command"] == "resume"] == ["resume"] * 2


def test_resuming_is_refused_while_not_clean(place: Place, run: Any) -> None:  # noqa: ANN401
    status = {"ok": True, "health": "reconciling", "why": ["3 orders are not known"]}
    with answering(place, "node", {"resume": OK, "status": status}) as heard:
        code, _, err = run("resume")
        assert code == 1
        assert "the node is reconciling, not clean: 3 orders are not known" in err
    assert [each["command"] for each in heard] == ["status"]


@pytest.mark.parametrize("health", ["trading", "halted"])
def test_an_order_that_was_left_is_carried_out_first(place: Place, run: Any, health: str) -> None:  # noqa: ANN401
    place.make()
    place.leave_order({"command": "halt"})
    node = {"resume": OK, "status": {"ok": True, "health": health}}
    with answering(place, "node", node):
        code, _, err = run("resume")
    assert "silent" not in err
    if health == "halted":
        assert (code, place.order()) == (0, None)
    else:
        assert (code, place.order()) == (1, {"command": "halt"})
        assert "an order to halt lies in state that nobody has carried out yet" in err
        guard = {"resume": OK, "status": {"ok": True, "level": "halt"}}  # it has
        with answering(place, "node", node), answering(place, "guard", guard):
            assert run("resume")[0] == 0
        assert place.order() is None


def test_a_node_that_has_not_heard_of_its_leave_is_asked_again(
    place: Place,
    run: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status = {"ok": True, "health": "no_new_risk"}
    node = {"resume": {"ok": False, "error": "no leave to trade"}, "status": status}

    def later(_: float) -> None:
        node["resume"] = OK

    monkeypatch.setattr("quantvista.cli._operator.time.sleep", later)
    with answering(place, "node", node) as heard, answering(place, "guard", {"resume": OK}):
        assert run("resume") == (0, "trading again (confirmed by the node)\n", "")
    assert [each["command"] for each in heard] == ["status", "resume", "resume"]
    monkeypatch.setattr(_operator, "_LEAVE_S", 0.0)
    node["resume"] = {"ok": False, "error": "no leave to trade"}
    with answering(place, "node", node), answering(place, "guard", {"resume": OK}):
        place.announce("node")
        code, _, err = run("resume")
    assert code == 1
    assert "the node refused: no leave to trade" in err
    assert "silent" not in err


def test_flattening_wants_a_typed_word(
    place: Place,
    run: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, err = run("flatten")
    assert (code, err) == (
        2,
        "error: `--yes` must be given where nobody can be asked; found no terminal\n",
    )
    position = {"instrument": "BTC-USDT.PAPER", "quantity": "1.2", "value": "60014.52"}
    node = {
        "flatten": OK,
        "status": {"ok": True, "fund": "demo", "positions": [position], "orders": [{}, {}]},
    }
    with answering(place, "node", node) as heard:
        for word, ended in (("yes\n", 1), ("flatten\n", 0)):
            typed = io.StringIO(word)
            monkeypatch.setattr(typed, "isatty", lambda: True)
            monkeypatch.setattr(sys, "stdin", typed)
            code, out, err = run("flatten")
            assert code == ended
            assert "demo: this cancels 2 orders" in out
            assert "BTC-USDT.PAPER" in out
            assert ("nothing was done" in err) == (ended == 1)
        assert run("flatten", "-y")[0] == 0
    assert [each["command"] for each in heard].count("flatten") == 2


def test_a_reason_is_short(place: Place, run: Any) -> None:  # noqa: ANN401
    place.make()
    code, _, err = run("halt", "--reason", "x" * 501)
    assert code == 2
    assert "`--reason` must have at most 500 characters; found 501" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--bad"],
        ["here"],
        ["--state"],
        ["--state", "--json"],
        ["--yes"],
        ["--reason="],
    ],
)
def test_what_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    assert at_once(["halt", *words]) is None


def test_help_and_mistakes_are_typers(qv: Any, place: Place) -> None:  # noqa: ANN401
    for command in ("up", "down", "logs", "status", *COMMANDS):
        done = qv(command, "--help")
        assert done.code == 0
        assert max(len(line) for line in done.out.splitlines()) <= 80
        assert "Example" in done.out
    assert qv("halt", "--bad").code == 2
    place.make()
    with answering(place, "node", {"halt": OK}):
        done = qv("halt", "--reason", "through Typer")
    assert (done.code, done.out) == (0, "halted: nothing new is sent (confirmed by the node)\n")
    assert qv("halt").code == 1


def test_halting_loads_next_to_nothing(place: Place) -> None:
    place.make()
    code = (
        "import sys; sys.argv = ['qv', 'halt']; from quantvista.cli import main\n"
        "try: main()\n"
        "finally: print(*sys.modules)"
    )
    with answering(place, "node", {"halt": OK}):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
    said, _, loaded = done.stdout.partition("\n")
    assert said.startswith("halted")
    heavy = {"typer", "click", "rich", "asyncio", "pydantic", "numpy", "polars", "subprocess"}
    assert not heavy & set(loaded.split())


def test_completion_still_knows_the_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "quantvista", "halt"],
        env=environment(_QV_COMPLETE="complete_bash", COMP_WORDS="qv halt --", COMP_CWORD="2"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "--reason" in done.stdout, done.stderr
