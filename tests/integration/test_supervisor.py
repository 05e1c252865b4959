"""A supervisor over real processes that take the places of node and guard."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quantvista.errors import ControlError
from quantvista.trading.control import Place, Process, ask
from quantvista.trading.supervisor import last_lines, stop_fund
from support.supervised import QUICK, TESTS

PATH = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
WAIT_S = 20.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path / "state")
    found.make()
    yield found
    for each in found.run.glob("*.json"):  # whatever became of the test, nothing stays
        name = each.stem
        with contextlib.suppress(ControlError):
            process = found.process(name)
            if process is not None:
                process.signal(signal.SIGKILL)


@pytest.fixture
def start(place: Place) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def inner(*words: str, ready_s: str = "10", check_s: str = "10") -> subprocess.Popen[str]:
        running = subprocess.Popen(
            [sys.executable, "-m", "support.supervised", str(place.folder), *words],
            cwd=TESTS,
            env={**os.environ, "PYTHONPATH": PATH, "READY_S": ready_s, "CHECK_S": check_s},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(running)
        return running

    yield inner
    for each in started:
        if each.poll() is None:
            each.send_signal(signal.SIGTERM)
        each.communicate(timeout=WAIT_S)


def until[T](check: Callable[[], T]) -> T:
    """Wait until it says something true."""
    end = time.monotonic() + WAIT_S
    while not (found := check()):
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)
    return found


def shown(place: Place) -> dict[str, Any]:
    with contextlib.suppress(ControlError):
        return ask(place.socket("supervisor"), {"command": "status"})
    return {"state": "", "processes": []}


def running(place: Place) -> bool:
    return bool(shown(place)["state"] == "running")


def of(place: Place, name: str) -> dict[str, Any]:
    return next((each for each in shown(place)["processes"] if each["name"] == name), {})


def another(place: Place, name: str, before: Process) -> bool:
    found = of(place, name)
    return found.get("state") == "ready" and found["pid"] != before.pid


def history(place: Place) -> list[str]:
    return (place.folder / "history").read_text().splitlines()


def alive(place: Place, name: str) -> Process:
    process = place.process(name)
    assert process is not None
    assert process.alive
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=WAIT_S)
    return process.returncode, said


def test_everything_starts_and_stops_in_order(place: Place, start: Any) -> None:  # noqa: ANN401
    supervisor = start("guard", "node")
    until(lambda: running(place))
    assert history(place) == ["guard start", "node start"]
    assert alive(place, "supervisor").pid == supervisor.pid
    second = start("guard", "node")
    code, said = ended(second)
    assert code == 1
    assert "a supervisor runs already in" in said
    supervisor.send_signal(signal.SIGINT)
    code, said = ended(supervisor)
    assert (code, history(place)[2:]) == (0, ["node end", "guard end"])
    assert said.splitlines()[-4:] == ["stopping", "node stopped", "guard stopped", "stopped"]
    assert sorted(each.name for each in place.run.glob("*.json")) == ["children.json"]
    assert "guard says hello" in last_lines(place.log("guard"), 5)
    assert "everything runs" in "".join(last_lines(place.log("supervisor"), 9))


def test_what_is_killed_starts_again(place: Place, start: Any) -> None:  # noqa: ANN401
    start("guard", "node")
    until(lambda: running(place))
    for name in ("node", "guard", "node"):
        before = alive(place, name)
        before.signal(signal.SIGKILL)
        until(lambda: another(place, name, before))  # noqa: B023 - it ends before the next one
        assert alive(place, name) != before
    assert of(place, "node")["restarts"] == 2
    assert of(place, "node")["ended"] == "was ended by SIGKILL"
    stop_fund(place, lambda _: None, QUICK)
    assert history(place).count("node start") == 3


def test_a_supervisor_that_was_killed_is_replaced(place: Place, start: Any) -> None:  # noqa: ANN401
    first = start("guard", "node")
    until(lambda: running(place))
    node, guard = alive(place, "node"), alive(place, "guard")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert node.alive
    assert guard.alive
    # The node is as it was, so it goes on; the guard shall be another, so it is ended.
    second = start("guard:late", "node")
    until(lambda: running(place))
    assert alive(place, "node") == node
    assert alive(place, "guard") != guard
    assert not guard.alive
    assert history(place).count("node start") == 1
    node.signal(signal.SIGKILL)  # one that was taken over is watched, too
    until(lambda: of(place, "node").get("restarts") == 1)
    until(lambda: of(place, "node")["state"] == "ready")
    second.send_signal(signal.SIGTERM)
    code, said = ended(second)
    assert code == 0
    assert f"node runs already, process {node.pid}: taken over" in said
    assert f"guard of an earlier start, process {guard.pid}: stopped" in said


def test_what_is_left_is_stopped_from_outside(place: Place, start: Any) -> None:  # noqa: ANN401
    supervisor = start("guard", "node")
    until(lambda: running(place))
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    said: list[str] = []
    stop_fund(place, said.append, QUICK)
    assert [each.split(",")[0] for each in said] == ["node", "guard"]
    assert history(place)[2:] == ["node end", "guard end"]
    with pytest.raises(ControlError, match="nothing runs in"):
        stop_fund(place, said.append, QUICK)
    with pytest.raises(ControlError, match="no such state folder"):
        stop_fund(Place(place.folder / "none"), said.append, QUICK)


def test_who_does_not_obey_is_killed(place: Place, start: Any) -> None:  # noqa: ANN401
    supervisor = start("guard:deaf", "node:deaf")
    until(lambda: running(place))
    node = alive(place, "node")
    supervisor.send_signal(signal.SIGTERM)
    code, said = ended(supervisor)
    assert code == 0
    assert said.splitlines()[-3:] == ["node killed", "guard killed", "stopped"]
    assert not node.alive


def test_what_fails_too_often_is_given_up_and_the_guard_stays(
    place: Place,
    start: Any,  # noqa: ANN401
) -> None:
    place.journal.mkdir()  # it has traded before: there may be something to guard
    supervisor = start("guard", "node:fail=1")
    until(lambda: of(place, "node").get("state") == "gave up")
    assert history(place).count("node start") == QUICK.failures_max
    assert of(place, "guard")["state"] == "ready"
    alive(place, "guard")
    supervisor.send_signal(signal.SIGTERM)
    code, said = ended(supervisor)
    assert code == 1
    assert "GAVE UP: node ended with exit code 1, 4 times in a row; it stays down" in said
    assert "node has a reason" in said
    assert "node did not start; journal" in said
    assert "everything runs" not in said
    assert "next try in 0.05 s" in said
    assert "next try in 0.1 s" in said


def test_what_a_restart_does_not_mend_ends_a_new_fund(place: Place, start: Any) -> None:  # noqa: ANN401
    code, said = ended(start("guard", "node:fail=2"))
    assert code == 2
    assert "GAVE UP: node ended with exit code 2, a restart does not mend that" in said
    assert history(place) == ["guard start", "node start", "guard end"]


def test_a_fund_without_a_guard_ends_with_its_node(place: Place, start: Any) -> None:  # noqa: ANN401
    place.journal.mkdir()
    code, said = ended(start("node:fail=4"))
    assert code == 4
    assert "node has a reason" in said


def test_what_never_gets_ready_is_tried_again(place: Place, start: Any) -> None:  # noqa: ANN401
    supervisor = start("guard:never", "node", ready_s="0.5")
    until(lambda: "was not ready in time" in of(place, "guard").get("ended", ""))
    assert history(place)[0] == "guard start"
    assert "node start" not in history(place)
    supervisor.send_signal(signal.SIGTERM)
    assert ended(supervisor)[0] == 0


def test_one_bad_start_is_no_harm(place: Place, start: Any) -> None:  # noqa: ANN401
    start("guard:once=1", "node")
    until(lambda: running(place))
    assert history(place) == ["guard start", "guard start", "node start"]


def test_what_hangs_is_killed_and_started_again(place: Place, start: Any) -> None:  # noqa: ANN401
    start("guard", check_s="0.2")
    until(lambda: running(place))
    before = alive(place, "guard")
    before.signal(signal.SIGSTOP)
    until(lambda: another(place, "guard", before))
    assert of(place, "guard")["ended"] == "did not answer 1 times, and was killed"
    assert not before.alive


def test_a_list_of_processes_that_cannot_be_written_stops_nothing(
    place: Place,
    start: Any,  # noqa: ANN401
) -> None:
    supervisor = start("guard", "node")
    until(lambda: running(place))
    path = place.run / "children.json"
    path.unlink()
    path.mkdir()  # as a disk that is full: nothing can be put there
    before = alive(place, "node")
    before.signal(signal.SIGKILL)
    until(lambda: another(place, "node", before))
    supervisor.send_signal(signal.SIGTERM)
    assert ended(supervisor)[0] == 0
    assert history(place)[-2:] == ["node end", "guard end"]
    path.rmdir()
